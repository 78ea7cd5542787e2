// SPDX-License-Identifier: MIT OR Apache-2.0
//! How references came about, in a member of the document that other readers pass over.
//!
//! `"chunkref": {"version": …, "options": …, "skipped": {KIND: …, …}, "sources": [{"url": …, "length": …, "e_tag": …,
//! "last_modified_ns": …}, …], "arrays": {PATH: {"references": …, "inline_crc32": …}, …}}` stands before `"refs"`, so that
//! it is read without reading the references. It lets a later run see that nothing has changed, and readers notice that a
//! source has, or that references were lost.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{BufReader, Read};
use std::time::{Duration, SystemTime};

use crate::json::reader::{Bounds, JsonReader};
use crate::json::writer::{push_integer, push_list, push_string};
use crate::{AttributeValue, ChunkRef, Dataset, Manifest, ObjectVersion, Source};

/// The name of the member.
pub const MEMBER: &str = "chunkref";

/// How references came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The version of the program.
    pub version: String,
    /// All options that shape the result, in words: equal options have equal words.
    pub options: String,
    /// Things of the sources that are not in the references, for what they are, by their kind (`array`, `group`,
    /// `attribute`, `link`). Nothing of a source is ever left out because it could not be read.
    pub skipped: BTreeMap<String, u64>,
    /// Locations of whole inputs that could not be read, and that are left out because that was asked for.
    pub left_out: Vec<String>,
}

/// The kind of what earlier releases left out, who gave a number only, and for other reasons too.
const UNKNOWN_KIND: &str = "unknown";

/// What a document says of how it came about.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// By what, and how.
    pub provenance: Provenance,
    /// In the order of the document.
    sources: Vec<Source>,
    places: HashMap<String, usize>,
    arrays: BTreeMap<String, Contents>,
}

impl fmt::Debug for Recorded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Recorded")
            .field("provenance", &self.provenance)
            .field("sources", &self.sources)
            .finish_non_exhaustive()
    }
}

/// What an array's references were when they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// Chunks that have one.
    pub references: u64,
    /// CRC-32 (IEEE 802.3) over the numbers, as 64 bits with the lowest byte first, and bytes of all inline chunks, in
    /// order; `None` where there is no such chunk.
    pub inline_crc32: Option<u32>,
}

impl Contents {
    /// Those of an array.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        let (mut inline, mut sum) = (false, crc32fast::Hasher::new());
        let all = 0..manifest.count().unwrap_or(u64::MAX);
        manifest.visit_numbers(all, &mut |number, reference| {
            if let ChunkRef::Inline(bytes) = reference {
                inline = true;
                sum.update(&number.to_le_bytes());
                sum.update(&bytes);
            }
        });
        let inline_crc32 = inline.then(|| sum.finalize());
        Self { references: manifest.present(), inline_crc32 }
    }
}

impl Recorded {
    /// The version of the source at `location` that the references were made of.
    #[must_use]
    pub fn version(&self, location: &str) -> Option<&ObjectVersion> {
        self.sources.get(*self.places.get(location)?)?.version.as_ref()
    }

    /// The sources that the references were made of, whether references name them or not.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The paths of the arrays that the set had when it was written.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.arrays.keys().map(String::as_str)
    }

    /// What the references of the array at `path` were, where the document says so.
    #[must_use]
    pub fn contents(&self, path: &str) -> Option<Contents> {
        self.arrays.get(path).copied()
    }
}

impl Provenance {
    /// How many things are not in the references.
    #[must_use]
    pub fn skipped_count(&self) -> u64 {
        self.skipped.values().fold(0, |sum, &count| sum.saturating_add(count))
    }

