// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scale-offset, HDF5's filter 6: values less their minimum, in as many bits as the largest of them needs.
//!
//! A chunk begins with a little-endian `u32` of the bits of a value, a byte with the length of the minimum, and 16 bytes for
//! the minimum.

use chunkref_core::{Cursor, DecodeContext, Steps};

use crate::CodecError;
use crate::bits::BitReader;

/// Bytes before the values.
const HEADER_LENGTH: usize = 21;

/// What a packed number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// An integer.
    Integer,
    /// A float times ten to this power.
    Float(i32),
}

/// What the elements of a chunk are, and how many.
#[derive(Debug)]
pub struct Parameters {
    class: Class,
    count: u32,
    /// Bytes of an element: 1, 2, 4 or 8.
    length: usize,
    big_endian: bool,
    /// The fill value, as the element's bits.
    fill: Option<u64>,
}

impl Parameters {
    /// So many little-endian elements of so many bytes.
    ///
    /// # Errors
    /// [`CodecError`] for lengths that no such number has.
    pub fn new(class: Class, length: u32, count: u32) -> Result<Self, CodecError> {
        let length = match (class, length) {
            (Class::Integer, 1 | 2 | 4 | 8) | (Class::Float(_), 4 | 8) => length,
            (class, length) => {
                let class = if class == Class::Integer { "integers" } else { "floats" };
                let what = format!("scaleoffset of {class} of {length} bytes");
                return Err(CodecError::Unsupported(what));
            }
        };
        let length = usize::try_from(length).unwrap_or(8);
        Ok(Self { class, count, length, big_endian: false, fill: None })
    }

    /// The same, big-endian.
    #[must_use]
    pub fn with_big_endian(self, big_endian: bool) -> Self {
        Self { big_endian, ..self }
    }

    /// The same with a fill value, as the bits of an element.
    #[must_use]
    pub fn with_fill(self, fill: Option<u64>) -> Self {
        Self { fill, ..self }
    }

    fn bits(&self) -> u32 {
        u32::try_from(self.length.saturating_mul(8)).unwrap_or(64)
    }

    /// The element that a packed number stands for, as its bits.
    fn value(&self, packed: u64, minimum: u64) -> u64 {
        match (self.class, self.length) {
            (Class::Integer, _) => packed.wrapping_add(minimum),
            (Class::Float(factor), 4) => {
                let minimum = f32::from_bits(low_u32(minimum));
                let packed = low_u32(packed).cast_signed();
                #[expect(clippy::cast_precision_loss, reason = "libhdf5 rounds so too")]
                let value = packed as f32 / 10_f32.powi(factor) + minimum;
                value.to_bits().into()
            }
            (Class::Float(factor), _) => {
                let minimum = f64::from_bits(minimum);
                #[expect(clippy::cast_precision_loss, reason = "libhdf5 rounds so too")]
                let value = packed.cast_signed() as f64 / 10_f64.powi(factor) + minimum;
                value.to_bits()
            }
        }
    }
}

/// Decodes a chunk.
///
/// # Errors
/// [`CodecError`] for bytes that are damaged, for too many of them, and for work that was ended.
pub fn decode(
    bytes: &[u8],
    parameters: &Parameters,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let total = u64::from(parameters.count).saturating_mul(parameters.length as u64);
    CodecError::check_length(total, context)?;
    let mut cursor = Cursor::new(bytes, 0, "scaleoffset chunk");
    let bits = cursor.u32_le()?;
    let minimum_length = usize::from(cursor.u8()?).min(8);
    let minimum = cursor.uint_le(minimum_length)?;
    let body = bytes.get(HEADER_LENGTH..).ok_or_else(CodecError::ended_early)?;
    if bits > parameters.bits() {
        return Err(CodecError::Damaged(format!("its values have {bits} bits")));
    }
    let whole = bits == parameters.bits();
    // The largest number of that many bits stands for the fill value.
    let fill_mark = 1_u64.checked_shl(bits).map_or(u64::MAX, |bit| bit.wrapping_sub(1));
    let mut reader = BitReader::new(body, context);
    let mut stored = body.chunks_exact(parameters.length);
    let mut output = Vec::new();
    let mut steps = Steps::new(context.cancellation());
    for _ in 0..parameters.count {
        steps.take(1)?;
        let value = if whole {
            uint(stored.next().ok_or_else(CodecError::ended_early)?)
        } else {
            let packed = u64::try_from(reader.read_wide(bits)?).unwrap_or(0);
            match parameters.fill {
                Some(fill) if packed == fill_mark => fill,
                _ => parameters.value(packed, minimum),
            }
        };
        let little = value.to_le_bytes();
        let element = little.get(..parameters.length).unwrap_or_default();
        if parameters.big_endian {
            output.extend(element.iter().rev());
        } else {
            output.extend_from_slice(element);
        }
    }
    Ok(output)
}

