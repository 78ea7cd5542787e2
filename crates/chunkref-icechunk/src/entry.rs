// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry of the format, and its options.

use chunkref_core::{Capability, FormatOption, OptionType, Recording, ReferenceFormat};

use crate::{IcechunkEmitter, MAIN, repository, set};

/// The branch that is committed to.
pub const BRANCH: FormatOption = FormatOption::new(
    "icechunk.branch",
    OptionType::Text("NAME"),
    "branch of an Icechunk repository to commit to; one that is not there begins where main is",
)
.with_default(MAIN)
.with_flag("branch")
.with_recording(Recording::Never);

/// What the commit says.
pub const MESSAGE: FormatOption = FormatOption::new(
    "icechunk.message",
    OptionType::Text("TEXT"),
    "message of the commit to an Icechunk repository; a summary when it is not given",
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
