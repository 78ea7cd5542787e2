// SPDX-License-Identifier: MIT OR Apache-2.0
//! Symbol table. Spec: HDF5 File Format 3.0, IV.A.2.r.

use chunkref_core::Cursor;

use crate::context::{Address, Context};
use crate::error::Result;

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
