// SPDX-License-Identifier: MIT OR Apache-2.0
//! The description of an object from what libhdf5 said, with the native engine's word for what it did not say.

use chunkref_core::Cursor;

use super::found::{
    FoundAttribute, FoundDataset, FoundFillValue, FoundFilter, FoundLink, FoundStorage,
    FoundTarget, FoundValue,
};
use super::transcript::{Descriptions, Entry};
use super::{datatype::FoundType, difference};
use crate::attributes::{AttributeValue, NamedAttribute};
use crate::chunk_index::{ChunkTable, Grid};
use crate::context::Context;
use crate::error::{Hdf5Error, Result};
use crate::message::datatype::Class;
use crate::message::link::{Link, LinkTarget};
use crate::message::{Dataspace, Datatype, FillValue, Filter};
use crate::object::{DataLocation, Dataset, Described, Storage, mask_edges};
use crate::value::{HeapObjects, Value, decode};

/// The links of a group; where soft, external and user-defined ones lead is from `native`.
pub(super) fn links(
    links: Vec<FoundLink>,
    native: &[Link],
    context: &Context,
    offset: u64,
) -> Result<Vec<Link>> {
    let mut built = Vec::new();
    for link in links {
        let known = native.iter().find(|known| known.name == link.name);
        let target = match (link.target, known.map(|known| &known.target)) {
            (FoundTarget::Hard(address), _) => LinkTarget::Hard(context.object(address)),
            (FoundTarget::Soft, Some(target @ LinkTarget::Soft(_)))
            | (
                FoundTarget::Other,
                Some(target @ (LinkTarget::External { .. } | LinkTarget::UserDefined(_))),
            ) => target.clone(),
            (kind, _) => {
                let what = format!("link {:?}, to libhdf5 a {kind:?} link,", link.name);
                return Err(Hdf5Error::unsupported("libhdf5", offset, what));
            }
        };
        let creation_order = known.and_then(|known| known.creation_order);
        built.push(Link { name: link.name, creation_order, target });
    }
    // The tree looks links up by name, in the order of bytes.
    built.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(built)
}

/// An attribute; elements of types that the safe interface does not read are from `native`.
pub(super) fn attribute(
    theirs: FoundAttribute,
    native: &[NamedAttribute],
    descriptions: &Descriptions,
    context: &Context,
    offset: u64,
) -> NamedAttribute {
    let native = native.iter().find(|native| native.name == theirs.name);
    let offset = native.map_or(offset, |native| native.offset);
    let value = theirs.value.and_then(|found| {
        let native = native.and_then(|native| native.value.as_ref().ok());
        attribute_value(found, native, descriptions, context, offset)
    });
    NamedAttribute { name: theirs.name, offset, value }
}

fn attribute_value(
    found: FoundValue,
    native: Option<&AttributeValue>,
    descriptions: &Descriptions,
    context: &Context,
    offset: u64,
) -> Result<AttributeValue> {
    let known = native.map(|native| &native.datatype);
    let datatype = datatype(&found.datatype, descriptions, known, context, offset)?;
    let values = match (found.elements, native) {
        (Some(elements), _) => {
            elements.into_iter().map(|value| as_native(value, &datatype)).collect()
        }
        (None, Some(native)) => native.values.clone(),
        (None, None) => return Err(left("value", offset)),
    };
    Ok(AttributeValue { datatype, dataspace: found.dataspace, values })
}

/// A dataset; what libhdf5 did not say is from `native`.
pub(super) fn dataset(
    found: FoundDataset,
    native: Option<&Described>,
    descriptions: &Descriptions,
    context: &Context,
    offset: u64,
) -> Result<Described> {
    let complete = description(found.datatype.entry, descriptions).filter(|_| found.complete);
    let known = native.map(|native| &native.datatype);
    let datatype = datatype(&found.datatype, descriptions, known, context, offset)?;
    let fill_value = match (complete, native) {
        (Some(description), _) if !points_elsewhere(&datatype) => description.fill_value.clone(),
        (_, Some(native)) => native.fill_value.clone(),
        (_, None) => return Err(left("fill value", offset)),
    };
    check_fill_value(&found.fill_value, &fill_value, &datatype, context, offset)?;
    let filters = filters(&found, complete, native, offset)?;
    let is_elsewhere =
        matches!(found.storage, FoundStorage::External { .. } | FoundStorage::Virtual);
    let strings = match (found.strings, native) {
        (Some(Ok(strings)), _) => Some(strings),
        (Some(Err(_)), Some(native)) => native.strings.clone(),
        (Some(Err(error)), None) => return Err(error),
        (None, native) => native.filter(|_| is_elsewhere).and_then(|native| native.strings.clone()),
    };
    let known = native.map(|native| &native.storage);
    Ok(Dataset {
        storage: storage(found.storage, complete, known, &datatype, &found.dataspace, offset)?,
        datatype,
        dataspace: found.dataspace,
        fill_value,
        filters,
        strings,
    })
}

