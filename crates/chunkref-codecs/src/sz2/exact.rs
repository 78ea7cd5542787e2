// SPDX-License-Identifier: MIT OR Apache-2.0
//! Floats that were not predicted: their first bits, which are a number's distance from the median of all.

use chunkref_core::{Cursor, DecodeContext};

use super::number::Float;
use crate::CodecError;
use crate::bits::BitReader;

/// Numbers in three rows: how many bytes each shares with the one before (2 bits), its other bytes, and its last bits.
#[derive(Debug)]
pub(super) struct Exact<'a, T> {
    shared: BitReader<'a>,
    bytes: Cursor<'a>,
    bits: BitReader<'a>,
    /// Whole bytes of a number that are stored, and bits after them.
    stored: (usize, u32),
    /// The bytes of the number before.
    last: [u8; 8],
    /// What all numbers are less.
    median: T,
}

impl<'a, T: Float> Exact<'a, T> {
    /// Of numbers of which `length` bits are stored.
    pub(super) fn new(
        [shared, bytes, bits]: [&'a [u8]; 3],
        length: u8,
        median: T,
        context: &DecodeContext<'a>,
    ) -> Result<Self, CodecError> {
        let stored = (usize::from(length / 8), u32::from(length % 8));
        if stored.0.saturating_add(usize::from(stored.1 > 0)) > size_of::<T>() {
            return Err(CodecError::Damaged(format!("it stores {length} bits of a number")));
        }
        Ok(Self {
            shared: BitReader::new(shared, context),
            bytes: Cursor::new(bytes, 0, super::STRUCTURE),
            bits: BitReader::new(bits, context),
            stored,
            last: [0; 8],
            median,
        })
    }

    /// The next number.
    pub(super) fn next(&mut self) -> Result<T, CodecError> {
        Ok(self.next_distance()?.plus(self.median))
    }

    /// The next number, of a stream whose median does not count.
    pub(super) fn next_distance(&mut self) -> Result<T, CodecError> {
        let shared = usize::try_from(self.shared.read(2)?).unwrap_or(0);
        let (whole, bits) = self.stored;
        let mut bytes = [0; 8];
        for (place, (byte, last)) in bytes.iter_mut().zip(self.last).enumerate() {
            if place < shared {
                *byte = last;
            } else if place < whole {
                *byte = self.bytes.u8()?;
            }
        }
        if bits > 0 {
            let value = self.bits.read(bits)?.checked_shl(8_u32.saturating_sub(bits));
            let value = value.and_then(|value| u8::try_from(value).ok());
            if let (Some(byte), Some(value)) = (bytes.get_mut(whole), value) {
                *byte = value;
            }
        }
        self.last = bytes;
        T::read(bytes.get(..size_of::<T>()).unwrap_or_default(), true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: DecodeContext<'_> = DecodeContext::up_to(0);

    #[test]
    fn numbers_share_bytes_with_those_before() {
        // 0x3f80 and 4 bits of 12, then one byte of two, and 4 bits of 3.
        let rows: [&[u8]; 3] = [&[0b0001_0000], &[0x3f, 0x80, 0xc0], &[0xc3]];
        let mut exact = Exact::<f32>::new(rows, 20, 0.5, &NEVER).unwrap();
        assert_eq!(exact.next().unwrap().to_bits(), (f32::from_bits(0x3f80_c000) + 0.5).to_bits());
        assert_eq!(exact.next_distance().unwrap().to_bits(), 0x3fc0_3000);
        assert!(exact.next().is_err());
        assert!(Exact::<f32>::new(rows, 33, 0.0, &NEVER).is_err());
        assert!(Exact::<f64>::new(rows, 64, 0.0, &NEVER).is_ok());
    }
}
