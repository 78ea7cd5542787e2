// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the values of an array are, in a few bytes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use chunkref_model::{Array, ByteOrder, ChunkRef, DataType, Dataset};
use chunkref_read::{Open, ReadError, Values, Wanted, fetch, read_region};
use sha2::{Digest, Sha256};

/// Bytes that are read of an array whose values most likely differ.
pub(super) const PROBE_BYTES: u64 = 64 << 10;
/// Bytes of values that are read at a time, unless a chunk has more.
const BAND_BYTES: u64 = 8 << 20;

/// The SHA-256 of values in C order, lowest byte first. Equal contents are equal values: nobody can make others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Content([u8; 32]);

/// Whether two types differ in the order of their bytes at most.
pub(super) fn same_type(a: &DataType, b: &DataType) -> bool {
    little(a) == little(b)
}

fn little(dtype: &DataType) -> DataType {
    let mut dtype = dtype.clone();
    if let Some(order) = order_mut(&mut dtype) {
        *order = ByteOrder::Little;
    }
    dtype
}

fn order_mut(dtype: &mut DataType) -> Option<&mut ByteOrder> {
    match dtype {
        DataType::Int { order, .. }
        | DataType::UInt { order, .. }
        | DataType::Float { order, .. }
        | DataType::DateTime { order, .. }
        | DataType::TimeDelta { order, .. } => Some(order),
        _ => None,
    }
}

/// Rows along the first axis that are read at a time, and bytes of one row.
fn band(array: &Array) -> (u64, u64) {
    let rest = array.shape.iter().skip(1);
    let element = array.dtype.length_bytes().unwrap_or(1);
    let row = rest.fold(element, |bytes, &length| bytes.saturating_mul(length));
    let chunk = array.chunk_grid.chunk_shape().first().copied().unwrap_or(1).max(1);
    let chunks = BAND_BYTES.checked_div(row.saturating_mul(chunk)).unwrap_or(1).max(1);
    (chunk.saturating_mul(chunks), row)
}

/// Bytes of values that are in memory at one time while an array is read.
pub(super) fn band_bytes(array: &Array) -> u64 {
    let (rows, row) = band(array);
    rows.saturating_mul(row)
}

/// Reads all values of an array, a band of chunks at a time.
pub(super) async fn content(
    dataset: &Dataset,
    objects: &dyn Open,
    path: &str,
) -> Result<Content, ReadError> {
    let array = dataset.array(path);
    let array = array.ok_or_else(|| ReadError::NoArray { array: path.to_owned() })?;
    let (rows, row) = band(array);
    let limit = rows.saturating_mul(row).max(objects.bounds().decoded_chunk_bytes);
    let length = array.shape.first().copied();
    let mut hash = Sha256::new();
    let mut start = 0_u64;
    loop {
        let end = start.saturating_add(rows).min(length.unwrap_or(1));
        let mut region: Vec<_> = array.shape.iter().map(|&length| 0..length).collect();
        if let Some(first) = region.first_mut() {
            *first = start..end;
        }
        hash.update(&little_values(dataset, objects, path, &region, limit).await?);
        start = end;
        if start >= length.unwrap_or(1) {
            return Ok(Content(hash.finalize().into()));
        }
    }
}

/// Some values from the middle of an array, lowest byte first.
pub(super) async fn middle(
    dataset: &Dataset,
    objects: &dyn Open,
    path: &str,
) -> Result<Vec<u8>, ReadError> {
    let array = dataset.array(path);
    let array = array.ok_or_else(|| ReadError::NoArray { array: path.to_owned() })?;
    let element = array.dtype.length_bytes().unwrap_or(1).max(1);
    let most = PROBE_BYTES.checked_div(element).unwrap_or(1).max(1);
    let last = array.shape.len().saturating_sub(1);
    let region = array.shape.iter().enumerate().map(|(axis, &length)| {
        let count = if axis == last { most.min(length) } else { 1 };
        let start = length.saturating_sub(count) / 2;
        start..start.saturating_add(count)
    });
    let limit = PROBE_BYTES.max(element).max(objects.bounds().decoded_chunk_bytes);
    little_values(dataset, objects, path, &region.collect::<Vec<_>>(), limit).await
}

/// The values of a region in C order, lowest byte first: equal bytes for equal numbers.
async fn little_values(
    dataset: &Dataset,
    objects: &dyn Open,
    path: &str,
    region: &[Range<u64>],
    limit: u64,
) -> Result<Vec<u8>, ReadError> {
    let read = read_region(dataset, objects, path, region, limit).await?;
    let (Values::Fixed(mut bytes), Some(array)) = (read, dataset.array(path)) else {
        return Err(ReadError::NoFixedLength { array: path.to_owned() });
    };
    if matches!(order_mut(&mut array.dtype.clone()), Some(ByteOrder::Big)) {
        let element = array.dtype.length_bytes().and_then(|length| usize::try_from(length).ok());
        bytes.chunks_exact_mut(element.unwrap_or(1).max(1)).for_each(<[u8]>::reverse);
    }
    if let DataType::Float { length, .. } = array.dtype {
        // Zero has two signs, which are equal.
        for value in bytes.chunks_exact_mut(usize::from(length).max(1)) {
            if let [rest @ .., sign @ 0x80] = value
                && rest.iter().all(|&byte| byte == 0)
            {
                *sign = 0;
            }
        }
    }
    Ok(bytes)
}

/// How an array is stored. Of arrays that are stored in one way, equal values are equal bytes.
pub(super) fn form(array: &Array) -> String {
    format!("{:?} {:?} {:?}", array.dtype, array.chunk_grid.chunk_shape(), array.codecs)
}

/// How an array is stored, and a digest of the lengths of the stored bytes of all chunks: arrays that differ in it have other
/// stored bytes.
pub(super) fn signature(array: &Array) -> String {
    let mut lengths = DefaultHasher::new();
    array.manifest.visit(&mut |chunk_indices, reference| {
        let length = match reference {
            ChunkRef::Virtual { length, .. } => length,
            ChunkRef::Inline(bytes) => bytes.len() as u64,
            ChunkRef::Missing => 0,
        };
        (chunk_indices, length).hash(&mut lengths);
    });
    format!("{} {:x}", form(array), lengths.finish())
}

/// Some stored bytes from the middle of an array; `None` where it has none of its own.
pub(super) async fn probe(
    dataset: &Dataset,
    objects: &dyn Open,
    path: &str,
) -> Result<Option<Vec<u8>>, ReadError> {
    let array = dataset.array(path);
    let array = array.ok_or_else(|| ReadError::NoArray { array: path.to_owned() })?;
    let mut there = Vec::new();
    array.manifest.visit(&mut |_, reference| there.push(reference));
    match there.get(there.len() / 2).cloned() {
        Some(ChunkRef::Inline(bytes)) => Ok(Some(bytes.to_vec())),
        Some(ChunkRef::Virtual { source, offset, length }) => {
            let no_source = || ReadError::NoSource { array: path.to_owned() };
            let source = dataset.source(source).ok_or_else(no_source)?;
            let skipped = length.saturating_sub(PROBE_BYTES) / 2;
            let length = length.min(PROBE_BYTES);
            let wanted = Wanted { source, offset: offset.saturating_add(skipped), length };
            let fetched = fetch(objects, &[wanted]).await.into_iter().next();
            let bytes = fetched.map(|fetched| fetched.outcome).transpose()?;
            Ok(bytes
                .and_then(|bytes| bytes.into_iter().next().flatten())
                .map(|bytes| bytes.to_vec()))
        }
        Some(ChunkRef::Missing) | None => Ok(None),
    }
}
