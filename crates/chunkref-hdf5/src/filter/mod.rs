// SPDX-License-Identifier: MIT OR Apache-2.0
//! Undoing and applying filters, one module for each.
//!
//! The scanner decodes only what references cannot say: variable-length strings, heap blocks, chunks whose filter mask
//! differs from their neighbours', and arrays whose filters no Zarr codec undoes.

mod bits;
mod bitshuffle;
mod blosc;
mod blosc2;
mod blosclz;
mod bzip2;
mod deflate;
mod fletcher32;
mod lz4;
mod lzf;
mod nbit;
mod output;
mod scaleoffset;
mod shuffle;
mod sz2;
mod sz3;
mod sz_huffman;
mod szip;
mod zfp;
mod zstd;

use std::fmt::{self, Display};
use std::io::{self, Read};

use bytes::Bytes;
use chunkref_core::Truncated;

use crate::error::{Hdf5Error, Result};
use crate::message::Filter;

pub(crate) use bitshuffle::plain_block_elements;
pub(crate) use nbit::does_nothing as nbit_does_nothing;
pub(crate) use shuffle::element_length;
pub(crate) use szip::Settings as SzipSettings;

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
    pub(crate) const ZFP: u16 = 32013;
    pub(crate) const ZSTD: u16 = 32015;
    pub(crate) const SZ: u16 = 32017;
    pub(crate) const SZ3: u16 = 32024;
    pub(crate) const BLOSC2: u16 = 32026;
}

const STRUCTURE: &str = "filtered data";

/// What a filter may make of the bytes of the one before it, more than there were.
const SLACK: u64 = 4096;

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

/// What a filter is called: by the registry, or by the file.
pub(crate) fn name(filter: &Filter) -> &str {
    match filter.id {
        id::DEFLATE => "deflate",
        id::SHUFFLE => "shuffle",
        id::FLETCHER32 => "fletcher32",
        id::SZIP => "szip",
        id::NBIT => "nbit",
        id::SCALEOFFSET => "scaleoffset",
        id::BZIP2 => "bzip2",
        id::LZF => "lzf",
        id::BLOSC => "blosc",
        id::LZ4 => "lz4",
        id::BITSHUFFLE => "bitshuffle",
        id::ZFP => "zfp",
        id::SZ => "sz",
        id::SZ3 => "sz3",
        id::ZSTD => "zstd",
        id::BLOSC2 => "blosc2",
        _ if filter.name.is_empty() => "not named in the file",
        _ => &filter.name,
    }
}

/// Undoes the pipeline on `bytes`, which lie at `offset` of the file; no more than `max_length` bytes come out.
pub(crate) fn decode(
    filters: &[Filter],
    mask: u32,
    bytes: Bytes,
    max_length: u64,
    offset: u64,
) -> Result<Bytes> {
    // A filter may add a checksum, or blow up what does not shrink.
    let room = max_length.saturating_add(max_length >> 3).saturating_add(SLACK);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    let mut bytes = applied(filters, mask).rev().try_fold(bytes, |bytes, filter| {
        let decoded = undo(filter, &bytes, room);
        decoded.map(Bytes::from).map_err(|fault| fault.of(filter, offset))
    })?;
    bytes.truncate(usize::try_from(max_length).unwrap_or(usize::MAX));
    Ok(bytes)
}

/// Undoes one filter; no more than `room` bytes come out.
pub(crate) fn undo(filter: &Filter, bytes: &Bytes, room: usize) -> Result<Vec<u8>, Fault> {
    let values = &filter.values;
    match filter.id {
        id::DEFLATE => deflate::decode(bytes, room),
        id::SHUFFLE => element_length(values).map(|length| shuffle::decode(bytes, length)),
        id::FLETCHER32 => fletcher32::decode(bytes),
        id::SZIP => szip::decode(bytes, values, room),
        id::NBIT => nbit::decode(bytes, values, room),
        id::SCALEOFFSET => scaleoffset::decode(bytes, values, room),
        id::BZIP2 => bzip2::decode(bytes, room),
        id::LZF => lzf::decode(bytes, room),
        id::BLOSC => blosc::decode(bytes, room),
        id::BLOSC2 => blosc2::decode(bytes, room),
        id::LZ4 => lz4::decode(bytes, room),
        id::BITSHUFFLE => bitshuffle::decode(bytes, values, room),
        id::ZFP => zfp::decode(bytes, values, room),
        id::SZ => sz2::decode(bytes, values, room),
        id::SZ3 => sz3::decode(bytes, values, room),
        id::ZSTD => zstd::decode(bytes, room),
        _ => Err(Fault::unsupported("decoding while scanning")),
    }
}

