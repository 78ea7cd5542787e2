// SPDX-License-Identifier: MIT OR Apache-2.0
//! The settings at the end of an SZ3 stream.

use chunkref_core::Cursor;

use super::STRUCTURE;
use crate::CodecError;

/// How numbers were predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// From numbers before along all axes.
    Lorenzo,
    /// From numbers on both sides along one axis, level by level.
    Interpolation,
}

/// The settings that decoding needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Config {
    /// Lengths of the axes, the fastest last.
    pub(super) shape: Vec<usize>,
    /// Their product.
    pub(super) count: u64,
    pub(super) algorithm: Algorithm,
    /// Whether blocks may have been predicted from one number before along each axis.
    pub(super) one_layer: bool,
    /// Whether blocks may have been predicted from two.
    pub(super) two_layers: bool,
}

impl Config {
    /// The settings of a stream, and what is before them.
    pub(super) fn split(bytes: &[u8]) -> Result<(Self, &[u8]), CodecError> {
        let (rest, length) = bytes.split_last_chunk().ok_or_else(CodecError::ended_early)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let start = rest.len().checked_sub(length).ok_or_else(CodecError::ended_early)?;
        let (stream, config) = rest.split_at_checked(start).ok_or_else(CodecError::ended_early)?;
        Ok((Self::parse(config)?, stream))
    }

    fn parse(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut cursor = Cursor::new(bytes, 0, STRUCTURE);
        let rank = cursor.u8()?;
        if !(1..=4).contains(&rank) {
            return Err(CodecError::Damaged(format!("it has {rank} axes")));
        }
        let (mut shape, mut product) = (Vec::new(), Some(1_u64));
        for _ in 0..rank {
            let length = cursor.u64_le()?;
            product = product.and_then(|product| product.checked_mul(length));
            shape.push(usize::try_from(length).unwrap_or(usize::MAX));
        }
        let count = cursor.u64_le()?;
        if product != Some(count) || count == 0 {
            return Err(CodecError::damaged(
                "the lengths of its axes are not those of its numbers",
            ));
        }
        let algorithm = match cursor.u8()? {
            0 => Algorithm::Lorenzo,
            2 => Algorithm::Interpolation,
            other => return Err(CodecError::Unsupported(format!("algorithm {other}"))),
        };
        // The mode and two values of the error bound.
        cursor.skip(17)?;
        let [one_layer, two_layers, regression, regression2] = cursor.array::<4>()?;
        // The interpolation's, which are in the stream too; the lossless coder and the encoder; the rest are sizes.
        cursor.skip(24)?;
        if algorithm == Algorithm::Lorenzo && (regression, regression2) != (0, 0) {
            return Err(CodecError::unsupported("prediction by regression"));
        }
        if cursor.u8()? != 0 {
            return Err(CodecError::unsupported("streams of several threads"));
        }
        let (one_layer, two_layers) = (one_layer != 0, two_layers != 0);
        Ok(Self { shape, count, algorithm, one_layer, two_layers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn settings_of_hdf5plugin() {
        let bytes = hex(
            "0308000000000000000800000000000000800000000000000000200000000000000200fca9f1d24d62503f000000000000000001000100010020000000010100000100060000000600000003000000\
             00",
        );
        let config = Config::parse(&bytes).unwrap();
        assert_eq!((config.shape.as_slice(), config.count), (&[8, 8, 128][..], 8192));
        assert_eq!(config.algorithm, Algorithm::Interpolation);
        assert!((0..bytes.len()).all(|end| Config::parse(&bytes[..end]).is_err()));
        for (place, value) in [(0, 5), (1, 9), (33, 1), (33, 0), (79, 1)] {
            let mut changed = bytes.clone();
            changed[place] = value;
            assert!(Config::parse(&changed).is_err(), "{place}");
        }
    }
}
