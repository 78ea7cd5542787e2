// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the on-disk description to the model: the only place where both vocabularies meet.

mod attribute;
mod codec;
mod datatype;
mod fill_value;
mod strings;

use chunkref_core::model::dataset::join_path;
use chunkref_core::model::{
    Array, Attributes, ChunkGrid, ChunkRef, Codec, DataType, FillValue, Manifest, ManifestBuilder,
    Source, SourceId,
};
use chunkref_core::{ByteSource, Scan, SkipKind, Skipped};

use crate::attributes::NamedAttribute;
use crate::error::Result;
use crate::message::Dataspace;
use crate::netcdf4::{self, Dimensions};
use crate::object::{Dataset, Object, ObjectKind, Objects, Storage};
use crate::tree::Tree;

/// Why something has no place in the model: where, and what it is.
#[derive(Debug)]
struct Refusal {
    offset: Option<u64>,
    reason: String,
}

impl Refusal {
    fn new(reason: impl Into<String>) -> Self {
        Self { offset: None, reason: reason.into() }
    }
}

/// Lowers everything that was read of a file.
pub(crate) fn lower(source: &dyn ByteSource, objects: &Objects, tree: Tree) -> Scan {
    let mut dataset = chunkref_core::model::Dataset::new();
    let source = dataset.add_source(Source {
        location: source.location().to_owned(),
        version: Some(source.version().clone()),
    });
    let dimensions = netcdf4::dimensions(objects, &tree);
    let mut skipped = tree.skipped;
    let paths = &tree.paths;
    for node in &tree.groups {
        let group = dataset.group_mut(&node.path);
        group.dimensions = dimensions.defined.get(&node.path).cloned().unwrap_or_default();
        if let Some(Ok(object)) = objects.get(&node.address) {
            let context = attribute::Context { path: &node.path, paths, is_scale: false };
            group.attributes = attributes(object, &context, None, &mut skipped);
        }
    }
    for node in &tree.datasets {
        let Some(Ok(object)) = objects.get(&node.address) else { continue };
        let ObjectKind::Dataset(description) = &object.kind else { continue };
        if object.is_dimension_only() {
            continue;
        }
        let mut refuse = |offset: Option<u64>, reason: String| {
            let offset = offset.or(Some(object.offset));
            skipped.push(Skipped {
                path: node.path.clone(),
                offset,
                reason,
                kind: SkipKind::Array,
            });
        };
        let description = match description.as_ref() {
            Ok(description) => description,
            Err(error) => {
                refuse(error.offset(), error.to_string());
                continue;
            }
        };
        match array(object, description, &node.path, &dimensions, source) {
            Ok(mut array) => {
                let context =
                    attribute::Context { path: &node.path, paths, is_scale: object.is_scale() };
                let kept_fill = fill_value::attribute_moves(object, description, &array);
                array.attributes = attributes(object, &context, kept_fill, &mut skipped);
                attribute::add_flags(&description.datatype, &mut array.attributes);
                let (parent, name) = node.path.rsplit_once('/').unwrap_or(("", &node.path));
                dataset.group_mut(parent).arrays.insert(name.to_owned(), array);
            }
            Err(refusal) => refuse(refusal.offset, refusal.reason),
        }
    }
    skipped.sort_by(|a, b| (&a.path, a.kind).cmp(&(&b.path, b.kind)));
    Scan { dataset, skipped }
}

/// The attributes of an object; `hidden` is one more name to leave out.
fn attributes(
    object: &Object,
    context: &attribute::Context<'_>,
    hidden: Option<&str>,
    skipped: &mut Vec<Skipped>,
) -> Attributes {
    let mut skip = |name: &str, offset: Option<u64>, reason: String| {
        let path = if name.is_empty() {
            context.path.to_owned()
        } else {
            format!("{}@{name}", context.path)
        };
        skipped.push(Skipped { path, offset, reason, kind: SkipKind::Attribute });
    };
    let stored: &[NamedAttribute] = match &object.attributes {
        Ok(stored) => stored,
        Err(error) => {
            skip("", error.offset(), format!("the attributes cannot be read: {error}"));
            &[]
        }
    };
    let mut attributes = Vec::new();
    for named in stored {
        if Some(named.name.as_str()) == hidden || attribute::is_housekeeping(named, context) {
            continue;
        }
        match &named.value {
            Err(error) => skip(&named.name, error.offset(), error.to_string()),
            Ok(value) => match attribute::lower(value, context) {
                Ok(value) => attributes.push((named.name.clone(), value)),
                Err(refusal) => skip(&named.name, Some(named.offset), refusal.reason),
            },
        }
    }
    attributes.into_iter().collect()
}

/// An array without its attributes.
fn array(
    object: &Object,
    dataset: &Dataset,
    path: &str,
    dimensions: &Dimensions,
    source: SourceId,
) -> Result<Array, Refusal> {
    if dataset.dataspace == Dataspace::Null {
        return Err(Refusal::new(
            "the dataset has a null dataspace: it holds no data, and Zarr has no such array",
        ));
    }
    if let Some(array) = strings::array(dataset)? {
        return Ok(named(array, path, dimensions));
    }
    let (dtype, _) = datatype::lower(&dataset.datatype)?;
    let shape = dataset.full_shape();
    let chunks = Chunks::of(dataset, source, &shape)?;
    let fill_value = fill_value::lower(object, dataset, &dtype, chunks.has_missing());
    let array = Array {
        shape,
        dimensions: Vec::new(),
        dtype,
        fill_value,
        chunk_grid: ChunkGrid::regular(chunks.chunk_shape),
        codecs: chunks.codecs,
        attributes: Attributes::new(),
        manifest: chunks.manifest,
    };
    Ok(named(array, path, dimensions))
}

