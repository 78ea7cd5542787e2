// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads a dataset's elements, for what references cannot say. Bounded by `Limits::inline_bytes`.

use bytes::Bytes;
use chunkref_core::Limits;
use futures::future::try_join_all;

use super::file::File;
use super::frontier::Frontier;
use crate::chunk_index::Grid;
use crate::error::{Hdf5Error, Result};
use crate::filter;
use crate::message::Filter;
use crate::object::{Dataset, Storage};
use crate::raw_data::{STRUCTURE, assemble, exactly};

/// All elements of a dataset in C order, as stored but without filters; `None` when nothing is allocated.
pub(crate) async fn elements<S>(
    file: &File<'_>,
    dataset: &Dataset<S>,
    storage: &Storage,
    offset: u64,
) -> Result<Option<Bytes>> {
    let length = dataset.logical_bytes().unwrap_or(u64::MAX);
    let limits = &file.context.limits;
    let (what, limit) = ("bytes to store inline", limits.inline_bytes);
    match storage {
        Storage::Compact(bytes) => exactly(bytes, length, offset).map(Some),
        Storage::Contiguous { offset: None, .. } => Ok(None),
        Storage::Contiguous { offset: Some(at), .. } => {
            Hdf5Error::check_limit(STRUCTURE, *at, what, length, limit)?;
            file.frontier.read_data(*at, length).await.map(Some)
        }
        Storage::Chunked { table, .. } if table.len() == 0 => Ok(None),
        Storage::Chunked { grid, table } => {
            Hdf5Error::check_limit(STRUCTURE, offset, what, length, limit)?;
            let reads = table.iter().map(|chunk| {
                let place = (chunk.offset, chunk.length);
                let (filters, mask) = (&dataset.filters, chunk.filter_mask);
                chunk_data(&file.frontier, filters, mask, place, grid, limits)
            });
            let chunks = try_join_all(reads).await?;
            Ok(Some(assemble(dataset, grid, table, &chunks)))
        }
    }
}

/// The chunk at an offset and of a stored length, without its filters: of the full chunk's length.
pub(crate) async fn chunk_data(
    frontier: &Frontier<'_>,
    filters: &[Filter],
    mask: u32,
    (offset, length): (u64, u64),
    grid: &Grid,
    limits: &Limits,
) -> Result<Bytes> {
    let longest = length.max(grid.chunk_bytes);
    let limit = limits.inline_bytes;
    Hdf5Error::check_limit(STRUCTURE, offset, "bytes in a chunk", longest, limit)?;
    let stored = frontier.read_data(offset, length).await?;
    let data = filter::decode(filters, mask, stored, grid.chunk_bytes, offset, frontier.ending())?;
    exactly(&data, grid.chunk_bytes, offset)
}
