// SPDX-License-Identifier: MIT OR Apache-2.0
//! kerchunk JSON: references and Zarr v2 metadata in one document, which fsspec's reference file system opens.
//!
//! Version 1 is written; versions 0 and 1 are read, plain or compressed by gzip or zstd.
//!
//! | module | holds |
//! |---|---|
//! | [`emitter`] | [`KerchunkJson`]: writes a file; [`write_kerchunk_json`]: writes to a stream |
//! | `reader` | opens a file, of this machine as a stream |
//! | `marks` | what tells such a file from others |
//! | `text` | the text of what may be compressed |
//!
//! Spec: <https://fsspec.github.io/kerchunk/spec.html>.

#![warn(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

pub mod emitter;
mod marks;
mod reader;
mod text;

use chunkref_core::{Capability, OutputOption, Recording, ReferenceFormat};

pub use emitter::{KerchunkJson, write_kerchunk_json};

/// Whether to write consolidated metadata.
pub const CONSOLIDATED: OutputOption = OutputOption::switch(
    "json.consolidated",
    true,
    "Write consolidated metadata (.zmetadata), which zarr-python 3 needs to see nested groups.",
)
.with_flag("no-consolidated")
.with_recording(Recording::Always("consolidated"));

/// Whether to write each URL once.
pub const TEMPLATES: OutputOption = OutputOption::switch(
    "json.templates",
    false,
    "Write each URL once, as a template that readers expand.",
)
.with_flag("templates")
.with_recording(Recording::GivenAs("templates"));

/// The format.
pub const ENTRY: ReferenceFormat = ReferenceFormat::file(
    "kerchunk-json",
    "json",
    "kerchunk references in JSON",
    || Box::new(KerchunkJson),
    || Box::new(reader::Reader),
)
.with_endings(&[".json", ".json.gz", ".json.zst"])
.with_begins(marks::begins)
.with_foreign(marks::foreign)
.with_capabilities(&[
    Capability::Inline,
    Capability::Remote,
    Capability::Provenance,
    Capability::Separate,
])
.with_options(&[CONSOLIDATED, TEMPLATES])
.with_stream(|dataset, options, output| write_kerchunk_json(dataset, options, output))
.with_fallback();

chunkref_core::inventory::submit! { ENTRY }
