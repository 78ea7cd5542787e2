// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a dataset is, whatever keeps it: what a reader must find of what was written.

use std::collections::{BTreeMap, BTreeSet};

use chunkref_model::dataset::join_path;
use chunkref_model::{Array, Attributes, ChunkRef, Codec, Dataset, Dimension, Group, SourceId};

/// A reference with the location of its source.
pub(super) type Chunk = (ChunkRef, Option<String>);

/// What is stated of a group or array, in words, by what it is.
type Stated = BTreeMap<&'static str, String>;

/// Groups and arrays with all that is stated of them, and every chunk of every grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Described {
    groups: BTreeMap<String, Stated>,
    arrays: BTreeMap<String, Stated>,
    chunks: BTreeMap<String, Vec<(Vec<u64>, Chunk)>>,
}

impl Described {
    /// All of a dataset.
    pub(super) fn new(dataset: &Dataset) -> Self {
        let of_array = |array: &Array| chunks(dataset, array);
        let chunks = dataset.arrays().into_iter().map(|(path, array)| (path, of_array(array)));
        Self { chunks: chunks.collect(), ..Self::without_chunks(dataset) }
    }

    /// The same without the references.
    pub(super) fn without_chunks(dataset: &Dataset) -> Self {
        let mut groups = BTreeMap::new();
        dataset
            .visit_groups(&mut |path, group| drop(groups.insert(path.to_owned(), stated(group))));
        let arrays = dataset.arrays().into_iter().map(|(path, array)| (path, stated_of(array)));
        Self { groups, arrays: arrays.collect(), chunks: BTreeMap::new() }
    }

    /// What was written of this, as it has to be read: each group has the dimensions of its arrays, as
    /// [`Dataset::define_dimensions`] gives them.
    pub(super) fn expected(dataset: &Dataset) -> Self {
        let mut defined = dataset.clone();
        defined.define_dimensions();
        Self::new(&defined)
    }

    /// The chunks of each array.
    pub(super) fn chunks(&self) -> &BTreeMap<String, Vec<(Vec<u64>, Chunk)>> {
        &self.chunks
    }

    /// The first thing that `found` has otherwise, or has not. References are compared where `found` has them.
    pub(super) fn difference(&self, found: &Self) -> Option<String> {
        let groups = difference("group", &self.groups, &found.groups);
        groups.or_else(|| difference("array", &self.arrays, &found.arrays)).or_else(|| {
            let both = self.chunks.iter().filter(|_| !found.chunks.is_empty());
            both.into_iter().find_map(|(path, chunks)| {
                let read = found.chunks.get(path)?;
                let pairs = chunks.iter().zip(read).find(|(one, other)| one != other);
                let odd = (chunks.len() != read.len()).then(|| {
                    format!("array {path:?}: {} chunks, not {}", read.len(), chunks.len())
                });
                odd.or_else(|| {
                    pairs.map(|((indices, wanted), (_, read))| {
                        format!("array {path:?}, chunk {indices:?}: {read:?}, not {wanted:?}")
                    })
                })
            })
        })
    }

    /// One array of it, as it must be when it is read alone.
    pub(super) fn difference_of_array(&self, path: &str, found: &Self) -> Option<String> {
        let alone = |all: &Self| Self {
            groups: BTreeMap::new(),
            arrays: all.arrays.iter().filter(|(name, _)| *name == path).map(own).collect(),
            chunks: all.chunks.iter().filter(|(name, _)| *name == path).map(own).collect(),
        };
        alone(self).difference(&alone(found))
    }
}

fn own<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}

fn difference(
    kind: &str,
    expected: &BTreeMap<String, Stated>,
    found: &BTreeMap<String, Stated>,
) -> Option<String> {
    let paths: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    paths.into_iter().find_map(|path| match (expected.get(path), found.get(path)) {
        (Some(_), None) => Some(format!("{kind} {path:?} is not there")),
        (None, Some(_)) => Some(format!("{kind} {path:?} is there, and nobody wrote it")),
        (Some(one), Some(other)) => one.iter().find_map(|(what, wanted)| {
            let read = other.get(what).map(String::as_str).unwrap_or_default();
            (read != wanted).then(|| format!("{kind} {path:?}: {what} {read}, not {wanted}"))
        }),
        (None, None) => None,
    })
}

/// What is stated of a group. Whether a dimension is unlimited is not: Zarr does not say it.
fn stated(group: &Group) -> Stated {
    let lengths = |dimension: &Dimension| (dimension.name.clone(), dimension.length);
    let dimensions: BTreeMap<_, _> = group.dimensions.iter().map(lengths).collect();
    Stated::from([
        ("attributes", attributes(&group.attributes)),
        ("dimensions", format!("{dimensions:?}")),
    ])
}

