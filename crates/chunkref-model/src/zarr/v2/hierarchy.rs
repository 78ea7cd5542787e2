// SPDX-License-Identifier: MIT OR Apache-2.0
//! Groups and arrays of the documents of a hierarchy: what its `.zarray`, `.zattrs` and `.zgroup` say together.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use thiserror::Error;

use super::{ARRAY_DIMENSIONS, ArrayMetadata, array_metadata_of, attributes_of, split_chunk_key};
use crate::dataset::{join_path, unnamed_dimension};
use crate::json::writer::excerpt;
use crate::zarr::ZarrError;
use crate::{Array, AttributeValue, Attributes, ChunkRef, Dataset, ManifestBuilder, ManifestError};

/// The names of metadata documents.
const DOCUMENTS: [&str; 4] = [".zarray", ".zattrs", ".zgroup", ".zmetadata"];

/// Groups in one another that are read.
const MAX_DEPTH: usize = 128;

/// Why documents make no hierarchy. Every variant names the key at fault where there is one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HierarchyError {
    /// A key that no document can have.
    #[error("key {key:?}: {reason}")]
    BadKey {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A key that appears twice.
    #[error("key {key:?} appears twice")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// An array that is described in two ways.
    #[error(
        "key {key:?}: .zmetadata says otherwise, which some readers go by and others do not: correct it, or remove .zmetadata"
    )]
    Contradiction {
        /// The key of the document.
        key: String,
    },
    /// A document that the model cannot describe.
    #[error("key {key:?}: the metadata is not usable")]
    Document {
        /// The key of the document.
        key: String,
        /// The reason.
        source: ZarrError,
    },
    /// References that do not make an array.
    #[error("the references of array {path:?} do not fit together")]
    Array {
        /// The array.
        path: String,
        /// The reason.
        source: ManifestError,
    },
    /// A reference to a chunk of no array.
    #[error("key {key:?} is that of no chunk: there is no array with a place of that form")]
    NoArray {
        /// The key.
        key: String,
    },
    /// A reference to a chunk that the array has not, or has already.
    #[error("key {key:?}: the chunk does not fit")]
    Chunk {
        /// The key.
        key: String,
        /// The reason.
        source: ManifestError,
    },
    /// More groups and arrays than are read.
    #[error("groups and arrays: more than the limit objects={limit} allows")]
    TooManyObjects {
        /// How many are read.
        limit: u64,
    },
}

/// Documents by key.
#[derive(Debug, Default)]
pub struct Documents(BTreeMap<String, AttributeValue>);

impl Documents {
    /// Whether a key is that of a document.
    #[must_use]
    pub fn is_key(key: &str) -> bool {
        let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
        DOCUMENTS.contains(&name)
    }

    /// Adds a document.
    ///
    /// # Errors
    /// [`HierarchyError::BadKey`] when the key is that of none, [`HierarchyError::DuplicateKey`] when there is one of that
    /// key.
    pub fn add(&mut self, key: &str, document: AttributeValue) -> Result<(), HierarchyError> {
        if !Self::is_key(key) {
            let (key, reason) = (key.chars().take(200).collect(), "not a Zarr v2 document");
            return Err(HierarchyError::BadKey { key, reason });
        }
        if self.0.insert(key.to_owned(), document).is_some() {
            return Err(HierarchyError::DuplicateKey { key: key.to_owned() });
        }
        Ok(())
    }

