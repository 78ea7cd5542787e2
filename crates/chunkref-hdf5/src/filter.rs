// SPDX-License-Identifier: MIT OR Apache-2.0
//! Undoing and applying the filters that HDF5 itself defines: deflate, shuffle and fletcher32.
//!
//! The scanner decodes only what references cannot say: variable-length strings, heap blocks, and chunks whose filter
//! mask differs from their neighbours'.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::error::{Hdf5Error, Result};
use crate::message::Filter;

/// Registered filter identifiers.
pub(crate) mod id {
    pub(crate) const DEFLATE: u16 = 1;
    pub(crate) const SHUFFLE: u16 = 2;
    pub(crate) const FLETCHER32: u16 = 3;
    pub(crate) const SZIP: u16 = 4;
    pub(crate) const NBIT: u16 = 5;
    pub(crate) const SCALEOFFSET: u16 = 6;
    pub(crate) const BZIP2: u16 = 307;
    pub(crate) const LZF: u16 = 32000;
    pub(crate) const BLOSC: u16 = 32001;
    pub(crate) const LZ4: u16 = 32004;
    pub(crate) const BITSHUFFLE: u16 = 32008;
    pub(crate) const ZSTD: u16 = 32015;
    pub(crate) const BLOSC2: u16 = 32026;
}

const STRUCTURE: &str = "filtered data";

/// The filters of a pipeline that a chunk with `mask` went through.
pub(crate) fn applied(filters: &[Filter], mask: u32) -> impl DoubleEndedIterator<Item = &Filter> {
    filters
        .iter()
        .enumerate()
        .filter(move |(number, _)| mask & bit(*number) == 0)
        .map(|(_, filter)| filter)
}

/// The mask bit of filter `number`.
pub(crate) fn bit(number: usize) -> u32 {
    u32::try_from(number).ok().and_then(|number| 1_u32.checked_shl(number)).unwrap_or(0)
}

/// Undoes the pipeline on `bytes`, which lie at `offset` of the file; nothing longer than `max_length` comes out.
pub(crate) fn decode(
    filters: &[Filter],
    mask: u32,
    bytes: Bytes,
    max_length: u64,
    offset: u64,
) -> Result<Bytes> {
    // A later filter may add a checksum or so to what the earlier ones made.
    let room = max_length.saturating_add(64);
    applied(filters, mask).rev().try_fold(bytes, |bytes, filter| match filter.id {
        id::DEFLATE => inflate(&bytes, room, offset),
        id::SHUFFLE => Ok(unshuffle(&bytes, element_length(filter)).into()),
        id::FLETCHER32 => check_fletcher32(bytes, offset),
        _ => Err(unsupported(filter, offset)),
    })
}

/// Applies the pipeline to `bytes`; `offset` is where the data came from.
pub(crate) fn encode(filters: &[Filter], mask: u32, bytes: Bytes, offset: u64) -> Result<Bytes> {
    applied(filters, mask).try_fold(bytes, |bytes, filter| match filter.id {
        id::DEFLATE => {
            let level = Compression::new(filter.values.first().copied().unwrap_or(6).min(9));
            let mut encoder = ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(&bytes).and_then(|()| encoder.finish()).map(Bytes::from).map_err(
                |error| {
                    Hdf5Error::inconsistent(
                        STRUCTURE,
                        offset,
                        format!("cannot be compressed again: {error}"),
                    )
                },
            )
        }
        id::SHUFFLE => Ok(shuffle(&bytes, element_length(filter)).into()),
        id::FLETCHER32 => {
            let checksum = fletcher32(&bytes);
            Ok([&bytes[..], &checksum.to_le_bytes()].concat().into())
        }
        _ => Err(unsupported(filter, offset)),
    })
}

/// The element length that shuffle was set up with.
pub(crate) fn element_length(filter: &Filter) -> usize {
    filter.values.first().and_then(|&length| usize::try_from(length).ok()).unwrap_or(1)
}

fn unsupported(filter: &Filter, offset: u64) -> Hdf5Error {
    let name = if filter.name.is_empty() { String::new() } else { format!(" ({})", filter.name) };
    Hdf5Error::unsupported(
        STRUCTURE,
        offset,
        format!("decoding filter {}{name} while scanning", filter.id),
    )
}

fn inflate(bytes: &[u8], room: u64, offset: u64) -> Result<Bytes> {
    let mut output = Vec::new();
    ZlibDecoder::new(bytes).take(room.saturating_add(1)).read_to_end(&mut output).map_err(
        |error| {
            Hdf5Error::inconsistent(
                STRUCTURE,
                offset,
                format!("the deflate stream is damaged: {error}"),
            )
        },
    )?;
    if output.len() as u64 > room {
        return Err(Hdf5Error::inconsistent(
            STRUCTURE,
            offset,
            format!("inflates to more than {room} bytes"),
        ));
    }
    Ok(output.into())
}

