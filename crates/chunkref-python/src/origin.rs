// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where references were read from, so that what is written there in their place replaces nothing that came meanwhile.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chunkref::core::atomic::Fingerprint;
use chunkref::emit::formats;
use chunkref::{Capability, EmitOptions, Location, ReferenceFormat, References};

/// A local set. Those that are made of it by appending have it in common.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    path: PathBuf,
    held: Arc<Mutex<Held>>,
}

/// What was there: the bytes of a file or folder, or the version of what has a history.
#[derive(Debug, Clone, Default)]
struct Held {
    fingerprint: Option<Fingerprint>,
    version: Option<String>,
}

/// The real path of a set, and a digest of what it holds; what has a history has versions instead.
pub(crate) fn held(path: &Path) -> io::Result<(PathBuf, Option<Fingerprint>)> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let formats = formats().map_err(io::Error::other)?;
    let has_history = formats.of_folder(path).is_some_and(|format| format.can(Capability::History));
    let fingerprint = if has_history { None } else { Fingerprint::of(path)? };
    Ok((real, fingerprint))
}

impl Origin {
    pub(crate) fn new(
        path: PathBuf,
        fingerprint: Option<Fingerprint>,
        version: Option<String>,
    ) -> Self {
        Self { path, held: Arc::new(Mutex::new(Held { fingerprint, version })) }
    }

    pub(crate) fn is_at(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|path| path == self.path)
    }

    /// Options with which it is replaced only if it holds what it held.
    pub(crate) fn expect(&self, format: &ReferenceFormat, options: EmitOptions) -> EmitOptions {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // The version is the one that is current where none is named.
        let named = format.version_in(&options).is_some();
        options.with_parent(held.version.filter(|_| !named)).with_replaces(held.fingerprint)
    }

    /// After it was replaced by bytes that have this fingerprint; `None` for what has a history, whose version is read again, so
    /// that a commit of another process right after this one counts as known. What cannot be read is not compared the next
    /// time.
    pub(crate) fn renew(&self, path: &Path, fingerprint: Option<Fingerprint>) {
        let version = match (fingerprint, Location::from_path(path)) {
            (None, Ok(location)) => {
                let stores = chunkref::stores();
                let opened = References::open(&stores, &location);
                futures::executor::block_on(opened).ok().and_then(|opened| opened.version())
            }
            _ => None,
        };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Held { fingerprint, version };
    }
}
