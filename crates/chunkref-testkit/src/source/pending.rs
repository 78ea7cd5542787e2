// SPDX-License-Identifier: MIT OR Apache-2.0
//! A source that is never ready at once.

use std::future::poll_fn;
use std::ops::Range;
use std::task::Poll;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, SourceError};
use chunkref_model::ObjectVersion;

/// A source whose reads are pending for a number of polls that differs from read to read, so that reads in flight at
/// the same time end in an order of their own.
#[derive(Debug)]
pub struct PendingSource<S> {
    inner: S,
}

impl<S: ByteSource> PendingSource<S> {
    /// Delays the reads of `inner`.
    #[must_use]
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl<S: ByteSource> ByteSource for PendingSource<S> {
    fn location(&self) -> &str {
        self.inner.location()
    }

    fn version(&self) -> &ObjectVersion {
        self.inner.version()
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        // Low offsets wait longest, against the order in which a walk asks for them.
        let first = ranges.first().map_or(0, |range| range.start);
        let mut polls = 1 + 7_u64.saturating_sub(first % 8);
        poll_fn(|context| {
            if polls == 0 {
                return Poll::Ready(());
            }
            polls -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        self.inner.read_many(ranges).await
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        self.inner.open_sibling(path).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use chunkref_core::MemorySource;
    use futures::executor::block_on;
    use futures::future::join;

    use super::*;

    #[test]
    fn reads_overtake_one_another_and_are_right() {
        let source =
            PendingSource::new(MemorySource::new("memory://a", Bytes::from_static(b"0123456789")));
        let order = Mutex::new(Vec::new());
        let read = |start: u64| {
            let (source, order) = (&source, &order);
            async move {
                let bytes = source.read_many(&[start..start + 1, start..start + 2]).await.unwrap();
                order.lock().unwrap().push(start);
                bytes
            }
        };
        let (first, second) = block_on(join(read(0), read(6)));
        assert_eq!(first, [b"0".as_slice(), b"01"]);
        assert_eq!(second, [b"6".as_slice(), b"67"]);
        assert_eq!(*order.lock().unwrap(), [6, 0]);
    }
}
