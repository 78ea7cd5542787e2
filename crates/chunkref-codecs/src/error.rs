// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why bytes cannot be decoded or encoded.

use chunkref_core::{Cancelled, DecodeContext, DecodeError, EncodeError, Truncated};
use thiserror::Error;

/// Why bytes cannot be decoded or encoded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CodecError {
    /// They are not what the codec makes.
    #[error("{0}")]
    Damaged(String),
    /// Settings or formats that this release does not cover.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// A checksum that does not fit the bytes.
    #[error("the checksum is {stored:#010x}, that of the data {computed:#010x}")]
    Checksum {
        /// The checksum that is stored.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// The work was ended from outside.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl CodecError {
    pub(crate) fn damaged(reason: &str) -> Self {
        Self::Damaged(reason.to_owned())
    }

    pub(crate) fn unsupported(what: &str) -> Self {
        Self::Unsupported(what.to_owned())
    }

    pub(crate) fn ended_early() -> Self {
        Self::damaged("its bytes end early")
    }

    pub(crate) fn too_long(max_bytes: usize) -> Self {
        Self::Damaged(format!("more than {max_bytes} bytes come out of it"))
    }

    /// A claimed length, if that many bytes may come out.
    pub(crate) fn check_length(claimed: u64, context: &DecodeContext<'_>) -> Result<usize, Self> {
        usize::try_from(claimed)
            .ok()
            .filter(|&length| length <= context.max_bytes())
            .ok_or_else(|| Self::too_long(context.max_bytes()))
    }
}

impl From<Truncated> for CodecError {
    fn from(_: Truncated) -> Self {
        Self::ended_early()
    }
}

impl From<CodecError> for DecodeError {
    fn from(error: CodecError) -> Self {
        match error {
            CodecError::Unsupported(_) => Self::Unsupported(error.to_string()),
            CodecError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            CodecError::Damaged(_) | CodecError::Checksum { .. } => {
                Self::Damaged(error.to_string())
            }
        }
    }
}

impl From<CodecError> for EncodeError {
    fn from(error: CodecError) -> Self {
        Self(error.to_string())
    }
}
