// SPDX-License-Identifier: MIT OR Apache-2.0
//! References as lines of JSON, for tools that read line by line: the first line has what is said of the set, each other one
//! the key of a reference and the reference as kerchunk JSON has it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chunkref_core::atomic::{self, AtomicError};
use chunkref_core::model::Dataset;
use chunkref_core::model::provenance::{Recorded, read_provenance, read_provenance_within};
use chunkref_core::{
    Capability, EmitError, EmitOptions, Emitted, Emitter, FormatOption, MemorySet, Most,
    OptionType, ReferenceFormat, ReferenceSet, SetError, SetFiles, SetReader, inventory,
};
use chunkref_kerchunk_json::{self as kerchunk_json, ReadLimits, WriteOptions};
use serde_json::{Map, Value, json};

/// Whether consolidated metadata are written.
pub const CONSOLIDATED: FormatOption = FormatOption::new(
    "lines.consolidated",
    OptionType::Flag,
    "write consolidated metadata (.zmetadata)",
)
.with_default("false");

/// The format.
pub const ENTRY: ReferenceFormat = ReferenceFormat::file(
    "lines",
    "lines",
    "references as lines of JSON",
    || Box::new(Lines),
    || Box::new(Lines),
)
.with_endings(&[".refs.jsonl"])
.with_begins(|name, head| name.ends_with(".refs.jsonl") && head.first() == Some(&b'{'))
.with_foreign(foreign)
.with_capabilities(&[Capability::Inline, Capability::Remote, Capability::Provenance])
.with_options(&[CONSOLIDATED]);

inventory::submit! { ENTRY }

type Fault = Box<dyn std::error::Error + Send + Sync>;

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
        let (lines, emitted) = lines(dataset, options).map_err(failed)?;
        // Whole or not at all, and only over a set that is still the one that was read.
        let written = atomic::replace_file(destination, options.replaces.as_ref(), |output| {
            options.cancellation.check()?;
            output.write_all(&lines)?;
            Ok::<_, Fault>(())
        });
        let ((), fingerprint) = written.map_err(|error| match error {
            AtomicError::Content(fault) => failed(fault),
            error => failed(error.into()),
        })?;
        Ok(Emitted { fingerprint, ..emitted })
    }
}

/// All lines, and how much they are.
fn lines(dataset: &Dataset, options: &EmitOptions) -> Result<(Vec<u8>, Emitted), Fault> {
    ENTRY.validate(options)?;
    let mut write = WriteOptions::default();
    write.consolidated = CONSOLIDATED.is_on(options)?;
    write.provenance.clone_from(&options.provenance);
    let mut text = Vec::new();
    let written = kerchunk_json::write(dataset, &write, &mut text)?;
    let Value::Object(mut set) = serde_json::from_slice(&text)? else {
        return Err("datasets of their own cannot be in one set of lines".into());
    };
    let references = set.remove("refs");
    let mut lines = serde_json::to_vec(&set)?;
    for (key, reference) in references.as_ref().and_then(Value::as_object).into_iter().flatten() {
        lines.push(b'\n');
        serde_json::to_writer(&mut lines, &json!([key, reference]))?;
    }
    lines.push(b'\n');
    let (references, bytes) = (written.references, lines.len() as u64);
    Ok((lines, Emitted { references, bytes, fingerprint: None }))
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
        let text = joined(&*bytes).map_err(SetError::damaged)?;
        let of_sets = ReadLimits::from(limits);
        let dataset = kerchunk_json::read_within(&*text, &of_sets).map_err(SetError::damaged)?;
        let recorded = read_provenance_within(&*text, limits.of_json());
        Ok(Box::new(MemorySet::new(dataset, recorded)))
    }

    async fn recorded(&self, path: &Path, _version: Option<&str>) -> Option<Recorded> {
        let text = joined(BufReader::new(File::open(path).ok()?)).ok()?;
        read_provenance(&*text)
    }
}

/// The lines as one document of kerchunk JSON.
fn joined(lines: impl Read) -> Result<Vec<u8>, Fault> {
    let mut lines = BufReader::new(lines).lines();
    let first = lines.next().ok_or("the file is empty")??;
    let mut set: Map<String, Value> = serde_json::from_str(&first)?;
    let mut references = Map::new();
    for (number, line) in lines.enumerate() {
        let (key, reference): (String, Value) = serde_json::from_str(&line?)
            .map_err(|error| format!("line {}: {error}", number.saturating_add(2)))?;
        if references.contains_key(&key) {
            return Err(format!("line {}: {key:?} is there already", number + 2).into());
        }
        references.insert(key, reference);
    }
    set.insert("refs".to_owned(), references.into());
    Ok(serde_json::to_vec(&set)?)
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
    Ok((!head.is_empty() && !head.starts_with(b"{\"version\":1")).then(name))
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
        let said = |text: &str| joined(text.as_bytes()).unwrap_err().to_string();
        assert!(said("").contains("empty"));
        assert!(said("{\"version\":1}\n[\"a\",\"b\"]\n[\"a\"]\n").contains("line 3"));
        assert!(said("{\"version\":1}\n[\"a\",\"b\"]\n[\"a\",\"c\"]\n").contains("already"));
    }
}
