// SPDX-License-Identifier: MIT OR Apache-2.0
//! Version-1 B-tree of chunks. Spec: HDF5 File Format 3.0, III.A.1, node type 1.

use chunkref_core::Cursor;

use super::collector::Collector;
use super::table::{ChunkTable, Grid};
use crate::btree::v1::{Entries, Layout};
use crate::context::Address;
use crate::error::{Hdf5Error, Result};
use crate::superblock::BtreeK;

/// What the index is called in errors.
pub(crate) const STRUCTURE: &str = "chunk B-tree";

/// The tree's nodes.
pub(crate) fn layout(grid: &Grid, btree_k: BtreeK) -> Layout {
    Layout {
        node_type: 1,
        key_bytes: (grid.rank() as u64).saturating_add(1).saturating_mul(8).saturating_add(8),
        max_children: u64::from(btree_k.chunk).saturating_mul(2),
    }
}

/// Collects the chunks that keys and children say.
#[derive(Debug)]
pub(crate) struct Chunks<'a> {
    collector: Collector<'a>,
    chunk_indices: Vec<u64>,
}

impl<'a> Chunks<'a> {
    /// Chunks go to `collector`.
    pub(crate) fn new(collector: Collector<'a>) -> Self {
        let chunk_indices = vec![0; collector.grid.rank()];
        Self { collector, chunk_indices }
    }

    /// All of them.
    pub(crate) fn finish(self) -> ChunkTable {
        self.collector.table
    }
}

impl Entries for Chunks<'_> {
    fn entry(&mut self, mut key: Cursor<'_>, child: Address) -> Result<()> {
        let at = key.offset();
        let length = u64::from(key.u32_le()?);
        let filter_mask = key.u32_le()?;
        for (index, &chunk) in self.chunk_indices.iter_mut().zip(&self.collector.grid.chunk_shape) {
            let start = key.u64_le()?;
            let (Some(quotient), Some(0)) = (start.checked_div(chunk), start.checked_rem(chunk))
            else {
                let reason =
                    format!("a chunk begins at element {start}, which is no multiple of {chunk}");
                return Err(Hdf5Error::inconsistent(STRUCTURE, at, reason));
            };
            *index = quotient;
        }
        self.collector.push(&self.chunk_indices, child, length, filter_mask, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    #[test]
    fn keys_are_lengths_masks_and_first_elements() {
        let grid = Grid::new(&[8, 8], &[None, None], &[4, 4], 2).unwrap();
        let context = context();
        let mut chunks = Chunks::new(Collector::new(&context, 1000, &grid, STRUCTURE));
        let key = |row: u64, column: u64| {
            let mut key = [30, 0, 0, 0, 1, 0, 0, 0].to_vec(); // 30 bytes, mask 1
            for first in [row, column, 0] {
                key.extend(first.to_le_bytes());
            }
            key
        };
        assert_eq!(layout(&grid, BtreeK::default()).key_bytes, key(0, 0).len() as u64);
        let mut entry =
            |row, column| chunks.entry(Cursor::new(&key(row, column), 0, STRUCTURE), Address(500));
        entry(4, 0).unwrap();
        assert!(matches!(entry(4, 3), Err(Hdf5Error::Inconsistent { .. })));
        entry(8, 0).unwrap(); // outside of the shape: no reader sees it
        let table = chunks.finish();
        let found: Vec<_> = table
            .iter()
            .map(|one| (one.chunk_indices.to_vec(), one.length, one.filter_mask))
            .collect();
        assert_eq!(found, [(vec![1, 0], 30, 1)]);
    }
}