/// Applies the pipeline to `bytes`; `offset` is where the data came from.
pub(crate) fn encode(filters: &[Filter], mask: u32, bytes: Bytes, offset: u64) -> Result<Bytes> {
    applied(filters, mask).try_fold(bytes, |bytes, filter| {
        let values = &filter.values;
        let encoded = match filter.id {
            id::DEFLATE => deflate::encode(&bytes, values),
            id::SHUFFLE => element_length(values).map(|length| shuffle::encode(&bytes, length)),
            id::FLETCHER32 => Ok(fletcher32::encode(&bytes)),
            id::SZIP => szip::encode(&bytes, values),
            id::NBIT if nbit_does_nothing(values) => return Ok(bytes),
            id::BZIP2 => bzip2::encode(&bytes, values),
            id::LZF => Ok(lzf::encode(&bytes)),
            id::BLOSC => blosc::encode(&bytes, values),
            id::LZ4 => lz4::encode(&bytes),
            id::BITSHUFFLE => bitshuffle::encode(&bytes, values),
            id::ZSTD => Ok(zstd::encode(&bytes)),
            _ => Err(Fault::unsupported("encoding while scanning")),
        };
        encoded.map(Bytes::from).map_err(|fault| fault.of(filter, offset))
    })
}

/// A zlib stream of `bytes`.
pub(crate) fn zlib(bytes: &Bytes, offset: u64) -> Result<Bytes> {
    encode(&[zlib_filter()], 0, bytes.clone(), offset)
}

/// The reverse of [`zlib`].
pub(crate) fn unzlib(bytes: Bytes, max_length: u64, offset: u64) -> Result<Bytes> {
    decode(&[zlib_filter()], 0, bytes, max_length, offset)
}

fn zlib_filter() -> Filter {
    Filter { id: id::DEFLATE, name: String::new(), values: vec![6] }
}

/// Whether this release has a decoder for a filter, whatever its settings.
pub(crate) fn is_decodable(filter: &Filter) -> bool {
    matches!(
        filter.id,
        id::DEFLATE
            | id::SHUFFLE
            | id::FLETCHER32
            | id::SZIP
            | id::NBIT
            | id::SCALEOFFSET
            | id::BZIP2
            | id::LZF
            | id::BLOSC
            | id::BLOSC2
            | id::LZ4
            | id::BITSHUFFLE
            | id::ZFP
            | id::SZ
            | id::SZ3
            | id::ZSTD
    )
}

/// Why bytes cannot be decoded or encoded.
#[derive(Debug)]
pub(crate) enum Fault {
    /// They are not what the filter makes.
    Damaged(String),
    /// Settings or formats that this release does not cover.
    Unsupported(String),
    /// A checksum that does not fit.
    Checksum { stored: u32, computed: u32 },
}

impl Fault {
    fn damaged(reason: &str) -> Self {
        Self::Damaged(reason.to_owned())
    }

    fn unsupported(what: &str) -> Self {
        Self::Unsupported(what.to_owned())
    }

    fn end() -> Self {
        Self::damaged("its bytes end early")
    }

    fn too_long(room: usize) -> Self {
        Self::Damaged(format!("more than {room} bytes come out of it"))
    }

    /// A claimed length, if there is room for it.
    fn check_room(claimed: u64, room: usize) -> Result<usize, Self> {
        usize::try_from(claimed)
            .ok()
            .filter(|&length| length <= room)
            .ok_or_else(|| Self::too_long(room))
    }

    /// All that a decoder gives, up to `room` bytes.
    fn read_to_end(decoder: impl Read, room: usize) -> Result<Vec<u8>, Self> {
        let mut output = Vec::new();
        decoder.take((room as u64).saturating_add(1)).read_to_end(&mut output)?;
        if output.len() > room {
            return Err(Self::too_long(room));
        }
        Ok(output)
    }

