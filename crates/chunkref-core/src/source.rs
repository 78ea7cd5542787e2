// SPDX-License-Identifier: MIT OR Apache-2.0
//! Range reads.

use std::fmt::{self, Debug};
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_model::ObjectVersion;
use thiserror::Error;

use crate::error::Shown;
use crate::{Advice, Resolution, redact};

/// What kind of fault kept bytes from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// There is no such object.
    NotFound,
    /// The store or the file system does not let it be read.
    PermissionDenied,
    /// A set or a file names it and may not, by the policy of this program. Nothing of it was read. Where something can be
    /// allowed, a cause says [`Resolution::Allow`].
    NotAllowed,
    /// It is not an object: a directory, say.
    NotAnObject,
    /// A range reaches past the end of the object.
    OutOfBounds,
    /// The object was changed since it was opened.
    Changed,
    /// The location is not one that can be opened.
    InvalidLocation,
    /// A storage option has no such name or value.
    InvalidOption,
    /// The object took longer than it may.
    TimedOut,
    /// The store failed.
    Io,
}

impl SourceErrorKind {
    /// Whether an error of this kind, of an object that is open, says nothing about what the object contains, so that
    /// whoever describes the object cannot go on without it.
    #[must_use]
    pub fn is_fault(self) -> bool {
        self != Self::OutOfBounds
    }

    /// Whether an error of this kind, of an object that another one names, says nothing about that name. What it says
    /// otherwise: there is no such object, it may not be named, or the name is none that could be opened.
    #[must_use]
    pub fn is_fault_of_sibling(self) -> bool {
        match self {
            Self::NotFound
            | Self::NotAllowed
            | Self::NotAnObject
            | Self::InvalidLocation
            | Self::OutOfBounds => false,
            Self::PermissionDenied
            | Self::Changed
            | Self::InvalidOption
            | Self::TimedOut
            | Self::Io => true,
        }
    }
}

/// Bytes could not be read. What it shows has no secrets in it.
#[derive(Error)]
#[error("{}: {}", redact(location), redact(message))]
pub struct SourceError {
    /// What kind of fault.
    pub kind: SourceErrorKind,
    /// The object.
    pub location: String,
    /// What happened and what to do, in words.
    pub message: String,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Debug for SourceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SourceError")
            .field("kind", &self.kind)
            .field("location", &redact(&self.location))
            .field("message", &redact(&self.message))
            .field("source", &self.source.as_ref().map(|source| Shown(&**source)))
            .finish()
    }
}

/// Range reads of one version of one object.
///
/// # Contract
/// - All bytes come from the version that [`ByteSource::version`] names; an object that changes is an error of kind
///   [`SourceErrorKind::Changed`], never a mix.
/// - [`ByteSource::read_many`] returns one buffer per range, in the order asked, each exactly as long as its range.
///   Ranges may overlap, be empty and come in any order. A range that ends past the object is an error of kind
///   [`SourceErrorKind::OutOfBounds`]; nothing is returned short.
/// - One call is one round: an implementation merges neighbouring ranges and reads all of them at once, so callers ask
///   for everything they want in one call.
/// - Calls may overlap in time; each is independent.
/// - Two reads of one range give the same bytes.
#[async_trait]
pub trait ByteSource: Send + Sync + Debug {
    /// Absolute URL of the object, as it is to appear in references.
    fn location(&self) -> &str;

    /// The version that is read.
    fn version(&self) -> &ObjectVersion;

    /// Reads ranges of bytes.
    ///
    /// # Errors
    /// [`SourceError`] when any of the ranges cannot be read.
    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError>;

    /// The source of another object beside this one (an external file that the scanned file names), or an error of kind
    /// [`SourceErrorKind::NotFound`] when this source knows no neighbours. `path` is relative to this object's folder
    /// or absolute, as the file says it; an implementation refuses what lies outside the folder unless it was told
    /// otherwise, and what has a name or lies in a folder that begins with a dot, by [`SourceErrorKind::NotAllowed`].
    ///
    /// # Errors
    /// [`SourceError`] when there is no such object or it must not be read.
    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError>;

