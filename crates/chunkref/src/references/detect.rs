// SPDX-License-Identifier: MIT OR Apache-2.0
//! Of which format a set is.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use chunkref_core::{
    Capability, Form, Most, ReferenceFormat, ReferenceFormats, SetError, SetFiles,
};
use chunkref_store::Location;

use super::ReferencesError;

/// Bytes of a file on this machine that are looked at.
const HEAD_BYTES: u64 = 64;

/// The format of a set, and how it was told.
pub(super) struct Told {
    pub(super) format: ReferenceFormat,
    /// Whether nothing but the lack of other marks says so.
    is_guess: bool,
}

impl Told {
    fn surely(format: &ReferenceFormat) -> Self {
        Self { format: *format, is_guess: false }
    }

    pub(super) fn error(&self, location: &str, error: SetError) -> ReferencesError {
        ReferencesError::of_set(location, &self.format, self.is_guess, error)
    }
}

/// The format of the set at a location. On this machine what is there counts before its name; of a URL it is the name alone,
/// unless that leaves several formats.
pub(super) async fn detect(
    formats: &ReferenceFormats,
    files: &dyn SetFiles,
) -> Result<Told, ReferencesError> {
    let name = file_name(files.location());
    let by_name = formats.of_name(name);
    if let Some(path) = files.local_path() {
        if let Some(format) = formats.of_folder(path) {
            return Ok(Told::surely(format));
        }
        let form = if path.is_dir() { Form::Folder } else { Form::File };
        if form == Form::File
            && let Some(format) = formats.of_head(name, &head(path))
        {
            return Ok(Told { format: *format, is_guess: by_name.is_none() });
        }
        return match by_name.filter(|format| format.form == form) {
            Some(format) => Ok(Told::surely(format)),
            None if form == Form::Folder => Err(no_set(formats, files)),
            None => Ok(Told { format: *formats.fallback()?, is_guess: true }),
        };
    }
    match by_name {
        Some(format) => Ok(Told::surely(format)),
        None if plain(files.location()).ends_with('/') => {
            Ok(Told::surely(remote_folder(formats, files).await?))
        }
        None => Ok(Told { format: *formats.fallback()?, is_guess: true }),
    }
}

/// The format of a folder at a URL: the only one that may be, or the one whose marks are there.
async fn remote_folder<'a>(
    formats: &'a ReferenceFormats,
    files: &dyn SetFiles,
) -> Result<&'a ReferenceFormat, ReferencesError> {
    let may_be =
        |format: &&ReferenceFormat| format.form == Form::Folder && format.can(Capability::Remote);
    let candidates: Vec<_> = formats.entries().iter().filter(may_be).collect();
    if let [only] = candidates.as_slice() {
        return Ok(only);
    }
    let most = Most { bytes: files.limits().metadata_bytes, name: "metadata_bytes" };
    for format in candidates {
        for marks in format.marks.iter().filter(|marks| !marks.is_empty()) {
            let mut there = true;
            for mark in *marks {
                // Folders are no objects.
                there = there && (mark.ends_with('/') || files.read(mark, most).await?.is_some());
            }
            if there {
                return Ok(format);
            }
        }
    }
    Err(no_set(formats, files))
}

fn no_set(formats: &ReferenceFormats, files: &dyn SetFiles) -> ReferencesError {
    let folders = formats.entries().iter().filter(|format| format.form == Form::Folder);
    let words: Vec<_> = folders.map(|format| format.description).collect();
    let reason = format!("it is a folder, and holds none of these: {}", words.join(", "));
    ReferencesError::Unsupported { location: files.location().to_owned(), reason }
}

/// The first bytes of a file on this machine; none of one that cannot be read, which opening it says.
fn head(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    if path.is_file()
        && let Ok(file) = File::open(path)
    {
        // A file that fails in the middle fails again when it is opened.
        let _ = file.take(HEAD_BYTES).read_to_end(&mut head);
    }
    head
}

/// Whether an object may be a reference set, so far as its first bytes and its name say.
#[must_use]
pub fn looks_like_references(formats: &ReferenceFormats, location: &Location, head: &[u8]) -> bool {
    formats.of_head(location.file_name(), head).is_some()
}

/// Whether a location is a folder that holds a reference set: a local one by what is there, a URL by its name.
#[must_use]
pub fn is_reference_folder(formats: &ReferenceFormats, location: &Location) -> bool {
    if let Some(path) = location.local_path() {
        return formats.of_folder(path).is_some();
    }
    let by_name = formats.of_name(file_name(location.url()));
    plain(location.url()).ends_with('/')
        || by_name.is_some_and(|format| format.form == Form::Folder)
}

/// A URL without query and fragment.
fn plain(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// The last part of the path of a URL.
fn file_name(url: &str) -> &str {
    let path = plain(url).trim_end_matches('/');
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}
