// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datasets of variable-length strings: decoded while scanning and stored in the references.
//!
//! Layout of the codecs `vlen-utf8` and `vlen-bytes` (numcodecs): a little-endian `u32` count, then for every element a
//! `u32` of its bytes and the bytes.

use bytes::Bytes;
use chunkref_core::model::{
    Array, Attributes, ChunkGrid, ChunkRef, Codec, DataType, ManifestBuilder,
};

use super::budget::{Budget, push};
use super::refusal::Refusal;
use crate::filter;
use crate::message::datatype::{Class, StringPadding};
use crate::object::Dataset;
use crate::value::strip;

/// The array of a dataset of variable-length strings or of paths, of one chunk that is all of the dataset; `None` for any other.
pub(super) fn array(
    dataset: &Dataset,
    shape: &[u64],
    budget: &mut Budget<'_>,
) -> Result<Option<Array>, Refusal> {
    let is_string = matches!(dataset.datatype.class, Class::VariableLengthString { .. });
    if !is_string && dataset.strings.is_none() {
        return Ok(None);
    }
    let chunk_shape: Vec<u64> =
        dataset.dataspace.shape().iter().map(|&length| length.max(1)).collect();
    let chunk_grid = ChunkGrid::regular(chunk_shape);
    let mut manifest = ManifestBuilder::new(chunk_grid.grid_shape(shape))?;
    let strings = dataset.strings.as_ref().filter(|strings| !strings.is_empty());
    // Many strings may be the same bytes of the file, so that what they take here has no other bound; nor has the time to
    // find their ends.
    let mut total = 0_u64;
    let strings: Vec<&[u8]> = strings
        .into_iter()
        .flatten()
        .map_while(|string| {
            let within = total <= budget.limits.inline_bytes;
            let string = strip(string, StringPadding::NulTerminated);
            total = total.saturating_add(string.len() as u64).saturating_add(4);
            within.then_some(string)
        })
        .collect();
    if total > budget.inline_bytes {
        return Err(budget.too_long(total));
    }
    let (dtype, codec, bytes) = if budget.fixed_strings {
        fixed(&strings)?
    } else if strings.iter().all(|string| std::str::from_utf8(string).is_ok()) {
        (DataType::VlenString, Codec::new("vlen-utf8"), encode(&strings)?)
    } else {
        // What is not UTF-8 can only be handed on as bytes.
        (DataType::VlenBytes, Codec::new("vlen-bytes"), encode(&strings)?)
    };
    if !strings.is_empty() {
        push(&mut manifest, budget, &vec![0; shape.len()], ChunkRef::Inline(bytes))?;
    }
    Ok(Some(Array {
        shape: shape.to_vec(),
        dimensions: Vec::new(),
        dtype,
        fill_value: None,
        chunk_grid,
        codecs: vec![codec],
        attributes: Attributes::new(),
        manifest: manifest.finish()?,
    }))
}

/// Bytes that fixed-width strings take decoded, at the most.
const MAX_FIXED_BYTES: usize = 256 << 20;

/// All strings padded with NUL to the longest, as a zlib stream.
fn fixed(strings: &[&[u8]]) -> Result<(DataType, Codec, Bytes), Refusal> {
    let longest = strings.iter().map(|string| string.len()).max().unwrap_or(0).max(1);
    if longest.saturating_mul(strings.len()) > MAX_FIXED_BYTES {
        return Err(Refusal::new(format!(
            "{} strings padded to the longest, of {longest} bytes, take more than {MAX_FIXED_BYTES} bytes",
            strings.len()
        )));
    }
    let mut bytes = Vec::new();
    for string in strings {
        let end = bytes.len().saturating_add(longest);
        bytes.extend_from_slice(string);
        bytes.resize(end, 0);
    }
    let stream = filter::zlib(&bytes.into(), 0).map_err(|error| Refusal::new(error.to_string()))?;
    let dtype = DataType::FixedString { length: longest as u64 };
    Ok((dtype, Codec::new("zlib").with("level", 6), stream))
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
    use crate::ending::Ending;

    #[test]
    fn padded_strings_are_as_long_as_the_longest() {
        let (dtype, _, stream) = fixed(&[b"ab", b"", b"c"]).unwrap();
        assert_eq!(dtype, DataType::FixedString { length: 2 });
        assert_eq!(
            filter::unzlib(stream, 6, &Ending::default()).unwrap(),
            Bytes::from_static(b"ab\0\0c\0")
        );
        assert_eq!(fixed(&[]).unwrap().0, DataType::FixedString { length: 1 });
    }

    #[test]
    fn counts_and_lengths_come_first() {
        let bytes = encode(&[b"ab", b""]).unwrap();
        assert_eq!(bytes, Bytes::from_static(&[2, 0, 0, 0, 2, 0, 0, 0, b'a', b'b', 0, 0, 0, 0]));
    }
}
