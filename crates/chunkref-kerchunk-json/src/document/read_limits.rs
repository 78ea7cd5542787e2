// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bounds on what reading one document may cost.

use chunkref_core::Limits;
use chunkref_model::json::reader::Bounds;

/// Bounds on what reading one document may cost. Each has the name of the limit by which users set it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadLimits {
    /// Bytes of the document.
    pub set_bytes: u64,
    /// Bytes of one string that is kept.
    pub string_bytes: u64,
    /// Numbers, texts, lists and objects in metadata, templates and generators.
    pub metadata_values: u64,
    /// Groups and arrays.
    pub objects: u64,
    /// References.
    pub set_references: u64,
    /// References that generators make.
    pub generated_references: u64,
    /// Bytes of text that templates and generators make, and steps they take.
    pub generated_bytes: u64,
    /// Bytes of the distinct URLs that templates and generators make.
    pub generated_url_bytes: u64,
}

impl Default for ReadLimits {
    /// Those of [`Limits::default`].
    fn default() -> Self {
        Self::from(&Limits::default())
    }
}

impl From<&Limits> for ReadLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            set_bytes: limits.set_bytes,
            string_bytes: limits.string_bytes,
            metadata_values: limits.metadata_values,
            objects: limits.objects,
            set_references: limits.set_references,
            generated_references: limits.generated_references,
            generated_bytes: limits.generated_bytes,
            generated_url_bytes: limits.generated_url_bytes,
        }
    }
}

impl ReadLimits {
    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            set_bytes: self.set_bytes,
            string_bytes: self.string_bytes,
            metadata_values: self.metadata_values,
        }
    }
}