/// What the transcript says. libhdf5 makes an entry that no one can read of a type from a shared message table: it marks
/// it as shared in the new file too.
fn description(entry: Entry, descriptions: &Descriptions) -> Option<&Described> {
    descriptions.get(&entry)?.as_ref().ok()
}

/// The type as the file has it: elements that point elsewhere are as long as the file's addresses make them, which the
/// transcript has its own of.
fn datatype(
    found: &FoundType,
    descriptions: &Descriptions,
    native: Option<&Datatype>,
    context: &Context,
    offset: u64,
) -> Result<Datatype> {
    let described = description(found.entry, descriptions).map(|dataset| &dataset.datatype);
    let datatype = described
        .filter(|described| context.size_of_offsets == 8 || !points_elsewhere(described))
        .or(native)
        .ok_or_else(|| left("datatype", offset))?;
    if !found.fits(datatype) {
        let reason = format!("the datatype {datatype:?} is {found:?} to libhdf5");
        return Err(Hdf5Error::inconsistent("libhdf5", offset, reason));
    }
    Ok(datatype.clone())
}

/// The fill value's bytes mean what libhdf5 says.
fn check_fill_value(
    found: &FoundFillValue,
    fill_value: &FillValue,
    datatype: &Datatype,
    context: &Context,
    offset: u64,
) -> Result<()> {
    let same = match (found, fill_value) {
        (FoundFillValue::Default, FillValue::Default)
        | (FoundFillValue::Undefined, FillValue::Undefined)
        | (FoundFillValue::Defined(None), FillValue::Defined(_)) => true,
        (FoundFillValue::Defined(Some(value)), FillValue::Defined(bytes)) => {
            let mut cursor = Cursor::new(bytes, offset, "fill value");
            let ours = decode(datatype, &mut cursor, context, &HeapObjects::new())?;
            difference::value_same(&ours, &as_native(value.clone(), datatype))
        }
        _ => false,
    };
    if same {
        return Ok(());
    }
    let reason = format!("the fill value {fill_value:?} is {found:?} to libhdf5");
    Err(Hdf5Error::inconsistent("libhdf5", offset, reason))
}

/// Whether elements are or hold references or heap identifiers.
fn points_elsewhere(datatype: &Datatype) -> bool {
    match &datatype.class {
        Class::Reference(_) => true,
        Class::Array { base, .. } => points_elsewhere(base),
        Class::Compound { members } => {
            members.iter().any(|member| points_elsewhere(&member.datatype))
        }
        _ => datatype.has_heap_data(),
    }
}

fn filters(
    found: &FoundDataset,
    description: Option<&Described>,
    native: Option<&Described>,
    offset: u64,
) -> Result<Vec<Filter>> {
    let native = native.map_or(&[][..], |native| native.filters.as_slice());
    let named = |number: usize, id: u16| native.get(number).filter(|known| known.id == id);
    let name = |known: Option<&Filter>| known.map_or_else(String::new, |known| known.name.clone());
    let listed: Option<&[FoundFilter]> = found.filters.as_deref();
    // The transcript lacks filters that libhdf5 could do without.
    let written = description.map(|description| description.filters.as_slice()).filter(|written| {
        listed.is_none_or(|listed| {
            listed.len() == written.len()
                && listed.iter().zip(*written).all(|(listed, written)| {
                    listed.id == written.id
                        && listed.values.as_ref().is_none_or(|values| *values == written.values)
                })
        })
    });
    if let Some(written) = written {
        let with_name = |(number, filter): (usize, &Filter)| Filter {
            name: name(named(number, filter.id)),
            ..filter.clone()
        };
        return Ok(written.iter().enumerate().map(with_name).collect());
    }
    let one = |(number, filter): (usize, &FoundFilter)| {
        let known = named(number, filter.id);
        let values = filter.values.clone().or_else(|| known.map(|known| known.values.clone()));
        let values = values.ok_or_else(|| left("filter's parameters", offset))?;
        Ok(Filter { id: filter.id, name: name(known), values })
    };
    listed.ok_or_else(|| left("filter pipeline", offset))?.iter().enumerate().map(one).collect()
}

