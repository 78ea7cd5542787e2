// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a destination held when it was read, so that it is replaced only if it still holds that.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::path::Path;

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 64 << 10;
/// Depth of folders that are looked through.
const MOST_DEPTH: usize = 64;
/// How often a folder is looked through anew because another process replaced it meanwhile.
const MOST_TRIES: usize = 64;

/// A digest of all bytes of a file, or of all files of a folder with their names. It holds within one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    digest: u64,
    bytes: u64,
}

impl Fingerprint {
    /// Of what is at `path`; `None` when there is nothing, or neither a file nor a folder.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        let mut tries = 1;
        loop {
            match Self::look(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < MOST_TRIES => {
                    tries += 1;
                }
                other => return other,
            }
        }
    }

    fn look(path: &Path) -> io::Result<Option<Self>> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut state = State { hasher: DefaultHasher::new(), bytes: 0 };
        if metadata.is_file() {
            state.file(path)?;
        } else if metadata.is_dir() {
            state.folder(path, 0)?;
        } else {
            return Ok(None);
        }
        Ok(Some(Self { digest: state.hasher.finish(), bytes: state.bytes }))
    }
}

impl Fingerprint {
    /// Of a file or folder that is to replace what had the fingerprint `replaces`; `None` when nobody compares.
    pub(super) fn of_new(path: &Path, replaces: Option<&Self>) -> io::Result<Option<Self>> {
        replaces.map_or(Ok(None), |_| Self::of(path))
    }
}

struct State {
    hasher: DefaultHasher,
    bytes: u64,
}

impl State {
    fn file(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut length = 0_u64;
        loop {
            let read = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.hasher.write(buffer.get(..read).unwrap_or_default());
            length = length.saturating_add(read as u64);
        }
        self.hasher.write_u64(length);
        self.bytes = self.bytes.saturating_add(length);
        Ok(())
    }

    fn folder(&mut self, folder: &Path, depth: usize) -> io::Result<()> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.push(entry?.file_name());
        }
        names.sort();
        self.hasher.write_usize(names.len());
        for name in names {
            let (path, name) = (folder.join(&name), name.as_encoded_bytes());
            self.hasher.write_usize(name.len());
            self.hasher.write(name);
            let metadata = fs::symlink_metadata(&path)?;
            self.hasher.write_u8(u8::from(metadata.is_file()) | (u8::from(metadata.is_dir()) << 1));
            if metadata.is_file() {
                self.file(&path)?;
            } else if metadata.is_dir() && depth < MOST_DEPTH {
                self.folder(&path, depth.saturating_add(1))?;
            }
        }
        Ok(())
    }
}

/// A number for some bytes, the same in every process.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    // FNV-1a.
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_that_differs_is_told() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("set");
        fs::create_dir_all(folder.join("a")).unwrap();
        let mut seen = vec![Fingerprint::of(&folder).unwrap()];
        let mut look = || {
            let now = Fingerprint::of(&folder).unwrap();
            assert!(now.is_some() && !seen.contains(&now), "{seen:?}");
            assert_eq!(Fingerprint::of(&folder).unwrap(), now, "the same twice");
            seen.push(now);
        };
        fs::write(folder.join("a/0"), b"one").unwrap();
        look();
        fs::write(folder.join("a/0"), b"onf").unwrap();
        look();
        fs::rename(folder.join("a/0"), folder.join("a/1")).unwrap();
        look();
        fs::write(folder.join("b"), b"").unwrap();
        look();
        fs::remove_file(folder.join("b")).unwrap();
        fs::create_dir(folder.join("b")).unwrap();
        look();
        let file = Fingerprint::of(&folder.join("a/1")).unwrap();
        assert!(file.is_some());
        assert_eq!(Fingerprint::of(&folder.join("absent")).unwrap(), None);
    }
}