/// A little-endian number of up to eight bytes.
fn uint(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn low_u32(value: u64) -> u32 {
    u32::try_from(value & 0xffff_ffff).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_ends, hex};

    fn decode(bytes: &[u8], parameters: &Parameters, most: usize) -> Result<Vec<u8>, CodecError> {
        super::decode(bytes, parameters, &DecodeContext::up_to(most))
    }

    fn twenty(class: Class, length: u32) -> Parameters {
        Parameters::new(class, length, 20).unwrap()
    }

    #[test]
    fn chunks_of_libhdf5() {
        // h5py 3.16 with HDF5 2.0.
        let numbers = || (0..20_i32).map(|n| 1000 - 7 * n);
        let integers = [
            (
                twenty(Class::Integer, 4),
                "080000000863030000000000000000000000000000857e777069625b544d463f38312a231c150e070000",
                numbers().flat_map(i32::to_le_bytes).collect::<Vec<u8>>(),
            ),
            (
                twenty(Class::Integer, 4).with_big_endian(true),
                "080000000863030000000000000000000000000000857e777069625b544d463f38312a231c150e070000",
                numbers().flat_map(i32::to_be_bytes).collect(),
            ),
            // A chunk of which two elements have the fill value 5.
            (
                twenty(Class::Integer, 4).with_fill(Some(5)),
                "070000000863030000000000000000000000000000ffffbf0d38add49b19fb862a919c2a383800",
                numbers()
                    .enumerate()
                    .flat_map(|(i, n)| if i < 2 { 5 } else { n }.to_le_bytes())
                    .collect(),
            ),
        ];
        let floats = [
            (
                twenty(Class::Float(2), 4),
                "080000000852b80a41000000000000000000000000857e777069625b544d463f38312a231c150e070000",
                hex(
                    "0000204148e11e4190c21d41d7a31c411f851b4166661a41ae471941f62818413e0a174185eb1541cdcc144115ae13415c8f1241a4701141ec51104133330f417b140e41c3f50c410ad70b4152b80a41",
                ),
            ),
            (
                twenty(Class::Float(3), 8).with_big_endian(true),
                "08000000085839b4c876beeb3f0000000000000000857e777069625b544d463f38312a231c150e070000",
                hex(
                    "3ff00000000000003fefc6a7ef9db22d3fef8d4fdf3b645a3fef53f7ced916873fef1a9fbe76c8b43feee147ae147ae13feea7ef9db22d0e3fee6e978d4fdf3b3fee353f7ced91683fedfbe76c8b43963fedc28f5c28f5c23fed89374bc6a7f03fed4fdf3b645a1d3fed16872b020c4a3fecdd2f1a9fbe773feca3d70a3d70a43fec6a7ef9db22d13fec3126e978d4fe3febf7ced916872b3febbe76c8b43958",
                ),
            ),
        ];
        for (values, stored, data) in integers.into_iter().chain(floats) {
            let stored = hex(stored);
            assert_eq!(decode(&stored, &values, 160).unwrap(), data, "{values:?}");
            assert!(decode(&stored, &values, data.len() - 1).is_err());
            // libhdf5 adds one byte behind the bits.
            assert!((0..stored.len() - 1).all(|end| decode(&stored[..end], &values, 160).is_err()));
        }
    }

    #[test]
    fn whole_and_constant_chunks() {
        let mut stored = vec![8, 0, 0, 0];
        stored.resize(HEADER_LENGTH, 0);
        stored.extend(0..20);
        let plain = twenty(Class::Integer, 1);
        assert_eq!(decode(&stored, &plain, 20).unwrap(), (0..20).collect::<Vec<u8>>());
        let mut constant = vec![0, 0, 0, 0, 8, 42];
        constant.resize(HEADER_LENGTH, 0);
        assert_eq!(decode(&constant, &plain, 20).unwrap(), [42; 20]);
        constant[0] = 9; // bits of a value
        assert!(decode(&constant, &plain, 20).is_err());
    }

    #[test]
    fn settings_are_checked() {
        for (class, length) in [(Class::Integer, 3), (Class::Integer, 16), (Class::Float(1), 2)] {
            assert!(Parameters::new(class, length, 1).is_err(), "{class:?} {length}");
        }
        let many = Parameters::new(Class::Integer, 8, u32::MAX).unwrap();
        assert!(decode(&[0; 64], &many, 1000).is_err());
    }

    #[test]
    fn long_chunks_end_with_the_work() {
        // Values of no bits: the header alone.
        let count = 1 << 17;
        for class in [Class::Integer, Class::Float(2)] {
            let parameters = Parameters::new(class, 8, count).unwrap();
            assert_ends(1 << 20, |context| super::decode(&[0; 21], &parameters, context));
        }
    }
}
