// SPDX-License-Identifier: MIT OR Apache-2.0
//! The codecs that Zarr metadata name, registered with what is known of them, and their settings read.

use bytes::Bytes;
use chunkref_core::{
    CodecEntry, CodecInput, DecodeContext, DecodeError, EncodeError, LengthChange, inventory,
};
use chunkref_model::Codec;

use crate::{
    CodecError, bitshuffle, blosc, bzip2, fletcher32, gzip, lz4, lzf, shuffle, szip, zlib, zstd,
};

/// The bytes of an element that numcodecs' shuffle assumes.
const SHUFFLED_BYTES: u32 = 4;

inventory::submit! {
    CodecEntry::new("zlib", |_, stored, context| decoded(zlib::decode(stored, context)))
        .with_hdf5_filter(1)
        .with_encoder_settings(&["level"])
        .with_encode(|codec, plain| {
            encoded(number_or(codec, "level", 1).and_then(|level| zlib::encode(plain, level)))
        })
}
inventory::submit! {
    CodecEntry::new("gzip", |_, stored, context| decoded(gzip::decode(stored, context)))
        .with_zarr_v3("gzip")
        .with_encoder_settings(&["level"])
        .with_encode(|codec, plain| {
            encoded(number_or(codec, "level", 1).and_then(|level| gzip::encode(plain, level)))
        })
}
inventory::submit! {
    CodecEntry::new("bz2", |_, stored, context| {
        decoded(bzip2::decode(stored, bzip2::Streams::All, context))
    })
    .with_hdf5_filter(307)
    .with_encoder_settings(&["level"])
    .with_encode(|codec, plain| {
        encoded(number_or(codec, "level", 1).and_then(|level| bzip2::encode(plain, level)))
    })
}
inventory::submit! {
    CodecEntry::new("zstd", |_, stored, context| decoded(zstd::decode(stored, context)))
        .with_zarr_v3("zstd")
        .with_hdf5_filter(32015)
        .with_encoder_settings(&["level", "checksum"])
        .with_encode(|_, plain| encoded(Ok(zstd::encode(plain))))
}
inventory::submit! {
    CodecEntry::new("shuffle", unshuffle)
        .with_hdf5_filter(2)
        .with_length(LengthChange::None)
        .with_encode(|codec, plain| {
            encoded(shuffled_bytes(codec).map(|element| shuffle::encode(plain, element)))
        })
}
inventory::submit! {
    CodecEntry::new("fletcher32", |_, stored, context| Ok(fletcher32::decode(stored, context)?))
        .with_hdf5_filter(3)
        .with_length(LengthChange::Longer(fletcher32::CHECKSUM_BYTES))
        .with_encode(|_, plain| encoded(Ok(fletcher32::encode(plain))))
}
inventory::submit! {
    CodecEntry::new("blosc", |_, stored, context| decoded(blosc::decode(stored, context)))
        .with_zarr_v3("blosc")
        .with_hdf5_filter(32001)
        .with_encoder_settings(&["cname", "clevel", "shuffle", "blocksize", "typesize"])
        .with_encode(|codec, plain| {
            encoded(number_or(codec, "typesize", 1).and_then(|element| blosc::encode(plain, element)))
        })
}
inventory::submit! {
    CodecEntry::new("imagecodecs_lz4h5", |_, stored, context| decoded(lz4::decode(stored, context)))
        .with_hdf5_filter(32004)
        .with_encode(|_, plain| encoded(lz4::encode(plain)))
}
inventory::submit! {
    CodecEntry::new("imagecodecs_lzf", |_, stored, context| decoded(lzf::decode(stored, context)))
        .with_hdf5_filter(32000)
        .with_encode(|_, plain| encoded(Ok(lzf::encode(plain))))
}
inventory::submit! {
    CodecEntry::new("imagecodecs_szip", |codec, stored, context| {
        let parameters = szip_parameters(codec)?;
        decoded(szip::decode(stored, &parameters, context))
    })
    .with_hdf5_filter(4)
    .with_encode(|codec, plain| {
        encoded(szip_parameters(codec).and_then(|parameters| szip::encode(plain, &parameters)))
    })
}
inventory::submit! {
    CodecEntry::new("imagecodecs_bitshuffle", |codec, stored, context| {
        let parameters = bitshuffle_parameters(codec)?;
        decoded(bitshuffle::decode(stored, &parameters, context))
    })
    .with_hdf5_filter(32008)
    .with_length(LengthChange::None)
    .with_encode(|codec, plain| {
        let parameters = bitshuffle_parameters(codec);
        encoded(parameters.and_then(|parameters| bitshuffle::encode(plain, &parameters)))
    })
}
inventory::submit! {
    CodecEntry::new("astype", astype).with_input(CodecInput::Elements)
}

