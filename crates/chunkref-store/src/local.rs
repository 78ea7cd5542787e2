// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of this machine.

use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, Resolution, SourceError, SourceErrorKind};
use chunkref_model::ObjectVersion;

use crate::coalesce::{self, MergePolicy};
use crate::hidden::{self, Place};
use crate::location::Location;

/// Bytes of the head of an object that come with its opening.
pub const HEAD_BYTES: u64 = 64 << 10;

/// An open file, read by position. Reads happen where they are awaited: a local read takes less time than handing it to
/// another thread.
#[derive(Debug)]
pub struct LocalSource {
    location: Location,
    path: PathBuf,
    file: File,
    identity: Identity,
    version: ObjectVersion,
    head: Bytes,
    allowed: Vec<String>,
}

/// What tells one version of a file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    length: u64,
    modified: Option<std::time::SystemTime>,
    number: u64,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let number = 0;
        Self { length: metadata.len(), modified: metadata.modified().ok(), number }
    }
}

impl LocalSource {
    /// Opens a file and reads its head.
    ///
    /// # Errors
    /// [`SourceError`] that says what to do when it is missing, forbidden, a folder or not a regular file.
    pub fn open(location: Location) -> Result<Self, SourceError> {
        let Some(path) = location.local_path().map(Path::to_owned) else {
            let message = "this is not a file of this machine";
            return Err(error(SourceErrorKind::InvalidLocation, location.url(), message, None));
        };
        // Looked at before it is opened, because opening a pipe would wait for a writer.
        let metadata = std::fs::metadata(&path).map_err(|cause| describe(location.url(), cause))?;
        if metadata.is_dir() {
            let message =
                "this is a folder: name the files in it, or give a pattern such as 'folder/*.nc'";
            return Err(error(SourceErrorKind::NotAnObject, location.url(), message, None));
        }
        if !metadata.is_file() {
            let message = "this is not a regular file, and only those can be read at any place: copy it to a file first";
            return Err(error(SourceErrorKind::NotAnObject, location.url(), message, None));
        }
        let file = File::open(&path).map_err(|cause| describe(location.url(), cause))?;
        let metadata = file.metadata().map_err(|cause| describe(location.url(), cause))?;
        let identity = Identity::of(&metadata);
        let version = ObjectVersion {
            length: identity.length,
            e_tag: None,
            last_modified: identity.modified,
        };
        let (head, allowed) = (Bytes::new(), Vec::new());
        let mut source = Self { location, path, file, identity, version, head, allowed };
        source.head = source.read(&(0..source.version.length.min(HEAD_BYTES)))?;
        source.check_unchanged()?;
        Ok(source)
    }

    /// The same source, whose siblings may lie in these folders too.
    #[must_use]
    pub fn with_allowed(mut self, folders: &[String]) -> Self {
        self.allowed = folders.to_vec();
        self
    }

    fn read(&self, range: &Range<u64>) -> Result<Bytes, SourceError> {
        let out_of_memory = || {
            let message =
                format!("{} bytes do not fit in memory", range.end.saturating_sub(range.start));
            error(SourceErrorKind::Io, self.location.url(), &message, None)
        };
        let length =
            range.end.checked_sub(range.start).and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or_else(out_of_memory)?;
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(length).map_err(|_| out_of_memory())?;
        buffer.resize(length, 0);
        match read_exact_at(&self.file, &mut buffer, range.start) {
            Ok(()) => Ok(Bytes::from(buffer)),
            // The length was checked, so a file that ends early was cut off while it was read.
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Err(self.changed()),
            Err(cause) => Err(describe(self.location.url(), cause)),
        }
    }

    /// The path is looked at, not the open file, so that a file replaced by another is noticed too.
    fn check_unchanged(&self) -> Result<(), SourceError> {
        match std::fs::metadata(&self.path) {
            Ok(metadata) if Identity::of(&metadata) == self.identity => Ok(()),
            _ => Err(self.changed()),
        }
    }

    fn changed(&self) -> SourceError {
        let message = "the file was changed, replaced or removed while it was read: scan it again when it is complete";
        error(SourceErrorKind::Changed, self.location.url(), message, None)
    }

