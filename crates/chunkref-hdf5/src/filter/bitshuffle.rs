// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bitshuffle, filter 32008: bit n of every element of a block together, then nothing, LZ4 or Zstandard per block.
//!
//! Client data: two version numbers, element length, elements of a block (0: by default), compressor, level. Compressed
//! chunks begin with a big-endian `u64` of the decoded bytes and a `u32` of the bytes of a block; every block has a `u32`
//! of its stored bytes before it. Elements behind the last multiple of eight are stored as they are.

use chunkref_core::Cursor;

use super::{Fault, lz4, zstd};

/// Bytes that a block is to have by default, and with `MIN_BLOCK_ELEMENTS` the elements that it has at least.
const TARGET_BLOCK_BYTES: usize = 8192;
const MIN_BLOCK_ELEMENTS: usize = 128;

/// What the blocks went through after the shuffle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compressor {
    None,
    Lz4,
    Zstd,
}

/// The filter's settings.
#[derive(Debug, Clone, Copy)]
struct Settings {
    element_length: usize,
    block_elements: usize,
    compressor: Compressor,
}

impl Settings {
    fn new(values: &[u32]) -> Result<Self, Fault> {
        let value = |index: usize| values.get(index).copied().unwrap_or(0);
        let element_length = usize::try_from(value(2)).unwrap_or(0);
        if element_length == 0 {
            return Err(Fault::unsupported("bitshuffle without an element length"));
        }
        let compressor = match value(4) {
            0 => Compressor::None,
            2 => Compressor::Lz4,
            3 => Compressor::Zstd,
            other => return Err(Fault::Unsupported(format!("bitshuffle with compressor {other}"))),
        };
        let block_elements = usize::try_from(value(3)).unwrap_or(usize::MAX);
        if block_elements % 8 != 0 {
            return Err(Fault::Unsupported(format!("bitshuffle in blocks of {block_elements}")));
        }
        Ok(Self { element_length, block_elements, compressor })
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

/// Elements of a block that the settings ask for, 0 for the default; `None` when the blocks are compressed as well.
pub(crate) fn plain_block_elements(values: &[u32]) -> Option<u32> {
    let settings = Settings::new(values).ok()?;
    let elements = u32::try_from(settings.block_elements).ok()?;
    (settings.compressor == Compressor::None).then_some(elements)
}

/// Undoes the filter.
pub(super) fn decode(bytes: &[u8], values: &[u32], room: usize) -> Result<Vec<u8>, Fault> {
    let settings = Settings::new(values)?;
    let mut cursor = Cursor::new(bytes, 0, "bitshuffle chunk");
    let (total, block_length) = if settings.compressor == Compressor::None {
        (Fault::check_room(bytes.len() as u64, room)?, settings.block_length())
    } else {
        let total = Fault::check_room(cursor.u64_be()?, room)?;
        (total, usize::try_from(cursor.u32_be()?).unwrap_or(usize::MAX))
    };
    let eight = settings.element_length.saturating_mul(8);
    if block_length.checked_rem(eight) != Some(0) || block_length == 0 {
        return Err(Fault::Damaged(format!("its blocks have {block_length} bytes")));
    }
    let mut output = Vec::new();
    while let whole = total.saturating_sub(output.len()).min(block_length)
        && let length = whole.saturating_sub(whole.checked_rem(eight).unwrap_or(0))
        && length > 0
    {
        let block = match settings.compressor {
            Compressor::None => cursor.bytes(length)?.to_vec(),
            compressor => {
                let stored = cursor.u32_be()?;
                let stored = cursor.bytes_u64(stored.into())?;
                let mut block = vec![0; length];
                if compressor == Compressor::Lz4 {
                    lz4::decode_block(stored, &mut block)?;
                } else {
                    block = zstd::decode(stored, length)?;
                }
                block
            }
        };
        if block.len() != length {
            return Err(Fault::Damaged(format!("a block has {} bytes of {length}", block.len())));
        }
        output.extend(gather_elements(&block, settings.element_length));
    }
    output.extend_from_slice(cursor.bytes(total.saturating_sub(output.len()))?);
    Ok(output)
}

/// Applies the filter, where it does not compress.
pub(super) fn encode(bytes: &[u8], values: &[u32]) -> Result<Vec<u8>, Fault> {
    let settings = Settings::new(values)?;
    if settings.compressor != Compressor::None {
        return Err(Fault::unsupported("encoding with bitshuffle and a compressor"));
    }
    let eight = settings.element_length.saturating_mul(8);
    let mut output = Vec::new();
    for block in bytes.chunks(settings.block_length().max(1)) {
        let rest = block.len().checked_rem(eight).unwrap_or(0);
        let (whole, rest) = block.split_at(block.len().saturating_sub(rest));
        output.extend(gather_bits(whole, settings.element_length));
        output.extend_from_slice(rest);
    }
    Ok(output)
}

/// Rows of bits to elements; their count is a multiple of eight.
pub(super) fn gather_elements(block: &[u8], element_length: usize) -> Vec<u8> {
    let mut output = vec![0; block.len()];
    let row_length = block.len().checked_div(element_length).unwrap_or(0) >> 3;
    // Eight rows hold one byte of every element.
    let planes = block.chunks_exact(row_length.saturating_mul(8).max(1));
    for (byte, plane) in planes.enumerate() {
        let mut targets = output.iter_mut().skip(byte).step_by(element_length.max(1));
        for column in 0..row_length {
            let mut bits = plane.iter().skip(column).step_by(row_length.max(1));
            let rows: [u8; 8] = std::array::from_fn(|_| bits.next().copied().unwrap_or(0));
            // The array comes first, so that no target is taken in vain.
            for (byte, target) in transpose(rows).into_iter().zip(&mut targets) {
                *target = byte;
            }
        }
    }
    output
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
    use crate::testing::hex;

    /// Twenty elements: two groups of eight and a rest.
    fn data() -> Vec<u8> {
        (0..20_u16).flat_map(|n| (n * 257 + 3).to_le_bytes()).collect()
    }

    #[test]
    fn chunks_of_hdf5plugin() {
        // hdf5plugin 7.1: 20 values of <u2, n * 257 + 3; blocks of 8 elements where there are blocks.
        for (values, stored) in [
            (
                [0, 4, 2, 0, 0, 0],
                "555599991e1ee01f00e0000000000000aaaaccccf0f000ff00000000000000001310141115121613",
            ),
            (
                [0, 4, 2, 8, 0, 0],
                "55991ee000000000aaccf0000000000055991e1fe0000000aaccf0ff000000001310141115121613",
            ),
            (
                [0, 4, 2, 0, 2, 0],
                "00000000000000280000200000000020b1555599991e1ee01f00e0000100f001aaaaccccf0f000ff00000000000000001310141115121613",
            ),
            (
                [0, 4, 2, 8, 2, 0],
                "00000000000000280000001000000012f00155991ee000000000aaccf0000000000000000012f00155991e1fe0000000aaccf0ff000000001310141115121613",
            ),
            (
                [0, 4, 2, 0, 3, 3],
                "0000000000000028000020000000002928b52ffd2020010100555599991e1ee01f00e0000000000000aaaaccccf0f000ff00000000000000001310141115121613",
            ),
        ] {
            let stored = hex(stored);
            assert_eq!(decode(&stored, &values, 40).unwrap(), data(), "{values:?}");
            assert!(decode(&stored, &values, 39).is_err());
            assert!(values[4] == 0 || decode(&stored[..stored.len() - 1], &values, 40).is_err());
        }
    }

    #[test]
    fn what_is_encoded_decodes() {
        for block in [0, 8, 16] {
            let values = [0, 4, 2, block, 0];
            let stored = encode(&data(), &values).unwrap();
            assert_eq!(decode(&stored, &values, 40).unwrap(), data());
        }
        assert!(encode(&data(), &[0, 4, 2, 0, 2]).is_err());
    }

    #[test]
    fn settings_and_claims_are_checked() {
        for values in [&[][..], &[0, 4, 0, 0, 0], &[0, 4, 2, 7, 0], &[0, 4, 2, 0, 9]] {
            assert!(decode(&data(), values, 40).is_err(), "{values:?}");
        }
        let claim = [&u64::MAX.to_be_bytes()[..], &8192_u32.to_be_bytes()].concat();
        assert!(decode(&claim, &[0, 4, 2, 0, 2], 40).is_err());
        let no_blocks = [&40_u64.to_be_bytes()[..], &0_u32.to_be_bytes()].concat();
        assert!(decode(&no_blocks, &[0, 4, 2, 0, 2], 40).is_err());
        assert_eq!(plain_block_elements(&[0, 4, 2, 16, 0]), Some(16));
        assert_eq!(plain_block_elements(&[0, 4, 2, 16, 2]), None);
    }
}
