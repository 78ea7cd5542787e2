// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why references cannot be read.

use std::error::Error as _;
use std::fmt;
use std::io;

use chunkref_core::{SourceError, redact};
use chunkref_model::kerchunk_json::ReadError;
use chunkref_parquet::ParquetError;
use chunkref_store::Location;
use thiserror::Error;

/// References cannot be read. What it shows has no secrets in it.
#[derive(Error)]
#[non_exhaustive]
pub enum ReferencesError {
    /// The object cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file cannot be read.
    #[error("{} cannot be read", redact(location))]
    Io {
        /// The file.
        location: String,
        /// Why.
        source: io::Error,
    },
    /// It is no kerchunk JSON.
    #[error(
        "{} is not kerchunk JSON that can be read; of a data file, `scan` or `build` makes references first",
        redact(location)
    )]
    Json {
        /// The object.
        location: String,
        /// What is wrong with it.
        source: ReadError,
    },
    /// It is no Icechunk repository.
    #[cfg(feature = "icechunk")]
    #[error("{} is not an Icechunk repository that can be read", redact(location))]
    Icechunk {
        /// The folder.
        location: String,
        /// What is wrong with it.
        source: chunkref_icechunk::IcechunkError,
    },
    /// A kind that this build does not read.
    #[error("{}: {reason}", redact(location))]
    Unsupported {
        /// The object or folder.
        location: String,
        /// What to do.
        reason: &'static str,
    },
    /// References that were written are not there any more.
    #[error(
        "{location}: array {array:?} has {found} references, and had {written} when they were written: parts of the set are lost, or cannot be seen; make it again, or copy all of it"
    )]
    Lost {
        /// The set.
        location: String,
        /// The array.
        array: String,
        /// References that were written.
        written: u64,
        /// References that are there.
        found: u64,
    },
    /// It is no kerchunk Parquet.
    #[error("{} is not kerchunk Parquet that can be read", redact(location))]
    Parquet {
        /// The folder.
        location: String,
        /// What is wrong with it.
        source: ParquetError,
    },
}

impl fmt::Debug for ReferencesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source().map(|source| redact(&format!("{source:?}")).into_owned());
        formatter
            .debug_struct("ReferencesError")
            .field("message", &self.to_string())
            .field("source", &source)
            .finish()
    }
}

impl ReferencesError {
    pub(crate) fn no_versions(location: &Location) -> Self {
        let reason = "only Icechunk repositories have branches, tags and snapshots";
        Self::Unsupported { location: location.url().to_owned(), reason }
    }
}
