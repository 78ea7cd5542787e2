// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datasets as libhdf5 describes them.

use hdf5_metno::dataset::{ChunkOpts, DatasetCreate, ExternalFile, FillValue, Layout};
use hdf5_metno::filters::Filter;
use hdf5_metno::types::TypeDescriptor;
use hdf5_metno::{Container, Dataset, Datatype, Extents};

use super::attribute::strings;
use super::datatype::FoundType;
use super::fault;
use super::found::{
    Found, FoundDataset, FoundFillValue, FoundFilter, FoundKind, FoundObject, FoundStorage,
};
use super::transcript::{Entry, Transcript};
use crate::chunk_index::{Chunk, ChunkTable};
use crate::context::{Address, Context};
use crate::error::{Hdf5Error, Result};
use crate::message::data_layout::ChunkIndexKind;
use crate::message::{DataLayout, Dataspace, kind};
use crate::value::Value;
use crate::walk::{File, object_header};

/// Reads everything about a dataset but its attributes.
pub(super) fn dataset(
    dataset: &Dataset,
    transcript: &mut Transcript,
    context: &Context,
    offset: u64,
) -> Result<FoundDataset> {
    let fault = |error: hdf5_metno::Error| fault::fault(offset, &error);
    let properties = dataset.dcpl().map_err(fault)?;
    let datatype = dataset.dtype().map_err(fault)?;
    let dataspace = dataspace(dataset, offset)?;
    let storage = storage(dataset, &properties, context, offset)?;
    let (entry, complete) =
        describe(dataset, &datatype, &properties, &storage, transcript).map_err(fault)?;
    let datatype = FoundType::new(&datatype, entry);
    let mut found = FoundDataset {
        fill_value: fill_value(&properties, datatype.descriptor.as_ref()).map_err(fault)?,
        datatype,
        complete,
        filters: properties.get_filters().ok().map(|filters| filters.iter().map(filter).collect()),
        dataspace,
        storage,
        strings: None,
    };
    if let (true, Some(descriptor)) = (found.is_stored(), &found.datatype.descriptor)
        && matches!(descriptor, TypeDescriptor::VarLenAscii | TypeDescriptor::VarLenUnicode)
    {
        let length = found.dataspace.count().and_then(|count| count.checked_mul(16));
        let (length, limit) = (length.unwrap_or(u64::MAX), context.limits.inline_bytes);
        Hdf5Error::check_limit("libhdf5", offset, "bytes to store inline", length, limit)?;
        found.strings = strings(dataset, descriptor).map_err(fault).transpose();
    }
    Ok(found)
}

impl FoundDataset {
    /// Whether elements are allocated in this file.
    fn is_stored(&self) -> bool {
        match &self.storage {
            FoundStorage::Compact => true,
            FoundStorage::Contiguous { offset } => offset.is_some(),
            FoundStorage::Chunked { table, .. } => table.len() > 0,
            FoundStorage::External { .. } | FoundStorage::Virtual => false,
        }
    }
}

/// The extent of a dataset or attribute.
pub(super) fn dataspace(container: &Container, offset: u64) -> Result<Dataspace> {
    let extents = container.space().and_then(|space| space.extents());
    Ok(match extents.map_err(|error| fault::fault(offset, &error))? {
        Extents::Null => Dataspace::Null,
        Extents::Scalar => Dataspace::Simple { shape: Vec::new(), max_shape: Vec::new() },
        Extents::Simple(extents) => Dataspace::Simple {
            shape: extents.iter().map(|extent| extent.dim as u64).collect(),
            max_shape: extents.iter().map(|extent| extent.max.map(|max| max as u64)).collect(),
        },
    })
}

