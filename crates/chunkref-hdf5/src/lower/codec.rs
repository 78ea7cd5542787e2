// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filters as codecs, by their names in numcodecs and in imagecodecs. Only those that decode HDF5's bytes as they are.

use chunkref_codecs::bitshuffle::Compressor;
use chunkref_core::model::Codec;
use chunkref_core::{CodecEntry, Codecs, LengthChange};

use super::codec_table::CodecTable;
use crate::filter::{self, id};
use crate::filter_options::CODEC;
use crate::message::Filter;
use crate::object::{Dataset, Storage};

/// imagecodecs decodes LZF into this many bytes for each stored one, since the stream does not say its length.
const LZF_GROWTH: u64 = 8;

/// JPEG-LS as EUMETSAT's FCIDECOMP frames it.
const FCIDECOMP: u16 = 32018;
const SPERR: u16 = 32028;

/// The codecs of a chunked dataset, in the order of its filters; the error says which filter has none, and why.
pub(crate) fn codecs(dataset: &Dataset, table: &CodecTable) -> Result<Vec<Codec>, String> {
    let Storage::Chunked { grid, .. } = &dataset.storage else { return Ok(Vec::new()) };
    let filters: Vec<&Filter> = filter::applied(&dataset.filters, dataset.usual_mask()).collect();
    let mut pipeline = Pipeline {
        codecs: Vec::new(),
        length: Some(grid.chunk_bytes),
        element_length: dataset.datatype.length,
    };
    for (number, filter) in filters.iter().enumerate() {
        let later = filters.get(number.saturating_add(1)..).unwrap_or_default();
        let least = || least_stored(dataset, later);
        pipeline.push(filter, table, least).map_err(|reason| {
            format!(
                "the chunks went through filter {} ({}): {reason}",
                filter.id,
                filter::name(filter)
            )
        })?;
    }
    Ok(pipeline.codecs)
}

/// The stored length of the smallest chunk, before the checksums of `later` filters; `None` when those change more.
fn least_stored(dataset: &Dataset, later: &[&Filter]) -> Option<u64> {
    let Storage::Chunked { table, .. } = &dataset.storage else { return None };
    let checksums = later.iter().try_fold(0_u64, |sum, filter| match filter.id {
        id::FLETCHER32 => sum.checked_add(4),
        _ => None,
    })?;
    let usual = dataset.usual_mask();
    let lengths = table
        .iter()
        .filter(|chunk| dataset.effective_mask(chunk.filter_mask) == usual)
        .map(|chunk| chunk.length);
    Some(lengths.min().unwrap_or(u64::MAX).saturating_sub(checksums))
}

/// Codecs so far.
struct Pipeline {
    codecs: Vec<Codec>,
    /// Bytes of a chunk at this point, unless a compressor came before.
    length: Option<u64>,
    element_length: u32,
}

impl Pipeline {
    fn push(
        &mut self,
        filter: &Filter,
        table: &CodecTable,
        least_stored: impl Fn() -> Option<u64>,
    ) -> Result<(), String> {
        if let Some(codecs) = table.codecs(filter) {
            self.codecs.extend(codecs?);
            self.length = None;
            return Ok(());
        }
        let value = |index: usize| filter.values.get(index).copied();
        let codec = match filter.id {
            id::SHUFFLE => {
                let element_length = value(0).unwrap_or(self.element_length);
                if element_length > 1 {
                    self.require_whole(element_length)?;
                    let codec = Codec::new("shuffle").with("elementsize", element_length);
                    self.codecs.push(codec);
                }
                return Ok(());
            }
            id::FLETCHER32 => {
                self.length = self.length.and_then(|length| length.checked_add(4));
                self.codecs.push(Codec::new("fletcher32"));
                return Ok(());
            }
            id::NBIT if filter::is_plain_nbit(filter) => return Ok(()),
            id::BITSHUFFLE => {
                let codecs = self.bitshuffle(filter)?;
                self.codecs.extend(codecs);
                return Ok(());
            }
            id::DEFLATE => Codec::new("zlib").with("level", value(0).unwrap_or(6)),
            id::BZIP2 => Codec::new("bz2").with("level", value(0).unwrap_or(9)),
            id::ZSTD => {
                Codec::new("zstd").with("level", value(0).unwrap_or(3)).with("checksum", false)
            }
            id::BLOSC => blosc(filter)?,
            id::LZ4 => Codec::new("imagecodecs_lz4h5"),
            id::LZF => self.lzf(least_stored())?,
            id::SZIP => szip(filter)?,
            FCIDECOMP => self.jpegls(filter)?,
            SPERR => self.sperr(filter)?,
            _ => return self.linked(filter),
        };
        self.codecs.push(codec);
        self.length = None;
        Ok(())
    }

