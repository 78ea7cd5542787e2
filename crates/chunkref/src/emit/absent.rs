// SPDX-License-Identifier: MIT OR Apache-2.0
//! Output formats that are left out of this build by its cargo features: their sets are told, and an error says what to do.

use chunkref_core::{Capability, Form, OutputOption, Recording, ReferenceFormat};

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
    .with_options(&[
        text("icechunk.branch", "branch", "Branch to commit to."),
        text("icechunk.message", "message", "Message of the commit."),
    ])
}

/// An option that is taken, so that the error is that of the format.
const fn text(name: &'static str, flag: &'static str, help: &'static str) -> OutputOption {
    OutputOption::text(name, help).with_flag(flag).with_recording(Recording::Never)
}
