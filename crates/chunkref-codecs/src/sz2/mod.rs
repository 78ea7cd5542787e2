// SPDX-License-Identifier: MIT OR Apache-2.0
//! SZ 2, HDF5's filter 32017, as its releases 2.1.8 and later store it: numbers predicted from those before or by a plane, and
//! how far off that was.
//!
//! A chunk is a stream (see `header`) in a Zstandard frame or a zlib stream, or as it is. Chunks of fewer than 20 numbers are as they
//! were, and of 20 floats.

#[cfg(test)]
mod chunks;
mod exact;
mod float;
mod header;
mod integer;
mod lorenzo;
mod number;
mod regression;
mod relative;

use std::borrow::Cow;

use chunkref_core::{DecodeContext, Steps};

use crate::{CodecError, ElementType, zlib, zstd};
use integer::Integer;
use number::{Float, Number};

const STRUCTURE: &str = "SZ chunk";

/// Chunks of fewer numbers are not compressed.
const FEW: usize = 20;

/// Symbols that the Huffman trees of a stream have at most, and the bytes that each takes in one.
const SYMBOLS: usize = 1 << 21;
const SYMBOL_BYTES: usize = 26;

/// Bytes of a Huffman code at most, on an average.
const CODE_BYTES: usize = 4;

/// What the numbers of a chunk are, and how many there are along each axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// `None` for what are not numbers, which is stored as it is.
    element_type: Option<ElementType>,
    shape: Vec<u64>,
}

impl Parameters {
    /// Numbers along up to four axes, the fastest one last.
    ///
    /// # Errors
    /// [`CodecError`] for more axes.
    pub fn new(element_type: ElementType, shape: impl Into<Vec<u64>>) -> Result<Self, CodecError> {
        let shape = shape.into();
        if shape.len() > 4 {
            return Err(CodecError::Unsupported(format!("a chunk of {} axes", shape.len())));
        }
        Ok(Self { element_type: Some(element_type), shape })
    }

    /// From the client data of HDF5's filter: count of axes, type, lengths of the axes with the fastest first, and the
    /// error bounds.
    ///
    /// # Errors
    /// [`CodecError`] for axes or types that SZ does not have.
    pub fn from_client_data(values: &[u32]) -> Result<Self, CodecError> {
        let (kind, shape) = match values {
            // The filter lets pass what are not numbers.
            [] => return Ok(Self { element_type: None, shape: Vec::new() }),
            // Two words for the length.
            [1, kind, high, low, ..] => (kind, vec![u64::from(*high) << 32 | u64::from(*low)]),
            [rank @ 2..=4, kind, lengths @ ..] => {
                let rank = usize::try_from(*rank).unwrap_or(0);
                let lengths = lengths.get(..rank).ok_or_else(CodecError::ended_early)?;
                let lengths = lengths.iter().copied().map(u64::from);
                // SZ takes axes behind one of length 0 for ones that do not exist.
                (kind, lengths.take_while(|&length| length > 0).collect())
            }
            _ => {
                let what = "parameters other than those of up to four axes";
                return Err(CodecError::unsupported(what));
            }
        };
        let unknown = || CodecError::Unsupported(format!("numbers of type {kind}"));
        let element_type = ElementType::from_number(*kind).ok_or_else(unknown)?;
        Self::new(element_type, shape.into_iter().rev().collect::<Vec<_>>())
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
    let Some(element_type) = parameters.element_type else { return Ok(bytes.to_vec()) };
    let shape = &parameters.shape;
    let count = shape.iter().fold(1_u64, |count, &length| count.saturating_mul(length));
    let count = if shape.is_empty() { 0 } else { usize::try_from(count).unwrap_or(usize::MAX) };
    let is_float = matches!(element_type, ElementType::F32 | ElementType::F64);
    if count < FEW || count == FEW && is_float {
        return Ok(bytes.to_vec());
    }
    let lengths = shape.iter().copied().flat_map(usize::try_from);
    let shape: Vec<usize> = lengths.filter(|&length| length != 1).collect();
    match element_type {
        ElementType::F32 => floats::<f32>(bytes, &shape, count, context),
        ElementType::F64 => floats::<f64>(bytes, &shape, count, context),
        ElementType::U8 => integers::<u8>(bytes, &shape, count, context),
        ElementType::I8 => integers::<i8>(bytes, &shape, count, context),
        ElementType::U16 => integers::<u16>(bytes, &shape, count, context),
        ElementType::I16 => integers::<i16>(bytes, &shape, count, context),
        ElementType::U32 => integers::<u32>(bytes, &shape, count, context),
        ElementType::I32 => integers::<i32>(bytes, &shape, count, context),
        ElementType::U64 => integers::<u64>(bytes, &shape, count, context),
        ElementType::I64 => integers::<i64>(bytes, &shape, count, context),
    }
}

/// The axes of a chunk, the first two of four as one.
fn up_to_three(shape: &[usize]) -> Vec<usize> {
    match *shape {
        [cubes, planes, rows, columns] => vec![cubes.saturating_mul(planes), rows, columns],
        _ => shape.to_vec(),
    }
}

fn floats<T: Float>(
    bytes: &[u8],
    shape: &[usize],
    count: usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let stream = stream::<T>(bytes, count, context)?;
    written(float::decode::<T>(&stream, shape, count, context)?, context)
}

fn integers<T: Integer>(
    bytes: &[u8],
    shape: &[usize],
    count: usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let stream = stream::<T>(bytes, count, context)?;
    written(integer::decode::<T>(&stream, shape, count, context)?, context)
}

/// The stream of a chunk, without the coder that was last.
fn stream<'a, T: Number>(
    bytes: &'a [u8],
    count: usize,
    context: &DecodeContext<'_>,
) -> Result<Cow<'a, [u8]>, CodecError> {
    let length = (count as u64).saturating_mul(size_of::<T>() as u64);
    let length = CodecError::check_length(length, context)?;
    // All numbers stored as they are, a code for each, trees of numbers and coefficients, and what is before them.
    let most = count
        .saturating_mul(CODE_BYTES)
        .saturating_add(count.min(SYMBOLS).saturating_mul(SYMBOL_BYTES).saturating_mul(2))
        .saturating_add(length)
        .saturating_add(1 << 16);
    let context = context.with_max_bytes(most);
    match bytes {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => zstd::decode(bytes, &context).map(Cow::Owned),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] | [0x68, 0x05 | 0x81 | 0xde, ..] => {
            zlib::decode(bytes, &context).map(Cow::Owned)
        }
        _ => Ok(Cow::Borrowed(bytes)),
    }
}

