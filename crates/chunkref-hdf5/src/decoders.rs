// SPDX-License-Identifier: MIT OR Apache-2.0
//! The codecs that stand for HDF5's filters in references, undone by the filters' decoders.

use bytes::Bytes;
use chunkref_core::model::Codec;
use chunkref_core::{DecodeError, DecoderEntry, inventory};

use crate::filter::{self, Fault, id};
use crate::message::Filter;

/// The client data that the codec's configuration holds, under these names, and zeros elsewhere.
fn values<const N: usize>(codec: &Codec, names: [&str; N]) -> Result<Vec<u32>, DecodeError> {
    let value = |name: &str| match codec.configuration().get(name) {
        None if name.is_empty() => Ok(0),
        value => value
            .and_then(serde_json::Value::as_u64)
            .and_then(|value| u32::try_from(value).ok())
            .ok_or_else(|| DecodeError::damaged(format!("{} has no sound {name:?}", codec.name()))),
    };
    names.into_iter().map(value).collect()
}

fn undo(id: u16, values: Vec<u32>, stored: &Bytes, most: usize) -> Result<Bytes, DecodeError> {
    let filter = Filter { id, name: String::new(), values };
    filter::undo(&filter, stored, most).map(Bytes::from).map_err(|fault| match fault {
        Fault::Unsupported(_) => DecodeError::Unsupported(fault.to_string()),
        fault => DecodeError::Damaged(fault.to_string()),
    })
}

inventory::submit! {
    DecoderEntry { codec: "blosc", decode: |_, stored, most| undo(id::BLOSC, Vec::new(), stored, most) }
}
inventory::submit! {
    DecoderEntry { codec: "imagecodecs_lz4h5", decode: |_, stored, most| undo(id::LZ4, Vec::new(), stored, most) }
}
inventory::submit! {
    DecoderEntry { codec: "imagecodecs_lzf", decode: |_, stored, most| undo(id::LZF, Vec::new(), stored, most) }
}
inventory::submit! {
    DecoderEntry { codec: "imagecodecs_szip", decode: szip }
}
inventory::submit! {
    DecoderEntry { codec: "imagecodecs_bitshuffle", decode: bitshuffle }
}
inventory::submit! {
    DecoderEntry { codec: "astype", decode: astype }
}

fn szip(codec: &Codec, stored: &Bytes, most: usize) -> Result<Bytes, DecodeError> {
    let names = ["options_mask", "pixels_per_block", "bits_per_pixel", "pixels_per_scanline"];
    undo(id::SZIP, values(codec, names)?, stored, most)
}

fn bitshuffle(codec: &Codec, stored: &Bytes, most: usize) -> Result<Bytes, DecodeError> {
    undo(id::BITSHUFFLE, values(codec, ["", "", "itemsize", "blocksize", ""])?, stored, most)
}

/// Stands behind bitshuffle only to tell Python the type of elements, and changes nothing then.
fn astype(codec: &Codec, stored: &Bytes, _most: usize) -> Result<Bytes, DecodeError> {
    let dtype = |name| codec.configuration().get(name);
    if dtype("encode_dtype").is_some() && dtype("encode_dtype") == dtype("decode_dtype") {
        return Ok(stored.clone());
    }
    Err(DecodeError::unsupported("it changes the type of elements, which is not undone here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(codec: &Codec, stored: &Bytes, most: usize) -> Result<Bytes, DecodeError> {
        (DecoderEntry::linked(codec.name()).unwrap().decode)(codec, stored, most)
    }

    #[test]
    fn codecs_undo_what_filters_make() {
        let data: Bytes = (0..960_u32).flat_map(|n| (n / 7 % 50).to_le_bytes()).collect();
        let szip = Codec::new("imagecodecs_szip")
            .with("options_mask", 169)
            .with("pixels_per_block", 8)
            .with("bits_per_pixel", 32)
            .with("pixels_per_scanline", 256);
        let bitshuffle =
            Codec::new("imagecodecs_bitshuffle").with("itemsize", 4).with("blocksize", 64);
        for (id, values, codec) in [
            (id::BLOSC, &[2, 2, 4][..], Codec::new("blosc")),
            (id::LZ4, &[], Codec::new("imagecodecs_lz4h5")),
            (id::LZF, &[], Codec::new("imagecodecs_lzf")),
            (id::SZIP, &[169, 8, 32, 256], szip),
            (id::BITSHUFFLE, &[0, 4, 4, 64, 0], bitshuffle),
        ] {
            let filter = Filter { id, name: String::new(), values: values.to_vec() };
            let stored = filter::encode(&[filter], 0, data.clone(), 0).unwrap();
            assert_eq!(decode(&codec, &stored, 3840).unwrap(), data, "{id}");
        }
    }

    #[test]
    fn configurations_are_checked() {
        let bytes = Bytes::from_static(&[1, 2]);
        let error = decode(&Codec::new("imagecodecs_szip"), &bytes, 2).unwrap_err();
        assert!(error.to_string().contains("options_mask"), "{error}");
        let astype = Codec::new("astype").with("encode_dtype", "<u4");
        assert!(decode(&astype.clone().with("decode_dtype", "<f8"), &bytes, 2).is_err());
        assert_eq!(decode(&astype.with("decode_dtype", "<u4"), &bytes, 2).unwrap(), bytes);
        assert!(
            decode(&Codec::new("blosc"), &bytes, 2).unwrap_err().to_string().contains("end early")
        );
    }
}
