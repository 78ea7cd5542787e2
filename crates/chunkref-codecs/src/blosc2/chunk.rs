// SPDX-License-Identifier: MIT OR Apache-2.0
//! A chunk of Blosc2: its blocks, the filters they went through and the streams they are cut into.

use chunkref_core::{Cursor, DecodeContext, Steps};

use crate::output::Output;
use crate::{CodecError, bitshuffle, blosc, shuffle};

/// Format versions that are known: those of Blosc2.
const VERSIONS: std::ops::RangeInclusive<u8> = 3..=6;
const HEADER_LENGTH: usize = 32;
/// Flags: both are set where the header has 32 bytes; stored as it is; not cut into streams.
const EXTENDED: u8 = 5;
const STORED: u8 = 2;
const UNCUT: u8 = 16;
/// A flag of the second set: compressed with a dictionary.
const DICTIONARY: u8 = 1;
/// Filters that a pipeline has.
const FILTERS: usize = 6;

/// What a chunk's header says.
#[derive(Debug)]
struct Header {
    flags: u8,
    element_length: usize,
    total: usize,
    block_length: usize,
    filters: [u8; FILTERS],
    /// What all elements are, where the chunk has no blocks; 0 otherwise.
    special: u8,
}

impl Header {
    fn parse(cursor: &mut Cursor<'_>, context: &DecodeContext<'_>) -> Result<Self, CodecError> {
        let [version, _, flags, element_length] = cursor.array()?;
        if !VERSIONS.contains(&version) || flags & EXTENDED != EXTENDED {
            return Err(CodecError::Unsupported(format!("Blosc2's chunk format {version}")));
        }
        let total = CodecError::check_length(cursor.u32_le()?.into(), context)?;
        let block_length = usize::try_from(cursor.u32_le()?).unwrap_or(usize::MAX);
        cursor.skip(4)?; // stored bytes
        let filters = cursor.array()?;
        cursor.skip(9)?; // settings of compressor and filters
        let more_flags = cursor.u8()?;
        if more_flags & DICTIONARY != 0 {
            return Err(CodecError::unsupported("Blosc2 with dictionaries"));
        }
        if total > 0 && (block_length == 0 || element_length == 0) {
            return Err(CodecError::damaged("its blocks or elements have no bytes"));
        }
        let special = more_flags >> 4 & 7;
        let element_length = element_length.into();
        Ok(Self { flags, element_length, total, block_length, filters, special })
    }
}

/// Decodes the chunk that `bytes` begin with.
pub(super) fn decode(
    bytes: &[u8],
    left: &mut usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    context.cancellation().check()?;
    let mut cursor = Cursor::new(bytes, 0, "Blosc2 chunk");
    let header = Header::parse(&mut cursor, context)?;
    match header.special {
        0 => {}
        3 => {
            let value = cursor.bytes(header.element_length)?;
            return alike(value, &context.with_max_bytes(header.total));
        }
        special_kind => {
            let context = context.with_max_bytes(header.total);
            return special(special_kind, header.element_length, &context);
        }
    }
    if header.flags & STORED != 0 {
        return Ok(cursor.bytes(header.total)?.to_vec());
    }
    let mut output: Vec<u8> = Vec::new();
    while let length = header.total.saturating_sub(output.len()).min(header.block_length)
        && length > 0
    {
        let start = usize::try_from(cursor.u32_le()?).unwrap_or(usize::MAX);
        let stored = bytes.get(start.max(HEADER_LENGTH)..).ok_or_else(CodecError::ended_early)?;
        let context = context.with_max_bytes(length);
        let block = streams(stored, &header, left, &context)?;
        let block = unfilter(block, &header, &output, &context)?;
        output.extend(block);
    }
    Ok(output)
}

/// As many elements as the context allows, which are all alike: zeros, not a number, or left to chance.
pub(super) fn special(
    kind: u8,
    element_length: usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let element = match (kind, element_length) {
        (1 | 4, _) => vec![0],
        (2, 4) => f32::NAN.to_le_bytes().to_vec(),
        (2, 8) => f64::NAN.to_le_bytes().to_vec(),
        _ => {
            return Err(CodecError::Unsupported(format!("Blosc2's special chunks of kind {kind}")));
        }
    };
    alike(&element, context)
}

