// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that appear when they are whole.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::guard;
use super::hook::{self, Operation};
use super::lock::Lock;
use super::place::{Place, folder_of};
use super::temporary::{Temporary, remove_left_overs};
use super::{AtomicError, Fault, Fingerprint};

const BUFFER_BYTES: usize = 256 << 10;

/// Writes a file, or to a device, FIFO, socket or `/dev/stdout`.
///
/// A regular file is replaced when `write` has succeeded: it is written beside its place, flushed to disk and renamed. It
/// keeps the permissions and, where this process may set it, the owner of the file that it replaces; a symbolic link stays
/// and what it points to is replaced. Streams get the bytes as they come.
///
/// With `replaces`, the file is replaced only if its bytes are still those. A file that begins like one of a data format that
/// is linked in is not replaced, and nothing is written within a set of references in Parquet or a Zarr store.
///
/// # Errors
/// [`AtomicError`]: that of `write` as [`AtomicError::Content`], and those of the file system.
pub fn write_file<T>(
    destination: &Path,
    replaces: Option<&Fingerprint>,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Fault>,
) -> Result<T, AtomicError> {
    replace_file(destination, replaces, write).map(|(written, _)| written)
}

/// The same, and with `replaces` what the file holds now: the bytes that were written, whatever others write after them. It
/// is what the next writing replaces.
///
/// # Errors
/// As for [`write_file`].
pub fn replace_file<T>(
    destination: &Path,
    replaces: Option<&Fingerprint>,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Fault>,
) -> Result<(T, Option<Fingerprint>), AtomicError> {
    let failed = |source| AtomicError::io(destination, "written", source);
    match Place::of(destination).map_err(failed)? {
        Place::Stream(stream) => {
            let stream = Watched { output: stream, path: destination };
            let mut output = BufWriter::with_capacity(BUFFER_BYTES, stream);
            let written = write(&mut output).map_err(AtomicError::Content)?;
            output.flush().map_err(failed)?;
            Ok((written, None))
        }
        Place::Path { metadata: Some(metadata), .. } if metadata.is_dir() => {
            Err(AtomicError::IsFolder(destination.display().to_string()))
        }
        Place::Path { path, metadata } => {
            guard::check_file(&path, metadata.as_ref(), destination)?;
            remove_left_overs(folder_of(&path));
            let temporary = Temporary::file(folder_of(&path)).map_err(failed)?;
            let file = temporary.file_handle();
            let mut output =
                BufWriter::with_capacity(BUFFER_BYTES, Watched { output: file, path: &path });
            let written = write(&mut output).map_err(AtomicError::Content)?;
            output.flush().map_err(failed)?;
            drop(output);
            if let Some(metadata) = metadata {
                inherit(file, temporary.path(), &metadata).map_err(failed)?;
            }
            hook::sync(file, temporary.path()).map_err(failed)?;
            let held = Fingerprint::of_new(temporary.path(), replaces).map_err(failed)?;
            put(temporary, &path, replaces, destination)?;
            Ok((written, held))
        }
    }
}

/// Gives a file the permissions of the one that it replaces, and its owner where that is allowed.
fn inherit(file: &File, path: &Path, metadata: &Metadata) -> io::Result<()> {
    hook::before(Operation::SetPermissions, path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid())
            && fchown(file, Some(metadata.uid()), Some(metadata.gid())).is_err()
        {
            // Only root gives files away; a group that the user belongs to can be kept.
            let _ = fchown(file, None, Some(metadata.gid()));
        }
    }
    file.set_permissions(metadata.permissions())
}

fn put(
    temporary: Temporary,
    path: &Path,
    replaces: Option<&Fingerprint>,
    destination: &Path,
) -> Result<(), AtomicError> {
    let failed = |source| AtomicError::io(destination, "replaced", source);
    let lock = Lock::take(path).map_err(failed)?;
    if let Some(known) = replaces
        && Fingerprint::of(path).map_err(failed)?.as_ref() != Some(known)
    {
        return Err(AtomicError::Changed(destination.display().to_string()));
    }
    match fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() => {
            let message = "something other than a regular file has taken its place";
            return Err(failed(io::Error::other(message)));
        }
        _ => {}
    }
    hook::rename(temporary.path(), path).map_err(failed)?;
    temporary.keep();
    drop(lock);
    flush_folder(path, destination)
}

/// A rename outlives a power cut once the folder is on disk.
pub(super) fn flush_folder(path: &Path, destination: &Path) -> Result<(), AtomicError> {
    hook::sync_folder(folder_of(path)).map_err(|source| AtomicError::NotFlushed {
        path: destination.display().to_string(),
        source,
    })
}

/// An output whose writes pass the hook.
struct Watched<'a, W> {
    output: W,
    path: &'a Path,
}

