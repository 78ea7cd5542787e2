// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers as SZ calculates with them: floats in their own type, short integers in long ones, others in their own and
//! modulo its range. Floats become integers as x86-64 has it.

use super::lorenzo::Neighbours;
use crate::CodecError;

/// An element of a chunk.
pub(super) trait Number: Copy + Default {
    /// What predictions are calculated in.
    type Wide: Copy;
    /// What corrections of predictions are calculated in.
    type Precision: Copy;

    /// From as many bytes as the type has.
    fn read(bytes: &[u8], big_endian: bool) -> Result<Self, CodecError>;
    /// Appends little-endian bytes.
    fn write(self, output: &mut Vec<u8>);
    /// The prediction from the numbers before, if there are any.
    fn predict(before: Neighbours<Self>) -> Option<Self::Wide>;
    /// A prediction corrected by `code`, of which `radius` is for a right one; two steps are `precision` apart.
    fn correct(prediction: Self::Wide, code: i32, radius: i32, precision: Self::Precision) -> Self;
}

/// A float, with what only they need.
pub(super) trait Float: Number<Wide = Self, Precision = Self> + PartialOrd {
    /// Bytes of the compressor's parameters.
    const PARAMETERS: usize;

    fn from_f64(number: f64) -> Self;
    fn to_f64(self) -> f64;
    /// This number and `other`.
    fn plus(self, other: Self) -> Self;
    /// A number that is predicted at `place` of a block: a slope along each axis, and the number at the start.
    fn regression(coefficients: &[Self], place: &[usize]) -> Self;
    /// `self` times `factor` through `divisor`, each step rounded.
    fn ratio(self, factor: Self, divisor: Self) -> Self;
    /// This number with the sign of a negative one.
    fn negative(self) -> Self;
}

macro_rules! float {
    ($type:ty, $parameters:literal) => {
        impl Number for $type {
            type Wide = Self;
            type Precision = Self;

            fn read(bytes: &[u8], big_endian: bool) -> Result<Self, CodecError> {
                let bytes = bytes.try_into().map_err(|_| CodecError::ended_early())?;
                Ok(if big_endian { Self::from_be_bytes(bytes) } else { Self::from_le_bytes(bytes) })
            }

            fn write(self, output: &mut Vec<u8>) {
                output.extend(self.to_le_bytes());
            }

            fn predict(before: Neighbours<Self>) -> Option<Self> {
                match before {
                    Neighbours::None => None,
                    Neighbours::One(a) => Some(a),
                    Neighbours::Two(a, b) => Some(2.0 * a - b),
                    Neighbours::Three(a, b, c) => Some(a + b - c),
                    Neighbours::Seven { sides: [a, b, c], edges, corner } => {
                        Some(edges.iter().fold(a + b + c, |sum, edge| sum - edge) + corner)
                    }
                }
            }

            #[allow(
                clippy::cast_lossless,
                clippy::cast_precision_loss,
                clippy::allow_attributes,
                reason = "the conversion of C, which rounds for one of the types"
            )]
            fn correct(prediction: Self, code: i32, radius: i32, precision: Self) -> Self {
                prediction + code.wrapping_sub(radius).wrapping_mul(2) as Self * precision
            }
        }

        #[allow(
            clippy::cast_lossless,
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::allow_attributes,
            trivial_numeric_casts,
            reason = "the conversions of C, which round for one of the types"
        )]
        impl Float for $type {
            const PARAMETERS: usize = $parameters;

            fn from_f64(number: f64) -> Self {
                number as Self
            }

            fn to_f64(self) -> f64 {
                self as f64
            }

            fn plus(self, other: Self) -> Self {
                self + other
            }

            fn regression(coefficients: &[Self], place: &[usize]) -> Self {
                let slopes = coefficients.iter().zip(place);
                let terms = slopes.map(|(slope, &steps)| slope * steps as Self);
                let sum = terms.reduce(|sum, term| sum + term).unwrap_or_default();
                sum + coefficients.last().copied().unwrap_or_default()
            }

            fn ratio(self, factor: Self, divisor: Self) -> Self {
                self * factor / divisor
            }

            fn negative(self) -> Self {
                self.copysign(-1.0)
            }
        }
    };
}