    /// Whether the references have all that their sources could say: earlier releases left out what a source failed to
    /// give, and did not record it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.skipped.contains_key(UNKNOWN_KIND)
    }

    /// The member, name and value, with the versions of the dataset's sources and the numbers of its references.
    #[must_use]
    pub fn member(&self, dataset: &Dataset) -> String {
        let mut out = String::new();
        self.push_member(dataset, &mut out);
        out
    }

    fn push_member(&self, dataset: &Dataset, out: &mut String) {
        let sources = dataset.sources();
        push_string(out, MEMBER);
        out.push_str(":{\"version\":");
        push_string(out, &self.version);
        out.push_str(",\"options\":");
        push_string(out, &self.options);
        out.push_str(",\"skipped\":{");
        for (number, (kind, &count)) in self.skipped.iter().enumerate() {
            if number > 0 {
                out.push(',');
            }
            push_string(out, kind);
            out.push(':');
            push_integer(out, count);
        }
        out.push('}');
        if !self.left_out.is_empty() {
            out.push_str(",\"left_out\":");
            push_list(out, self.left_out.iter(), |out, location| push_string(out, location));
        }
        out.push_str(",\"sources\":");
        let known = sources.iter().filter_map(|source| Some((source, source.version.as_ref()?)));
        push_list(out, known, |out, (source, version)| {
            out.push_str("{\"url\":");
            push_string(out, &source.location);
            out.push_str(",\"length\":");
            push_integer(out, version.length);
            if let Some(tag) = &version.e_tag {
                out.push_str(",\"e_tag\":");
                push_string(out, tag);
            }
            if let Some(modified) = version.last_modified.and_then(nanoseconds) {
                out.push_str(",\"last_modified_ns\":");
                push_integer(out, modified);
            }
            out.push('}');
        });
        out.push_str(",\"arrays\":{");
        for (number, (path, array)) in dataset.arrays().into_iter().enumerate() {
            if number > 0 {
                out.push(',');
            }
            let contents = Contents::of(&array.manifest);
            push_string(out, &path);
            out.push_str(":{\"references\":");
            push_integer(out, contents.references);
            if let Some(sum) = contents.inline_crc32 {
                out.push_str(",\"inline_crc32\":");
                push_integer(out, sum);
            }
            out.push('}');
        }
        out.push_str("}}");
    }
}

/// What the head of a document says of how it came about; `None` when it says nothing, or is no such document.
#[must_use]
pub fn read_provenance(input: impl Read) -> Option<Recorded> {
    read_provenance_within(input, Bounds::default())
}

/// The same within other bounds than those of [`Bounds::default`].
#[must_use]
pub fn read_provenance_within(input: impl Read, bounds: Bounds) -> Option<Recorded> {
    let mut json = JsonReader::new(BufReader::new(input), bounds);
    // Of a list of documents, the first one says it for all.
    if json.peek("a document").ok()? == b'[' {
        json.begin_list().ok()?;
        json.next_item(&mut true).ok().filter(|&there| there)?;
    }
    json.begin_object().ok()?;
    let (mut first, mut key) = (true, String::new());
    while json.next_key(&mut first, &mut key).ok()? {
        match key.as_str() {
            MEMBER => return recorded(&json.value().ok()?),
            "refs" => return None,
            _ => json.skip().ok()?,
        }
    }
    None
}

