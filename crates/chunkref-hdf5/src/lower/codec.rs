// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filters as codecs.

use chunkref_core::model::Codec;

use super::Refusal;
use crate::filter::{applied, id};
use crate::message::Filter;
use crate::object::Dataset;

/// The codecs of a chunked dataset, in the order of its filters.
pub(super) fn lower(dataset: &Dataset) -> Result<Vec<Codec>, Refusal> {
    applied(&dataset.filters, dataset.usual_mask())
        .map(|filter| codec(filter, dataset.datatype.length))
        .collect()
}

fn codec(filter: &Filter, element_length: u32) -> Result<Codec, Refusal> {
    let value = |index: usize| filter.values.get(index).copied();
    match filter.id {
        id::DEFLATE => Ok(Codec::new("zlib").with("level", value(0).unwrap_or(6))),
        id::SHUFFLE => {
            Ok(Codec::new("shuffle").with("elementsize", value(0).unwrap_or(element_length)))
        }
        id::FLETCHER32 => Ok(Codec::new("fletcher32")),
        id::BZIP2 => Ok(Codec::new("bz2").with("level", value(0).unwrap_or(9))),
        id::ZSTD => {
            Ok(Codec::new("zstd").with("level", value(0).unwrap_or(3)).with("checksum", false))
        }
        id::BLOSC => blosc(filter),
        _ => Err(Refusal::new(format!(
            "the chunks went through filter {} ({}), for which this release has no Zarr codec",
            filter.id,
            name(filter)
        ))),
    }
}

/// The filter's client data: version, Blosc version, element length, chunk bytes, level, shuffle, compressor.
fn blosc(filter: &Filter) -> Result<Codec, Refusal> {
    let [_, _, _, bytes, level, shuffle, rest @ ..] = filter.values.as_slice() else {
        let reason =
            format!("the blosc filter has {} parameters where 6 or 7 must be", filter.values.len());
        return Err(Refusal::new(reason));
    };
    let compressor = rest.first().copied().unwrap_or(0);
    let names = ["blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"];
    let Some(name) = usize::try_from(compressor).ok().and_then(|index| names.get(index)) else {
        return Err(Refusal::new(format!(
            "the blosc filter has compressor {compressor}, which is not known"
        )));
    };
    Ok(Codec::new("blosc")
        .with("cname", *name)
        .with("clevel", *level)
        .with("shuffle", *shuffle)
        .with("blocksize", *bytes))
}

/// What a filter is called, by the file or by the registry.
fn name(filter: &Filter) -> &str {
    match filter.id {
        id::SZIP => "szip",
        id::NBIT => "nbit",
        id::SCALEOFFSET => "scaleoffset",
        id::LZF => "lzf",
        id::LZ4 => "lz4",
        id::BITSHUFFLE => "bitshuffle",
        id::BLOSC2 => "blosc2",
        _ if filter.name.is_empty() => "not named in the file",
        _ => &filter.name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(id: u16, values: &[u32]) -> Filter {
        Filter { id, name: String::new(), values: values.to_vec() }
    }

    #[test]
    fn known_filters_keep_their_parameters() {
        let shuffle = codec(&filter(id::SHUFFLE, &[2]), 4).unwrap();
        assert_eq!(shuffle, Codec::new("shuffle").with("elementsize", 2));
        let blosc = codec(&filter(id::BLOSC, &[2, 2, 4, 400, 5, 1, 5]), 4).unwrap();
        let expected = Codec::new("blosc")
            .with("cname", "zstd")
            .with("clevel", 5)
            .with("shuffle", 1)
            .with("blocksize", 400);
        assert_eq!(blosc, expected);
    }

    #[test]
    fn unknown_filters_are_refused_by_name() {
        assert!(codec(&filter(id::SZIP, &[]), 4).unwrap_err().reason.contains("filter 4 (szip)"));
        assert!(codec(&filter(id::BLOSC, &[2]), 4).is_err());
        assert!(codec(&filter(id::BLOSC, &[2, 2, 4, 400, 5, 1, 9]), 4).is_err());
    }
}
