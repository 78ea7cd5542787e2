// SPDX-License-Identifier: MIT OR Apache-2.0
//! The on-disk description of a file's objects, which every engine fills and `lower` turns into the model.

use std::collections::BTreeMap;

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::attributes::NamedAttribute;
use crate::chunk_index::{ChunkTable, Grid};
use crate::context::{Address, ObjectId};
use crate::error::{Hdf5Error, Result};
use crate::file::File;
use crate::heap::local::LocalHeap;
use crate::inline::Encoding;
use crate::message::datatype::Class;
use crate::message::external_data_files::ExternalDataFiles;
use crate::message::link::Link;
use crate::message::{DataLayout, Dataspace, Datatype, FillValue, Filter, filter_pipeline, kind};
use crate::object_header::ObjectHeader;
use crate::selection::{Mapping, parse_mappings};
use crate::value::{heap_bytes, sequence};

/// An object of the file.
#[derive(Debug)]
pub(crate) struct Object {
    /// Where its header is, in bytes from the start of the file.
    pub(crate) offset: u64,
    pub(crate) attributes: Result<Vec<NamedAttribute>>,
    pub(crate) kind: ObjectKind,
}

/// What an object is.
#[derive(Debug)]
pub(crate) enum ObjectKind {
    Group(Result<Vec<Link>>),
    Dataset(Box<Result<Dataset>>),
    /// A committed datatype, which only other objects use.
    Datatype,
}

/// A dataset: its description and where its elements are.
#[derive(Debug)]
pub(crate) struct Dataset {
    pub(crate) datatype: Datatype,
    pub(crate) dataspace: Dataspace,
    pub(crate) fill_value: FillValue,
    /// In the order in which they are applied when writing.
    pub(crate) filters: Vec<Filter>,
    pub(crate) storage: Storage,
    /// Bytes of small or odd chunks, by row of the chunk table (row 0 of contiguous storage), to store inline.
    pub(crate) inline: BTreeMap<usize, Bytes>,
    /// What `inline` and the chunks in the file went through.
    pub(crate) encoding: Encoding,
    /// Every element of a dataset of variable-length strings, in C order.
    pub(crate) strings: Option<Vec<Bytes>>,
}

/// Where a dataset's elements are.
#[derive(Debug, Clone)]
pub(crate) enum Storage {
    /// In the object header.
    Compact(Bytes),
    /// In one block; `offset` from the start of the file is `None` when nothing is allocated.
    Contiguous { offset: Option<u64>, length: u64 },
    /// In chunks.
    Chunked { grid: Grid, table: ChunkTable },
    /// In other files, one piece after another.
    External(Vec<Piece>),
    /// In other datasets.
    Virtual(Vec<Mapping>),
}

/// A piece of an external file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The file, as the dataset names it.
    pub(crate) name: String,
    /// Bytes from the start of that file.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) length: u64,
}

impl ObjectHeader {
    /// Whether the object is a dataset.
    pub(crate) fn is_dataset(&self) -> bool {
        self.message(kind::DATA_LAYOUT).is_some()
    }
}