macro_rules! integer {
    ($type:ty, $wide:ty, $cut:expr) => {
        impl Number for $type {
            type Wide = $wide;
            type Precision = f64;

            fn read(bytes: &[u8], big_endian: bool) -> Result<Self, CodecError> {
                let bytes = bytes.try_into().map_err(|_| CodecError::ended_early())?;
                Ok(if big_endian { Self::from_be_bytes(bytes) } else { Self::from_le_bytes(bytes) })
            }

            fn write(self, output: &mut Vec<u8>) {
                output.extend(self.to_le_bytes());
            }

            fn predict(before: Neighbours<Self>) -> Option<$wide> {
                let sum = |plus: &[Self], minus: &[Self]| {
                    let sum =
                        plus.iter().fold(0 as $wide, |sum, &term| sum.wrapping_add(term.into()));
                    minus.iter().fold(sum, |sum, &term| sum.wrapping_sub(term.into()))
                };
                match before {
                    Neighbours::None => None,
                    Neighbours::One(a) => Some(a.into()),
                    Neighbours::Two(a, b) => Some(sum(&[a, a], &[b])),
                    Neighbours::Three(a, b, c) => Some(sum(&[a, b], &[c])),
                    Neighbours::Seven { sides: [a, b, c], edges, corner } => {
                        Some(sum(&[a, b, c, corner], &edges))
                    }
                }
            }

            #[allow(
                clippy::cast_lossless,
                clippy::cast_precision_loss,
                clippy::allow_attributes,
                reason = "the conversion of C, which rounds for some of the types"
            )]
            fn correct(prediction: $wide, code: i32, radius: i32, precision: f64) -> Self {
                let steps = f64::from(code.wrapping_sub(radius).wrapping_mul(2));
                $cut(prediction as f64 + steps * precision)
            }
        }
    };
}

float!(f32, 28);
float!(f64, 36);
integer!(u8, i64, |number| clamp(number, u8::MIN, u8::MAX));
integer!(i8, i64, |number| clamp(number, i8::MIN, i8::MAX));
integer!(u16, i64, |number| clamp(number, u16::MIN, u16::MAX));
integer!(i16, i64, |number| clamp(number, i16::MIN, i16::MAX));
integer!(u32, u32, to_u32);
integer!(i32, i32, to_i32);
integer!(u64, u64, to_u64);
integer!(i64, i64, to_i64);

/// 2 to the power of 63.
const SIGN_BIT: f64 = 9_223_372_036_854_775_808.0;

/// The nearest number of a short type.
fn clamp<T: TryFrom<i64> + Into<i64> + Copy>(number: f64, least: T, greatest: T) -> T {
    let number = to_i64(number);
    T::try_from(number).unwrap_or(if number < least.into() { least } else { greatest })
}

#[expect(clippy::cast_possible_truncation, reason = "checked before")]
fn to_i64(number: f64) -> i64 {
    if (-SIGN_BIT..SIGN_BIT).contains(&number) { number as i64 } else { i64::MIN }
}

fn to_u64(number: f64) -> u64 {
    if number >= SIGN_BIT {
        to_i64(number - SIGN_BIT).cast_unsigned() ^ 1 << 63
    } else {
        to_i64(number).cast_unsigned()
    }
}

fn to_i32(number: f64) -> i32 {
    i32::try_from(to_i64(number)).unwrap_or(i32::MIN)
}

#[expect(clippy::cast_possible_truncation, reason = "as x86-64 has it")]
fn to_u32(number: f64) -> u32 {
    to_i64(number).cast_unsigned() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_become_integers_as_on_x86_64() {
        assert_eq!((to_i64(-2.9), to_i64(1e30), to_i64(f64::NAN)), (-2, i64::MIN, i64::MIN));
        assert_eq!((to_u64(-2.9), to_u64(2.0 * SIGN_BIT), to_u64(1e30)), (u64::MAX - 1, 0, 0));
        assert_eq!(to_u64(SIGN_BIT + 4096.0), (1 << 63) + 4096);
        assert_eq!((to_i32(-3e9), to_i32(3e9), to_i32(-7.5)), (i32::MIN, i32::MIN, -7));
        assert_eq!(
            (to_u32(-1.0), to_u32(3e9), to_u32(5e9)),
            (u32::MAX, 3_000_000_000, 705_032_704)
        );
        assert_eq!(i8::correct(120, 9, 4, 1.5), 127);
        assert_eq!(i16::correct(-32_760, 1, 9, 1.0), i16::MIN);
        assert_eq!(u8::correct(5, 0, 4, 1.0), 0);
    }

    #[test]
    fn predictions_stay_in_their_type() {
        assert_eq!(u8::predict(Neighbours::Two(10, 200)), Some(-180));
        assert_eq!(u32::predict(Neighbours::Two(1, 3)), Some(u32::MAX));
        assert_eq!(i32::predict(Neighbours::Three(i32::MAX, 1, 0)), Some(i32::MIN));
        assert_eq!(
            i64::predict(Neighbours::Seven { sides: [1, 2, 4], edges: [8, 16, 32], corner: 64 }),
            Some(15)
        );
        assert_eq!(
            f64::predict(Neighbours::Seven {
                sides: [1.0, 2.0, 4.0],
                edges: [8.0, 16.0, 32.0],
                corner: 64.0
            }),
            Some(15.0)
        );
        assert_eq!(i64::predict(Neighbours::None), None);
    }

    #[test]
    fn floats_round_once_a_step() {
        // 0.1 as f32 is a little more than 0.1, and so is the sum.
        assert_eq!(f32::correct(0.1, 5, 2, 0.05).to_bits(), 0.4_f32.to_bits());
        assert_eq!(f64::regression(&[2.0, 3.0, 10.0], &[4, 5]).to_bits(), 33.0_f64.to_bits());
        assert!(f32::read(&[0; 3], true).is_err());
    }
}
