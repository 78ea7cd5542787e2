// SPDX-License-Identifier: MIT OR Apache-2.0
//! The seam at which tests make the file system fail: every operation of an output goes through this module.
//!
//! A test program installs a [`Hook`] once; without one, operations go straight to the system.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::OnceLock;

/// An operation of the file system that writing an output consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// A new file.
    CreateFile,
    /// A new folder.
    CreateFolder,
    /// A device, FIFO or socket is opened.
    OpenStream,
    /// Bytes go into a file or stream.
    Write,
    /// Permissions and owner are set.
    SetPermissions,
    /// A file or folder is flushed to disk.
    Sync,
    /// The lock beside a destination is taken.
    Lock,
    /// A second name for a file.
    Link,
    /// A file or folder takes the name of another.
    Rename,
    /// Two folders exchange their names.
    Exchange,
    /// A file or folder is removed.
    Remove,
}

/// What stands between outputs and the file system.
pub trait Hook: Debug + Send + Sync {
    /// Called before each operation, from any thread; an error takes the place of the operation.
    ///
    /// # Errors
    /// Whatever the operation is to fail with.
    fn before(&self, operation: Operation, path: &Path) -> io::Result<()>;

    /// How many of `length` bytes the next write takes; called after [`before`](Self::before).
    fn taken(&self, length: usize) -> usize {
        length
    }
}

static HOOK: OnceLock<Box<dyn Hook>> = OnceLock::new();

/// Installs a hook for the rest of the process.
///
/// # Errors
/// The hook, when there is one already.
pub fn install(hook: Box<dyn Hook>) -> Result<(), Box<dyn Hook>> {
    HOOK.set(hook)
}

pub(super) fn before(operation: Operation, path: &Path) -> io::Result<()> {
    HOOK.get().map_or(Ok(()), |hook| hook.before(operation, path))
}

pub(super) fn taken(length: usize) -> usize {
    HOOK.get().map_or(length, |hook| hook.taken(length))
}

pub(super) fn sync(file: &File, path: &Path) -> io::Result<()> {
    before(Operation::Sync, path)?;
    file.sync_all()
}

/// Flushes the entries of a folder, where the file system can be asked for that.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    before(Operation::Sync, folder)?;
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // A folder that may be written to but not read, or a file system without the operation.
        Err(error) if !matches!(error.raw_os_error(), Some(EIO | ENOSPC)) => Ok(()),
        other => other,
    }
}

/// Input/output error, the same number on every Unix.
const EIO: i32 = 5;
/// No space left, the same number on every Unix.
const ENOSPC: i32 = 28;

pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    before(Operation::CreateFolder, folder)?;
    fs::create_dir(folder)
}

pub(super) fn link(old: &Path, new: &Path) -> io::Result<()> {
    before(Operation::Link, new)?;
    fs::hard_link(old, new)
}

pub(super) fn rename(old: &Path, new: &Path) -> io::Result<()> {
    before(Operation::Rename, new)?;
    fs::rename(old, new)
}

/// Lets two paths exchange what they name.
pub(super) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    before(Operation::Exchange, other)?;
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    {
        let _ = one;
        Err(io::ErrorKind::Unsupported.into())
    }
}

pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    before(Operation::Remove, path)?;
    fs::remove_file(path)
}

pub(super) fn remove_folder(path: &Path) -> io::Result<()> {
    before(Operation::Remove, path)?;
    fs::remove_dir_all(path)
}
