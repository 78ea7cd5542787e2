// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every chunk index comes to: a table of chunks, and the grid that they are in.

use crate::context::FileNumber;

/// Stored chunks of one dataset, in columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ChunkTable {
    /// Place in the grid, `rank` numbers a chunk.
    indices: Vec<u64>,
    rank: usize,
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    filter_masks: Vec<u32>,
    files: Vec<FileNumber>,
}

/// One stored chunk.
#[expect(
    clippy::struct_field_names,
    reason = "the place of a chunk is called `chunk_indices` everywhere"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk<'a> {
    /// Place in the grid.
    pub(crate) chunk_indices: &'a [u64],
    /// The file that the bytes are in.
    pub(crate) file: FileNumber,
    /// Bytes from the start of the file.
    pub(crate) offset: u64,
    /// Stored bytes.
    pub(crate) length: u64,
    /// Bit n set: filter n was skipped.
    pub(crate) filter_mask: u32,
}

impl ChunkTable {
    pub(crate) fn new(rank: usize) -> Self {
        Self { rank, ..Self::default() }
    }

    /// How many chunks are stored.
    pub(crate) fn len(&self) -> usize {
        self.offsets.len()
    }

    pub(crate) fn push(&mut self, chunk: Chunk<'_>) {
        self.indices.extend_from_slice(chunk.chunk_indices);
        self.offsets.push(chunk.offset);
        self.lengths.push(chunk.length);
        self.filter_masks.push(chunk.filter_mask);
        self.files.push(chunk.file);
    }

    /// The chunk in row `row`.
    pub(crate) fn get(&self, row: usize) -> Option<Chunk<'_>> {
        let start = row.checked_mul(self.rank)?;
        Some(Chunk {
            chunk_indices: self.indices.get(start..start.checked_add(self.rank)?)?,
            offset: *self.offsets.get(row)?,
            length: *self.lengths.get(row)?,
            filter_mask: *self.filter_masks.get(row)?,
            file: *self.files.get(row)?,
        })
    }

    /// All chunks, in the order of the index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Chunk<'_>> {
        (0..self.len()).filter_map(|row| self.get(row))
    }

    /// Sets a chunk's mask.
    pub(crate) fn set_filter_mask(&mut self, row: usize, mask: u32) {
        if let Some(slot) = self.filter_masks.get_mut(row) {
            *slot = mask;
        }
    }
}

/// What reading an index needs to know of the dataset.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    /// Elements per chunk along each axis.
    pub(crate) chunk_shape: Vec<u64>,
    /// Chunks along each axis within the dataset's shape.
    pub(crate) count: Vec<u64>,
    /// Chunks along each axis within the shape that the dataset may grow to; `None` without bound.
    pub(crate) max_count: Vec<Option<u64>>,
    /// Bytes of a chunk without filters.
    pub(crate) chunk_bytes: u64,
}

impl Grid {
    pub(crate) fn new(
        shape: &[u64],
        max_shape: &[Option<u64>],
        chunk_shape: &[u64],
        element_length: u64,
    ) -> Option<Self> {
        let chunks = |length: u64, chunk: u64| length.div_ceil(chunk.max(1));
        let chunk_bytes =
            chunk_shape.iter().try_fold(element_length, |product, &n| product.checked_mul(n))?;
        Some(Self {
            chunk_shape: chunk_shape.to_vec(),
            count: shape
                .iter()
                .zip(chunk_shape)
                .map(|(&length, &chunk)| chunks(length, chunk))
                .collect(),
            max_count: max_shape
                .iter()
                .zip(chunk_shape)
                .map(|(&max, &chunk)| max.map(|max| chunks(max, chunk)))
                .collect(),
            chunk_bytes,
        })
    }

    /// Axes.
    pub(crate) fn rank(&self) -> usize {
        self.chunk_shape.len()
    }

    /// Whether a place is within the dataset's shape.
    pub(super) fn contains(&self, chunk_indices: &[u64]) -> bool {
        chunk_indices.iter().zip(&self.count).all(|(index, count)| index < count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_that_do_not_fit_64_bits_are_none() {
        assert!(Grid::new(&[10], &[None], &[u64::MAX], 4).is_none());
        let grid = Grid::new(&[23, 4], &[Some(100), None], &[10, 4], 2).unwrap();
        assert_eq!(
            (grid.count, grid.max_count, grid.chunk_bytes),
            (vec![3, 1], vec![Some(10), None], 80)
        );
    }
}