    /// The codec of another crate for a filter that has none here.
    fn linked(&mut self, filter: &Filter) -> Result<(), String> {
        let codecs = Codecs::linked().map_err(|error| error.to_string())?;
        self.push_linked(filter, codecs.by_hdf5_filter(filter.id))
    }

    fn push_linked(&mut self, filter: &Filter, entry: Option<&CodecEntry>) -> Result<(), String> {
        let entry = entry.ok_or("this release has no Zarr codec for it")?;
        let name = entry.name;
        let settings = entry.hdf5_settings.ok_or_else(|| {
            format!(
                "the codec {name:?}, which is linked in, undoes it, and does not say how the filter's client data {:?} become its settings; say it with {}, as in {}={{\"id\":{name:?},\"SETTING\":\"$0\"}}",
                filter.values, CODEC.name, filter.id
            )
        })?;
        let codec = settings(&filter.values).map_err(|reason| {
            format!("the codec {name:?} takes no client data {:?}: {reason}", filter.values)
        })?;
        self.codecs.push(codec);
        self.length = match entry.length {
            LengthChange::None => self.length,
            LengthChange::Longer(more) => {
                self.length.and_then(|length| length.checked_add(more.into()))
            }
            _ => None,
        };
        Ok(())
    }

    /// Codecs that move bytes or bits of elements refuse what is no whole number of them.
    fn require_whole(&self, element_length: u32) -> Result<(), String> {
        match self.length.map(|length| length.checked_rem(element_length.into())) {
            Some(Some(0)) => Ok(()),
            Some(_) => Err(format!(
                "Zarr's codec for it takes whole elements of {element_length} bytes only"
            )),
            None => Err(format!(
                "behind a compressor, and Zarr's codec for it takes whole elements of {element_length} bytes only"
            )),
        }
    }

    /// imagecodecs takes the element length from an array where it is given one, and zarr-python gives it arrays of bytes:
    /// `astype` changes nothing but that.
    fn bitshuffle(&self, filter: &Filter) -> Result<Vec<Codec>, String> {
        let settings = filter::bitshuffle_parameters(&filter.values).ok();
        let block_elements = settings
            .filter(|settings| settings.compressor() == Compressor::None)
            .ok_or("Zarr has a codec for it without compression only")?
            .block_elements();
        let element_length = filter.values.get(2).copied().unwrap_or(0);
        self.require_whole(element_length)?;
        let dtype = match element_length {
            1 => "|u1",
            2 => "<u2",
            4 => "<u4",
            8 => "<u8",
            16 => "<c16",
            other => return Err(format!("Zarr's codec for it has no elements of {other} bytes")),
        };
        let shuffle = Codec::new("imagecodecs_bitshuffle")
            .with("itemsize", element_length)
            .with("blocksize", block_elements);
        let elements = Codec::new("astype").with("encode_dtype", dtype).with("decode_dtype", dtype);
        Ok(vec![shuffle, elements])
    }

    /// The filter's client data: bytes of a sample, components, lines, samples, bits, components, interleaving, loss,
    /// five thresholds. Its codec turns several components round, and makes single bytes of up to eight bits.
    fn jpegls(&self, filter: &Filter) -> Result<Codec, String> {
        let [bytes, 1, lines, samples, bits, 1, 0, 0, 0, 0, 0, 0, 0] = *filter.values.as_slice()
        else {
            return Err("Zarr's codec for it takes one component without loss only".to_owned());
        };
        if !matches!((bytes, bits), (1, 2..=8) | (2, 9..=16)) {
            return Err(format!("Zarr's codec for it has no {bits} bits in {bytes} bytes"));
        }
        self.require_elements(bytes, &[lines, samples])?;
        Ok(Codec::new("imagecodecs_jpegls"))
    }

