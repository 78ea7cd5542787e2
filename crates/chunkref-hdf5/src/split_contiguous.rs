// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cutting contiguous data into chunks along its slowest axes, so that a reader of a part need not fetch all of it.

use chunkref_core::{FormatOption, ScanOptions};

use crate::chunk_index::{Chunk, ChunkTable, Grid};
use crate::context::FileNumber;
use crate::message::Dataspace;
use crate::object::{Dataset, Object, ObjectKind, Objects, Storage};

/// The option that says how large the pieces are.
pub(crate) const OPTION: FormatOption = FormatOption {
    name: "hdf5.split-contiguous",
    values: &["BYTES"],
    help: "cut uncompressed contiguous data into chunks of about this many bytes (default: one chunk an array)",
};

/// The bytes of a piece that the options ask for; `Err` holds a value that is no number.
pub(crate) fn piece_bytes(options: &ScanOptions) -> Result<Option<u64>, String> {
    match options.format_options.get(OPTION.name) {
        None => Ok(None),
        Some(value) => match value.parse() {
            Ok(bytes) if bytes > 0 => Ok(Some(bytes)),
            _ => Err(value.clone()),
        },
    }
}

/// Cuts every contiguous dataset of more than `piece_bytes`.
pub(crate) fn split(objects: &mut Objects, piece_bytes: u64) {
    for (id, object) in objects.iter_mut() {
        if let Ok(Object { kind: ObjectKind::Dataset(dataset), .. }) = object
            && let Ok(dataset) = dataset.as_mut()
            && let Some(storage) = pieces(dataset, id.file, piece_bytes)
        {
            dataset.storage = storage;
        }
    }
}

fn pieces(dataset: &Dataset, file: FileNumber, piece_bytes: u64) -> Option<Storage> {
    let Storage::Contiguous { offset: Some(offset), length } = dataset.storage else { return None };
    let Dataspace::Simple { shape, max_shape } = &dataset.dataspace else { return None };
    if length <= piece_bytes || dataset.strings.is_some() {
        return None;
    }
    let element = u64::from(dataset.datatype.length);
    let chunk_shape = chunk_shape(shape, element, piece_bytes);
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

/// Chunks of about `piece_bytes` that are runs of elements: 1 along the slowest axes, then a divisor of one axis, and all
/// of the faster ones. A last chunk that is shorter than the rest would reach past the data, so all are of one length.
fn chunk_shape(shape: &[u64], element: u64, piece_bytes: u64) -> Vec<u64> {
    let mut chunk = vec![1; shape.len()];
    let mut inner = element;
    for (&length, slot) in shape.iter().zip(chunk.iter_mut()).rev() {
        let fits = piece_bytes.checked_div(inner).unwrap_or(1).max(1);
        *slot = if fits >= length { length } else { divisor_near(length, fits) };
        if *slot < length {
            break;
        }
        inner = inner.saturating_mul(length);
    }
    chunk
}

/// The largest divisor of `length` up to `wanted`; where that is less than an eighth, the smallest one above it.
fn divisor_near(length: u64, wanted: u64) -> u64 {
    let divides = |candidate: u64| length.checked_rem(candidate) == Some(0);
    let (mut below, mut above, mut candidate) = (1, length, 1_u64);
    while candidate.checked_mul(candidate).is_some_and(|square| square <= length) {
        if divides(candidate) {
            for divisor in [candidate, length.checked_div(candidate).unwrap_or(length)] {
                if divisor <= wanted {
                    below = below.max(divisor);
                } else {
                    above = above.min(divisor);
                }
            }
        }
        candidate = candidate.saturating_add(1);
        // A trial of every candidate of a huge length would take for ever.
        if candidate > 1 << 20 {
            break;
        }
    }
    if below.saturating_mul(8) < wanted { above } else { below }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_runs_of_one_length() {
        assert_eq!(chunk_shape(&[100, 50, 10], 4, 4000), [2, 50, 10]);
        assert_eq!(chunk_shape(&[100, 50, 10], 4, 400), [1, 10, 10]);
        assert_eq!(chunk_shape(&[100, 50, 10], 4, 8001), [4, 50, 10]);
        assert_eq!(chunk_shape(&[100, 50, 10], 4, 20), [1, 1, 5]);
        assert_eq!(chunk_shape(&[7], 8, 1000), [7]);
    }

    #[test]
    fn a_prime_length_is_not_cut_into_single_rows() {
        assert_eq!(divisor_near(101, 50), 101);
        assert_eq!(divisor_near(101, 5), 1);
        assert_eq!(divisor_near(96, 40), 32);
    }
}