impl File<'_> {
    /// Reads everything about a dataset but its attributes.
    pub(crate) async fn dataset(&self, header: &ObjectHeader) -> Result<Dataset> {
        let context = &self.context;
        let missing = |what: &str| {
            Hdf5Error::inconsistent("dataset", header.offset, format!("there is no {what} message"))
        };
        let message = header.message(kind::DATATYPE).ok_or_else(|| missing("datatype"))?;
        let datatype =
            Datatype::parse(&mut self.resolve(message).await?.cursor("datatype"), context)?;
        let message = header.message(kind::DATASPACE).ok_or_else(|| missing("dataspace"))?;
        let dataspace =
            Dataspace::parse(&mut self.resolve(message).await?.cursor("dataspace"), context)?;
        let fill_value = self.fill_value(header).await?;
        let filters = match header.message(kind::FILTER_PIPELINE) {
            Some(message) => {
                filter_pipeline::parse(&mut self.resolve(message).await?.cursor("filter pipeline"))?
            }
            None => Vec::new(),
        };
        let message = header.message(kind::DATA_LAYOUT).ok_or_else(|| missing("data layout"))?;
        let layout = DataLayout::parse(&mut message.cursor("data layout"), context)?;
        let mut dataset = Dataset {
            storage: self.storage(header, layout, &datatype, &dataspace).await?,
            datatype,
            dataspace,
            fill_value,
            filters,
            inline: BTreeMap::new(),
            encoding: Encoding::default(),
            strings: None,
        };
        if matches!(dataset.datatype.class, Class::VariableLengthString { .. }) {
            dataset.strings = self.strings(&dataset, header.offset).await?;
        }
        Ok(dataset)
    }

    async fn fill_value(&self, header: &ObjectHeader) -> Result<FillValue> {
        if let Some(message) = header.message(kind::FILL_VALUE) {
            return FillValue::parse(&mut self.resolve(message).await?.cursor("fill value"));
        }
        match header.message(kind::FILL_VALUE_OLD) {
            Some(message) => {
                FillValue::parse_old(&mut self.resolve(message).await?.cursor("fill value"))
            }
            None => Ok(FillValue::Default),
        }
    }

    async fn storage(
        &self,
        header: &ObjectHeader,
        layout: DataLayout,
        datatype: &Datatype,
        dataspace: &Dataspace,
    ) -> Result<Storage> {
        let context = &self.context;
        let logical =
            dataspace.count().and_then(|count| count.checked_mul(u64::from(datatype.length)));
        let Some(logical) = logical else {
            return Err(Hdf5Error::inconsistent(
                "dataspace",
                header.offset,
                "the array has more than 2^64 bytes",
            ));
        };
        match layout {
            DataLayout::Compact(bytes) if (bytes.len() as u64) < logical => {
                let reason =
                    format!("{} bytes of compact data where {logical} must be", bytes.len());
                Err(Hdf5Error::inconsistent("data layout", header.offset, reason))
            }
            DataLayout::Compact(bytes) => {
                Ok(Storage::Compact(bytes.slice(..usize::try_from(logical).unwrap_or(usize::MAX))))
            }
            DataLayout::Contiguous { address, length } => {
                if let Some(message) = header.message(kind::EXTERNAL_DATA_FILES) {
                    let files = ExternalDataFiles::parse(
                        &mut message.cursor("external data files"),
                        context,
                    )?;
                    return self.external(files).await;
                }
                let Some(address) = address.filter(|_| logical > 0) else {
                    return Ok(Storage::Contiguous { offset: None, length: 0 });
                };
                let offset = context.file_offset(address);
                let short = length.is_some_and(|length| length < logical);
                if short
                    || offset.checked_add(logical).is_none_or(|end| end > self.frontier.length())
                {
                    let reason = format!(
                        "{logical} bytes of contiguous data at {offset} are not all there (the file has {} bytes): the file is cut off or damaged",
                        self.frontier.length()
                    );
                    return Err(Hdf5Error::inconsistent("data layout", header.offset, reason));
                }
                Ok(Storage::Contiguous { offset: Some(offset), length: logical })
            }
            DataLayout::Chunked {
                chunk_shape,
                element_length,
                index,
                address,
                unfiltered_edges,
            } => {
                let Dataspace::Simple { shape, max_shape } = dataspace else {
                    return Err(Hdf5Error::inconsistent(
                        "data layout",
                        header.offset,
                        "chunks in a null dataspace",
                    ));
                };
                if shape.len() != chunk_shape.len() || element_length != u64::from(datatype.length)
                {
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
                    Some(address) => self.chunks(address, index, &grid).await?,
                    None => ChunkTable::new(chunk_shape.len()),
                };
                if unfiltered_edges {
                    mask_edges(&mut table, &grid, shape);
                }
                Ok(Storage::Chunked { grid, table })
            }
            DataLayout::Virtual { heap, index } => self.virtual_mappings(heap, index).await,
        }
    }

    async fn external(&self, files: ExternalDataFiles) -> Result<Storage> {
        let names = LocalHeap::read(self, files.heap).await?;
        let pieces = files.slots.into_iter().map(|slot| {
            let name = names.text(slot.name_offset)?;
            Ok(Piece { name, offset: slot.offset, length: slot.length })
        });
        Ok(Storage::External(pieces.collect::<Result<_>>()?))
    }

    async fn virtual_mappings(&self, heap: Option<Address>, index: u32) -> Result<Storage> {
        let Some(heap) = heap else { return Ok(Storage::Virtual(Vec::new())) };
        let object = self.global_heap(heap).await?.object(index)?;
        let offset = self.context.file_offset(heap);
        Ok(Storage::Virtual(parse_mappings(&object, offset, &self.context)?))
    }

    /// The elements of a dataset of variable-length strings; `None` when nothing is allocated.
    async fn strings(&self, dataset: &Dataset, offset: u64) -> Result<Option<Vec<Bytes>>> {
        let Some(bytes) = self.elements(dataset, offset).await? else { return Ok(None) };
        let count = dataset.dataspace.count().unwrap_or(0);
        let heap = self.heap_objects(&dataset.datatype, count, &bytes, offset).await?;
        let mut cursor = Cursor::new(&bytes, offset, "variable-length strings");
        let mut strings = Vec::new();
        for _ in 0..count {
            let mut element =
                cursor.slice(u64::from(dataset.datatype.length), "variable-length string")?;
            let (length, id) = sequence(&mut element, &self.context)?;
            strings.push(heap_bytes(length, id, 1, &heap, offset)?);
        }
        Ok(Some(strings))
    }
}

/// Chunks that reach past the array's edge skipped all filters: says so in their masks.
pub(crate) fn mask_edges(table: &mut ChunkTable, grid: &Grid, shape: &[u64]) {
    for row in 0..table.len() {
        let Some(chunk) = table.get(row) else { continue };
        let partial = chunk.chunk_indices.iter().zip(&grid.chunk_shape).zip(shape).any(
            |((&index, &chunk), &length)| index.saturating_add(1).saturating_mul(chunk) > length,
        );
        if partial {
            table.set_filter_mask(row, u32::MAX);
        }
    }
}

/// All objects, with what was read of them.
pub(crate) type Objects = BTreeMap<ObjectId, Result<Object>>;
