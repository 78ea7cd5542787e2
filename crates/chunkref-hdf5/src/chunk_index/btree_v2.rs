// SPDX-License-Identifier: MIT OR Apache-2.0
//! Version-2 B-tree of chunks, record types 10 and 11. Spec: HDF5 File Format 3.0, VII.E.

use chunkref_core::Cursor;

use super::collector::{Collector, Element, filtered_length_bytes};
use super::table::ChunkTable;
use crate::btree::v2::{Header, Records};
use crate::error::{Hdf5Error, Result};

/// What the index is called in errors.
pub(crate) const STRUCTURE: &str = "chunk version 2 B-tree";

/// Collects the chunks that records say.
#[derive(Debug)]
pub(crate) struct Chunks<'a> {
    collector: Collector<'a>,
    length_bytes: Option<usize>,
    chunk_indices: Vec<u64>,
}

impl<'a> Chunks<'a> {
    /// Of the tree with this header, which is at `offset` of the file; chunks go to `collector`.
    pub(crate) fn new(header: &Header, offset: u64, collector: Collector<'a>) -> Result<Self> {
        let filtered = match header.record_type {
            10 => false,
            11 => true,
            other => {
                let reason = format!("records of type {other} are not chunks");
                return Err(Hdf5Error::inconsistent(STRUCTURE, offset, reason));
            }
        };
        let (rank, context) = (collector.grid.rank(), collector.context);
        let place_bytes = (rank as u64).saturating_mul(8);
        let element_bytes = u64::from(header.record_bytes).saturating_sub(place_bytes);
        let length_bytes =
            filtered_length_bytes(element_bytes, filtered, context, STRUCTURE, offset)?;
        Ok(Self { collector, length_bytes, chunk_indices: vec![0; rank] })
    }

    /// All of them.
    pub(crate) fn finish(self) -> ChunkTable {
        self.collector.table
    }
}

impl Records for Chunks<'_> {
    fn record(&mut self, mut record: Cursor<'_>) -> Result<()> {
        let (grid, context) = (self.collector.grid, self.collector.context);
        let at = record.offset();
        let element = Element::parse(&mut record, context, grid, self.length_bytes)?;
        for index in &mut self.chunk_indices {
            *index = record.u64_le()?;
        }
        let Some(address) = element.address else { return Ok(()) };
        let (length, filter_mask) = (element.length, element.filter_mask);
        self.collector.push(&self.chunk_indices, address, length, filter_mask, at)
    }
}
