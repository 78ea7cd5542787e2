// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong.

use chunkref_core::OptionError;
use chunkref_core::atomic::AtomicError;
use chunkref_model::ManifestError;
use chunkref_model::zarr::ZarrError;
use thiserror::Error;

/// A fault of the library: one of its enums of errors.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// References cannot be written to an Icechunk repository or read from it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IcechunkError {
    /// An option that is not there, or does not take its value.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// Zarr version 3 cannot say a node, or its document is none.
    #[error("{path:?}")]
    Document {
        /// The array or group.
        path: String,
        /// What cannot be said.
        source: ZarrError,
    },
    /// A name that the repository cannot have.
    #[error("{path:?} cannot be a path of an Icechunk repository: {reason}")]
    Name {
        /// The array or group.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A list of datasets, which only kerchunk JSON holds.
    #[error(
        "the references are a list of datasets, and a repository holds one: write them as JSON"
    )]
    Separate,
    /// A chunk grid with more chunks along an axis than 32 bits count.
    #[error(
        "array {array:?} has a grid of {grid_shape:?} chunks, and Icechunk counts them with 32 bits"
    )]
    GridTooLarge {
        /// The array.
        array: String,
        /// Chunks along each axis.
        grid_shape: Vec<u64>,
    },
    /// A chunk without bytes, which Icechunk does not hold.
    #[error(
        "array {array:?}: chunk {chunk_indices:?} has 0 bytes, and Icechunk holds no such chunk"
    )]
    EmptyChunk {
        /// The array.
        array: String,
        /// Place in the grid.
        chunk_indices: Vec<u64>,
    },
    /// A reference to all of an object whose length nobody recorded.
    #[error(
        "array {array:?}: chunk {chunk_indices:?} is all of {location}, whose length is not known, and Icechunk needs one"
    )]
    UnknownLength {
        /// The array.
        array: String,
        /// Place in the grid.
        chunk_indices: Vec<u64>,
        /// The object.
        location: String,
    },
    /// An object that a repository cannot point to.
    #[error("array {array:?} has chunks in {location}: {reason}")]
    Location {
        /// The array.
        array: String,
        /// The object.
        location: String,
        /// Why not.
        reason: &'static str,
    },
    /// A virtual chunk container that the library does not take.
    #[error("{prefix} cannot be a virtual chunk container: {reason}")]
    Container {
        /// The URL prefix.
        prefix: String,
        /// What the library says.
        reason: String,
    },
    /// The repository cannot be put in its place, or its branch moved since the dataset was read from it.
    #[error("{0}")]
    Atomic(#[from] AtomicError),
    /// There is no repository.
    #[error("there is no Icechunk repository at {0}")]
    NoRepository(String),
    /// There is no such branch, tag or snapshot.
    #[error("the repository has no branch, tag or snapshot {0:?}")]
    NoVersion(String),
    /// An array that is not there.
    #[error("there is no array {0:?}")]
    NoArray(String),
    /// References that make no manifest.
    #[error("array {array:?}")]
    Manifest {
        /// The array.
        array: String,
        /// What is wrong with them.
        source: ManifestError,
    },
    /// What the library answers.
    #[error("the repository could not be {action}")]
    Library {
        /// What was tried.
        action: &'static str,
        /// The library's error.
        source: Fault,
    },
    /// A file cannot be read or written.
    #[error("{path}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The machine gives no threads.
    #[error("no threads for the repository")]
    Threads(#[source] std::io::Error),
    /// The library panicked.
    #[error("the Icechunk library stopped: that is a fault of the program")]
    Died,
}

/// Wraps an error of the library.
pub(crate) fn library<E: std::error::Error + Send + Sync + 'static>(
    action: &'static str,
) -> impl Fn(E) -> IcechunkError {
    move |error| IcechunkError::Library { action, source: Box::new(error) }
}

/// Another process has committed to a branch since it was read.
pub(crate) fn branch_moved(branch: &str) -> IcechunkError {
    AtomicError::Changed(format!("branch {branch}")).into()
}
