// SPDX-License-Identifier: MIT OR Apache-2.0
//! The index of a dataset with one chunk: none. Spec: HDF5 File Format 3.0, VII.A.

use super::collector::Collector;
use crate::context::Address;
use crate::error::Result;

/// What the index is called in errors.
pub(crate) const STRUCTURE: &str = "single chunk index";

/// The chunk at `address`; `filtered` is the stored length and the filter mask of a filtered one.
pub(crate) fn collect(
    address: Address,
    filtered: Option<(u64, u32)>,
    collector: &mut Collector<'_>,
) -> Result<()> {
    let grid = collector.grid;
    let (length, filter_mask) = filtered.unwrap_or((grid.chunk_bytes, 0));
    let at = collector.context.file_offset(address);
    collector.push(&vec![0; grid.rank()], address, length, filter_mask, at)
}

#[cfg(test)]
mod tests {
    use super::super::table::Grid;
    use super::*;
    use crate::testing::context;

    #[test]
    fn the_chunk_must_lie_within_the_file() {
        let (context, grid) = (context(), Grid::new(&[4], &[Some(4)], &[4], 2).unwrap());
        let collect = |filtered, file_length| {
            let mut collector = Collector::new(&context, file_length, &grid, STRUCTURE);
            super::collect(Address(92), filtered, &mut collector)?;
            Ok::<_, crate::error::Hdf5Error>(collector.table.get(0).map(|chunk| chunk.length))
        };
        assert_eq!(collect(None, 100).unwrap(), Some(8));
        assert_eq!(collect(Some((7, 1)), 99).unwrap(), Some(7));
        assert!(collect(None, 99).is_err());
    }
}
