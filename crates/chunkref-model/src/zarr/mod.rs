// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zarr metadata documents.
//!
//! | module | holds |
//! |---|---|
//! | [`v2`] | `.zarray`, `.zattrs`, `.zgroup`, `.zmetadata`: writing and reading |
//! | [`v3`] | `zarr.json`: writing and reading |

mod fill_value;
pub mod v2;
pub mod v3;

pub use fill_value::{decode_base64, encode_base64};

use thiserror::Error;

use crate::JsonError;

/// Why a Zarr version cannot say an array, or why a document does not describe one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ZarrError {
    /// The document is not JSON.
    #[error("the metadata document is not JSON")]
    Json(#[from] JsonError),
    /// A member that must be there is not.
    #[error("the metadata document has no member {member:?}")]
    MissingMember {
        /// Its name.
        member: &'static str,
    },
    /// A member has a value that it may not have.
    #[error("member {member:?} of the metadata document is {found}: expected {expected}")]
    BadMember {
        /// Its name.
        member: &'static str,
        /// What may be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A data type string that is unknown, or has no counterpart in the model.
    #[error("data type {dtype} is not supported")]
    UnknownDataType {
        /// The type as the document has it.
        dtype: String,
    },
    /// A data type that the Zarr version cannot say.
    #[error("Zarr v{version} cannot say {reason}")]
    UnsupportedDataType {
        /// 2 or 3.
        version: u8,
        /// What cannot be said.
        reason: String,
    },
    /// A fill value that the data type cannot have.
    #[error("fill value {fill_value} does not fit data type {dtype}")]
    BadFillValue {
        /// The fill value.
        fill_value: String,
        /// The data type.
        dtype: String,
    },
    /// A codec or codec sequence that the Zarr version cannot say.
    #[error("codec {codec:?} {reason}")]
    UnsupportedCodec {
        /// Its name.
        codec: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Shape, chunk shape and dimension names that do not belong together.
    #[error("{count} {what} for {axes} axes")]
    Inconsistent {
        /// What there are too many or too few of.
        what: &'static str,
        /// How many.
        count: usize,
        /// Length of the shape.
        axes: usize,
    },
    /// A chunk without extent.
    #[error(
        "chunk shape {chunk_shape:?} is not a shape of chunks: every axis needs at least one element"
    )]
    EmptyChunk {
        /// The chunk shape.
        chunk_shape: Vec<u64>,
    },
    /// An element too long to be spelled out.
    #[error("a fill value of {length} bytes is longer than the {limit} bytes that are written")]
    LimitExceeded {
        /// Bytes of an element.
        length: u64,
        /// Bytes that are written.
        limit: u64,
    },
}

/// Checks that shape, chunk shape and dimension names belong together.
fn check_axes(array: &crate::Array) -> Result<(), ZarrError> {
    let axes = array.shape.len();
    let chunk_shape = array.chunk_grid.chunk_shape();
    for (what, count) in
        [("chunk lengths", chunk_shape.len()), ("dimension names", array.dimensions.len())]
    {
        if count != axes {
            return Err(ZarrError::Inconsistent { what, count, axes });
        }
    }
    if chunk_shape.contains(&0) {
        return Err(ZarrError::EmptyChunk { chunk_shape: chunk_shape.to_vec() });
    }
    Ok(())
}
