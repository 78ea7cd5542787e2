// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers of any count of bits, the most significant bit first, as nbit, scaleoffset and szip store them.

use std::slice::Iter;

use chunkref_core::{DecodeContext, Steps};

use crate::CodecError;

/// Reads bits from the start of a slice, until the work is not wanted any more.
#[derive(Debug)]
pub(crate) struct BitReader<'a> {
    rest: Iter<'a, u8>,
    /// The bits read last, in the low end.
    window: u64,
    /// How many bits of `window` are still to be handed out.
    available: u32,
    steps: Steps<'a>,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8], context: &DecodeContext<'a>) -> Self {
        let steps = Steps::new(context.cancellation());
        Self { rest: bytes.iter(), window: 0, available: 0, steps }
    }

    /// The next `count` bits, at most 32, as a number.
    pub(crate) fn read(&mut self, count: u32) -> Result<u32, CodecError> {
        while self.available < count {
            self.refill()?;
        }
        self.available = self.available.saturating_sub(count);
        let value = self.window.checked_shr(self.available).unwrap_or(0) & mask(count);
        Ok(u32::try_from(value).unwrap_or(u32::MAX))
    }

    /// The next `count` bits, at most 128, as a number.
    pub(crate) fn read_wide(&mut self, count: u32) -> Result<u128, CodecError> {
        let (mut value, mut left) = (0, count);
        while left > 0 {
            let step = left.min(32);
            value = value << 32 >> 32_u32.saturating_sub(step) | u128::from(self.read(step)?);
            left = left.saturating_sub(step);
        }
        Ok(value)
    }

    /// The zeros before the next one, which is taken too.
    pub(crate) fn unary(&mut self) -> Result<u32, CodecError> {
        let mut zeros = 0_u32;
        loop {
            let window = self.window & mask(self.available);
            let length = u64::BITS.saturating_sub(window.leading_zeros());
            zeros = zeros.saturating_add(self.available.saturating_sub(length));
            if length > 0 {
                self.available = length.saturating_sub(1);
                return Ok(zeros);
            }
            self.available = 0;
            self.refill()?;
        }
    }

    fn refill(&mut self) -> Result<(), CodecError> {
        self.steps.take(1)?;
        let byte = self.rest.next().ok_or_else(CodecError::ended_early)?;
        self.window = self.window << 8 | u64::from(*byte);
        self.available = self.available.saturating_add(8);
        Ok(())
    }
}

/// Collects bits.
#[derive(Debug, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    window: u64,
    pending: u32,
}

impl BitWriter {
    /// Appends the low `count` bits of `value`, at most 32.
    pub(crate) fn write(&mut self, value: u32, count: u32) {
        let value = u64::from(value) & mask(count);
        self.window = self.window.checked_shl(count).unwrap_or(0) | value;
        self.pending = self.pending.saturating_add(count);
        while self.pending >= 8 {
            self.pending = self.pending.saturating_sub(8);
            let byte = self.window.checked_shr(self.pending).unwrap_or(0) & 0xff;
            self.bytes.push(u8::try_from(byte).unwrap_or_default());
        }
    }

    /// Everything, with zeros up to a whole byte.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.pending > 0 {
            self.write(0, 8_u32.saturating_sub(self.pending));
        }
        self.bytes
    }
}

/// The lowest `count` bits.
fn mask(count: u32) -> u64 {
    1_u64.checked_shl(count).map_or(u64::MAX, |bit| bit.wrapping_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> BitReader<'_> {
        BitReader::new(bytes, &DecodeContext::up_to(0))
    }

    #[test]
    fn bits_come_out_as_they_went_in() {
        let mut writer = BitWriter::default();
        writer.write(5, 3);
        writer.write(0xffff_fff0, 32);
        writer.write(1, 13);
        let bytes = writer.finish();
        assert_eq!(bytes, [0xbf, 0xff, 0xff, 0xfe, 0x00, 0x01]);
        let mut reader = reader(&bytes);
        assert_eq!(reader.read(3).unwrap(), 5);
        assert_eq!(reader.read_wide(32).unwrap(), 0xffff_fff0);
        assert_eq!(reader.unary().unwrap(), 12);
        assert!(reader.read(1).is_err() && reader.unary().is_err());
    }

    #[test]
    fn wide_numbers_and_long_zeros() {
        let mut bytes = vec![0; 20];
        bytes.push(0x18);
        assert_eq!(reader(&bytes).unary().unwrap(), 163);
        let bytes: Vec<u8> = (1..=16).collect();
        let value = u128::from_be_bytes(bytes.clone().try_into().unwrap());
        assert_eq!(reader(&bytes).read_wide(128).unwrap(), value);
        assert_eq!(reader(&bytes).read_wide(40).unwrap(), value >> 88);
    }

    #[test]
    fn endless_zeros_end_with_the_work() {
        let zeros = vec![0; 1 << 20];
        let ended = crate::testing::Ended::after(3);
        let outcome = BitReader::new(&zeros, &ended.context(0)).unary();
        assert!(matches!(outcome, Err(CodecError::Cancelled(_))), "{outcome:?}");
        assert_eq!(ended.asked(), 4);
    }
}
