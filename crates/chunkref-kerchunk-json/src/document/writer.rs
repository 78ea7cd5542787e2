// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing version 1 as a stream.
//!
//! All metadata documents are made first, so that what cannot be said fails before a byte is written. References then
//! go through one buffer, without an allocation per reference.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chunkref_model::json::writer::{push_escaped, push_integer, push_string};
use chunkref_model::provenance::Provenance;
use chunkref_model::zarr::v2::{self, Document, DocumentsError};
use chunkref_model::{Array, ChunkRef, Dataset, Group, WHOLE_OBJECT};
use thiserror::Error;

/// Bytes that are collected before they go to the output.
const BUFFER_BYTES: usize = 64 * 1024;

/// How to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOptions {
    /// Whether to write `.zmetadata`, without which zarr-python 3 shows nested groups of a reference set as empty.
    pub consolidated: bool,
    /// How the references came about; `None` to write references alone.
    pub provenance: Option<Provenance>,
    /// Whether each URL is written once, as a template, and named by references. Readers must then expand templates.
    pub templates: bool,
}

impl Default for WriteOptions {
    /// With `.zmetadata`, without provenance and templates.
    fn default() -> Self {
        Self { consolidated: true, provenance: None, templates: false }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Written {
    /// Chunk references, inline ones among them.
    pub references: u64,
    /// Chunk references whose bytes are in the document.
    pub inline: u64,
    /// Length of the document in bytes.
    pub length: u64,
}

/// Why a dataset was not written as kerchunk JSON.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Zarr v2 cannot say the dataset, or its references do not belong to its chunk grids and sources.
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    /// The output failed.
    #[error("the references cannot be written")]
    Io(#[from] io::Error),
}

/// Writes `dataset` as a kerchunk JSON version 1 document: minified, and the same bytes for the same dataset. One of
/// [separate](Dataset::separate) groups becomes a list of documents, as kerchunk's `scan_grib` gives them.
///
/// The keys of a group are its documents, its arrays and then its subgroups, each in byte order of their names. Inline
/// bytes are text when all of them are printable ASCII, else base64.
///
/// # Errors
/// [`WriteError`] when Zarr v2 or kerchunk JSON cannot say the dataset, before anything is written; or when `output`
/// fails.
pub fn write(
    dataset: &Dataset,
    options: &WriteOptions,
    output: impl Write,
) -> Result<Written, WriteError> {
    let groups: Vec<&Group> =
        if dataset.separate { dataset.root.groups.values().collect() } else { vec![&dataset.root] };
    let mut sets = Vec::new();
    for group in groups {
        sets.push(v2::documents(group, dataset.sources().len())?);
    }
    let sources = dataset.sources().iter().enumerate().map(|(number, source)| {
        if options.templates {
            return format!("[\"{{{{u{number}}}}}\"");
        }
        let mut text = String::from("[");
        push_string(&mut text, &source.location);
        text
    });
    let mut stream = Stream {
        output,
        buffer: String::new(),
        sources: sources.collect(),
        failure: None,
        written: Written::default(),
    };
    // Of a list of documents, the first one says it for all.
    let mut member = String::new();
    if let Some(provenance) = &options.provenance {
        member.push_str(&provenance.member(dataset));
        member.push(',');
    }
    if options.templates && dataset.separate {
        return Err(WriteError::Io(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a list of documents has no templates: write it without them",
        )));
    }
    if options.templates {
        // Readers would expand it, and no template says it as it is.
        if let Some(source) = dataset.sources().iter().find(|source| source.location.contains("{{"))
        {
            let location = chunkref_model::secret::redact(&source.location);
            let message = format!(
                "{location}: templates cannot hold this name with {{{{: write the references without them"
            );
            return Err(WriteError::Io(io::Error::new(io::ErrorKind::InvalidInput, message)));
        }
        member.push_str("\"templates\":{");
        for (number, source) in dataset.sources().iter().enumerate() {
            if number > 0 {
                member.push(',');
            }
            push_string(&mut member, &format!("u{number}"));
            member.push(':');
            push_string(&mut member, &source.location);
        }
        member.push_str("},");
    }
    if dataset.separate {
        stream.buffer.push('[');
    }
    for (index, documents) in sets.iter().enumerate() {
        if index > 0 {
            stream.buffer.push(',');
        }
        let member = if index == 0 { member.as_str() } else { "" };
        stream.reference_set(documents, options, member);
    }
    if dataset.separate {
        stream.buffer.push(']');
    }
    stream.flush();
    if let Some(error) = stream.failure {
        return Err(WriteError::Io(error));
    }
    stream.output.flush()?;
    Ok(stream.written)
}

struct Stream<W> {
    output: W,
    buffer: String,
    /// Per source the start of its references, `["url"`.
    sources: Vec<String>,
    failure: Option<io::Error>,
    written: Written,
}

impl<W: Write> Stream<W> {
    /// One document; `member` is one more member of it, with a comma behind it, or nothing.
    fn reference_set(&mut self, documents: &[Document<'_>], options: &WriteOptions, member: &str) {
        self.buffer.push_str("{\"version\":1,");
        self.buffer.push_str(member);
        self.buffer.push_str("\"refs\":{");
        for (index, document) in documents.iter().enumerate() {
            if index > 0 {
                self.buffer.push(',');
            }
            self.document(&document.key, &document.text);
            if index == 1 && options.consolidated {
                let all = documents
                    .iter()
                    .map(|document| (document.key.as_str(), document.text.as_str()));
                self.buffer.push(',');
                self.document(".zmetadata", &v2::consolidated(all));
            }
            if let Some((path, array)) = &document.references_of {
                self.chunks(path, array);
            }
        }
        self.buffer.push_str("}}");
    }

    fn document(&mut self, key: &str, text: &str) {
        push_string(&mut self.buffer, key);
        self.buffer.push(':');
        push_string(&mut self.buffer, text);
        self.flush_when_full();
    }

    fn chunks(&mut self, path: &str, array: &Array) {
        let mut prefix = String::from(",\"");
        push_escaped(&mut prefix, path);
        prefix.push('/');
        array.manifest.visit(&mut |chunk_indices, reference| {
            self.buffer.push_str(&prefix);
            v2::push_chunk_key(&mut self.buffer, chunk_indices);
            self.buffer.push_str("\":");
            self.reference(&reference);
            self.flush_when_full();
        });
    }

    fn reference(&mut self, reference: &ChunkRef) {
        self.written.references = self.written.references.saturating_add(1);
        match reference {
            ChunkRef::Virtual { source, offset, length } => {
                let source =
                    usize::try_from(source.0).ok().and_then(|source| self.sources.get(source));
                self.buffer.push_str(source.map_or("[null", String::as_str));
                if *length != WHOLE_OBJECT {
                    self.buffer.push(',');
                    push_integer(&mut self.buffer, *offset);
                    self.buffer.push(',');
                    push_integer(&mut self.buffer, *length);
                }
                self.buffer.push(']');
            }
            ChunkRef::Inline(bytes) => {
                self.written.inline = self.written.inline.saturating_add(1);
                push_inline(&mut self.buffer, bytes);
            }
            // The manifest shows present chunks only.
            ChunkRef::Missing => self.buffer.push_str("null"),
        }
    }

    fn flush_when_full(&mut self) {
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.failure.is_none() {
            self.failure = self.output.write_all(self.buffer.as_bytes()).err();
        }
        self.written.length = self.written.length.saturating_add(self.buffer.len() as u64);
        self.buffer.clear();
    }
}

fn push_inline(out: &mut String, bytes: &[u8]) {
    let printable = bytes.iter().all(|byte| (0x20..=0x7e).contains(byte));
    match std::str::from_utf8(bytes) {
        Ok(text) if printable && !text.starts_with("base64:") => push_string(out, text),
        _ => {
            out.push_str("\"base64:");
            STANDARD.encode_string(bytes, out);
            out.push('"');
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use chunkref_model::{
        Attributes, ByteOrder, ChunkGrid, Codec, DataType, FillValue, ManifestBuilder, Source,
        SourceId,
    };

    fn dataset() -> Dataset {
        let mut dataset = Dataset::new();
        let source =
            dataset.add_source(Source { location: "s3://b/\"a\".nc".to_owned(), version: None });
        let mut manifest = ManifestBuilder::new([4]).unwrap();
        manifest.push(&[0], ChunkRef::Virtual { source, offset: 8, length: 16 }).unwrap();
        manifest.push(&[1], ChunkRef::Inline(Bytes::from_static(b"a\"b"))).unwrap();
        manifest.push(&[3], ChunkRef::Virtual { source, offset: 0, length: WHOLE_OBJECT }).unwrap();
        let array = Array {
            shape: vec![8],
            dimensions: vec!["x".to_owned()],
            dtype: DataType::Int { length: 2, order: ByteOrder::Little },
            fill_value: Some(FillValue::Int(0)),
            chunk_grid: ChunkGrid::regular([2]),
            codecs: vec![Codec::new("zlib").with("level", 1)],
            attributes: Attributes::new(),
            manifest: manifest.finish().unwrap(),
        };
        dataset.root.arrays.insert("v".to_owned(), array);
        dataset.group_mut("g").attributes.insert("title", "é");
        dataset
    }

    fn text_of(dataset: &Dataset, consolidated: bool) -> Result<String, WriteError> {
        let mut out = Vec::new();
        write(dataset, &WriteOptions { consolidated, ..WriteOptions::default() }, &mut out)
            .map(|_| String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_whole_document() {
        let mut out = Vec::new();
        let written = write(
            &dataset(),
            &WriteOptions { consolidated: false, ..WriteOptions::default() },
            &mut out,
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(out.clone()).unwrap(),
            concat!(
                r#"{"version":1,"refs":{".zgroup":"{\"zarr_format\":2}",".zattrs":"{}","#,
                r#""v/.zarray":"{\"shape\":[8],\"chunks\":[2],\"dtype\":\"<i2\",\"fill_value\":0,\"order\":\"C\",\"filters\":[{\"id\":\"zlib\",\"level\":1}],\"dimension_separator\":\".\",\"compressor\":null,\"zarr_format\":2}","#,
                r#""v/.zattrs":"{\"_ARRAY_DIMENSIONS\":[\"x\"]}","#,
                r#""v/0":["s3://b/\"a\".nc",8,16],"v/1":"a\"b","v/3":["s3://b/\"a\".nc"],"#,
                r#""g/.zgroup":"{\"zarr_format\":2}","g/.zattrs":"{\"title\":\"é\"}"}}"#
            )
        );
        assert_eq!((written.references, written.inline, written.length), (3, 1, out.len() as u64));
    }

    #[test]
    fn consolidated_metadata_holds_every_document() {
        let text = text_of(&dataset(), true).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let refs = value["refs"].as_object().unwrap();
        let consolidated: serde_json::Value =
            serde_json::from_str(refs[".zmetadata"].as_str().unwrap()).unwrap();
        let documents = consolidated["metadata"].as_object().unwrap();
        assert_eq!(documents.len(), 6);
        for (key, document) in documents {
            assert_eq!(
                &serde_json::from_str::<serde_json::Value>(refs[key].as_str().unwrap()).unwrap(),
                document
            );
        }
    }

    #[test]
    fn inline_bytes_are_text_only_when_printable() {
        let text = |bytes: &[u8]| {
            let mut out = String::new();
            push_inline(&mut out, bytes);
            out
        };
        assert_eq!(text(b" ~"), "\" ~\"");
        assert_eq!(text(b""), "\"\"");
        assert_eq!(text(b"base64:x"), "\"base64:YmFzZTY0Ong=\"");
        assert_eq!(text(b"a\n"), "\"base64:YQo=\"");
        assert_eq!(text("é".as_bytes()), "\"base64:w6k=\"");
        assert_eq!(text(b"\x7f"), "\"base64:fw==\"");
    }

    #[test]
    fn what_has_no_key_is_an_error() {
        for name in ["", "..", "a/b", ".zattrs"] {
            let mut bad = dataset();
            let array = bad.root.arrays.remove("v").unwrap();
            bad.root.arrays.insert(name.to_owned(), array);
            assert!(
                matches!(
                    text_of(&bad, true),
                    Err(WriteError::Documents(DocumentsError::BadName { .. }))
                ),
                "{name:?}"
            );
        }
        let mut bad = dataset();
        bad.group_mut("v");
        assert!(matches!(
            text_of(&bad, true),
            Err(WriteError::Documents(DocumentsError::BadName { .. }))
        ));
    }

    #[test]
    fn references_that_do_not_belong_are_errors() {
        let change = |change: &dyn Fn(&mut Array)| {
            let mut bad = dataset();
            change(bad.root.arrays.get_mut("v").unwrap());
            let mut out = Vec::new();
            let error = write(&bad, &WriteOptions::default(), &mut out).unwrap_err();
            assert!(out.is_empty());
            error
        };
        assert!(matches!(
            change(&|array| array.shape = vec![10]),
            WriteError::Documents(DocumentsError::Inconsistent { .. })
        ));
        assert!(matches!(
            change(&|array| array.dtype = DataType::Float { length: 16, order: ByteOrder::Little }),
            WriteError::Documents(DocumentsError::Array { .. })
        ));
        for bad in [
            ChunkRef::Virtual { source: SourceId(1), offset: 0, length: 1 },
            ChunkRef::Virtual { source: SourceId(0), offset: 1, length: WHOLE_OBJECT },
        ] {
            let mut manifest = ManifestBuilder::new([4]).unwrap();
            manifest.push(&[0], bad).unwrap();
            let manifest = manifest.finish().unwrap();
            assert!(matches!(
                change(&|array| array.manifest = manifest.clone()),
                WriteError::Documents(DocumentsError::Inconsistent { .. })
            ));
        }
    }

    #[test]
    fn names_that_readers_would_expand_are_no_templates() {
        let mut dataset = dataset();
        dataset.add_source(Source { location: String::from("s3://bucket/{{u0}}"), version: None });
        let options = WriteOptions { templates: true, ..WriteOptions::default() };
        let mut out = Vec::new();
        let Err(WriteError::Io(error)) = write(&dataset, &options, &mut out) else {
            panic!("a template of a template is written");
        };
        assert!(out.is_empty() && error.to_string().contains("without"), "{error}");
        write(&dataset, &WriteOptions::default(), &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("zgroup"));
    }

    #[test]
    fn a_failing_output_is_an_error() {
        let mut small = [0_u8; 100];
        assert!(matches!(
            write(&dataset(), &WriteOptions::default(), &mut small[..]),
            Err(WriteError::Io(_))
        ));
    }
}
