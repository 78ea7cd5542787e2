// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the blocks of a fractal heap grow. Spec: HDF5 File Format 3.0, III.G.

/// How blocks grow. Spec: III.G, "doubling table".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DoublingTable {
    /// Blocks of a row.
    pub(super) width: u16,
    pub(super) starting_bytes: u64,
    pub(super) max_direct_bytes: u64,
    /// Bits of an offset in the heap.
    pub(super) max_heap_bits: u16,
}

impl DoublingTable {
    /// Bytes of a block in `row`.
    pub(super) fn row_bytes(self, row: u32) -> u64 {
        let doublings = row.saturating_sub(1);
        self.starting_bytes
            .checked_shl(doublings)
            .filter(|&bytes| bytes >> doublings == self.starting_bytes)
            .unwrap_or(u64::MAX)
    }

    /// Rows that hold direct blocks.
    pub(super) fn direct_rows(self) -> u32 {
        let ratio = self.max_direct_bytes.checked_div(self.starting_bytes).unwrap_or(1).max(1);
        ratio.ilog2().saturating_add(2)
    }

    /// Rows of an indirect block that spans `bytes` of the heap.
    pub(super) fn rows_of(self, bytes: u64) -> u32 {
        let first_row = self.starting_bytes.saturating_mul(u64::from(self.width));
        bytes.checked_div(first_row).unwrap_or(1).max(1).ilog2().saturating_add(1)
    }

    pub(super) fn offset_bytes(self) -> usize {
        usize::from(self.max_heap_bits.div_ceil(8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_rows() {
        let table = DoublingTable {
            width: 4,
            starting_bytes: 512,
            max_direct_bytes: 65536,
            max_heap_bits: 40,
        };
        assert_eq!([0, 1, 2, 3].map(|row| table.row_bytes(row)), [512, 512, 1024, 2048]);
        assert_eq!(table.row_bytes(200), u64::MAX);
        assert_eq!(table.direct_rows(), 9);
        assert_eq!(table.row_bytes(table.direct_rows() - 1), 65536);
        // The first indirect row spans 128 KiB a block: rows of 2, 2, 4, 8, 16, 32, 64 KiB.
        assert_eq!(table.rows_of(table.row_bytes(9)), 7);
    }
}
