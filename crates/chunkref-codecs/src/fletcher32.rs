// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fletcher32: a checksum behind the data, as numcodecs' `fletcher32` and HDF5's filter 3 have it.

use bytes::Bytes;
use chunkref_core::DecodeContext;

use crate::CodecError;

/// Bytes of the checksum.
pub const CHECKSUM_BYTES: u32 = 4;

/// Words whose sums do not leave 32 bits, in the sum of sums too.
const WORDS: usize = 360;

/// Bytes between two questions whether the work is still wanted: whole runs of words.
const PIECE: usize = WORDS * 2 * 64;

/// Takes the checksum off, when it is that of the bytes before it.
///
/// # Errors
/// [`CodecError`] when it is not, and for work that was ended.
pub fn decode(bytes: &Bytes, context: &DecodeContext<'_>) -> Result<Bytes, CodecError> {
    let (body, stored) = bytes.split_last_chunk::<4>().ok_or_else(CodecError::ended_early)?;
    let mut sums = Sums::default();
    for piece in body.chunks(PIECE) {
        context.cancellation().check()?;
        sums.add(piece);
    }
    let (stored, computed) = (u32::from_le_bytes(*stored), sums.checksum());
    if stored == computed {
        Ok(bytes.slice(..body.len()))
    } else {
        Err(CodecError::Checksum { stored, computed })
    }
}

/// The bytes, and their checksum.
#[must_use]
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut sums = Sums::default();
    sums.add(bytes);
    [bytes, &sums.checksum().to_le_bytes()].concat()
}

/// Fletcher's sums as libhdf5 computes them: over big-endian 16-bit words, an odd last byte in the high half. Of two numbers
/// that stand for 0 modulo 65535, libhdf5 keeps 65535 where the sum is not 0.
#[derive(Debug, Default)]
struct Sums(u32, u32);

impl Sums {
    /// Adds bytes, an even number of them unless they are the last.
    fn add(&mut self, bytes: &[u8]) {
        for run in bytes.chunks(WORDS.saturating_mul(2)) {
            let words = run.chunks_exact(2);
            let rest = words.remainder();
            for word in words {
                if let [high, low] = word {
                    self.add_word(u16::from_be_bytes([*high, *low]));
                }
            }
            if let [high] = rest {
                self.add_word(u16::from_be_bytes([*high, 0]));
            }
            self.fold();
        }
    }

    fn add_word(&mut self, word: u16) {
        self.0 = self.0.wrapping_add(word.into());
        self.1 = self.1.wrapping_add(self.0);
    }

    fn fold(&mut self) {
        let fold = |sum: u32| (sum & 0xffff).wrapping_add(sum >> 16);
        (self.0, self.1) = (fold(self.0), fold(self.1));
    }

    fn checksum(mut self) -> u32 {
        self.fold();
        self.1 << 16 | self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_ends;

    #[test]
    fn checksums_of_libhdf5() {
        // h5py 3.16 with HDF5 2.0: the last four bytes of chunks.
        let long: Vec<u8> = (0..2000_u16).flat_map(u16::to_be_bytes).collect();
        for (data, checksum) in [
            (&[0, 1, 0, 2][..], [3, 0, 4, 0]),
            (&[1], [0, 1, 0, 1]),
            (&[255], [0, 255, 0, 255]),
            (&[0, 0, 0, 0], [0, 0, 0, 0]),
            // Sums that are 0 modulo 65535.
            (&[0xff, 0xff], [0xff, 0xff, 0xff, 0xff]),
            (&[0xff, 0xfe, 0, 1], [0xff, 0xff, 0xfe, 0xff]),
            (&long, [0xb6, 0x80, 0x81, 0x5b]),
        ] {
            let stored = encode(data);
            assert_eq!(stored[data.len()..], checksum, "{data:?}");
            let decoded = decode(&stored.into(), &DecodeContext::up_to(data.len()));
            assert_eq!(decoded.unwrap(), data);
        }
    }

    #[test]
    fn damage_is_seen() {
        let context = DecodeContext::up_to(9);
        assert!(decode(&Bytes::from_static(&[0, 1, 0]), &context).is_err());
        let mut stored = encode(&[1, 2, 3]);
        stored[1] ^= 1;
        let error = decode(&stored.into(), &context).unwrap_err();
        assert!(
            matches!(error, CodecError::Checksum { .. }) && error.to_string().contains("checksum")
        );
    }

    #[test]
    fn sums_in_pieces_are_those_of_the_whole() {
        let data: Vec<u8> = (0..3 * PIECE + 5).map(|at| (at * at % 251).to_le_bytes()[0]).collect();
        let stored = Bytes::from(encode(&data));
        assert_eq!(decode(&stored, &DecodeContext::up_to(0)).unwrap(), data);
        let stored = Bytes::from(encode(&vec![9; 1 << 20]));
        assert_ends(1 << 20, |context| decode(&stored, context).map(Into::into));
    }
}
