// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing a dataset where people open it.

use std::path::Path;

use chunkref_model::Dataset;
use chunkref_model::kerchunk_json::Provenance;
use thiserror::Error;

/// How to emit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmitOptions {
    /// Whether to write consolidated metadata too (`.zmetadata`), without which zarr-python 3 sees no nested groups.
    pub consolidated: bool,
    /// How the references came about, to be written along where the output has a place for it.
    pub provenance: Option<Provenance>,
    /// Whether kerchunk JSON says each URL once, as a template that readers expand.
    pub templates: bool,
    /// References per partition of Parquet; `None` for what is usual.
    pub record_size: Option<u64>,
}

impl Default for EmitOptions {
    fn default() -> Self {
        Self { consolidated: true, provenance: None, templates: false, record_size: None }
    }
}

impl EmitOptions {
    /// The same options with or without consolidated metadata.
    #[must_use]
    pub fn with_consolidated(mut self, consolidated: bool) -> Self {
        self.consolidated = consolidated;
        self
    }

    /// The same options with or without templates.
    #[must_use]
    pub fn with_templates(mut self, templates: bool) -> Self {
        self.templates = templates;
        self
    }

    /// The same options with so many references per partition.
    #[must_use]
    pub fn with_record_size(mut self, record_size: u64) -> Self {
        self.record_size = Some(record_size);
        self
    }

    /// The same options with a record of how the references came about.
    #[must_use]
    pub fn with_provenance(mut self, provenance: Provenance) -> Self {
        self.provenance = Some(provenance);
        self
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Emitted {
    /// Chunk references, virtual and inline.
    pub references: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// A dataset could not be written.
#[derive(Debug, Error)]
#[error("{destination}: references cannot be written")]
pub struct EmitError {
    /// Where to.
    pub destination: String,
    /// The fault.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// A dataset written where people open it.
///
/// # Contract
/// - Atomic: `destination` holds either all of the dataset or what it held before, whatever fails.
/// - Deterministic: the same dataset and options give the same bytes.
/// - A missing chunk is never written as present, and nothing of the dataset is left out in silence: what the output
///   cannot say is an error.
pub trait Emitter: Send + Sync {
    /// Short lower-case name of the output format.
    fn name(&self) -> &'static str;

    /// Writes `dataset` to the local path `destination`, which is replaced.
    ///
    /// # Errors
    /// [`EmitError`] when it cannot be said in the output format or cannot be written.
    fn emit(
        &self,
        dataset: &Dataset,
        destination: &Path,
        options: &EmitOptions,
    ) -> Result<Emitted, EmitError>;
}
