// SPDX-License-Identifier: MIT OR Apache-2.0
//! Error bounds that are relative to each number: what is predicted is the logarithm of its size, or the size itself as
//! the product and quotient of those before. Signs are kept apart.

use chunkref_core::{DecodeContext, Steps};

use super::exact::Exact;
use super::lorenzo::{Neighbours, walk};
use super::number::Float;
use crate::{CodecError, zstd};

/// What such a stream has more than others.
#[derive(Debug)]
pub(super) struct Relative<'a, T> {
    /// Sizes below this are 0.
    pub(super) threshold: T,
    /// A Zstandard frame of a byte for each number, not 0 for negative ones. It is empty if there are none.
    pub(super) signs: &'a [u8],
}

impl<T: Float> Relative<'_, T> {
    fn signs(
        &self,
        count: usize,
        context: &DecodeContext<'_>,
    ) -> Result<Option<Vec<u8>>, CodecError> {
        if self.signs.is_empty() {
            return Ok(None);
        }
        let signs = zstd::decode(self.signs, &context.with_max_bytes(count))?;
        if signs.len() != count {
            return Err(CodecError::damaged("not every number has a sign"));
        }
        Ok(Some(signs))
    }

    /// Numbers from their logarithms with base 2.
    pub(super) fn numbers_of_logarithms(
        &self,
        mut numbers: Vec<T>,
        context: &DecodeContext<'_>,
    ) -> Result<Vec<T>, CodecError> {
        let mut steps = Steps::new(context.cancellation());
        for number in &mut numbers {
            steps.take(1)?;
            *number = if *number < self.threshold {
                T::default()
            } else {
                T::from_f64(number.to_f64().exp2())
            };
        }
        let signs = self.signs(numbers.len(), context)?.unwrap_or_default();
        for (number, sign) in numbers.iter_mut().zip(signs) {
            steps.take(1)?;
            if sign != 0 {
                *number = T::from_f64(-number.to_f64());
            }
        }
        Ok(numbers)
    }

    /// Numbers from their sizes.
    pub(super) fn numbers_of_sizes(
        &self,
        mut numbers: Vec<T>,
        context: &DecodeContext<'_>,
    ) -> Result<Vec<T>, CodecError> {
        let mut steps = Steps::new(context.cancellation());
        let Some(signs) = self.signs(numbers.len(), context)? else {
            for number in &mut numbers {
                steps.take(1)?;
                if *number < self.threshold {
                    *number = T::default();
                }
            }
            return Ok(numbers);
        };
        for (number, sign) in numbers.iter_mut().zip(signs) {
            steps.take(1)?;
            if *number < self.threshold && *number >= T::default() {
                *number = T::default();
            } else if sign != 0 {
                *number = number.negative();
            }
        }
        Ok(numbers)
    }
}

/// Codes that stand for factors.
#[derive(Debug)]
pub(super) struct Factors {
    /// The code of 1.
    pub(super) radius: i32,
    /// The error bound.
    pub(super) precision: f64,
    /// Factors are as far apart as the bound allows, but for 2 to the power of the negative of this.
    pub(super) plus_bits: u8,
}

impl Factors {
    /// The sizes of a chunk's numbers. Factors are powers, as exact as those of the machine.
    pub(super) fn sizes<T: Float>(
        &self,
        shape: &[usize],
        codes: Vec<i32>,
        mut exact: Exact<'_, T>,
        context: &DecodeContext<'_>,
    ) -> Result<Vec<T>, CodecError> {
        let apart = 2.0 - 2.0_f64.powi(i32::from(self.plus_bits).wrapping_neg());
        let mut codes = codes.into_iter();
        // Along two axes SZ calculates in the type of the numbers, along three in doubles.
        let in_doubles = shape.len() > 2;
        walk(shape, context, |before| {
            let code = codes.next().ok_or_else(CodecError::ended_early)?;
            match prediction(before, in_doubles).filter(|_| code != 0) {
                None => exact.next_distance(),
                Some(prediction) => {
                    let power = apart * f64::from(code.wrapping_sub(self.radius));
                    let factor = (1.0 + self.precision).powf(power);
                    Ok(T::from_f64(prediction.to_f64().abs() * factor))
                }
            }
        })
    }
}

fn prediction<T: Float>(before: Neighbours<T>, in_doubles: bool) -> Option<T> {
    let ratio = |a: T, b: T, c: T| {
        if in_doubles { T::from_f64(a.to_f64() * b.to_f64() / c.to_f64()) } else { a.ratio(b, c) }
    };
    match before {
        Neighbours::None => None,
        Neighbours::One(a) => Some(a),
        Neighbours::Two(a, b) => Some(ratio(a, a, b)),
        Neighbours::Three(a, b, c) => Some(ratio(a, b, c)),
        Neighbours::Seven { sides, edges, corner } => {
            let product = |factors: [T; 3]| {
                factors
                    .iter()
                    .map(|factor| factor.to_f64())
                    .reduce(|product, factor| product * factor)
            };
            let (sides, edges) = (product(sides)?, product(edges)?);
            Some(T::from_f64(sides * corner.to_f64() / edges))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: DecodeContext<'_> = DecodeContext::up_to(0);

    #[test]
    fn signs_and_a_threshold() {
        let signs = zstd::encode(&[0, 1, 1, 1]);
        let relative = |signs| Relative { threshold: 0.5, signs };
        let numbers = vec![0.25, 0.25, 2.0, f64::NAN];
        let sizes = relative(&signs).numbers_of_sizes(numbers.clone(), &NEVER).unwrap();
        assert_eq!(sizes[..3], [0.0, 0.0, -2.0]);
        assert!(sizes[3].is_nan() && sizes[3].is_sign_negative() && sizes[1].is_sign_positive());
        assert_eq!(
            relative(&[]).numbers_of_sizes(numbers[..3].to_vec(), &NEVER).unwrap(),
            [0.0, 0.0, 2.0]
        );
        let exponents = relative(&signs).numbers_of_logarithms(numbers, &NEVER).unwrap();
        assert_eq!(exponents[..3], [0.0, 0.0, -4.0]);
        assert!(exponents[1].is_sign_negative());
        assert!(relative(&signs).numbers_of_sizes(vec![1.0; 5], &NEVER).is_err());
        assert!(relative(&signs).numbers_of_logarithms(vec![1.0; 3], &NEVER).is_err());
    }

    #[test]
    fn sizes_are_products_and_quotients() {
        assert_eq!(prediction(Neighbours::Two(6.0_f32, 3.0), false), Some(12.0));
        assert_eq!(prediction(Neighbours::Three(6.0, 4.0, 3.0), true), Some(8.0));
        let (sides, edges) = ([2.0, 3.0, 5.0], [7.0, 11.0, 13.0]);
        assert_eq!(
            prediction(Neighbours::Seven { sides, edges, corner: 1001.0 }, true),
            Some(30.0)
        );
        // Too much for a float, not for a double.
        let large = Neighbours::Three(1e30_f32, 1e30, 1e30);
        assert_eq!(prediction(large, false), Some(f32::INFINITY));
        assert_eq!(prediction(large, true), Some(1e30));
    }
}
