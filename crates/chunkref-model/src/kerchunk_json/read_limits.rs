// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bounds on what reading one document may cost.

use crate::json::reader::Bounds;

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
    fn default() -> Self {
        Self {
            set_bytes: 4 << 30,
            string_bytes: 256 << 20,
            metadata_values: 4_000_000,
            objects: 1_000_000,
            set_references: 200_000_000,
            generated_references: 2_000_000,
            generated_bytes: 4 << 30,
            generated_url_bytes: 256 << 20,
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
