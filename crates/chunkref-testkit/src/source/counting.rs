// SPDX-License-Identifier: MIT OR Apache-2.0
//! A source that remembers what was asked of it.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, SourceError};
use chunkref_model::ObjectVersion;

/// A source that remembers what was asked of it, as it was asked: nothing is merged.
#[derive(Debug)]
pub struct CountingSource<S> {
    inner: S,
    rounds: Mutex<Vec<Vec<Range<u64>>>>,
}

impl<S: ByteSource> CountingSource<S> {
    /// Reads from `inner` and remembers from now on.
    #[must_use]
    pub fn new(inner: S) -> Self {
        Self { inner, rounds: Mutex::default() }
    }

    /// The ranges of every call that asked for any byte, in the order of the calls.
    #[must_use]
    pub fn rounds(&self) -> Vec<Vec<Range<u64>>> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Bytes asked for in all.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.rounds()
            .iter()
            .flatten()
            .map(|range| range.end.saturating_sub(range.start))
            .fold(0, u64::saturating_add)
    }
}

#[async_trait]
impl<S: ByteSource> ByteSource for CountingSource<S> {
    fn location(&self) -> &str {
        self.inner.location()
    }

    fn version(&self) -> &ObjectVersion {
        self.inner.version()
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        if ranges.iter().any(|range| range.start < range.end) {
            self.rounds.lock().unwrap_or_else(PoisonError::into_inner).push(ranges.to_vec());
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
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn rounds_and_bytes_are_as_asked() {
        let source =
            CountingSource::new(MemorySource::new("memory://a", Bytes::from_static(b"0123456789")));
        block_on(source.read_many(&[0..4, 2..6])).unwrap();
        block_on(source.read_many(&[])).unwrap();
        block_on(source.read_many(&[5..5, 9..10])).unwrap();
        assert_eq!(source.rounds(), [vec![0..4, 2..6], vec![5..5, 9..10]]);
        assert_eq!(source.bytes(), 9);
    }
}
