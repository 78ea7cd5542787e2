// SPDX-License-Identifier: MIT OR Apache-2.0
//! References as lines of JSON, for tools that read line by line: the first line has what is said of the set, each other one
//! the key of a document of Zarr version 2 and its text, or the key of a chunk and its reference – URL, offset and length, or
//! its bytes in base64.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chunkref_core::atomic::{self, AtomicError, Fault};
use chunkref_core::model::json::reader::JsonReader;
use chunkref_core::model::provenance::{Recorded, read_provenance, read_provenance_within};
use chunkref_core::model::zarr::v2::{self, Documents, Hierarchy};
use chunkref_core::model::zarr::{decode_base64, encode_base64};
use chunkref_core::model::{ChunkRef, Dataset, Source};
use chunkref_core::{
    Capability, EmitError, EmitOptions, Emitted, Emitter, FormatOption, Limits, MemorySet, Most,
    OptionType, ReferenceFormat, ReferenceSet, SetError, SetFiles, SetReader, inventory,
};
use serde::Deserialize;
use serde_json::json;

/// Whether lines end as on Windows.
pub const CRLF: FormatOption =
    FormatOption::new("lines.crlf", OptionType::Flag, "end lines as programs of Windows do")
        .with_default("false")
        .with_flag("crlf");

/// How a file begins; the record of how the references came about may follow.
const MAGIC: &str = "{\"lines\":1";

/// The format.
pub const ENTRY: ReferenceFormat = ReferenceFormat::file(
    "lines",
    "lines",
    "references as lines of JSON",
    || Box::new(Lines),
    || Box::new(Lines),
)
.with_endings(&[".refs.jsonl"])
.with_begins(|_, head| head.starts_with(MAGIC.as_bytes()))
.with_foreign(foreign)
.with_capabilities(&[Capability::Inline, Capability::Remote, Capability::Provenance])
.with_options(&[CRLF])
.with_stream(|dataset, options, output| {
    // What `-o -` writes.
    let failed = |source| EmitError { destination: "the output".to_owned(), source };
    let (lines, references) = lines(dataset, options).map_err(failed)?;
    output.write_all(&lines).map_err(|error| failed(error.into()))?;
    Ok(Emitted { references, bytes: lines.len() as u64, fingerprint: None })
});

inventory::submit! { ENTRY }

/// Writes and opens them.
#[derive(Debug, Clone, Copy)]
struct Lines;

impl Emitter for Lines {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn emit(
        &self,
        dataset: &Dataset,
        destination: &Path,
        options: &EmitOptions,
    ) -> Result<Emitted, EmitError> {
        let failed =
            |source: Fault| EmitError { destination: destination.display().to_string(), source };
        // All that can fail comes before anything is written.
        let (lines, references) = lines(dataset, options).map_err(failed)?;
        // Whole or not at all, and only over a set that is still the one that was read.
        let written = atomic::replace_file(destination, options.replaces.as_ref(), |output| {
            options.cancellation.check()?;
            Ok(output.write_all(&lines)?)
        });
        match written {
            Ok(((), fingerprint)) => {
                Ok(Emitted { references, bytes: lines.len() as u64, fingerprint })
            }
            Err(AtomicError::Content(fault)) => Err(failed(fault)),
            Err(error) => Err(failed(error.into())),
        }
    }
}

/// All lines, and how many references they have.
fn lines(dataset: &Dataset, options: &EmitOptions) -> Result<(Vec<u8>, u64), Fault> {
    ENTRY.validate(options)?;
    if dataset.separate {
        return Err("datasets of their own cannot be in one set of lines".into());
    }
    let end = if CRLF.is_on(options)? { "\r\n" } else { "\n" };
    let recorded = options.provenance.as_ref().map(|one| format!(",{}", one.member(dataset)));
    let mut lines = format!("{MAGIC}{}}}{end}", recorded.unwrap_or_default()).into_bytes();
    let mut references = 0;
    // What Zarr version 2 cannot represent is an error here.
    for document in v2::documents(&dataset.root, dataset.sources().len())? {
        write!(lines, "{}{end}", json!([document.key, document.text]))?;
        let Some((path, array)) = document.references_of else { continue };
        options.cancellation.check()?;
        let mut fault = None;
        array.manifest.visit(&mut |chunk_indices, reference| {
            let mut key = format!("{path}/");
            v2::push_chunk_key(&mut key, chunk_indices);
            let value = match reference {
                ChunkRef::Inline(bytes) => json!([key, encode_base64(&bytes)]),
                ChunkRef::Virtual { source, offset, length } => {
                    let url = dataset.source(source).map(|source| &source.location);
                    json!([key, [url, offset, length]])
                }
                ChunkRef::Missing => return,
            };
            references += 1;
            fault = write!(lines, "{value}{end}").err().or(fault.take());
        });
        fault.map_or(Ok(()), Err)?;
    }
    Ok((lines, references))
}

