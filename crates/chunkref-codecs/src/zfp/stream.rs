// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers of any count of bits, the least significant bit first, as ZFP stores them.

use crate::CodecError;

/// Reads bits from the start of a slice.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    rest: &'a [u8],
    /// Bits that were taken from `rest` and not handed out yet, in the low end.
    window: u64,
    available: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, window: 0, available: 0 }
    }

    /// The next `count` bits, at most 56, as a number.
    pub(super) fn read(&mut self, count: u32) -> Result<u64, CodecError> {
        while self.available < count {
            let (&byte, rest) = self.rest.split_first().ok_or_else(CodecError::ended_early)?;
            self.window |= u64::from(byte).checked_shl(self.available).unwrap_or(0);
            self.available = self.available.saturating_add(8);
            self.rest = rest;
        }
        let mask = 1_u64.checked_shl(count).map_or(u64::MAX, |bit| bit.wrapping_sub(1));
        let value = self.window & mask;
        self.window = self.window.checked_shr(count).unwrap_or(0);
        self.available = self.available.saturating_sub(count);
        Ok(value)
    }

    /// The next bit.
    pub(super) fn bit(&mut self) -> Result<bool, CodecError> {
        Ok(self.read(1)? == 1)
    }

    /// Passes over `count` bits.
    pub(super) fn skip(&mut self, count: u32) -> Result<(), CodecError> {
        let held = count.min(self.available);
        self.read(held)?;
        let left = count.saturating_sub(held);
        let bytes = usize::try_from(left >> 3).unwrap_or(usize::MAX);
        self.rest = self.rest.get(bytes..).ok_or_else(CodecError::ended_early)?;
        self.read(left & 7).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_low_end_comes_first_and_the_end_is_an_error() {
        let mut bits = Bits::new(&[0b1010_0110, 0xff, 0x12, 0x34]);
        assert_eq!(bits.read(3).unwrap(), 0b110);
        assert!(!bits.bit().unwrap());
        assert_eq!(bits.read(6).unwrap(), 0b11_1010);
        bits.skip(10).unwrap();
        assert_eq!(bits.read(12).unwrap(), 0x341);
        assert!(bits.bit().is_err() && bits.skip(1).is_err());
        bits.skip(0).unwrap();
    }
}
