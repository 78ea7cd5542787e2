// SPDX-License-Identifier: MIT OR Apache-2.0
//! The index of a dataset with one chunk: none. Spec: HDF5 File Format 3.0, VII.A.

use super::{ChunkTable, Collector, Grid};
use crate::context::Address;
use crate::error::Result;
use crate::file::File;

/// `filtered` is the stored length and the filter mask of a filtered chunk.
pub(super) fn walk(
    file: &File<'_>,
    address: Address,
    filtered: Option<(u64, u32)>,
    grid: &Grid,
) -> Result<ChunkTable> {
    let mut collector = Collector::new(file, grid, "single chunk index");
    let (length, filter_mask) = filtered.unwrap_or((grid.chunk_bytes, 0));
    let at = file.context.file_offset(address);
    collector.push(&vec![0; grid.rank()], address, length, filter_mask, at)?;
    Ok(collector.table)
}
