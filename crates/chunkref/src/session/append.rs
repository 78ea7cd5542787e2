// SPDX-License-Identifier: MIT OR Apache-2.0
//! More inputs for a set that is there.

use std::collections::HashSet;
use std::io;

use chunkref_core::atomic::Fingerprint;
use chunkref_core::{CombineOptions, EmitOptions};
use chunkref_model::kerchunk_json::Recorded;
use chunkref_store::Location;
use thiserror::Error;

use super::{Input, Session};
use crate::emit::Target;
use crate::{References, ReferencesError};

/// A set is not extended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The set cannot be read.
    #[error(transparent)]
    References(#[from] ReferencesError),
    /// The set cannot be read.
    #[error("{location} cannot be read")]
    Io {
        /// The set.
        location: String,
        /// Why.
        source: io::Error,
    },
    /// The set does not say how it was combined, and the caller does not say it either.
    #[error("{0} does not say how it was combined")]
    NotRecorded(String),
}

/// A set that is extended: what is combined, how, and what the result replaces.
#[derive(Debug)]
#[non_exhaustive]
pub struct Extension {
    /// The set, and the inputs that are not in it.
    pub inputs: Vec<Input>,
    /// How many of the inputs are in the set already.
    pub known: usize,
    /// How they are combined.
    pub options: CombineOptions,
    /// What was there when the set was read; it is not replaced if that changed meanwhile.
    replaces: Option<Fingerprint>,
    version: Option<String>,
}

impl Extension {
    /// Whether the set has all inputs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.len() <= 1
    }

    /// Options that replace the set that was read and no other: [`atomic::is_changed`](chunkref_core::atomic::is_changed)
    /// tells the error when another process has written it meanwhile.
    #[must_use]
    pub fn emit_options(&self, options: EmitOptions) -> EmitOptions {
        let mut options = options.with_replaces(self.replaces);
        options.commit = options.commit.with_parent(self.version.clone());
        options
    }
}

impl Session {
    /// Reads what a set at `set` is made of, and leaves out the inputs that are in it. Without `options` all is as it was
    /// when the set was made. `branch` is of sets that have versions.
    ///
    /// # Errors
    /// [`AppendError`].
    pub async fn extend(
        &self,
        set: Location,
        branch: Option<&str>,
        inputs: Vec<Input>,
        options: Option<CombineOptions>,
    ) -> Result<Extension, AppendError> {
        // Before anything is read: what is written later is compared with this.
        let replaces = match set.local_path() {
            // A repository has versions.
            Some(path) if Target::of(path) != Target::Icechunk => {
                let location = || set.to_string();
                Fingerprint::of(path)
                    .map_err(|source| AppendError::Io { location: location(), source })?
            }
            _ => None,
        };
        let references = References::open_version(&self.stores, &set, branch).await?;
        let (recorded, version) = (references.recorded().cloned(), references.version());
        drop(references);
        let made_of = || CombineOptions::of_record(&recorded.as_ref()?.provenance.options);
        let options =
            options.or_else(made_of).ok_or_else(|| AppendError::NotRecorded(set.to_string()))?;
        let sources = recorded.as_ref().map(Recorded::sources).unwrap_or_default();
        let in_set: HashSet<&str> = sources.iter().map(|source| source.location.as_str()).collect();
        let all = inputs.len();
        let is_new = |input: &Input| {
            input.location().is_none_or(|location| !in_set.contains(location.url()))
        };
        let own = Input::references(set).with_version(version.clone());
        let inputs: Vec<Input> =
            std::iter::once(own).chain(inputs.into_iter().filter(is_new)).collect();
        let known = all.saturating_add(1).saturating_sub(inputs.len());
        Ok(Extension { inputs, known, options, replaces, version })
    }
}
