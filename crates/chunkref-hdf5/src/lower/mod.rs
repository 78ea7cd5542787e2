// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the resolved description to the model: the only place where both vocabularies meet.

mod attribute;
mod budget;
mod byte_order;
mod chunks;
mod codec;
mod codec_table;
mod datatype;
mod fill_value;
pub(crate) mod members;
mod netcdf4;
mod plan;
mod prepared;
mod refusal;
mod strings;

use chunkref_core::model::{Array, Attributes, ChunkGrid, ObjectVersion, Source};
use chunkref_core::{Limits, Scan, SkipKind, Skipped};

use self::budget::Budget;
use self::chunks::Sources;
use self::netcdf4::Dimensions;
use self::refusal::Refusal;
use crate::attributes::NamedAttribute;
use crate::context::{FileNumber, ObjectId};
use crate::ending::Ending;
use crate::error::{Hdf5Error, Reason, Result};
use crate::message::Dataspace;
use crate::object::{Object, ObjectKind, Objects};
use crate::tree::Tree;

pub(crate) use codec_table::CodecTable;
pub(crate) use netcdf4::rename_variables;
pub(crate) use plan::Plan;
pub(crate) use prepared::Prepared;

/// A file that references may point to.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) number: FileNumber,
    pub(crate) location: String,
    pub(crate) version: ObjectVersion,
}

/// Lowers everything that was read of a file.
pub(crate) fn lower(
    files: Vec<OpenFile>,
    ending: &Ending,
    objects: &Objects<Prepared>,
    tree: Tree,
    limits: &Limits,
    fixed_strings: bool,
) -> Result<Scan> {
    let mut dataset = chunkref_core::model::Dataset::new();
    let sources = files.into_iter().map(|OpenFile { number, location, version }| {
        (number, dataset.add_source(Source { location, version: Some(version) }))
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
        ending.check()?;
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
                let kept_fill = fill_value::attribute_moves(object, &description.dataset, &array);
                array.attributes = attributes(object, &context, kept_fill, &mut skipped);
                attribute::add_flags(&description.dataset.datatype, &mut array.attributes);
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
    object: &Object<Prepared>,
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
    (id, object): (ObjectId, &Object<Prepared>),
    prepared: &Prepared,
    path: &str,
    dimensions: &Dimensions,
    sources: &Sources,
    budget: &mut Budget<'_>,
) -> Result<Array, Refusal> {
    let dataset = &prepared.dataset;
    if dataset.dataspace == Dataspace::Null {
        return Err(Refusal::new(
            "the dataset has a null dataspace: it holds no data, and Zarr has no such array",
        ));
    }
    let shape =
        dimensions.shapes.get(path).cloned().unwrap_or_else(|| datatype::full_shape(dataset));
    let mut array = if let Some(array) = strings::array(dataset, &shape, budget)? {
        array
    } else {
        let dtype = datatype::lower(&dataset.datatype)?.0;
        let mut chunks = chunks::Chunks::of(id, prepared, &dtype, &shape, sources, budget)?;
        if chunks.has_missing() && fill_value::are_two(object, dataset, &dtype) {
            let reason = "chunks were never written, and read as another value than the one that _FillValue marks as missing";
            chunks.fill_missing(prepared, budget, reason)?;
        }
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
