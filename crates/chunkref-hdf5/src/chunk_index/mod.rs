// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chunk indexes: from a data layout to the place of every chunk. Spec: HDF5 File Format 3.0, VII.

mod btree_v1;
mod btree_v2;
mod extensible_array;
mod fixed_array;
mod implicit;
mod single_chunk;

use chunkref_core::Cursor;

use crate::context::{Address, Context, FileNumber};
use crate::error::{Hdf5Error, Result};
use crate::file::File;
use crate::message::data_layout::ChunkIndexKind;

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

/// What the walk of an index needs to know of the dataset.
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

    fn rank(&self) -> usize {
        self.chunk_shape.len()
    }

    /// Whether a place is within the dataset's shape.
    fn contains(&self, chunk_indices: &[u64]) -> bool {
        chunk_indices.iter().zip(&self.count).all(|(index, count)| index < count)
    }
}

/// Collects the chunks that an index names, checking each.
#[derive(Debug)]
struct Collector<'a> {
    grid: &'a Grid,
    structure: &'static str,
    context: &'a Context,
    file_length: u64,
    table: ChunkTable,
}

impl<'a> Collector<'a> {
    fn new(file: &'a File<'_>, grid: &'a Grid, structure: &'static str) -> Self {
        Self {
            grid,
            structure,
            context: &file.context,
            file_length: file.frontier.length(),
            table: ChunkTable::new(grid.rank()),
        }
    }

    /// Adds a chunk; one outside the dataset's shape is left out, since no reader sees it.
    fn push(
        &mut self,
        chunk_indices: &[u64],
        address: Address,
        length: u64,
        filter_mask: u32,
        at: u64,
    ) -> Result<()> {
        if !self.grid.contains(chunk_indices) {
            return Ok(());
        }
        let offset = self.context.file_offset(address);
        if offset.checked_add(length).is_none_or(|end| end > self.file_length) {
            let reason = format!(
                "chunk {chunk_indices:?} of {length} bytes at {offset} lies past the end of the file at {}: the file is cut off or damaged",
                self.file_length
            );
            return Err(Hdf5Error::inconsistent(self.structure, at, reason));
        }
        self.context.take_chunk(self.structure, self.table.len() as u64, at)?;
        let file = self.context.file;
        self.table.push(Chunk { chunk_indices, file, offset, length, filter_mask });
        Ok(())
    }
}

/// A chunk as the arrays and version-2 B-trees store it: an address, and with filters a length and a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Element {
    address: Option<Address>,
    length: u64,
    filter_mask: u32,
}

impl Element {
    /// `filtered_length_bytes` is the size of the length field, or `None` without filters.
    fn parse(
        cursor: &mut Cursor<'_>,
        context: &Context,
        grid: &Grid,
        filtered_length_bytes: Option<usize>,
    ) -> Result<Self> {
        let address = context.address(cursor)?;
        let (mut length, mut filter_mask) = (grid.chunk_bytes, 0);
        if let Some(bytes) = filtered_length_bytes {
            length = cursor.uint_le(bytes)?;
            filter_mask = cursor.u32_le()?;
        }
        Ok(Self { address, length, filter_mask })
    }
}

/// Bytes of the length field in elements of `element_bytes`; `None` for elements without filters.
/// libhdf5 before 2.0 fits it to the chunk, layout version 5 takes 8 bytes: both follow from the element's size.
fn filtered_length_bytes(
    element_bytes: u64,
    filtered: bool,
    context: &Context,
    structure: &'static str,
    offset: u64,
) -> Result<Option<usize>> {
    let rest = element_bytes.checked_sub(context.offset_bytes());
    let length_bytes = if filtered { rest.and_then(|rest| rest.checked_sub(4)) } else { rest };
    match (filtered, length_bytes) {
        (false, Some(0)) => Ok(None),
        (true, Some(bytes @ 1..=8)) => Ok(usize::try_from(bytes).ok()),
        _ => {
            let reason = format!("elements of {element_bytes} bytes do not hold a chunk");
            Err(Hdf5Error::inconsistent(structure, offset, reason))
        }
    }
}

/// The place in a grid of chunk `number`, counted in C order over axes of `max_count` chunks with the axes in `order`.
fn place(number: u64, max_count: &[Option<u64>], order: &[usize], chunk_indices: &mut [u64]) {
    let mut rest = number;
    for &axis in order.iter().rev() {
        let count = max_count.get(axis).copied().flatten().unwrap_or(u64::MAX).max(1);
        if let Some(index) = chunk_indices.get_mut(axis) {
            *index = rest.checked_rem(count).unwrap_or(0);
        }
        rest = rest.checked_div(count).unwrap_or(0);
    }
}

impl File<'_> {
    /// All stored chunks of a dataset.
    pub(crate) async fn chunks(
        &self,
        address: Address,
        index: ChunkIndexKind,
        grid: &Grid,
    ) -> Result<ChunkTable> {
        match index {
            ChunkIndexKind::BtreeV1 => btree_v1::walk(self, address, grid).await,
            ChunkIndexKind::SingleChunk { filtered } => {
                single_chunk::walk(self, address, filtered, grid)
            }
            ChunkIndexKind::Implicit => implicit::walk(self, address, grid),
            ChunkIndexKind::FixedArray => fixed_array::walk(self, address, grid).await,
            ChunkIndexKind::ExtensibleArray => extensible_array::walk(self, address, grid).await,
            ChunkIndexKind::BtreeV2 => btree_v2::walk(self, address, grid).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    #[test]
    fn places_in_any_order_of_axes() {
        let mut indices = [0; 2];
        place(7, &[Some(2), Some(4)], &[0, 1], &mut indices);
        assert_eq!(indices, [1, 3]);
        // The unlimited axis 1 counts slowest although it is stored second.
        place(7, &[Some(2), None], &[1, 0], &mut indices);
        assert_eq!(indices, [1, 3]);
        place(6, &[Some(2), None], &[1, 0], &mut indices);
        assert_eq!(indices, [0, 3]);
    }

    #[test]
    fn length_fields_follow_from_the_element() {
        let bytes =
            |element, filtered| filtered_length_bytes(element, filtered, &context(), "test", 0);
        assert_eq!(bytes(8, false).unwrap(), None);
        assert_eq!(bytes(15, true).unwrap(), Some(3));
        assert_eq!(bytes(20, true).unwrap(), Some(8));
        assert!(bytes(12, true).is_err() && bytes(9, false).is_err() && bytes(21, true).is_err());
    }

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
