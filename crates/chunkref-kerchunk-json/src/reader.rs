// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opening a file: its text is read as a stream, and its references are held.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chunkref_core::{
    Limits, MemorySet, Most, ReferenceSet, SetError, SetFiles, SetReader, SourceError,
    SourceErrorKind,
};
use chunkref_model::provenance::{Recorded, read_provenance, read_provenance_within};

use crate::document::{ReadLimits, read_within};
use crate::marks::is_finished;
use crate::text::unpacked;

/// Opens kerchunk JSON of version 0 or 1.
pub(crate) struct Reader;

#[async_trait]
impl SetReader for Reader {
    async fn open(
        &self,
        files: Arc<dyn SetFiles>,
        _version: Option<&str>,
    ) -> Result<Box<dyn ReferenceSet>, SetError> {
        let limits = files.limits();
        if let Some(path) = files.local_path().filter(|path| path.is_file()) {
            // The text of millions of references is not held.
            return read(&|| Ok(BufReader::new(File::open(path)?)), limits);
        }
        let most = Most { bytes: limits.set_bytes, name: "set_bytes" };
        let bytes = files.read("", most).await?.ok_or_else(|| SourceError {
            kind: SourceErrorKind::NotFound,
            location: files.location().to_owned(),
            message: "there is no such file".to_owned(),
            source: None,
        })?;
        read(&|| Ok(&*bytes), limits)
    }

    async fn recorded(&self, path: &Path, _version: Option<&str>) -> Option<Recorded> {
        File::open(path).ok().filter(is_finished).and_then(read_provenance)
    }
}

/// Reads what `open` gives, twice: the record of a set stands before its references.
fn read<R: io::BufRead>(
    open: &dyn Fn() -> io::Result<R>,
    limits: &Limits,
) -> Result<Box<dyn ReferenceSet>, SetError> {
    let of_sets = ReadLimits::from(limits);
    let text = |stored: R| -> io::Result<Box<dyn Read>> { unpacked(stored, limits) };
    let dataset = read_within(text(open()?)?, &of_sets).map_err(SetError::damaged)?;
    let recorded = read_provenance_within(text(open()?)?, limits.of_json());
    Ok(Box::new(MemorySet::new(dataset, recorded)))
}
