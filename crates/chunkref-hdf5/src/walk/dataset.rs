// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads datasets: their description and where their elements are.

use bytes::Bytes;

use super::file::File;
use super::{chunk_index, elements, heap, shared_message, values};
use crate::chunk_index::{ChunkTable, Grid};
use crate::context::Address;
use crate::error::{Hdf5Error, Result};
use crate::message::datatype::Class;
use crate::message::external_data_files::ExternalDataFiles;
use crate::message::{DataLayout, Dataspace, Datatype, FillValue, filter_pipeline, kind};
use crate::object::{DataLocation, Dataset, Described, Piece, Storage, mask_edges};
use crate::object_header::ObjectHeader;
use crate::raw_data::STRUCTURE;
use crate::selection::parse_mappings;
use crate::value;

/// Reads everything about a dataset but its attributes.
pub(crate) async fn dataset(file: &File<'_>, header: &ObjectHeader) -> Result<Described> {
    let context = &file.context;
    let missing = |what: &str| {
        Hdf5Error::inconsistent("dataset", header.offset, format!("there is no {what} message"))
    };
    let message = header.message(kind::DATATYPE).ok_or_else(|| missing("datatype"))?;
    let datatype = Datatype::parse(
        &mut shared_message::resolve(file, message).await?.cursor("datatype"),
        context,
    )?;
    let message = header.message(kind::DATASPACE).ok_or_else(|| missing("dataspace"))?;
    let dataspace = Dataspace::parse(
        &mut shared_message::resolve(file, message).await?.cursor("dataspace"),
        context,
    )?;
    let fill_value = fill_value(file, header).await?;
    let filters = match header.message(kind::FILTER_PIPELINE) {
        Some(message) => filter_pipeline::parse(
            &mut shared_message::resolve(file, message).await?.cursor("filter pipeline"),
        )?,
        None => Vec::new(),
    };
    let message = header.message(kind::DATA_LAYOUT).ok_or_else(|| missing("data layout"))?;
    let layout = DataLayout::parse(&mut message.cursor("data layout"), context)?;
    let mut dataset = Dataset {
        storage: storage(file, header, layout, &datatype, &dataspace).await?,
        datatype,
        dataspace,
        fill_value,
        filters,
        strings: None,
    };
    if matches!(dataset.datatype.class, Class::VariableLengthString { .. }) {
        dataset.strings = strings(file, &dataset, header.offset).await?;
    }
    Ok(dataset)
}

async fn fill_value(file: &File<'_>, header: &ObjectHeader) -> Result<FillValue> {
    if let Some(message) = header.message(kind::FILL_VALUE) {
        return FillValue::parse(
            &mut shared_message::resolve(file, message).await?.cursor("fill value"),
        );
    }
    match header.message(kind::FILL_VALUE_OLD) {
        Some(message) => FillValue::parse_old(
            &mut shared_message::resolve(file, message).await?.cursor("fill value"),
        ),
        None => Ok(FillValue::Default),
    }
}

