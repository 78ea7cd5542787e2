// SPDX-License-Identifier: MIT OR Apache-2.0
//! A source that fails at some operation.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, SourceError, SourceErrorKind};
use chunkref_model::ObjectVersion;

/// A source of which one operation fails, or all from a given one on: a store that breaks down, or an object that
/// changes. Reads and openings of siblings are operations, and those of siblings count too.
#[derive(Debug)]
pub struct FailingSource<S> {
    inner: S,
    plan: Arc<Plan>,
}

/// Which operations fail, and what became of them.
#[derive(Debug)]
struct Plan {
    failing: Range<u64>,
    kind: SourceErrorKind,
    operations: AtomicU64,
    failed_read: AtomicBool,
}

impl<S: ByteSource> FailingSource<S> {
    /// Lets `sound` operations through and fails the ones after them with `kind`.
    #[must_use]
    pub fn after(inner: S, sound: u64, kind: SourceErrorKind) -> Self {
        Self::failing(inner, sound..u64::MAX, kind)
    }

    /// Lets `sound` operations through, fails the next one with `kind`, and lets all others through.
    #[must_use]
    pub fn once(inner: S, sound: u64, kind: SourceErrorKind) -> Self {
        Self::failing(inner, sound..sound.saturating_add(1), kind)
    }

    fn failing(inner: S, failing: Range<u64>, kind: SourceErrorKind) -> Self {
        let (operations, failed_read) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { inner, plan: Arc::new(Plan { failing, kind, operations, failed_read }) }
    }

    /// Whether an operation has failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.plan.operations.load(Ordering::SeqCst) > self.plan.failing.start
    }

    /// Whether a read has failed, not only the opening of a sibling.
    #[must_use]
    pub fn has_failed_to_read(&self) -> bool {
        self.plan.failed_read.load(Ordering::SeqCst)
    }
}

impl Plan {
    fn operate(&self, location: &str, is_read: bool) -> Result<(), SourceError> {
        let number = self.operations.fetch_add(1, Ordering::SeqCst);
        if !self.failing.contains(&number) {
            return Ok(());
        }
        self.failed_read.fetch_or(is_read, Ordering::SeqCst);
        Err(SourceError {
            kind: self.kind,
            location: location.to_owned(),
            message: format!("this source fails at operation {number}, as it was told to"),
            source: None,
        })
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
        self.plan.operate(self.location(), true)?;
        self.inner.read_many(ranges).await
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        self.plan.operate(path, false)?;
        let inner = self.inner.open_sibling(path).await?;
        Ok(Box::new(FailingSource { inner, plan: Arc::clone(&self.plan) }))
    }
}

#[cfg(test)]
mod tests {
    use chunkref_core::MemorySource;
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn operations_fail_from_the_given_one_on_or_once() {
        let object = || MemorySource::new("memory://a", Bytes::from_static(b"abc"));
        let source = FailingSource::after(object(), 1, SourceErrorKind::Changed);
        assert!(block_on(source.read_many(&[])).is_ok());
        assert!(!source.has_failed());
        for _ in 0..2 {
            assert_eq!(block_on(source.read_many(&[])).unwrap_err().kind, SourceErrorKind::Changed);
        }
        assert!(source.has_failed() && source.has_failed_to_read());
        let source = FailingSource::once(object(), 0, SourceErrorKind::Io);
        assert_eq!(block_on(source.open_sibling("b")).unwrap_err().kind, SourceErrorKind::Io);
        assert!(source.has_failed() && !source.has_failed_to_read());
        assert!(block_on(source.read_many(&[])).is_ok());
        assert_eq!(block_on(source.open_sibling("b")).unwrap_err().kind, SourceErrorKind::NotFound);
    }
}
