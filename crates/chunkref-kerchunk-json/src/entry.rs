// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry of the format, and its options.

use chunkref_core::{Capability, FormatOption, OptionType, Recording, ReferenceFormat};

use crate::emitter::{KerchunkJson, write_kerchunk_json};
use crate::{marks, reader};

/// Whether to write consolidated metadata.
pub const CONSOLIDATED: FormatOption = FormatOption::new(
    "json.consolidated",
    OptionType::Flag,
    "write consolidated metadata (.zmetadata), which zarr-python 3 needs to see nested groups",
)
.with_default("true")
.with_flag("no-consolidated")
.with_recording(Recording::Always("consolidated"));

/// Whether to write each URL once.
pub const TEMPLATES: FormatOption = FormatOption::new(
    "json.templates",
    OptionType::Flag,
    "write each URL once, as a template that readers expand",
)
.with_default("false")
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