fn named(mut array: Array, path: &str, dimensions: &Dimensions) -> Array {
    array.dimensions = dimensions.names.get(path).cloned().unwrap_or_default();
    array
}

impl Dataset {
    /// The shape with the axes of an array datatype at its end.
    pub(crate) fn full_shape(&self) -> Vec<u64> {
        let mut shape = self.dataspace.shape().to_vec();
        shape.extend(datatype::array_axes(&self.datatype));
        shape
    }
}

/// Where the chunks of an array are, and how they are encoded.
struct Chunks {
    chunk_shape: Vec<u64>,
    codecs: Vec<Codec>,
    manifest: Manifest,
}

impl Chunks {
    fn of(dataset: &Dataset, source: SourceId, shape: &[u64]) -> Result<Self, Refusal> {
        let inner = datatype::array_axes(&dataset.datatype);
        let refuse = |error: chunkref_core::model::ManifestError| Refusal::new(error.to_string());
        let stored = |row: usize, offset: u64, length: u64| match dataset.inline.get(&row) {
            Some(bytes) => ChunkRef::Inline(bytes.clone()),
            None => ChunkRef::Virtual { source, offset, length },
        };
        // Everything but chunked storage is one chunk of the array's shape.
        let whole: Vec<u64> = shape.iter().map(|&length| length.max(1)).collect();
        let one = |reference: ChunkRef| {
            let grid = ChunkGrid::regular(whole.clone()).grid_shape(shape);
            let mut manifest = ManifestBuilder::new(grid.clone()).map_err(refuse)?;
            if !grid.contains(&0) {
                manifest.push(&vec![0; shape.len()], reference).map_err(refuse)?;
            }
            let manifest = manifest.finish().map_err(refuse)?;
            Ok(Self { chunk_shape: whole.clone(), codecs: Vec::new(), manifest })
        };
        match &dataset.storage {
            Storage::Compact(bytes) => one(ChunkRef::Inline(bytes.clone())),
            Storage::Contiguous { offset: None, .. } => one(ChunkRef::Missing),
            Storage::Contiguous { offset: Some(offset), length } => {
                one(stored(0, *offset, *length))
            }
            Storage::Chunked { grid, table } => {
                let codecs = codec::lower(dataset)?;
                let chunk_shape: Vec<u64> =
                    grid.chunk_shape.iter().copied().chain(inner.iter().copied()).collect();
                let grid_shape = ChunkGrid::regular(chunk_shape.clone()).grid_shape(shape);
                let mut manifest = ManifestBuilder::new(grid_shape).map_err(refuse)?;
                let mut chunk_indices = vec![0; shape.len()];
                for (row, chunk) in table.iter().enumerate() {
                    for (to, from) in chunk_indices.iter_mut().zip(chunk.chunk_indices) {
                        *to = *from;
                    }
                    manifest
                        .push(&chunk_indices, stored(row, chunk.offset, chunk.length))
                        .map_err(refuse)?;
                }
                Ok(Self { chunk_shape, codecs, manifest: manifest.finish().map_err(refuse)? })
            }
            Storage::External { files } => Err(Refusal::new(format!(
                "the data lies in {files} external file(s), which this release does not follow"
            ))),
            Storage::Virtual => Err(Refusal::new(
                "the dataset is virtual: its data lies in other datasets, which this release does not follow",
            )),
        }
    }

    fn has_missing(&self) -> bool {
        self.manifest.count() != Some(self.manifest.present())
    }
}

/// An array of one chunk, whose encoded bytes are all in the references.
fn inline_array(
    shape: &[u64],
    dtype: DataType,
    codec: &str,
    bytes: Option<bytes::Bytes>,
    fill: Option<FillValue>,
) -> Result<Array, Refusal> {
    let refuse = |error: chunkref_core::model::ManifestError| Refusal::new(error.to_string());
    let chunk_grid =
        ChunkGrid::regular(shape.iter().map(|&length| length.max(1)).collect::<Vec<_>>());
    let grid_shape = chunk_grid.grid_shape(shape);
    let empty = grid_shape.contains(&0);
    let mut manifest = ManifestBuilder::new(grid_shape).map_err(refuse)?;
    if let Some(bytes) = bytes.filter(|_| !empty) {
        manifest.push(&vec![0; shape.len()], ChunkRef::Inline(bytes)).map_err(refuse)?;
    }
    Ok(Array {
        shape: shape.to_vec(),
        dimensions: Vec::new(),
        dtype,
        fill_value: fill,
        chunk_grid,
        codecs: vec![Codec::new(codec)],
        attributes: Attributes::new(),
        manifest: manifest.finish().map_err(refuse)?,
    })
}

/// The path of an object in references and messages: with a leading slash.
fn absolute(path: &str) -> String {
    format!("/{}", join_path("", path))
}
