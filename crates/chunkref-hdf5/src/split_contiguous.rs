// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cutting contiguous data into chunks along its slowest axes, so that a reader of a part need not fetch all of it.

use chunkref_core::{FormatOption, OptionType, split};

use crate::chunk_index::{Chunk, ChunkTable, Grid};
use crate::context::FileNumber;
use crate::message::Dataspace;
use crate::object::{Dataset, Objects, Storage, map_datasets};

/// The option that says how large the pieces are.
pub(crate) const OPTION: FormatOption = FormatOption::new(
    "hdf5.split-contiguous",
    OptionType::Bytes,
    "cut uncompressed contiguous data into chunks of about this many bytes, along the slowest axes; without it, an array is one chunk",
)
.with_flag("split-contiguous");

/// Cuts every contiguous dataset of more than `piece_bytes`.
pub(crate) fn split_objects(objects: Objects<Dataset>, piece_bytes: u64) -> Objects<Dataset> {
    map_datasets(objects, |id, dataset| match pieces(&dataset, id.file, piece_bytes) {
        Some(storage) => Dataset { storage, ..dataset },
        None => dataset,
    })
}

fn pieces(dataset: &Dataset, file: FileNumber, piece_bytes: u64) -> Option<Storage> {
    let Storage::Contiguous { offset: Some(offset), length } = dataset.storage else { return None };
    let Dataspace::Simple { shape, max_shape } = &dataset.dataspace else { return None };
    if length <= piece_bytes || dataset.strings.is_some() {
        return None;
    }
    let element = u64::from(dataset.datatype.length);
    let chunk_shape = split::chunk_shape(shape, element, piece_bytes);
    let grid = Grid::new(shape, max_shape, &chunk_shape, element)?;
    let count = length.checked_div(grid.chunk_bytes)?;
    let mut table = ChunkTable::new(shape.len());
    let mut chunk_indices = vec![0; shape.len()];
    for number in 0..count {
        let mut rest = number;
        for (index, count) in chunk_indices.iter_mut().zip(&grid.count).rev() {
            *index = rest.checked_rem(*count)?;
            rest = rest.checked_div(*count)?;
        }
        let at = offset.checked_add(number.checked_mul(grid.chunk_bytes)?)?;
        table.push(Chunk {
            chunk_indices: &chunk_indices,
            file,
            offset: at,
            length: grid.chunk_bytes,
            filter_mask: 0,
        });
    }
    Some(Storage::Chunked { grid, table })
}
