// SPDX-License-Identifier: MIT OR Apache-2.0
//! What no output replaces, because others rely on it.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use super::AtomicError;
use super::place::folder_of;
use crate::Registry;

/// Files that make a folder a set of references in Parquet or a Zarr store.
const MARKS: [&str; 3] = [".zmetadata", ".zgroup", "zarr.json"];

/// Folders above a destination that are looked at.
const MOST_FOLDERS: usize = 32;

/// Bytes of a file that are compared with signatures.
const HEAD_BYTES: u64 = 4096;

/// An error when the file `path` may not be replaced: its bytes are those of a data format, or it is part of a set.
pub(super) fn check_file(
    path: &Path,
    metadata: Option<&Metadata>,
    destination: &Path,
) -> Result<(), AtomicError> {
    check_outside(path, destination)?;
    // A file that may be written and not read is not known, and stays.
    let head = |path| -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
        Ok(head)
    };
    if metadata.is_none_or(|metadata| metadata.len() == 0) {
        return Ok(());
    }
    let head = head(path).map_err(|source| AtomicError::io(destination, "replaced", source))?;
    // Two formats of one name are an error wherever something is scanned.
    match Registry::linked().ok().and_then(|registry| registry.data_format(&head)) {
        Some(format) => {
            Err(AtomicError::IsData { path: destination.display().to_string(), format })
        }
        None => Ok(()),
    }
}

/// An error when a folder above `path` is a set of references or a Zarr store.
pub(super) fn check_outside(path: &Path, destination: &Path) -> Result<(), AtomicError> {
    let folder = folder_of(path);
    // Links and `..` may lead out of a set, or into one; of folders that are to be made, the first that is there counts.
    let Some(real) = folder.ancestors().find_map(|folder| {
        let named = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        named.canonicalize().ok()
    }) else {
        return Ok(());
    };
    for folder in real.ancestors().take(MOST_FOLDERS) {
        let is_file = |mark| fs::symlink_metadata(folder.join(mark)).is_ok_and(|it| it.is_file());
        if MARKS.into_iter().any(is_file) {
            return Err(AtomicError::InsideSet {
                path: destination.display().to_string(),
                set: folder.display().to_string(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::write_file;
    use super::*;

    #[test]
    fn parts_of_sets_and_stores_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let put = |path: &Path| write_file(path, None, |out| Ok(out.write_all(b"new")?));
        for mark in MARKS {
            let inner = at(mark.trim_start_matches('.')).join("set/v/deep");
            fs::create_dir_all(&inner).unwrap();
            put(&inner.join("x")).unwrap();
            let root = inner.parent().unwrap().parent().unwrap();
            fs::write(root.join(mark), "{}").unwrap();
            for path in [
                inner.join("x"),
                inner.join("new"),
                inner.join("a/b/new"),
                root.join(mark),
                inner.join("../../x"),
            ] {
                let error = put(&path).unwrap_err();
                assert!(matches!(error, AtomicError::InsideSet { .. }), "{error}");
            }
            put(&root.join("../beside")).unwrap();
            assert_eq!(fs::read(root.join(mark)).unwrap(), b"{}");
        }
    }
}
