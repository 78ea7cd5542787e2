// SPDX-License-Identifier: MIT OR Apache-2.0
//! SZ3, HDF5's filter 32024, as its releases 3.1 store it: numbers predicted from those before, and how far off that was.
//!
//! A chunk is a Zstandard frame behind its decoded length, then the settings of the coder (see `config`), then their length. Chunks
//! of fewer than 20 numbers are as they were.

mod config;
mod huffman;
mod interpolation;
mod lorenzo;
mod number;
mod quantizer;

use chunkref_core::{Cursor, DecodeContext, Steps};

use crate::{CodecError, ElementType, zstd};
use config::{Algorithm, Config};
use number::Number;

const STRUCTURE: &str = "SZ3 chunk";

/// Chunks of fewer numbers are not compressed.
const FEW: u64 = 20;

/// Symbols that a Huffman tree has at most, and the bytes that each takes in one.
const SYMBOLS: u64 = 1 << 20;
const SYMBOL_BYTES: u64 = 26;

/// Bytes of a Huffman code at most, on an average.
const CODE_BYTES: u64 = 4;

/// What the numbers of a chunk are, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    element_type: ElementType,
    count: u64,
}

impl Parameters {
    /// So many numbers; what their axes are is in the chunk.
    #[must_use]
    pub fn new(element_type: ElementType, count: u64) -> Self {
        Self { element_type, count }
    }

