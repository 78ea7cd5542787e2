// SPDX-License-Identifier: MIT OR Apache-2.0
//! Storage as a manifest: where the chunks of an array are.

use std::collections::HashMap;

use bytes::Bytes;
use chunkref_core::model::{
    ChunkGrid, ChunkRef, Codec, DataType, Manifest, ManifestBuilder, SourceId,
};

use super::budget::{Budget, push};
use super::datatype;
use super::prepared::Prepared;
use super::refusal::Refusal;
use crate::context::{FileNumber, ObjectId};
use crate::message::FillValue;
use crate::object::Storage;

/// Bytes of chunks that were never written, and that are stored inline all the same, for one array at the most: as they
/// are encoded.
const MAX_FILL_BYTES: u64 = 1 << 20;
/// Decoded bytes of one such chunk at the most.
const MAX_FILL_CHUNK_BYTES: u64 = 4 << 20;

/// The model's numbers of the files of a scan.
pub(super) type Sources = HashMap<FileNumber, SourceId>;

/// The chunks of an array, and how they are encoded.
pub(super) struct Chunks {
    pub(super) chunk_shape: Vec<u64>,
    pub(super) codecs: Vec<Codec>,
    pub(super) manifest: Manifest,
}

impl Chunks {
    /// The chunks of a dataset whose array has `shape`.
    pub(super) fn of(
        id: ObjectId,
        prepared: &Prepared,
        dtype: &DataType,
        shape: &[u64],
        sources: &Sources,
        budget: &mut Budget<'_>,
    ) -> Result<Self, Refusal> {
        let dataset = &prepared.dataset;
        let stored = |row: usize, file: FileNumber, offset: u64, length: u64| match prepared
            .inline
            .get(&row)
        {
            Some(bytes) => Ok(ChunkRef::Inline(bytes.clone())),
            None => match sources.get(&file) {
                Some(&source) => Ok(ChunkRef::Virtual { source, offset, length }),
                None => Err(Refusal::new("the data lies in a file that is not open")),
            },
        };
        // Everything but chunked storage is one chunk of the array's shape.
        let mut chunk_shape: Vec<u64> = shape.iter().map(|&length| length.max(1)).collect();
        let mut codecs = Vec::new();
        if let Storage::Chunked { grid, .. } = &dataset.storage {
            let inner = datatype::array_axes(&dataset.datatype);
            chunk_shape = grid.chunk_shape.iter().copied().chain(inner).collect();
            codecs = prepared.encoding.codecs();
        }
        let grid_shape = ChunkGrid::regular(chunk_shape.clone()).grid_shape(shape);
        let mut manifest = ManifestBuilder::new(grid_shape)?;
        let mut chunk_indices = vec![0; shape.len()];
        let mut whole = |reference: ChunkRef| {
            if shape.contains(&0) {
                return Ok(());
            }
            push(&mut manifest, budget, &vec![0; shape.len()], reference)
        };
        match &dataset.storage {
            Storage::Compact(bytes) => whole(ChunkRef::Inline(bytes.clone()))?,
            Storage::Contiguous { offset: None, .. } => {}
            Storage::Contiguous { offset: Some(offset), length } => {
                whole(stored(0, id.file, *offset, *length)?)?;
            }
            Storage::Chunked { table, .. } => {
                for (row, chunk) in table.iter().enumerate() {
                    for (to, from) in chunk_indices.iter_mut().zip(chunk.chunk_indices) {
                        *to = *from;
                    }
                    push(
                        &mut manifest,
                        budget,
                        &chunk_indices,
                        stored(row, chunk.file, chunk.offset, chunk.length)?,
                    )?;
                }
            }
        }
        let mut chunks = Self { chunk_shape, codecs, manifest: manifest.finish()? };
        if matches!(dtype, DataType::Raw { .. } | DataType::Struct { .. }) && chunks.has_missing() {
            let reason = "chunks of this structured type were never written, and Zarr libraries cannot fill them in";
            chunks.fill_missing(prepared, budget, reason)?;
        }
        Ok(chunks)
    }