fn storage(
    dataset: &Dataset,
    properties: &DatasetCreate,
    context: &Context,
    offset: u64,
) -> Result<FoundStorage> {
    let fault = |error: hdf5_metno::Error| fault::fault(offset, &error);
    match properties.get_layout().map_err(fault)? {
        Layout::Compact => Ok(FoundStorage::Compact),
        Layout::Virtual => Ok(FoundStorage::Virtual),
        Layout::Contiguous => {
            let files = properties.get_external().map_err(fault)?;
            if files.is_empty() {
                return Ok(FoundStorage::Contiguous { offset: dataset.offset() });
            }
            let piece = |file: ExternalFile| (file.name, file.offset as u64);
            Ok(FoundStorage::External { pieces: files.into_iter().map(piece).collect() })
        }
        Layout::Chunked => {
            let shape = properties.get_chunk().map_err(fault)?.unwrap_or_default();
            let chunk_shape: Vec<u64> = shape.iter().map(|&length| length as u64).collect();
            let options = properties.get_chunk_opts().map_err(fault)?;
            Ok(FoundStorage::Chunked {
                table: chunks(dataset, &chunk_shape, context, offset)?,
                chunk_shape,
                unfiltered_edges: options
                    .is_some_and(|options| options.contains(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS)),
            })
        }
    }
}

fn chunks(
    dataset: &Dataset,
    chunk_shape: &[u64],
    context: &Context,
    offset: u64,
) -> Result<ChunkTable> {
    let mut table = ChunkTable::new(chunk_shape.len());
    let limit = context.limits.chunks;
    let visited = dataset.chunks_visit(|chunk| {
        let place = chunk.offset.iter().zip(chunk_shape);
        let chunk_indices: Vec<u64> =
            place.map(|(&at, &length)| at.checked_div(length).unwrap_or(0)).collect();
        table.push(Chunk {
            chunk_indices: &chunk_indices,
            file: context.file,
            offset: chunk.addr,
            length: chunk.size,
            filter_mask: chunk.filter_mask,
        });
        i32::from(table.len() as u64 > limit)
    });
    visited.map_err(|error| fault::fault(offset, &error))?;
    Hdf5Error::check_limit("libhdf5", offset, "chunks", table.len() as u64, limit)?;
    Ok(table)
}

fn fill_value(
    properties: &DatasetCreate,
    descriptor: Option<&TypeDescriptor>,
) -> hdf5_metno::Result<FoundFillValue> {
    use TypeDescriptor as Type;
    Ok(match properties.get_fill_value_defined()? {
        FillValue::Default => FoundFillValue::Default,
        FillValue::Undefined => FoundFillValue::Undefined,
        FillValue::UserDefined => FoundFillValue::Defined(match descriptor {
            Some(Type::Integer(_)) => properties.get_fill_value_as()?.map(Value::Int),
            Some(Type::Unsigned(_)) => properties.get_fill_value_as()?.map(Value::UInt),
            Some(Type::Float(_)) => properties.get_fill_value_as()?.map(Value::Float),
            _ => None,
        }),
    })
}

fn filter(filter: &Filter) -> FoundFilter {
    let values = match filter {
        Filter::User(_, values) => Some(values.clone()),
        Filter::Deflate(level) => Some(vec![u32::from(*level)]),
        _ => None,
    };
    FoundFilter { id: u16::try_from(filter.id()).unwrap_or(0), values }
}

/// Writes the dataset's description down; the second is whether fill value and filters are in it.
fn describe(
    dataset: &Dataset,
    datatype: &Datatype,
    properties: &DatasetCreate,
    storage: &FoundStorage,
    transcript: &mut Transcript,
) -> hdf5_metno::Result<(Entry, bool)> {
    let complete = match storage {
        FoundStorage::Compact => transcript.copy(dataset),
        // libhdf5 might write to the external files.
        FoundStorage::External { .. } | FoundStorage::Virtual => {
            return Ok((transcript.datatype(datatype)?, false));
        }
        _ => transcript.properties(datatype, properties),
    };
    match complete {
        Ok(entry) => Ok((entry, true)),
        // It makes no dataset with a filter that it does not have.
        Err(_) => Ok((transcript.datatype(datatype)?, false)),
    }
}

