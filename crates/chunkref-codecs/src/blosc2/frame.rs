// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frame: a header in `MessagePack`, chunks, and a chunk with the place of each.

use chunkref_core::{Cursor, DecodeContext};

use super::axes::Axes;
use super::chunk;
use crate::CodecError;

const MAGIC: &[u8; 10] = b"\x9e\xa8b2frame\0";
/// Byte of the header with the kind of frame; 0 for a contiguous one.
const METALAYERS_OFFSET: usize = 87;
/// Layers of metadata that a frame has at the most.
const MAX_METALAYERS: u16 = 16;
/// In the place of a chunk: there is none, and the byte says what its elements are.
const NO_CHUNK: u8 = 0x80;

/// What the header of a frame says.
#[derive(Debug)]
pub(super) struct Frame {
    header_length: usize,
    total: usize,
    stored: usize,
    pub(super) element_length: usize,
    chunk_length: usize,
    pub(super) axes: Option<Axes>,
}

impl Frame {
    pub(super) fn parse(bytes: &[u8], context: &DecodeContext<'_>) -> Result<Self, CodecError> {
        let mut cursor = Cursor::new(bytes, 0, "Blosc2 frame");
        if cursor.bytes(MAGIC.len())? != MAGIC {
            return Err(CodecError::damaged("it does not begin as a frame of Blosc2 does"));
        }
        let header_length = u32_field(&mut cursor)?;
        u64_field(&mut cursor)?; // bytes of the frame
        cursor.skip(1)?;
        let [_, kind, _, _] = cursor.array()?;
        if kind & 0x0f != 0 {
            return Err(CodecError::unsupported("frames of Blosc2 that are not contiguous"));
        }
        let total = CodecError::check_length(u64_field(&mut cursor)?, context)?;
        let stored = usize::try_from(u64_field(&mut cursor)?).unwrap_or(usize::MAX);
        let element_length = u32_field(&mut cursor)?;
        u32_field(&mut cursor)?; // bytes of a block
        let chunk_length = u32_field(&mut cursor)?;
        if total > 0 && (element_length == 0 || chunk_length == 0) {
            return Err(CodecError::damaged("its elements or chunks have no bytes"));
        }
        let axes = axes(bytes)?;
        Ok(Self { header_length, total, stored, element_length, chunk_length, axes })
    }

    /// All decoded chunks, one after another.
    pub(super) fn data(
        &self,
        bytes: &[u8],
        context: &DecodeContext<'_>,
    ) -> Result<Vec<u8>, CodecError> {
        let chunks = bytes.get(self.header_length..).ok_or_else(CodecError::ended_early)?;
        let count = self.total.div_ceil(self.chunk_length.max(1));
        let index = chunks.get(self.stored..).ok_or_else(CodecError::ended_early)?;
        // Eight bytes for each chunk, of which a frame of many tiny ones would have more than of data.
        let room = context.with_max_bytes(context.max_bytes().max(1 << 16));
        let places = CodecError::check_length((count as u64).saturating_mul(8), &room)?;
        // No chunk lies in another, so that all of them take no more than there is.
        let mut left = bytes.len();
        let places = chunk::decode(index, &mut left, &context.with_max_bytes(places))?;
        let mut output = Vec::new();
        for place in places.chunks_exact(8).take(count) {
            let length = self.total.saturating_sub(output.len()).min(self.chunk_length);
            let context = context.with_max_bytes(length);
            let place = <[u8; 8]>::try_from(place).unwrap_or_default();
            if place[7] & NO_CHUNK != 0 {
                let special = place[7] & !NO_CHUNK;
                output.extend(chunk::special(special, self.element_length, &context)?);
                continue;
            }
            let start = usize::try_from(u64::from_le_bytes(place)).unwrap_or(usize::MAX);
            let stored = chunks.get(start..).ok_or_else(CodecError::ended_early)?;
            let decoded = chunk::decode(stored, &mut left, &context)?;
            if decoded.len() != length {
                return Err(CodecError::damaged("a chunk within it is of another length"));
            }
            output.extend(decoded);
        }
        if output.len() < self.total {
            return Err(CodecError::ended_early());
        }
        Ok(output)
    }
}

/// A number with its type before it.
fn u32_field(cursor: &mut Cursor<'_>) -> Result<usize, CodecError> {
    cursor.skip(1)?;
    Ok(usize::try_from(cursor.u32_be()?).unwrap_or(usize::MAX))
}

fn u64_field(cursor: &mut Cursor<'_>) -> Result<u64, CodecError> {
    cursor.skip(1)?;
    Ok(cursor.u64_be()?)
}

/// The metadata layer `b2nd`.
fn axes(bytes: &[u8]) -> Result<Option<Axes>, CodecError> {
    let mut cursor = Cursor::new(bytes, 0, "Blosc2 frame");
    cursor.skip(METALAYERS_OFFSET)?;
    cursor.skip(5)?; // a list, bytes of the layers, a map
    let count = cursor.u16_be()?;
    for _ in 0..count.min(MAX_METALAYERS) {
        let name_length = usize::from(cursor.u8()? & 0x1f);
        let name = cursor.bytes(name_length)?;
        let place = u32_field(&mut cursor)?;
        if name == b"b2nd" {
            let mut layer = Cursor::new(bytes, 0, "Blosc2 axes");
            layer.skip(place)?;
            u32_field(&mut layer)?; // bytes of the layer
            return Axes::parse(&mut layer).map(Some);
        }
    }
    Ok(None)
}
