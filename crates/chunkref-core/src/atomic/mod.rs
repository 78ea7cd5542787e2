// SPDX-License-Identifier: MIT OR Apache-2.0
//! Outputs that are whole or not there: the one way in which chunkref writes files and folders.
//!
//! [`write_file`] writes a file, [`Staging`] a folder. Both write beside the destination and replace it at the end, so
//! that readers, full disks and killed processes meet the old state or the new one. Both follow symbolic links, and never
//! replace what is neither a regular file nor a folder that the caller knows as its own.
//!
//! | module | holds |
//! |---|---|
//! | `file` | [`write_file`], [`replace_file`] |
//! | `folder` | [`Staging`] |
//! | `place` | what a destination is: a regular file, a stream, or nothing yet |
//! | `temporary` | names of temporary files and folders; those of dead processes are removed |
//! | `guard` | what no output replaces: data files, and the parts of sets and Zarr stores |
//! | `lock` | [`Lock`]: held while a destination is compared and replaced |
//! | [`fingerprint`] | [`Fingerprint`]: what a destination held when it was read |
//! | [`hook`] | the seam at which tests make the file system fail |

mod file;
pub mod fingerprint;
mod folder;
mod guard;
pub mod hook;
mod lock;
mod place;
mod temporary;

use std::error::Error;
use std::io;
use std::path::Path;

use thiserror::Error;

pub use file::{replace_file, write_file};
pub use fingerprint::Fingerprint;
pub use folder::{Replaceable, Staging};
pub use lock::Lock;

/// What the code that makes the content of an output may fail with.
pub type Fault = Box<dyn Error + Send + Sync>;

/// An output is not written. Unless the error says otherwise, the destination holds what it held before.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AtomicError {
    /// The file system refuses.
    #[error("{path} cannot be {action}")]
    Io {
        /// The destination.
        path: String,
        /// What was tried, as a participle: "written", "replaced".
        action: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A folder where a file is to be.
    #[error("{0} is a folder: name a file")]
    IsFolder(String),
    /// Something else where a folder is to be.
    #[error("{0} is there and is no folder: remove it, or name a new folder")]
    IsNoFolder(String),
    /// A folder that holds something that is not the caller's.
    #[error(
        "{folder} is not replaced, because it holds {found}, which is not part of {what}: remove the folder, or name a new one"
    )]
    Foreign {
        /// The folder.
        folder: String,
        /// The first file that is in the way, relative to the folder.
        found: String,
        /// What the folder would have to be.
        what: &'static str,
    },
    /// A file of a data format, which references may point to.
    #[error(
        "{path} is there and is a data file ({format}), which no output replaces: write to another place, or remove it first"
    )]
    IsData {
        /// The destination.
        path: String,
        /// The name of the format.
        format: &'static str,
    },
    /// A place within a set of references, or another Zarr store, whose files belong together.
    #[error(
        "{path} lies within the set of references or Zarr store {set}: write to a place outside of it"
    )]
    InsideSet {
        /// The destination.
        path: String,
        /// The folder of the set.
        set: String,
    },
    /// The destination is not what it was when it was read.
    #[error(
        "{0} changed meanwhile: another process has written it since it was read, and it is left as that process wrote it; read it again and then write"
    )]
    Changed(String),
    /// The new state is in place, but the file system could not promise that it outlives a power cut.
    #[error("{path} is written, but the folder that holds it cannot be flushed to disk")]
    NotFlushed {
        /// The destination.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The content could not be made or written.
    #[error(transparent)]
    Content(Fault),
}

impl AtomicError {
    fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Io { path: path.display().to_string(), action, source }
    }
}

/// Makes the folder of a destination, and those above it, unless they would be within a set of references or a Zarr store.
///
/// # Errors
/// [`AtomicError`]: [`AtomicError::InsideSet`], and those of the file system.
pub fn make_folder_of(destination: &Path) -> Result<(), AtomicError> {
    guard::check_outside(destination, destination)?;
    let folder = place::folder_of(destination);
    std::fs::create_dir_all(folder).map_err(|source| AtomicError::io(folder, "made", source))
}

/// Removes what dead processes have left beside `destination`, as writing to it does: for a run that finds nothing to write.
pub fn remove_left_overs(destination: &Path) {
    if let Ok((path, None)) = place::resolve(destination) {
        temporary::remove_left_overs(place::folder_of(&path));
    }
}

/// Whether an error, or one of its causes, is that the destination changed since it was read. Reading it again and writing
/// again may succeed.
#[must_use]
pub fn is_changed(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if matches!(error.downcast_ref(), Some(AtomicError::Changed(_))) {
            return true;
        }
        cause = error.source();
    }
    false
}