/// Puts the chunks of extensible arrays in their places.
pub(super) async fn order_axes(file: &File<'_>, found: &mut Found) {
    for (&address, object) in found.iter_mut() {
        let Ok(FoundObject { kind: FoundKind::Dataset(dataset), .. }) = object else { continue };
        let Ok(FoundDataset { dataspace, storage, .. }) = dataset.as_mut() else { continue };
        let Dataspace::Simple { max_shape, .. } = dataspace else { continue };
        let FoundStorage::Chunked { chunk_shape, table, .. } = storage else { continue };
        let unlimited: Vec<usize> = (0..max_shape.len())
            .filter(|&axis| max_shape.get(axis).is_some_and(Option::is_none))
            .collect();
        let &[axis] = unlimited.as_slice() else { continue };
        if axis == 0 || !has_extensible_array(file, address).await {
            continue;
        }
        let count = |(max, chunk): (&Option<u64>, &u64)| max.unwrap_or(0).div_ceil((*chunk).max(1));
        let counts: Vec<u64> = max_shape.iter().zip(chunk_shape.iter()).map(count).collect();
        *table = unlimited_first(table, &counts, axis);
    }
}

/// Whether a dataset's chunks are in an extensible array, which hdf5-metno does not say.
async fn has_extensible_array(file: &File<'_>, address: Address) -> bool {
    let Ok(header) = object_header::read(file, address).await else { return false };
    let Some(message) = header.message(kind::DATA_LAYOUT) else { return false };
    matches!(
        DataLayout::parse(&mut message.cursor("data layout"), &file.context),
        Ok(DataLayout::Chunked { index: ChunkIndexKind::ExtensibleArray, .. })
    )
}

/// The table with the places that an array has which counts `axis` slowest, then the others in their order. The places
/// in `table` were counted with all axes in their order, so that those before `axis` never got past 0.
fn unlimited_first(table: &ChunkTable, counts: &[u64], axis: usize) -> ChunkTable {
    let mut ordered = ChunkTable::new(counts.len());
    for chunk in table.iter() {
        let mut number = 0_u64;
        for (index, count) in chunk.chunk_indices.iter().zip(counts).skip(axis) {
            // The first of them is the unlimited one, whose count is not known and not needed.
            number = number.saturating_mul(*count).saturating_add(*index);
        }
        let mut chunk_indices = vec![0; counts.len()];
        for (place, index) in chunk_indices.iter_mut().enumerate().rev() {
            if let Some(count) = counts.get(place).filter(|_| place != axis) {
                *index = number.checked_rem(*count).unwrap_or(0);
                number = number.checked_div(*count).unwrap_or(0);
            }
        }
        if let Some(index) = chunk_indices.get_mut(axis) {
            *index = number;
        }
        ordered.push(Chunk { chunk_indices: &chunk_indices, ..chunk });
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::FileNumber;

    #[test]
    fn the_unlimited_axis_counts_slowest() {
        let file = FileNumber(0);
        // Two rows of chunks, columns without bound: libhdf5 gives chunk n of the array the place (0, n).
        let mut table = ChunkTable::new(2);
        for number in [0, 1, 2, 3, 7] {
            table.push(Chunk {
                chunk_indices: &[0, number],
                file,
                offset: number,
                length: 8,
                filter_mask: 0,
            });
        }
        let ordered = unlimited_first(&table, &[2, 0], 1);
        let places: Vec<_> = ordered.iter().map(|chunk| chunk.chunk_indices.to_vec()).collect();
        assert_eq!(places, [[0, 0], [1, 0], [0, 1], [1, 1], [1, 3]]);
        // With an axis of 3 chunks behind it, chunk 3 a + b of the array has the place (0, a, b).
        let mut table = ChunkTable::new(3);
        table.push(Chunk { chunk_indices: &[0, 4, 2], file, offset: 0, length: 8, filter_mask: 0 });
        let ordered = unlimited_first(&table, &[2, 0, 3], 1);
        // Chunk 14 is 2 * (2 * 3) + 0 * 3 + 2.
        assert_eq!(ordered.get(0).map(|chunk| chunk.chunk_indices.to_vec()), Some(vec![0, 2, 2]));
    }
}
