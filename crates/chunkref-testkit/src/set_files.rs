// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of a set on this machine, as formats read them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{Limits, Most, SetFiles, SourceError, SourceErrorKind};

/// A set on this machine, which may pretend to be at a URL.
#[derive(Debug)]
pub struct LocalSetFiles {
    path: PathBuf,
    location: String,
    limits: Limits,
    is_remote: bool,
}

impl LocalSetFiles {
    /// The set at a path.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        let location = format!("file://{}", path.display());
        Self { path: path.to_owned(), location, limits: Limits::default(), is_remote: false }
    }

    /// The same as if it were at a URL: without a path.
    #[must_use]
    pub fn as_remote(mut self) -> Self {
        self.is_remote = true;
        self
    }
}

#[async_trait]
impl SetFiles for LocalSetFiles {
    fn location(&self) -> &str {
        &self.location
    }

    fn local_path(&self) -> Option<&Path> {
        (!self.is_remote).then_some(&self.path)
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    async fn read(&self, key: &str, most: Most) -> Result<Option<Bytes>, SourceError> {
        let path = if key.is_empty() { self.path.clone() } else { self.path.join(key) };
        let failed = |kind, message| SourceError {
            kind,
            location: path.display().to_string(),
            message,
            source: None,
        };
        match fs::read(&path) {
            Ok(bytes) if bytes.len() as u64 > most.bytes => {
                let message = format!("the limit {} does not allow it", most.name);
                Err(failed(SourceErrorKind::NotAllowed, message))
            }
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(SourceErrorKind::Io, error.to_string())),
        }
    }
}
