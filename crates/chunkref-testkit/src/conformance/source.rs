// SPDX-License-Identifier: MIT OR Apache-2.0
//! The contract of [`ByteSource`].

use std::ops::Range;

use chunkref_core::{ByteSource, SourceErrorKind};
use futures::executor::block_on;
use futures::future::join;

use super::{Violation, require};

/// Checks a source of the object `expected`.
///
/// # Errors
/// The first clause that it breaks.
pub fn byte_source(source: &dyn ByteSource, expected: &[u8]) -> Result<(), Violation> {
    let length = expected.len() as u64;
    require(source.location().contains("://"), "the location is an absolute URL", || {
        source.location().to_owned()
    })?;
    require(source.version().length == length, "the version says the object's length", || {
        format!("{} instead of {length}", source.version().length)
    })?;
    let (third, half) = (length / 3, length / 2);
    let whole = 0..length;
    let lists: [Vec<Range<u64>>; 6] = [
        vec![],
        vec![whole],
        vec![0..0, length..length, half..half],
        vec![half..length, 0..third, third..half],
        vec![0..half, third..length, third..half, 0..half],
        (0..length.min(64)).rev().map(|start| start..start + 1).collect(),
    ];
    for list in &lists {
        check(source, expected, list)?;
        check(source, expected, list)?;
    }
    for outside in [
        0..length + 1,
        length..length + 1,
        length + 1..length + 1,
        0..u64::MAX,
        u64::MAX - 1..u64::MAX,
    ] {
        let read = block_on(source.read_many(&[0..length.min(1), outside.clone()]));
        let kind = read.map(|_| ()).map_err(|error| error.kind);
        require(
            kind == Err(SourceErrorKind::OutOfBounds),
            "a range past the end is an error",
            || format!("{outside:?} of {length} bytes gives {kind:?}"),
        )?;
    }
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "a range that ends before it starts must not be read"
    )]
    let reversed = 1..0;
    require(
        block_on(source.read_many(&[reversed])).is_err(),
        "a reversed range is an error",
        || "1..0".to_owned(),
    )?;
    let (one, two) = block_on(join(source.read_many(&lists[3]), source.read_many(&lists[4])));
    let apart = (block_on(source.read_many(&lists[3])), block_on(source.read_many(&lists[4])));
    require(
        one.ok() == apart.0.ok() && two.ok() == apart.1.ok(),
        "calls that overlap in time are independent",
        || "two calls at once give other bytes than one after the other".to_owned(),
    )
}

/// Checks that a source notices a change of its object: `source` was opened, and `change` changes what it reads.
///
/// # Errors
/// The clause that it breaks.
pub fn changing_byte_source(
    source: &dyn ByteSource,
    change: impl FnOnce(),
) -> Result<(), Violation> {
    let all = 0..source.version().length;
    let before = block_on(source.read_many(std::slice::from_ref(&all)));
    require(before.is_ok(), "an object that does not change can be read", || {
        format!("{before:?}")
    })?;
    change();
    let kind = block_on(source.read_many(&[all])).map(|_| ()).map_err(|error| error.kind);
    require(
        kind == Err(SourceErrorKind::Changed),
        "an object that changes is an error of kind Changed",
        || format!("the read after the change gives {kind:?}"),
    )
}