    /// The error that says where, and what the filter is.
    fn of(self, filter: &Filter, offset: u64) -> Hdf5Error {
        let filter = format!("filter {} ({})", filter.id, name(filter));
        match self {
            Self::Damaged(reason) => {
                Hdf5Error::inconsistent(STRUCTURE, offset, format!("{filter}: {reason}"))
            }
            Self::Unsupported(what) => {
                Hdf5Error::unsupported(STRUCTURE, offset, format!("{filter}: {what}"))
            }
            Self::Checksum { stored, computed } => {
                Hdf5Error::Checksum { structure: STRUCTURE, offset, stored, computed }
            }
        }
    }
}

impl Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(reason) => formatter.write_str(reason),
            Self::Unsupported(what) => write!(formatter, "{what} is not supported"),
            Self::Checksum { stored, computed } => {
                write!(
                    formatter,
                    "the checksum is {stored:#010x}, that of the data {computed:#010x}"
                )
            }
        }
    }
}

impl From<Truncated> for Fault {
    fn from(_: Truncated) -> Self {
        Self::end()
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Damaged(format!("its stream is damaged: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(id: u16, values: &[u32]) -> Filter {
        Filter { id, name: String::new(), values: values.to_vec() }
    }

    fn pipeline() -> Vec<Filter> {
        vec![filter(id::SHUFFLE, &[4]), filter(id::DEFLATE, &[6]), filter(id::FLETCHER32, &[])]
    }

    #[test]
    fn what_is_encoded_decodes_with_any_mask() {
        let data: Bytes =
            (0..1003_u32).flat_map(|n| u8::try_from(n * 7 % 251)).collect::<Vec<u8>>().into();
        for mask in 0..8 {
            let stored = encode(&pipeline(), mask, data.clone(), 0).unwrap();
            let decoded = decode(&pipeline(), mask, stored, data.len() as u64, 0).unwrap();
            assert_eq!(decoded, data, "{mask}");
        }
    }

    #[test]
    fn what_every_encoder_makes_decodes() {
        let data: Bytes = (0..960_u32).flat_map(|n| (n / 7 % 50).to_le_bytes()).collect();
        for (id, values) in [
            (id::DEFLATE, &[9][..]),
            (id::SHUFFLE, &[4]),
            (id::FLETCHER32, &[]),
            (id::SZIP, &[169, 8, 32, 256]),
            (id::NBIT, &[8, 1, 960]),
            (id::BZIP2, &[]),
            (id::LZF, &[]),
            (id::BLOSC, &[2, 2, 4]),
            (id::LZ4, &[]),
            (id::BITSHUFFLE, &[0, 4, 4, 0, 0]),
            (id::ZSTD, &[]),
        ] {
            let filters = [filter(id, values)];
            let stored = encode(&filters, 0, data.clone(), 0).unwrap();
            assert_eq!(decode(&filters, 0, stored, 3840, 0).unwrap(), data, "{id}");
            assert!(is_decodable(&filters[0]));
        }
    }

    #[test]
    fn damage_is_an_error_or_stays_in_bounds() {
        let data: Bytes = (0..240_u32).flat_map(|n| (n / 7 % 50).to_le_bytes()).collect();
        let mut errors = 0;
        for (id, values) in [
            (id::DEFLATE, &[9][..]),
            (id::SZIP, &[169, 8, 32, 256]),
            (id::BZIP2, &[]),
            (id::LZF, &[]),
            (id::BLOSC, &[2, 2, 4]),
            (id::LZ4, &[]),
            (id::BITSHUFFLE, &[0, 4, 4, 0, 0]),
            (id::ZSTD, &[]),
        ] {
            let filters = [filter(id, values)];
            let stored = encode(&filters, 0, data.clone(), 0).unwrap();
            for at in 0..stored.len() {
                let mut damaged = stored.to_vec();
                damaged[at] ^= 0xa5;
                match decode(&filters, 0, damaged.into(), 960, 0) {
                    Ok(bytes) => assert!(bytes.len() <= 960, "{id} at {at}"),
                    Err(_) => errors += 1,
                }
            }
        }
        assert!(errors > 0);
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
        let unknown = [Filter { id: 32012, name: "jpeg".to_owned(), values: Vec::new() }];
        assert!(!is_decodable(&unknown[0]));
        let error = decode(&unknown, 0, Bytes::new(), 0, 0).unwrap_err();
        assert!(error.to_string().contains("filter 32012 (jpeg)"), "{error}");
    }
}
