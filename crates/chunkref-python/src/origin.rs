// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where references were read from, so that what is written there in their place replaces nothing that came meanwhile.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chunkref::core::atomic::Fingerprint;
use chunkref::emit::Target;
use chunkref::{EmitOptions, Location, References};

/// A local set. Those that are made of it by appending have it in common.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    path: PathBuf,
    held: Arc<Mutex<Held>>,
}

/// What was there: the bytes of a file or folder, or the snapshot of a repository.
#[derive(Debug, Clone, Default)]
struct Held {
    fingerprint: Option<Fingerprint>,
    version: Option<String>,
}

/// The real path of a set, and a digest of what it holds; repositories have versions instead.
pub(crate) fn held(path: &Path) -> io::Result<(PathBuf, Option<Fingerprint>)> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let fingerprint = match Target::of_folder(path) {
        Some(Target::Icechunk) => None,
        _ => Fingerprint::of(path)?,
    };
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
    pub(crate) fn expect(&self, mut options: EmitOptions) -> EmitOptions {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // The version is that of the first branch.
        if options.commit.branch.is_none() {
            options.commit = options.commit.with_parent(held.version);
        }
        options.with_replaces(held.fingerprint)
    }

    /// After it was replaced by bytes that have this fingerprint; `None` for a repository, whose version is read again, so
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
