// SPDX-License-Identifier: MIT OR Apache-2.0
//! LZ4: blocks in the framing of HDF5's filter 32004, which imagecodecs calls `lz4h5`.
//!
//! Big-endian: `u64` decoded bytes, `u32` bytes of a block, then for every block `u32` stored bytes and the bytes; a
//! block that did not shrink is stored as it is.
//!
//! A block is decoded by one call of the library `lz4_flex`, which cannot be ended in between.

use chunkref_core::{Cursor, DecodeContext, Steps};

use crate::CodecError;

/// Decodes a frame.
///
/// # Errors
/// [`CodecError`] for bytes that are damaged, for too many of them, and for work that was ended.
pub fn decode(bytes: &[u8], context: &DecodeContext<'_>) -> Result<Vec<u8>, CodecError> {
    let mut cursor = Cursor::new(bytes, 0, "lz4 frame");
    let total = CodecError::check_length(cursor.u64_be()?, context)?;
    let block_length = usize::try_from(cursor.u32_be()?).unwrap_or(usize::MAX);
    if block_length == 0 && total > 0 {
        return Err(CodecError::damaged("its blocks have no bytes"));
    }
    let mut output = vec![0; total];
    let mut steps = Steps::new(context.cancellation());
    for block in output.chunks_mut(block_length.max(1)) {
        steps.take(block.len())?;
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
pub(crate) fn decode_block(stored: &[u8], output: &mut [u8]) -> Result<(), CodecError> {
    match lz4_flex::block::decompress_into(stored, output) {
        Ok(length) if length == output.len() => Ok(()),
        Ok(length) => {
            let reason = format!("an LZ4 block has {length} bytes where {} must be", output.len());
            Err(CodecError::Damaged(reason))
        }
        Err(error) => Err(CodecError::Damaged(format!("an LZ4 block is damaged: {error}"))),
    }
}

/// A frame of `bytes`, in one block that is stored as it is.
///
/// # Errors
/// [`CodecError`] for more than 4 GiB.
pub fn encode(bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
    let length = u32::try_from(bytes.len())
        .map_err(|_| CodecError::unsupported("a chunk of more than 4 GiB"))?
        .to_be_bytes();
    let total = (bytes.len() as u64).to_be_bytes();
    let block: &[&[u8]] = if bytes.is_empty() { &[] } else { &[&length, bytes] };
    Ok([&[&total[..], &length[..]][..], block].concat().concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_ends, hex};

    fn up_to(bytes: &[u8], most: usize) -> Result<Vec<u8>, CodecError> {
        decode(bytes, &DecodeContext::up_to(most))
    }

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
        assert_eq!(up_to(&one, 160).unwrap(), data());
        assert_eq!(up_to(&several, 160).unwrap(), data());
        for frame in [one, several] {
            assert!(up_to(&frame, 159).is_err());
            assert!((0..frame.len()).all(|end| up_to(&frame[..end], 160).is_err()));
        }
    }

    #[test]
    fn what_is_encoded_decodes() {
        assert_eq!(up_to(&encode(&data()).unwrap(), 160).unwrap(), data());
        assert!(up_to(&encode(&[]).unwrap(), 160).unwrap().is_empty());
    }

    #[test]
    fn claims_are_checked() {
        let mut frame = encode(&data()).unwrap();
        frame[8..12].fill(0); // blocks of no bytes
        assert!(up_to(&frame, 160).is_err());
        frame[..8].fill(0xff); // 2^64 - 1 bytes
        assert!(up_to(&frame, usize::MAX).is_err());
    }

    #[test]
    fn many_blocks_end_with_the_work() {
        let block = [&64_u32.to_be_bytes()[..], &[7; 64]].concat();
        let head = [&(1_u64 << 20).to_be_bytes()[..], &64_u32.to_be_bytes()].concat();
        let frame = [head, block.repeat(1 << 14)].concat();
        assert_ends(1 << 20, |context| decode(&frame, context));
    }
}
