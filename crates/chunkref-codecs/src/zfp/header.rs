// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header of a ZFP stream: `zfp` and the version of the coder, 52 bits of type and axes, 12 or 64 bits of limits.

use super::stream::Bits;
use crate::CodecError;

/// The version of the coder since ZFP 0.5.
const CODER: u8 = 5;
/// The lowest exponent of a bit plane; one less stands for coding without loss.
const LOWEST_EXPONENT: i32 = -1074;
/// The most bits of a block.
const MOST_BITS: u32 = 16658;
/// The most bit planes.
const MOST_PLANES: u32 = 64;
/// From this mode on, the limits take 64 bits.
const LONG_MODE: u64 = 4095;

/// What the numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Int32,
    Int64,
    Float32,
    Float64,
}

/// How blocks are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Bits that a block takes at least.
    pub(super) least_bits: u32,
    /// Bits that a block takes at most.
    pub(super) most_bits: u32,
    /// Bit planes that a block has at most.
    pub(super) planes: u32,
    /// The exponent of the lowest bit plane of floats.
    pub(super) lowest_exponent: i32,
}

impl Limits {
    /// Whether blocks are coded without loss.
    pub(super) fn is_reversible(&self) -> bool {
        self.lowest_exponent < LOWEST_EXPONENT
    }

    fn new(mode: u64) -> Result<Self, CodecError> {
        let number = |shift: u32, mask: u64| {
            u32::try_from(mode.checked_shr(shift).unwrap_or(0) & mask).unwrap_or(0)
        };
        let free = Self {
            least_bits: 1,
            most_bits: MOST_BITS,
            planes: MOST_PLANES,
            lowest_exponent: LOWEST_EXPONENT,
        };
        let low = number(0, 0xfff);
        let limits = match low {
            _ if mode >= LONG_MODE => Self {
                least_bits: number(12, 0x7fff).saturating_add(1),
                most_bits: number(27, 0x7fff).saturating_add(1),
                planes: number(42, 0x7f).saturating_add(1),
                lowest_exponent: number(49, 0x7fff).cast_signed().saturating_sub(16495),
            },
            0..2048 => {
                let bits = low.saturating_add(1);
                Self { least_bits: bits, most_bits: bits, ..free }
            }
            2048..2176 => Self { planes: low.saturating_sub(2047), ..free },
            2176 => Self { lowest_exponent: LOWEST_EXPONENT.saturating_sub(1), ..free },
            _ => Self {
                lowest_exponent: low
                    .cast_signed()
                    .saturating_add(LOWEST_EXPONENT)
                    .saturating_sub(2177),
                ..free
            },
        };
        if limits.least_bits > limits.most_bits || limits.planes > MOST_PLANES {
            return Err(CodecError::Unsupported(format!("limits {limits:?} of its header")));
        }
        Ok(limits)
    }
}

/// What the header of a stream says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) scalar: Scalar,
    pub(super) limits: Limits,
    /// Whether elements are big-endian.
    pub(super) big_endian: bool,
    /// Lengths of the axes, the fastest first.
    shape: Vec<usize>,
}

impl Header {
    /// From the client data of HDF5's filter.
    pub(super) fn new(values: &[u32]) -> Result<Self, CodecError> {
        let Some((_versions, words)) = values.split_first() else {
            return Err(CodecError::unsupported("zfp without its parameters"));
        };
        let magic = [b'z', b'f', b'p', CODER];
        let big_endian = match words.first() {
            Some(word) if word.to_le_bytes() == magic => false,
            Some(word) if word.to_be_bytes() == magic => true,
            _ => {
                return Err(CodecError::Unsupported(format!(
                    "a header other than of coder {CODER}"
                )));
            }
        };
        let bytes: Vec<u8> = words
            .iter()
            .flat_map(|word| if big_endian { word.to_be_bytes() } else { word.to_le_bytes() })
            .collect();
        let mut bits = Bits::new(&bytes);
        bits.skip(32)?;
        let scalar = match bits.read(2)? {
            0 => Scalar::Int32,
            1 => Scalar::Int64,
            2 => Scalar::Float32,
            _ => Scalar::Float64,
        };
        let rank = usize::try_from(bits.read(2)?).unwrap_or(0).saturating_add(1);
        let width = match rank {
            1 => 48,
            2 => 24,
            3 => 16,
            _ => 12,
        };
        let mut shape = Vec::new();
        for _ in 0..rank {
            let length = bits.read(width)?.saturating_add(1);
            shape.push(usize::try_from(length).unwrap_or(usize::MAX));
        }
        let mut mode = bits.read(12)?;
        if mode >= LONG_MODE {
            mode |= bits.read(52)? << 12;
        }
        Ok(Self { scalar, limits: Limits::new(mode)?, big_endian, shape })
    }

    /// Count of axes.
    pub(super) fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Whether the elements are floating-point numbers.
    pub(super) fn is_float(&self) -> bool {
        matches!(self.scalar, Scalar::Float32 | Scalar::Float64)
    }

    /// Lengths of four axes, the fastest first; those that are not there have length 1.
    pub(super) fn axes(&self) -> [usize; 4] {
        let mut axes = [1; 4];
        axes.iter_mut().zip(&self.shape).for_each(|(axis, length)| *axis = *length);
        axes
    }

    /// Bytes of all elements.
    pub(super) fn bytes(&self) -> u64 {
        let element = match self.scalar {
            Scalar::Int32 | Scalar::Float32 => 4,
            Scalar::Int64 | Scalar::Float64 => 8,
        };
        self.shape.iter().fold(element, |bytes, &length| bytes.saturating_mul(length as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_byte_orders_and_every_mode() {
        // 256 big-endian doubles of accuracy 0 as H5Z-ZFP 0.2 has them.
        let header = Header::new(&[5_242_912, 2_053_533_701, 4_077_846_528, 61_571]).unwrap();
        assert!(header.big_endian && header.is_float() && !header.limits.is_reversible());
        assert_eq!((header.axes(), header.bytes()), ([256, 1, 1, 1], 2048));
        let limits = |mode| Limits::new(mode).unwrap();
        assert_eq!((limits(99).least_bits, limits(99).most_bits), (100, 100));
        assert_eq!((limits(2059).planes, limits(2059).least_bits), (12, 1));
        assert!(limits(2176).is_reversible());
        assert_eq!(limits(2177 + 1074).lowest_exponent, 0);
        let long = 4095 | 4 << 12 | 99 << 27 | 20 << 42 | 16485 << 49;
        assert_eq!(
            limits(long),
            Limits { least_bits: 5, most_bits: 100, planes: 21, lowest_exponent: -10 }
        );
        assert!(Limits::new(4095 | 99 << 12 | 4 << 27).is_err());
        assert!(Limits::new(4095 | 4 << 12 | 99 << 27 | 70 << 42).is_err());
    }

    #[test]
    fn headers_that_are_none_are_errors() {
        for values in [&[][..], &[1], &[1, 2, 3, 4], &[1, 0x0570_667a], &[1, 0x0470_667a, 0, 0]] {
            assert!(Header::new(values).is_err(), "{values:?}");
        }
    }
}
