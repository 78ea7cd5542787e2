// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that appear when they are whole.

use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a file beside `output` and puts it in its place at the end; after an error, what was there is as it was.
///
/// # Errors
/// Those of `write`, and of the file system.
pub(crate) fn write_whole(
    output: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".chunkref-").suffix(".tmp");
    // As any other file, and not for its owner alone.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = BufWriter::new(builder.tempfile_in(folder.unwrap_or(Path::new(".")))?);
    write(&mut file)?;
    file.into_inner()?.persist(output)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out.html");
        write_whole(&output, |out| out.write_all(b"old")).unwrap();
        let failed = write_whole(&output, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "full");
        assert_eq!(fs::read(&output).unwrap(), b"old");
        write_whole(&output, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&output).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
