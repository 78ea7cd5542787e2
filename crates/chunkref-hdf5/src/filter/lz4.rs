// SPDX-License-Identifier: MIT OR Apache-2.0
//! LZ4, filter 32004: blocks of LZ4 in a framing that only HDF5 has.
//!
//! Big-endian: `u64` decoded bytes, `u32` bytes of a block, then for every block `u32` stored bytes and the bytes; a
//! block that did not shrink is stored as it is.

use chunkref_core::Cursor;

use super::Fault;

/// Undoes the filter.
pub(super) fn decode(bytes: &[u8], room: usize) -> Result<Vec<u8>, Fault> {
    let mut cursor = Cursor::new(bytes, 0, "lz4 frame");
    let total = Fault::check_room(cursor.u64_be()?, room)?;
    let block_length = usize::try_from(cursor.u32_be()?).unwrap_or(usize::MAX);
    if block_length == 0 && total > 0 {
        return Err(Fault::damaged("its blocks have no bytes"));
    }
    let mut output = vec![0; total];
    for block in output.chunks_mut(block_length.max(1)) {
        let stored = cursor.u32_be()?;
        let stored = cursor.bytes_u64(stored.into())?;
        if stored.len() == block.len() {
            block.copy_from_slice(stored);
        } else {
            decode_block(stored, block)?;
        }
    }
    Ok(output)
}

/// Decodes one bare LZ4 block, which must fill `output`.
pub(super) fn decode_block(stored: &[u8], output: &mut [u8]) -> Result<(), Fault> {
    match lz4_flex::block::decompress_into(stored, output) {
        Ok(length) if length == output.len() => Ok(()),
        Ok(length) => {
            let reason = format!("an LZ4 block has {length} bytes where {} must be", output.len());
            Err(Fault::Damaged(reason))
        }
        Err(error) => Err(Fault::Damaged(format!("an LZ4 block is damaged: {error}"))),
    }
}

/// Applies the filter, with one block that is stored as it is.
pub(super) fn encode(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let length = u32::try_from(bytes.len())
        .map_err(|_| Fault::unsupported("a chunk of more than 4 GiB"))?
        .to_be_bytes();
    let total = (bytes.len() as u64).to_be_bytes();
    let block: &[&[u8]] = if bytes.is_empty() { &[] } else { &[&length, bytes] };
    Ok([&[&total[..], &length[..]][..], block].concat().concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn data() -> Vec<u8> {
        (0..40_i32).flat_map(|n| (n / 3).to_le_bytes()).collect()
    }

    #[test]
    fn frames_of_hdf5plugin() {
        // hdf5plugin 7.1: 40 values of <i4, n // 3, in one block and in blocks of 64 bytes.
        let one = hex(
            "00000000000000a0000000a00000003a17000100170104001702040017030400170404001705040017060400170704001708040017090400170a0400170b0400160c040050000d000000",
        );
        let several = hex(
            "00000000000000a0000000400000001a1700010017010400170204001703040016040400500005000000000000204005000000040017060400170704001708040017090400800a0000000a00000000000012570a0000000b0400160c040050000d000000",
        );
        assert_eq!(decode(&one, 160).unwrap(), data());
        assert_eq!(decode(&several, 160).unwrap(), data());
        for frame in [one, several] {
            assert!(decode(&frame, 159).is_err());
            assert!((0..frame.len()).all(|end| decode(&frame[..end], 160).is_err()));
        }
    }

    #[test]
    fn what_is_encoded_decodes() {
        assert_eq!(decode(&encode(&data()).unwrap(), 160).unwrap(), data());
        assert!(decode(&encode(&[]).unwrap(), 160).unwrap().is_empty());
    }

    #[test]
    fn claims_are_checked() {
        let mut frame = encode(&data()).unwrap();
        frame[8..12].fill(0); // blocks of no bytes
        assert!(decode(&frame, 160).is_err());
        frame[..8].fill(0xff); // 2^64 - 1 bytes
        assert!(decode(&frame, usize::MAX).is_err());
    }
}
