// SPDX-License-Identifier: MIT OR Apache-2.0
//! References as the keys and values of a Zarr store.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use chunkref_model::dataset::join_path;
use chunkref_model::zarr::{v2, v3};
use chunkref_model::{
    Array, AttributeValue, Attributes, ChunkRef, Codec, Dataset, Group, WHOLE_OBJECT,
};

use crate::{Lookup, Open, ReadError};

/// The version of Zarr that keys and documents are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZarrVersion {
    /// `.zgroup`, `.zarray`, `.zattrs`, `.zmetadata`; chunks as `ARRAY/0.1`.
    #[default]
    V2,
    /// `zarr.json`; chunks as `ARRAY/c/0/1`. Documents are JSON to the letter: NaN and infinities in attributes are text.
    V3,
}

/// Which bytes of a value are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// All of them.
    Whole,
    /// Those in a range; what lies behind the end of the value is left out.
    Range(Range<u64>),
    /// Those from a place on.
    From(u64),
    /// So many at the end, or all when there are fewer.
    Last(u64),
}

impl Part {
    /// The place in a value of `length` bytes.
    fn of(&self, length: u64) -> Range<u64> {
        let range = match self {
            Self::Whole => 0..length,
            Self::Range(range) => range.start..range.end.min(length),
            Self::From(start) => *start..length,
            Self::Last(count) => length.saturating_sub(*count)..length,
        };
        range.start.min(range.end)..range.end
    }

    fn cut(&self, bytes: &Bytes) -> Bytes {
        let range = self.of(bytes.len() as u64);
        let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(bytes.len());
        let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
        bytes.slice(start..end)
    }
}

/// A reference set, read as a Zarr store: metadata from memory, chunks from the objects that references name. Where the
/// set says which version of an object it was made of, another one is an error.
pub struct ReferenceStore {
    lookup: Arc<dyn Lookup>,
    objects: Arc<dyn Open>,
    version: ZarrVersion,
    documents: BTreeMap<String, Bytes>,
}

impl Debug for ReferenceStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let documents: Vec<_> = self.documents.keys().collect();
        formatter
            .debug_struct("ReferenceStore")
            .field("version", &self.version)
            .field("documents", &documents)
            .finish_non_exhaustive()
    }
}

/// A chunk, and where its bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkPlace {
    /// Path of the array.
    pub array: String,
    /// Place in the chunk grid.
    pub chunk_indices: Vec<u64>,
    /// URL of the object; `None` for bytes that the references hold.
    pub location: Option<String>,
    /// The first byte in the object; `None` for all of it.
    pub offset: Option<u64>,
    /// How many bytes.
    pub length: Option<u64>,
}

