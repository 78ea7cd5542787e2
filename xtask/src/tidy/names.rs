// SPDX-License-Identifier: MIT OR Apache-2.0
//! Crates that all formats share name no format and no codec: what they need to know is a fact of an entry.

use super::Findings;
use super::flags::literals;

const SHARED: [&str; 7] = [
    "chunkref",
    "chunkref-cli",
    "chunkref-combine",
    "chunkref-core",
    "chunkref-model",
    "chunkref-read",
    "chunkref-store",
];
const NAMES: [&str; 20] = [
    "hdf5",
    "libhdf5",
    "netcdf",
    "netcdf3",
    "netcdf4",
    "grib",
    "grib1",
    "grib2",
    "eccodes",
    "gribberish",
    "zlib",
    "gzip",
    "bz2",
    "zstd",
    "blosc",
    "shuffle",
    "bitshuffle",
    "fletcher32",
    "szip",
    "lzf",
];
/// Files that may, and why.
const EXCEPTIONS: [(&str, &str); 5] = [
    ("crates/chunkref/src/lib.rs", "the list of cargo features"),
    ("crates/chunkref-core/src/stranger.rs", "files that no format is for"),
    ("crates/chunkref-core/src/codec.rs", "an HDF5 filter's number is a fact of a codec"),
    ("crates/chunkref-cli/src/formats.rs", "the column of that fact"),
    ("crates/chunkref-model/src/zarr/v3/codec.rs", "codecs that Zarr v3 spells otherwise than v2"),
];

/// Check one file, if it is source of a shared crate; tests may name what they like.
pub(super) fn check(path: &str, text: &str, findings: &mut Findings) {
    let Some((name, file)) = path.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/"))
    else {
        return;
    };
    let Some(stem) = file.strip_suffix(".rs") else { return };
    let for_tests = ["tests", "testing", "round_trip"];
    if !SHARED.contains(&name)
        || for_tests.iter().any(|ending| stem.ends_with(ending))
        || EXCEPTIONS.iter().any(|(exception, _)| *exception == path)
    {
        return;
    }
    for (line, literal) in literals(text) {
        let mut words = literal.split(|letter: char| !letter.is_ascii_alphanumeric());
        if let Some(word) = words.find(|word| NAMES.contains(&word.to_lowercase().as_str())) {
            findings.fault(
                path,
                format!(
                    "line {line}: names {word}; ask the registry, or make it a fact of an entry"
                ),
            );
        }
    }
}

/// The one place where the Python package may use the command line crate: its console script.
const CONSOLE_SCRIPT: &str = "crates/chunkref-python/src/lib.rs";

/// The Python package is a front-end of its own, beside the command line.
pub(super) fn check_python(path: &str, text: &str, findings: &mut Findings) {
    if !path.starts_with("crates/chunkref-python/src/") {
        return;
    }
    let uses = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let uses = uses.filter(|line| line.contains("chunkref_cli")).count();
    if uses > 0 && path != CONSOLE_SCRIPT {
        findings.fault(path, "uses the command line crate, which is for the console script alone");
    }
    let script = text.contains("chunkref_cli::run(");
    if uses > 2 || (uses > 0 && path == CONSOLE_SCRIPT && !script) {
        findings.fault(path, "uses the command line crate for more than the console script");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> usize {
        let mut findings = Findings::default();
        check(path, text, &mut findings);
        check_python(path, text, &mut findings);
        findings.faults.len()
    }

    #[test]
    fn shared_crates_name_no_format() {
        for text in
            ["matches!(name, \"grib\" | \"x\")", "get(\"hdf5.engine\")", "\"of HDF5 files\""]
        {
            assert_eq!(faults("crates/chunkref/src/gather.rs", text), 1, "{text}");
            assert_eq!(faults("crates/chunkref-hdf5/src/options.rs", text), 0, "{text}");
            assert_eq!(faults("crates/chunkref/src/gather_tests.rs", text), 0, "{text}");
        }
        assert_eq!(faults("crates/chunkref/src/gather.rs", "// as \"grib\"\n\"a description\""), 0);
        assert_eq!(faults("crates/chunkref/src/lib.rs", "#[cfg(feature = \"hdf5\")]"), 0);
    }

    #[test]
    fn python_has_the_command_line_for_its_script_alone() {
        let script = "chunkref_cli::Console::of_process();\nchunkref_cli::run(words)";
        assert_eq!(faults("crates/chunkref-python/src/lib.rs", script), 0);
        assert_eq!(
            faults("crates/chunkref-python/src/lib.rs", "chunkref_cli::verify::document()"),
            1
        );
        assert_eq!(
            faults("crates/chunkref-python/src/lib.rs", &format!("{script}\nchunkref_cli::x()")),
            1
        );
        assert_eq!(
            faults("crates/chunkref-python/src/verify.rs", "chunkref_cli::verify::document()"),
            1
        );
    }
}