fn written<T: Number>(numbers: Vec<T>, context: &DecodeContext<'_>) -> Result<Vec<u8>, CodecError> {
    let (mut output, mut steps) = (Vec::new(), Steps::new(context.cancellation()));
    for number in numbers {
        steps.take(1)?;
        number.write(&mut output);
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use flate2::Crc;

    use super::chunks::{CHUNKS, Chunk};
    use super::*;
    use crate::testing::{assert_ends, hex};

    fn decode(bytes: &[u8], values: &[u32], most: usize) -> Result<Vec<u8>, CodecError> {
        let parameters = Parameters::from_client_data(values)?;
        super::decode(bytes, &parameters, &DecodeContext::up_to(most))
    }

    fn chunk(what: &str) -> (&'static Chunk, Vec<u8>) {
        let chunk = CHUNKS.iter().find(|chunk| chunk.what == what).unwrap();
        (chunk, hex(chunk.stored))
    }

    /// The stream of a chunk, which no coder is behind any more.
    fn unpacked(stored: &[u8]) -> Vec<u8> {
        stream::<f64>(stored, 1 << 16, &DecodeContext::up_to(1 << 20)).unwrap().into_owned()
    }

    #[test]
    fn chunks_of_hdf5plugin() {
        for Chunk { what, values, stored, length, crc } in CHUNKS {
            let decoded = decode(&hex(stored), values, *length).unwrap();
            let mut sum = Crc::new();
            sum.update(&decoded);
            assert_eq!((decoded.len(), sum.sum()), (*length, *crc), "{what}");
        }
    }

    #[test]
    fn few_numbers_are_as_they_were() {
        let bytes = [7; 80];
        assert_eq!(decode(&bytes[..76], &[1, 0, 0, 19], 76).unwrap(), bytes[..76]);
        assert_eq!(decode(&bytes, &[2, 0, 5, 4], 80).unwrap(), bytes);
        assert!(decode(&bytes, &[2, 6, 5, 4], 80).is_err());
        // What the filter makes of an axis of length 0, and of no client data.
        assert_eq!(decode(&bytes, &[4, 0, 0, 11, 9, 6, 5], 80).unwrap(), bytes);
        assert_eq!(decode(&bytes, &[], 80).unwrap(), bytes);
    }

    #[test]
    fn parameters_are_checked() {
        let (chunk, stored) = chunk("floats along one axis");
        assert!(decode(&stored, chunk.values, chunk.length - 1).is_err());
        for other in [&[1, 0, 0, 59][..], &[1], &[1, 10, 0, 60], &[3, 0, 5, 4], &[1, 0, 1, 60]] {
            assert!(decode(&stored, other, 1000).is_err(), "{other:?}");
        }
        let five = decode(&stored, &[5, 0, 2, 2, 2, 2, 5], 1000);
        assert!(matches!(five, Err(CodecError::Unsupported(_))));
    }

    #[test]
    fn what_is_not_covered_is_named() {
        let named = |what: &str, place: usize, value: u8, values: &[u32]| {
            let mut stream = unpacked(&chunk(what).1);
            stream[place] = value;
            match decode(&stream, values, 1000) {
                Err(CodecError::Unsupported(reason)) => reason,
                other => panic!("{other:?}"),
            }
        };
        let line: &[u32] = &[1, 0, 0, 60];
        assert!(named("floats along one axis", 2, 7, line).contains("SZ 2.1.7"));
        assert!(named("floats along one axis", 0, 1, line).contains("SZ 1.1.12"));
        assert!(named("floats along one axis", 18, 103, line).contains("compressor 103"));
        assert!(named("floats along one axis", 4, 0x4c, line).contains("time steps"));
        let plane: &[u32] = &[2, 1, 5, 5];
        assert!(named("one plane", 3, 0xc2, plane).contains("random access"));
        let four: &[u32] = &[4, 0, 5, 3, 2, 2];
        assert!(named("floats along one axis", 3, 0x40, four).contains("without regression"));
    }

    #[test]
    fn damage_is_found_or_bounded() {
        let mut errors = 0;
        for Chunk { what, values, stored, length, .. } in CHUNKS {
            let stored = hex(stored);
            let ends = 0..stored.len();
            assert!(
                ends.into_iter().all(|end| decode(&stored[..end], values, *length).is_err()),
                "{what}"
            );
            // Behind the lossless coder too.
            let stream = unpacked(&stored);
            for end in 0..stream.len() {
                if let Ok(bytes) = decode(&stream[..end], values, *length) {
                    assert!(bytes.len() <= *length, "{what} up to {end}");
                }
            }
            for at in 0..stream.len() {
                for value in [1, 0x80, 0xff] {
                    let mut damaged = stream.clone();
                    damaged[at] ^= value;
                    match decode(&damaged, values, *length) {
                        Ok(bytes) => assert!(bytes.len() <= *length, "{what} at {at}"),
                        Err(_) => errors += 1,
                    }
                }
            }
        }
        assert!(errors > 0);
    }

    /// A stream of `count` numbers, of the given `kind` and version 2.1.12; `rest` is behind its parameters.
    fn long(kind: u8, flags: u8, parameters: usize, count: u64, rest: &[&[u8]]) -> Vec<u8> {
        let mut stream = vec![2, 1, 12, flags, 0x40 | kind];
        stream.resize(18, 0);
        stream.push(101);
        stream.resize(4 + parameters, 0);
        let mut parts = vec![count.to_be_bytes().to_vec()];
        parts.extend(rest.iter().map(|part| part.to_vec()));
        stream.extend(parts.concat());
        stream
    }

    #[test]
    fn long_chunks_end_with_the_work() {
        let count = 1_u64 << 18;
        let elements = u32::try_from(count).unwrap();
        // A tree of one node, which stands for the code in the middle.
        let tree = [&[0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0][..], &[4, 0, 0, 0, 1]].concat();
        let size = |length: usize| (length as u64).to_be_bytes();
        // Integers: each as the one before; the first has no neighbour.
        let integers = [
            &0_u32.to_be_bytes()[..],
            &8_u32.to_be_bytes(),
            &5_u64.to_be_bytes(),
            &1_f64.to_be_bytes(),
            &size(tree.len()),
            &size(1),
            &size(4),
            &tree,
            &7_u32.to_be_bytes(),
        ];
        let mut stream = long(7, 0x40, 28, count, &integers);
        // Before the count is how many bytes of a number are stored.
        stream.insert(32, 4);
        assert_eq!(decode(&stream, &[1, 7, 0, elements], 1 << 20).unwrap()[..4], [12, 0, 0, 0]);
        let parameters = Parameters::from_client_data(&[1, 7, 0, elements]).unwrap();
        assert_ends(1 << 20, |context| super::decode(&stream, &parameters, context));
        // Floats that are all the same, along three axes.
        let same = long(0, 0x41, 28, count, &[&2.5_f32.to_be_bytes()]);
        let parameters = Parameters::new(ElementType::F32, [64, 64, 64]).unwrap();
        assert_ends(1 << 20, |context| super::decode(&same, &parameters, context));
        // Floats in blocks of one plane each would need their coefficients; in none, their neighbours.
        let lossless = long(0, 0x50, 28, count, &[&vec![0; 1 << 20]]);
        assert_ends(1 << 20, |context| super::decode(&lossless, &parameters, context));
    }
}
