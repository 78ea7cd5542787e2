// SPDX-License-Identifier: MIT OR Apache-2.0
//! A source that ends early.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, SourceError};
use chunkref_model::ObjectVersion;

/// The first bytes of another source: a file of which the rest was lost.
#[derive(Debug)]
pub struct TruncatingSource<S> {
    inner: S,
    version: ObjectVersion,
}

impl<S: ByteSource> TruncatingSource<S> {
    /// The first `length` bytes of `inner`, or all of it when it has fewer.
    #[must_use]
    pub fn new(inner: S, length: u64) -> Self {
        let version =
            ObjectVersion { length: length.min(inner.version().length), ..inner.version().clone() };
        Self { inner, version }
    }
}

#[async_trait]
impl<S: ByteSource> ByteSource for TruncatingSource<S> {
    fn location(&self) -> &str {
        self.inner.location()
    }

    fn version(&self) -> &ObjectVersion {
        &self.version
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        if let Some(range) = ranges.iter().find(|range| range.end > self.version.length) {
            return Err(SourceError::out_of_bounds(self.location(), range, self.version.length));
        }
        self.inner.read_many(ranges).await
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        self.inner.open_sibling(path).await
    }
}

#[cfg(test)]
mod tests {
    use chunkref_core::MemorySource;

    use super::*;
    use crate::conformance;

    #[test]
    fn what_is_left_is_a_source_of_its_own() {
        let object = || MemorySource::new("memory://a", Bytes::from_static(b"0123456789"));
        conformance::byte_source(&TruncatingSource::new(object(), 6), b"012345").unwrap();
        conformance::byte_source(&TruncatingSource::new(object(), 0), b"").unwrap();
        conformance::byte_source(&TruncatingSource::new(object(), 11), b"0123456789").unwrap();
    }
}
