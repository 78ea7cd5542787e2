// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers of any count of bits, the most significant bit first, as nbit, scaleoffset and szip store them.

use chunkref_core::{DecodeContext, Steps};

use crate::CodecError;

/// Reads bits from the start of a slice, until the work is not wanted any more.
#[derive(Debug)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    /// The first byte of which nothing is counted in `available`.
    at: usize,
    /// The bits that come next, from the high end on. Behind the available ones are others of `bytes`, or zeros.
    window: u64,
    /// How many bits of `window` may be handed out.
    available: u32,
    steps: Steps<'a>,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8], context: &DecodeContext<'a>) -> Self {
        let steps = Steps::new(context.cancellation());
        Self { bytes, at: 0, window: 0, available: 0, steps }
    }

    /// The next `count` bits, at most 32, as a number.
    #[inline]
    pub(crate) fn read(&mut self, count: u32) -> Result<u32, CodecError> {
        if self.available < count {
            self.refill_for(count)?;
        }
        // In two parts, for no bits at all are a shift by 64.
        let value = self.window >> 32 >> 32_u32.saturating_sub(count);
        self.window = self.window.wrapping_shl(count);
        self.available = self.available.wrapping_sub(count);
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
    #[inline]
    pub(crate) fn unary(&mut self) -> Result<u32, CodecError> {
        let zeros = self.window.leading_zeros();
        if zeros < self.available {
            self.window = self.window.wrapping_shl(zeros) << 1;
            self.available = self.available.wrapping_sub(zeros).wrapping_sub(1);
            return Ok(zeros);
        }
        self.long_unary()
    }

    /// As many such counts of zeros as there is room for.
    pub(crate) fn unaries(&mut self, counts: &mut [u32]) -> Result<(), CodecError> {
        // Copies, which stay in registers.
        let (mut window, mut available) = (self.window, self.available);
        for count in counts {
            let zeros = window.leading_zeros();
            if zeros < available {
                window = window.wrapping_shl(zeros) << 1;
                available = available.wrapping_sub(zeros).wrapping_sub(1);
                *count = zeros;
            } else {
                (self.window, self.available) = (window, available);
                *count = self.long_unary()?;
                (window, available) = (self.window, self.available);
            }
        }
        (self.window, self.available) = (window, available);
        Ok(())
    }

    /// Appends the next `bits` bits, at most 32, to each of some numbers, whose highest bits are lost.
    pub(crate) fn append(&mut self, numbers: &mut [u32], bits: u32) -> Result<(), CodecError> {
        let (mut window, mut available) = (self.window, self.available);
        let shift = 32_u32.saturating_sub(bits);
        for number in numbers {
            if available < bits {
                (self.window, self.available) = (window, available);
                self.refill_for(bits)?;
                (window, available) = (self.window, self.available);
            }
            let low = window >> 32 >> shift;
            *number = number.wrapping_shl(bits) | u32::try_from(low).unwrap_or(u32::MAX);
            window = window.wrapping_shl(bits);
            available = available.wrapping_sub(bits);
        }
        (self.window, self.available) = (window, available);
        Ok(())
    }

    /// The same, of zeros that go on behind what is available.
    #[cold]
    #[inline(never)]
    fn long_unary(&mut self) -> Result<u32, CodecError> {
        let mut all = 0_u32;
        loop {
            let zeros = self.window.leading_zeros();
            if zeros < self.available {
                self.skip(zeros.saturating_add(1));
                return Ok(all.saturating_add(zeros));
            }
            all = all.saturating_add(self.available);
            self.skip(self.available);
            self.refill()?;
            if self.available == 0 {
                return Err(CodecError::ended_early());
            }
        }
    }

    /// Drops what is left of a byte that was begun.
    pub(crate) fn align(&mut self) {
        self.skip(self.available % 8);
    }

    /// Drops `count` bits, all of which are available.
    fn skip(&mut self, count: u32) {
        self.window = self.window.checked_shl(count).unwrap_or(0);
        self.available = self.available.saturating_sub(count);
    }

    /// Makes at least `count` bits available.
    #[cold]
    #[inline(never)]
    fn refill_for(&mut self, count: u32) -> Result<(), CodecError> {
        self.refill()?;
        if self.available < count { Err(CodecError::ended_early()) } else { Ok(()) }
    }

    /// Makes more than 56 bits available, or all that there are.
    #[inline]
    fn refill(&mut self) -> Result<(), CodecError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let room = 64_u32.saturating_sub(self.available) / 8;
        let taken = match rest.first_chunk() {
            Some(next) => {
                let next = u64::from_be_bytes(*next);
                self.window |= next.checked_shr(self.available).unwrap_or(0);
                room
            }
            None => self.refill_from_the_end(rest, room),
        };
        self.available = self.available.saturating_add(taken.saturating_mul(8));
        let taken = usize::try_from(taken).unwrap_or(0);
        self.at = self.at.saturating_add(taken);
        Ok(self.steps.take(taken.max(1))?)
    }

    /// Bytes that were taken of the last few.
    fn refill_from_the_end(&mut self, rest: &[u8], room: u32) -> u32 {
        let mut taken = 0_u32;
        for byte in rest.iter().take(usize::try_from(room).unwrap_or(0)) {
            let place = self.available.saturating_add(taken.saturating_mul(8));
            let shift = 56_u32.saturating_sub(place);
            self.window |= u64::from(*byte) << shift;
            taken = taken.saturating_add(1);
        }
        taken
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
    fn many_at_once() {
        let bytes: Vec<u8> = (0..90).map(|n: u8| n.wrapping_mul(73) | 4).collect();
        for bits in 0..=31 {
            let (mut one, mut many) = (reader(&bytes), reader(&bytes));
            let mut numbers = [0; 12];
            many.unaries(&mut numbers).unwrap();
            let zeros: Vec<u32> = (0..12).map(|_| one.unary().unwrap()).collect();
            assert_eq!(numbers, zeros[..], "{bits}");
            many.append(&mut numbers, bits).unwrap();
            for (number, zeros) in numbers.iter().zip(zeros) {
                assert_eq!(*number, zeros.wrapping_shl(bits) | one.read(bits).unwrap(), "{bits}");
            }
            assert_eq!(many.read(7).unwrap(), one.read(7).unwrap());
        }
        assert!(reader(&[0; 9]).unaries(&mut [0]).is_err());
        assert!(reader(&[1; 9]).append(&mut [0; 4], 24).is_err());
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
