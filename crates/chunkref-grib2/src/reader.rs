// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rounds of reading, kept within the limits.

use std::ops::Range;

use bytes::Bytes;
use chunkref_core::{ByteSource, Cancellation, Limits, ScanOptions};

use crate::error::{Grib2Error, Result};

/// Reads a source round by round.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    source: &'a dyn ByteSource,
    limits: &'a Limits,
    cancellation: &'a Cancellation,
    length: u64,
    left: u64,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(source: &'a dyn ByteSource, options: &'a ScanOptions) -> Self {
        let (limits, cancellation) = (&options.limits, &options.cancellation);
        let (length, left) = (source.version().length, limits.metadata_bytes);
        Self { source, limits, cancellation, length, left }
    }

    /// Bounds on what the file may cost.
    pub(crate) fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Whether the scan is still wanted.
    pub(crate) fn cancellation(&self) -> &'a Cancellation {
        self.cancellation
    }

    /// Bytes of the file.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Does not count so many bytes, which were read along with what was wanted and are not kept.
    pub(crate) fn give_back(&mut self, bytes: u64) {
        self.left = self.left.saturating_add(bytes).min(self.limits.metadata_bytes);
    }

    /// One round: all of `ranges`, each cut at the end of the file, in their order.
    pub(crate) async fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.cancellation.check()?;
        let limit = self.limits.metadata_bytes;
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
                name: "metadata_bytes",
                claimed: limit.saturating_sub(self.left).saturating_add(bytes),
                limit,
            })?;
        }
        Ok(self.source.read_many(&cut).await?)
    }
}
