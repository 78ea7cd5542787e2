// SPDX-License-Identifier: MIT OR Apache-2.0
//! The implicit index: all chunks in a row, in C order. Spec: HDF5 File Format 3.0, VII.B.

use super::{ChunkTable, Collector, Grid, place};
use crate::context::Address;
use crate::error::{Hdf5Error, Result};
use crate::file::File;

const STRUCTURE: &str = "implicit chunk index";

pub(super) fn walk(file: &File<'_>, address: Address, grid: &Grid) -> Result<ChunkTable> {
    let at = file.context.file_offset(address);
    let count =
        grid.max_count.iter().try_fold(1_u64, |product, count| product.checked_mul((*count)?));
    let end = count
        .and_then(|count| count.checked_mul(grid.chunk_bytes))
        .and_then(|bytes| at.checked_add(bytes));
    let (Some(count), Some(_)) = (count, end.filter(|&end| end <= file.frontier.length())) else {
        return Err(Hdf5Error::inconsistent(
            STRUCTURE,
            at,
            "the chunks lie past the end of the file",
        ));
    };
    Hdf5Error::check_limit(STRUCTURE, at, "chunks", count, file.limits().chunks)?;
    let mut collector = Collector::new(file, grid, STRUCTURE);
    let order: Vec<usize> = (0..grid.rank()).collect();
    let mut chunk_indices = vec![0; grid.rank()];
    for number in 0..count {
        place(number, &grid.max_count, &order, &mut chunk_indices);
        let start = Address(address.0.saturating_add(number.saturating_mul(grid.chunk_bytes)));
        collector.push(&chunk_indices, start, grid.chunk_bytes, 0, at)?;
    }
    Ok(collector.table)
}
