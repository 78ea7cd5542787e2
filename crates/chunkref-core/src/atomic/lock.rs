// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lock that is held while a destination is compared and replaced.
//!
//! It is a file beside the destination, there for the moment of the replacement only. The destination itself is not
//! locked: users do that (`flock cube.json chunkref append …`), and it is another file after each replacement.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::hook::{self, Operation};
use super::place::folder_of;
use super::temporary::is_at;

/// How the name of a lock ends.
pub(super) const SUFFIX: &str = ".lock";

/// The lock, which is given back when this is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Waits for the lock of `target`; `None` where the file system has no locks.
    ///
    /// # Errors
    /// Those of making the file of the lock.
    pub fn take(target: &Path) -> io::Result<Option<Self>> {
        let name = target.file_name().unwrap_or_default().as_encoded_bytes();
        let name = format!(".chunkref-{:016x}{SUFFIX}", super::fingerprint::hash(name));
        let path = folder_of(target).join(name);
        loop {
            hook::before(Operation::Lock, &path)?;
            let file = open(&path)?;
            match file.lock() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => {
                    let _ = hook::remove_file(&path);
                    return Ok(None);
                }
            }
            // The one who had it before has removed the file.
            if is_at(&file, &path) {
                return Ok(Some(Self { file, path }));
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    match OpenOptions::new().write(true).create(true).truncate(false).open(path) {
        // Of another user.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(path),
        other => other,
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // First the name, then the lock: whoever gets the lock of a file without a name tries again.
        let _ = hook::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}
