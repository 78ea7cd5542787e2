// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors of scanning, as callers match on them.

use std::fmt;

use thiserror::Error;

use crate::{Cancelled, SourceError, SourceErrorKind, redact};

/// What kind of fault ended a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanErrorKind {
    /// There is no such file.
    NotFound,
    /// Reading the file is not allowed.
    PermissionDenied,
    /// No registered format has files that begin like this one.
    UnknownFormat,
    /// More than one registered format claims the file.
    Ambiguous,
    /// The file ends before its structures do.
    Truncated,
    /// The file contradicts itself or its format.
    Malformed,
    /// The file is sound but uses something that is not covered yet.
    Unsupported,
    /// The file would cost more than the limits allow.
    LimitExceeded,
    /// The file changed while it was read.
    Changed,
    /// An option has no such name or value.
    InvalidOption,
    /// The file took longer than it may.
    TimedOut,
    /// Someone asked for an end before the file was done.
    Stopped,
    /// The store failed.
    Io,
}

impl From<Cancelled> for ScanErrorKind {
    fn from(cancelled: Cancelled) -> Self {
        match cancelled {
            Cancelled::TimedOut(_) => Self::TimedOut,
            Cancelled::Stopped => Self::Stopped,
        }
    }
}

impl From<SourceErrorKind> for ScanErrorKind {
    fn from(kind: SourceErrorKind) -> Self {
        match kind {
            SourceErrorKind::NotFound => Self::NotFound,
            SourceErrorKind::PermissionDenied | SourceErrorKind::NotAllowed => {
                Self::PermissionDenied
            }
            SourceErrorKind::Changed => Self::Changed,
            SourceErrorKind::OutOfBounds => Self::Truncated,
            SourceErrorKind::InvalidOption => Self::InvalidOption,
            SourceErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Io,
        }
    }
}

/// A file could not be scanned. What it shows has no secrets in it.
#[derive(Error)]
#[error("{}: cannot be scanned{}", redact(location), format.map(|name| format!(" as {name}")).unwrap_or_default())]
#[non_exhaustive]
pub struct ScanError {
    /// What kind of fault.
    pub kind: ScanErrorKind,
    /// The format it was scanned as, when that was clear.
    pub format: Option<&'static str>,
    /// The file.
    pub location: String,
    /// The fault itself: which structure, at which byte, and what to do.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl fmt::Debug for ScanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ScanError")
            .field("kind", &self.kind)
            .field("format", &self.format)
            .field("location", &redact(&self.location))
            .field("source", &Shown(&*self.source))
            .finish()
    }
}

/// A cause in the `Debug` of an error, without secrets.
pub(crate) struct Shown<'a>(pub(crate) &'a (dyn std::error::Error + Send + Sync));

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&redact(&format!("{:?}", self.0)))
    }
}

impl ScanError {
    /// An error of the object at `location`, with the fault itself.
    #[must_use]
    pub fn new(
        kind: ScanErrorKind,
        location: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, format: None, location: location.into(), source: source.into() }
    }

    /// The same error, with the format that the object was scanned as.
    #[must_use]
    pub fn with_format(mut self, format: impl Into<Option<&'static str>>) -> Self {
        self.format = format.into();
        self
    }

    /// The error of a file that could not be read.
    #[must_use]
    pub fn from_source(error: SourceError, format: Option<&'static str>) -> Self {
        let kind = error.kind.into();
        Self { kind, format, location: error.location.clone(), source: Box::new(error) }
    }

    /// The error of a file whose scan was ended from outside.
    #[must_use]
    pub fn cancelled(cancelled: Cancelled, location: &str, format: Option<&'static str>) -> Self {
        let (location, source) = (location.to_owned(), Box::new(cancelled));
        Self { kind: cancelled.into(), format, location, source }
    }
}