fn storage(
    found: FoundStorage,
    description: Option<&Described>,
    native: Option<&DataLocation>,
    datatype: &Datatype,
    dataspace: &Dataspace,
    offset: u64,
) -> Result<DataLocation> {
    let length = dataspace.count().and_then(|count| count.checked_mul(u64::from(datatype.length)));
    Ok(DataLocation::Here(match (found, native) {
        (FoundStorage::Compact, native) => {
            // What points elsewhere points to other places in the copy.
            let copied = description.map(|description| &description.storage);
            match (copied.filter(|_| !points_elsewhere(datatype)), native) {
                (Some(DataLocation::Here(Storage::Compact(bytes))), _)
                | (_, Some(DataLocation::Here(Storage::Compact(bytes)))) => {
                    Storage::Compact(bytes.clone())
                }
                _ => return Err(left("elements", offset)),
            }
        }
        (FoundStorage::Contiguous { offset: Some(at) }, _) if length != Some(0) => {
            Storage::Contiguous { offset: Some(at), length: length.unwrap_or(u64::MAX) }
        }
        (FoundStorage::Contiguous { .. }, _) => Storage::Contiguous { offset: None, length: 0 },
        (FoundStorage::Chunked { chunk_shape, table, unfiltered_edges }, _) => {
            let Dataspace::Simple { shape, max_shape } = dataspace else {
                return Err(left("chunks", offset));
            };
            let grid = Grid::new(shape, max_shape, &chunk_shape, u64::from(datatype.length))
                .ok_or_else(|| left("chunks", offset))?;
            let mut table = within(&table, &grid);
            if unfiltered_edges {
                mask_edges(&mut table, &grid, shape);
            }
            Storage::Chunked { grid, table }
        }
        (FoundStorage::External { pieces }, Some(known @ DataLocation::External(ours))) => {
            let ours = ours.iter().map(|piece| (piece.name.as_str(), piece.offset));
            if !ours.eq(pieces.iter().map(|(name, offset)| (name.as_str(), *offset))) {
                let reason = format!("the pieces in other files are {pieces:?} to libhdf5");
                return Err(Hdf5Error::inconsistent("libhdf5", offset, reason));
            }
            return Ok(known.clone());
        }
        (FoundStorage::Virtual, Some(known @ DataLocation::Virtual(_))) => return Ok(known.clone()),
        (FoundStorage::External { .. } | FoundStorage::Virtual, _) => {
            return Err(left("list of sources", offset));
        }
    }))
}

/// The chunks within the dataset's shape, which are those that anyone sees.
fn within(table: &ChunkTable, grid: &Grid) -> ChunkTable {
    let mut inside = ChunkTable::new(grid.count.len());
    for chunk in table.iter() {
        if chunk.chunk_indices.iter().zip(&grid.count).all(|(index, count)| index < count) {
            inside.push(chunk);
        }
    }
    inside
}

/// A value in the form that this crate gives values of `datatype`.
fn as_native(value: Value, datatype: &Datatype) -> Value {
    match (value, &datatype.class) {
        // libhdf5 reads any float, this crate IEEE 754 alone.
        (Value::Float(_), Class::FloatingPoint { .. }) if !datatype.is_ieee() => {
            Value::Unsupported("a number that is not IEEE 754")
        }
        (Value::Int(value), Class::Enumeration { base, .. }) => match &base.class {
            Class::FixedPoint { signed: false, .. } => Value::UInt(value.cast_unsigned()),
            _ => Value::Int(value),
        },
        (Value::List(values), Class::VariableLengthSequence { base }) => {
            Value::List(values.into_iter().map(|value| as_native(value, base)).collect())
        }
        (value, _) => value,
    }
}

/// Something that the native engine is to say, but could not.
fn left(what: &str, offset: u64) -> Hdf5Error {
    let what = format!("a {what} that the safe interface of libhdf5 does not give");
    Hdf5Error::unsupported("libhdf5", offset, what)
}
