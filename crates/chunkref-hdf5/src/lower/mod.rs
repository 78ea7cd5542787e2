// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the on-disk description to the model: the only place where both vocabularies meet.

mod attribute;
mod chunks;
mod codec;
mod codec_table;
mod datatype;
mod fill_value;
pub(crate) mod members;
mod strings;

use std::collections::HashMap;

use chunkref_core::model::dataset::join_path;
use chunkref_core::model::{
    Array, Attributes, ChunkGrid, ChunkRef, ManifestBuilder, ManifestError, Source, SourceId,
};
use chunkref_core::{Limits, Scan, SkipKind, Skipped};

use crate::attributes::NamedAttribute;
use crate::context::{FileNumber, ObjectId};
use crate::error::{Hdf5Error, Reason, Result};
use crate::message::Dataspace;
use crate::neighbours::Files;
use crate::netcdf4::{self, Dimensions};
use crate::object::{Dataset, Object, ObjectKind, Objects};
use crate::tree::Tree;

pub(crate) use codec::codecs;
pub(crate) use codec_table::CodecTable;

/// Why something has no place in the model: where, and what it is.
#[derive(Debug)]
struct Refusal {
    offset: Option<u64>,
    reason: String,
    /// The limit of the file that this would go past.
    exceeded: Option<Exceeded>,
}

impl Refusal {
    fn new(reason: impl Into<String>) -> Self {
        Self { offset: None, reason: reason.into(), exceeded: None }
    }
}

/// A limit on all references of a file.
#[derive(Debug, Clone, Copy)]
enum Exceeded {
    Chunks,
    InlineBytes,
}

impl Exceeded {
    fn of(self, limits: &Limits) -> (&'static str, u64) {
        match self {
            Self::Chunks => ("chunks in one file", limits.chunks),
            Self::InlineBytes => ("bytes stored inline of one file", limits.inline_bytes),
        }
    }
}

/// Lowers everything that was read of a file.
pub(crate) fn lower(
    files: &Files<'_>,
    objects: &Objects,
    tree: Tree,
    limits: &Limits,
    fixed_strings: bool,
) -> Result<Scan> {
    let mut dataset = chunkref_core::model::Dataset::new();
    let sources = files.sources().map(|(number, source)| {
        let (location, version) = (source.location().to_owned(), Some(source.version().clone()));
        (number, dataset.add_source(Source { location, version }))
    });
    let sources: Sources = sources.collect();
    let mut budget =
        Budget { chunks: limits.chunks, inline_bytes: limits.inline_bytes, limits, fixed_strings };
    let dimensions = netcdf4::dimensions(objects, &tree);
    let mut skipped = tree.skipped;
    let paths = &tree.paths;
    for node in &tree.groups {
        let group = dataset.group_mut(&node.path);
        group.dimensions = dimensions.defined.get(&node.path).cloned().unwrap_or_default();
        if let Some(Ok(object)) = objects.get(&node.id) {
            let context = attribute::Context { path: &node.path, paths, is_scale: false };
            group.attributes = attributes(object, &context, None, &mut skipped);
        }
    }
    for node in &tree.datasets {
        files.check()?;
        let Some(Ok(object)) = objects.get(&node.id) else { continue };
        let ObjectKind::Dataset(description) = &object.kind else { continue };
        if object.is_dimension_only() {
            continue;
        }
        let mut refuse = |offset: Option<u64>, reason: Reason| {
            let Reason { text, resolutions } = reason;
            let skip = Skipped::new(&node.path, SkipKind::Array, text);
            let skip = skip.with_offset(offset.or(Some(object.offset)));
            skipped.push(skip.with_resolutions(resolutions));
        };
        let description = match description.as_ref() {
            Ok(description) => description,
            Err(error) => {
                refuse(error.offset(), error.into());
                continue;
            }
        };
        let before = (budget.chunks, budget.inline_bytes);
        match array((node.id, object), description, &node.path, &dimensions, &sources, &mut budget)
        {
            Ok(mut array) => {
                let context =
                    attribute::Context { path: &node.path, paths, is_scale: object.is_scale() };
                let kept_fill = fill_value::attribute_moves(object, description, &array);
                array.attributes = attributes(object, &context, kept_fill, &mut skipped);
                attribute::add_flags(&description.datatype, &mut array.attributes);
                let (parent, name) = node.path.rsplit_once('/').unwrap_or(("", &node.path));
                dataset.group_mut(parent).arrays.insert(name.to_owned(), array);
            }
            Err(refusal) => {
                // What others have used up is no property of this one.
                if let Some(exceeded) = refusal.exceeded
                    && before != (limits.chunks, limits.inline_bytes)
                {
                    let (structure, offset) = ("dataset", object.offset);
                    let (what, limit) = exceeded.of(limits);
                    let claimed = limit.saturating_add(1);
                    return Err(Hdf5Error::LimitExceeded {
                        structure,
                        offset,
                        what,
                        claimed,
                        limit,
                    });
                }
                (budget.chunks, budget.inline_bytes) = before;
                refuse(refusal.offset, refusal.reason.into());
            }
        }
    }
    skipped.sort_by(|a, b| (&a.path, a.kind).cmp(&(&b.path, b.kind)));
    Ok(Scan::new(dataset).with_skipped(skipped))
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
        skipped.push(Skipped::new(path, SkipKind::Attribute, reason).with_offset(offset));
    };
    let stored: &[NamedAttribute] = match &object.attributes {
        Ok(stored) => stored,
        Err(error) => {
            skip("", error.offset(), format!("the attributes cannot be read: {error}"));
            &[]
        }
    };
    let mut attributes = Vec::new();
    let mut types = Vec::new();
    for named in stored {
        if let Ok(value) = &named.value
            && let Some(dtype) = datatype::plain_number(&value.datatype)
        {
            types.push((named.name.clone(), dtype));
        }
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
    let mut attributes: Attributes = attributes.into_iter().collect();
    for (name, dtype) in types {
        attributes.set_type(name, dtype);
    }
    attributes
}

