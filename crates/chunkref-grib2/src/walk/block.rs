// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes of the file, at their place.

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::section::indicator::{Indicator, SIGNATURE};

/// Bytes of the file.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) start: u64,
    pub(super) bytes: Bytes,
}

impl Block {
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes.len() as u64)
    }

    fn place(&self, at: u64) -> Option<usize> {
        usize::try_from(at.checked_sub(self.start)?).ok()
    }

    /// The four bytes at `at`, if all of them are here.
    pub(super) fn array(&self, at: u64) -> Option<[u8; 4]> {
        let rest = self.bytes.get(self.place(at)?..)?;
        rest.first_chunk().copied()
    }

    /// The bytes from `at` on; none where it is not in the block.
    pub(super) fn from(&self, at: u64) -> &[u8] {
        self.place(at).and_then(|place| self.bytes.get(place..)).unwrap_or_default()
    }

    /// Section 0 at `at`, if a message that can be read begins there and it is here.
    pub(super) fn indicator(&self, at: u64) -> Option<Indicator> {
        let mut cursor = Cursor::new(self.from(at), at, "indicator section");
        Indicator::parse(&mut cursor).ok().flatten()
    }

    /// The first `GRIB` from `from` on.
    pub(super) fn find(&self, from: u64) -> Option<u64> {
        let from = from.max(self.start);
        let rest = self.from(from);
        let place = rest.windows(SIGNATURE.len()).position(|window| window == SIGNATURE)?;
        from.checked_add(place as u64)
    }
}
