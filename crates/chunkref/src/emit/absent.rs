// SPDX-License-Identifier: MIT OR Apache-2.0
//! Output formats that are left out of this build by its cargo features: their sets are told, and an error says what to do.

use chunkref_core::{Capability, Form, FormatOption, OptionType, Recording, ReferenceFormat};

chunkref_core::inventory::submit! {
    ReferenceFormat::absent(
        "icechunk",
        "icechunk",
        "references in an Icechunk repository",
        Form::Folder,
        "this build cannot read or write Icechunk repositories: build it with the cargo feature icechunk",
    )
    .with_zarr_version(3)
    .with_capabilities(&[Capability::History])
    .with_endings(&[".icechunk"])
    .with_marks(&[&["repo"], &["refs/branch.main/", "snapshots/"]])
    // As the format itself has them: they are taken, so that the error is that of the format.
    .with_options(&[BRANCH, MESSAGE])
}

const BRANCH: FormatOption = FormatOption::new(
    "icechunk.branch",
    OptionType::Text("NAME"),
    "branch of an Icechunk repository to commit to; one that is not there begins where main is",
)
.with_default("main")
.with_flag("branch")
.with_recording(Recording::Never);

const MESSAGE: FormatOption = FormatOption::new(
    "icechunk.message",
    OptionType::Text("TEXT"),
    "message of the commit to an Icechunk repository; a summary when it is not given",
)
.with_flag("message")
.with_recording(Recording::Never);
