// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong.

use chunkref_core::atomic::AtomicError;
use chunkref_core::{Cancelled, OptionError};
use chunkref_model::zarr::v2::{DocumentsError, HierarchyError};
use chunkref_model::{JsonError, ManifestError, SourceId};
use parquet::errors::ParquetError as FormatError;
use thiserror::Error;

/// References cannot be written as Parquet or read from it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ParquetError {
    /// Zarr version 2 cannot say the dataset.
    #[error(transparent)]
    Unsayable(#[from] DocumentsError),
    /// A list of datasets, which only kerchunk JSON holds.
    #[error(
        "the references are a list of datasets, and a Parquet set holds one: write them as JSON"
    )]
    Separate,
    /// A number that the columns do not hold.
    #[error(
        "array {array:?}: chunk {chunk_indices:?} lies at byte {offset}, more than the 63 bits of the column"
    )]
    TooFar {
        /// The array.
        array: String,
        /// Place in the grid.
        chunk_indices: Vec<u64>,
        /// Byte of the source.
        offset: u64,
    },
    /// A source that the dataset does not have.
    #[error("array {array:?} is of source {source_id:?}, which is not there")]
    NoSource {
        /// The array.
        array: String,
        /// The source.
        source_id: SourceId,
    },
    /// The set cannot be put in its place.
    #[error("{0}")]
    Atomic(#[from] AtomicError),
    /// Writing is no longer wanted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// An option that is not there, or does not take its value.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// A partition of no rows, or of too many.
    #[error("a partition has 1 to {most} references, not {0}", most = crate::MOST_ROWS)]
    RecordSize(u64),
    /// `.zmetadata` that is not one of references.
    #[error("{METADATA} is not the metadata of a Parquet reference set: {reason}", METADATA = crate::METADATA)]
    Metadata {
        /// What is wrong with it.
        reason: String,
    },
    /// `.zmetadata` that is not JSON.
    #[error("{METADATA} is not JSON", METADATA = crate::METADATA)]
    Json(#[from] JsonError),
    /// Its documents do not make a dataset.
    #[error("{METADATA} holds documents that make no dataset", METADATA = crate::METADATA)]
    Documents(#[from] HierarchyError),
    /// A partition that does not say what it must.
    #[error("{partition}: {reason}")]
    Partition {
        /// Its key.
        partition: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A partition that is no Parquet file, or that cannot be written as one.
    #[error(
        "{partition} is not readable as Parquet: the file is damaged, write the references again"
    )]
    Format {
        /// Its key.
        partition: String,
        /// What the library found.
        source: FormatError,
    },
    /// A partition is not there, and the array has fewer references than were written.
    #[error(
        "{partition} is not there, and of {written} references of array {array:?} that were written {found} are left: parts of the set are lost, or cannot be seen; make it again, or copy all of it"
    )]
    Lost {
        /// The array.
        array: String,
        /// The key of the partition.
        partition: String,
        /// References that were written.
        written: u64,
        /// References that are there.
        found: u64,
    },
    /// References that make no manifest.
    #[error("array {array:?}")]
    Manifest {
        /// The array.
        array: String,
        /// What is wrong with them.
        source: ManifestError,
    },
    /// An array that is not there.
    #[error("there is no array {0:?}")]
    NoArray(String),
    /// A file cannot be read or written.
    #[error("{path}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// An object cannot be read.
    #[error(transparent)]
    Source(#[from] chunkref_core::SourceError),
}

pub(crate) fn at(path: &std::path::Path, source: std::io::Error) -> ParquetError {
    ParquetError::Io { path: path.display().to_string(), source }
}