    /// The source of another object beside this one that no file names but that may be there, such as an index. Many
    /// stores answer "forbidden" for what does not exist, so that is "not there" here.
    ///
    /// # Errors
    /// [`SourceError`] when it is not known whether there is such an object.
    async fn open_optional(&self, path: &str) -> Result<Option<Box<dyn ByteSource>>, SourceError> {
        match self.open_sibling(path).await {
            Ok(sibling) => Ok(Some(sibling)),
            Err(error)
                if !error.kind.is_fault_of_sibling()
                    || error.kind == SourceErrorKind::PermissionDenied =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl<S: ByteSource + ?Sized> ByteSource for &S {
    fn location(&self) -> &str {
        (**self).location()
    }

    fn version(&self) -> &ObjectVersion {
        (**self).version()
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        (**self).read_many(ranges).await
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        (**self).open_sibling(path).await
    }

    async fn open_optional(&self, path: &str) -> Result<Option<Box<dyn ByteSource>>, SourceError> {
        (**self).open_optional(path).await
    }
}

#[async_trait]
impl<S: ByteSource + ?Sized> ByteSource for Box<S> {
    fn location(&self) -> &str {
        (**self).location()
    }

    fn version(&self) -> &ObjectVersion {
        (**self).version()
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        (**self).read_many(ranges).await
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        (**self).open_sibling(path).await
    }

    async fn open_optional(&self, path: &str) -> Result<Option<Box<dyn ByteSource>>, SourceError> {
        (**self).open_optional(path).await
    }
}

/// An object in memory.
#[derive(Clone)]
pub struct MemorySource {
    location: String,
    version: ObjectVersion,
    bytes: Bytes,
}

impl Debug for MemorySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MemorySource")
            .field("location", &redact(&self.location))
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl MemorySource {
    /// The object `bytes` under the name `location`.
    #[must_use]
    pub fn new(location: impl Into<String>, bytes: Bytes) -> Self {
        let version = ObjectVersion { length: bytes.len() as u64, ..ObjectVersion::default() };
        Self { location: location.into(), version, bytes }
    }
}

#[async_trait]
impl ByteSource for MemorySource {
    fn location(&self) -> &str {
        &self.location
    }

    fn version(&self) -> &ObjectVersion {
        &self.version
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        ranges
            .iter()
            .map(|range| {
                let start = usize::try_from(range.start).ok();
                let end = usize::try_from(range.end).ok();
                match (start, end) {
                    (Some(start), Some(end)) if start <= end && end <= self.bytes.len() => {
                        Ok(self.bytes.slice(start..end))
                    }
                    _ => {
                        Err(SourceError::out_of_bounds(&self.location, range, self.version.length))
                    }
                }
            })
            .collect()
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        Err(SourceError {
            kind: SourceErrorKind::NotFound,
            location: path.to_owned(),
            message: format!("{} is in memory and has no neighbours", self.location),
            source: None,
        })
    }
}

impl SourceError {
    /// The same error for someone else who waits for the same bytes; the cause is its words, and all its advice.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let resolutions = Resolution::in_chain(self);
        let mut cause =
            self.source.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static));
        while let Some(advice) = cause.filter(|cause| cause.is::<Advice>()) {
            cause = advice.source();
        }
        let words: Option<Box<dyn std::error::Error + Send + Sync>> =
            cause.map(|cause| cause.to_string().into());
        Self {
            kind: self.kind,
            location: self.location.clone(),
            message: self.message.clone(),
            source: if resolutions.is_empty() {
                words
            } else {
                Some(Box::new(Advice::new(resolutions, words)))
            },
        }
    }

    /// The same error with what helps against it.
    #[must_use]
    pub fn with_resolution(mut self, resolution: Resolution) -> Self {
        self.source = Some(Box::new(Advice::new([resolution], self.source.take())));
        self
    }

    /// A range past the end of an object of `length` bytes.
    #[must_use]
    pub fn out_of_bounds(location: &str, range: &Range<u64>, length: u64) -> Self {
        Self {
            kind: SourceErrorKind::OutOfBounds,
            location: location.to_owned(),
            message: format!(
                "bytes {} to {} lie past the end of the object at {length}",
                range.start, range.end
            ),
            source: None,
        }
    }
}
