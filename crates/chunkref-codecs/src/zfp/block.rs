// SPDX-License-Identifier: MIT OR Apache-2.0
//! One block of ZFP: bit planes to coefficients, and coefficients to numbers.

use super::header::{Header, Limits};
use super::order::order;
use super::stream::Bits;
use crate::CodecError;

/// The numbers of a block of four axes.
const LARGEST: usize = 256;

/// Integers that blocks are coded as: as wide as the elements.
pub(super) trait Word: Copy + Default {
    /// Bits of an element.
    const BITS: u32;
    /// Bits of a float's exponent.
    const EXPONENT_BITS: u32;
    /// Bits for the count of bit planes of a block without loss.
    const PLANES_BITS: u32;

    /// From a number to the base -2.
    fn from_negabinary(bits: u64) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn half(self) -> Self;
    /// The bits of the float that this is, times 2 to the `exponent`.
    fn scaled(self, exponent: i32) -> Self;
    /// The bits of the float whose order among floats this is.
    fn unfolded(self) -> Self;
    /// Stores the bytes.
    fn write(self, big_endian: bool, target: &mut [u8]);
}

/// Two to a power, or zero below all floats.
fn power_of_two(exponent: i32) -> f64 {
    let bits = match exponent {
        -1022..=1023 => u64::from(exponent.saturating_add(1023).unsigned_abs()) << 52,
        -1074..-1022 => {
            1_u64.checked_shl(exponent.saturating_add(1074).unsigned_abs()).unwrap_or(0)
        }
        ..-1074 => 0,
        _ => return f64::INFINITY,
    };
    f64::from_bits(bits)
}

impl Word for i32 {
    const BITS: u32 = 32;
    const EXPONENT_BITS: u32 = 8;
    const PLANES_BITS: u32 = 5;

    fn from_negabinary(bits: u64) -> Self {
        let mask = 0xaaaa_aaaa;
        (u32::try_from(bits).unwrap_or(0) ^ mask).wrapping_sub(mask).cast_signed()
    }

    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn half(self) -> Self {
        self >> 1
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "ZFP calculates in the elements' own type"
    )]
    fn scaled(self, exponent: i32) -> Self {
        (power_of_two(exponent) as f32 * self as f32).to_bits().cast_signed()
    }

    fn unfolded(self) -> Self {
        if self < 0 { self ^ Self::MAX } else { self }
    }

    fn write(self, big_endian: bool, target: &mut [u8]) {
        let bytes = if big_endian { self.to_be_bytes() } else { self.to_le_bytes() };
        target.iter_mut().zip(bytes).for_each(|(target, byte)| *target = byte);
    }
}

impl Word for i64 {
    const BITS: u32 = 64;
    const EXPONENT_BITS: u32 = 11;
    const PLANES_BITS: u32 = 6;

    fn from_negabinary(bits: u64) -> Self {
        let mask = 0xaaaa_aaaa_aaaa_aaaa;
        (bits ^ mask).wrapping_sub(mask).cast_signed()
    }

    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn half(self) -> Self {
        self >> 1
    }

    #[expect(clippy::cast_precision_loss, reason = "ZFP calculates in the elements' own type")]
    fn scaled(self, exponent: i32) -> Self {
        (power_of_two(exponent) * self as f64).to_bits().cast_signed()
    }

    fn unfolded(self) -> Self {
        if self < 0 { self ^ Self::MAX } else { self }
    }

    fn write(self, big_endian: bool, target: &mut [u8]) {
        let bytes = if big_endian { self.to_be_bytes() } else { self.to_le_bytes() };
        target.iter_mut().zip(bytes).for_each(|(target, byte)| *target = byte);
    }
}

/// Decodes blocks one after the other.
pub(super) struct Block<W> {
    limits: Limits,
    is_float: bool,
    rank: u32,
    order: &'static [u8],
    planes: [u64; LARGEST],
    words: [W; LARGEST],
}

impl<W: Word> Block<W> {
    pub(super) fn new(header: &Header) -> Self {
        Self {
            limits: header.limits,
            is_float: header.is_float(),
            rank: u32::try_from(header.rank()).unwrap_or(4),
            order: order(header.rank()),
            planes: [0; LARGEST],
            words: [W::default(); LARGEST],
        }
    }

