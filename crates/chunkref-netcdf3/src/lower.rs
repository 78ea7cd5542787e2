// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the header to the model.

use std::collections::HashMap;

use bytes::Bytes;
use chunkref_core::model::{
    Array, AttributeValue, Attributes, ChunkGrid, ChunkRef, DataType, Dataset, Dimension,
    FillValue, ManifestBuilder, SourceId,
};
use chunkref_core::{Limits, SkipKind, Skipped, split};

use crate::attribute::Attribute;
use crate::header::Header;
use crate::record_layout::{Extent, RecordLayout};
use crate::variable::Variable;

/// What a scan goes by.
#[derive(Debug)]
pub(crate) struct Choices<'a> {
    pub(crate) file_length: u64,
    /// Bytes of a piece of data in one piece that is cut.
    pub(crate) piece_bytes: Option<u64>,
    pub(crate) limits: &'a Limits,
}

/// Where the chunks of one variable are: `count` of them, each of `length` bytes, `stride` bytes apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) name: String,
    pub(crate) first: u64,
    pub(crate) stride: u64,
    pub(crate) length: u64,
    pub(crate) count: u64,
}

/// The dataset without chunks, where the chunks of its arrays are, and what is in neither.
pub(crate) fn lower(
    header: &Header,
    layout: &RecordLayout,
    choices: &Choices<'_>,
) -> (Dataset, Vec<Placed>, Vec<Skipped>) {
    let mut dataset = Dataset::new();
    let (mut placed, mut skipped) = (Vec::new(), Vec::new());
    dataset.root.attributes = attributes(&header.attributes, None);
    dataset.root.dimensions = header
        .dimensions
        .iter()
        .enumerate()
        .map(|(place, dimension)| {
            let unlimited = layout.dimension == Some(place);
            let length = if unlimited { layout.records } else { dimension.length };
            Dimension { name: dimension.name.clone(), length, unlimited }
        })
        .collect();
    let mut uses: HashMap<&str, u64> = HashMap::new();
    for variable in &header.variables {
        let count = uses.entry(&variable.name).or_default();
        *count = count.saturating_add(1);
    }
    for variable in &header.variables {
        // Of two variables of one name nobody knows which is meant, so neither is taken.
        let shared = uses.get(variable.name.as_str()).is_some_and(|&count| count > 1);
        let made = check_name(&variable.name, shared)
            .and_then(|()| layout.extent(header, variable))
            .and_then(|extent| array(header, layout, variable, &extent, choices));
        match made {
            Ok((array, place)) => {
                dataset.root.arrays.insert(variable.name.clone(), array);
                placed.push(place);
            }
            Err(reason) => skipped.push(
                Skipped::new(&variable.name, SkipKind::Array, reason).with_offset(variable.offset),
            ),
        }
    }
    skipped.sort_by(|a, b| a.path.cmp(&b.path));
    (dataset, placed, skipped)
}

/// The chunks of an array, whose small ones, with their bytes, are in `inline`.
pub(crate) fn fill(
    array: &mut Array,
    placed: &Placed,
    source: SourceId,
    inline: &[Bytes],
) -> Result<(), String> {
    let grid = array.chunk_grid.grid_shape(&array.shape);
    let mut builder = ManifestBuilder::new(grid.clone()).map_err(|error| error.to_string())?;
    let mut chunk_indices = vec![0; grid.len()];
    for number in 0..placed.count {
        let bytes = usize::try_from(number).ok().and_then(|number| inline.get(number));
        let offset = placed.first.saturating_add(number.saturating_mul(placed.stride));
        let reference = match bytes {
            Some(bytes) => ChunkRef::Inline(bytes.clone()),
            None => ChunkRef::Virtual { source, offset, length: placed.length },
        };
        builder.push(&chunk_indices, reference).map_err(|error| error.to_string())?;
        for (index, count) in chunk_indices.iter_mut().zip(&grid).rev() {
            *index = index.saturating_add(1);
            if *index < *count {
                break;
            }
            *index = 0;
        }
    }
    array.manifest = builder.finish().map_err(|error| error.to_string())?;
    Ok(())
}

