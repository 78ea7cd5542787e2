// SPDX-License-Identifier: MIT OR Apache-2.0
//! References as they stream by, in columns, before it is known which array they belong to.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use chunkref_model::dataset::join_path;
use chunkref_model::json::writer;
use chunkref_model::zarr::v2::{Documents, split_chunk_key};
use chunkref_model::zarr::{ZarrError, decode_base64};
use chunkref_model::{AttributeValue, JsonError, WHOLE_OBJECT};

use super::{ReadError, ReadLimits};

/// In the column of URLs: the bytes are in the document.
pub(super) const INLINE: u32 = u32::MAX;

/// The chunks below one path whose keys have the same form.
#[derive(Debug)]
pub(super) struct Columns {
    /// The key up to its last run of numbers.
    pub(super) path: String,
    /// Numbers per key.
    pub(super) axes: usize,
    /// Whether dots stand between the numbers.
    pub(super) dotted: bool,
    /// The numbers, `axes` for each row.
    pub(super) indices: Vec<u64>,
    pub(super) urls: Vec<u32>,
    pub(super) offsets: Vec<u64>,
    pub(super) lengths: Vec<u64>,
    /// The bytes of all inline chunks.
    pub(super) inline: Vec<u8>,
}

impl Columns {
    /// The key of a row.
    pub(super) fn key(&self, indices: &[u64]) -> String {
        key_of(&self.path, self.dotted, indices)
    }
}

/// The key of a chunk.
pub(super) fn key_of(path: &str, dotted: bool, indices: &[u64]) -> String {
    let numbers: Vec<String> = indices.iter().map(u64::to_string).collect();
    join_path(path, &numbers.join(if dotted { "." } else { "/" }))
}

/// Everything that a document says.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) columns: Vec<Columns>,
    /// Distinct URLs as they are in the document, in order of first appearance.
    pub(super) urls: Vec<String>,
    /// Metadata documents by key.
    pub(super) documents: Documents,
    /// For URLs that may be templates, the key of the first reference that has it.
    pub(super) first_keys: BTreeMap<u32, String>,
    column_places: HashMap<(String, usize, bool), usize>,
    /// Places of URLs by hash, so that their text is kept once.
    url_places: HashMap<u64, u32>,
    last_column: usize,
    last_url: u32,
    indices: Vec<u64>,
    references: u64,
    most_references: u64,
}

/// Makes of a URL and its place the text that stands for it, where it is another one.
pub(super) type Replace<'a> = &'a mut dyn FnMut(u32, &str) -> Result<Option<String>, ReadError>;

/// Makes a value of the text of a metadata document.
pub(super) type Parse<'a> = &'a mut dyn FnMut(&str) -> Result<AttributeValue, JsonError>;

impl Collected {
    pub(super) fn new(limits: &ReadLimits) -> Self {
        Self { most_references: limits.set_references, ..Self::default() }
    }

    /// Adds an inline value: text as it is, or base64; a metadata document is parsed with `parse`.
    pub(super) fn add_text(
        &mut self,
        key: &str,
        text: &str,
        parse: Parse<'_>,
    ) -> Result<(), ReadError> {
        let decoded;
        let bytes = match text.strip_prefix("base64:") {
            Some(encoded) => {
                decoded = decode_base64(encoded)
                    .ok_or_else(|| bad_reference(key, "the value is not base64"))?;
                decoded.as_slice()
            }
            None => text.as_bytes(),
        };
        if !Documents::is_key(key) {
            return self.add_inline(key, bytes);
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|_| bad_reference(key, "the metadata document is not UTF-8 text"))?;
        let document = parse(text).map_err(|error| ReadError::Document {
            key: key.to_owned(),
            source: ZarrError::Json(error),
        })?;
        Ok(self.documents.add(key, document)?)
    }

    /// Adds a value that is a JSON object: a document, or a chunk whose bytes are the object's text.
    pub(super) fn add_object(&mut self, key: &str, value: AttributeValue) -> Result<(), ReadError> {
        if Documents::is_key(key) {
            return Ok(self.documents.add(key, value)?);
        }
        let mut text = String::new();
        writer::push_value(&mut text, &value);
        self.add_inline(key, text.as_bytes())
    }

    /// Adds a reference; without a `range` of offset and length it is to the whole object.
    pub(super) fn add_virtual(
        &mut self,
        key: &str,
        url: &str,
        range: Option<(u64, u64)>,
    ) -> Result<(), ReadError> {
        if Documents::is_key(key) {
            return Err(bad_reference(
                key,
                "a metadata document must be in the references themselves",
            ));
        }
        let (offset, length) = range.unwrap_or((0, WHOLE_OBJECT));
        if range.is_some() && offset.checked_add(length).is_none() {
            return Err(bad_reference(key, "offset and length go beyond 64 bits"));
        }
        let known = self.urls.len();
        let place = self.intern(url)?;
        if self.urls.len() > known && url.contains("{{") {
            self.first_keys.insert(place, key.to_owned());
        }
        self.add_row(key, place, offset, length)?;
        Ok(())
    }