fn decoded(outcome: Result<Vec<u8>, CodecError>) -> Result<Bytes, DecodeError> {
    Ok(outcome?.into())
}

fn encoded(outcome: Result<Vec<u8>, CodecError>) -> Result<Bytes, EncodeError> {
    Ok(outcome?.into())
}

/// A number of the codec's configuration.
fn number(codec: &Codec, name: &str) -> Result<u32, CodecError> {
    codec
        .configuration()
        .get(name)
        .and_then(serde_json::Value::as_u64)
        .and_then(|value| u32::try_from(value).ok())
        .ok_or_else(|| CodecError::Damaged(format!("{} has no sound {name:?}", codec.name())))
}

/// The same where there is one.
fn number_or(codec: &Codec, name: &str, default: u32) -> Result<u32, CodecError> {
    match codec.configuration().get(name) {
        None => Ok(default),
        Some(_) => number(codec, name),
    }
}

/// A length in bytes or elements.
fn length(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn shuffled_bytes(codec: &Codec) -> Result<usize, CodecError> {
    match number_or(codec, "elementsize", SHUFFLED_BYTES)? {
        0 => Err(CodecError::damaged("shuffle has no sound \"elementsize\"")),
        element => Ok(length(element)),
    }
}

fn unshuffle(
    codec: &Codec,
    stored: &Bytes,
    context: &DecodeContext<'_>,
) -> Result<Bytes, DecodeError> {
    match shuffled_bytes(codec)? {
        1 => Ok(stored.clone()),
        element => decoded(shuffle::decode(stored, element, context)),
    }
}

fn szip_parameters(codec: &Codec) -> Result<szip::Parameters, CodecError> {
    szip::Parameters::new(
        number(codec, "options_mask")?,
        number(codec, "pixels_per_block")?,
        number(codec, "bits_per_pixel")?,
        number(codec, "pixels_per_scanline")?,
    )
}

fn bitshuffle_parameters(codec: &Codec) -> Result<bitshuffle::Parameters, CodecError> {
    let (element, block) = (number(codec, "itemsize")?, number(codec, "blocksize")?);
    bitshuffle::Parameters::new(length(element), length(block), bitshuffle::Compressor::None)
}

/// Stands behind bitshuffle only to tell Python the type of elements, and changes nothing then.
fn astype(
    codec: &Codec,
    stored: &Bytes,
    context: &DecodeContext<'_>,
) -> Result<Bytes, DecodeError> {
    let dtype = |name| codec.configuration().get(name);
    if dtype("encode_dtype").is_some() && dtype("encode_dtype") == dtype("decode_dtype") {
        let most = context.max_bytes();
        if stored.len() > most {
            return Err(DecodeError::damaged(format!("more than {most} bytes")));
        }
        return Ok(stored.clone());
    }
    Err(DecodeError::unsupported("it changes the type of elements, which is not undone here"))
}

#[cfg(test)]
mod tests {
    use chunkref_core::Codecs;
    use chunkref_testkit::conformance::{self, CodecSample};

    use super::*;

    fn decode(codec: &Codec, stored: &Bytes, most: usize) -> Result<Bytes, DecodeError> {
        let entry = Codecs::linked().unwrap().by_name(codec.name()).unwrap();
        entry.decode(codec, stored, &DecodeContext::up_to(most))
    }

    /// Each codec with settings.
    fn codecs() -> Vec<Codec> {
        let entries = Codecs::linked().unwrap().entries();
        let configured = entries.iter().map(|entry| {
            let codec = Codec::new(entry.name);
            match entry.name {
                "shuffle" => codec.with("elementsize", 2),
                "imagecodecs_szip" => codec
                    .with("options_mask", 169)
                    .with("pixels_per_block", 8)
                    .with("bits_per_pixel", 32)
                    .with("pixels_per_scanline", 256),
                "imagecodecs_bitshuffle" => codec.with("itemsize", 4).with("blocksize", 64),
                "astype" => codec.with("encode_dtype", "<u4").with("decode_dtype", "<u4"),
                "zstd" => codec.with("level", 3).with("checksum", true),
                "blosc" => codec
                    .with("cname", "zstd")
                    .with("clevel", 9)
                    .with("shuffle", 0)
                    .with("blocksize", 512)
                    .with("typesize", 8),
                _ => codec.with("level", 3),
            }
        });
        configured.collect()
    }

    #[test]
    fn what_is_encoded_decodes_and_has_the_length_that_is_said() {
        let data: Bytes = (0..960_u32).flat_map(|n| (n / 7 % 50).to_le_bytes()).collect();
        let mut tried = 0;
        for codec in codecs() {
            let entry = Codecs::linked().unwrap().by_name(codec.name()).unwrap();
            let Some(stored) = entry.encode(&codec, &data) else {
                assert_eq!((entry.name, entry.input), ("astype", CodecInput::Elements));
                continue;
            };
            let stored = stored.unwrap();
            match entry.length {
                LengthChange::None => assert_eq!(stored.len(), 3840, "{}", entry.name),
                LengthChange::Longer(more) => {
                    assert_eq!(stored.len(), 3840 + length(more), "{}", entry.name);
                }
                _ => {}
            }
            assert_eq!(decode(&codec, &stored, 3840).unwrap(), data, "{}", entry.name);
            let bare = Codecs::linked().unwrap().for_decoding(&codec);
            let settings = codec.configuration().len() - bare.configuration().len();
            assert_eq!(settings, entry.encoder_settings.len(), "{}", entry.name);
            assert_eq!(decode(&bare, &stored, 3840).unwrap(), data, "{}", entry.name);
            assert!(!entry.is_message);
            tried += 1;
        }
        assert_eq!(tried, 11);
    }

    #[test]
    fn each_codec_keeps_its_contract() {
        let words =
            |count: u32| -> Bytes { (0..count).flat_map(|n| (n / 7 % 50).to_le_bytes()).collect() };
        let check = |codec: &Codec| {
            let entry = Codecs::linked().unwrap().by_name(codec.name()).unwrap();
            let sample = |name, plain: Bytes| {
                let sample = CodecSample::new(name, codec.clone(), plain.clone());
                match entry.name {
                    "astype" => sample.with_stored(plain),
                    // A block of LZ4 is one call, and what Blosc stores uncompressed one copy.
                    "imagecodecs_lz4h5" | "blosc" => sample.with_one_call(),
                    _ => sample,
                }
            };
            let long = sample("a long chunk", words(1 << 16));
            conformance::codec(entry, &[long, sample("a short chunk", words(256))]).err()
        };
        let broken: Vec<_> = codecs()
            .iter()
            .filter_map(|codec| Some((codec.name().to_owned(), check(codec)?)))
            .collect();
        assert!(broken.is_empty(), "{broken:#?}");
    }

    #[test]
    fn names_are_those_of_zarr() {
        let codecs = Codecs::linked().unwrap();
        let own: Vec<_> = codecs.entries().iter().filter_map(|entry| entry.zarr_v3).collect();
        assert_eq!(own, ["blosc", "gzip", "zstd"]);
        assert_eq!(codecs.by_zarr_v3_name("numcodecs.shuffle").unwrap().name, "shuffle");
    }

    #[test]
    fn configurations_are_checked() {
        let bytes = Bytes::from_static(&[1, 2]);
        let error = decode(&Codec::new("imagecodecs_szip"), &bytes, 2).unwrap_err();
        assert!(error.to_string().contains("options_mask"), "{error}");
        for element in [0, -2] {
            let error = decode(&Codec::new("shuffle").with("elementsize", element), &bytes, 2);
            assert!(error.unwrap_err().to_string().contains("elementsize"));
        }
        let astype = Codec::new("astype").with("encode_dtype", "<u4");
        assert!(decode(&astype.clone().with("decode_dtype", "<f8"), &bytes, 2).is_err());
        assert_eq!(decode(&astype.with("decode_dtype", "<u4"), &bytes, 2).unwrap(), bytes);
        let error = decode(&Codec::new("blosc"), &bytes, 2).unwrap_err();
        assert!(error.to_string().contains("end early"), "{error}");
    }
}
