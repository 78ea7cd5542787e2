// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that no scanner is for and that still turn up among data: what they are, and what to do about them.

/// First bytes, and what they say.
const BEGINNINGS: [(&[u8], &str); 17] = [
    (
        b"\x1f\x8b",
        "it is compressed as a whole (gzip), so that no chunk in it has bytes of its own: unpack it and scan what comes out",
    ),
    (
        b"\x1f\x9d",
        "it is compressed as a whole (Unix compress), so that no chunk in it has bytes of its own: unpack it and scan what comes out",
    ),
    (
        b"BZh",
        "it is compressed as a whole (bzip2), so that no chunk in it has bytes of its own: unpack it and scan what comes out",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "it is compressed as a whole (zstd), so that no chunk in it has bytes of its own: unpack it and scan what comes out",
    ),
    (
        b"\xfd7zXZ\0",
        "it is compressed as a whole (xz), so that no chunk in it has bytes of its own: unpack it and scan what comes out",
    ),
    (
        b"PK\x03\x04",
        "it is a zip archive (a delivery of several files, or a Zarr store in one file): unpack it and scan the files in it",
    ),
    (
        b"\x0e\x03\x13\x01",
        "it is an HDF4 file, which is another format than HDF5: convert it (h4toh5, or nccopy where netCDF-C reads HDF4)",
    ),
    (b"BUFR", "it is a BUFR file: observations, which have no chunks of arrays"),
    (
        b"II*\0",
        "it is a TIFF file (GeoTIFF): tools for TIFF make references of it (tifffile, VirtualiZarr)",
    ),
    (
        b"MM\0*",
        "it is a TIFF file (GeoTIFF): tools for TIFF make references of it (tifffile, VirtualiZarr)",
    ),
    (b"SIMPLE  =", "it is a FITS file: kerchunk makes references of it"),
    (
        b"PAR1",
        "it is a Parquet file: if it is part of a set of references, name the folder of the set, and combine or convert it",
    ),
    (b"\x93NUMPY", "it is a NumPy file: one array, in one piece"),
    (b"%PDF", "it is a PDF document"),
    (
        b"version https://git-lfs.github.com/spec/",
        "it is a pointer of Git LFS instead of the data: fetch the data (git lfs pull)",
    ),
    (
        b"../",
        "it is a pointer of git-annex, or the text of a symbolic link, instead of the data: fetch the data (git annex get)",
    ),
    (
        b"/annex/objects/",
        "it is a pointer of git-annex instead of the data: fetch the data (git annex get)",
    ),
];
/// Where a tar archive says that it is one.
const TAR: usize = 257;

/// What a file is that begins with `head`, and what helps, in words; `None` for what is not known either.
pub(crate) fn stranger(head: &[u8]) -> Option<&'static str> {
    if head.is_empty() {
        return Some(
            "it is empty: a transfer may have been broken off, or the data are not there yet; fetch it again",
        );
    }
    if is_web_page(head) {
        return Some(
            "it is a web page instead of the data: most likely a login page or a message of the server; open it in a \
             browser or an editor, and fetch the file again with credentials that hold",
        );
    }
    let known = BEGINNINGS.iter().find(|(beginning, _)| head.starts_with(beginning));
    if let Some((_, words)) = known {
        return Some(words);
    }
    if head.get(TAR..).is_some_and(|rest| rest.starts_with(b"ustar")) {
        return Some("it is a tar archive: unpack it and scan the files in it");
    }
    let text = text(head);
    if text.starts_with(b"<?xml") || text.starts_with(b"<error") {
        return Some(
            "it is an XML document instead of the data: most likely a message of an object store; open it in an editor",
        );
    }
    if text.starts_with(b"{") || text.starts_with(b"[") {
        return Some(
            "it is JSON: a set of references is combined, converted or verified, not scanned; anything else may be a \
             message of a server instead of the data",
        );
    }
    let zeros = head.iter().all(|&byte| byte == 0);
    zeros.then_some(
        "it begins with zeros alone: a transfer may have been broken off before its bytes were written; fetch it again",
    )
}

/// Whether a file is a web page, whatever words are in it.
pub(crate) fn is_web_page(head: &[u8]) -> bool {
    let text = text(head);
    text.starts_with(b"<!doctype html") || text.starts_with(b"<html")
}

/// The first letters of a text in small letters, without what may be before them.
fn text(head: &[u8]) -> Vec<u8> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.trim_ascii_start().iter().take(16).map(u8::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strange_files_are_named_with_what_helps() {
        let mut tar = vec![b'a'; TAR];
        tar.extend(b"ustar\0");
        for (head, words) in [
            (&b""[..], "empty"),
            (b"\x1f\x8b\x08\x08", "gzip"),
            (b"PK\x03\x04", "zip archive"),
            (b"\x0e\x03\x13\x01\0\0", "HDF4"),
            (b"\n<!DOCTYPE html><html>", "login page"),
            (b"\xef\xbb\xbf<HTML>", "web page"),
            (b"<?xml version=\"1.0\"?><Error>", "object store"),
            (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
            (b"{\"version\": 1, \"refs\"", "references"),
            (&[0; 600], "zeros"),
            (&tar, "tar archive"),
        ] {
            let found = stranger(head).unwrap_or_default();
            assert!(found.contains(words), "{head:?}: {found}");
        }
        assert_eq!(stranger(b"\x89HDF\r\n\x1a\n"), None);
        assert_eq!(stranger(b"CDF\x07"), None);
    }
}