    /// The filter's client data: number of axes and type, mode and quality, lengths of the axes longer than 1. The codec
    /// wants a level and a mode for encoding only.
    fn sperr(&self, filter: &Filter) -> Result<Codec, String> {
        let [layout, quality, axes @ ..] = filter.values.as_slice() else {
            return Err(format!("it has {} parameters", filter.values.len()));
        };
        // From its release with bit 10 set, chunks start with a byte more, and may have a mask of missing values.
        let (dtype, element_length) = match (layout, axes.len()) {
            (0x02, 2) | (0x03, 3) => ("<f8", 8),
            (0x12, 2) | (0x13, 3) => ("<f4", 4),
            _ => {
                return Err("Zarr's codec for it reads chunks of its first version only".to_owned());
            }
        };
        self.require_elements(element_length, axes)?;
        let mut shape = axes.to_vec();
        // The filter takes the first axis for the fastest one, unless told to swap them.
        if quality.leading_zeros() > 0 {
            shape.reverse();
        }
        Ok(Codec::new("imagecodecs_sperr")
            .with("level", 16)
            .with("mode", "bpp")
            .with("header", false)
            .with("shape", shape)
            .with("dtype", dtype))
    }

    /// Codecs of images come first in a pipeline, and what they make must be the chunk.
    fn require_elements(&self, element_length: u32, axes: &[u32]) -> Result<(), String> {
        let bytes = axes.iter().try_fold(u64::from(element_length), |product, &length| {
            product.checked_mul(length.into())
        });
        if self.codecs.is_empty()
            && self.element_length == element_length
            && bytes.is_some()
            && bytes == self.length
        {
            return Ok(());
        }
        Err("its parameters are not those of whole chunks, or it is not the first filter"
            .to_owned())
    }

    /// Its codec must guess the length, and so is of no use for chunks that shrank very well.
    fn lzf(&self, least_stored: Option<u64>) -> Result<Codec, String> {
        let fits = self
            .length
            .zip(least_stored)
            .is_some_and(|(length, stored)| length <= stored.saturating_mul(LZF_GROWTH));
        if fits {
            return Ok(Codec::new("imagecodecs_lzf").with("header", false));
        }
        Err(format!(
            "Zarr's codec for it finds room for chunks of at most {LZF_GROWTH} times their stored bytes, and one is longer"
        ))
    }
}

/// The filter's client data: version, Blosc version, element length, chunk bytes, level, shuffle, compressor.
fn blosc(filter: &Filter) -> Result<Codec, String> {
    let [_, _, _, bytes, level, shuffle, rest @ ..] = filter.values.as_slice() else {
        return Err(format!("it has {} parameters where 6 or 7 must be", filter.values.len()));
    };
    let name = match rest.first().copied().unwrap_or(0) {
        0 => "blosclz",
        1 => "lz4",
        2 => "lz4hc",
        3 => return Err("Zarr's codec for it comes without Snappy".to_owned()),
        4 => "zlib",
        5 => "zstd",
        other => return Err(format!("its compressor {other} is not known")),
    };
    Ok(Codec::new("blosc")
        .with("cname", name)
        .with("clevel", *level)
        .with("shuffle", *shuffle)
        .with("blocksize", *bytes))
}