    /// Whether some chunks are nowhere.
    pub(super) fn has_missing(&self) -> bool {
        self.manifest.count() != Some(self.manifest.present())
    }

    /// Stores chunks that were never written inline, for a reason. Fill values of structured types keep xarray from
    /// opening a group and zarr-python from reading the array, and one fill value cannot both be read there and mask
    /// others, so that such arrays must have no missing chunks.
    pub(super) fn fill_missing(
        &mut self,
        prepared: &Prepared,
        budget: &mut Budget<'_>,
        reason: &str,
    ) -> Result<(), Refusal> {
        let dataset = &prepared.dataset;
        let element = usize::try_from(dataset.datatype.length).unwrap_or(usize::MAX);
        let fill = match &dataset.fill_value {
            FillValue::Defined(bytes) if bytes.len() == element => bytes.clone(),
            _ => vec![0; element.min(1 << 20)],
        };
        // An element of the file has the axes of an array datatype in it.
        let inner = datatype::array_axes(&dataset.datatype);
        let outer = self.chunk_shape.len().saturating_sub(inner.len());
        let mut outer = self.chunk_shape.iter().take(outer);
        let count = outer.try_fold(1_u64, |product, &length| product.checked_mul(length));
        let most = |bytes: u64, limit: u64| {
            let refusal = || {
                Refusal::new(format!(
                    "{reason}; they would take {bytes} bytes, and the limit is {limit}"
                ))
            };
            if bytes <= limit { Ok(()) } else { Err(refusal()) }
        };
        let missing =
            self.manifest.count().map(|count| count.saturating_sub(self.manifest.present()));
        let bytes = count.and_then(|count| count.checked_mul(element as u64)).unwrap_or(u64::MAX);
        most(bytes, MAX_FILL_CHUNK_BYTES)?;
        let decoded: Bytes = fill.repeat(usize::try_from(count.unwrap_or(0)).unwrap_or(0)).into();
        let encoded = match &dataset.storage {
            Storage::Chunked { .. } => prepared.encode_chunk(decoded, 0).map_err(|error| {
                Refusal::new(format!("chunks that were never written cannot be filled in: {error}"))
            })?,
            _ => decoded,
        };
        let total = missing.and_then(|missing| missing.checked_mul(encoded.len() as u64));
        most(total.unwrap_or(u64::MAX), MAX_FILL_BYTES)?;
        let grid_shape = self.manifest.grid_shape().to_vec();
        let mut manifest = ManifestBuilder::new(grid_shape.clone())?;
        let mut chunk_indices = vec![0; grid_shape.len()];
        loop {
            match self.manifest.get(&chunk_indices) {
                ChunkRef::Missing => {
                    push(&mut manifest, budget, &chunk_indices, ChunkRef::Inline(encoded.clone()))?;
                }
                present => manifest.push(&chunk_indices, present)?,
            }
            if !advance(&mut chunk_indices, &grid_shape) {
                break;
            }
        }
        self.manifest = manifest.finish()?;
        Ok(())
    }
}

/// The next place in C order; `false` behind the last.
fn advance(chunk_indices: &mut [u64], grid_shape: &[u64]) -> bool {
    for (index, &length) in chunk_indices.iter_mut().zip(grid_shape).rev() {
        *index = index.saturating_add(1);
        if *index < length {
            return true;
        }
        *index = 0;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_in_c_order() {
        let (mut at, mut seen) = (vec![0, 0], Vec::new());
        loop {
            seen.push(at.clone());
            if !advance(&mut at, &[2, 2]) {
                break;
            }
        }
        assert_eq!(seen, [[0, 0], [0, 1], [1, 0], [1, 1]]);
        assert!(!advance(&mut [], &[]));
    }
}