    /// The numbers of the block decoded last, the fastest axis first.
    pub(super) fn words(&self) -> &[W] {
        self.words.get(..self.order.len()).unwrap_or_default()
    }

    fn words_mut(&mut self) -> &mut [W] {
        self.words.get_mut(..self.order.len()).unwrap_or_default()
    }

    /// The next block.
    pub(super) fn decode(&mut self, bits: &mut Bits<'_>) -> Result<(), CodecError> {
        if !self.is_float {
            return self.integers(bits, 0, self.limits.planes);
        }
        if !bits.bit()? {
            self.words_mut().fill(W::default());
            return bits.skip(self.limits.least_bits.saturating_sub(1));
        }
        if self.limits.is_reversible() && bits.bit()? {
            self.integers(bits, 2, 0)?;
            self.words_mut().iter_mut().for_each(|word| *word = word.unfolded());
            return Ok(());
        }
        let middle =
            1_i32.checked_shl(W::EXPONENT_BITS.saturating_sub(1)).unwrap_or(0).wrapping_sub(1);
        let raw = i32::try_from(bits.read(W::EXPONENT_BITS)?).unwrap_or(0);
        let exponent = raw.saturating_sub(middle);
        let (flags, planes) = if self.limits.is_reversible() {
            (2, 0)
        } else {
            let room = self.rank.saturating_mul(2).saturating_add(2).cast_signed();
            let planes = exponent.saturating_sub(self.limits.lowest_exponent).saturating_add(room);
            (1, self.limits.planes.min(u32::try_from(planes).unwrap_or(0)))
        };
        self.integers(bits, W::EXPONENT_BITS.saturating_add(flags), planes)?;
        if self.limits.is_reversible() && raw == 0 {
            self.words_mut().fill(W::default());
            return Ok(());
        }
        let exponent = exponent.saturating_sub(W::BITS.saturating_sub(2).cast_signed());
        self.words_mut().iter_mut().for_each(|word| *word = word.scaled(exponent));
        Ok(())
    }

    /// The integers of a block of `count` planes, of which `before` bits have been read; without loss, the count of planes comes first.
    fn integers(&mut self, bits: &mut Bits<'_>, before: u32, count: u32) -> Result<(), CodecError> {
        let reversible = self.limits.is_reversible();
        let (mut taken, mut count) = (before, count);
        if reversible {
            taken = taken.saturating_add(W::PLANES_BITS);
            count = u32::try_from(bits.read(W::PLANES_BITS)?).unwrap_or(0).saturating_add(1);
        }
        let budget = self.limits.most_bits.checked_sub(taken).ok_or_else(|| {
            CodecError::Damaged(format!("its blocks have {} bits at most", self.limits.most_bits))
        })?;
        let coefficients = self.planes.get_mut(..self.order.len()).unwrap_or_default();
        let left = read_planes(bits, W::BITS, count, budget, coefficients)?;
        let taken = self.limits.most_bits.saturating_sub(left);
        bits.skip(self.limits.least_bits.saturating_sub(taken))?;
        for (&place, &coefficient) in self.order.iter().zip(coefficients.iter()) {
            if let Some(word) = self.words.get_mut(usize::from(place)) {
                *word = W::from_negabinary(coefficient);
            }
        }
        self.transform(if reversible { unpredict } else { unlift });
        Ok(())
    }

    /// Applies `line` to all lines of four numbers, along the slowest axis first.
    fn transform(&mut self, line: fn([W; 4]) -> [W; 4]) {
        let length = self.order.len();
        for axis in (0..self.rank).rev() {
            let stride = 1_usize.checked_shl(axis.saturating_mul(2)).unwrap_or(1);
            let starts = (0..length).filter(|start| start & stride.saturating_mul(3) == 0);
            for start in starts {
                let places = [0, 1, 2, 3]
                    .map(|step: usize| start.saturating_add(stride.saturating_mul(step)));
                let before = places.map(|place| self.words.get(place).copied().unwrap_or_default());
                for (place, word) in places.into_iter().zip(line(before)) {
                    if let Some(target) = self.words.get_mut(place) {
                        *target = word;
                    }
                }
            }
        }
    }
}

