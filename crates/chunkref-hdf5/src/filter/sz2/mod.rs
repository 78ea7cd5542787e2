// SPDX-License-Identifier: MIT OR Apache-2.0
//! SZ 2, filter 32017, as its releases 2.1.8 and later store it: numbers predicted from those before or by a plane, and
//! how far off that was.
//!
//! Client data: count of axes, type, lengths of the axes with the fastest first, and the error bounds. A chunk is a
//! stream (see [`header`]) in a Zstandard frame or a zlib stream, or as it is. Chunks of fewer than 20 numbers are as they
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

use super::{Fault, deflate, zstd};
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

/// Undoes the filter.
pub(super) fn decode(bytes: &[u8], values: &[u32], room: usize) -> Result<Vec<u8>, Fault> {
    let (kind, shape) = match values {
        // The filter lets pass what are not numbers.
        [] => return Ok(bytes.to_vec()),
        // Two words for the length.
        [1, kind, high, low, ..] => (kind, vec![u64::from(*high) << 32 | u64::from(*low)]),
        [rank @ 2..=4, kind, lengths @ ..] => {
            let rank = usize::try_from(*rank).unwrap_or(0);
            let lengths = lengths.get(..rank).ok_or_else(Fault::end)?;
            let lengths = lengths.iter().copied().map(u64::from);
            // SZ takes axes behind one of length 0 for ones that do not exist.
            (kind, lengths.take_while(|&length| length > 0).collect())
        }
        _ => return Err(Fault::unsupported("parameters other than those of up to four axes")),
    };
    let count = shape.iter().fold(1_u64, |count, &length| count.saturating_mul(length));
    let count = if shape.is_empty() { 0 } else { usize::try_from(count).unwrap_or(usize::MAX) };
    if count < FEW || count == FEW && matches!(kind, 0 | 1) {
        return Ok(bytes.to_vec());
    }
    let shape: Vec<usize> =
        shape.into_iter().rev().flat_map(usize::try_from).filter(|&length| length != 1).collect();
    match kind {
        0 => floats::<f32>(bytes, &shape, count, room),
        1 => floats::<f64>(bytes, &shape, count, room),
        2 => integers::<u8>(bytes, &shape, count, room),
        3 => integers::<i8>(bytes, &shape, count, room),
        4 => integers::<u16>(bytes, &shape, count, room),
        5 => integers::<i16>(bytes, &shape, count, room),
        6 => integers::<u32>(bytes, &shape, count, room),
        7 => integers::<i32>(bytes, &shape, count, room),
        8 => integers::<u64>(bytes, &shape, count, room),
        9 => integers::<i64>(bytes, &shape, count, room),
        other => Err(Fault::Unsupported(format!("numbers of type {other}"))),
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
    room: usize,
) -> Result<Vec<u8>, Fault> {
    let stream = stream::<T>(bytes, count, room)?;
    Ok(written(float::decode::<T>(&stream, shape, count)?))
}

fn integers<T: Integer>(
    bytes: &[u8],
    shape: &[usize],
    count: usize,
    room: usize,
) -> Result<Vec<u8>, Fault> {
    let stream = stream::<T>(bytes, count, room)?;
    Ok(written(integer::decode::<T>(&stream, shape, count)?))
}

/// The stream of a chunk, without the coder that was last.
fn stream<T: Number>(bytes: &[u8], count: usize, room: usize) -> Result<Cow<'_, [u8]>, Fault> {
    let length = Fault::check_room((count as u64).saturating_mul(size_of::<T>() as u64), room)?;
    // All numbers stored as they are, a code for each, trees of numbers and coefficients, and what is before them.
    let most = count
        .saturating_mul(CODE_BYTES)
        .saturating_add(count.min(SYMBOLS).saturating_mul(SYMBOL_BYTES).saturating_mul(2))
        .saturating_add(length)
        .saturating_add(1 << 16);
    match bytes {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => zstd::decode(bytes, most).map(Cow::Owned),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] | [0x68, 0x05 | 0x81 | 0xde, ..] => {
            deflate::decode(bytes, most).map(Cow::Owned)
        }
        _ => Ok(Cow::Borrowed(bytes)),
    }
}

fn written<T: Number>(numbers: Vec<T>) -> Vec<u8> {
    let mut output = Vec::new();
    for number in numbers {
        number.write(&mut output);
    }
    output
}

#[cfg(test)]
mod tests {
    use flate2::Crc;

    use super::chunks::{CHUNKS, Chunk};
    use super::*;
    use crate::testing::hex;

    fn chunk(what: &str) -> (&'static Chunk, Vec<u8>) {
        let chunk = CHUNKS.iter().find(|chunk| chunk.what == what).unwrap();
        (chunk, hex(chunk.stored))
    }

    /// The stream of a chunk, which no coder is behind any more.
    fn unpacked(stored: &[u8]) -> Vec<u8> {
        stream::<f64>(stored, 1 << 16, 1 << 20).unwrap().into_owned()
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
        assert!(matches!(five, Err(Fault::Unsupported(_))));
    }

    #[test]
    fn what_is_not_covered_is_named() {
        let named = |what: &str, place: usize, value: u8, values: &[u32]| {
            let mut stream = unpacked(&chunk(what).1);
            stream[place] = value;
            match decode(&stream, values, 1000) {
                Err(Fault::Unsupported(reason)) => reason,
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
}
