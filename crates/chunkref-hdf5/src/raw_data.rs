// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading a dataset's elements, for what references cannot say. Bounded by `Limits::inline_bytes`.

use bytes::Bytes;
use chunkref_core::Limits;
use futures::future::try_join_all;

use crate::chunk_index::{ChunkTable, Grid};
use crate::error::{Hdf5Error, Result};
use crate::file::File;
use crate::filter;
use crate::frontier::Frontier;
use crate::message::{FillValue, Filter};
use crate::object::{Dataset, Storage};

const STRUCTURE: &str = "raw data";

impl File<'_> {
    /// All elements of a dataset in C order, as stored but without filters; `None` when nothing is allocated.
    pub(crate) async fn elements(&self, dataset: &Dataset, offset: u64) -> Result<Option<Bytes>> {
        let length = dataset.logical_bytes().unwrap_or(u64::MAX);
        let limit = self.limits().inline_bytes;
        match &dataset.storage {
            Storage::Compact(bytes) => exactly(bytes, length, offset).map(Some),
            Storage::Contiguous { offset: None, .. } => Ok(None),
            Storage::Contiguous { offset: Some(at), .. } => {
                Hdf5Error::check_limit(STRUCTURE, *at, "bytes to store inline", length, limit)?;
                self.frontier.read_data(*at, length).await.map(Some)
            }
            Storage::Chunked { table, .. } if table.len() == 0 => Ok(None),
            Storage::Chunked { grid, table } => {
                Hdf5Error::check_limit(STRUCTURE, offset, "bytes to store inline", length, limit)?;
                let reads = table.iter().map(|chunk| {
                    let place = (chunk.offset, chunk.length);
                    self.frontier.chunk_data(
                        &dataset.filters,
                        chunk.filter_mask,
                        place,
                        grid,
                        self.limits(),
                    )
                });
                let chunks = try_join_all(reads).await?;
                Ok(Some(assemble(dataset, grid, table, &chunks)))
            }
            Storage::External(_) | Storage::Virtual(_) => Err(Hdf5Error::unsupported(
                STRUCTURE,
                offset,
                "decoding elements of this type that lie in other files",
            )),
        }
    }
}

impl Frontier<'_> {
    /// The chunk at an offset and of a stored length, without its filters: of the full chunk's length.
    pub(crate) async fn chunk_data(
        &self,
        filters: &[Filter],
        mask: u32,
        (offset, length): (u64, u64),
        grid: &Grid,
        limits: &Limits,
    ) -> Result<Bytes> {
        let longest = length.max(grid.chunk_bytes);
        Hdf5Error::check_limit(
            STRUCTURE,
            offset,
            "bytes in a chunk",
            longest,
            limits.inline_bytes,
        )?;
        let stored = self.read_data(offset, length).await?;
        let data = filter::decode(filters, mask, stored, grid.chunk_bytes, offset, self.ending())?;
        exactly(&data, grid.chunk_bytes, offset)
    }
}

impl Dataset {
    /// Bytes of all elements; `None` when 64 bits do not hold it.
    pub(crate) fn logical_bytes(&self) -> Option<u64> {
        self.dataspace.count()?.checked_mul(u64::from(self.datatype.length))
    }

    /// `length` bytes of elements that were never written.
    pub(crate) fn fill_bytes(&self, length: u64) -> Vec<u8> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        match &self.fill_value {
            FillValue::Defined(fill)
                if fill.len() == usize::try_from(self.datatype.length).unwrap_or(0) =>
            {
                fill.iter().copied().cycle().take(length).collect()
            }
            _ => vec![0; length],
        }
    }
}

/// All elements of a chunked dataset; `chunks` are its decoded chunks in the order of the table. The length is checked
/// by the caller.
pub(crate) fn assemble(
    dataset: &Dataset,
    grid: &Grid,
    table: &ChunkTable,
    chunks: &[Bytes],
) -> Bytes {
    let mut output = dataset.fill_bytes(dataset.logical_bytes().unwrap_or(0));
    let shape = dataset.dataspace.shape();
    let element = usize::try_from(dataset.datatype.length).unwrap_or(usize::MAX);
    for (chunk, bytes) in table.iter().zip(chunks) {
        let start: Vec<u64> = chunk
            .chunk_indices
            .iter()
            .zip(&grid.chunk_shape)
            .map(|(&i, &n)| i.saturating_mul(n))
            .collect();
        place_chunk(bytes, &grid.chunk_shape, &start, shape, element, &mut output);
    }
    output.into()
}

/// The first `length` bytes, all of which must be there.
fn exactly(bytes: &Bytes, length: u64, offset: u64) -> Result<Bytes> {
    match usize::try_from(length) {
        Ok(length) if length <= bytes.len() => Ok(bytes.slice(..length)),
        _ => {
            let reason = format!("{} bytes of data where {length} must be", bytes.len());
            Err(Hdf5Error::inconsistent(STRUCTURE, offset, reason))
        }
    }
}

/// Copies the part of a chunk that lies within `shape`, row by row.
pub(crate) fn place_chunk(
    chunk: &[u8],
    chunk_shape: &[u64],
    start: &[u64],
    shape: &[u64],
    element: usize,
    output: &mut [u8],
) {
    let Some((&row_chunk, outer_chunk)) = chunk_shape.split_last() else { return };
    let (Some(&row_shape), Some(&row_start)) = (shape.last(), start.last()) else { return };
    let row = row_shape.saturating_sub(row_start).min(row_chunk);
    let outer = outer_chunk.len();
    let mut position = vec![0_u64; outer];
    let bytes = |count: u64| usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(element);
    for source in chunk.chunks_exact(bytes(row_chunk).max(1)) {
        let place = position.iter().zip(start).zip(shape).try_fold(
            0_u64,
            |sum, ((&at, &from), &length)| {
                let index = at.saturating_add(from);
                (index < length).then(|| sum.saturating_mul(length).saturating_add(index))
            },
        );
        if let Some(place) = place {
            let to = bytes(place.saturating_mul(row_shape).saturating_add(row_start));
            let target = output.get_mut(to..to.saturating_add(bytes(row)));
            if let (Some(target), Some(source)) = (target, source.get(..bytes(row))) {
                target.copy_from_slice(source);
            }
        }
        for (at, &length) in position.iter_mut().zip(outer_chunk).rev() {
            *at = at.saturating_add(1);
            if *at < length {
                break;
            }
            *at = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edge_chunks_are_cut() {
        // Shape 3 x 5, chunks 2 x 3; the chunk at (1, 1) begins at (2, 3).
        let mut output = [0; 15];
        place_chunk(&[1, 2, 3, 4, 5, 6], &[2, 3], &[2, 3], &[3, 5], 1, &mut output);
        assert_eq!(output, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
        let mut output = [0; 15];
        place_chunk(&[1, 2, 3, 4, 5, 6], &[2, 3], &[0, 0], &[3, 5], 1, &mut output);
        assert_eq!(output, [1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn data_must_be_whole() {
        assert!(exactly(&Bytes::from_static(b"abc"), 4, 0).is_err());
        assert_eq!(
            exactly(&Bytes::from_static(b"abcd"), 3, 0).unwrap(),
            Bytes::from_static(b"abc")
        );
    }
}