/// Reads bit planes from the highest of `width` down, `count` of them and no more than `budget` bits; what is left of
/// that. A plane has the bits of all coefficients that have one in a higher plane, and then, one by one, how many
/// zeros there are before the next one.
fn read_planes(
    bits: &mut Bits<'_>,
    width: u32,
    count: u32,
    budget: u32,
    coefficients: &mut [u64],
) -> Result<u32, CodecError> {
    coefficients.fill(0);
    let (mut left, mut known) = (budget, 0_usize);
    let last = coefficients.len().saturating_sub(1);
    for plane in (width.saturating_sub(count)..width).rev() {
        if left == 0 {
            break;
        }
        let one = 1_u64.checked_shl(plane).unwrap_or(0);
        let first = known.min(usize::try_from(left).unwrap_or(usize::MAX));
        left = left.saturating_sub(u32::try_from(first).unwrap_or(u32::MAX));
        for some in coefficients.get_mut(..first).unwrap_or_default().chunks_mut(32) {
            let mut word = bits.read(u32::try_from(some.len()).unwrap_or(0))?;
            for coefficient in some {
                *coefficient |= if word & 1 == 1 { one } else { 0 };
                word >>= 1;
            }
        }
        while left > 0 && known <= last {
            left = left.saturating_sub(1);
            if !bits.bit()? {
                break;
            }
            while left > 0 && known < last {
                left = left.saturating_sub(1);
                if bits.bit()? {
                    break;
                }
                known = known.saturating_add(1);
            }
            if let Some(coefficient) = coefficients.get_mut(known) {
                *coefficient |= one;
            }
            known = known.saturating_add(1);
        }
    }
    Ok(left)
}

/// Undoes the lifted transform of a line.
fn unlift<W: Word>([x, y, z, w]: [W; 4]) -> [W; 4] {
    let y = y.plus(w.half());
    let w = w.minus(y.half());
    let y = y.plus(w);
    let w = w.minus(y.minus(w));
    let z = z.plus(x);
    let x = x.minus(z.minus(x));
    let y = y.plus(z);
    let z = z.minus(y.minus(z));
    let w = w.plus(x);
    let x = x.minus(w.minus(x));
    [x, y, z, w]
}

/// Undoes the prediction of a line from the numbers before, as it is coded without loss.
fn unpredict<W: Word>([x, y, z, w]: [W; 4]) -> [W; 4] {
    let w = w.plus(z);
    let z = z.plus(y);
    let w = w.plus(z);
    let y = y.plus(x);
    let z = z.plus(y);
    let w = w.plus(z);
    [x, y, z, w]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_reach_down_to_zero() {
        let bits = |exponent| power_of_two(exponent).to_bits();
        assert_eq!((bits(3), bits(-1022)), (8_f64.to_bits(), f64::MIN_POSITIVE.to_bits()));
        assert_eq!((bits(-1074), bits(-1075)), (1, 0));
        assert_eq!(bits(1024), f64::INFINITY.to_bits());
    }

    #[test]
    fn a_constant_line_is_its_first_coefficient() {
        assert_eq!(unlift([8, 0, 0, 0]), [8, 8, 8, 8]);
        assert_eq!(unpredict([8_i64, 0, 0, 0]), [8, 8, 8, 8]);
        assert_eq!(unpredict([1, 1, 0, 0]), [1, 2, 3, 4]);
    }

    #[test]
    fn planes_stop_at_the_budget() {
        // One coefficient, in the highest plane.
        let mut coefficients = [0; 4];
        let left = read_planes(&mut Bits::new(&[0b11]), 32, 1, 9, &mut coefficients).unwrap();
        assert_eq!((left, coefficients), (6, [1 << 31, 0, 0, 0]));
        let left = read_planes(&mut Bits::new(&[0xff]), 32, 32, 3, &mut coefficients).unwrap();
        assert_eq!((left, coefficients), (0, [1 << 31, 1 << 31, 0, 0]));
        assert!(read_planes(&mut Bits::new(&[0xff]), 32, 32, 99, &mut coefficients).is_err());
    }
}