fn check(source: &dyn ByteSource, expected: &[u8], ranges: &[Range<u64>]) -> Result<(), Violation> {
    let read = block_on(source.read_many(ranges)).map_err(|error| Violation {
        clause: "ranges inside the object can be read",
        detail: format!("{ranges:?}: {error}"),
    })?;
    require(read.len() == ranges.len(), "there is one buffer per range", || {
        format!("{} buffers for {} ranges", read.len(), ranges.len())
    })?;
    for (range, bytes) in ranges.iter().zip(&read) {
        let slice = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let wanted = slice.and_then(|(start, end)| expected.get(start..end)).unwrap_or_default();
        require(bytes.len() == wanted.len(), "a buffer is exactly as long as its range", || {
            format!("{range:?} gives {} bytes", bytes.len())
        })?;
        require(
            bytes == wanted,
            "buffers come in the order asked, with the object's bytes",
            || format!("{range:?} of {ranges:?} gives other bytes"),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use async_trait::async_trait;
    use bytes::Bytes;
    use chunkref_core::{MemorySource, SourceError};
    use chunkref_model::ObjectVersion;

    use super::*;
    use crate::source::PendingSource;

    const OBJECT: &[u8] = b"The quick brown fox jumps over the lazy dog, again and again.";

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Fault {
        RelativeLocation,
        WrongLength,
        Sorted,
        MissingBuffer,
        ShortAtEnd,
        EmptyIsError,
        Fickle,
        OutsideIsEmpty,
        OutsideIsIo,
    }

    #[derive(Debug)]
    struct Bad {
        fault: Fault,
        version: ObjectVersion,
        calls: AtomicU64,
    }

    #[async_trait]
    impl ByteSource for Bad {
        fn location(&self) -> &str {
            if self.fault == Fault::RelativeLocation { "a.nc" } else { "memory://a.nc" }
        }

        fn version(&self) -> &ObjectVersion {
            &self.version
        }

        async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
            let call = self.calls.fetch_add(1, Ordering::SeqCst);
            let object = MemorySource::new("memory://a.nc", Bytes::from_static(OBJECT));
            let mut ranges = ranges.to_vec();
            match self.fault {
                Fault::Sorted => ranges.sort_by_key(|range| range.start),
                Fault::MissingBuffer => ranges.retain(|range| !range.is_empty()),
                Fault::ShortAtEnd => {
                    for range in &mut ranges {
                        range.end = range.end.min(60);
                    }
                }
                Fault::OutsideIsEmpty => {
                    ranges
                        .iter_mut()
                        .filter(|range| range.end > 61)
                        .for_each(|range| *range = 0..0);
                }
                Fault::EmptyIsError if ranges.iter().any(Range::is_empty) => {
                    return Err(SourceError::out_of_bounds("", &(0..0), 0));
                }
                Fault::OutsideIsIo => {
                    let read = object.read_many(&ranges).await;
                    return read
                        .map_err(|error| SourceError { kind: SourceErrorKind::Io, ..error });
                }
                Fault::Fickle if call % 2 == 1 => {
                    return Ok(ranges
                        .iter()
                        .map(|range| {
                            vec![0; usize::try_from(range.end - range.start).unwrap()].into()
                        })
                        .collect());
                }
                _ => {}
            }
            object.read_many(&ranges).await
        }

        async fn open_sibling(&self, _: &str) -> Result<Box<dyn ByteSource>, SourceError> {
            Err(SourceError::out_of_bounds("", &(0..0), 0))
        }
    }

    #[test]
    fn good_sources_pass() {
        let object = || MemorySource::new("memory://a.nc", Bytes::from_static(OBJECT));
        byte_source(&object(), OBJECT).unwrap();
        byte_source(&PendingSource::new(object()), OBJECT).unwrap();
        byte_source(&MemorySource::new("memory://empty", Bytes::new()), b"").unwrap();
    }

    #[test]
    fn each_fault_is_found_by_its_clause() {
        for (fault, clause) in [
            (Fault::RelativeLocation, "the location is an absolute URL"),
            (Fault::WrongLength, "the version says the object's length"),
            (Fault::Sorted, "a buffer is exactly as long as its range"),
            (Fault::MissingBuffer, "there is one buffer per range"),
            (Fault::ShortAtEnd, "a buffer is exactly as long as its range"),
            (Fault::EmptyIsError, "ranges inside the object can be read"),
            (Fault::Fickle, "buffers come in the order asked, with the object's bytes"),
            (Fault::OutsideIsEmpty, "a range past the end is an error"),
            (Fault::OutsideIsIo, "a range past the end is an error"),
        ] {
            let length = if fault == Fault::WrongLength { 5 } else { 61 };
            let version = ObjectVersion { length, ..ObjectVersion::default() };
            let found = byte_source(&Bad { fault, version, calls: AtomicU64::new(0) }, OBJECT);
            assert_eq!(found.unwrap_err().clause, clause, "{fault:?}");
        }
    }

    #[test]
    fn a_change_must_be_noticed() {
        #[derive(Debug)]
        struct Changing(MemorySource, AtomicBool);

        #[async_trait]
        impl ByteSource for Changing {
            fn location(&self) -> &str {
                self.0.location()
            }

            fn version(&self) -> &ObjectVersion {
                self.0.version()
            }

            async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
                let read = self.0.read_many(ranges).await;
                if !self.1.load(Ordering::SeqCst) {
                    return read;
                }
                Err(SourceError {
                    kind: SourceErrorKind::Changed,
                    ..SourceError::out_of_bounds("", &(0..0), 0)
                })
            }

            async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
                self.0.open_sibling(path).await
            }
        }

        let object = MemorySource::new("memory://a.nc", Bytes::from_static(OBJECT));
        assert!(changing_byte_source(&object, || ()).unwrap_err().clause.contains("Changed"));
        let source = Changing(object, AtomicBool::new(false));
        changing_byte_source(&source, || source.1.store(true, Ordering::SeqCst)).unwrap();
    }
}
