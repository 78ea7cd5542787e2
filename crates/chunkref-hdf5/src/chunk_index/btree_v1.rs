// SPDX-License-Identifier: MIT OR Apache-2.0
//! Version-1 B-tree of chunks. Spec: HDF5 File Format 3.0, III.A.1, node type 1.

use chunkref_core::Cursor;

use super::{ChunkTable, Collector, Grid};
use crate::btree::v1::Layout;
use crate::context::Address;
use crate::error::{Hdf5Error, Result};
use crate::file::File;

const STRUCTURE: &str = "chunk B-tree";

pub(super) async fn walk(file: &File<'_>, address: Address, grid: &Grid) -> Result<ChunkTable> {
    let rank = grid.rank();
    let layout = Layout {
        node_type: 1,
        key_bytes: (rank as u64).saturating_add(1).saturating_mul(8).saturating_add(8),
        max_children: u64::from(file.btree_k.chunk).saturating_mul(2),
    };
    let mut collector = Collector::new(file, grid, STRUCTURE);
    let mut chunk_indices = vec![0; rank];
    let mut visit = |mut key: Cursor<'_>, child: Address| {
        let at = key.offset();
        let length = u64::from(key.u32_le()?);
        let filter_mask = key.u32_le()?;
        for (index, &chunk) in chunk_indices.iter_mut().zip(&grid.chunk_shape) {
            let start = key.u64_le()?;
            let (Some(quotient), Some(0)) = (start.checked_div(chunk), start.checked_rem(chunk))
            else {
                let reason =
                    format!("a chunk begins at element {start}, which is no multiple of {chunk}");
                return Err(Hdf5Error::inconsistent(STRUCTURE, at, reason));
            };
            *index = quotient;
        }
        collector.push(&chunk_indices, child, length, filter_mask, at)
    };
    file.btree_v1_entries(address, layout, &mut visit).await?;
    Ok(collector.table)
}
