// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chunk references in an Icechunk repository.
//!
//! Groups and arrays are Zarr v3, chunks are virtual references with the recorded tag or date of their object as checksum,
//! and the folders, buckets and servers that they lie in are the repository's virtual chunk containers, which a reader
//! has to allow. What is written is one commit to a branch, or several where there are too many references for one; the
//! branch moves when all of it is there.
//!
//! | module | holds |
//! |---|---|
//! | [`emitter`] | [`IcechunkEmitter`]: writes a new repository, or a commit to one that is there |
//! | [`reader`] | [`IcechunkReferences`]: reads metadata, and references when they are asked for |
//! | `entry` | what the registry of output formats has of it |
//! | `set` | what the registry of output formats opens: the reader, with the arrays that were looked into last |
//! | [`error`] | what can go wrong |
//!
//! Spec: <https://icechunk.io/en/latest/spec/>. New repositories are of version 1, which all releases of the Python
//! package read; those of version 2 are read and committed to.

#![warn(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod background;
mod commit;
mod container;
pub mod emitter;
mod entry;
pub mod error;
mod layout;
mod location;
pub mod reader;
mod repository;
#[cfg(test)]
mod round_trip;
mod set;
mod tree;

pub use emitter::IcechunkEmitter;
pub use entry::{BRANCH, ENTRY, MESSAGE};
pub use error::IcechunkError;
pub use reader::{IcechunkReferences, is_repository};

/// The branch that every repository has.
pub const MAIN: &str = "main";

chunkref_core::inventory::submit! { ENTRY }
