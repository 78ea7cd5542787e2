// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rounds of reading, kept within the limits.

use std::ops::Range;

use bytes::Bytes;
use chunkref_core::{ByteSource, Limits};

use crate::error::{Grib2Error, Result};

/// Reads a source round by round.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    source: &'a dyn ByteSource,
    length: u64,
    left: u64,
    limit: u64,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(source: &'a dyn ByteSource, limits: &Limits) -> Self {
        let (length, limit) = (source.version().length, limits.metadata_bytes);
        Self { source, length, left: limit, limit }
    }

    /// Bytes of the file.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// One round: all of `ranges`, each cut at the end of the file, in their order.
    pub(crate) async fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let cut: Vec<_> = ranges
            .iter()
            .map(|range| {
                let start = range.start.min(self.length);
                start..range.end.clamp(start, self.length)
            })
            .collect();
        for range in &cut {
            let bytes = range.end.saturating_sub(range.start);
            self.left = self.left.checked_sub(bytes).ok_or(Grib2Error::LimitExceeded {
                structure: "file",
                offset: range.start,
                what: "bytes of metadata",
                claimed: self.limit.saturating_sub(self.left).saturating_add(bytes),
                limit: self.limit,
            })?;
        }
        Ok(self.source.read_many(&cut).await?)
    }
}