fn array(
    header: &Header,
    layout: &RecordLayout,
    variable: &Variable,
    extent: &Extent,
    choices: &Choices<'_>,
) -> Result<(Array, Placed), String> {
    let Extent { shape, by_record, length } = extent;
    let mut chunk_shape: Vec<u64> = shape.iter().map(|&length| length.max(1)).collect();
    let (mut stride, mut chunk_length, mut count) = (0, *length, u64::from(*length > 0));
    if *by_record {
        if let Some(first) = chunk_shape.first_mut() {
            *first = 1;
        }
        (stride, count) = (layout.stride, if *length > 0 { layout.records } else { 0 });
    } else if let Some(piece) = choices.piece_bytes.filter(|piece| *length > *piece) {
        let element = u64::from(variable.nc_type.length());
        chunk_shape = split::chunk_shape(shape, element, piece);
        chunk_length = chunk_shape.iter().fold(element, |product, &n| product.saturating_mul(n));
        (stride, count) = (chunk_length, length.checked_div(chunk_length).unwrap_or(0));
    }
    let limit = choices.limits.chunks;
    if count > limit {
        return Err(format!("its {count} chunks exceed the limit of {limit}"));
    }
    let first = variable.begin;
    if count > 0 {
        if first < header.length {
            return Err(format!("its data begins at byte {first}, inside the header"));
        }
        let last =
            count.saturating_sub(1).checked_mul(stride).and_then(|last| first.checked_add(last));
        let end = last.and_then(|last| last.checked_add(chunk_length));
        let file_length = choices.file_length;
        if end.is_none_or(|end| end > file_length) {
            let end = end.map_or_else(|| "past 64 bits".to_owned(), |end| format!("at byte {end}"));
            let whole = match file_length.checked_sub(first).map(|room| room.checked_div(stride)) {
                Some(Some(whole)) if *by_record => {
                    format!("; {} of its {count} records are whole", whole.min(count))
                }
                _ => String::new(),
            };
            return Err(format!(
                "its data ends {end}, and the file at byte {file_length}{whole}: the file is cut off, copy it again"
            ));
        }
    }
    let names = variable.dimensions.iter().filter_map(|place| header.dimensions.get(*place));
    let dtype = variable.nc_type.dtype();
    let fill_value = fill_value(&variable.attributes, &dtype);
    let chunk_grid = ChunkGrid::regular(chunk_shape);
    let manifest = chunkref_core::model::Manifest::empty(chunk_grid.grid_shape(shape));
    let array = Array {
        shape: shape.clone(),
        dimensions: names.map(|dimension| dimension.name.clone()).collect(),
        attributes: attributes(&variable.attributes, fill_value.as_ref().map(|_| "_FillValue")),
        dtype,
        fill_value,
        chunk_grid,
        codecs: Vec::new(),
        manifest,
    };
    let name = variable.name.clone();
    Ok((array, Placed { name, first, stride, length: chunk_length, count }))
}

/// A name that a reference can have.
fn check_name(name: &str, shared: bool) -> Result<(), String> {
    let reason = match name {
        "" => "its name is empty",
        "." | ".." => "its name means a folder",
        name if name.contains(['/', '\\']) => "its name has a slash, which parts groups from names",
        name if name.starts_with(".z") => "its name is that of a Zarr document",
        _ if shared => "another variable has the same name",
        _ => return Ok(()),
    };
    Err(reason.to_owned())
}

fn attributes(list: &[Attribute], without: Option<&str>) -> Attributes {
    let mut attributes = Attributes::new();
    for attribute in list {
        attributes.set_type(attribute.name.clone(), attribute.nc_type.dtype());
        if without != Some(attribute.name.as_str()) {
            attributes.insert(attribute.name.clone(), attribute.value());
        }
    }
    attributes
}

/// The `_FillValue` attribute as an element of the array, where it is one.
fn fill_value(attributes: &[Attribute], dtype: &DataType) -> Option<FillValue> {
    let attribute = attributes.iter().find(|attribute| attribute.name == "_FillValue")?;
    if let DataType::FixedString { length: 1 } = dtype {
        let bytes = Bytes::copy_from_slice(&attribute.bytes);
        return (attribute.nc_type.dtype() == *dtype && bytes.len() == 1)
            .then_some(FillValue::Bytes(bytes));
    }
    // Of another type than the variable: an element where it is not-a-number in both, else it stays an attribute.
    if attribute.nc_type.dtype() != *dtype {
        return match (attribute.value(), dtype) {
            (AttributeValue::Float(value), DataType::Float { .. }) if value.is_nan() => {
                Some(FillValue::Float(value))
            }
            _ => None,
        };
    }
    match (attribute.value(), dtype) {
        (AttributeValue::Int(value), DataType::Int { .. }) => Some(FillValue::Int(value)),
        (AttributeValue::UInt(value), DataType::UInt { .. }) => Some(FillValue::UInt(value)),
        (AttributeValue::Float(value), DataType::Float { .. }) => Some(FillValue::Float(value)),
        _ => None,
    }
}
