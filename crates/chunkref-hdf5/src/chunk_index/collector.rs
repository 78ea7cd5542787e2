// SPDX-License-Identifier: MIT OR Apache-2.0
//! What several chunk indexes have in common: how they store a chunk, and what is checked of it.

use chunkref_core::Cursor;

use super::table::{Chunk, ChunkTable, Grid};
use crate::context::{Address, Context};
use crate::error::{Hdf5Error, Result};

/// Collects the chunks that an index names, checking each.
#[derive(Debug)]
pub(crate) struct Collector<'a> {
    pub(super) grid: &'a Grid,
    structure: &'static str,
    pub(super) context: &'a Context,
    pub(super) file_length: u64,
    pub(crate) table: ChunkTable,
}

impl<'a> Collector<'a> {
    /// Of a file of `file_length` bytes; `structure` is what the index is called in errors.
    pub(crate) fn new(
        context: &'a Context,
        file_length: u64,
        grid: &'a Grid,
        structure: &'static str,
    ) -> Self {
        Self { grid, structure, context, file_length, table: ChunkTable::new(grid.rank()) }
    }

    /// Adds a chunk; one outside the dataset's shape is left out, since no reader sees it.
    pub(super) fn push(
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
pub(super) struct Element {
    pub(super) address: Option<Address>,
    pub(super) length: u64,
    pub(super) filter_mask: u32,
}

impl Element {
    /// `filtered_length_bytes` is the size of the length field, or `None` without filters.
    pub(super) fn parse(
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
pub(super) fn filtered_length_bytes(
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
pub(super) fn place(
    number: u64,
    max_count: &[Option<u64>],
    order: &[usize],
    chunk_indices: &mut [u64],
) {
    let mut rest = number;
    for &axis in order.iter().rev() {
        let count = max_count.get(axis).copied().flatten().unwrap_or(u64::MAX).max(1);
        if let Some(index) = chunk_indices.get_mut(axis) {
            *index = rest.checked_rem(count).unwrap_or(0);
        }
        rest = rest.checked_div(count).unwrap_or(0);
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
}
