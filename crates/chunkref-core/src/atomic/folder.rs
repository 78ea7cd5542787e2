// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder that is written beside its destination and takes its place when it is whole.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::file::flush_folder;
use super::guard;
use super::hook::{self, Operation};
use super::lock::Lock;
use super::place::{Place, folder_of};
use super::temporary::{Temporary, remove_left_overs};
use super::{AtomicError, Fingerprint};

/// How the name of a folder ends that waits to be removed, where the system cannot exchange two folders.
const OLD: &str = ".chunkref-old";

/// Folders that may be replaced.
#[derive(Debug, Clone, Copy)]
pub struct Replaceable {
    /// What such a folder is, for messages: "a Parquet reference set".
    pub what: &'static str,
    /// The first file in a folder that does not belong to such a one, relative to the folder; `None` when there is no
    /// other.
    pub foreign: fn(&Path) -> io::Result<Option<String>>,
}

/// A folder that is not there yet. It is removed unless it is finished.
#[derive(Debug)]
pub struct Staging {
    replaceable: Replaceable,
    temporary: Temporary,
    /// Behind symbolic links.
    target: PathBuf,
    /// As the user wrote it.
    destination: PathBuf,
}

impl Staging {
    /// Makes it, if there is nothing at `destination`, an empty folder, or one that is `replaceable`.
    ///
    /// # Errors
    /// [`AtomicError`]: [`AtomicError::Foreign`], and those of the file system.
    pub fn new(destination: &Path, replaceable: Replaceable) -> Result<Self, AtomicError> {
        let failed = |source| AtomicError::io(destination, "written", source);
        let Place::Path { path: target, .. } = Place::of(destination).map_err(failed)? else {
            return Err(AtomicError::IsNoFolder(destination.display().to_string()));
        };
        guard::check_outside(&target, destination)?;
        remove_left_overs(folder_of(&target));
        restore(&target, replaceable).map_err(failed)?;
        if is_there(&target, destination)? && check(&target, destination, replaceable).is_err() {
            // Another process may have replaced the folder while it was looked through; with the lock, none does.
            let _lock = Lock::take(&target).map_err(failed)?;
            check(&target, destination, replaceable)?;
        }
        let temporary = Temporary::folder(folder_of(&target)).map_err(failed)?;
        Ok(Self { replaceable, temporary, target, destination: destination.to_owned() })
    }

    /// Where it is until it is finished.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Writes a file, whose folder is made, and flushes it to disk. One that the destination has already, with the same
    /// bytes, stays the file that it is.
    ///
    /// # Errors
    /// [`AtomicError`] of the file system.
    pub fn write(&self, key: &str, bytes: &[u8]) -> Result<(), AtomicError> {
        let name = self.destination.join(key);
        let failed = |source| AtomicError::io(&name, "written", source);
        let path = self.path().join(key);
        if let Some(folder) = path.parent() {
            self.create_folders(folder).map_err(failed)?;
        }
        let old = self.target.join(key);
        let same = || fs::read(&old).is_ok_and(|old| old == bytes);
        let known = fs::symlink_metadata(&old).ok().filter(fs::Metadata::is_file);
        // Not every file system has links; there it is written again.
        if known.is_some_and(|old| old.len() == bytes.len() as u64)
            && same()
            && hook::link(&old, &path).is_ok()
        {
            return Ok(());
        }
        write_new(&path, bytes).map_err(failed)
    }

