// SPDX-License-Identifier: MIT OR Apache-2.0
//! What libhdf5 said of a file, as plain data: no handle of the library is left in it.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::datatype::FoundType;
use crate::chunk_index::ChunkTable;
use crate::context::Address;
use crate::error::Result;
use crate::message::Dataspace;
use crate::value::Value;

/// Every object that hard links lead to.
pub(super) type Found = BTreeMap<Address, Result<FoundObject>>;

/// One object.
#[derive(Debug)]
pub(super) struct FoundObject {
    pub(super) attributes: Result<Vec<FoundAttribute>>,
    pub(super) kind: FoundKind,
}

/// What an object is.
#[derive(Debug)]
pub(super) enum FoundKind {
    Group(Result<Vec<FoundLink>>),
    Dataset(Box<Result<FoundDataset>>),
    Datatype,
}

/// One link of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundLink {
    pub(super) name: String,
    pub(super) target: FoundTarget,
}

/// What kind of link it is, and where a hard one leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundTarget {
    Hard(Address),
    Soft,
    /// External or user-defined, which hdf5-metno does not tell apart.
    Other,
}

/// One attribute.
#[derive(Debug)]
pub(super) struct FoundAttribute {
    pub(super) name: String,
    pub(super) value: Result<FoundValue>,
}

/// An attribute's type, shape and elements.
#[derive(Debug)]
pub(super) struct FoundValue {
    pub(super) datatype: FoundType,
    pub(super) dataspace: Dataspace,
    /// The elements in C order; `None` when the safe interface does not read their type.
    pub(super) elements: Option<Vec<Value>>,
}

/// A dataset.
#[derive(Debug)]
pub(super) struct FoundDataset {
    pub(super) datatype: FoundType,
    /// Whether the transcript has fill value and filters too.
    pub(super) complete: bool,
    pub(super) dataspace: Dataspace,
    pub(super) fill_value: FoundFillValue,
    /// `None` when hdf5-metno does not take their parameters for possible ones.
    pub(super) filters: Option<Vec<FoundFilter>>,
    pub(super) storage: FoundStorage,
    /// The elements of a dataset of variable-length strings, when they are allocated in this file. libhdf5 fails on
    /// filters that it was not built with.
    pub(super) strings: Option<Result<Vec<Bytes>>>,
}

/// A fill value.
#[derive(Debug)]
pub(super) enum FoundFillValue {
    Default,
    Undefined,
    /// With its value, for numbers.
    Defined(Option<Value>),
}

/// A filter; libhdf5's own ones without their parameters, which the transcript has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FoundFilter {
    pub(super) id: u16,
    pub(super) values: Option<Vec<u32>>,
}

/// Where the elements are.
#[derive(Debug)]
pub(super) enum FoundStorage {
    /// In the object header; the transcript has a copy.
    Compact,
    Contiguous {
        offset: Option<u64>,
    },
    Chunked {
        chunk_shape: Vec<u64>,
        /// With the places as libhdf5 gives them, put right by `order_axes`.
        table: ChunkTable,
        unfiltered_edges: bool,
    },
    /// Names of files, and bytes from their starts.
    External {
        pieces: Vec<(String, u64)>,
    },
    Virtual,
}