fn stated_of(array: &Array) -> Stated {
    Stated::from([
        ("shape", format!("{:?}", array.shape)),
        ("dimensions", format!("{:?}", array.dimensions)),
        ("type", format!("{:?}", array.dtype)),
        ("fill value", format!("{:?}", array.fill_value)),
        ("chunk shape", format!("{:?}", array.chunk_grid.chunk_shape())),
        ("codecs", array.codecs.iter().map(codec).collect::<Vec<_>>().join(" + ")),
        ("attributes", attributes(&array.attributes)),
    ])
}

/// Its name and settings, in the order of their names.
fn codec(codec: &Codec) -> String {
    let settings: BTreeMap<_, _> = codec.configuration().iter().collect();
    format!("{} {settings:?}", codec.name())
}

/// In the order of their names: a format may keep them in another one. A whole number is the same of either sign's type.
fn attributes(attributes: &Attributes) -> String {
    let mut pairs: Vec<_> = attributes.iter().collect();
    pairs.sort_by_key(|(name, _)| *name);
    format!("{pairs:?}").replace("UInt(", "Int(")
}

fn chunks(dataset: &Dataset, array: &Array) -> Vec<(Vec<u64>, Chunk)> {
    let count = array.manifest.count().unwrap_or_default();
    let chunks = (0..count).map(|number| {
        let indices = array.manifest.chunk_indices(number);
        let reference = array.manifest.get(&indices);
        let source = match reference {
            ChunkRef::Virtual { source, .. } => dataset.source(source),
            _ => None,
        };
        let location = source.map(|source| source.location.clone());
        (indices, plain(reference, location))
    });
    chunks.collect()
}

/// A chunk whose source is its location: numbers of sources are of one dataset.
pub(super) fn plain(reference: ChunkRef, location: Option<String>) -> Chunk {
    match reference {
        ChunkRef::Virtual { offset, length, .. } => {
            (ChunkRef::Virtual { source: SourceId(0), offset, length }, location)
        }
        other => (other, None),
    }
}

/// What samples have to have between them, and these have not: what no sample has, no suite sees lost.
pub(super) fn lacking(samples: &[Dataset]) -> Option<&'static str> {
    let arrays: Vec<&Array> = samples
        .iter()
        .flat_map(|sample| sample.arrays().into_iter().map(|(_, array)| array))
        .collect();
    let mut groups: Vec<(String, &Group)> = Vec::new();
    for sample in samples {
        sample.visit_groups(&mut |path, group| groups.push((join_path("", path), group)));
    }
    let any = |has: fn(&Array) -> bool| arrays.iter().any(|array| has(array));
    let has_group =
        |has: fn(&Group) -> bool| groups.iter().any(|(path, group)| !path.is_empty() && has(group));
    let in_grid = |array: &Array, wanted: fn(&ChunkRef) -> bool| {
        chunks(&Dataset::new(), array).iter().any(|(_, (reference, _))| wanted(reference))
    };
    let chunk = |wanted: fn(&ChunkRef) -> bool| arrays.iter().any(|array| in_grid(array, wanted));
    let wanted = [
        ("a chunk that is missing", chunk(|chunk| matches!(chunk, ChunkRef::Missing))),
        ("a virtual chunk", chunk(|chunk| matches!(chunk, ChunkRef::Virtual { .. }))),
        ("an array with attributes", any(|array| !array.attributes.is_empty())),
        ("an array with codecs", any(|array| !array.codecs.is_empty())),
        ("an array with a fill value", any(|array| array.fill_value.is_some())),
        ("an array without axes", any(|array| array.shape.is_empty())),
        ("an array that its chunks do not divide", any(uneven)),
        ("a group with attributes", has_group(|group| !group.attributes.is_empty())),
        (
            "a group with nothing in it",
            has_group(|group| group.arrays.is_empty() && group.groups.is_empty()),
        ),
    ];
    wanted.into_iter().find(|(_, is_there)| !is_there).map(|(what, _)| what)
}

/// Whether the last chunk along an axis reaches beyond the array: its chunk shape is not that of its grid alone.
fn uneven(array: &Array) -> bool {
    let pairs = array.shape.iter().zip(array.chunk_grid.chunk_shape());
    pairs.into_iter().any(|(length, chunk)| !length.is_multiple_of((*chunk).max(1)))
}
