// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chunk indexes: from a data layout to the place of every chunk. Spec: HDF5 File Format 3.0, VII.

pub(crate) mod btree_v1;
pub(crate) mod btree_v2;
mod collector;
pub(crate) mod extensible_array;
pub(crate) mod fixed_array;
pub(crate) mod implicit;
pub(crate) mod single_chunk;
mod table;

pub(crate) use collector::Collector;
pub(crate) use table::{Chunk, ChunkTable, Grid};
