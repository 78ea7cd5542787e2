// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers as SZ3 calculates with them: floats in their own type, integers in C's. Floats become integers by way of wider
//! ones, as compilers for x86-64 have it, since predictions of unsigned numbers fall below zero.

use crate::CodecError;

/// An element of a chunk.
pub(super) trait Number: Copy + Default {
    /// From little-endian bytes, as many as the type has.
    fn read(bytes: &[u8]) -> Result<Self, CodecError>;
    /// Appends little-endian bytes.
    fn write(self, output: &mut Vec<u8>);
    /// The sum of `terms` with their weights, from the first to the last, through `divisor`.
    fn weighted<const N: usize>(terms: [(i8, Self); N], divisor: i8) -> Self;
    /// `terms` as they come, as [`Number::weighted`].
    fn sum(terms: impl Iterator<Item = (i8, Self)>) -> Self;
    /// The end of a line from a number three steps and one step before.
    fn beyond(before: Self, last: Self) -> Self;
    /// This prediction, and so many times the error bound.
    fn corrected(self, steps: i32, bound: f64) -> Self;
}

macro_rules! float {
    ($type:ty) => {
        impl Number for $type {
            fn read(bytes: &[u8]) -> Result<Self, CodecError> {
                bytes.try_into().map(Self::from_le_bytes).map_err(|_| CodecError::ended_early())
            }

            fn write(self, output: &mut Vec<u8>) {
                output.extend(self.to_le_bytes());
            }

            fn weighted<const N: usize>(terms: [(i8, Self); N], divisor: i8) -> Self {
                Self::sum(terms.into_iter()) / Self::from(divisor)
            }

            fn sum(terms: impl Iterator<Item = (i8, Self)>) -> Self {
                terms
                    .map(|(weight, number)| Self::from(weight) * number)
                    .reduce(|sum, term| sum + term)
                    .unwrap_or_default()
            }

            #[allow(
                clippy::cast_lossless,
                clippy::cast_possible_truncation,
                clippy::allow_attributes,
                trivial_numeric_casts,
                reason = "SZ3 calculates in f64, which one of the types is, and rounds"
            )]
            fn beyond(before: Self, last: Self) -> Self {
                (-0.5 * before as f64 + 1.5 * last as f64) as Self
            }

            #[allow(
                clippy::cast_lossless,
                clippy::cast_possible_truncation,
                clippy::allow_attributes,
                trivial_numeric_casts,
                reason = "SZ3 calculates in f64, which one of the types is, and rounds"
            )]
            fn corrected(self, steps: i32, bound: f64) -> Self {
                (self as f64 + f64::from(steps) * bound) as Self
            }
        }
    };
}

macro_rules! integer {
    ($type:ty, $wide:ty, $cut:ty) => {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            clippy::cast_lossless,
            clippy::allow_attributes,
            trivial_numeric_casts,
            reason = "the conversions of C, some of which change nothing"
        )]
        impl Number for $type {
            fn read(bytes: &[u8]) -> Result<Self, CodecError> {
                bytes.try_into().map(Self::from_le_bytes).map_err(|_| CodecError::ended_early())
            }

            fn write(self, output: &mut Vec<u8>) {
                output.extend(self.to_le_bytes());
            }

            fn weighted<const N: usize>(terms: [(i8, Self); N], divisor: i8) -> Self {
                let sum = terms.into_iter().fold(0 as $wide, |sum, (weight, number)| {
                    sum.wrapping_add((weight as $wide).wrapping_mul(number as $wide))
                });
                sum.wrapping_div(divisor as $wide) as Self
            }

            fn sum(terms: impl Iterator<Item = (i8, Self)>) -> Self {
                terms.fold(0 as $wide, |sum, (weight, number)| {
                    sum.wrapping_add((weight as $wide).wrapping_mul(number as $wide))
                }) as Self
            }

            fn beyond(before: Self, last: Self) -> Self {
                (-0.5 * before as f64 + 1.5 * last as f64) as $cut as Self
            }

            fn corrected(self, steps: i32, bound: f64) -> Self {
                (self as f64 + f64::from(steps) * bound) as $cut as Self
            }
        }
    };
}

float!(f32);
float!(f64);
integer!(u8, i32, i32);
integer!(i8, i32, i32);
integer!(u16, i32, i32);
integer!(i16, i32, i32);
integer!(u32, u32, i64);
integer!(i32, i32, i32);
integer!(u64, u64, i128);
integer!(i64, i64, i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_cut_as_c_cuts_them() {
        assert_eq!(i16::weighted([(1, -3), (1, 0)], 2), -1);
        assert_eq!(u8::weighted([(-1, 200), (9, 10), (9, 10), (-1, 0)], 16), 255);
        assert_eq!(u32::weighted([(-1, 1), (0, 0)], 2), u32::MAX / 2);
        assert_eq!(i32::beyond(3, 2), 1);
        assert_eq!((-3_i32).corrected(1, 0.75), -2);
        assert_eq!(u16::beyond(9, 2), u16::MAX);
        assert_eq!(u32::MAX.corrected(2, 4.0), 7);
        assert_eq!(0_u64.corrected(-2, 4.0), u64::MAX - 7);
    }

    #[test]
    fn floats_round_once_a_step() {
        assert_eq!(f32::weighted([(1, 1.0), (1, 2.0)], 2).to_bits(), 1.5_f32.to_bits());
        // 0.1 as f32 is a little more than 0.1, and so is the sum.
        assert_eq!(0.1_f32.corrected(3, 0.1).to_bits(), 0.4_f32.to_bits());
        assert!(f32::read(&[0; 3]).is_err());
    }
}
