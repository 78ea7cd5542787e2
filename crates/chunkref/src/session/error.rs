// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why there is no cube.

use std::io;

use chunkref_core::{CombineError, ScanError, SourceError};
use chunkref_read::ReadError;
use thiserror::Error;

use crate::ReferencesError;

/// An input is not known.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputError {
    /// It cannot be scanned.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// Its references cannot be read.
    #[error(transparent)]
    References(Box<ReferencesError>),
    /// Values that combining needs cannot be read.
    #[error(transparent)]
    Values(#[from] ReadError),
    /// It has no such group.
    #[error("there is no group {group}: groups with arrays are {known}")]
    NoGroup {
        /// The group that is asked for.
        group: String,
        /// Some that there are.
        known: String,
    },
    /// It is not clear which store an option is for.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The program failed on it in a way that it must not.
    #[error("{0}")]
    Panic(String),
}

impl From<ReferencesError> for InputError {
    fn from(error: ReferencesError) -> Self {
        Self::References(Box::new(error))
    }
}

/// One input that failed.
#[derive(Debug, Error)]
#[error("{name}")]
#[non_exhaustive]
pub struct FailedInput {
    /// Its place among the inputs.
    pub place: usize,
    /// Its name.
    pub name: String,
    /// Its URL; empty for a dataset in memory.
    pub url: String,
    /// Why.
    #[source]
    pub error: InputError,
}

/// There is no cube.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CubeError {
    /// Inputs failed; all of them, in their order. Nothing is combined without them, unless that is asked for: it would be
    /// another cube.
    #[error("nothing is combined, because an input failed")]
    Inputs(Vec<FailedInput>),
    /// The inputs do not fit together, or an option makes no sense.
    #[error(transparent)]
    Combine(#[from] CombineError),
    /// The observer has ended the work.
    #[error("the work was stopped")]
    Stopped,
    /// The machine gives no threads.
    #[error("the machine gives no threads")]
    Threads(#[source] io::Error),
}