    /// From the client data of HDF5's filter: count of axes, type, lengths of the axes with the fastest first, and the
    /// error bounds.
    ///
    /// # Errors
    /// [`CodecError`] for axes or types that SZ3 does not have.
    pub fn from_client_data(values: &[u32]) -> Result<Self, CodecError> {
        let [rank @ 1..=4, kind, lengths @ ..] = values else {
            let what = "parameters other than those of SZ3 3.1, up to four axes";
            return Err(CodecError::unsupported(what));
        };
        let lengths = if let (1, [high, low, ..]) = (rank, lengths) {
            vec![u64::from(*high) << 32 | u64::from(*low)]
        } else {
            let rank = usize::try_from(*rank).unwrap_or(0);
            let known = lengths.get(..rank).ok_or_else(CodecError::ended_early)?;
            known.iter().copied().map(u64::from).collect()
        };
        let count = lengths.iter().fold(1_u64, |count, &length| count.saturating_mul(length));
        let unknown = || CodecError::Unsupported(format!("numbers of type {kind}"));
        Ok(Self::new(ElementType::from_number(*kind).ok_or_else(unknown)?, count))
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
    let count = parameters.count;
    if count < FEW {
        return Ok(bytes.to_vec());
    }
    match parameters.element_type {
        ElementType::F32 => numbers::<f32>(bytes, count, context),
        ElementType::F64 => numbers::<f64>(bytes, count, context),
        ElementType::U8 => numbers::<u8>(bytes, count, context),
        ElementType::I8 => numbers::<i8>(bytes, count, context),
        ElementType::U16 => numbers::<u16>(bytes, count, context),
        ElementType::I16 => numbers::<i16>(bytes, count, context),
        ElementType::U32 => numbers::<u32>(bytes, count, context),
        ElementType::I32 => numbers::<i32>(bytes, count, context),
        ElementType::U64 => numbers::<u64>(bytes, count, context),
        ElementType::I64 => numbers::<i64>(bytes, count, context),
    }
}

fn numbers<T: Number>(
    bytes: &[u8],
    count: u64,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let length = count.saturating_mul(size_of::<T>() as u64);
    let length = CodecError::check_length(length, context)?;
    let (config, stream) = Config::split(bytes)?;
    if config.count != count {
        return Err(CodecError::Damaged(format!("it has {} numbers, not {count}", config.count)));
    }
    let mut cursor = Cursor::new(stream, 0, STRUCTURE);
    // All numbers stored as they are, a code for each, two trees, and what is before them.
    let most = count
        .saturating_mul(CODE_BYTES)
        .saturating_add(count.min(SYMBOLS).saturating_mul(SYMBOL_BYTES).saturating_mul(2))
        .saturating_add(length as u64)
        .saturating_add(1 << 16);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let claimed = CodecError::check_length(cursor.u64_le()?, &context.with_max_bytes(most))?;
    let decoded = zstd::decode(cursor.rest(), &context.with_max_bytes(claimed))?;
    let mut cursor = Cursor::new(&decoded, 0, STRUCTURE);
    let numbers = match config.algorithm {
        Algorithm::Interpolation => interpolation::decode::<T>(&mut cursor, &config, context)?,
        Algorithm::Lorenzo => lorenzo::decode::<T>(&mut cursor, &config, context)?,
    };
    let (mut output, mut steps) = (Vec::new(), Steps::new(context.cancellation()));
    for number in numbers {
        steps.take(1)?;
        number.write(&mut output);
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_ends, hex};

    fn decode(bytes: &[u8], values: &[u32], most: usize) -> Result<Vec<u8>, CodecError> {
        let parameters = Parameters::from_client_data(values)?;
        super::decode(bytes, &parameters, &DecodeContext::up_to(most))
    }

    // hdf5plugin 7.1: <i4 along a line by interpolation; <f8 in a cube (times 16) and <i2 in a plane by Lorenzo.
    const LINE: (&[u32], &str, &[i32]) = (
        &[1, 7, 0, 40, 0, 1_073_741_824, 0, 0, 0, 0, 0, 0, 0],
        "670000000000000028b52ffd20671d0200c4022800200000000100020040008000807f000500000141000100030000020004008001000101065800000000000900202b578493220b5c05d68192c1c060940160010128000000000000002800000000000000020000000000000000400000000000000000010001000100200000000101000001008000000080000000010000000040000000",
        &[
            0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, 169, 196, 225, 256, 289, 324, 361,
            400, 441, 484, 529, 576, 625, 676, 729, 784, 841, 900, 961, 1024, 1089, 1156, 1225,
            1296, 1369, 1444, 1521,
        ],
    );
    const CUBE: (&[u32], &str, &[i32]) = (
        &[3, 1, 4, 5, 6, 0, 1_071_644_672, 0, 0, 0, 0, 0, 0, 0],
        "a70100000000000028b52ffd60a700e50700720c2d343051d4188a75722c16e9601b32868f20c69182d162681706e8717412cc238aea8a34f969d0502bac6a245d235bb3e43fb7c4ca140ce1090806c9b428612e2438147426ee7041283d241391954945aa79d028f9a868a1094111698e0d4ec6c60b6581a0205fd877dfddeeb7feef37ecb99ffae7de205dfbb30283051e0ca0dc635b59b7e7a5e9fd0403870ff06dda5f57d4e7e92368bffe839d9b25871e67de71e4c994176b8d694890a91c226a1dfadd3ffa672020c00291d41d34a3ee0d07d71558ebc5c6f0a4b040fa466b136500067c6337322295fb46d10ca6467c710c2dc4b751046960704f8002f460d20053e0321bd481d7604a090306000000000000000500000000000000040000000000000078000000000000000000000000000000e03f0000000000000000010100000100200000000101000002000500000006000000030000000050000000",
        &[
            32, 16, 0, -32, 16, -32, -48, -80, -16, 0, -32, -32, -16, 16, 16, 0, 0, 16, 16, 48, 0,
            48, 16, -80, -32, 48, -32, -176, -32, 112, 16, -160, -80, 176, 16, -128, -112, 160, 16,
            -96, -16, 0, -32, -128, -96, 16, -80, -208, -128, 96, 0, -208, -176, 208, 32, -128,
            -224, 208, 80, -80, 16, 16, -16, -144, -16, -16, -48, -192, -16, 64, 16, -208, -80,
            176, 80, -80, -176, 224, 128, -48, 32, 32, -48, -160, 32, 16, -80, -224, 64, 80, -32,
            -192, -32, 160, 48, -48, -176, 160, 80, 16, 16, 64, -64, -192, 48, 96, -144, -304, 96,
            144, -80, -304, 48, 224, 48, -128, -80, 192, 112, -112,
        ],
    );
    const PLANE: (&[u32], &str, &[i32]) = (
        &[2, 5, 5, 9, 0, 1_072_693_248, 0, 0, 0, 0, 0, 0, 0],
        "b00000000000000028b52ffd20b01d0300a4030900050001010200010002f03f0080fe7f0009000000030005060000000403000008070304010100000101010d50e4c5a2ba51c282a4b0cfe120120090f90a8571c3620a4338dba3e4951005840103402060e00a0508b0cb2eee68250030f000b002090000000000000005000000000000002d000000000000000000000000000000f03f0000000000000000010100000100200000000101000001000500000010000000020000000048000000",
        &[
            2, 4, 2, 0, 0, -2, -4, -6, -10, -8, 0, 2, -2, -4, 0, 2, 4, 2, -2, 6, 0, 4, 2, -4, 2, 4,
            6, 2, -2, 6, 6, 6, -2, -2, 2, 4, 4, -6, -6, -2, 4, 0, -12, -16, -16,
        ],
    );

    fn bytes<T: Number>(numbers: impl Iterator<Item = T>) -> Vec<u8> {
        let mut output = Vec::new();
        numbers.for_each(|number| number.write(&mut output));
        output
    }

    #[test]
    fn chunks_of_hdf5plugin() {
        let (values, stored, numbers) = LINE;
        let line = bytes(numbers.iter().copied());
        assert_eq!(decode(&hex(stored), values, 160).unwrap(), line);
        let (values, stored, numbers) = CUBE;
        let cube = bytes(numbers.iter().map(|&number| f64::from(number) / 16.0));
        assert_eq!(decode(&hex(stored), values, 960).unwrap(), cube);
        let (values, stored, numbers) = PLANE;
        let plane = bytes(numbers.iter().map(|&number| i16::try_from(number).unwrap()));
        assert_eq!(decode(&hex(stored), values, 90).unwrap(), plane);
    }

    #[test]
    fn few_numbers_are_as_they_were() {
        let bytes = [7; 76];
        assert_eq!(decode(&bytes, &[1, 0, 0, 19, 0], 76).unwrap(), bytes);
        assert_eq!(decode(&bytes, &[2, 0, 4, 4, 0], 76).unwrap(), bytes);
    }

    #[test]
    fn parameters_are_checked() {
        let (values, stored, _) = PLANE;
        let stored = hex(stored);
        assert!(decode(&stored, values, 89).is_err());
        for other in [&[][..], &[2], &[5, 5, 5, 9, 1, 1, 1], &[2, 5, 5, 8], &[2, 10, 5, 9]] {
            assert!(decode(&stored, other, 1000).is_err(), "{other:?}");
        }
    }

    #[test]
    fn damage_is_found_or_bounded() {
        for (values, stored, numbers) in [LINE, CUBE, PLANE] {
            let stored = hex(stored);
            let length = 8 * numbers.len();
            assert!((0..stored.len()).all(|end| decode(&stored[..end], values, length).is_err()));
            // Behind the lossless coder too.
            let (_, stream) = Config::split(&stored).unwrap();
            let config = &stored[stream.len()..];
            let inner = zstd::decode(&stream[8..], &DecodeContext::up_to(1 << 16)).unwrap();
            let mut errors = 0;
            for at in 0..inner.len() {
                for value in [0, 1, 0x80, 0xff] {
                    let mut damaged = inner.clone();
                    damaged[at] ^= value;
                    let mut again = (inner.len() as u64).to_le_bytes().to_vec();
                    again.extend(zstd::encode(&damaged));
                    again.extend(config);
                    match decode(&again, values, length) {
                        Ok(bytes) => assert!(bytes.len() <= length),
                        Err(_) => errors += 1,
                    }
                }
            }
            assert!(errors > 0);
            for at in 0..config.len() {
                let mut damaged = stored.clone();
                damaged[stream.len() + at] ^= 0xa5;
                if let Ok(bytes) = decode(&damaged, values, length) {
                    assert!(bytes.len() <= length);
                }
            }
        }
    }

    /// A chunk of one axis of `count` numbers, all of which have the code 4; `start` is what is before the error bound.
    fn long(count: u64, algorithm: u8, start: &[u8]) -> Vec<u8> {
        let mut inner = [&count.to_le_bytes()[..], start].concat();
        // The error bound, the code in the middle, no number as it was.
        inner.push(0);
        inner.extend(1_f64.to_le_bytes().iter().chain(&4_u32.to_le_bytes()).chain(&[0; 8]));
        // A tree of one node.
        inner.extend([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1]);
        inner.extend([0; 8]);
        let mut config = [&[1][..], &count.to_le_bytes(), &count.to_le_bytes()].concat();
        config.push(algorithm);
        config.extend([0; 17]);
        config.extend([1, 0, 0, 0]);
        config.resize(config.len() + 25, 0);
        let length = u32::try_from(config.len()).unwrap();
        let frame = zstd::encode(&inner);
        let head = (inner.len() as u64).to_le_bytes();
        [&head[..], &frame, &config, &length.to_le_bytes()].concat()
    }

    #[test]
    fn long_chunks_end_with_the_work() {
        // Blocks of 32 steps, cubic, the first order of the axes; blocks of 128 numbers and a predictor.
        let steps = [32_u32, 1, 0].map(u32::to_le_bytes).concat();
        let blocks = [&128_u32.to_le_bytes()[..], &[0]].concat();
        for (algorithm, start) in [(2, steps), (0, blocks)] {
            let chunk = long(1 << 18, algorithm, &start);
            let parameters = Parameters::new(ElementType::I32, 1 << 18);
            assert_ends(1 << 20, |context| super::decode(&chunk, &parameters, context));
        }
    }
}