    fn head_part(&self, range: &Range<u64>) -> Option<Bytes> {
        let (start, end) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
        (end <= self.head.len()).then(|| self.head.slice(start..end))
    }
}

#[async_trait]
impl ByteSource for LocalSource {
    fn location(&self) -> &str {
        self.location.url()
    }

    fn version(&self) -> &ObjectVersion {
        &self.version
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        let mut parts = vec![Bytes::new(); ranges.len()];
        let mut beyond = Vec::new();
        for (range, part) in ranges.iter().zip(&mut parts) {
            if range.start > range.end || range.end > self.version.length {
                return Err(SourceError::out_of_bounds(
                    self.location.url(),
                    range,
                    self.version.length,
                ));
            }
            match self.head_part(range) {
                Some(bytes) => {
                    *part = bytes;
                    beyond.push(0..0);
                }
                None => beyond.push(range.clone()),
            }
        }
        for request in coalesce::merge(&beyond, MergePolicy::LOCAL) {
            let bytes = self.read(&request.range)?;
            if !request.distribute(&bytes, &beyond, &mut parts) {
                return Err(self.changed());
            }
        }
        self.check_unchanged()?;
        Ok(parts)
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let wanted = folder.join(path);
        let shown = wanted.display().to_string();
        let outside = || {
            let message = format!(
                "this lies outside the folder of {}, which names it, and is not read: put it into that folder, or allow its own",
                self.location
            );
            let folder = hidden::normal(wanted.parent().unwrap_or(Path::new("/")));
            let allow = Resolution::AllowOutside { folder: folder.display().to_string() };
            error(SourceErrorKind::NotAllowed, &shown, &message, None).with_resolution(allow)
        };
        let hidden = || hidden::refusal(&shown, &self.location.to_string());
        let real_folder =
            folder.canonicalize().map_err(|cause| describe(self.location.url(), cause))?;
        let allowed: Vec<PathBuf> = self
            .allowed
            .iter()
            .map(|folder| PathBuf::from(folder.strip_prefix("file://").unwrap_or(folder)))
            .collect();
        let real_allowed = allowed.iter().filter_map(|folder| folder.canonicalize().ok());
        let mut real_folders = vec![real_folder.clone()];
        real_folders.extend(real_allowed);
        // By its letters first: a file must not find out what there is elsewhere.
        let mut folders = real_folders.clone();
        folders.push(hidden::normal(folder));
        folders.extend(allowed);
        let place = Place::of(&hidden::normal(&wanted), &folders);
        if place == Place::Hidden {
            return Err(hidden());
        }
        let real = match wanted.canonicalize() {
            Ok(real) => real,
            Err(cause) if place == Place::Inside || cause.kind() == io::ErrorKind::NotFound => {
                return Err(describe(&shown, cause));
            }
            Err(_) => return Err(outside()),
        };
        match Place::of(&real, &real_folders) {
            Place::Inside => {}
            Place::Hidden => return Err(hidden()),
            Place::Outside => return Err(outside()),
        }
        let path = match real.strip_prefix(&real_folder) {
            Ok(inside) => folder.join(inside),
            Err(_) => real,
        };
        Ok(Box::new(Self::open(Location::from_path(&path)?)?.with_allowed(&self.allowed)))
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buffer = buffer.get_mut(count..).unwrap_or_default();
                offset = offset.saturating_add(count as u64);
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

fn describe(location: &str, cause: io::Error) -> SourceError {
    let (kind, message) = match cause.kind() {
        io::ErrorKind::NotFound => {
            (SourceErrorKind::NotFound, "there is no such file: check the path")
        }
        io::ErrorKind::NotADirectory => {
            (SourceErrorKind::NotFound, "part of the path is a file, not a folder: check the path")
        }
        io::ErrorKind::PermissionDenied => (
            SourceErrorKind::PermissionDenied,
            "reading it is not allowed: check the permissions of the file and its folders",
        ),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidFilename => {
            (SourceErrorKind::InvalidLocation, "this is not a path that this machine can open")
        }
        _ => (SourceErrorKind::Io, "the file system failed to read it"),
    };
    error(kind, location, message, Some(cause))
}

fn error(
    kind: SourceErrorKind,
    location: &str,
    message: &str,
    cause: Option<io::Error>,
) -> SourceError {
    SourceError {
        kind,
        location: location.to_owned(),
        message: message.to_owned(),
        source: cause.map(|cause| Box::new(cause) as Box<dyn std::error::Error + Send + Sync>),
    }
}

#[cfg(test)]
#[cfg(unix)]
#[expect(clippy::single_range_in_vec_init, reason = "one range is what is asked for")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use chunkref_testkit::conformance;
    use futures::executor::block_on;

    use super::*;

    fn object() -> Vec<u8> {
        (0..200_000_u32).map(|index| u8::try_from(index % 253).unwrap()).collect()
    }

    fn open(path: &Path) -> Result<LocalSource, SourceError> {
        LocalSource::open(Location::from_path(path)?)
    }

    fn kind(path: &Path) -> SourceErrorKind {
        open(path).unwrap_err().kind
    }

    #[test]
    fn the_source_keeps_its_contract() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nc");
        for length in [0, 1, 100, 65_535, 65_536, 65_537, 200_000] {
            let object = &object()[..length];
            fs::write(&path, object).unwrap();
            let source = open(&path).unwrap();
            assert!(source.version().last_modified.is_some());
            conformance::byte_source(&source, object).unwrap();
        }
    }

