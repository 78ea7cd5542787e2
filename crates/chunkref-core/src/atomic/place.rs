// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a destination is.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::hook::{self, Operation};

/// Symbolic links that are followed, as the kernel has it.
const MOST_LINKS: usize = 40;

/// What a destination is, behind any symbolic links.
pub(super) enum Place {
    /// Nothing, or a regular file or folder.
    Path { path: PathBuf, metadata: Option<Metadata> },
    /// A device, FIFO, socket or open file of this process.
    Stream(Box<dyn Write>),
}

impl Place {
    pub(super) fn of(destination: &Path) -> io::Result<Self> {
        let (path, open_file) = resolve(destination)?;
        if open_file.is_some() {
            hook::before(Operation::OpenStream, &path)?;
            return Ok(Self::Stream(open_stream(&path, open_file)?));
        }
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        match metadata {
            Some(metadata) if !metadata.is_file() && !metadata.is_dir() => {
                hook::before(Operation::OpenStream, &path)?;
                Ok(Self::Stream(open_special(&path, &metadata)?))
            }
            metadata => Ok(Self::Path { path, metadata }),
        }
    }
}

/// Follows symbolic links, also those that lead to nothing; the second value is the number of the open file of this
/// process that the path names, as `/dev/stdout` does.
pub(super) fn resolve(destination: &Path) -> io::Result<(PathBuf, Option<u32>)> {
    let mut path = destination.to_owned();
    for _ in 0..MOST_LINKS {
        let open_file = open_file(&path);
        if open_file.is_some() {
            return Ok((path, open_file));
        }
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => {
                let target = fs::read_link(&path)?;
                path = path.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
            }
            Ok(_) => return Ok((path, None)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((path, None)),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// The number of the open file that a path of `/proc` or `/dev` names.
fn open_file(path: &Path) -> Option<u32> {
    if cfg!(not(unix)) {
        return None;
    }
    match path.to_str()? {
        "/dev/stdout" => return Some(1),
        "/dev/stderr" => return Some(2),
        _ => {}
    }
    let folder = path.parent()?.to_str()?;
    let own = format!("/proc/{}/fd", std::process::id());
    if ![own.as_str(), "/proc/self/fd", "/proc/thread-self/fd", "/dev/fd"].contains(&folder) {
        return None;
    }
    path.file_name()?.to_str()?.parse().ok()
}

/// What is written goes behind what others write to the same open file, and nothing of it is cut off.
#[cfg(unix)]
fn open_stream(path: &Path, open_file: Option<u32>) -> io::Result<Box<dyn Write>> {
    use std::os::fd::AsFd;
    let duplicate = match open_file {
        Some(1) => io::stdout().as_fd().try_clone_to_owned()?,
        Some(2) => io::stderr().as_fd().try_clone_to_owned()?,
        _ => return Ok(Box::new(File::options().append(true).open(path)?)),
    };
    Ok(Box::new(File::from(duplicate)))
}

#[cfg(not(unix))]
fn open_stream(path: &Path, _open_file: Option<u32>) -> io::Result<Box<dyn Write>> {
    Ok(Box::new(File::options().append(true).open(path)?))
}

fn open_special(path: &Path, metadata: &Metadata) -> io::Result<Box<dyn Write>> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if metadata.file_type().is_socket() {
            return Ok(Box::new(std::os::unix::net::UnixStream::connect(path)?));
        }
    }
    let _ = metadata;
    Ok(Box::new(File::options().write(true).open(path)?))
}

/// The folder that holds `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
