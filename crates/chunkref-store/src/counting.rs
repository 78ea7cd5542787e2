// SPDX-License-Identifier: MIT OR Apache-2.0
//! What reading a source would cost on an object store.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, SourceError};
use chunkref_model::ObjectVersion;

use crate::coalesce::{self, MergePolicy};
use crate::local::HEAD_BYTES;
use crate::meter::{Cost, Meter};

/// A source that counts what reading through it costs on an object store: the first request brings the head of the
/// object, later ones are merged by [`MergePolicy::OBJECT_STORE`]. The figures do not depend on where the object is, so
/// tests assert them exactly.
#[derive(Debug)]
pub struct Counted<S> {
    inner: S,
    head: u64,
    meter: Arc<Meter>,
}

impl<S: ByteSource> Counted<S> {
    /// Counts from now on; opening the source was the first round.
    #[must_use]
    pub fn new(inner: S) -> Self {
        Self::with_meter(inner, Arc::default())
    }

    /// What was read so far, from this object and from the ones beside it that were opened through it.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.meter.cost()
    }

    /// Counts on `meter`; opening the source was a round.
    #[must_use]
    pub fn with_meter(inner: S, meter: Arc<Meter>) -> Self {
        let head = inner.version().length.min(HEAD_BYTES);
        meter.add(Cost { rounds: 1, requests: 1, bytes: head, ..Cost::default() });
        Self { inner, head, meter }
    }
}

#[async_trait]
impl<S: ByteSource> ByteSource for Counted<S> {
    fn location(&self) -> &str {
        self.inner.location()
    }

    fn version(&self) -> &ObjectVersion {
        self.inner.version()
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        let beyond: Vec<_> = ranges.iter().filter(|range| range.end > self.head).cloned().collect();
        let merged = coalesce::merge(&beyond, MergePolicy::OBJECT_STORE);
        if !merged.is_empty() {
            self.meter.add(Cost {
                rounds: 1,
                requests: merged.len() as u64,
                bytes: merged.iter().fold(0, |sum, request| {
                    sum.saturating_add(request.range.end.saturating_sub(request.range.start))
                }),
                ..Cost::default()
            });
        }
        self.inner.read_many(ranges).await
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        let sibling = self.inner.open_sibling(path).await?;
        Ok(Box::new(Counted::with_meter(sibling, Arc::clone(&self.meter))))
    }
}

#[cfg(test)]
mod tests {
    use chunkref_core::MemorySource;
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn the_head_is_free_and_neighbours_are_one_request() {
        let object = Bytes::from(vec![7; 300_000]);
        let source = Counted::new(MemorySource::new("memory://a", object));
        assert_eq!(
            source.cost(),
            Cost { rounds: 1, requests: 1, bytes: 65_536, ..Cost::default() }
        );
        block_on(source.read_many(&[0..10, 65_000..65_536])).unwrap();
        assert_eq!(source.cost().rounds, 1, "all of it is in the head");
        let read = block_on(source.read_many(&[
            0..10,
            100_000..100_010,
            100_100..100_110,
            200_000..200_001,
        ]))
        .unwrap();
        assert_eq!(read.len(), 4);
        assert_eq!(
            source.cost(),
            Cost { rounds: 2, requests: 3, bytes: 65_536 + 110 + 1, ..Cost::default() }
        );
        assert_eq!(source.cost().to_string(), "2 rounds, 3 requests, 65647 bytes");
    }

    #[test]
    fn counting_changes_nothing() {
        let object = Bytes::from_static(b"0123456789");
        let source = Counted::new(MemorySource::new("memory://a", object.clone()));
        chunkref_testkit::conformance::byte_source(&source, &object).unwrap();
    }

    #[test]
    fn a_small_object_costs_its_length() {
        let source = Counted::new(MemorySource::new("memory://a", Bytes::from_static(b"abc")));
        assert_eq!(source.cost(), Cost { rounds: 1, requests: 1, bytes: 3, ..Cost::default() });
    }
}
