// SPDX-License-Identifier: MIT OR Apache-2.0
//! More inputs for a set that is there.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use chunkref_core::atomic::{AtomicError, Fingerprint};
use chunkref_core::{
    ByteSource, Capability, CombineOptions, EmitOptions, ReferenceFormats, ScanOptions, ScanRecord,
    redact,
};
use chunkref_model::Source;
use chunkref_model::provenance::Recorded;
use chunkref_store::{Location, OpenOptions};
use futures::{StreamExt, stream};
use thiserror::Error;

use super::{Input, Session};
use crate::verify::difference;
use crate::{References, ReferencesError};

/// Inputs that are in the set already and are looked at, at a time.
const AT_A_TIME: usize = 64;

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
    /// An input is in the set, and is not what it was when it was scanned.
    #[error(
        "{location} is in the set as it was before: {reason}; build the set again, for what it says of this file is out of date"
    )]
    Changed {
        /// The input.
        location: String,
        /// What differs, or why it cannot be told.
        reason: String,
    },
    /// Another process has replaced the set while it was read. Reading it again may succeed.
    #[error(transparent)]
    Replaced(AtomicError),
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
    /// How they are scanned: as the session says, and else as the files of the set were.
    pub scan_options: ScanOptions,
    read: WasRead,
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
        options.with_replaces(self.read.fingerprint).with_parent(self.version.clone())
    }

    /// Whether the set is still what was read. While it is replaced, reading it may fail in any way, of which this is the
    /// cause then.
    ///
    /// # Errors
    /// [`AtomicError::Changed`].
    pub fn check_current(&self) -> Result<(), AtomicError> {
        self.read.check()
    }
}

/// What was there when the set was read; it is not replaced if that changed meanwhile.
#[derive(Debug)]
struct WasRead {
    /// Where it is, if it is a local file or folder without a history.
    path: Option<PathBuf>,
    fingerprint: Option<Fingerprint>,
}

impl WasRead {
    fn of(set: &Location) -> Result<Self, AppendError> {
        let path = match set.local_path() {
            // What has a history is compared by its version.
            Some(path) if !has_history(path)? => Some(path.to_owned()),
            _ => None,
        };
        let fingerprint = path.as_deref().map(Fingerprint::of).transpose();
        let fingerprint = fingerprint
            .map_err(|source| AppendError::Io { location: set.to_string(), source })?
            .flatten();
        Ok(Self { path, fingerprint })
    }

    fn check(&self) -> Result<(), AtomicError> {
        let Some(path) = &self.path else { return Ok(()) };
        match Fingerprint::of(path) {
            Ok(now) if now != self.fingerprint => {
                Err(AtomicError::Changed(path.display().to_string()))
            }
            // What cannot be read is said by those who read it.
            _ => Ok(()),
        }
    }
}

fn has_history(path: &Path) -> Result<bool, ReferencesError> {
    Ok(ReferenceFormats::linked()?.of_destination(path)?.can(Capability::History))
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
        let read = WasRead::of(&set)?;
        let opened = References::open_version(&self.stores, &set, branch).await;
        let references = match opened {
            Ok(references) => references,
            Err(error) => {
                read.check().map_err(AppendError::Replaced)?;
                return Err(error.into());
            }
        };
        let (recorded, version) = (references.recorded().cloned(), references.version());
        drop(references);
        let made_of = || CombineOptions::of_record(&recorded.as_ref()?.provenance.options);
        let options =
            options.or_else(made_of).ok_or_else(|| AppendError::NotRecorded(set.to_string()))?;
        let scanned = recorded.as_ref();
        let scanned = scanned.and_then(|made| ScanRecord::of_record(&made.provenance.options));
        let scan_options = scanned.unwrap_or_default().complete(self.scan_options.clone());
        let sources = recorded.as_ref().map(Recorded::sources).unwrap_or_default();
        let in_set: HashSet<&str> = sources.iter().map(|source| source.location.as_str()).collect();
        let all = inputs.len();
        let is_new = |input: &Input| {
            input.location().is_none_or(|location| !in_set.contains(location.url()))
        };
        let named: HashSet<&str> =
            inputs.iter().filter_map(|input| Some(input.location()?.url())).collect();
        let again = sources.iter().filter(|source| named.contains(source.location.as_str()));
        let looks = again.map(|source| async move { (source, self.difference(source).await) });
        let mut looks = stream::iter(looks).buffered(AT_A_TIME);
        while let Some((source, difference)) = looks.next().await {
            if let Some(reason) = difference {
                let location = redact(&source.location).into_owned();
                return Err(AppendError::Changed { location, reason });
            }
        }
        drop(looks);
        let own = Input::references(set).with_version(version.clone()).required();
        let inputs: Vec<Input> =
            std::iter::once(own).chain(inputs.into_iter().filter(is_new)).collect();
        let known = all.saturating_add(1).saturating_sub(inputs.len());
        Ok(Extension { inputs, known, options, scan_options, read, version })
    }

    /// What differs between a source as it was recorded and as it is.
    async fn difference(&self, source: &Source) -> Option<String> {
        let known = source.version.as_ref()?;
        let location = Location::parse(&source.location).ok()?;
        match self.stores.open(&location, &OpenOptions::default()).await {
            Ok(opened) => difference(known, opened.source.version()),
            Err(error) => Some(error.to_string()),
        }
    }
}
