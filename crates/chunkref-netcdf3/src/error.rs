// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be wrong with a classic file, and where.

use std::sync::Arc;

use chunkref_core::{Cancelled, ScanError, ScanErrorKind, SourceError, Truncated};
use thiserror::Error;

/// A fault of a classic file or of reading it; `structure` is the specification's name, `offset` counts bytes from the
/// start of the file.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum NetCdf3Error {
    /// The bytes end before the header does.
    #[error("{0}: the file is cut off or damaged")]
    Truncated(Truncated),
    /// The file does not begin with `CDF` and a version.
    #[error("header at byte 0: expected signature \"CDF\" and version 1, 2 or 5, found \"{}\"", found.escape_ascii())]
    BadSignature {
        /// What is there.
        found: [u8; 4],
    },
    /// A structure that contradicts itself, another one or the specification.
    #[error("{structure} at byte {offset}: {reason}")]
    Inconsistent {
        /// The structure.
        structure: &'static str,
        /// Where.
        offset: u64,
        /// The contradiction.
        reason: String,
    },
    /// A claim past what [`Limits`](chunkref_core::Limits) allow.
    #[error("{structure} at byte {offset}: {claimed} {what} exceed the limit of {limit}")]
    LimitExceeded {
        /// The structure.
        structure: &'static str,
        /// Where.
        offset: u64,
        /// What there is too much of.
        what: &'static str,
        /// How much the file claims.
        claimed: u64,
        /// The limit.
        limit: u64,
    },
    /// The scan was ended from outside.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The bytes could not be read.
    #[error("the file could not be read")]
    Io(#[source] Arc<SourceError>),
}

impl From<Truncated> for NetCdf3Error {
    fn from(truncated: Truncated) -> Self {
        Self::Truncated(truncated)
    }
}

impl From<SourceError> for NetCdf3Error {
    fn from(error: SourceError) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl NetCdf3Error {
    /// The error of the whole scan of `location`.
    pub(crate) fn into_scan_error(self, location: &str) -> ScanError {
        let kind = match &self {
            Self::Truncated(_) => ScanErrorKind::Truncated,
            Self::BadSignature { .. } | Self::Inconsistent { .. } => ScanErrorKind::Malformed,
            Self::LimitExceeded { .. } => ScanErrorKind::LimitExceeded,
            Self::Cancelled(cancelled) => (*cancelled).into(),
            Self::Io(error) => error.kind.into(),
        };
        ScanError::new(kind, location, self).with_format(crate::ENTRY.name)
    }

    pub(crate) fn inconsistent(
        structure: &'static str,
        offset: u64,
        reason: impl Into<String>,
    ) -> Self {
        Self::Inconsistent { structure, offset, reason: reason.into() }
    }
}

pub(crate) type Result<T, E = NetCdf3Error> = std::result::Result<T, E>;
