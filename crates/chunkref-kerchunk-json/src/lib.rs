// SPDX-License-Identifier: MIT OR Apache-2.0
//! kerchunk JSON: references and Zarr v2 metadata in one document, which fsspec's reference file system opens.
//!
//! Version 1 is written; versions 0 and 1 are read, plain or compressed by gzip or zstd.
//!
//! | module | holds |
//! |---|---|
//! | [`document`] | the grammar: written as a stream, read within limits, templates and generators expanded |
//! | [`emitter`] | [`KerchunkJson`]: writes a file; [`write_kerchunk_json`]: writes to a stream |
//! | `reader` | opens a file, of this machine as a stream |
//! | `entry` | what the registry of output formats has of it |
//! | `marks` | what tells such a file from others |
//! | `text` | the text of what may be compressed |
//!
//! Spec: <https://fsspec.github.io/kerchunk/spec.html>.

#![warn(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

pub mod document;
pub mod emitter;
mod entry;
mod marks;
mod reader;
mod text;

pub use document::{
    ReadError, ReadLimits, TemplateError, WriteError, WriteOptions, Written, read, read_within,
    write,
};
pub use emitter::{KerchunkJson, write_kerchunk_json};
pub use entry::{CONSOLIDATED, ENTRY, TEMPLATES};

chunkref_core::inventory::submit! { ENTRY }
