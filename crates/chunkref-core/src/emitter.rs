// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing a dataset where people open it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use chunkref_model::Dataset;
use chunkref_model::provenance::Provenance;
use thiserror::Error;

use crate::atomic::Fingerprint;
use crate::error::Shown;
use crate::{Cancellation, redact};

/// How to emit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmitOptions {
    /// How the references came about, to be written along where the format can.
    pub provenance: Option<Provenance>,
    /// How readers reach the stores that references point to, if the format records it.
    pub stores: StoreHints,
    /// What the destination held when the dataset was made from it; it is replaced only if it still holds that.
    pub replaces: Option<Fingerprint>,
    /// The version that the dataset was made from, of destinations with a history: an error if there is a later one.
    pub parent: Option<String>,
    /// When writing ends before it is done: nothing is written then.
    pub cancellation: Cancellation,
    /// Options of single formats, by the names that their [`ReferenceFormat::options`](crate::ReferenceFormat) list.
    pub format_options: BTreeMap<String, String>,
}

/// How stores are reached. No secret is among it: it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StoreHints {
    /// Whether buckets are read without credentials.
    pub anonymous: bool,
    /// Region of S3.
    pub region: Option<String>,
    /// URL of a server that speaks S3.
    pub endpoint: Option<String>,
    /// Account of Azure, where URLs do not name it.
    pub account: Option<String>,
}

impl Default for EmitOptions {
    fn default() -> Self {
        Self {
            provenance: None,
            stores: StoreHints::default(),
            replaces: None,
            parent: None,
            cancellation: Cancellation::never(),
            format_options: BTreeMap::new(),
        }
    }
}

impl EmitOptions {
    /// The same options with one option of a format set.
    #[must_use]
    pub fn with_format_option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.format_options.insert(name.into(), value.into());
        self
    }

    /// The same options with the version that the dataset was made from.
    #[must_use]
    pub fn with_parent(mut self, parent: Option<String>) -> Self {
        self.parent = parent;
        self
    }

    /// The same options with a way to reach stores.
    #[must_use]
    pub fn with_stores(mut self, stores: StoreHints) -> Self {
        self.stores = stores;
        self
    }

    /// The same options for a destination that is replaced only if it holds what it held; `None` to replace it in any case.
    #[must_use]
    pub fn with_replaces(mut self, replaces: Option<Fingerprint>) -> Self {
        self.replaces = replaces;
        self
    }

    /// The same options for writing that may be cancelled.
    #[must_use]
    pub fn with_cancellation(mut self, cancellation: Cancellation) -> Self {
        self.cancellation = cancellation;
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
    /// What the destination holds now, for [`EmitOptions::replaces`] of the next writing; only where those of this one said
    /// what it held.
    pub fingerprint: Option<Fingerprint>,
}

/// A dataset could not be written. What it shows has no secrets in it.
#[derive(Error)]
#[error("{}: references cannot be written", redact(destination))]
pub struct EmitError {
    /// Where to.
    pub destination: String,
    /// The fault.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl fmt::Debug for EmitError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EmitError")
            .field("destination", &redact(&self.destination))
            .field("source", &Shown(&*self.source))
            .finish()
    }
}

/// A dataset written where people open it.
///
/// # Contract
/// - Atomic: `destination` holds either all of the dataset or what it held before, whatever fails.
/// - Nothing foreign is lost: a folder is replaced only if the format knows everything in it as its own, and a destination
///   that has changed since [`EmitOptions::replaces`] is an error ([`atomic::is_changed`](crate::atomic::is_changed)).
///   [`atomic`](crate::atomic) does both.
/// - Deterministic: the same dataset and options give the same bytes.
/// - An option of its format that it does not have, or that does not take the value, is an error, and nothing is written.
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
