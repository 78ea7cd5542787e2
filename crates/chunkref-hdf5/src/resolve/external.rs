// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data in external files.

use super::placed::{COPY_BYTES, Placed};
use crate::chunk_index::{Chunk, ChunkTable, Grid};
use crate::context::{FileNumber, ObjectId};
use crate::error::{Hdf5Error, Result};
use crate::message::Dataspace;
use crate::neighbours::Neighbours;
use crate::object::{Dataset, Piece, Storage};
use crate::walk::{Files, Frontier};

/// Data in external files: chunks along the first axis that has any length, each within one file.
pub(super) async fn resolve<S>(
    files: &Files<'_>,
    neighbours: &Neighbours,
    id: ObjectId,
    dataset: &Dataset<S>,
    pieces: &[Piece],
    offset: u64,
) -> Result<Placed> {
    let refuse = |reason: String| Hdf5Error::inconsistent("external data files", offset, reason);
    let total = dataset
        .logical_bytes()
        .ok_or_else(|| refuse("the array has more than 2^64 bytes".to_owned()))?;
    let (mut parts, mut end) = (Vec::new(), 0_u64);
    for piece in pieces {
        let length = piece.length.min(total.saturating_sub(end));
        if length == 0 {
            continue;
        }
        let file = neighbours.find_raw(id.file, &piece.name).map_err(|reason| {
            let reason = reason.within(format!("the data is in the file {:?}", piece.name));
            Hdf5Error::elsewhere("external data files", offset, reason)
        })?;
        let available = files.frontier(file).map_or(0, Frontier::length);
        if piece.offset.checked_add(length).is_none_or(|end| end > available) {
            return Err(refuse(format!(
                "{length} bytes at {} of the file {:?} are not all there: it has {available}",
                piece.offset, piece.name
            )));
        }
        parts.push((end, length, file, piece.offset));
        end = end.saturating_add(length);
    }
    if end < total {
        return Err(refuse(format!("the external files hold {end} of the array's {total} bytes")));
    }
    if let Some(storage) = chunks(dataset, &parts) {
        return Ok(Placed { storage, filters: Vec::new() });
    }
    if total > COPY_BYTES {
        return Err(refuse(format!(
            "the pieces of the external files fit no chunk grid, and {total} bytes are more than the {COPY_BYTES} that are copied"
        )));
    }
    let mut bytes = Vec::new();
    for (_, length, file, at) in parts {
        if let Some(frontier) = files.frontier(file) {
            bytes.extend_from_slice(&frontier.run(frontier.read_data(at, length)).await?);
        }
    }
    Ok(Placed { storage: Storage::Compact(bytes.into()), filters: Vec::new() })
}

fn chunks<S>(dataset: &Dataset<S>, parts: &[(u64, u64, FileNumber, u64)]) -> Option<Storage> {
    let shape = dataset.dataspace.shape();
    let Dataspace::Simple { max_shape, .. } = &dataset.dataspace else { return None };
    let rows = shape.first().copied().unwrap_or(1);
    let row_bytes = dataset.logical_bytes()?.checked_div(rows)?;
    // The longest run of rows that no border between files cuts.
    let mut chunk_rows = rows;
    for &(start, length, ..) in parts {
        for bytes in [start, start.checked_add(length)?] {
            if bytes.checked_rem(row_bytes)? != 0 {
                return None;
            }
            chunk_rows = greatest_common_divisor(chunk_rows, bytes.checked_div(row_bytes)?);
        }
    }
    let mut chunk_shape: Vec<u64> = shape.to_vec();
    if let Some(first) = chunk_shape.first_mut() {
        *first = chunk_rows;
    }
    let grid = Grid::new(shape, max_shape, &chunk_shape, u64::from(dataset.datatype.length))?;
    let mut table = ChunkTable::new(shape.len());
    let mut chunk_indices = vec![0; shape.len()];
    let mut number = 0_u64;
    for &(_, length, file, at) in parts {
        for chunk in 0..length.checked_div(grid.chunk_bytes)? {
            if let Some(first) = chunk_indices.first_mut() {
                *first = number;
            }
            number = number.saturating_add(1);
            let offset = at.checked_add(chunk.checked_mul(grid.chunk_bytes)?)?;
            table.push(Chunk {
                chunk_indices: &chunk_indices,
                file,
                offset,
                length: grid.chunk_bytes,
                filter_mask: 0,
            });
        }
    }
    Some(Storage::Chunked { grid, table })
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a.checked_rem(b).unwrap_or(0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisors() {
        assert_eq!(greatest_common_divisor(12, 18), 6);
        assert_eq!(greatest_common_divisor(7, 0), 7);
    }
}
