// SPDX-License-Identifier: MIT OR Apache-2.0
//! The on-disk description of a file's objects, which every engine fills and `lower` turns into the model.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::attributes::NamedAttribute;
use crate::chunk_index::{ChunkTable, Grid};
use crate::context::ObjectId;
use crate::error::Result;
use crate::inline::Encoding;
use crate::message::link::Link;
use crate::message::{Dataspace, Datatype, FillValue, Filter};
use crate::selection::Mapping;

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
