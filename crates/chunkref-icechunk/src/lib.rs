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
pub mod error;
mod layout;
mod location;
pub mod reader;
mod repository;
#[cfg(test)]
mod round_trip;
mod set;
mod tree;

use chunkref_core::{Capability, OutputOption, Recording, ReferenceFormat};

pub use emitter::IcechunkEmitter;
pub use error::IcechunkError;
pub use reader::{IcechunkReferences, is_repository};

/// The branch that every repository has.
pub const MAIN: &str = "main";

/// The branch that is committed to.
pub const BRANCH: OutputOption = OutputOption::text(
    "icechunk.branch",
    "Branch of an Icechunk repository to commit to; one that is not there begins where main is.",
)
.with_default(MAIN)
.with_flag("branch")
.with_recording(Recording::Never);

/// What the commit says.
pub const MESSAGE: OutputOption = OutputOption::text(
    "icechunk.message",
    "Message of the commit to an Icechunk repository; a summary when it is not given.",
)
.with_flag("message")
.with_recording(Recording::Never);

/// The format.
pub const ENTRY: ReferenceFormat = ReferenceFormat::folder(
    "icechunk",
    "icechunk",
    "references in an Icechunk repository",
    || Box::new(IcechunkEmitter::default()),
    || Box::new(set::Reader),
)
.with_zarr_version(3)
.with_endings(&[".icechunk"])
// The files of version 2 and 1 of the format.
.with_marks(&[&["repo"], &["refs/branch.main/", "snapshots/"]])
.with_foreign(repository::foreign)
.with_capabilities(&[
    Capability::History,
    Capability::Lazy,
    Capability::Inline,
    Capability::Provenance,
])
.with_options(&[BRANCH, MESSAGE])
.with_version_option(BRANCH.name);

chunkref_core::inventory::submit! { ENTRY }
