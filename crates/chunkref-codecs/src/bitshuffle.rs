// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bitshuffle: bit n of every element of a block together, then nothing, LZ4 or Zstandard per block. This is what HDF5's
//! filter 32008 makes, and imagecodecs' `bitshuffle` where nothing compresses.
//!
//! Compressed chunks begin with a big-endian `u64` of the decoded bytes and a `u32` of the bytes of a block; every block has a `u32`
//! of its stored bytes before it. Elements behind the last multiple of eight are stored as they are.

use chunkref_core::{Cursor, DecodeContext, Steps};

use crate::{CodecError, lz4, zstd};

/// Bytes that a block is to have by default, and with `MIN_BLOCK_ELEMENTS` the elements that it has at least.
const TARGET_BLOCK_BYTES: usize = 8192;
const MIN_BLOCK_ELEMENTS: usize = 128;

/// What the blocks went through after the shuffle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compressor {
    /// Nothing.
    None,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// The settings of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    element_length: usize,
    block_elements: usize,
    compressor: Compressor,
}

impl Parameters {
    /// Elements of so many bytes, in blocks of so many elements: a multiple of eight, or 0 for the default.
    ///
    /// # Errors
    /// [`CodecError`] for other lengths.
    pub fn new(
        element_length: usize,
        block_elements: usize,
        compressor: Compressor,
    ) -> Result<Self, CodecError> {
        if element_length == 0 {
            return Err(CodecError::unsupported("bitshuffle without an element length"));
        }
        if !block_elements.is_multiple_of(8) {
            let what = format!("bitshuffle in blocks of {block_elements}");
            return Err(CodecError::Unsupported(what));
        }
        Ok(Self { element_length, block_elements, compressor })
    }

    /// Elements of a block, 0 for the default.
    #[must_use]
    pub fn block_elements(&self) -> usize {
        self.block_elements
    }

    /// What the blocks went through after the shuffle.
    #[must_use]
    pub fn compressor(&self) -> Compressor {
        self.compressor
    }

    /// Bytes of a block, from the settings or by bitshuffle's own rule.
    fn block_length(&self) -> usize {
        let elements = match self.block_elements {
            0 => {
                let fitting = TARGET_BLOCK_BYTES.checked_div(self.element_length).unwrap_or(0);
                (fitting & !7).max(MIN_BLOCK_ELEMENTS)
            }
            elements => elements,
        };
        elements.saturating_mul(self.element_length)
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
    let mut cursor = Cursor::new(bytes, 0, "bitshuffle chunk");
    let (total, block_length) = if parameters.compressor == Compressor::None {
        (CodecError::check_length(bytes.len() as u64, context)?, parameters.block_length())
    } else {
        let total = CodecError::check_length(cursor.u64_be()?, context)?;
        (total, usize::try_from(cursor.u32_be()?).unwrap_or(usize::MAX))
    };
    let eight = parameters.element_length.saturating_mul(8);
    if block_length.checked_rem(eight) != Some(0) || block_length == 0 {
        return Err(CodecError::Damaged(format!("its blocks have {block_length} bytes")));
    }
    let mut steps = Steps::new(context.cancellation());
    let mut output = Vec::new();
    while let whole = total.saturating_sub(output.len()).min(block_length)
        && let length = whole.saturating_sub(whole.checked_rem(eight).unwrap_or(0))
        && length > 0
    {
        let block = match parameters.compressor {
            Compressor::None => cursor.bytes(length)?.to_vec(),
            compressor => {
                let stored = cursor.u32_be()?;
                let stored = cursor.bytes_u64(stored.into())?;
                let mut block = vec![0; length];
                if compressor == Compressor::Lz4 {
                    lz4::decode_block(stored, &mut block)?;
                } else {
                    block = zstd::decode(stored, &context.with_max_bytes(length))?;
                }
                block
            }
        };
        if block.len() != length {
            return Err(CodecError::Damaged(format!(
                "a block has {} bytes of {length}",
                block.len()
            )));
        }
        output.extend(gather_elements(&block, parameters.element_length, &mut steps)?);
    }
    output.extend_from_slice(cursor.bytes(total.saturating_sub(output.len()))?);
    Ok(output)
}

/// A chunk of `bytes`, where nothing compresses.
///
/// # Errors
/// [`CodecError`] where something does.
pub fn encode(bytes: &[u8], parameters: &Parameters) -> Result<Vec<u8>, CodecError> {
    if parameters.compressor != Compressor::None {
        return Err(CodecError::unsupported("encoding with bitshuffle and a compressor"));
    }
    let eight = parameters.element_length.saturating_mul(8);
    let mut output = Vec::new();
    for block in bytes.chunks(parameters.block_length().max(1)) {
        let rest = block.len().checked_rem(eight).unwrap_or(0);
        let (whole, rest) = block.split_at(block.len().saturating_sub(rest));
        output.extend(gather_bits(whole, parameters.element_length));
        output.extend_from_slice(rest);
    }
    Ok(output)
}

/// Rows of bits to elements; their count is a multiple of eight.
pub(crate) fn gather_elements(
    block: &[u8],
    element_length: usize,
    steps: &mut Steps<'_>,
) -> Result<Vec<u8>, CodecError> {
    let mut output = vec![0; block.len()];
    let row_length = block.len().checked_div(element_length).unwrap_or(0) >> 3;
    // Eight rows hold one byte of every element.
    let planes = block.chunks_exact(row_length.saturating_mul(8).max(1));
    for (byte, plane) in planes.enumerate() {
        let mut targets = output.iter_mut().skip(byte).step_by(element_length.max(1));
        for column in 0..row_length {
            steps.take(8)?;
            let mut bits = plane.iter().skip(column).step_by(row_length.max(1));
            let rows: [u8; 8] = std::array::from_fn(|_| bits.next().copied().unwrap_or(0));
            // The array comes first, so that no target is taken in vain.
            for (byte, target) in transpose(rows).into_iter().zip(&mut targets) {
                *target = byte;
            }
        }
    }
    Ok(output)
}

/// Bit n of byte m becomes bit m of byte n.
fn transpose(rows: [u8; 8]) -> [u8; 8] {
    let mut bits = u64::from_le_bytes(rows);
    let steps = [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0xf0f0_f0f0)];
    for (distance, mask) in steps {
        let swapped = (bits ^ (bits >> distance)) & mask;
        bits = bits ^ swapped ^ (swapped << distance);
    }
    bits.to_le_bytes()
}