/// Gathers byte n of every element; a rest that is no whole element stays at the end.
fn shuffle(bytes: &[u8], length: usize) -> Vec<u8> {
    if length < 2 {
        return bytes.to_vec();
    }
    let elements = bytes.chunks_exact(length);
    let rest = elements.remainder();
    let mut output: Vec<u8> = (0..length)
        .flat_map(|plane| elements.clone().filter_map(move |element| element.get(plane).copied()))
        .collect();
    output.extend_from_slice(rest);
    output
}

/// The reverse of [`shuffle`].
fn unshuffle(bytes: &[u8], length: usize) -> Vec<u8> {
    let count = bytes.len().checked_div(length).unwrap_or(0);
    if length < 2 || count == 0 {
        return bytes.to_vec();
    }
    let (whole, rest) = bytes.split_at(count.saturating_mul(length));
    let planes: Vec<&[u8]> = whole.chunks_exact(count).collect();
    let mut output: Vec<u8> = (0..count)
        .flat_map(|element| planes.iter().filter_map(move |plane| plane.get(element).copied()))
        .collect();
    output.extend_from_slice(rest);
    output
}

fn check_fletcher32(bytes: Bytes, offset: u64) -> Result<Bytes> {
    let Some((body, stored)) = bytes.split_last_chunk::<4>() else {
        return Err(Hdf5Error::inconsistent(STRUCTURE, offset, "too short for its checksum"));
    };
    let (stored, computed) = (u32::from_le_bytes(*stored), fletcher32(body));
    if stored != computed {
        return Err(Hdf5Error::Checksum { structure: STRUCTURE, offset, stored, computed });
    }
    Ok(bytes.slice(..body.len()))
}

/// Fletcher's checksum as libhdf5 computes it: over big-endian 16-bit words, an odd last byte in the high half.
fn fletcher32(bytes: &[u8]) -> u32 {
    let (mut sum1, mut sum2) = (0_u32, 0_u32);
    let mut add = |word: u32| {
        sum1 = sum1.saturating_add(word) % 65535;
        sum2 = sum2.saturating_add(sum1) % 65535;
    };
    let words = bytes.chunks_exact(2);
    let rest = words.remainder();
    for word in words {
        if let [high, low] = word {
            add(u32::from(*high) << 8 | u32::from(*low));
        }
    }
    if let [high] = rest {
        add(u32::from(*high) << 8);
    }
    sum2 << 16 | sum1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipeline() -> Vec<Filter> {
        [(id::SHUFFLE, vec![4]), (id::DEFLATE, vec![6]), (id::FLETCHER32, vec![])]
            .map(|(id, values)| Filter { id, name: String::new(), values })
            .to_vec()
    }

    #[test]
    fn what_is_encoded_decodes_with_any_mask() {
        let data: Bytes =
            (0..1003_u32).flat_map(|n| u8::try_from(n * 7 % 251)).collect::<Vec<u8>>().into();
        for mask in 0..8 {
            let stored = encode(&pipeline(), mask, data.clone(), 0).unwrap();
            assert_eq!(
                decode(&pipeline(), mask, stored, data.len() as u64, 0).unwrap(),
                data,
                "{mask}"
            );
        }
    }

    #[test]
    fn shuffle_gathers_planes_and_keeps_the_rest() {
        assert_eq!(shuffle(&[1, 2, 3, 4, 5], 2), [1, 3, 2, 4, 5]);
        assert_eq!(unshuffle(&[1, 3, 2, 4, 5], 2), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_bomb_and_damage_are_errors() {
        let zeros = Bytes::from(vec![0; 1 << 20]);
        let stored = encode(&pipeline(), 0b101, zeros, 0).unwrap();
        assert!(matches!(
            decode(&pipeline(), 0b101, stored, 1000, 0),
            Err(Hdf5Error::Inconsistent { .. })
        ));
        let mut stored = encode(&pipeline(), 0, Bytes::from_static(&[5; 100]), 0).unwrap().to_vec();
        stored[5] ^= 1;
        assert!(matches!(
            decode(&pipeline(), 0, stored.into(), 100, 0),
            Err(Hdf5Error::Checksum { .. })
        ));
        let szip = [Filter { id: id::SZIP, name: "szip".to_owned(), values: vec![] }];
        assert!(matches!(decode(&szip, 0, Bytes::new(), 0, 0), Err(Hdf5Error::Unsupported { .. })));
    }

    #[test]
    fn fletcher32_of_libhdf5() {
        // Computed by libhdf5 1.14 for the same bytes.
        assert_eq!(fletcher32(&[0, 1, 0, 2]), (1 + 3) << 16 | 3);
        assert_eq!(fletcher32(&[1]), 256 << 16 | 256);
    }
}
