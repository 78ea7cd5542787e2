// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry of the format, and its options.

use chunkref_core::{Capability, FormatOption, OptionType, Recording, ReferenceFormat};

use crate::{METADATA, MOST_ROWS, ParquetEmitter, own, set};

/// References per partition.
pub const RECORD_SIZE_OPTION: FormatOption = FormatOption::new(
    "parquet.record-size",
    OptionType::Count { least: 1, most: MOST_ROWS },
    "references per Parquet file",
)
.with_default("100000")
.with_flag("record-size")
.with_recording(Recording::GivenAs("record-size"));

/// The format.
pub const ENTRY: ReferenceFormat = ReferenceFormat::folder(
    "kerchunk-parquet",
    "parquet",
    "kerchunk references in Parquet",
    || Box::new(ParquetEmitter::default()),
    || Box::new(set::Reader),
)
.with_endings(&[".parq", ".parquet"])
.with_marks(&[&[METADATA]])
.with_foreign(own::foreign)
.with_capabilities(&[
    Capability::Lazy,
    Capability::Inline,
    Capability::Remote,
    Capability::Provenance,
])
.with_options(&[RECORD_SIZE_OPTION]);