    /// Puts other texts in the place of URLs.
    pub(super) fn replace_urls(&mut self, replace: Replace<'_>) -> Result<(), ReadError> {
        self.url_places.clear();
        self.last_url = u32::MAX;
        for (place, url) in (0..).zip(&mut self.urls) {
            if let Some(other) = replace(place, url)? {
                *url = other;
            }
            self.url_places.entry(hash_of(url)).or_insert(place);
        }
        Ok(())
    }

    fn add_inline(&mut self, key: &str, bytes: &[u8]) -> Result<(), ReadError> {
        let column = self.add_row(key, INLINE, 0, bytes.len() as u64)?;
        if let Some(columns) = self.columns.get_mut(column) {
            if let Some(offset) = columns.offsets.last_mut() {
                *offset = columns.inline.len() as u64;
            }
            columns.inline.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn add_row(
        &mut self,
        key: &str,
        url: u32,
        offset: u64,
        length: u64,
    ) -> Result<usize, ReadError> {
        if self.references >= self.most_references {
            return Err(ReadError::LimitExceeded {
                what: "references",
                name: "set_references",
                limit: self.most_references,
            });
        }
        self.references = self.references.saturating_add(1);
        let (path, dotted) =
            split_chunk_key(key, &mut self.indices).ok_or_else(|| ReadError::BadKey {
                key: key.to_owned(),
                reason: "neither a Zarr v2 document nor a chunk",
            })?;
        let axes = self.indices.len();
        let fits = |columns: &Columns| {
            columns.axes == axes && columns.dotted == dotted && columns.path == path
        };
        if !self.columns.get(self.last_column).is_some_and(fits) {
            let next = self.columns.len();
            self.last_column =
                *self.column_places.entry((path.to_owned(), axes, dotted)).or_insert(next);
            if self.last_column == next {
                self.columns.push(Columns {
                    path: path.to_owned(),
                    axes,
                    dotted,
                    indices: Vec::new(),
                    urls: Vec::new(),
                    offsets: Vec::new(),
                    lengths: Vec::new(),
                    inline: Vec::new(),
                });
            }
        }
        if let Some(columns) = self.columns.get_mut(self.last_column) {
            columns.indices.extend_from_slice(&self.indices);
            columns.urls.push(url);
            columns.offsets.push(offset);
            columns.lengths.push(length);
        }
        Ok(self.last_column)
    }

    /// The number of a URL; the one before is the likeliest.
    fn intern(&mut self, url: &str) -> Result<u32, ReadError> {
        let is = |place: u32| {
            let known = usize::try_from(place).ok().and_then(|place| self.urls.get(place));
            known.is_some_and(|known| known == url)
        };
        if is(self.last_url) {
            return Ok(self.last_url);
        }
        let next = u32::try_from(self.urls.len()).unwrap_or(u32::MAX);
        let hash = hash_of(url);
        let found = match self.url_places.get(&hash) {
            Some(&place) if is(place) => Some(place),
            // Another URL has the same hash.
            Some(_) => (0..next).find(|&place| is(place)),
            None => None,
        };
        self.last_url = if let Some(place) = found {
            place
        } else {
            let limit = u64::from(INLINE).saturating_sub(2);
            if u64::from(next) >= limit {
                let (what, name) = ("distinct URLs", "of 32 bits");
                return Err(ReadError::LimitExceeded { what, name, limit });
            }
            self.urls.push(url.to_owned());
            self.url_places.entry(hash).or_insert(next);
            next
        };
        Ok(self.last_url)
    }
}

/// With fixed keys, so that equal tables have equal places.
fn hash_of(url: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    hasher.finish()
}

pub(super) fn bad_reference(key: &str, reason: &'static str) -> ReadError {
    ReadError::BadReference { key: key.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_share_columns_and_urls() {
        let mut collected = Collected::new(&ReadLimits::default());
        collected.add_virtual("a/0.0", "u", Some((1, 2))).unwrap();
        collected.add_virtual("b/0", "v", None).unwrap();
        collected.add_virtual("a/0.1", "u", Some((3, 4))).unwrap();
        collected
            .add_text("a/1.0", "base64:AAE", &mut chunkref_model::json::reader::parse)
            .unwrap();
        assert_eq!(collected.urls, ["u", "v"]);
        assert_eq!(collected.columns.len(), 2);
        let columns = &collected.columns[0];
        assert_eq!(
            (columns.urls.as_slice(), columns.inline.as_slice()),
            (&[0, 0, INLINE][..], &[0, 1][..])
        );
        assert_eq!(columns.indices, [0, 0, 0, 1, 1, 0]);
        assert_eq!(columns.key(&[0, 1]), "a/0.1");
    }
}