/// What a key names.
enum Named<'a> {
    Document(&'a Bytes),
    Chunk(&'a str, Vec<u64>),
    Nothing,
}

impl ReferenceStore {
    /// The store of `lookup`'s references, whose objects are opened through `objects`.
    ///
    /// # Errors
    /// [`ReadError::References`] when Zarr of that version cannot say an array.
    pub fn new(
        lookup: Arc<dyn Lookup>,
        objects: Arc<dyn Open>,
        version: ZarrVersion,
    ) -> Result<Self, ReadError> {
        let documents = match version {
            ZarrVersion::V2 => documents_v2(lookup.metadata())?,
            ZarrVersion::V3 => documents_v3(lookup.metadata())?,
        };
        Ok(Self { lookup, objects, version, documents })
    }

    /// The references.
    #[must_use]
    pub fn lookup(&self) -> &Arc<dyn Lookup> {
        &self.lookup
    }

    /// The value of a key: a document, or the stored bytes of a chunk; `None` when there is none.
    ///
    /// # Errors
    /// [`ReadError`] when the reference or its object cannot be read, or the object is not of the version that it was.
    pub async fn get(&self, key: &str, part: &Part) -> Result<Option<Bytes>, ReadError> {
        match self.named(key) {
            Named::Document(document) => Ok(Some(part.cut(document))),
            Named::Chunk(path, chunk_indices) => self.chunk(path, &chunk_indices, part).await,
            Named::Nothing => Ok(None),
        }
    }

    /// The stored bytes of a chunk; `None` for one that reads as fill.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn chunk(
        &self,
        path: &str,
        chunk_indices: &[u64],
        part: &Part,
    ) -> Result<Option<Bytes>, ReadError> {
        let (reference, source) = self.lookup.chunk(path, chunk_indices).await?;
        let (offset, length) = match reference {
            ChunkRef::Missing => return Ok(None),
            ChunkRef::Inline(bytes) => return Ok(Some(part.cut(&bytes))),
            ChunkRef::Virtual { offset, length, .. } => (offset, length),
        };
        let source = source.ok_or_else(|| ReadError::NoSource { array: path.to_owned() })?;
        let object = self.objects.open(&source).await?;
        let length = match length {
            WHOLE_OBJECT => object.version().length.saturating_sub(offset),
            length => length,
        };
        let place = part.of(length);
        let range = offset.saturating_add(place.start)..offset.saturating_add(place.end);
        let bytes = object.read_many(std::slice::from_ref(&range)).await?;
        Ok(bytes.into_iter().next())
    }

    /// Where the value of a key is that is a chunk: what errors say of it. `None` for other keys and chunks that read as fill.
    ///
    /// # Errors
    /// [`ReadError::References`] when the reference cannot be read.
    pub async fn place(&self, key: &str) -> Result<Option<ChunkPlace>, ReadError> {
        let Named::Chunk(path, chunk_indices) = self.named(key) else { return Ok(None) };
        let (reference, source) = self.lookup.chunk(path, &chunk_indices).await?;
        let (offset, length) = match reference {
            ChunkRef::Missing => return Ok(None),
            ChunkRef::Inline(_) | ChunkRef::Virtual { length: WHOLE_OBJECT, .. } => (None, None),
            ChunkRef::Virtual { offset, length, .. } => (Some(offset), Some(length)),
        };
        let array = path.to_owned();
        let location = source.map(|source| source.location.clone());
        Ok(Some(ChunkPlace { array, chunk_indices, location, offset, length }))
    }

    /// The length of a key's value in bytes; `None` when there is none.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn size(&self, key: &str) -> Result<Option<u64>, ReadError> {
        let (path, chunk_indices) = match self.named(key) {
            Named::Document(document) => return Ok(Some(document.len() as u64)),
            Named::Chunk(path, chunk_indices) => (path, chunk_indices),
            Named::Nothing => return Ok(None),
        };
        let (reference, source) = self.lookup.chunk(path, &chunk_indices).await?;
        Ok(match (reference, source) {
            (ChunkRef::Inline(bytes), _) => Some(bytes.len() as u64),
            (ChunkRef::Virtual { offset, length: WHOLE_OBJECT, .. }, Some(source)) => {
                let length = self.objects.open(&source).await?.version().length;
                Some(length.saturating_sub(offset))
            }
            (ChunkRef::Virtual { length, .. }, _) => Some(length),
            (ChunkRef::Missing, _) => None,
        })
    }

    /// Whether there is a value, which is not read.
    ///
    /// # Errors
    /// [`ReadError::References`] when the reference cannot be read.
    pub async fn exists(&self, key: &str) -> Result<bool, ReadError> {
        match self.named(key) {
            Named::Document(_) => Ok(true),
            Named::Chunk(path, chunk_indices) => {
                Ok(self.lookup.chunk(path, &chunk_indices).await?.0 != ChunkRef::Missing)
            }
            Named::Nothing => Ok(false),
        }
    }

    /// The keys that begin with `prefix`, which is empty or ends in `/`, in order. The references of the arrays below it
    /// are read for that.
    ///
    /// # Errors
    /// [`ReadError::References`] when they cannot be.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, ReadError> {
        let documents = self.documents.range(prefix.to_owned()..);
        let mut keys: Vec<String> = documents
            .map(|(key, _)| key.clone())
            .take_while(|key| key.starts_with(prefix))
            .collect();
        for (path, _) in self.lookup.metadata().arrays() {
            let folder = self.folder(&path);
            if !(folder.starts_with(prefix) || prefix.starts_with(&folder)) {
                continue;
            }
            self.lookup.array(&path).await?.manifest.visit(&mut |chunk_indices, _| {
                let key = self.chunk_key(&path, chunk_indices);
                if key.starts_with(prefix) {
                    keys.push(key);
                }
            });
        }
        keys.sort_unstable();
        Ok(keys)
    }

    /// The names directly below `prefix`, as [`list`](Self::list) has it: those of keys, and those of folders, which end
    /// in `/`.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn list_folder(&self, prefix: &str) -> Result<Vec<String>, ReadError> {
        let mut names = BTreeSet::new();
        let arrays = self.lookup.metadata().arrays();
        // Of arrays further below, the folder is known without their references.
        let own = arrays.iter().any(|(path, _)| {
            let folder = self.folder(path);
            prefix.starts_with(&folder) || format!("{path}/") == prefix
        });
        let keys = if own {
            self.list(prefix).await?
        } else {
            self.documents.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
        };
        for key in keys {
            let rest = key.get(prefix.len()..).unwrap_or_default();
            names.insert(match rest.split_once('/') {
                Some((folder, _)) => format!("{folder}/"),
                None => rest.to_owned(),
            });
        }
        Ok(names.into_iter().collect())
    }

    /// What every key of an array's chunks begins with.
    fn folder(&self, path: &str) -> String {
        match self.version {
            ZarrVersion::V2 => format!("{path}/"),
            ZarrVersion::V3 => format!("{path}/c"),
        }
    }

    fn chunk_key(&self, path: &str, chunk_indices: &[u64]) -> String {
        let mut key = self.folder(path);
        match self.version {
            ZarrVersion::V2 => v2::push_chunk_key(&mut key, chunk_indices),
            ZarrVersion::V3 => {
                for index in chunk_indices {
                    key.push('/');
                    key.push_str(&index.to_string());
                }
            }
        }
        key
    }

    fn named<'a>(&'a self, key: &'a str) -> Named<'a> {
        if let Some(document) = self.documents.get(key) {
            return Named::Document(document);
        }
        let chunk = match self.version {
            ZarrVersion::V2 => key.rsplit_once('/').and_then(|(path, name)| {
                let rank = self.lookup.metadata().array(path)?.shape.len();
                Some((path, indices(name, '.')?, rank))
            }),
            ZarrVersion::V3 => key.rmatch_indices("/c").find_map(|(place, found)| {
                let path = key.get(..place)?;
                let rank = self.lookup.metadata().array(path)?.shape.len();
                match key.get(place.checked_add(found.len())?..)? {
                    "" => Some((path, Vec::new(), rank)),
                    rest => Some((path, indices(rest.strip_prefix('/')?, '/')?, rank)),
                }
            }),
        };
        match chunk {
            Some((path, found, rank)) if found.len() == rank => Named::Chunk(path, found),
            // The one chunk of an array without axes is "0" in version 2.
            Some((path, found, 0)) if self.version == ZarrVersion::V2 && found == [0] => {
                Named::Chunk(path, Vec::new())
            }
            _ => Named::Nothing,
        }
    }
}