    fn create_folders(&self, folder: &Path) -> io::Result<()> {
        if folder == self.path() || folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.create_folders(parent)?;
        }
        match hook::create_folder(folder) {
            // Another thread was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    /// Puts it in place of the destination, if that may be replaced still and, with `replaces`, holds what it held. With
    /// `replaces`, it gives what the destination holds now: the files that were written, whatever others write after them.
    ///
    /// # Errors
    /// [`AtomicError`]: [`AtomicError::Foreign`], [`AtomicError::Changed`], and those of the file system.
    pub fn finish(
        self,
        replaces: Option<&Fingerprint>,
    ) -> Result<Option<Fingerprint>, AtomicError> {
        let Self { replaceable, temporary, target, destination } = self;
        let failed = |source| AtomicError::io(&destination, "replaced", source);
        flush_tree(temporary.path()).map_err(failed)?;
        let held = Fingerprint::of_new(temporary.path(), replaces).map_err(failed)?;
        let lock = Lock::take(&target).map_err(failed)?;
        if let Some(known) = replaces
            && Fingerprint::of(&target).map_err(failed)?.as_ref() != Some(known)
        {
            return Err(AtomicError::Changed(destination.display().to_string()));
        }
        if !is_there(&target, &destination)? {
            hook::rename(temporary.path(), &target).map_err(failed)?;
            temporary.keep();
            flush_folder(&target, &destination)?;
            return Ok(held);
        }
        inherit(temporary.path(), &target).map_err(failed)?;
        match hook::exchange(temporary.path(), &target) {
            Ok(()) => {
                // What was put into the old folder at the last moment is not lost.
                if let Err(error) = check(temporary.path(), &destination, replaceable) {
                    hook::exchange(temporary.path(), &target).map_err(failed)?;
                    return Err(error);
                }
                // The old folder has the name of the new one now, and goes with it.
                drop(temporary);
            }
            Err(error) if cannot_exchange(&error) => {
                check(&target, &destination, replaceable)?;
                replace_in_two_steps(temporary, &target).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
        drop(lock);
        flush_folder(&target, &destination)?;
        Ok(held)
    }
}

/// Whether there is a folder to be replaced.
fn is_there(target: &Path, destination: &Path) -> Result<bool, AtomicError> {
    match fs::symlink_metadata(target) {
        Ok(there) if there.is_dir() => Ok(true),
        Ok(_) => Err(AtomicError::IsNoFolder(destination.display().to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(AtomicError::io(destination, "replaced", error)),
    }
}

/// An error when something in a folder is foreign.
fn check(folder: &Path, destination: &Path, replaceable: Replaceable) -> Result<(), AtomicError> {
    let found = fs::read_dir(folder)
        .and_then(|mut entries| entries.next().map_or(Ok(None), |_| (replaceable.foreign)(folder)))
        // Another process has put its folder in the place of this one: it is looked at again, locked, before it is replaced.
        .or_else(
            |error| if error.kind() == io::ErrorKind::NotFound { Ok(None) } else { Err(error) },
        )
        .map_err(|source| AtomicError::io(destination, "replaced", source))?;
    match found {
        None => Ok(()),
        Some(found) => Err(AtomicError::Foreign {
            folder: destination.display().to_string(),
            found,
            what: replaceable.what,
        }),
    }
}

/// The new folder may be read by those who could read the old one.
fn inherit(folder: &Path, target: &Path) -> io::Result<()> {
    hook::before(Operation::SetPermissions, folder)?;
    fs::set_permissions(folder, fs::metadata(target)?.permissions())
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    hook::before(Operation::CreateFile, path)?;
    let mut file = File::options().write(true).create_new(true).open(path)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        hook::before(Operation::Write, path)?;
        let taken = rest.get(..hook::taken(rest.len())).unwrap_or(rest);
        file.write_all(taken)?;
        rest = rest.get(taken.len()..).unwrap_or_default();
    }
    hook::sync(&file, path)
}

/// Flushes the entries of a folder and of all folders below.
fn flush_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            flush_tree(&entry.path())?;
        }
    }
    hook::sync_folder(folder)
}

fn cannot_exchange(error: &io::Error) -> bool {
    // File systems without the operation say EINVAL, old kernels ENOSYS.
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}

/// Where the old folder waits while two folders are renamed one after the other.
fn old_name(target: &Path) -> PathBuf {
    let mut name = OsString::from(target.file_name().unwrap_or_default());
    name.push(OLD);
    target.with_file_name(name)
}

/// For systems that cannot exchange folders: between the two renames the old folder has the name with `.chunkref-old`
/// behind it, from which [`restore`] brings it back.
fn replace_in_two_steps(temporary: Temporary, target: &Path) -> io::Result<()> {
    let old = old_name(target);
    hook::rename(target, &old)?;
    if let Err(error) = hook::rename(temporary.path(), target) {
        hook::rename(&old, target)?;
        return Err(error);
    }
    temporary.keep();
    // What cannot be removed is left to the next run.
    let _ = hook::remove_folder(&old);
    Ok(())
}

/// What a process that was killed between or after the two renames has left.
fn restore(target: &Path, replaceable: Replaceable) -> io::Result<()> {
    let old = old_name(target);
    let waits = || fs::symlink_metadata(&old).is_ok_and(|there| there.is_dir());
    if !waits() {
        return Ok(());
    }
    // A process that is between the two renames now has the lock.
    let _lock = Lock::take(target)?;
    if !waits() {
        return Ok(());
    }
    if !target.exists() {
        return hook::rename(&old, target);
    }
    if (replaceable.foreign)(&old)?.is_none() {
        // What cannot be removed is left to the next run.
        let _ = hook::remove_folder(&old);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::atomic::is_changed;

    /// Sets of this test have files of one letter.
    const LETTERS: Replaceable = Replaceable {
        what: "a set of letters",
        foreign: |folder| {
            let mut names = Vec::new();
            for entry in fs::read_dir(folder)? {
                names.push(entry?.file_name().into_string().unwrap_or_default());
            }
            Ok(names.into_iter().filter(|name| name.len() != 1).min())
        },
    };

    fn put(path: &Path, text: &str) -> Result<(), AtomicError> {
        let staging = Staging::new(path, LETTERS)?;
        staging.write("a", text.as_bytes())?;
        staging.finish(None).map(drop)
    }

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn only_folders_that_are_known_are_replaced() {
        let outer = tempfile::tempdir().unwrap();
        let set = outer.path().join("set");
        put(&set, "one").unwrap();
        put(&set, "two").unwrap();
        assert_eq!(fs::read(set.join("a")).unwrap(), b"two");
        fs::write(set.join("thesis"), b"years").unwrap();
        let error = put(&set, "three").unwrap_err().to_string();
        assert!(error.contains("holds thesis"), "{error}");
        assert!(error.starts_with(&set.display().to_string()), "{error}");
        assert_eq!(fs::read(set.join("thesis")).unwrap(), b"years");
        let file = outer.path().join("file");
        fs::write(&file, b"x").unwrap();
        assert!(matches!(put(&file, "x"), Err(AtomicError::IsNoFolder(_))));
        assert_eq!(count(outer.path()), 2);
    }

    #[test]
    fn what_comes_into_the_old_folder_at_the_last_moment_is_kept() {
        let outer = tempfile::tempdir().unwrap();
        let set = outer.path().join("set");
        put(&set, "one").unwrap();
        let staging = Staging::new(&set, LETTERS).unwrap();
        staging.write("a", b"two").unwrap();
        fs::write(set.join("thesis"), b"years").unwrap();
        assert!(matches!(staging.finish(None), Err(AtomicError::Foreign { .. })));
        assert_eq!(fs::read(set.join("thesis")).unwrap(), b"years");
        assert_eq!(fs::read(set.join("a")).unwrap(), b"one");
        assert_eq!(count(outer.path()), 1);
    }

    /// Who looks through a folder while it is replaced sees parts of both.
    #[test]
    fn what_seems_foreign_is_looked_at_again() {
        static LOOKS: AtomicUsize = AtomicUsize::new(0);
        const TORN: Replaceable = Replaceable {
            what: "a set that is replaced just now",
            foreign: |_| {
                let first = LOOKS.fetch_add(1, Ordering::SeqCst) == 0;
                Ok(first.then(|| "a file of the other set".to_owned()))
            },
        };
        let outer = tempfile::tempdir().unwrap();
        let set = outer.path().join("set");
        put(&set, "one").unwrap();
        let staging = Staging::new(&set, TORN).unwrap();
        assert_eq!(LOOKS.load(Ordering::SeqCst), 2);
        drop(staging);
        assert_eq!(count(outer.path()), 1);
    }

    #[test]
    fn a_set_that_changed_is_left_alone() {
        let outer = tempfile::tempdir().unwrap();
        let set = outer.path().join("set");
        put(&set, "one").unwrap();
        let known = Fingerprint::of(&set).unwrap();
        put(&set, "two").unwrap();
        let staging = Staging::new(&set, LETTERS).unwrap();
        staging.write("a", b"three").unwrap();
        assert!(is_changed(&staging.finish(known.as_ref()).unwrap_err()));
        assert_eq!(fs::read(set.join("a")).unwrap(), b"two");
        assert_eq!(count(outer.path()), 1);
    }

    #[test]
    #[cfg(unix)]
    fn links_to_folders_stay_links() {
        let outer = tempfile::tempdir().unwrap();
        let (real, link) = (outer.path().join("real"), outer.path().join("link"));
        std::os::unix::fs::symlink("real", &link).unwrap();
        for text in ["one", "two"] {
            put(&link, text).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(fs::read(real.join("a")).unwrap(), text.as_bytes());
        }
        assert_eq!(count(outer.path()), 2);
    }

    /// As on systems that cannot exchange two folders.
    #[test]
    fn two_renames_do_it_too_and_what_a_kill_leaves_is_restored() {
        let outer = tempfile::tempdir().unwrap();
        let set = outer.path().join("set");
        put(&set, "one").unwrap();
        let staging = Staging::new(&set, LETTERS).unwrap();
        staging.write("a", b"two").unwrap();
        replace_in_two_steps(staging.temporary, &set).unwrap();
        assert_eq!(fs::read(set.join("a")).unwrap(), b"two");
        assert_eq!(count(outer.path()), 1);
        // Killed between the two renames, and then after them.
        fs::rename(&set, old_name(&set)).unwrap();
        restore(&set, LETTERS).unwrap();
        assert_eq!(fs::read(set.join("a")).unwrap(), b"two");
        fs::create_dir(old_name(&set)).unwrap();
        restore(&set, LETTERS).unwrap();
        assert_eq!(count(outer.path()), 1);
        fs::create_dir(old_name(&set)).unwrap();
        fs::write(old_name(&set).join("thesis"), b"years").unwrap();
        restore(&set, LETTERS).unwrap();
        assert_eq!(count(outer.path()), 2, "a folder of another's is not touched");
    }
}
