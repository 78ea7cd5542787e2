// SPDX-License-Identifier: MIT OR Apache-2.0
//! Output formats that are left out of this build by its cargo features: their sets are told, and an error says what to do.
//! A test compares what is said of each here with what the format says of itself, in builds that have it.

#[cfg(any(not(feature = "icechunk"), test))]
mod icechunk {
    use chunkref_core::{Capability, Form, FormatOption, OptionType, Recording, ReferenceFormat};

    #[cfg(not(feature = "icechunk"))]
    chunkref_core::inventory::submit! { ENTRY }

    pub(super) const ENTRY: ReferenceFormat = ReferenceFormat::absent(
        "icechunk",
        "icechunk",
        "references in an Icechunk repository",
        Form::Folder,
        "this build cannot read or write Icechunk repositories: build it with the cargo feature icechunk",
    )
    .with_zarr_version(3)
    .with_capabilities(&[
        Capability::History,
        Capability::Lazy,
        Capability::Inline,
        Capability::Provenance,
    ])
    .with_endings(&[".icechunk"])
    .with_marks(&[&["repo"], &["refs/branch.main/", "snapshots/"]])
    // As the format itself has them: they are taken, so that the error is that of the format.
    .with_options(&[BRANCH, MESSAGE])
    .with_version_option(BRANCH.name);

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

#[cfg(any(not(feature = "kerchunk-json"), test))]
mod kerchunk_json {
    use chunkref_core::{Capability, Form, FormatOption, OptionType, Recording, ReferenceFormat};

    #[cfg(not(feature = "kerchunk-json"))]
    chunkref_core::inventory::submit! { ENTRY }

    pub(super) const ENTRY: ReferenceFormat = ReferenceFormat::absent(
        "kerchunk-json",
        "json",
        "kerchunk references in JSON",
        Form::File,
        "this build cannot read or write kerchunk JSON: build it with the cargo feature kerchunk-json",
    )
    .with_endings(&[".json", ".json.gz", ".json.zst"])
    .with_capabilities(&[
        Capability::Inline,
        Capability::Remote,
        Capability::Provenance,
        Capability::Separate,
    ])
    .with_options(&[CONSOLIDATED, TEMPLATES])
    .with_fallback();

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

#[cfg(any(not(feature = "parquet"), test))]
mod parquet {
    use chunkref_core::{Capability, Form, FormatOption, OptionType, Recording, ReferenceFormat};

    #[cfg(not(feature = "parquet"))]
    chunkref_core::inventory::submit! { ENTRY }

    pub(super) const ENTRY: ReferenceFormat = ReferenceFormat::absent(
        "kerchunk-parquet",
        "parquet",
        "kerchunk references in Parquet",
        Form::Folder,
        "this build cannot read or write kerchunk Parquet: build it with the cargo feature parquet",
    )
    .with_endings(&[".parq", ".parquet"])
    .with_marks(&[&[".zmetadata"]])
    .with_capabilities(&[
        Capability::Lazy,
        Capability::Inline,
        Capability::Remote,
        Capability::Provenance,
    ])
    .with_options(&[RECORD_SIZE]);

    const RECORD_SIZE: FormatOption = FormatOption::new(
        "parquet.record-size",
        OptionType::Count { least: 1, most: 2_097_152 },
        "references per Parquet file",
    )
    .with_default("100000")
    .with_flag("record-size")
    .with_recording(Recording::GivenAs("record-size"));
}

#[cfg(test)]
mod tests {
    use chunkref_core::ReferenceFormat;

    /// All that an entry says of its format without the format's code.
    fn said(entry: &ReferenceFormat) -> String {
        let names = (entry.name, entry.word, entry.description, entry.form, entry.zarr_version);
        let told = (entry.endings, entry.marks, entry.capabilities);
        format!(
            "{names:?} {told:?} {:?} {:?} {}",
            entry.options, entry.version_option, entry.is_fallback
        )
    }

    #[test]
    fn what_is_said_of_a_format_that_is_left_out_is_what_it_says_itself() {
        let pairs: Vec<(ReferenceFormat, ReferenceFormat)> = vec![
            #[cfg(feature = "icechunk")]
            (super::icechunk::ENTRY, chunkref_icechunk::ENTRY),
            #[cfg(feature = "kerchunk-json")]
            (super::kerchunk_json::ENTRY, chunkref_kerchunk_json::ENTRY),
            #[cfg(feature = "parquet")]
            (super::parquet::ENTRY, chunkref_parquet::ENTRY),
        ];
        for (absent, own) in &pairs {
            assert_eq!(said(absent), said(own));
            assert!(absent.absence().is_some() && own.absence().is_none());
        }
    }
}
