// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be wrong with a GRIB file, and where.

use std::sync::Arc;

use chunkref_core::{Cancelled, ScanError, ScanErrorKind, SourceError, Truncated};
use thiserror::Error;

/// A fault of a GRIB file or of reading it; `structure` is the specification's name, `offset` counts bytes from the
/// start of the file.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum Grib2Error {
    /// The bytes end before the structure does.
    #[error("{0}: the file is cut off or damaged")]
    Truncated(Truncated),
    /// No message anywhere in the file.
    #[error("no GRIB message begins in the {length} bytes of the file")]
    NoMessage {
        /// Bytes of the file.
        length: u64,
    },
    /// A sound structure that this release does not cover.
    #[error("{structure} at byte {offset}: {what} is not supported")]
    Unsupported {
        /// The structure.
        structure: &'static str,
        /// Where.
        offset: u64,
        /// What is not covered.
        what: String,
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
    /// An index sidecar that was asked for and cannot be used.
    #[error("index sidecar {name}: {reason}")]
    BadIndex {
        /// The sidecar.
        name: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A message that is not what its index sidecar and the template say.
    #[error(
        "message {number} at byte {offset}: {reason}; the index sidecar {index} is not of this file, or the template is not like it"
    )]
    Contradiction {
        /// Which message of the sidecar, from 1 on.
        number: u64,
        /// Where it is to begin.
        offset: u64,
        /// What the sidecar and the template say, and what the header does.
        reason: String,
        /// The sidecar.
        index: String,
    },
    /// Fields are to be described by index sidecars alone, and nothing says what they are like.
    #[error("grib.index=only needs grib.template, a file whose fields are like those of this one")]
    NoTemplate,
    /// A filter by a key that fields do not have.
    #[error("grib.filter: no key {key:?} is known; see the keys in docs/formats/grib2.md")]
    BadFilter {
        /// The key.
        key: String,
    },
    /// A claim past what [`Limits`](chunkref_core::Limits) allow.
    #[error("{structure} at byte {offset}: {claimed} {what} exceed the limit {name} of {limit}")]
    LimitExceeded {
        /// The structure.
        structure: &'static str,
        /// Where.
        offset: u64,
        /// What there is too much of.
        what: &'static str,
        /// How much the file claims.
        claimed: u64,
        /// What the limit is called.
        name: &'static str,
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

impl From<Truncated> for Grib2Error {
    fn from(truncated: Truncated) -> Self {
        Self::Truncated(truncated)
    }
}

impl From<SourceError> for Grib2Error {
    fn from(error: SourceError) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl Grib2Error {
    /// The error of the whole scan of `location`.
    pub(crate) fn into_scan_error(self, location: &str) -> ScanError {
        let kind = match &self {
            Self::Truncated(_) => ScanErrorKind::Truncated,
            Self::Unsupported { .. } => ScanErrorKind::Unsupported,
            Self::NoMessage { .. } | Self::Inconsistent { .. } | Self::Contradiction { .. } => {
                ScanErrorKind::Malformed
            }
            Self::BadIndex { .. } | Self::BadFilter { .. } | Self::NoTemplate => {
                ScanErrorKind::InvalidOption
            }
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

    pub(crate) fn unsupported(
        structure: &'static str,
        offset: u64,
        what: impl Into<String>,
    ) -> Self {
        Self::Unsupported { structure, offset, what: what.into() }
    }

    /// `Err` when `claimed` is more than the limit, which is given with its name.
    pub(crate) fn check_limit(
        structure: &'static str,
        offset: u64,
        what: &'static str,
        claimed: u64,
        (name, limit): (&'static str, u64),
    ) -> Result<()> {
        if claimed > limit {
            Err(Self::LimitExceeded { structure, offset, what, claimed, name, limit })
        } else {
            Ok(())
        }
    }
}

pub(crate) type Result<T, E = Grib2Error> = std::result::Result<T, E>;
