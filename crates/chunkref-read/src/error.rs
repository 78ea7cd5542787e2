// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why values could not be read.

use chunkref_core::{Cancelled, CodecsError, DecodeError, SourceError};
use thiserror::Error;

/// Values could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such array.
    #[error("there is no array {array:?}")]
    NoArray {
        /// Its path.
        array: String,
    },
    /// A codec that this program does not undo.
    #[error(
        "array {array:?} is encoded with {codec:?}, which this program does not undo; one that links a crate with the codec does (docs/guide/extending.md). Known are {known}"
    )]
    UnknownCodec {
        /// The array.
        array: String,
        /// The codec.
        codec: String,
        /// The names of those that are undone.
        known: String,
    },
    /// Codecs that are linked in and cannot be told apart: none is used.
    #[error(transparent)]
    Codecs(CodecsError),
    /// Elements without a length of their own.
    #[error("array {array:?} has elements of no fixed length")]
    NoFixedLength {
        /// The array.
        array: String,
    },
    /// More bytes than are read.
    #[error("array {array:?} has more than the {limit} bytes of values that are read")]
    TooLarge {
        /// The array.
        array: String,
        /// The most that are read.
        limit: u64,
    },
    /// A region that is not in the array.
    #[error("{region:?} is not in array {array:?}, whose shape is {shape:?}")]
    OutOfBounds {
        /// The array.
        array: String,
        /// A range for each axis.
        region: Vec<std::ops::Range<u64>>,
        /// The shape of the array.
        shape: Vec<u64>,
    },
    /// Stored bytes that are not what the codec makes.
    #[error("array {array:?}, chunk {chunk_indices:?}: {reason}")]
    Damaged {
        /// The array.
        array: String,
        /// The chunk.
        chunk_indices: Vec<u64>,
        /// What is wrong with it.
        reason: String,
    },
    /// A reference to a source that the table does not have.
    #[error("array {array:?} has a reference to no source")]
    NoSource {
        /// The array.
        array: String,
    },
    /// Zarr of the version asked for cannot say an array.
    #[error("array {array:?} has no form in this version of Zarr")]
    NoDocument {
        /// The array.
        array: String,
        /// What cannot be said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Stored bytes that the decoders here do not cover.
    #[error("array {array:?}, chunk {chunk_indices:?}: {reason}")]
    Unsupported {
        /// The array.
        array: String,
        /// The chunk.
        chunk_indices: Vec<u64>,
        /// What is not covered.
        reason: String,
    },
    /// Chunks that decode to more bytes than the limits allow.
    #[error("array {array:?}: {reason}")]
    ChunkTooLarge {
        /// The array.
        array: String,
        /// How many bytes, and which limit.
        reason: String,
    },
    /// Reading was ended from outside.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The references themselves could not be read.
    #[error("the references cannot be read")]
    References(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The source could not be read.
    #[error("the values cannot be read")]
    Source(#[from] SourceError),
}

impl ReadError {
    /// A chunk that could not be decoded.
    pub(crate) fn undecoded(array: &str, chunk_indices: &[u64], error: DecodeError) -> Self {
        let (array, chunk_indices) = (array.to_owned(), chunk_indices.to_vec());
        match error {
            DecodeError::Damaged(reason) => Self::Damaged { array, chunk_indices, reason },
            DecodeError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            other => Self::Unsupported { array, chunk_indices, reason: other.to_string() },
        }
    }
}