fn indices(text: &str, separator: char) -> Option<Vec<u64>> {
    let number = |digits: &str| {
        let plain = digits == "0" || !digits.starts_with(['0', '+']);
        digits.parse().ok().filter(|_| plain)
    };
    text.split(separator).map(number).collect()
}

fn documents_v2(dataset: &Dataset) -> Result<BTreeMap<String, Bytes>, ReadError> {
    let documents = v2::documents(&dataset.root, dataset.sources().len())
        .map_err(|error| ReadError::References(Box::new(error)))?;
    let all = documents.iter().map(|document| (document.key.as_str(), document.text.as_str()));
    let consolidated = (".zmetadata".to_owned(), Bytes::from(v2::consolidated(all)));
    let documents =
        documents.into_iter().map(|document| (document.key, Bytes::from(document.text)));
    Ok(documents.chain([consolidated]).collect())
}

fn documents_v3(dataset: &Dataset) -> Result<BTreeMap<String, Bytes>, ReadError> {
    let mut documents = BTreeMap::new();
    collect_v3("", &dataset.root, &mut documents)?;
    Ok(documents)
}

fn collect_v3(
    path: &str,
    group: &Group,
    documents: &mut BTreeMap<String, Bytes>,
) -> Result<(), ReadError> {
    let text = v3::group_metadata(&strict(&group.attributes));
    documents.insert(join_path(path, "zarr.json"), text.into());
    for (name, array) in &group.arrays {
        let path = join_path(path, name);
        // The chunks are of no interest here, and are not copied.
        let plain = Array {
            shape: array.shape.clone(),
            dimensions: array.dimensions.clone(),
            dtype: array.dtype.clone(),
            fill_value: array.fill_value.clone(),
            chunk_grid: array.chunk_grid.clone(),
            codecs: array.codecs.iter().filter(|codec| !is_nothing(codec)).cloned().collect(),
            attributes: strict(&array.attributes),
            manifest: chunkref_model::Manifest::empty(array.manifest.grid_shape()),
        };
        let text = v3::array_metadata(&plain).map_err(|error| ReadError::NoDocument {
            array: path.clone(),
            source: Box::new(error),
        })?;
        documents.insert(join_path(&path, "zarr.json"), text.into());
    }
    for (name, group) in &group.groups {
        collect_v3(&join_path(path, name), group, documents)?;
    }
    Ok(())
}

/// A codec that tells version 2's readers a type, and does nothing.
fn is_nothing(codec: &Codec) -> bool {
    let dtype = |name| codec.configuration().get(name);
    codec.name() == "astype" && dtype("encode_dtype") == dtype("decode_dtype")
}

/// Attributes that JSON can say: numbers that it has no form for are text.
fn strict(attributes: &Attributes) -> Attributes {
    attributes.iter().map(|(name, value)| (name.to_owned(), strict_value(value))).collect()
}

fn strict_value(value: &AttributeValue) -> AttributeValue {
    match value {
        AttributeValue::Float(number) if number.is_nan() => AttributeValue::Text("NaN".to_owned()),
        AttributeValue::Float(number) if number.is_infinite() => {
            let text = if *number > 0.0 { "Infinity" } else { "-Infinity" };
            AttributeValue::Text(text.to_owned())
        }
        AttributeValue::List(values) => {
            AttributeValue::List(values.iter().map(strict_value).collect())
        }
        AttributeValue::Struct(members) => {
            let strict =
                |(name, value): &(String, AttributeValue)| (name.clone(), strict_value(value));
            AttributeValue::Struct(members.iter().map(strict).collect())
        }
        other => other.clone(),
    }
}
