// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why something has no place in the model.

use chunkref_core::Limits;
use chunkref_core::model::ManifestError;

/// Why something has no place in the model: where, and what it is.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) offset: Option<u64>,
    pub(super) reason: String,
    /// The limit of the file that this would go past.
    pub(super) exceeded: Option<Exceeded>,
}

impl Refusal {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { offset: None, reason: reason.into(), exceeded: None }
    }
}

/// A limit on all references of a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Exceeded {
    Chunks,
    InlineBytes,
}

impl Exceeded {
    pub(super) fn of(self, limits: &Limits) -> (&'static str, u64) {
        match self {
            Self::Chunks => ("chunks in one file", limits.chunks),
            Self::InlineBytes => ("bytes stored inline of one file", limits.inline_bytes),
        }
    }
}

impl From<ManifestError> for Refusal {
    fn from(error: ManifestError) -> Self {
        Self::new(error.to_string())
    }
}