    /// The document of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&AttributeValue> {
        self.0.get(key)
    }

    /// Takes from `.zmetadata` the documents that are not there by themselves.
    fn add_consolidated(&mut self) -> Result<(), HierarchyError> {
        let key = ".zmetadata";
        let Some(AttributeValue::Struct(members)) = self.0.remove(key) else {
            return Ok(());
        };
        let Some((_, AttributeValue::Struct(documents))) =
            members.into_iter().find(|(name, _)| name == "metadata")
        else {
            let source = ZarrError::MissingMember { member: "metadata" };
            return Err(HierarchyError::Document { key: key.to_owned(), source });
        };
        for (name, document) in documents {
            match self.0.entry(name) {
                Entry::Vacant(place) => drop(place.insert(document)),
                Entry::Occupied(own) => {
                    let (name, own) = (own.key(), own.get());
                    if name.rsplit('/').next() == Some(".zarray") && !same_document(own, &document)
                    {
                        return Err(HierarchyError::Contradiction { key: name.clone() });
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether two documents say the same, in whatever order.
fn same_document(one: &AttributeValue, other: &AttributeValue) -> bool {
    match (one, other) {
        (AttributeValue::Struct(one), AttributeValue::Struct(other)) => {
            let by_name = |members: &[(String, AttributeValue)]| -> BTreeMap<_, _> {
                members.iter().cloned().collect()
            };
            let (one, other) = (by_name(one), by_name(other));
            let pairs = one.iter().zip(&other);
            one.len() == other.len()
                && pairs
                    .into_iter()
                    .all(|((name, value), (key, other))| name == key && same_document(value, other))
        }
        (AttributeValue::List(one), AttributeValue::List(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|(one, other)| same_document(one, other))
        }
        _ => one == other,
    }
}

/// An array whose references are still being given to it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Draft {
    /// What its document says.
    pub metadata: ArrayMetadata,
    /// Its references so far.
    pub manifest: ManifestBuilder,
}

/// Groups and arrays whose references are still being given to them: a dataset made of documents and of references by key,
/// as [`documents`](super::documents) and [`push_chunk_key`](super::push_chunk_key) write them.
///
/// ```
/// use chunkref_model::json::reader::parse;
/// use chunkref_model::zarr::v2::{Documents, Hierarchy};
/// use chunkref_model::{ChunkRef, Dataset, Source};
///
/// let mut documents = Documents::default();
/// documents.add(".zgroup", parse(r#"{"zarr_format":2}"#)?)?;
/// let array = r#"{"zarr_format":2,"shape":[4],"chunks":[2],"dtype":"<i2","order":"C",
///     "fill_value":null,"compressor":null,"filters":null}"#;
/// documents.add("sst/.zarray", parse(array)?)?;
///
/// let mut dataset = Dataset::new();
/// let source = Source { location: "s3://bucket/a.nc".to_owned(), version: None };
/// let source = dataset.add_source(source);
/// // At most so many groups and arrays.
/// let mut hierarchy = Hierarchy::new(documents, 1000)?;
/// hierarchy.push("sst/1", ChunkRef::Virtual { source, offset: 800, length: 4 })?;
/// let error = hierarchy.push("sst/0.1", ChunkRef::Missing).unwrap_err();
/// assert!(error.to_string().contains("sst/0.1"));
/// let dataset = hierarchy.finish(dataset)?;
/// assert_eq!(dataset.array("sst").unwrap().manifest.present(), 1);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Hierarchy {
    documents: BTreeMap<String, AttributeValue>,
    arrays: BTreeMap<String, Draft>,
}

impl Hierarchy {
    /// The groups and arrays of documents, no more than `objects`. Documents that are not there by themselves are taken from
    /// `.zmetadata`.
    ///
    /// # Errors
    /// [`HierarchyError`] when an array's document is none, or its key cannot be.
    pub fn new(mut documents: Documents, objects: u64) -> Result<Self, HierarchyError> {
        documents.add_consolidated()?;
        let Documents(documents) = documents;
        check_objects(&documents, objects)?;
        let mut arrays = BTreeMap::new();
        for (key, document) in &documents {
            let (path, name) = key.rsplit_once('/').unwrap_or(("", key));
            check_path(key, path)?;
            if name == ".zarray" {
                arrays.insert(path.to_owned(), draft(key, path, document)?);
            }
        }
        Ok(Self { documents, arrays })
    }

    /// The arrays by path, to be given their references.
    pub fn arrays_mut(&mut self) -> &mut BTreeMap<String, Draft> {
        &mut self.arrays
    }

    /// Gives a chunk its reference, by the key of the chunk: `path/1.2`, `path/1/2` where that is what the array's document
    /// says, and `path/0` for the chunk of an array without axes.
    ///
    /// # Errors
    /// [`HierarchyError::NoArray`] when the key is that of no chunk, [`HierarchyError::Chunk`] when it lies outside the grid
    /// or has a reference.
    pub fn push(&mut self, key: &str, reference: ChunkRef) -> Result<(), HierarchyError> {
        let mut indices = Vec::new();
        let found = split_chunk_key(key, &mut indices);
        let found = found.and_then(|(path, dotted)| self.place(path, &indices, dotted));
        let (draft, place) =
            found.ok_or_else(|| HierarchyError::NoArray { key: key.to_owned() })?;
        let pushed = draft.manifest.push(place, reference);
        pushed.map_err(|source| HierarchyError::Chunk { key: key.to_owned(), source })
    }

    /// The array that a key belongs to, and the place of its chunk in the grid. The key is taken apart as
    /// [`split_chunk_key`] does it, into its path and its numbers, with dots between them or slashes; numbers behind slashes
    /// may be names of groups and arrays, not only places.
    pub fn place<'b>(
        &mut self,
        path: &str,
        indices: &'b [u64],
        dotted: bool,
    ) -> Option<(&mut Draft, &'b [u64])> {
        let fits = |draft: &Draft, indices: &[u64]| match draft.metadata.shape.len() {
            0 => indices == [0],
            1 => indices.len() == 1,
            axes => indices.len() == axes && dotted == (draft.metadata.dimension_separator == '.'),
        };
        let (mut path, mut rest) = (path.to_owned(), indices);
        while !self.arrays.get(&path).is_some_and(|draft| fits(draft, rest)) {
            let (name, behind) = rest.split_first().filter(|_| !dotted)?;
            path = join_path(&path, &name.to_string());
            rest = behind;
        }
        let draft = self.arrays.get_mut(&path)?;
        // The one chunk of an array without axes has the key `0`.
        let place = if draft.metadata.shape.is_empty() { &[] } else { rest };
        Some((draft, place))
    }

    /// Puts the groups and arrays into a dataset that has their sources.
    ///
    /// # Errors
    /// [`HierarchyError`] when documents contradict each other, or references do not make an array.
    pub fn finish(self, mut dataset: Dataset) -> Result<Dataset, HierarchyError> {
        let Self { documents, arrays } = self;
        let mut attributes = BTreeMap::new();
        for (key, document) in documents {
            let (path, name) = key.rsplit_once('/').unwrap_or(("", &key));
            check_ancestors(&key, path, &arrays)?;
            match name {
                ".zattrs" => {
                    let parsed = attributes_of(document)
                        .map_err(|source| HierarchyError::Document { key: key.clone(), source })?;
                    if arrays.contains_key(path) {
                        attributes.insert(path.to_owned(), parsed);
                    } else {
                        dataset.group_mut(path).attributes = parsed;
                    }
                }
                ".zgroup" => {
                    check_group(&key, path, document, &arrays)?;
                    dataset.group_mut(path);
                }
                _ => {}
            }
        }
        for (path, draft) in arrays {
            let array = finish(&path, draft, attributes.remove(&path).unwrap_or_default())?;
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
            dataset.group_mut(parent).arrays.insert(name.to_owned(), array);
        }
        dataset.define_dimensions();
        Ok(dataset)
    }
}

/// Groups and arrays are counted before any is made: a long path makes many.
fn check_objects(
    documents: &BTreeMap<String, AttributeValue>,
    limit: u64,
) -> Result<(), HierarchyError> {
    let (mut count, mut last) = (0_u64, "");
    for key in documents.keys() {
        let path = key.rsplit_once('/').map_or("", |(path, _)| path);
        let (names, before) = (path.split('/'), last.split('/'));
        let shared = names.clone().zip(before).take_while(|(a, b)| a == b).count();
        count = count.saturating_add(names.count().saturating_sub(shared) as u64);
        last = path;
    }
    if count > limit {
        return Err(HierarchyError::TooManyObjects { limit });
    }
    Ok(())
}

fn check_path(key: &str, path: &str) -> Result<(), HierarchyError> {
    let bad = |reason| Err(HierarchyError::BadKey { key: key.chars().take(200).collect(), reason });
    if path.split('/').count() > MAX_DEPTH {
        return bad("more groups in one another than are read");
    }
    if key.starts_with('/') || (!path.is_empty() && path.split('/').any(str::is_empty)) {
        return bad("a group or array with an empty name");
    }
    if path.split('/').any(|name| name == "." || name == "..") {
        return bad("a group or array whose name means a directory");
    }
    Ok(())
}

/// No array may hold groups or arrays.
fn check_ancestors(
    key: &str,
    path: &str,
    arrays: &BTreeMap<String, Draft>,
) -> Result<(), HierarchyError> {
    let mut ancestor = path;
    while let Some((parent, _)) = ancestor.rsplit_once('/') {
        if arrays.contains_key(parent) {
            return Err(HierarchyError::BadKey {
                key: key.to_owned(),
                reason: "lies below an array",
            });
        }
        ancestor = parent;
    }
    Ok(())
}

fn check_group(
    key: &str,
    path: &str,
    document: AttributeValue,
    arrays: &BTreeMap<String, Draft>,
) -> Result<(), HierarchyError> {
    if arrays.contains_key(path) {
        return Err(HierarchyError::BadKey {
            key: key.to_owned(),
            reason: "is a group and an array",
        });
    }
    let wrap = |source| HierarchyError::Document { key: key.to_owned(), source };
    let members = attributes_of(document).map_err(wrap)?;
    match members.get("zarr_format") {
        Some(AttributeValue::Int(2)) => Ok(()),
        Some(found) => {
            let found = excerpt(found);
            Err(wrap(ZarrError::BadMember { member: "zarr_format", expected: "2", found }))
        }
        None => Err(wrap(ZarrError::MissingMember { member: "zarr_format" })),
    }
}

fn draft(key: &str, path: &str, document: &AttributeValue) -> Result<Draft, HierarchyError> {
    if path.is_empty() {
        return Err(HierarchyError::BadKey {
            key: key.to_owned(),
            reason: "the root is an array, not a group",
        });
    }
    let metadata = array_metadata_of(document)
        .map_err(|source| HierarchyError::Document { key: key.to_owned(), source })?;
    let manifest = ManifestBuilder::new(metadata.chunk_grid.grid_shape(&metadata.shape))
        .map_err(|source| HierarchyError::Array { path: path.to_owned(), source })?;
    Ok(Draft { metadata, manifest })
}

fn finish(path: &str, draft: Draft, mut attributes: Attributes) -> Result<Array, HierarchyError> {
    let manifest = draft
        .manifest
        .finish()
        .map_err(|source| HierarchyError::Array { path: path.to_owned(), source })?;
    let metadata = draft.metadata;
    let axes = metadata.shape.len();
    let wrap = |source| HierarchyError::Document { key: join_path(path, ".zattrs"), source };
    let dimensions = if let Some(value) = attributes.remove(ARRAY_DIMENSIONS) {
        names_of(value).map_err(wrap)?
    } else {
        (0..axes).map(|axis| unnamed_dimension(path, axis)).collect()
    };
    if dimensions.len() != axes {
        return Err(wrap(ZarrError::Inconsistent {
            what: "dimension names",
            count: dimensions.len(),
            axes,
        }));
    }
    Ok(Array {
        shape: metadata.shape,
        dimensions,
        dtype: metadata.dtype,
        fill_value: metadata.fill_value,
        chunk_grid: metadata.chunk_grid,
        codecs: metadata.codecs,
        attributes,
        manifest,
    })
}

fn names_of(value: AttributeValue) -> Result<Vec<String>, ZarrError> {
    let bad = |found: &AttributeValue| ZarrError::BadMember {
        member: ARRAY_DIMENSIONS,
        expected: "a list of names",
        found: excerpt(found),
    };
    let AttributeValue::List(names) = value else { return Err(bad(&value)) };
    let names = names.into_iter().map(|name| match name {
        AttributeValue::Text(name) => Ok(name),
        other => Err(bad(&other)),
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::reader::parse;
    use crate::zarr::v2::push_chunk_key;

    fn hierarchy(arrays: &[(&str, &str)]) -> Hierarchy {
        let mut documents = Documents::default();
        for (path, shape) in arrays {
            let text = format!(
                r#"{{"zarr_format":2,"shape":{shape},"chunks":{shape},"dtype":"|u1","order":"C","fill_value":0,
                "compressor":null,"filters":null,"dimension_separator":"{}"}}"#,
                if path.contains("slashed") { "/" } else { "." }
            );
            documents.add(&format!("{path}/.zarray"), parse(&text).unwrap()).unwrap();
        }
        Hierarchy::new(documents, 100).unwrap()
    }

    #[test]
    fn keys_find_their_arrays() {
        let one = ChunkRef::Inline(b"x"[..].into());
        let mut all = hierarchy(&[
            ("a", "[1,1]"),
            ("slashed", "[1,1]"),
            ("g/0/1", "[1]"),
            ("scalar", "[]"),
            ("7", "[]"),
        ]);
        let mut key = "a/".to_owned();
        push_chunk_key(&mut key, &[0, 0]);
        for key in [key.as_str(), "slashed/0/0", "g/0/1/0", "scalar/0", "7/0"] {
            all.push(key, one.clone()).unwrap();
        }
        for key in
            ["a/0/0", "slashed/0.0", "g/0/2/0", "scalar/1", "scalar", "b/0", "a/0.0.0", "a/x"]
        {
            let error = all.push(key, one.clone()).unwrap_err();
            assert!(matches!(error, HierarchyError::NoArray { .. }), "{key}: {error}");
        }
        let outside = all.push("a/0.1", one.clone()).unwrap_err();
        assert!(matches!(outside, HierarchyError::Chunk { .. }), "{outside}");
        let dataset = all.finish(Dataset::new()).unwrap();
        assert!(dataset.arrays().iter().all(|(_, array)| array.manifest.present() == 1));
    }
}