/// As many bytes as the context allows, of elements like this one.
fn alike(element: &[u8], context: &DecodeContext<'_>) -> Result<Vec<u8>, CodecError> {
    let length = context.max_bytes();
    let mut output = Output::new(context);
    output.extend(element.get(..length).unwrap_or(element))?;
    if let Some(more) = length.checked_sub(element.len()) {
        output.repeat(element.len(), more)?;
    }
    Ok(output.into_bytes())
}

/// The streams of a block, one after another.
fn streams(
    stored: &[u8],
    header: &Header,
    left: &mut usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let mut cursor = Cursor::new(stored, 0, "Blosc2 block");
    let length = context.max_bytes();
    let cut = header.flags & UNCUT == 0 && length == header.block_length;
    let count = if cut { header.element_length } else { 1 };
    let stream_length = length.checked_div(count).unwrap_or(length);
    let mut block = Vec::new();
    for _ in 0..count {
        context.cancellation().check()?;
        let before = block.len();
        let stored = cursor.u32_le()?.cast_signed();
        match usize::try_from(stored) {
            Ok(0) => block.resize(before.saturating_add(stream_length), 0),
            Ok(stored) => {
                let stored = cursor.bytes(stored)?;
                blosc::take(left, stored)?;
                if stored.len() == stream_length {
                    block.extend_from_slice(stored);
                } else {
                    let context = context.with_max_bytes(stream_length);
                    block.extend(blosc::decode_stream(stored, header.flags >> 5, &context)?);
                }
            }
            // Less than zero: one byte again and again.
            Err(_) => {
                let byte = u8::try_from(stored.unsigned_abs()).ok();
                let repeats = cursor.u8()? & 1 != 0;
                let byte = byte
                    .filter(|_| repeats)
                    .ok_or_else(|| CodecError::damaged("a stream of a kind that is not known"))?;
                block.resize(before.saturating_add(stream_length), byte);
            }
        }
        if block.len().saturating_sub(before) != stream_length {
            return Err(CodecError::Damaged(format!("a stream is not of {stream_length} bytes")));
        }
    }
    if block.len() != length {
        return Err(CodecError::damaged("its streams do not fill a block"));
    }
    Ok(block)
}

/// Undoes the filters of a block; `before` are the blocks before it.
fn unfilter(
    mut block: Vec<u8>,
    header: &Header,
    before: &[u8],
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let mut steps = Steps::new(context.cancellation());
    let element = header.element_length;
    for filter in header.filters.iter().rev() {
        match filter {
            // Nothing, and cutting off precision, which cannot be undone.
            0 | 4 => {}
            1 => block = shuffle::decode(&block, element, context)?,
            2 => {
                let eights = block.len().checked_div(element).unwrap_or(0) & !7;
                let (whole, rest) = block.split_at(eights.saturating_mul(element).min(block.len()));
                let gathered = bitshuffle::gather_elements(whole, element, &mut steps)?;
                block = [&gathered, rest].concat();
            }
            3 => undo_delta(&mut block, element, before, &mut steps)?,
            other => return Err(CodecError::Unsupported(format!("Blosc2's filter {other}"))),
        }
    }
    Ok(block)
}

/// Differences (exclusive or) to the element before, in the first block, or to that block's element in the same place.
fn undo_delta(
    block: &mut [u8],
    element_length: usize,
    before: &[u8],
    steps: &mut Steps<'_>,
) -> Result<(), CodecError> {
    let unit = match element_length {
        2 | 4 => element_length,
        length if length % 8 == 0 => 8,
        _ => 1,
    };
    if before.is_empty() {
        let mut last = vec![0; unit];
        for element in block.chunks_exact_mut(unit) {
            steps.take(unit)?;
            for (byte, last) in element.iter_mut().zip(&mut last) {
                *byte ^= *last;
                *last = *byte;
            }
        }
    } else {
        let pieces = block.chunks_mut(Steps::BETWEEN).zip(before.chunks(Steps::BETWEEN));
        for (piece, references) in pieces {
            steps.take(piece.len())?;
            piece.iter_mut().zip(references).for_each(|(byte, reference)| *byte ^= reference);
        }
    }
    Ok(())
}
