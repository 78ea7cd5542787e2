// SPDX-License-Identifier: MIT OR Apache-2.0
//! Combining many datasets into one.

use chunkref_model::Dataset;
use thiserror::Error;

/// How to combine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CombineOptions {
    /// Dimensions along which the inputs follow one another.
    pub concat_dimensions: Vec<String>,
}

impl CombineOptions {
    /// The same options with these dimensions to concatenate along.
    #[must_use]
    pub fn with_concat_dimensions(
        mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.concat_dimensions = names.into_iter().map(Into::into).collect();
        self
    }
}

/// What kind of fault kept datasets from being combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CombineErrorKind {
    /// There is nothing to combine.
    NoInput,
    /// Inputs contradict each other: type, codecs, chunks, attributes that change meaning.
    Mismatch,
    /// The result cannot be said in Zarr's terms.
    Unsupported,
    /// An option has no such value.
    InvalidOption,
}

/// Datasets could not be combined.
#[derive(Debug, Error)]
#[error("the inputs cannot be combined: {message}")]
pub struct CombineError {
    /// What kind of fault.
    pub kind: CombineErrorKind,
    /// Every offending input and variable, and the options that resolve it.
    pub message: String,
}

/// Many datasets in, one out.
///
/// # Contract
/// - No I/O: everything needed is in the inputs.
/// - Deterministic: the same inputs in the same order give the same result.
/// - The order and grouping of the inputs do not change the result beyond what the options ask for.
/// - Inputs are checked before anything is made: a mismatch is an error that names all inputs at fault.
/// - Chunks move only by renumbering; the bytes that a reference names are never changed.
/// - One input combines to itself, and none is an error of kind [`CombineErrorKind::NoInput`].
pub trait Combiner: Send + Sync {
    /// Combines `inputs`.
    ///
    /// # Errors
    /// [`CombineError`] when they do not fit together.
    fn combine(
        &self,
        inputs: &[Dataset],
        options: &CombineOptions,
    ) -> Result<Dataset, CombineError>;
}