    #[test]
    fn ranges_around_the_head_come_back_exactly() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nc");
        fs::write(&path, object()).unwrap();
        let ranges = [199_990..200_000, 0..4, 65_530..65_540, 100_000..100_100, 100_050..100_200];
        let read = block_on(open(&path).unwrap().read_many(&ranges)).unwrap();
        for (range, bytes) in ranges.iter().zip(&read) {
            let (start, end) =
                (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
            assert_eq!(&bytes[..], &object()[start..end], "{range:?}");
        }
    }

    #[test]
    fn a_change_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        for change in ["grow", "shrink", "rewrite", "replace", "remove"] {
            let path = folder.path().join(change);
            fs::write(&path, object()).unwrap();
            let source = open(&path).unwrap();
            let apply = || {
                let file = File::options().write(true).open(&path).unwrap();
                match change {
                    "grow" => file.set_len(200_001).unwrap(),
                    "shrink" => file.set_len(100_000).unwrap(),
                    "rewrite" => file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap(),
                    "replace" => {
                        let other = folder.path().join("other");
                        fs::write(&other, object()).unwrap();
                        fs::rename(other, &path).unwrap();
                    }
                    _ => fs::remove_file(&path).unwrap(),
                }
            };
            let found = conformance::changing_byte_source(&source, apply);
            assert!(found.is_ok(), "{change}: {found:?}");
        }
    }

    #[test]
    fn what_is_not_a_readable_file_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(kind(folder.path()), SourceErrorKind::NotAnObject);
        assert_eq!(kind(&folder.path().join("absent")), SourceErrorKind::NotFound);
        assert_eq!(kind(Path::new("/dev/null")), SourceErrorKind::NotAnObject);
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        assert_eq!(open(&file).unwrap().version().length, 0);
        assert_eq!(kind(&file.join("below")), SourceErrorKind::NotFound);
        let refused = describe("file:///x", io::ErrorKind::PermissionDenied.into());
        assert_eq!(refused.kind, SourceErrorKind::PermissionDenied);
        assert!(refused.message.contains("permissions"));
    }

    #[test]
    fn a_sparse_exabyte_is_an_error_not_an_abort() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        let file = File::create(&path).unwrap();
        if file.set_len(1 << 60).is_err() && file.set_len(1 << 43).is_err() {
            return; // The file system has no files that long, so nothing to defend against.
        }
        let source = open(&path).unwrap();
        let all = 0..source.version().length;
        assert!(block_on(source.read_many(&[all])).is_err());
        assert_eq!(
            block_on(source.read_many(&[1 << 42..(1 << 42) + 5])).unwrap()[0],
            [0; 5].as_slice()
        );
    }

    #[test]
    fn siblings_stay_in_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("data");
        fs::create_dir_all(folder.join("sub")).unwrap();
        fs::write(folder.join("main.nc"), b"main").unwrap();
        fs::write(folder.join("sub/part.raw"), b"part").unwrap();
        fs::write(outer.path().join("secret"), b"secret").unwrap();
        symlink(outer.path().join("secret"), folder.join("link")).unwrap();
        symlink(folder.join("sub/part.raw"), folder.join("inner")).unwrap();
        let source = open(&folder.join("main.nc")).unwrap();
        let sibling = |path: &str| block_on(source.open_sibling(path));
        let absolute = folder.join("sub/part.raw").display().to_string();
        for path in ["sub/part.raw", "./sub/../sub/part.raw", "inner", absolute.as_str()] {
            let part = sibling(path).unwrap();
            assert_eq!(block_on(part.read_many(&[0..4])).unwrap()[0], b"part".as_slice());
            assert_eq!(part.location(), format!("file://{absolute}"));
        }
        let secret = outer.path().join("secret").display().to_string();
        for path in ["../secret", "link", "sub/../../secret", secret.as_str()] {
            assert_eq!(sibling(path).unwrap_err().kind, SourceErrorKind::NotAllowed, "{path}");
        }
        assert_eq!(sibling("absent").unwrap_err().kind, SourceErrorKind::NotFound);
        let source = open(&folder.join("main.nc"))
            .unwrap()
            .with_allowed(&[outer.path().display().to_string()]);
        let part = block_on(source.open_sibling("../secret")).unwrap();
        assert_eq!(block_on(part.read_many(&[0..6])).unwrap()[0], b"secret".as_slice());
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("x"), b"x").unwrap();
        let x = elsewhere.path().join("x").display().to_string();
        assert_eq!(
            block_on(source.open_sibling(&x)).unwrap_err().kind,
            SourceErrorKind::NotAllowed
        );
    }

    #[test]
    fn what_is_hidden_is_no_sibling() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("data");
        for name in [".ssh", "sub/.git", ".cache/a", "sub"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        for name in ["main.nc", ".ssh/id", ".netrc", "sub/.git/x", "sub/y", ".cache/a/main.nc"] {
            fs::write(folder.join(name), b"part").unwrap();
        }
        fs::write(folder.join(".cache/a/z"), b"part").unwrap();
        symlink(folder.join(".ssh/id"), folder.join("innocent")).unwrap();
        symlink(folder.join("sub/y"), folder.join(".alias")).unwrap();
        symlink(folder.join(".cache"), folder.join("cache")).unwrap();
        let absolute = folder.join(".ssh/id").display().to_string();
        let parent = outer.path().display().to_string();
        let home = folder.display().to_string();
        for allowed in [vec![], vec![parent], vec![home]] {
            let source = open(&folder.join("main.nc")).unwrap().with_allowed(&allowed);
            for path in [
                ".ssh/id",
                ".netrc",
                "sub/.git/x",
                "sub/../.ssh/id",
                "innocent",
                ".alias",
                "cache/a/z",
                ".absent",
                absolute.as_str(),
            ] {
                let error = block_on(source.open_sibling(path)).unwrap_err();
                assert_eq!(error.kind, SourceErrorKind::NotAllowed, "{path}, {allowed:?}");
                assert!(error.message.contains("dot"), "{path}: {error}");
                assert!(block_on(source.open_optional(path)).unwrap().is_none());
            }
            assert!(block_on(source.open_sibling("sub/y")).is_ok());
        }
        // The folder that is allowed lies in a hidden one itself; and so does the scanned file.
        let inner = folder.join(".cache/a").display().to_string();
        let source = open(&folder.join("main.nc")).unwrap().with_allowed(&[inner]);
        assert!(block_on(source.open_sibling(".cache/a/z")).is_ok());
        assert!(block_on(source.open_sibling(".ssh/id")).is_err());
        let source = open(&folder.join(".cache/a/main.nc")).unwrap();
        assert!(block_on(source.open_sibling("z")).is_ok());
    }
}
