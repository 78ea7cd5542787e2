// SPDX-License-Identifier: MIT OR Apache-2.0
//! What tells a file of kerchunk JSON from other files.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use chunkref_core::Limits;

use crate::text::{is_packed, unpacked};

/// Bytes of a file that are looked at.
const HEAD_BYTES: u64 = 64 << 10;
/// What kerchunk JSON of any version and writer has near its beginning.
const MARKS: [&str; 6] =
    ["\"refs\"", "\"version\":1,", "\"version\": 1,", "\"templates\"", ".zgroup\"", ".zarray\""];

/// Whether a file may be a set, so far as its name and first bytes say.
pub(crate) fn begins(name: &str, head: &[u8]) -> bool {
    let text = head.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(text, Some(b'{')) || (is_packed(head) && name.contains(".json"))
}

/// The name of a file that does not hold references. A file of references may be cut off, so far as its beginning says, and
/// an empty file may be replaced, too.
pub(crate) fn foreign(path: &Path) -> io::Result<Option<String>> {
    let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if !metadata.is_file() {
        return Ok(Some(name()));
    }
    let mut head = Vec::new();
    let text = unpacked(BufReader::new(File::open(path)?), &Limits::default())?;
    // One that is cut off in the middle of compressed data has a beginning all the same.
    match text.take(HEAD_BYTES).read_to_end(&mut head) {
        Err(error) if error.raw_os_error().is_some() => return Err(error),
        _ => {}
    }
    let head = String::from_utf8_lossy(&head);
    let begins = head.trim_start().starts_with(['{', '[']);
    let own = metadata.len() == 0 || (begins && MARKS.iter().any(|mark| head.contains(mark)));
    Ok((!own).then(name))
}

/// Whether a file ends as one that was written to its end; this program writes no others, but a copy may have been cut off.
pub(crate) fn is_finished(mut file: &File) -> bool {
    let mut end = [0; 2];
    let read = file.seek(SeekFrom::End(-2)).and_then(|_| file.read_exact(&mut end));
    // One document, or a list of them.
    read.is_ok() && matches!(&end, b"}}" | b"}]") && file.rewind().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_other_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let is_own = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            foreign(&path).unwrap().is_none()
        };
        assert!(is_own(b"") && is_own(b"{\"version\":1,\"ref") && is_own(b" {\".zgroup\": \"{}\""));
        assert!(is_own(b"[{\"version\": 1, \"refs\": {}}]"));
        assert!(!is_own(b"{\"stac_version\": \"1.0.0\"}") && !is_own(b"CDF\x01refs"));
        assert!(!is_own(b"{}"));
        let packed = zstd::encode_all(&b"{\"version\":1,\"refs\":{}}"[..], 1).unwrap();
        assert!(is_own(&packed));
        assert!(foreign(folder.path()).unwrap().is_some());
        assert_eq!(foreign(&folder.path().join("absent")).unwrap(), None);
    }

    #[test]
    fn the_first_bytes_tell() {
        assert!(begins("x", b" \n{\"version\""));
        assert!(!begins("x", b"CDF\x01") && !begins("x", b""));
        assert!(begins("x.json.gz", &[0x1f, 0x8b]) && !begins("x.nc.gz", &[0x1f, 0x8b]));
    }
}