/// An array without its attributes.
fn array(
    (id, object): (ObjectId, &Object),
    dataset: &Dataset,
    path: &str,
    dimensions: &Dimensions,
    sources: &Sources,
    budget: &mut Budget<'_>,
) -> Result<Array, Refusal> {
    if dataset.dataspace == Dataspace::Null {
        return Err(Refusal::new(
            "the dataset has a null dataspace: it holds no data, and Zarr has no such array",
        ));
    }
    let shape = dimensions.shapes.get(path).cloned().unwrap_or_else(|| dataset.full_shape());
    let mut array = if let Some(array) = strings::array(dataset, &shape, budget)? {
        array
    } else {
        let dtype = datatype::lower(&dataset.datatype)?.0;
        let chunks = chunks::Chunks::of(id, dataset, &dtype, &shape, sources, budget)?;
        Array {
            fill_value: fill_value::lower(object, dataset, &dtype, chunks.has_missing()),
            shape,
            dimensions: Vec::new(),
            dtype,
            chunk_grid: ChunkGrid::regular(chunks.chunk_shape),
            codecs: chunks.codecs,
            attributes: Attributes::new(),
            manifest: chunks.manifest,
        }
    };
    array.dimensions = dimensions.names.get(path).cloned().unwrap_or_default();
    Ok(array)
}

/// The model's numbers of the files of a scan.
type Sources = HashMap<FileNumber, SourceId>;

/// What the references of a file may still take, and how strings go into them.
#[derive(Debug)]
struct Budget<'a> {
    chunks: u64,
    inline_bytes: u64,
    /// What they began with.
    limits: &'a Limits,
    /// Whether strings of variable length are padded to the longest.
    fixed_strings: bool,
}

impl Budget<'_> {
    /// The refusal of something that takes `bytes` inline: its own fault, or that of all together.
    fn too_long(&self, bytes: u64) -> Refusal {
        let exceeded = (bytes <= self.limits.inline_bytes).then_some(Exceeded::InlineBytes);
        let reason = format!(
            "{bytes} bytes to store inline are more than the limit of {} leaves",
            self.limits.inline_bytes
        );
        Refusal { exceeded, ..Refusal::new(reason) }
    }

    /// Counts a reference; `Err` when there are too many.
    fn take(&mut self, reference: &ChunkRef) -> Result<(), Refusal> {
        let length = match reference {
            ChunkRef::Missing => return Ok(()),
            ChunkRef::Virtual { .. } => 0,
            ChunkRef::Inline(bytes) => bytes.len() as u64,
        };
        match (self.chunks.checked_sub(1), self.inline_bytes.checked_sub(length)) {
            (Some(chunks), Some(inline_bytes)) => {
                self.chunks = chunks;
                self.inline_bytes = inline_bytes;
                Ok(())
            }
            (None, _) => Err(Refusal {
                exceeded: Some(Exceeded::Chunks),
                ..Refusal::new("the dataset has more chunks than the limit allows")
            }),
            (_, None) => Err(self.too_long(length)),
        }
    }
}

/// Adds a reference to a manifest within the budget.
fn push(
    manifest: &mut ManifestBuilder,
    budget: &mut Budget<'_>,
    chunk_indices: &[u64],
    reference: ChunkRef,
) -> Result<(), Refusal> {
    budget.take(&reference)?;
    Ok(manifest.push(chunk_indices, reference)?)
}

impl From<ManifestError> for Refusal {
    fn from(error: ManifestError) -> Self {
        Self::new(error.to_string())
    }
}

/// Whether the elements of a dataset have a type in Zarr.
pub(crate) fn has_data_type(dataset: &Dataset) -> bool {
    datatype::lower(&dataset.datatype).is_ok()
}

impl Dataset {
    /// The shape with the axes of an array datatype at its end.
    pub(crate) fn full_shape(&self) -> Vec<u64> {
        let mut shape = self.dataspace.shape().to_vec();
        shape.extend(datatype::array_axes(&self.datatype));
        shape
    }
}

/// The path of an object in references and messages: with a leading slash.
fn absolute(path: &str) -> String {
    format!("/{}", join_path("", path))
}