/// The reverse of [`gather_elements`].
fn gather_bits(block: &[u8], element_length: usize) -> Vec<u8> {
    let mut output = Vec::new();
    for row in 0..element_length.saturating_mul(8) {
        let (byte, bit) = (row >> 3, row & 7);
        let bits: Vec<u8> = block
            .iter()
            .skip(byte)
            .step_by(element_length.max(1))
            .map(|source| source >> bit & 1)
            .collect();
        output.extend(
            bits.chunks(8).map(|eight| {
                eight.iter().enumerate().fold(0, |sum, (n, bit)| sum | bit << (n & 7))
            }),
        );
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_ends, hex};

    fn up_to(bytes: &[u8], parameters: Parameters, most: usize) -> Result<Vec<u8>, CodecError> {
        decode(bytes, &parameters, &DecodeContext::up_to(most))
    }

    /// Twenty elements: two groups of eight and a rest.
    fn data() -> Vec<u8> {
        (0..20_u16).flat_map(|n| (n * 257 + 3).to_le_bytes()).collect()
    }

    #[test]
    fn chunks_of_hdf5plugin() {
        // hdf5plugin 7.1: 20 values of <u2, n * 257 + 3; blocks of 8 elements where there are blocks.
        for (block, compressor, stored) in [
            (
                0,
                Compressor::None,
                "555599991e1ee01f00e0000000000000aaaaccccf0f000ff00000000000000001310141115121613",
            ),
            (
                8,
                Compressor::None,
                "55991ee000000000aaccf0000000000055991e1fe0000000aaccf0ff000000001310141115121613",
            ),
            (
                0,
                Compressor::Lz4,
                "00000000000000280000200000000020b1555599991e1ee01f00e0000100f001aaaaccccf0f000ff00000000000000001310141115121613",
            ),
            (
                8,
                Compressor::Lz4,
                "00000000000000280000001000000012f00155991ee000000000aaccf0000000000000000012f00155991e1fe0000000aaccf0ff000000001310141115121613",
            ),
            (
                0,
                Compressor::Zstd,
                "0000000000000028000020000000002928b52ffd2020010100555599991e1ee01f00e0000000000000aaaaccccf0f000ff00000000000000001310141115121613",
            ),
        ] {
            let (stored, settings) = (hex(stored), Parameters::new(2, block, compressor).unwrap());
            assert_eq!(up_to(&stored, settings, 40).unwrap(), data(), "{settings:?}");
            assert!(up_to(&stored, settings, 39).is_err());
            let cut = &stored[..stored.len() - 1];
            assert!(compressor == Compressor::None || up_to(cut, settings, 40).is_err());
        }
    }

    #[test]
    fn what_is_encoded_decodes() {
        for block in [0, 8, 16] {
            let settings = Parameters::new(2, block, Compressor::None).unwrap();
            let stored = encode(&data(), &settings).unwrap();
            assert_eq!(up_to(&stored, settings, 40).unwrap(), data());
        }
        let compressed = Parameters::new(2, 0, Compressor::Lz4).unwrap();
        assert!(encode(&data(), &compressed).is_err());
    }

    #[test]
    fn settings_and_claims_are_checked() {
        assert!(Parameters::new(0, 8, Compressor::None).is_err());
        assert!(Parameters::new(2, 7, Compressor::None).is_err());
        let lz4 = Parameters::new(2, 0, Compressor::Lz4).unwrap();
        let claim = [&u64::MAX.to_be_bytes()[..], &8192_u32.to_be_bytes()].concat();
        assert!(up_to(&claim, lz4, 40).is_err());
        let no_blocks = [&40_u64.to_be_bytes()[..], &0_u32.to_be_bytes()].concat();
        assert!(up_to(&no_blocks, lz4, 40).is_err());
        assert_eq!((lz4.block_elements(), lz4.compressor()), (0, Compressor::Lz4));
    }

    #[test]
    fn long_chunks_end_with_the_work() {
        let data = vec![3; 1 << 20];
        // In small blocks, and in one.
        for block in [0, 8, 1 << 18] {
            let settings = Parameters::new(4, block, Compressor::None).unwrap();
            assert_ends(1 << 20, |context| decode(&data, &settings, context));
        }
    }
}