#[async_trait]
impl SetReader for Lines {
    async fn open(
        &self,
        files: Arc<dyn SetFiles>,
        _version: Option<&str>,
    ) -> Result<Box<dyn ReferenceSet>, SetError> {
        let limits = files.limits();
        let most = Most { bytes: limits.set_bytes, name: "set_bytes" };
        let bytes = files.read("", most).await?;
        let bytes = bytes.ok_or_else(|| SetError::damaged("there is no such file"))?;
        let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let recorded = read_provenance_within(first, limits.of_json());
        let dataset = dataset(&bytes, recorded.as_ref(), limits).map_err(SetError::damaged)?;
        Ok(Box::new(MemorySet::new(dataset, recorded)))
    }

    async fn recorded(&self, path: &Path, _version: Option<&str>) -> Option<Recorded> {
        let mut first = String::new();
        BufReader::new(File::open(path).ok()?).read_line(&mut first).ok()?;
        read_provenance(first.as_bytes())
    }
}

/// What stands behind a key.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    /// The text of a document, or bytes in base64.
    Text(String),
    Range(String, u64, u64),
}

/// The dataset of the lines.
fn dataset(lines: &[u8], recorded: Option<&Recorded>, limits: &Limits) -> Result<Dataset, Fault> {
    if !lines.starts_with(MAGIC.as_bytes()) {
        return Err(format!("it does not begin with {MAGIC}").into());
    }
    let mut documents = Documents::default();
    let mut references = Vec::new();
    // Bounds on all documents together.
    let mut json = JsonReader::new(io::empty(), limits.of_json());
    for (number, line) in (2..).zip(lines.lines().skip(1)) {
        let wrong = |error: &dyn std::fmt::Display| format!("line {number}: {error}");
        let line = line.map_err(|error| wrong(&error))?;
        let (key, entry): (String, Entry) =
            serde_json::from_str(&line).map_err(|error| wrong(&error))?;
        match entry {
            Entry::Text(text) if Documents::is_key(&key) => {
                let document = json.parse_inner(&text).map_err(|error| wrong(&error))?;
                documents.add(&key, document).map_err(|error| wrong(&error))?;
            }
            entry if references.len() as u64 >= limits.set_references => {
                drop(entry);
                let limit = limits.set_references;
                return Err(wrong(&format!("more than the limit set_references={limit}")).into());
            }
            entry => references.push((number, key, entry)),
        }
    }
    let mut dataset = Dataset::new();
    let mut hierarchy = Hierarchy::new(documents, limits.objects)?;
    for (number, key, entry) in references {
        let wrong = |error: &dyn std::fmt::Display| format!("line {number}: {error}");
        let reference = match entry {
            Entry::Text(text) => {
                let bytes = decode_base64(&text).ok_or_else(|| wrong(&"it is no base64"))?;
                ChunkRef::Inline(bytes.into())
            }
            Entry::Range(location, offset, length) => {
                if offset.checked_add(length).is_none() && length != u64::MAX {
                    return Err(wrong(&"offset and length go beyond 64 bits").into());
                }
                let version = recorded.and_then(|recorded| recorded.version(&location)).cloned();
                let source = dataset.add_source(Source { location, version });
                ChunkRef::Virtual { source, offset, length }
            }
        };
        hierarchy.push(&key, reference).map_err(|error| wrong(&error))?;
    }
    Ok(hierarchy.finish(dataset)?)
}

/// The name of a file that is not a set of lines: it is not replaced.
fn foreign(path: &Path) -> std::io::Result<Option<String>> {
    let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !path.try_exists()? {
        return Ok(None);
    }
    if !path.is_file() {
        return Ok(Some(name()));
    }
    let mut head = Vec::new();
    File::open(path)?.take(16).read_to_end(&mut head)?;
    Ok((!head.is_empty() && !head.starts_with(MAGIC.as_bytes())).then(name))
}

#[cfg(test)]
mod tests {
    use chunkref_testkit::conformance;
    use chunkref_testkit::scenes::{chunk_kinds, unsayable};

    use super::*;

    #[test]
    fn the_format_keeps_its_contract() {
        let samples = [chunk_kinds(1).unwrap(), chunk_kinds(3).unwrap()];
        conformance::reference_format(&ENTRY, &samples, &unsayable(chunk_kinds(1).unwrap()))
            .unwrap();
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let said = |lines: &str| {
            let text = format!("{MAGIC}}}\n{lines}");
            dataset(text.as_bytes(), None, &Limits::default()).unwrap_err().to_string()
        };
        assert!(dataset(b"", None, &Limits::default()).unwrap_err().to_string().contains("begin"));
        assert!(said("[\"a/0\",\"b\"]\n[\"a\"]\n").contains("line 3"));
        assert!(said("[\".zgroup\",\"{}\"]\n[\".zgroup\",\"{}\"]\n").contains("line 3"));
        assert!(said("[\"a/0\",\"AA==\"]\n").contains("line 2: key \"a/0\" is that of no chunk"));
    }
}
