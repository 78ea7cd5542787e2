// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cutting data that lies in one piece into chunks along its slowest axes, so that a reader of a part need not fetch all
//! of it.

use crate::{FormatOption, OptionError, ScanOptions};

/// The bytes of a piece that an option of a format asks for; `None` when it is not set.
///
/// # Errors
/// [`OptionError::InvalidValue`] for what is no number of bytes, and for none.
pub fn piece_bytes(
    options: &ScanOptions,
    option: &FormatOption,
) -> Result<Option<u64>, OptionError> {
    match option.number(options)? {
        Some(0) => Err(OptionError::InvalidValue {
            name: option.name,
            value: "0".to_owned(),
            expected: "more than 0 bytes".to_owned(),
            similar: None,
        }),
        bytes => Ok(bytes),
    }
}

/// Chunks of about `piece_bytes` that are runs of elements: 1 along the slowest axes, then a divisor of one axis, and all
/// of the faster ones. A last chunk that is shorter than the rest would reach past the data, so all are of one length.
///
/// `shape` is in elements of `element` bytes; the chunk shape has as many axes.
#[must_use]
pub fn chunk_shape(shape: &[u64], element: u64, piece_bytes: u64) -> Vec<u64> {
    let mut chunk = vec![1; shape.len()];
    let mut inner = element;
    for (&length, slot) in shape.iter().zip(chunk.iter_mut()).rev() {
        let fits = piece_bytes.checked_div(inner).unwrap_or(1).max(1);
        *slot = if fits >= length { length } else { divisor_near(length, fits) };
        if *slot < length {
            break;
        }
        inner = inner.saturating_mul(length);
    }
    chunk
}

/// The largest divisor of `length` up to `wanted`; where that is less than an eighth, the smallest one above it.
fn divisor_near(length: u64, wanted: u64) -> u64 {
    let divides = |candidate: u64| length.checked_rem(candidate) == Some(0);
    let (mut below, mut above, mut candidate) = (1, length, 1_u64);
    while candidate.checked_mul(candidate).is_some_and(|square| square <= length) {
        if divides(candidate) {
            for divisor in [candidate, length.checked_div(candidate).unwrap_or(length)] {
                if divisor <= wanted {
                    below = below.max(divisor);
                } else {
                    above = above.min(divisor);
                }
            }
        }
        candidate = candidate.saturating_add(1);
        // A trial of every candidate of a huge length would take for ever.
        if candidate > 1 << 20 {
            break;
        }
    }
    if below.saturating_mul(8) < wanted { above } else { below }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_runs_of_one_length() {
        assert_eq!(chunk_shape(&[100, 50, 10], 4, 4000), [2, 50, 10]);
        assert_eq!(chunk_shape(&[100, 50, 10], 4, 400), [1, 10, 10]);
        assert_eq!(chunk_shape(&[100, 50, 10], 4, 8001), [4, 50, 10]);
        assert_eq!(chunk_shape(&[100, 50, 10], 4, 20), [1, 1, 5]);
        assert_eq!(chunk_shape(&[7], 8, 1000), [7]);
    }

    #[test]
    fn a_prime_length_is_not_cut_into_single_rows() {
        assert_eq!(divisor_near(101, 50), 101);
        assert_eq!(divisor_near(101, 5), 1);
        assert_eq!(divisor_near(96, 40), 32);
    }
}