/// The filter's client data: options, pixels of a block, bits of a pixel, pixels of a scan line.
fn szip(filter: &Filter) -> Result<Codec, String> {
    let [options, block, bits, line, ..] = *filter.values.as_slice() else {
        return Err(format!("it has {} parameters where 4 must be", filter.values.len()));
    };
    if filter::szip_parameters(&filter.values).is_err() {
        return Err("its parameters are not those of a known coder".to_owned());
    }
    Ok(Codec::new("imagecodecs_szip")
        .with("options_mask", options)
        .with("pixels_per_block", block)
        .with("bits_per_pixel", bits)
        .with("pixels_per_scanline", line)
        .with("header", true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(id: u16, values: &[u32]) -> Filter {
        Filter { id, name: String::new(), values: values.to_vec() }
    }

    /// The codecs of chunks of 400 bytes, the smallest of which has 60 stored.
    fn lower(filters: &[Filter]) -> Result<Vec<Codec>, String> {
        let mut pipeline = Pipeline { codecs: Vec::new(), length: Some(400), element_length: 4 };
        for filter in filters {
            pipeline.push(filter, &CodecTable::default(), || Some(60))?;
        }
        Ok(pipeline.codecs)
    }

    #[test]
    fn known_filters_keep_their_parameters() {
        let blosc = Codec::new("blosc")
            .with("cname", "zstd")
            .with("clevel", 5)
            .with("shuffle", 1)
            .with("blocksize", 400);
        let szip = Codec::new("imagecodecs_szip")
            .with("options_mask", 169)
            .with("pixels_per_block", 8)
            .with("bits_per_pixel", 32)
            .with("pixels_per_scanline", 40)
            .with("header", true);
        for (filter, codec) in [
            (filter(id::SHUFFLE, &[2]), Codec::new("shuffle").with("elementsize", 2)),
            (filter(id::BLOSC, &[2, 2, 4, 400, 5, 1, 5]), blosc),
            (filter(id::SZIP, &[169, 8, 32, 40]), szip),
            (filter(id::LZ4, &[0]), Codec::new("imagecodecs_lz4h5")),
            (filter(id::LZF, &[4, 261, 400]), Codec::new("imagecodecs_lzf").with("header", false)),
        ] {
            assert_eq!(lower(&[filter]).unwrap(), [codec]);
        }
    }

    #[test]
    fn bitshuffle_is_told_the_element_length_twice() {
        let codecs = lower(&[filter(id::BITSHUFFLE, &[0, 4, 4, 16, 0])]).unwrap();
        let shuffle =
            Codec::new("imagecodecs_bitshuffle").with("itemsize", 4).with("blocksize", 16);
        let elements = Codec::new("astype").with("encode_dtype", "<u4").with("decode_dtype", "<u4");
        assert_eq!(codecs, [shuffle, elements]);
        assert!(lower(&[filter(id::BITSHUFFLE, &[0, 4, 5, 0, 0])]).is_err());
    }

    #[test]
    fn filters_that_do_nothing_need_no_codec() {
        let nothing = [filter(id::SHUFFLE, &[1]), filter(id::NBIT, &[8, 1, 100])];
        assert_eq!(lower(&nothing).unwrap(), []);
    }

    #[test]
    fn what_no_codec_undoes_is_refused() {
        for values in [&[][..], &[2], &[2, 2, 4, 400, 5, 1, 3], &[2, 2, 4, 400, 5, 1, 9]] {
            assert!(lower(&[filter(id::BLOSC, values)]).is_err());
        }
        assert!(lower(&[filter(id::SZIP, &[169, 8])]).is_err());
        assert!(lower(&[filter(id::SCALEOFFSET, &[])]).is_err());
        assert!(lower(&[filter(id::NBIT, &[8, 0, 100])]).is_err());
        assert!(lower(&[filter(id::BITSHUFFLE, &[0, 4, 4, 0, 2])]).is_err());
        let (deflate, shuffle) = (filter(id::DEFLATE, &[6]), filter(id::SHUFFLE, &[8]));
        let checksum = filter(id::FLETCHER32, &[]);
        assert!(lower(&[shuffle.clone(), deflate.clone()]).is_ok());
        assert!(lower(&[deflate.clone(), shuffle.clone()]).is_err());
        assert!(lower(&[checksum.clone(), shuffle]).is_err());
        assert!(lower(&[checksum, filter(id::SHUFFLE, &[4])]).is_ok());
        assert!(lower(&[deflate, filter(id::LZF, &[])]).is_err());
    }

    #[test]
    fn images_of_one_component_without_loss_have_a_codec() {
        let pipeline =
            |element_length| Pipeline { codecs: Vec::new(), length: Some(400), element_length };
        let good = [2, 1, 10, 20, 16, 1, 0, 0, 0, 0, 0, 0, 0];
        let with = |index: usize, value| {
            let mut values = good;
            values[index] = value;
            pipeline(2).jpegls(&filter(FCIDECOMP, &values))
        };
        assert_eq!(with(4, 10), Ok(Codec::new("imagecodecs_jpegls")));
        let bytes = filter(FCIDECOMP, &[1, 1, 20, 20, 8, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert!(pipeline(1).jpegls(&bytes).is_ok());
        // Components, size, bits, interleaving, loss, thresholds.
        for (index, value) in
            [(1, 2), (5, 2), (2, 11), (0, 1), (4, 8), (4, 17), (6, 1), (7, 1), (12, 64)]
        {
            assert!(with(index, value).is_err(), "{index}");
        }
        assert!(pipeline(2).jpegls(&filter(FCIDECOMP, &good[..12])).is_err());
        let shuffle = filter(id::SHUFFLE, &[4]);
        assert!(lower(&[shuffle, filter(SPERR, &[0x12, 0, 10, 10])]).is_err());
    }

    #[test]
    fn sperr_of_its_first_version_has_a_codec() {
        let codec = |shape: Vec<u32>| {
            Codec::new("imagecodecs_sperr")
                .with("level", 16)
                .with("mode", "bpp")
                .with("header", false)
                .with("shape", shape)
                .with("dtype", "<f4")
        };
        let rate = 0x1008_0000;
        for (values, shape) in [
            (&[0x12, rate, 5, 20][..], vec![20, 5]),
            (&[0x12, rate | 1 << 31, 5, 20], vec![5, 20]),
            (&[0x13, rate, 2, 5, 10], vec![10, 5, 2]),
        ] {
            assert_eq!(lower(&[filter(SPERR, values)]), Ok(vec![codec(shape)]));
        }
        // A later version, missing values, another element, another size, too few axes.
        for values in [
            &[0x412, rate, 5, 20][..],
            &[0x52, rate, 5, 20],
            &[0x02, rate, 5, 20],
            &[0x12, rate, 5, 21],
            &[0x13, rate, 5, 20],
            &[0x12],
        ] {
            assert!(lower(&[filter(SPERR, values)]).is_err());
        }
    }

    #[test]
    fn chunks_that_outgrow_lzf_are_refused() {
        let pipeline = Pipeline { codecs: Vec::new(), length: Some(400), element_length: 4 };
        assert!(pipeline.lzf(Some(50)).is_ok());
        assert!(pipeline.lzf(Some(49)).is_err() && pipeline.lzf(None).is_err());
    }

    #[test]
    fn codecs_of_other_crates_are_for_filters_that_have_none_here() {
        let undo: chunkref_core::codec::Decode = |_, stored, _| Ok(stored.clone());
        let named = CodecEntry::new("my-xor", undo).with_hdf5_filter(40000);
        let entry =
            named.with_length(LengthChange::Longer(4)).with_hdf5_settings(|values| match values {
                [key] => Ok(Codec::new("my-xor").with("key", *key)),
                _ => Err("no key".to_owned()),
            });
        let mut pipeline = Pipeline { codecs: Vec::new(), length: Some(400), element_length: 4 };
        let mut push = |values: &[u32], entry| {
            pipeline.push_linked(&filter(40000, values), entry).map(|()| pipeline.length)
        };
        assert_eq!(push(&[90], Some(&entry)), Ok(Some(404)));
        assert!(push(&[], Some(&entry)).unwrap_err().contains("no key"));
        let unsaid = push(&[90], Some(&named)).unwrap_err();
        assert!(unsaid.contains("\"my-xor\"") && unsaid.contains("hdf5.codec"), "{unsaid}");
        assert!(unsaid.contains(r#"40000={"id":"my-xor","SETTING":"$0"}"#), "{unsaid}");
        assert!(push(&[90], None).unwrap_err().contains("no Zarr codec"));
        assert_eq!(pipeline.codecs, [Codec::new("my-xor").with("key", 90)]);
        assert!(lower(&[filter(40000, &[90])]).unwrap_err().contains("no Zarr codec"));
    }

    #[test]
    fn the_users_table_comes_first() {
        let table = CodecTable::parse(r#"1=[{"id":"mine","level":"$0"}]"#).unwrap();
        let mut pipeline = Pipeline { codecs: Vec::new(), length: Some(400), element_length: 4 };
        pipeline.push(&filter(id::DEFLATE, &[6]), &table, || None).unwrap();
        assert_eq!(pipeline.codecs, [Codec::new("mine").with("level", 6)]);
    }
}
