// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datasets of variable-length strings: decoded while scanning and stored in the references.
//!
//! Layout of the codecs `vlen-utf8` and `vlen-bytes` (numcodecs): a little-endian `u32` count, then for every element a
//! `u32` of its bytes and the bytes.

use bytes::Bytes;
use chunkref_core::model::{
    Array, Attributes, ChunkGrid, ChunkRef, Codec, DataType, ManifestBuilder,
};

use super::{Budget, Refusal, push};
use crate::message::datatype::{Class, StringPadding};
use crate::object::Dataset;
use crate::value::strip;

/// The array of a dataset of variable-length strings, of one chunk that is all of the dataset; `None` for any other.
pub(super) fn array(
    dataset: &Dataset,
    shape: &[u64],
    budget: &mut Budget,
) -> Result<Option<Array>, Refusal> {
    if !matches!(dataset.datatype.class, Class::VariableLengthString { .. }) {
        return Ok(None);
    }
    let chunk_shape: Vec<u64> =
        dataset.dataspace.shape().iter().map(|&length| length.max(1)).collect();
    let chunk_grid = ChunkGrid::regular(chunk_shape);
    let mut manifest = ManifestBuilder::new(chunk_grid.grid_shape(shape))?;
    let strings = dataset.strings.as_ref().filter(|strings| !strings.is_empty());
    let strings: Vec<&[u8]> = strings
        .into_iter()
        .flatten()
        .map(|string| strip(string, StringPadding::NulTerminated))
        .collect();
    if !strings.is_empty() {
        push(&mut manifest, budget, &vec![0; shape.len()], ChunkRef::Inline(encode(&strings)?))?;
    }
    // What is not UTF-8 can only be handed on as bytes.
    let (dtype, codec) = if strings.iter().all(|string| std::str::from_utf8(string).is_ok()) {
        (DataType::VlenString, "vlen-utf8")
    } else {
        (DataType::VlenBytes, "vlen-bytes")
    };
    Ok(Some(Array {
        shape: shape.to_vec(),
        dimensions: Vec::new(),
        dtype,
        fill_value: None,
        chunk_grid,
        codecs: vec![Codec::new(codec)],
        attributes: Attributes::new(),
        manifest: manifest.finish()?,
    }))
}

fn encode(strings: &[&[u8]]) -> Result<Bytes, Refusal> {
    let length = |length: usize| {
        u32::try_from(length)
            .map(u32::to_le_bytes)
            .map_err(|_| Refusal::new("more strings than their codec can count"))
    };
    let mut bytes = length(strings.len())?.to_vec();
    for string in strings {
        bytes.extend(length(string.len())?);
        bytes.extend_from_slice(string);
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_lengths_come_first() {
        let bytes = encode(&[b"ab", b""]).unwrap();
        assert_eq!(bytes, Bytes::from_static(&[2, 0, 0, 0, 2, 0, 0, 0, b'a', b'b', 0, 0, 0, 0]));
    }
}
