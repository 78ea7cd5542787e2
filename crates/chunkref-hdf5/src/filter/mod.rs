// SPDX-License-Identifier: MIT OR Apache-2.0
//! The filter pipeline: identifiers, masks and client data. The codecs undo and apply what the filters make.
//!
//! The scanner decodes only what references cannot say: variable-length strings, heap blocks, chunks whose filter mask
//! differs from their neighbours', and arrays whose filters no Zarr codec undoes.

mod parameters;

use bytes::Bytes;
use chunkref_codecs::{
    CodecError, bitshuffle, blosc, blosc2, bzip2, fletcher32, lz4, lzf, nbit, scaleoffset, shuffle,
    sz2, sz3, szip, zfp, zlib, zstd,
};
use chunkref_core::DecodeContext;

use crate::ending::Ending;
use crate::error::{Hdf5Error, Result};
use crate::message::Filter;

pub(crate) use parameters::{bitshuffle as bitshuffle_parameters, szip as szip_parameters};

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

/// Undoes the pipeline on `bytes`, which lie at `offset` of the file, until `ending`; no more than `max_length` bytes come
/// out.
pub(crate) fn decode(
    filters: &[Filter],
    mask: u32,
    bytes: Bytes,
    max_length: u64,
    offset: u64,
    ending: &Ending,
) -> Result<Bytes> {
    // A filter may add a checksum, or blow up what does not shrink.
    let room = max_length.saturating_add(max_length >> 3).saturating_add(SLACK);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    let context = DecodeContext::new(room, ending.cancellation());
    let mut bytes = applied(filters, mask).rev().try_fold(bytes, |bytes, filter| {
        ending.check()?;
        undo(filter, &bytes, &context).map_err(|error| match error {
            CodecError::Cancelled(cancelled) => ending.get_or_init(|| cancelled.into()).clone(),
            error => located(&error, filter, offset),
        })
    })?;
    bytes.truncate(usize::try_from(max_length).unwrap_or(usize::MAX));
    Ok(bytes)
}

/// Undoes one filter.
fn undo(filter: &Filter, bytes: &Bytes, context: &DecodeContext<'_>) -> Result<Bytes, CodecError> {
    let values = filter.values.as_slice();
    let decoded = match filter.id {
        id::DEFLATE => zlib::decode(bytes, context),
        id::SHUFFLE => shuffle::decode(bytes, parameters::shuffle(values)?, context),
        id::FLETCHER32 => return fletcher32::decode(bytes, context),
        id::SZIP => szip::decode(bytes, &parameters::szip(values)?, context),
        id::NBIT => nbit::decode(bytes, &nbit::Parameters::from_client_data(values)?, context),
        id::SCALEOFFSET => scaleoffset::decode(bytes, &parameters::scaleoffset(values)?, context),
        id::BZIP2 => bzip2::decode(bytes, bzip2::Streams::First, context),
        id::LZF => lzf::decode(bytes, context),
        id::BLOSC => blosc::decode(bytes, context),
        id::BLOSC2 => blosc2::decode(bytes, context),
        id::LZ4 => lz4::decode(bytes, context),
        id::BITSHUFFLE => bitshuffle::decode(bytes, &parameters::bitshuffle(values)?, context),
        id::ZFP => zfp::decode(bytes, &zfp::Parameters::from_client_data(values)?, context),
        id::SZ => sz2::decode(bytes, &sz2::Parameters::from_client_data(values)?, context),
        id::SZ3 => sz3::decode(bytes, &sz3::Parameters::from_client_data(values)?, context),
        id::ZSTD => zstd::decode(bytes, context),
        _ => Err(CodecError::Unsupported("decoding while scanning".to_owned())),
    };
    decoded.map(Bytes::from)
}

/// Applies the pipeline to `bytes`; `offset` is where the data came from.
pub(crate) fn encode(filters: &[Filter], mask: u32, bytes: Bytes, offset: u64) -> Result<Bytes> {
    applied(filters, mask).try_fold(bytes, |bytes, filter| {
        if filter.id == id::NBIT && is_plain_nbit(filter) {
            return Ok(bytes);
        }
        apply(filter, &bytes).map(Bytes::from).map_err(|error| located(&error, filter, offset))
    })
}

/// Applies one filter.
fn apply(filter: &Filter, bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
    let values = filter.values.as_slice();
    match filter.id {
        id::DEFLATE => zlib::encode(bytes, parameters::deflate_level(values)),
        id::SHUFFLE => Ok(shuffle::encode(bytes, parameters::shuffle(values)?)),
        id::FLETCHER32 => Ok(fletcher32::encode(bytes)),
        id::SZIP => szip::encode(bytes, &parameters::szip(values)?),
        id::BZIP2 => bzip2::encode(bytes, parameters::bzip2_level(values)),
        id::LZF => Ok(lzf::encode(bytes)),
        id::BLOSC => blosc::encode(bytes, parameters::blosc_element_length(values)),
        id::LZ4 => lz4::encode(bytes),
        id::BITSHUFFLE => bitshuffle::encode(bytes, &parameters::bitshuffle(values)?),
        id::ZSTD => Ok(zstd::encode(bytes)),
        _ => Err(CodecError::Unsupported("encoding while scanning".to_owned())),
    }
}

