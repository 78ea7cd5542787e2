// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers of any count of bits, the highest bit of each byte first.

use chunkref_core::{DecodeError, Steps};

use super::values::{Scale, Values, blocks};

/// A place among bits. What lies behind the end reads as zeros: [`Bits::check`] tells whether enough is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// Bits from the start.
    at: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Whether `count` numbers of `bits` bits are left.
    pub(super) fn check(&self, count: usize, bits: u32) -> Result<(), DecodeError> {
        let left = self.bytes.len().saturating_mul(8).saturating_sub(self.at);
        match count.checked_mul(width(bits)) {
            Some(wanted) if wanted <= left => Ok(()),
            _ => Err(DecodeError::damaged(format!(
                "its data end before {count} values of {bits} bits"
            ))),
        }
    }

    /// The next number of `bits` bits, at most 57 of them.
    #[inline]
    pub(super) fn take(&mut self, bits: u32) -> i64 {
        let (byte, shift) = (self.at >> 3, self.at & 7);
        self.at = self.at.saturating_add(width(bits));
        let window = match self.bytes.get(byte..).and_then(<[u8]>::first_chunk) {
            Some(next) => u64::from_be_bytes(*next),
            None => self.last_bytes(byte),
        };
        // In two steps, for no bits at all are a shift by 64.
        let value = (window << shift) >> 1 >> 63_u32.saturating_sub(bits);
        value.cast_signed()
    }

    /// Fewer than eight bytes, and zeros behind them.
    #[cold]
    fn last_bytes(&self, byte: usize) -> u64 {
        let rest = self.bytes.get(byte..).unwrap_or_default().iter().chain(std::iter::repeat(&0));
        rest.take(8).fold(0, |window, byte| window << 8 | u64::from(*byte))
    }

    /// The next number of `bits` bits, of which the highest is the sign of the others.
    pub(super) fn take_signed(&mut self, bits: u32) -> i64 {
        let is_negative = bits > 0 && self.take(1) == 1;
        let value = self.take(bits.saturating_sub(1));
        if is_negative { value.saturating_neg() } else { value }
    }

    /// What comes behind `count` numbers of `bits` bits, from the next whole byte on.
    pub(super) fn behind(&self, count: usize, bits: u32) -> Result<Self, DecodeError> {
        self.check(count, bits)?;
        let at = self.at.saturating_add(count.saturating_mul(width(bits))).div_ceil(8);
        Ok(Self::new(self.bytes.get(at..).unwrap_or_default()))
    }

    /// Bytes from here on, which is the start of one.
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at >> 3..).unwrap_or_default()
    }

    /// Values of `count` numbers of `bits` bits each, from the start of a byte on.
    pub(super) fn unpack(
        mut self,
        count: usize,
        bits: u32,
        scale: &Scale,
        values: &mut Values<'_>,
        steps: &mut Steps<'_>,
    ) -> Result<(), DecodeError> {
        self.check(count, bits)?;
        for block in blocks(count) {
            steps.take(block)?;
            match bits {
                8 => values.extend(whole::<1>(self.rest(), block, scale)),
                16 => values.extend(whole::<2>(self.rest(), block, scale)),
                24 => values.extend(whole::<3>(self.rest(), block, scale)),
                32 => values.extend(whole::<4>(self.rest(), block, scale)),
                _ => {
                    let mut bit = self;
                    values.extend((0..block).map(|_| scale.value(bit.take(bits))));
                }
            }
            self.at = self.at.saturating_add(block.saturating_mul(width(bits)));
        }
        Ok(())
    }
}

/// Values of `count` numbers of `N` whole bytes.
fn whole<const N: usize>(
    bytes: &[u8],
    count: usize,
    scale: &Scale,
) -> impl ExactSizeIterator<Item = f64> {
    let (numbers, _) = bytes.as_chunks::<N>();
    numbers.get(..count).unwrap_or(numbers).iter().map(|number| {
        let join = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
        let number = number.iter().fold(0, join);
        // Processors convert several of the numbers that have a sign at once.
        scale.of(if N < 4 { f64::from(number.cast_signed()) } else { f64::from(number) })
    })
}

fn width(bits: u32) -> usize {
    usize::try_from(bits).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use chunkref_core::{Cancellation, DecodeContext};

    use super::super::values::{to_float, written};
    use super::*;

    #[test]
    fn numbers_of_all_widths() {
        let bytes: Vec<u8> = (0..64).map(|n: u8| n.wrapping_mul(151).wrapping_add(77)).collect();
        let whole = |at: usize, bits: usize| {
            (at..at + bits).fold(0_i64, |value, bit| {
                value << 1 | i64::from(bytes[bit / 8] >> (7 - bit % 8) & 1)
            })
        };
        for bits in 0..=57_u32 {
            let width = bits as usize;
            let mut numbers = Bits::new(&bytes);
            for n in 0..8 {
                assert_eq!(numbers.take(bits), whole(n * width, width), "{bits}");
            }
            assert!(numbers.check(1, 513).is_err());
            let never = Cancellation::never();
            let context = DecodeContext::new(64, &never);
            let values = written(8, &context, |values| {
                let scale = Scale::new(0.0, 0, 0);
                Bits::new(&bytes).unpack(8, bits, &scale, values, &mut Steps::new(&never))
            });
            for (n, value) in values.unwrap().chunks(8).enumerate() {
                let number = to_float(whole(n * width, width));
                assert_eq!(value, number.to_le_bytes(), "{bits}");
            }
        }
    }

    #[test]
    fn signs_and_whole_bytes() {
        let mut bits = Bits::new(&[0b1000_0101, 0b0111_1111]);
        assert_eq!((bits.take_signed(8), bits.take_signed(0), bits.take_signed(4)), (-5, 0, 7));
        assert_eq!(bits.behind(1, 3).unwrap().check(1, 1).ok(), None);
        assert_eq!(Bits::new(&[1, 2, 3]).behind(3, 3).unwrap().take(8), 3);
        assert!(Bits::new(&[1]).behind(9, 1).is_err());
    }
}
