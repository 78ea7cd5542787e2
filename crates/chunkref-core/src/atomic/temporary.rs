// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of temporary files and folders, and the end of those whose process is dead.
//!
//! A name holds the machine, and the file or folder is locked for as long as its process lives. One of this machine
//! that nobody locks is of a dead process; one of another machine, or where the file system has no locks, is let alone.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::hook::{self, Operation};

const PREFIX: &str = ".chunkref-";
const SUFFIX: &str = ".tmp";
/// Names that are tried.
const MOST_TRIES: usize = 100;
/// Folders that are remembered as looked through.
const MOST_FOLDERS: usize = 1000;

/// A file or folder that is removed when it is dropped.
#[derive(Debug)]
pub(super) struct Temporary {
    path: PathBuf,
    /// Open, and locked where the system has locks.
    file: File,
    is_folder: bool,
    kept: bool,
}

impl Temporary {
    /// A new file in `folder`, which may be read and written as the umask allows.
    pub(super) fn file(folder: &Path) -> io::Result<Self> {
        Self::new(folder, false, |path| {
            hook::before(Operation::CreateFile, path)?;
            File::options().read(true).write(true).create_new(true).open(path)
        })
    }

    /// A new folder in `folder`.
    pub(super) fn folder(folder: &Path) -> io::Result<Self> {
        Self::new(folder, true, |path| {
            hook::create_folder(path)?;
            if cfg!(unix) { File::open(path) } else { File::open(folder) }
        })
    }

    fn new(
        folder: &Path,
        is_folder: bool,
        make: impl Fn(&Path) -> io::Result<File>,
    ) -> io::Result<Self> {
        let random = RandomState::new();
        for number in 0..MOST_TRIES {
            let name = format!(
                "{PREFIX}{}-{}-{:012x}{SUFFIX}",
                machine(),
                std::process::id(),
                random.hash_one(number) >> 16
            );
            let path = folder.join(name);
            let file = match make(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                // A process that looks for left-overs took it between its making and its opening.
                Err(error) if error.kind() == io::ErrorKind::NotFound && folder.is_dir() => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            let new = Self { path, file, is_folder, kept: false };
            // A process that looked for left-overs may have been quicker than the lock.
            if new.lock() {
                return Ok(new);
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "no name for a temporary file is free"))
    }

    /// Whether it is still there, and nobody else has it locked.
    fn lock(&self) -> bool {
        cfg!(not(unix))
            || (!matches!(self.file.try_lock(), Err(fs::TryLockError::WouldBlock))
                && is_at(&self.file, &self.path))
    }

    /// The file, or a folder as an open file.
    pub(super) fn file_handle(&self) -> &File {
        &self.file
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Forgets it: it has another name now.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            let _ = if self.is_folder {
                hook::remove_folder(&self.path)
            } else {
                hook::remove_file(&self.path)
            };
        }
    }
}

/// Whether a path names an open file.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let there = fs::symlink_metadata(path).map(identity);
    matches!((there, file.metadata().map(identity)), (Ok(there), Ok(own)) if there == own)
}

#[cfg(not(unix))]
pub(super) fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// Removes what dead processes of this machine have left in a folder; once for each folder and process.
pub(super) fn remove_left_overs(folder: &Path) {
    static DONE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    if cfg!(not(unix)) {
        return;
    }
    let Ok(real) = folder.canonicalize() else { return };
    {
        let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
        if done.len() >= MOST_FOLDERS {
            done.clear();
        }
        if !done.insert(real.clone()) {
            return;
        }
    }
    let Ok(entries) = fs::read_dir(&real) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(is_of_this_machine) {
            remove_if_dead(&entry.path());
        }
    }
}

fn is_of_this_machine(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return false };
    // Processes of all machines have one lock in common.
    rest.ends_with(super::lock::SUFFIX)
        || (rest.ends_with(SUFFIX)
            && rest.strip_prefix(machine()).is_some_and(|rest| rest.starts_with('-')))
}

fn remove_if_dead(path: &Path) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    if !metadata.is_file() && !metadata.is_dir() {
        return;
    }
    let Ok(file) = File::open(path) else { return };
    if file.try_lock().is_err() || !is_at(&file, path) {
        return;
    }
    // What cannot be removed is left to the next run.
    let _ = if metadata.is_dir() { hook::remove_folder(path) } else { hook::remove_file(path) };
}

/// Eight digits for the name of this machine.
fn machine() -> &'static str {
    static MACHINE: OnceLock<String> = OnceLock::new();
    MACHINE.get_or_init(|| {
        #[cfg(unix)]
        let name = rustix::system::uname().nodename().to_bytes().to_vec();
        #[cfg(not(unix))]
        let name = std::env::var_os("COMPUTERNAME").unwrap_or_default().into_encoded_bytes();
        format!("{:08x}", super::fingerprint::hash(&name) >> 32)
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_left_is_removed_and_nothing_else() {
        let outer = tempfile::tempdir().unwrap();
        let alive = Temporary::file(outer.path()).unwrap();
        let alive_too = Temporary::folder(outer.path()).unwrap();
        let at = |name: &str| outer.path().join(name);
        let dead = [
            format!("{PREFIX}{}-1-000000000000{SUFFIX}", machine()),
            format!("{PREFIX}{}-1-000000000001{SUFFIX}", machine()),
            format!("{PREFIX}0123456789abcdef.lock"),
        ];
        fs::write(at(&dead[0]), b"half").unwrap();
        fs::create_dir_all(at(&dead[1]).join("below")).unwrap();
        fs::write(at(&dead[1]).join("below/part"), b"half").unwrap();
        fs::write(at(&dead[2]), b"").unwrap();
        let others =
            [".chunkref-00000000-1-000000000000.tmp", ".chunkref-Xy12Ab.tmp", ".chunkref", "a.tmp"];
        for other in others {
            fs::write(at(other), b"").unwrap();
        }
        std::os::unix::fs::symlink("a.tmp", at(&format!("{PREFIX}{}-2{SUFFIX}", machine())))
            .unwrap();
        remove_left_overs(outer.path());
        for name in &dead {
            assert!(!at(name).exists(), "{name}");
        }
        for other in others {
            assert!(at(other).exists(), "{other}");
        }
        assert!(alive.path().exists() && alive_too.path().exists());
        drop((alive, alive_too));
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), others.len() + 1);
    }
}
