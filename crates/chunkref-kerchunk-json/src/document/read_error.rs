// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a kerchunk JSON document is not read.

use chunkref_model::zarr::ZarrError;
use chunkref_model::zarr::v2::HierarchyError;
use chunkref_model::{JsonError, ManifestError};
use thiserror::Error;

use super::TemplateError;

/// Why a kerchunk JSON document does not make a dataset. Every variant names the key at fault where there is one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The input is not JSON, or not an object.
    #[error("the references are not a JSON document")]
    Json(#[from] JsonError),
    /// A specification version that is not known.
    #[error("reference specification version {version} is not supported: 0 and 1 are")]
    UnsupportedVersion {
        /// The version as the document has it.
        version: String,
    },
    /// A key that is neither a Zarr v2 document nor a chunk.
    #[error("key {key:?}: {reason}")]
    BadKey {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A key's value that is not a reference.
    #[error("key {key:?}: {reason}")]
    BadReference {
        /// The key.
        key: String,
        /// What is wrong with the value.
        reason: &'static str,
    },
    /// Metadata documents that make no groups and arrays.
    #[error(transparent)]
    Hierarchy(#[from] HierarchyError),
    /// A metadata document that the model cannot describe.
    #[error("key {key:?}: the metadata is not usable")]
    Document {
        /// The key of the document.
        key: String,
        /// The reason.
        source: ZarrError,
    },
    /// A chunk of no array.
    #[error(
        "key {key:?} is a chunk, but there is no array of so many axes whose chunk it could be"
    )]
    NoArray {
        /// The key of the chunk.
        key: String,
    },
    /// A chunk that its array does not have.
    #[error("key {key:?} does not fit its array")]
    Chunk {
        /// The key of the chunk.
        key: String,
        /// The reason.
        source: ManifestError,
    },
    /// A template that is not valid or needs what is not there.
    #[error("{place}: {text:?} cannot be expanded")]
    Template {
        /// Where the template is.
        place: String,
        /// The beginning of its text.
        text: String,
        /// The reason.
        source: TemplateError,
    },
    /// A `templates` or `gen` member that is not as the specification has it.
    #[error("{place}: {reason}")]
    BadGenerator {
        /// Which one.
        place: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More than is read.
    #[error("{what}: more than the limit {name}={limit} allows")]
    LimitExceeded {
        /// Of what.
        what: &'static str,
        /// Name of the limit.
        name: &'static str,
        /// How many are read.
        limit: u64,
    },
}

impl ReadError {
    pub(super) fn template(place: String, text: &str, source: TemplateError) -> Self {
        Self::Template { place, text: text.chars().take(200).collect(), source }
    }
}
