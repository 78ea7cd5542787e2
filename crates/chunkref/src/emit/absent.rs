// SPDX-License-Identifier: MIT OR Apache-2.0
//! Output formats that are left out of this build by its cargo features: their sets are told, and an error says what to do.

#[cfg(not(feature = "icechunk"))]
mod icechunk {
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
}

#[cfg(not(feature = "kerchunk-json"))]
mod kerchunk_json {
    use chunkref_core::{Form, FormatOption, OptionType, Recording, ReferenceFormat};

    chunkref_core::inventory::submit! {
        ReferenceFormat::absent(
            "kerchunk-json",
            "json",
            "kerchunk references in JSON",
            Form::File,
            "this build cannot read or write kerchunk JSON: build it with the cargo feature kerchunk-json",
        )
        .with_endings(&[".json", ".json.gz", ".json.zst"])
        .with_options(&[CONSOLIDATED, TEMPLATES])
        .with_fallback()
    }

    const CONSOLIDATED: FormatOption = FormatOption::new(
        "json.consolidated",
        OptionType::Flag,
        "write consolidated metadata (.zmetadata), which zarr-python 3 needs to see nested groups",
    )
    .with_default("true")
    .with_flag("no-consolidated")
    .with_recording(Recording::Always("consolidated"));

    const TEMPLATES: FormatOption = FormatOption::new(
        "json.templates",
        OptionType::Flag,
        "write each URL once, as a template that readers expand",
    )
    .with_default("false")
    .with_flag("templates")
    .with_recording(Recording::GivenAs("templates"));
}

#[cfg(not(feature = "parquet"))]
mod parquet {
    use chunkref_core::{Form, FormatOption, OptionType, Recording, ReferenceFormat};

    chunkref_core::inventory::submit! {
        ReferenceFormat::absent(
            "kerchunk-parquet",
            "parquet",
            "kerchunk references in Parquet",
            Form::Folder,
            "this build cannot read or write kerchunk Parquet: build it with the cargo feature parquet",
        )
        .with_endings(&[".parq", ".parquet"])
        .with_marks(&[&[".zmetadata"]])
        .with_options(&[RECORD_SIZE])
    }

    const RECORD_SIZE: FormatOption = FormatOption::new(
        "parquet.record-size",
        OptionType::Count { least: 1, most: u64::MAX },
        "references per Parquet file",
    )
    .with_default("100000")
    .with_flag("record-size")
    .with_recording(Recording::GivenAs("record-size"));
}
