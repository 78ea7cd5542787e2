// SPDX-License-Identifier: MIT OR Apache-2.0
//! Version-2 B-tree of chunks, record types 10 and 11. Spec: HDF5 File Format 3.0, VII.E.

use chunkref_core::Cursor;

use super::{ChunkTable, Collector, Element, Grid, filtered_length_bytes};
use crate::context::Address;
use crate::error::{Hdf5Error, Result};
use crate::file::File;

const STRUCTURE: &str = "chunk version 2 B-tree";

pub(super) async fn walk(file: &File<'_>, address: Address, grid: &Grid) -> Result<ChunkTable> {
    let header = file.btree_v2_header(address).await?;
    let offset = file.context.file_offset(address);
    let filtered = match header.record_type {
        10 => false,
        11 => true,
        other => {
            let reason = format!("records of type {other} are not chunks");
            return Err(Hdf5Error::inconsistent(STRUCTURE, offset, reason));
        }
    };
    let place_bytes = (grid.rank() as u64).saturating_mul(8);
    let element_bytes = u64::from(header.record_bytes).saturating_sub(place_bytes);
    let length_bytes =
        filtered_length_bytes(element_bytes, filtered, &file.context, STRUCTURE, offset)?;
    let mut collector = Collector::new(file, grid, STRUCTURE);
    let mut chunk_indices = vec![0; grid.rank()];
    let mut visit = |mut record: Cursor<'_>| {
        let at = record.offset();
        let element = Element::parse(&mut record, &file.context, grid, length_bytes)?;
        for index in &mut chunk_indices {
            *index = record.u64_le()?;
        }
        match element.address {
            Some(address) => {
                collector.push(&chunk_indices, address, element.length, element.filter_mask, at)
            }
            None => Ok(()),
        }
    };
    file.btree_v2_records(address, &header, &mut visit).await?;
    Ok(collector.table)
}