/// What the value of the member says; `None` when it is not of this form.
#[must_use]
pub fn recorded(value: &AttributeValue) -> Option<Recorded> {
    let provenance = Provenance {
        version: text(member(value, "version")?)?.to_owned(),
        options: text(member(value, "options")?)?.to_owned(),
        skipped: match member(value, "skipped")? {
            AttributeValue::Struct(kinds) => kinds
                .iter()
                .map(|(kind, count)| Some((kind.clone(), number(count)?)))
                .collect::<Option<_>>()?,
            count => BTreeMap::from([(UNKNOWN_KIND.to_owned(), number(count)?)]),
        },
        left_out: match member(value, "left_out") {
            Some(AttributeValue::List(names)) => {
                names.iter().map(|name| text(name).map(str::to_owned)).collect::<Option<_>>()?
            }
            _ => Vec::new(),
        },
    };
    let AttributeValue::List(list) = member(value, "sources")? else { return None };
    let sources = list.iter().map(|source| {
        let modified = member(source, "last_modified_ns").and_then(number);
        let version = ObjectVersion {
            length: number(member(source, "length")?)?,
            e_tag: member(source, "e_tag").and_then(text).map(str::to_owned),
            last_modified: modified.and_then(|nanoseconds| {
                SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds))
            }),
        };
        Some(Source { location: text(member(source, "url")?)?.to_owned(), version: Some(version) })
    });
    let sources: Vec<Source> = sources.collect::<Option<_>>()?;
    let places = sources.iter().enumerate().map(|(place, source)| (source.location.clone(), place));
    let places = places.collect();
    // Documents of earlier releases do not have it.
    let arrays = match member(value, "arrays") {
        Some(AttributeValue::Struct(arrays)) => {
            let contents = arrays.iter().map(|(path, value)| {
                let references = number(member(value, "references")?)?;
                let sum = member(value, "inline_crc32").and_then(number);
                let inline_crc32 = sum.and_then(|sum| u32::try_from(sum).ok());
                Some((path.clone(), Contents { references, inline_crc32 }))
            });
            contents.collect::<Option<_>>()?
        }
        _ => BTreeMap::new(),
    };
    Some(Recorded { provenance, sources, places, arrays })
}

fn nanoseconds(time: SystemTime) -> Option<u64> {
    u64::try_from(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos()).ok()
}

fn member<'a>(value: &'a AttributeValue, name: &str) -> Option<&'a AttributeValue> {
    let AttributeValue::Struct(members) = value else { return None };
    members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn text(value: &AttributeValue) -> Option<&str> {
    match value {
        AttributeValue::Text(text) => Some(text),
        _ => None,
    }
}

fn number(value: &AttributeValue) -> Option<u64> {
    match value {
        AttributeValue::Int(number) => u64::try_from(*number).ok(),
        AttributeValue::UInt(number) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::ManifestBuilder;

    #[test]
    fn records_of_earlier_releases_prove_nothing() {
        for (skipped, count) in [("0", 0), ("7", 7), (r#"{"unknown":1,"array":2}"#, 3)] {
            let document = format!(
                r#"{{"version":1,"chunkref":{{"version":"1","options":"","skipped":{skipped},"sources":[]}}}}"#
            );
            let recorded = read_provenance(document.as_bytes()).unwrap();
            assert_eq!(recorded.provenance.skipped_count(), count);
            assert!(!recorded.provenance.is_complete(), "{skipped}");
        }
    }

    #[test]
    fn the_sum_is_of_places_and_bytes() {
        let sum = |chunks: &[(u64, &'static [u8])]| {
            let mut builder = ManifestBuilder::new([3]).unwrap();
            for (place, bytes) in chunks {
                builder.push(&[*place], ChunkRef::Inline(Bytes::from_static(bytes))).unwrap();
            }
            Contents::of(&builder.finish().unwrap()).inline_crc32
        };
        assert_eq!(sum(&[]), None);
        let known = sum(&[(0, b"ab"), (2, b"c")]).unwrap();
        let bytes = [&[0; 8][..], b"ab", &[2, 0, 0, 0, 0, 0, 0, 0], b"c"].concat();
        assert_eq!(known, crc32fast::hash(&bytes));
        assert_ne!(sum(&[(0, b"ab"), (1, b"c")]), Some(known));
        assert_ne!(sum(&[(0, b"aB"), (2, b"c")]), Some(known));
    }

    #[test]
    fn other_documents_record_nothing() {
        for document in [
            "",
            "[]",
            r#"{"version":1,"refs":{}}"#,
            r#"{".zgroup":"x"}"#,
            r#"{"chunkref":7}"#,
            r#"{"version":1,"chunkref":{"version":"1","options":"","skipped":-1,"sources":[]}}"#,
        ] {
            assert_eq!(read_provenance(document.as_bytes()), None, "{document}");
        }
    }
}
