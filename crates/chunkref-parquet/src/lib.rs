// SPDX-License-Identifier: MIT OR Apache-2.0
//! kerchunk Parquet: references in partitions that readers load when they need them.
//!
//! The layout is that of fsspec's `LazyReferenceMapper`: `.zmetadata` holds all metadata documents and the number of
//! references per partition (`record_size`); `<array>/refs.N.parq` holds the references of the chunks with the numbers
//! `N * record_size ..` (C order of the chunk grid), one row for each, in the columns `path`, `offset`, `size` and `raw`.
//!
//! | module | holds |
//! |---|---|
//! | [`emitter`] | [`ParquetEmitter`]: writes a folder, partitions in parallel |
//! | [`reader`] | [`ParquetReferences`]: reads the metadata, and partitions when they are asked for |
//! | `entry` | what the registry of output formats has of it |
//! | `set` | what the registry of output formats opens: the reader, with the partitions that were looked into last |
//! | [`error`] | what can go wrong |
//!
//! Spec: <https://fsspec.github.io/kerchunk/spec.html#parquet-references>.

#![warn(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

pub mod emitter;
mod entry;
pub mod error;
mod guard;
mod metadata;
mod own;
mod partition;
pub mod reader;
#[cfg(test)]
mod round_trip;
mod set;

pub use chunkref_core::Most;
pub use emitter::ParquetEmitter;
pub use entry::{ENTRY, RECORD_SIZE_OPTION};
pub use error::ParquetError;
pub use reader::{Files, LocalFiles, ParquetReferences, PartitionReferences};

/// References per partition when nobody says otherwise, as kerchunk's `refs_to_dataframe` has it.
pub const RECORD_SIZE: u64 = 100_000;

/// Most references of one partition that is written; a reader needs them in memory at once, and reads no more unless its
/// limit is another.
pub const MOST_ROWS: u64 = 1 << 21;

/// Name of the metadata document.
pub const METADATA: &str = ".zmetadata";

chunkref_core::inventory::submit! { ENTRY }