impl<W: Write> Write for Watched<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        hook::before(Operation::Write, self.path)?;
        let taken = hook::taken(bytes.len());
        self.output.write(bytes.get(..taken).unwrap_or(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn put_text(path: &Path, text: &str) -> Result<(), AtomicError> {
        write_file(path, None, |out| Ok(out.write_all(text.as_bytes())?))
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.html");
        put_text(&path, "old").unwrap();
        let failed = write_file(&path, None, |out| -> Result<(), Fault> {
            out.write_all(&vec![b'x'; 1 << 20])?;
            Err("no more".into())
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        put_text(&path, "new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["out.html"]);
        assert!(matches!(put_text(folder.path(), "x"), Err(AtomicError::IsFolder(_))));
        let nowhere = put_text(&folder.path().join("none/out.html"), "x").unwrap_err();
        assert!(nowhere.to_string().contains("none/out.html"), "{nowhere}");
    }

    #[test]
    fn links_stay_links_and_files_keep_their_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("far")).unwrap();
        put_text(&at("far/real"), "old").unwrap();
        fs::set_permissions(at("far/real"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("far/real", at("one")).unwrap();
        symlink(at("one"), at("two")).unwrap();
        symlink("far/later", at("dangling")).unwrap();
        symlink("loop", at("loop")).unwrap();
        put_text(&at("two"), "new").unwrap();
        put_text(&at("dangling"), "later").unwrap();
        assert!(put_text(&at("loop"), "x").is_err());
        for link in ["one", "two", "dangling", "loop"] {
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link}");
        }
        assert_eq!(fs::read(at("far/real")).unwrap(), b"new");
        assert_eq!(fs::read(at("far/later")).unwrap(), b"later");
        assert_eq!(fs::metadata(at("far/real")).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(names(&at("far")), ["later", "real"]);
        // A new file is like any other that the user makes.
        fs::write(at("plain"), b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().mode();
        assert_eq!(mode(at("far/later")), mode(at("plain")));
    }

    #[test]
    fn streams_get_the_bytes_and_are_not_replaced() {
        put_text(Path::new("/dev/null"), "gone").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let full = put_text(Path::new("/dev/full"), "x").unwrap_err();
        assert!(full.to_string().contains("/dev/full"), "{full}");

        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        let reader = {
            let fifo = fifo.clone();
            std::thread::spawn(move || fs::read(fifo).unwrap())
        };
        put_text(&fifo, "through").unwrap();
        assert_eq!(reader.join().unwrap(), b"through");
        assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo());

        let socket = folder.path().join("socket");
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        put_text(&socket, "heard").unwrap();
        let mut heard = String::new();
        listener.accept().unwrap().0.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "heard");
        assert_eq!(names(folder.path()), ["fifo", "socket"]);
    }

    /// As `>> log` of a shell: what is there stays, and what is written goes behind it.
    #[test]
    fn an_open_file_of_the_process_is_appended_to() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, b"first ").unwrap();
        let file = File::options().append(true).open(&path).unwrap();
        let inode = fs::metadata(&path).unwrap().ino();
        for name in ["/dev/fd", "/proc/self/fd"] {
            put_text(&Path::new(name).join(file.as_raw_fd().to_string()), "more ").unwrap();
        }
        assert_eq!(fs::read(&path).unwrap(), b"first more more ");
        assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    }

    #[test]
    fn a_file_that_changed_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cube.json");
        put_text(&path, "one").unwrap();
        let known = Fingerprint::of(&path).unwrap();
        let late = |text: &'static str| {
            write_file(&path, known.as_ref(), |out| Ok(out.write_all(text.as_bytes())?))
        };
        let written = replace_file(&path, known.as_ref(), |out| Ok(out.write_all(b"two")?));
        assert_eq!(written.unwrap().1, Fingerprint::of(&path).unwrap());
        let error = late("three").unwrap_err();
        assert!(
            super::super::is_changed(&error) && error.to_string().contains("changed meanwhile")
        );
        assert_eq!(fs::read(&path).unwrap(), b"two");
        fs::remove_file(&path).unwrap();
        assert!(super::super::is_changed(&late("four").unwrap_err()));
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    /// Each thread reads a number, and writes the next one only if the file is still what it read.
    #[test]
    fn of_writers_at_the_same_time_none_is_lost() {
        const THREADS: usize = 8;
        const EACH: usize = 5;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("count");
        put_text(&path, "0").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let mut done = 0;
                    while done < EACH {
                        let known = Fingerprint::of(&path).unwrap();
                        let count: usize = fs::read_to_string(&path).unwrap().parse().unwrap();
                        let next = (count + 1).to_string();
                        let written = write_file(&path, known.as_ref(), |out| {
                            Ok(out.write_all(next.as_bytes())?)
                        });
                        match written {
                            Ok(()) => done += 1,
                            Err(error) => assert!(super::super::is_changed(&error), "{error}"),
                        }
                    }
                });
            }
        });
        assert_eq!(fs::read_to_string(&path).unwrap(), (THREADS * EACH).to_string());
        assert_eq!(names(folder.path()), ["count"], "no lock is left");
    }
}
