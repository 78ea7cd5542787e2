// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which filters of a dataset's pipeline its chunks went through.

use std::collections::BTreeMap;

use crate::filter;
use crate::object::{Dataset, Storage};

impl Dataset {
    /// The bits of a chunk's mask that stand for filters of the pipeline.
    pub(crate) fn effective_mask(&self, mask: u32) -> u32 {
        (0..self.filters.len()).map(filter::bit).fold(0, |all, bit| all | bit) & mask
    }

    /// The mask of most chunks; filters in it are not among the array's codecs.
    pub(crate) fn usual_mask(&self) -> u32 {
        let Storage::Chunked { table, .. } = &self.storage else { return 0 };
        let mut counts = BTreeMap::new();
        for chunk in table.iter() {
            let count: &mut u64 = counts.entry(self.effective_mask(chunk.filter_mask)).or_default();
            *count = count.saturating_add(1);
        }
        // The lowest of the most frequent masks.
        counts.into_iter().rev().max_by_key(|&(_, count)| count).map_or(0, |(mask, _)| mask)
    }
}
