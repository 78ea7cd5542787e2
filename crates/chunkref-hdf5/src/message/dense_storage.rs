// SPDX-License-Identifier: MIT OR Apache-2.0
//! Link info and attribute info. Spec: HDF5 File Format 3.0, IV.A.2.c, IV.A.2.v.

use chunkref_core::Cursor;

use super::kind;
use crate::context::{Address, Context, expect_version};
use crate::error::{Hdf5Error, Result};
use crate::object_header::ObjectHeader;

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
    /// Heap and name index of links that do not lie in the header, if there are such.
    pub(crate) fn links(
        header: &ObjectHeader,
        context: &Context,
    ) -> Result<Option<(Address, Address)>> {
        let Some(message) = header.message(kind::LINK_INFO) else { return Ok(None) };
        let storage = Self::parse_link_info(&mut message.cursor("link info"), context)?;
        storage.places(message.offset)
    }

    /// Heap and name index of attributes that do not lie in the header, if there are such.
    pub(crate) fn attributes(
        header: &ObjectHeader,
        context: &Context,
    ) -> Result<Option<(Address, Address)>> {
        let Some(message) = header.message(kind::ATTRIBUTE_INFO) else { return Ok(None) };
        let storage = Self::parse_attribute_info(&mut message.cursor("attribute info"), context)?;
        storage.places(message.offset)
    }

    fn places(self, offset: u64) -> Result<Option<(Address, Address)>> {
        match (self.heap, self.name_index) {
            (Some(heap), Some(index)) => Ok(Some((heap, index))),
            (None, _) => Ok(None),
            (Some(_), None) => {
                let reason = "a fractal heap without a name index";
                Err(Hdf5Error::inconsistent("dense storage", offset, reason))
            }
        }
    }

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
