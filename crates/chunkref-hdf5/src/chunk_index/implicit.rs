// SPDX-License-Identifier: MIT OR Apache-2.0
//! The implicit index: all chunks in a row, in C order. Spec: HDF5 File Format 3.0, VII.B.

use super::collector::{Collector, place};
use crate::context::Address;
use crate::error::{Hdf5Error, Result};

/// What the index is called in errors.
pub(crate) const STRUCTURE: &str = "implicit chunk index";

/// The chunks from `address` on.
pub(crate) fn collect(address: Address, collector: &mut Collector<'_>) -> Result<()> {
    let (grid, context) = (collector.grid, collector.context);
    let at = context.file_offset(address);
    let count =
        grid.max_count.iter().try_fold(1_u64, |product, count| product.checked_mul((*count)?));
    let end = count
        .and_then(|count| count.checked_mul(grid.chunk_bytes))
        .and_then(|bytes| at.checked_add(bytes));
    let (Some(count), Some(_)) = (count, end.filter(|&end| end <= collector.file_length)) else {
        let reason = "the chunks lie past the end of the file";
        return Err(Hdf5Error::inconsistent(STRUCTURE, at, reason));
    };
    Hdf5Error::check_limit(STRUCTURE, at, "chunks", count, context.limits.chunks)?;
    let order: Vec<usize> = (0..grid.rank()).collect();
    let mut chunk_indices = vec![0; grid.rank()];
    for number in 0..count {
        place(number, &grid.max_count, &order, &mut chunk_indices);
        let start = Address(address.0.saturating_add(number.saturating_mul(grid.chunk_bytes)));
        collector.push(&chunk_indices, start, grid.chunk_bytes, 0, at)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::table::Grid;
    use super::*;
    use crate::testing::context;

    #[test]
    fn chunks_follow_each_other_in_c_order() {
        let grid = Grid::new(&[3, 4], &[Some(3), Some(4)], &[2, 4], 1).unwrap();
        let context = context();
        let mut collector = Collector::new(&context, 116, &grid, STRUCTURE);
        collect(Address(100), &mut collector).unwrap();
        let chunks: Vec<_> =
            collector.table.iter().map(|one| (one.chunk_indices.to_vec(), one.offset)).collect();
        assert_eq!(chunks, [(vec![0, 0], 100), (vec![1, 0], 108)]);
        let mut short = Collector::new(&context, 115, &grid, STRUCTURE);
        assert!(matches!(collect(Address(100), &mut short), Err(Hdf5Error::Inconsistent { .. })));
    }
}