async fn storage(
    file: &File<'_>,
    header: &ObjectHeader,
    layout: DataLayout,
    datatype: &Datatype,
    dataspace: &Dataspace,
) -> Result<DataLocation> {
    let context = &file.context;
    let logical = dataspace.count().and_then(|count| count.checked_mul(u64::from(datatype.length)));
    let Some(logical) = logical else {
        return Err(Hdf5Error::inconsistent(
            "dataspace",
            header.offset,
            "the array has more than 2^64 bytes",
        ));
    };
    match layout {
        DataLayout::Compact(bytes) if (bytes.len() as u64) < logical => {
            let reason = format!("{} bytes of compact data where {logical} must be", bytes.len());
            Err(Hdf5Error::inconsistent("data layout", header.offset, reason))
        }
        DataLayout::Compact(bytes) => {
            let logical = usize::try_from(logical).unwrap_or(usize::MAX);
            Ok(DataLocation::Here(Storage::Compact(bytes.slice(..logical))))
        }
        DataLayout::Contiguous { address, length } => {
            if let Some(message) = header.message(kind::EXTERNAL_DATA_FILES) {
                let files =
                    ExternalDataFiles::parse(&mut message.cursor("external data files"), context)?;
                return external(file, files).await;
            }
            let Some(address) = address.filter(|_| logical > 0) else {
                return Ok(DataLocation::Here(Storage::Contiguous { offset: None, length: 0 }));
            };
            let offset = context.file_offset(address);
            let short = length.is_some_and(|length| length < logical);
            if short || offset.checked_add(logical).is_none_or(|end| end > file.frontier.length()) {
                let reason = format!(
                    "{logical} bytes of contiguous data at {offset} are not all there (the file has {} bytes): the file is cut off or damaged",
                    file.frontier.length()
                );
                return Err(Hdf5Error::inconsistent("data layout", header.offset, reason));
            }
            Ok(DataLocation::Here(Storage::Contiguous { offset: Some(offset), length: logical }))
        }
        DataLayout::Chunked { chunk_shape, element_length, index, address, unfiltered_edges } => {
            let Dataspace::Simple { shape, max_shape } = dataspace else {
                return Err(Hdf5Error::inconsistent(
                    "data layout",
                    header.offset,
                    "chunks in a null dataspace",
                ));
            };
            if shape.len() != chunk_shape.len() || element_length != u64::from(datatype.length) {
                let reason = format!(
                    "chunks of {chunk_shape:?} elements of {element_length} bytes do not fit the array's shape and type"
                );
                return Err(Hdf5Error::inconsistent("data layout", header.offset, reason));
            }
            let grid =
                Grid::new(shape, max_shape, &chunk_shape, element_length).ok_or_else(|| {
                    Hdf5Error::inconsistent(
                        "data layout",
                        header.offset,
                        "a chunk has more than 2^64 bytes",
                    )
                })?;
            let mut table = match address {
                Some(address) => chunk_index::chunks(file, address, index, &grid).await?,
                None => ChunkTable::new(chunk_shape.len()),
            };
            if unfiltered_edges {
                mask_edges(&mut table, &grid, shape);
            }
            Ok(DataLocation::Here(Storage::Chunked { grid, table }))
        }
        DataLayout::Virtual { heap, index } => virtual_mappings(file, heap, index).await,
    }
}

async fn external(file: &File<'_>, files: ExternalDataFiles) -> Result<DataLocation> {
    let names = heap::read_local(file, files.heap).await?;
    let pieces = files.slots.into_iter().map(|slot| {
        let name = names.text(slot.name_offset)?;
        Ok(Piece { name, offset: slot.offset, length: slot.length })
    });
    Ok(DataLocation::External(pieces.collect::<Result<_>>()?))
}

async fn virtual_mappings(
    file: &File<'_>,
    heap: Option<Address>,
    index: u32,
) -> Result<DataLocation> {
    let Some(heap) = heap else { return Ok(DataLocation::Virtual(Vec::new())) };
    let object = heap::global(file, heap).await?.object(index)?;
    let offset = file.context.file_offset(heap);
    Ok(DataLocation::Virtual(parse_mappings(&object, offset, &file.context)?))
}

/// The elements of a dataset of variable-length strings; `None` when nothing is allocated.
async fn strings(file: &File<'_>, dataset: &Described, offset: u64) -> Result<Option<Vec<Bytes>>> {
    let DataLocation::Here(storage) = &dataset.storage else {
        let what = "decoding elements of this type that lie in other files";
        return Err(Hdf5Error::unsupported(STRUCTURE, offset, what));
    };
    let elements = elements::elements(file, dataset, storage, offset).await?;
    let Some(bytes) = elements else { return Ok(None) };
    let count = dataset.dataspace.count().unwrap_or(0);
    let heap = values::heap_objects(file, &dataset.datatype, count, &bytes, offset).await?;
    let strings = value::strings(&dataset.datatype, count, &bytes, offset, &file.context, &heap)?;
    Ok(Some(strings))
}
