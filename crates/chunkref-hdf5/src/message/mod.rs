// SPDX-License-Identifier: MIT OR Apache-2.0
//! Object header messages, one module each, named as in the specification. Spec: HDF5 File Format 3.0, IV.A.2.

pub(crate) mod attribute;
pub(crate) mod data_layout;
pub(crate) mod dataspace;
pub(crate) mod datatype;
pub(crate) mod external_data_files;
pub(crate) mod fill_value;
pub(crate) mod filter_pipeline;
pub(crate) mod link;
pub(crate) mod shared;

pub(crate) use attribute::Attribute;
pub(crate) use data_layout::DataLayout;
pub(crate) use dataspace::Dataspace;
pub(crate) use datatype::Datatype;
pub(crate) use fill_value::FillValue;
pub(crate) use filter_pipeline::Filter;

use chunkref_core::Cursor;

use crate::context::{Address, Context, expect_version};
use crate::error::Result;

/// Message type numbers.
pub(crate) mod kind {
    pub(crate) const DATASPACE: u16 = 0x0001;
    pub(crate) const LINK_INFO: u16 = 0x0002;
    pub(crate) const DATATYPE: u16 = 0x0003;
    pub(crate) const FILL_VALUE_OLD: u16 = 0x0004;
    pub(crate) const FILL_VALUE: u16 = 0x0005;
    pub(crate) const LINK: u16 = 0x0006;
    pub(crate) const EXTERNAL_DATA_FILES: u16 = 0x0007;
    pub(crate) const DATA_LAYOUT: u16 = 0x0008;
    pub(crate) const FILTER_PIPELINE: u16 = 0x000b;
    pub(crate) const ATTRIBUTE: u16 = 0x000c;
    pub(crate) const SHARED_MESSAGE_TABLE: u16 = 0x000f;
    pub(crate) const CONTINUATION: u16 = 0x0010;
    pub(crate) const SYMBOL_TABLE: u16 = 0x0011;
    pub(crate) const BTREE_K: u16 = 0x0013;
    pub(crate) const ATTRIBUTE_INFO: u16 = 0x0015;
    /// The highest number of the specification.
    pub(crate) const LAST: u16 = 0x0018;
}

/// Where an object keeps links or attributes that do not lie in its header: a fractal heap with indexes.
/// Spec: IV.A.2.c "Link Info", IV.A.2.v "Attribute Info".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DenseStorage {
    /// The fractal heap; `None` when nothing is stored densely.
    pub(crate) heap: Option<Address>,
    /// The version-2 B-tree that indexes it by name.
    pub(crate) name_index: Option<Address>,
}

impl DenseStorage {
    /// A link info message: the highest creation index takes 8 bytes.
    pub(crate) fn parse_link_info(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        Self::parse(cursor, context, 8)
    }

    /// An attribute info message: the highest creation index takes 2 bytes.
    pub(crate) fn parse_attribute_info(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        Self::parse(cursor, context, 2)
    }

    fn parse(
        cursor: &mut Cursor<'_>,
        context: &Context,
        creation_index_bytes: usize,
    ) -> Result<Self> {
        expect_version(cursor, &[0])?;
        if cursor.u8()? & 1 != 0 {
            cursor.skip(creation_index_bytes)?;
        }
        Ok(Self { heap: context.address(cursor)?, name_index: context.address(cursor)? })
    }
}

/// A group's B-tree and local heap. Spec: IV.A.2.r "Symbol Table".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SymbolTable {
    /// Version-1 B-tree of symbol table nodes.
    pub(crate) btree: Address,
    /// Local heap of names.
    pub(crate) heap: Address,
}

impl SymbolTable {
    pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        Ok(Self { btree: context.defined_address(cursor)?, heap: context.defined_address(cursor)? })
    }
}
