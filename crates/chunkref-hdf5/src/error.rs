// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be wrong with an HDF5 file, and where.

use std::sync::Arc;

use chunkref_core::{
    Advice, Cancelled, Resolution, ScanError, ScanErrorKind, SourceError, Truncated,
};
use thiserror::Error;

/// The format's name in the registry.
pub(crate) const FORMAT: &str = "hdf5";

/// A fault of an HDF5 file or of reading it; `structure` is the specification's name, `offset` counts bytes from the
/// start of the file.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum Hdf5Error {
    /// The bytes end before the structure does.
    #[error("{0}: the file is cut off or damaged")]
    Truncated(Truncated),
    /// A structure does not begin as it must.
    #[error(
        "{structure} at byte {offset}: expected signature \"{}\", found \"{}\"",
        expected.escape_ascii(),
        found.escape_ascii()
    )]
    BadSignature {
        /// The structure.
        structure: &'static str,
        /// Where.
        offset: u64,
        /// What it begins with.
        expected: [u8; 4],
        /// What is there.
        found: [u8; 4],
    },
    /// A version of a structure that this release does not know.
    #[error("{structure} at byte {offset}: version {version} is not known to this release")]
    UnsupportedVersion {
        /// The structure.
        structure: &'static str,
        /// Where.
        offset: u64,
        /// The version found.
        version: u8,
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
    /// Filters that no codec undoes, of chunks that are not stored inline.
    #[error("filter pipeline of the object at byte {offset}: {reason}")]
    UnsupportedFilter {
        /// Where the dataset's header is.
        offset: u64,
        /// The filter, and what to do.
        reason: String,
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
    /// Data that lies in another file, which cannot be had.
    #[error("{structure} at byte {offset}: {reason}")]
    Elsewhere {
        /// The structure that names the file.
        structure: &'static str,
        /// Where.
        offset: u64,
        /// Why not.
        reason: String,
        /// What helps.
        #[source]
        advice: Option<Arc<Advice>>,
    },
    /// A checksum that does not fit the bytes.
    #[error(
        "{structure} at byte {offset}: checksum {computed:#010x} does not match the stored {stored:#010x}: the file is damaged"
    )]
    Checksum {
        /// The structure.
        structure: &'static str,
        /// Where it begins.
        offset: u64,
        /// The checksum in the file.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
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
    /// Whether there is another file, which this one names, could not be found out.
    #[error(
        "the file {name:?}, which this one names, could not be opened; hdf5.links=skip does without what external links lead to"
    )]
    Neighbour {
        /// The other file, as this one names it.
        name: String,
        /// Why.
        #[source]
        source: Arc<SourceError>,
    },
}

impl From<Truncated> for Hdf5Error {
    fn from(truncated: Truncated) -> Self {
        Self::Truncated(truncated)
    }
}

impl Hdf5Error {
    /// Where in the file the fault is, in bytes from its start.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        match self {
            Self::Truncated(truncated) => Some(truncated.offset),
            Self::BadSignature { offset, .. }
            | Self::UnsupportedVersion { offset, .. }
            | Self::Unsupported { offset, .. }
            | Self::UnsupportedFilter { offset, .. }
            | Self::Inconsistent { offset, .. }
            | Self::Elsewhere { offset, .. }
            | Self::Checksum { offset, .. }
            | Self::LimitExceeded { offset, .. } => Some(*offset),
            Self::Cancelled(_) | Self::Io(_) | Self::Neighbour { .. } => None,
        }
    }

    /// The error of the whole scan of `location`.
    pub(crate) fn into_scan_error(self, location: &str) -> ScanError {
        let kind = match &self {
            Self::Truncated(_) => ScanErrorKind::Truncated,
            Self::UnsupportedVersion { .. }
            | Self::Unsupported { .. }
            | Self::UnsupportedFilter { .. } => ScanErrorKind::Unsupported,
            Self::BadSignature { .. }
            | Self::Inconsistent { .. }
            | Self::Elsewhere { .. }
            | Self::Checksum { .. } => ScanErrorKind::Malformed,
            Self::LimitExceeded { .. } => ScanErrorKind::LimitExceeded,
            Self::Cancelled(cancelled) => (*cancelled).into(),
            Self::Io(source) | Self::Neighbour { source, .. } => source.kind.into(),
        };
        ScanError::new(kind, location, self).with_format(FORMAT)
    }

    pub(crate) fn inconsistent(
        structure: &'static str,
        offset: u64,
        reason: impl Into<String>,
    ) -> Self {
        Self::Inconsistent { structure, offset, reason: reason.into() }
    }

    /// What lies in another file, which cannot be had.
    pub(crate) fn elsewhere(structure: &'static str, offset: u64, reason: Reason) -> Self {
        let Reason { text: reason, resolutions } = reason;
        let advice = (!resolutions.is_empty()).then(|| Arc::new(Advice::new(resolutions, None)));
        Self::Elsewhere { structure, offset, reason, advice }
    }

    pub(crate) fn unsupported(
        structure: &'static str,
        offset: u64,
        what: impl Into<String>,
    ) -> Self {
        Self::Unsupported { structure, offset, what: what.into() }
    }

    /// `Err` when `claimed` is more than `limit`.
    pub(crate) fn check_limit(
        structure: &'static str,
        offset: u64,
        what: &'static str,
        claimed: u64,
        limit: u64,
    ) -> Result<(), Self> {
        if claimed > limit {
            Err(Self::LimitExceeded { structure, offset, what, claimed, limit })
        } else {
            Ok(())
        }
    }
}

/// Why something cannot be had, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) text: String,
    pub(crate) resolutions: Vec<Resolution>,
}

impl Reason {
    /// What an error says, with the advice that it carries.
    pub(crate) fn from_error(error: &(impl std::error::Error + 'static)) -> Self {
        Self { text: error.to_string(), resolutions: Resolution::in_chain(error) }
    }

    /// The same reason, of something larger.
    pub(crate) fn within(self, what: impl std::fmt::Display) -> Self {
        Self { text: format!("{what}: {}", self.text), ..self }
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self { text, resolutions: Vec::new() }
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&Hdf5Error> for Reason {
    fn from(error: &Hdf5Error) -> Self {
        Self::from_error(error)
    }
}

pub(crate) type Result<T, E = Hdf5Error> = std::result::Result<T, E>;
