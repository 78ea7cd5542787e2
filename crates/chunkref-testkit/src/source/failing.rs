// SPDX-License-Identifier: MIT OR Apache-2.0
//! A source that fails from some read on.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, SourceError, SourceErrorKind};
use chunkref_model::ObjectVersion;

/// A source whose reads all fail from a given one on: a store that breaks down, or an object that changes.
#[derive(Debug)]
pub struct FailingSource<S> {
    inner: S,
    sound: u64,
    kind: SourceErrorKind,
    calls: AtomicU64,
}

impl<S: ByteSource> FailingSource<S> {
    /// Lets `sound` reads through and fails the ones after them with `kind`.
    #[must_use]
    pub fn after(inner: S, sound: u64, kind: SourceErrorKind) -> Self {
        Self { inner, sound, kind, calls: AtomicU64::new(0) }
    }

    /// Whether a read has failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.calls.load(Ordering::SeqCst) > self.sound
    }
}

#[async_trait]
impl<S: ByteSource> ByteSource for FailingSource<S> {
    fn location(&self) -> &str {
        self.inner.location()
    }

    fn version(&self) -> &ObjectVersion {
        self.inner.version()
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        if self.calls.fetch_add(1, Ordering::SeqCst) >= self.sound {
            return Err(SourceError {
                kind: self.kind,
                location: self.location().to_owned(),
                message: format!("this source fails after {} reads, as it was told to", self.sound),
                source: None,
            });
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
    fn reads_fail_from_the_given_one_on() {
        let object = MemorySource::new("memory://a", Bytes::from_static(b"abc"));
        let source = FailingSource::after(object, 1, SourceErrorKind::Changed);
        assert!(block_on(source.read_many(&[])).is_ok());
        assert!(!source.has_failed());
        for _ in 0..2 {
            assert_eq!(block_on(source.read_many(&[])).unwrap_err().kind, SourceErrorKind::Changed);
        }
        assert!(source.has_failed());
    }
}