/// Whether a filter of N-bit leaves every chunk as it is.
pub(crate) fn is_plain_nbit(filter: &Filter) -> bool {
    nbit::Parameters::from_client_data(&filter.values).is_ok_and(|nbit| nbit.is_plain())
}

/// A zlib stream of `bytes`.
pub(crate) fn zlib(bytes: &Bytes, offset: u64) -> Result<Bytes> {
    encode(&[zlib_filter()], 0, bytes.clone(), offset)
}

/// The reverse of [`zlib`].
pub(crate) fn unzlib(bytes: Bytes, max_length: u64, ending: &Ending) -> Result<Bytes> {
    decode(&[zlib_filter()], 0, bytes, max_length, 0, ending)
}

fn zlib_filter() -> Filter {
    Filter { id: id::DEFLATE, name: String::new(), values: vec![zlib::DEFAULT_LEVEL] }
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

/// The error that says where, and what the filter is.
fn located(error: &CodecError, filter: &Filter, offset: u64) -> Hdf5Error {
    let described = format!("filter {} ({})", filter.id, name(filter));
    match error {
        CodecError::Unsupported(what) => {
            Hdf5Error::unsupported(STRUCTURE, offset, format!("{described}: {what}"))
        }
        &CodecError::Checksum { stored, computed } => {
            Hdf5Error::Checksum { structure: STRUCTURE, offset, stored, computed }
        }
        error => Hdf5Error::inconsistent(STRUCTURE, offset, format!("{described}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use chunkref_core::model::Codec;
    use chunkref_core::{Cancellation, Cancelled, Codecs};

    use super::*;

    fn decode(
        filters: &[Filter],
        mask: u32,
        bytes: Bytes,
        max_length: u64,
        offset: u64,
    ) -> Result<Bytes> {
        super::decode(filters, mask, bytes, max_length, offset, &Ending::default())
    }

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

    #[test]
    fn an_ended_scan_is_no_damage() {
        let data = Bytes::from(vec![0; 1 << 20]);
        let stored = encode(&pipeline(), 0, data, 0).unwrap();
        for questions in [0, 3, 9] {
            let asked = AtomicUsize::new(0);
            let cancellation = Cancellation::when(move || {
                let over = asked.fetch_add(1, Ordering::Relaxed) >= questions;
                over.then_some(Cancelled::Stopped)
            });
            let ending = Ending::new(cancellation);
            let outcome =
                super::decode(&pipeline(), 0, stored.clone(), 1 << 20, 7, &ending).unwrap_err();
            assert!(matches!(outcome, Hdf5Error::Cancelled(_)), "{questions}: {outcome}");
            // What ended the scan is remembered: no object is to be blamed.
            assert!(matches!(ending.get(), Some(Hdf5Error::Cancelled(_))));
        }
    }

    #[test]
    fn codecs_of_zarr_undo_what_their_filters_make() {
        let data: Bytes = (0..960_u32).flat_map(|n| (n / 7 % 50).to_le_bytes()).collect();
        let mut tried = 0;
        for entry in Codecs::linked().unwrap().entries() {
            let Some(id) = entry.hdf5_filter else { continue };
            let codec = Codec::new(entry.name);
            let (values, codec) = match id {
                id::SHUFFLE => (&[4][..], codec.with("elementsize", 4)),
                id::BLOSC => (&[2, 2, 4][..], codec),
                id::SZIP => {
                    let codec = codec
                        .with("options_mask", 169)
                        .with("pixels_per_block", 8)
                        .with("bits_per_pixel", 32)
                        .with("pixels_per_scanline", 256);
                    (&[169, 8, 32, 256][..], codec)
                }
                id::BITSHUFFLE => {
                    (&[0, 4, 4, 64, 0][..], codec.with("itemsize", 4).with("blocksize", 64))
                }
                _ => (&[][..], codec),
            };
            let filter = filter(id, values);
            assert!(is_decodable(&filter) && !name(&filter).starts_with("not named"), "{id}");
            let stored = encode(&[filter], 0, data.clone(), 0).unwrap();
            let decoded = entry.decode(&codec, &stored, &DecodeContext::up_to(3840));
            assert_eq!(decoded.unwrap(), data, "{id}");
            tried += 1;
        }
        assert_eq!(tried, 10);
    }
}
