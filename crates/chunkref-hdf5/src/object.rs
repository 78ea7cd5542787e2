// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a file's objects are, in the stages of a scan: as described by an engine, and with data in other files found.
//!
//! [`Described`] is what every engine fills, [`Dataset`] what `resolve` makes of it, and `lower` turns that into the model.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::attributes::NamedAttribute;
use crate::chunk_index::{ChunkTable, Grid};
use crate::context::ObjectId;
use crate::error::Result;
use crate::message::link::Link;
use crate::message::{Dataspace, Datatype, FillValue, Filter};
use crate::selection::Mapping;
use crate::value::Value;

/// The beginning of the NAME attribute of a scale that is a dimension and no variable.
const NOT_A_VARIABLE: &str = "This is a netCDF dimension but not a netCDF variable";

/// All objects, with what was read of them; `D` is the stage that datasets are in.
pub(crate) type Objects<D> = BTreeMap<ObjectId, Result<Object<D>>>;

/// A dataset as an engine describes it.
pub(crate) type Described = Dataset<DataLocation>;

/// An object of the file.
#[derive(Debug)]
pub(crate) struct Object<D> {
    /// Where its header is, in bytes from the start of the file.
    pub(crate) offset: u64,
    pub(crate) attributes: Result<Vec<NamedAttribute>>,
    pub(crate) kind: ObjectKind<D>,
}

/// What an object is.
#[derive(Debug)]
pub(crate) enum ObjectKind<D> {
    Group(Result<Vec<Link>>),
    Dataset(Box<Result<D>>),
    /// A committed datatype, which only other objects use.
    Datatype,
}

impl<D> Object<D> {
    /// The values of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&[Value]> {
        let attribute =
            self.attributes.as_ref().ok()?.iter().find(|attribute| attribute.name == name)?;
        attribute.value.as_ref().ok().map(|value| value.values.as_slice())
    }

    /// An attribute that is one text.
    fn text(&self, name: &str) -> Option<&str> {
        match self.attribute(name)? {
            [Value::Text(text)] => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// Whether the object is a dimension scale.
    pub(crate) fn is_scale(&self) -> bool {
        self.text("CLASS") == Some("DIMENSION_SCALE")
    }

    /// Whether the object is a NetCDF-4 dimension without a variable, which no NetCDF reader shows.
    pub(crate) fn is_dimension_only(&self) -> bool {
        self.is_scale() && self.text("NAME").is_some_and(|name| name.starts_with(NOT_A_VARIABLE))
    }

    /// The dataset, if it is one that can be read.
    pub(crate) fn dataset(&self) -> Option<&D> {
        match &self.kind {
            ObjectKind::Dataset(dataset) => dataset.as_ref().as_ref().ok(),
            _ => None,
        }
    }
}

impl<D> ObjectKind<D> {
    /// A dataset that can be read; anything else is the same in every stage.
    pub(crate) fn into_dataset<E>(self) -> Result<D, ObjectKind<E>> {
        match self {
            Self::Group(links) => Err(ObjectKind::Group(links)),
            Self::Datatype => Err(ObjectKind::Datatype),
            Self::Dataset(dataset) => {
                (*dataset).map_err(|error| ObjectKind::Dataset(Box::new(Err(error))))
            }
        }
    }
}

/// The next stage of all objects: `next` gives that of each dataset that can be read.
pub(crate) fn map_datasets<D, E>(
    objects: Objects<D>,
    mut next: impl FnMut(ObjectId, D) -> E,
) -> Objects<E> {
    let one = |(id, object): (ObjectId, Result<Object<D>>)| {
        let object = object.map(|Object { offset, attributes, kind }| {
            let kind = kind.into_dataset().map_or_else(
                |other| other,
                |dataset| ObjectKind::Dataset(Box::new(Ok(next(id, dataset)))),
            );
            Object { offset, attributes, kind }
        });
        (id, object)
    };
    objects.into_iter().map(one).collect()
}

/// A dataset: its description and where its elements are, in open files unless `S` says otherwise.
#[derive(Debug)]
pub(crate) struct Dataset<S = Storage> {
    pub(crate) datatype: Datatype,
    pub(crate) dataspace: Dataspace,
    pub(crate) fill_value: FillValue,
    /// In the order in which they are applied when writing.
    pub(crate) filters: Vec<Filter>,
    pub(crate) storage: S,
    /// Every element of a dataset of variable-length strings, in C order.
    pub(crate) strings: Option<Vec<Bytes>>,
}

impl<S> Dataset<S> {
    /// The dataset without its storage, and that.
    pub(crate) fn split(self) -> (Dataset<()>, S) {
        let Self { datatype, dataspace, fill_value, filters, storage, strings } = self;
        (Dataset { datatype, dataspace, fill_value, filters, storage: (), strings }, storage)
    }

    /// The dataset with other storage.
    pub(crate) fn with_storage<T>(self, storage: T) -> Dataset<T> {
        let Self { datatype, dataspace, fill_value, filters, storage: _, strings } = self;
        Dataset { datatype, dataspace, fill_value, filters, storage, strings }
    }
}

/// Where a dataset's elements are, as its file has it.
#[derive(Debug, Clone)]
pub(crate) enum DataLocation {
    /// In the file itself.
    Here(Storage),
    /// In other files, one piece after another.
    External(Vec<Piece>),
    /// In other datasets.
    Virtual(Vec<Mapping>),
}

/// Where a dataset's elements are.
#[derive(Debug, Clone)]
pub(crate) enum Storage {
    /// In the object header, or copied from elsewhere.
    Compact(Bytes),
    /// In one block; `offset` from the start of the file is `None` when nothing is allocated.
    Contiguous { offset: Option<u64>, length: u64 },
    /// In chunks.
    Chunked { grid: Grid, table: ChunkTable },
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
