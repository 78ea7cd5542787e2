// SPDX-License-Identifier: MIT OR Apache-2.0
//! A source that remembers its first fault, so that no scanner can take what was read before it for the whole.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_model::ObjectVersion;

use crate::{ByteSource, SourceError};

/// A source, and all siblings opened through it, that remembers the first time that any of them could not be read for a
/// reason that says nothing about the file ([`SourceErrorKind::is_fault`](crate::SourceErrorKind::is_fault)). From then
/// on every read is that error: whoever goes on reads nothing more.
#[derive(Debug)]
pub struct WatchedSource<S> {
    inner: S,
    first: Arc<OnceLock<SourceError>>,
}

impl<S: ByteSource> WatchedSource<S> {
    /// Watches `inner`.
    #[must_use]
    pub fn new(inner: S) -> Self {
        Self { inner, first: Arc::default() }
    }

    /// The first fault of this source or of one opened through it.
    #[must_use]
    pub fn fault(&self) -> Option<SourceError> {
        self.first.get().map(SourceError::duplicate)
    }

    fn check(&self) -> Result<(), SourceError> {
        self.fault().map_or(Ok(()), Err)
    }

    /// The error, remembered if it is a fault and the first. Who asked gets it with its cause.
    fn remember(&self, error: SourceError, is_fault: bool) -> SourceError {
        if is_fault {
            self.first.get_or_init(|| error.duplicate());
        }
        error
    }

    fn watch(&self, inner: Box<dyn ByteSource>) -> Box<dyn ByteSource> {
        Box::new(WatchedSource { inner, first: Arc::clone(&self.first) })
    }
}

#[async_trait]
impl<S: ByteSource> ByteSource for WatchedSource<S> {
    fn location(&self) -> &str {
        self.inner.location()
    }

    fn version(&self) -> &ObjectVersion {
        self.inner.version()
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        self.check()?;
        self.inner.read_many(ranges).await.map_err(|error| {
            // What lies within the object is there, whatever an answer says that was cut off.
            let length = self.version().length;
            let is_inside =
                ranges.iter().all(|range| range.start <= range.end && range.end <= length);
            let is_fault = is_inside || error.kind.is_fault();
            self.remember(error, is_fault)
        })
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        self.check()?;
        match self.inner.open_sibling(path).await {
            Ok(sibling) => Ok(self.watch(sibling)),
            Err(error) => {
                let is_fault = error.kind.is_fault_of_sibling();
                Err(self.remember(error, is_fault))
            }
        }
    }

    async fn open_optional(&self, path: &str) -> Result<Option<Box<dyn ByteSource>>, SourceError> {
        self.check()?;
        match self.inner.open_optional(path).await {
            Ok(sibling) => Ok(sibling.map(|sibling| self.watch(sibling))),
            Err(error) => {
                let is_fault = error.kind.is_fault_of_sibling();
                Err(self.remember(error, is_fault))
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "one range is what is asked for")]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{MemorySource, SourceErrorKind};

    /// Its reads, and the opening of siblings, fail as long as `kind` says so.
    #[derive(Debug)]
    struct Faulty {
        inner: MemorySource,
        kind: Arc<std::sync::Mutex<Option<SourceErrorKind>>>,
    }

    impl Faulty {
        fn fail(&self) -> Result<(), SourceError> {
            let kind = *self.kind.lock().unwrap();
            kind.map_or(Ok(()), |kind| {
                let (location, message) = (self.location().to_owned(), "told to fail".to_owned());
                Err(SourceError { kind, location, message, source: Some("the cause".into()) })
            })
        }
    }

    #[async_trait]
    impl ByteSource for Faulty {
        fn location(&self) -> &str {
            self.inner.location()
        }

        fn version(&self) -> &ObjectVersion {
            self.inner.version()
        }

        async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
            self.fail()?;
            self.inner.read_many(ranges).await
        }

        async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
            self.fail()?;
            let inner = MemorySource::new(path, Bytes::from_static(b"sibling"));
            Ok(Box::new(Faulty { inner, kind: Arc::clone(&self.kind) }))
        }
    }

    type Switch = Arc<std::sync::Mutex<Option<SourceErrorKind>>>;

    fn watched() -> (WatchedSource<Faulty>, Switch) {
        let kind = Switch::default();
        let inner = MemorySource::new("memory://a", Bytes::from_static(b"object"));
        (WatchedSource::new(Faulty { inner, kind: Arc::clone(&kind) }), kind)
    }

    const FAULTS: [SourceErrorKind; 5] = [
        SourceErrorKind::Io,
        SourceErrorKind::Changed,
        SourceErrorKind::TimedOut,
        SourceErrorKind::PermissionDenied,
        SourceErrorKind::InvalidOption,
    ];

    #[test]
    fn a_fault_is_remembered_and_ends_all_reading() {
        let said_of_reads = [SourceErrorKind::NotFound, SourceErrorKind::OutOfBounds];
        for kind in FAULTS.into_iter().chain(said_of_reads) {
            let (source, switch) = watched();
            let sibling = block_on(source.open_sibling("b")).unwrap();
            assert_eq!(block_on(sibling.read_many(&[0..7])).unwrap()[0], b"sibling".as_slice());
            *switch.lock().unwrap() = Some(kind);
            assert_eq!(block_on(sibling.read_many(&[0..1])).unwrap_err().kind, kind);
            *switch.lock().unwrap() = None;
            assert_eq!(block_on(source.read_many(&[0..1])).unwrap_err().kind, kind);
            assert_eq!(block_on(source.open_sibling("b")).unwrap_err().kind, kind);
            let fault = source.fault().unwrap();
            assert_eq!((fault.kind, &*fault.location), (kind, "b"));
            assert_eq!(fault.source.unwrap().to_string(), "the cause");
        }
    }

    #[test]
    fn what_the_file_is_is_no_fault() {
        let (source, switch) = watched();
        assert_eq!(
            block_on(source.read_many(&[0..9])).unwrap_err().kind,
            SourceErrorKind::OutOfBounds
        );
        for kind in [
            SourceErrorKind::NotFound,
            SourceErrorKind::NotAllowed,
            SourceErrorKind::NotAnObject,
            SourceErrorKind::InvalidLocation,
        ] {
            *switch.lock().unwrap() = Some(kind);
            assert_eq!(block_on(source.open_sibling("b")).unwrap_err().kind, kind);
        }
        *switch.lock().unwrap() = None;
        assert!(source.fault().is_none() && block_on(source.read_many(&[0..1])).is_ok());
        *switch.lock().unwrap() = Some(SourceErrorKind::PermissionDenied);
        assert!(block_on(source.open_optional("b")).unwrap().is_none());
        assert!(source.fault().is_none());
        assert!(block_on(source.open_sibling("b")).is_err());
        assert!(source.fault().is_some());
    }
}
