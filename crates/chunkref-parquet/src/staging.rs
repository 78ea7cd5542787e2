// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder that is written beside its destination and takes its place when it is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{METADATA, ParquetError};

/// The folder, which is removed again unless it is finished.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: TempDir,
    destination: PathBuf,
}

impl Staging {
    /// Makes it, if the destination may be replaced: it is not there, empty, or holds a reference set.
    pub(crate) fn new(destination: &Path) -> Result<Self, ParquetError> {
        let destination = match fs::canonicalize(destination) {
            Ok(real) => {
                if !replaceable(&real)? {
                    return Err(ParquetError::Occupied(destination.display().to_string()));
                }
                real
            }
            Err(_) => destination.to_owned(),
        };
        let parent = match destination.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".chunkref-").suffix(".tmp");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let folder = builder.tempdir_in(&parent).map_err(|source| at(&parent, source))?;
        Ok(Self { folder, destination })
    }

    /// Writes a file, whose folder is made. One that the destination has already stays the file that it is.
    pub(crate) fn write(&self, key: &str, bytes: &[u8]) -> Result<(), ParquetError> {
        let path = self.folder.path().join(key);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| at(folder, source))?;
        }
        let old = self.destination.join(key);
        let same = || fs::read(&old).is_ok_and(|old| old == bytes);
        let length = fs::metadata(&old).map_or(0, |old| old.len());
        // Not every file system has links; there it is written again.
        if length == bytes.len() as u64 && same() && fs::hard_link(&old, &path).is_ok() {
            return Ok(());
        }
        fs::write(&path, bytes).map_err(|source| at(&path, source))
    }

    /// Puts it in place of the destination.
    pub(crate) fn finish(self) -> Result<(), ParquetError> {
        let Self { folder, destination } = self;
        let wrap = |source| at(&destination, source);
        if destination.exists() {
            // Beside the new one, so that one rename brings either back.
            let old = folder.path().with_extension("old");
            fs::rename(&destination, &old).map_err(wrap)?;
            if let Err(source) = fs::rename(folder.path(), &destination) {
                let _ = fs::rename(&old, &destination);
                return Err(at(&destination, source));
            }
            // What was renamed is not there to be removed.
            let _ = folder.keep();
            fs::remove_dir_all(&old).map_err(|source| at(&old, source))?;
        } else {
            fs::rename(folder.path(), &destination).map_err(wrap)?;
            let _ = folder.keep();
        }
        #[cfg(unix)]
        if let Some(parent) = destination.parent() {
            // The rename lasts once the folder is on disk; not every file system can be asked for that.
            let _ = File::open(parent).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }
}

fn replaceable(folder: &Path) -> Result<bool, ParquetError> {
    if !folder.is_dir() {
        return Ok(false);
    }
    if folder.join(METADATA).is_file() {
        return Ok(true);
    }
    let mut entries = fs::read_dir(folder).map_err(|source| at(folder, source))?;
    Ok(entries.next().is_none())
}

pub(crate) fn at(path: &Path, source: io::Error) -> ParquetError {
    ParquetError::Io { path: path.display().to_string(), source }
}
