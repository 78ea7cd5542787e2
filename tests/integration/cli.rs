// SPDX-License-Identifier: MIT OR Apache-2.0
//! The contract of the command line: where output goes, exit codes, messages, nothing half written.

use crate::environment::{chunkref, fixtures, program, said};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const DONE: i32 = 0;
const FAILED: i32 = 1;
const USAGE: i32 = 2;
const INCOMPLETE: i32 = 3;

/// A file of which everything can be referenced.
fn whole() -> PathBuf {
    fixtures("hdf5").join("deflate_and_shuffle.v1.h5")
}

/// A file with variables that no reference can say.
fn odd() -> PathBuf {
    fixtures("hdf5").join("variable_length.latest.h5")
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn scan<T: AsRef<OsStr>>(arguments: impl IntoIterator<Item = T>) -> Output {
    let mut all: Vec<_> = vec!["scan".into()];
    all.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
    chunkref(all)
}

#[track_caller]
fn expect(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
    let message = String::from_utf8_lossy(&output.stderr).to_lowercase();
    for word in words {
        assert!(message.contains(&word.to_lowercase()), "`{word}` is not in: {message}");
    }
}

#[track_caller]
fn references(bytes: &[u8]) -> Value {
    let document: Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!(document["version"], 1);
    assert!(document["refs"][".zgroup"].is_string(), "{document}");
    document["refs"].clone()
}

#[test]
fn one_input_goes_to_standard_output() {
    let plain = scan([whole()]);
    expect(&plain, DONE, &[]);
    let dash = scan([whole().as_os_str(), "-o".as_ref(), "-".as_ref()]);
    expect(&dash, DONE, &[]);
    assert!(!references(&plain.stdout).as_object().unwrap().is_empty());
    assert!(plain.stdout == dash.stdout);
}

#[test]
fn one_input_goes_to_the_file_named() {
    let folder = folder();
    let out = folder.path().join("one.json");
    let output = scan([whole().as_os_str(), "-o".as_ref(), out.as_os_str()]);
    expect(&output, DONE, &[]);
    assert!(output.stdout.is_empty());
    assert_eq!(fs::read(&out).unwrap(), scan([whole()]).stdout);
    assert_eq!(names(folder.path()), ["one.json"]);
}

#[test]
fn several_inputs_go_to_a_folder() {
    let folder = folder();
    let out = folder.path().join("refs");
    let output =
        scan([whole().as_os_str(), odd().as_os_str(), "-o".as_ref(), out.join("").as_os_str()]);
    expect(&output, DONE, &[]);
    let names = names(&out);
    assert_eq!(names.len(), 2, "{names:?}");
    for name in &names {
        assert!(
            name.strip_suffix(".json").is_some()
                && (name.starts_with("deflate_and_shuffle.v1")
                    || name.starts_with("variable_length.latest")),
            "{name}"
        );
        references(&fs::read(out.join(name)).unwrap());
    }
}

#[test]
fn a_pattern_stands_for_its_files() {
    let folder = folder();
    let out = folder.path().join("refs/");
    let pattern = fixtures("hdf5").join("fixed_array_10*.v110.h5");
    expect(&scan([pattern.as_os_str(), "-o".as_ref(), out.as_os_str()]), DONE, &[]);
    assert_eq!(names(&out).len(), 3, "{:?}", names(&out));
    expect(
        &scan([fixtures("hdf5").join("no-such-*.h5").as_os_str(), "-o".as_ref(), out.as_os_str()]),
        FAILED,
        &["no-such-*.h5"],
    );
}

#[test]
fn several_inputs_need_a_folder() {
    let folder = folder();
    let out = folder.path().join("one.json");
    expect(
        &scan([whole().as_os_str(), odd().as_os_str(), "-o".as_ref(), out.as_os_str()]),
        USAGE,
        &[],
    );
    expect(&scan([whole(), odd()]), USAGE, &[]);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for source in [
        whole(),
        odd(),
        fixtures("netcdf4").join("groups.nc"),
        fixtures("hdf5").join("many_links.v108.h5"),
    ] {
        let first = scan([&source]);
        expect(&first, DONE, &[]);
        assert!(first.stdout == scan([&source]).stdout, "{}", source.display());
    }
}

#[test]
fn local_paths_become_absolute_urls() {
    let source = whole();
    let output = Command::new(program())
        .arg("scan")
        .arg(source.file_name().unwrap())
        .args(["--inline-threshold", "0"])
        .current_dir(source.parent().unwrap())
        .output()
        .unwrap();
    expect(&output, DONE, &[]);
    let references = references(&output.stdout);
    let places: Vec<&str> = references
        .as_object()
        .unwrap()
        .values()
        .filter_map(|reference| reference[0].as_str())
        .collect();
    assert!(!places.is_empty());
    let wanted = format!("file://{}", source.display());
    assert!(places.iter().all(|place| *place == wanted), "{places:?}");
}

#[test]
fn small_chunks_are_inlined_below_the_threshold() {
    let placed = |threshold: &str| {
        let output = scan([whole().as_os_str(), "--inline-threshold".as_ref(), threshold.as_ref()]);
        expect(&output, DONE, &[]);
        references(&output.stdout)
            .as_object()
            .unwrap()
            .values()
            .filter(|reference| reference.is_array())
            .count()
    };
    let (none, usual, all) = (placed("0"), placed("500"), placed("1000000"));
    assert!(none > usual && usual > 0 && all == 0, "{none} {usual} {all}");
}

#[test]
fn strict_makes_skipped_variables_an_error() {
    let summary = chunkref(["inspect".as_ref(), odd().as_os_str(), "--json".as_ref()]);
    let summary: Value = serde_json::from_slice(&summary.stdout).unwrap();
    let skipped = summary["skipped"].as_array().unwrap();
    assert!(!skipped.is_empty());
    for skip in skipped {
        assert!(
            skip["path"].is_string()
                && !skip["reason"].as_str().unwrap().is_empty()
                && skip["kind"].is_string(),
            "{skip}"
        );
    }
    let first = skipped[0]["path"].as_str().unwrap();
    expect(&scan([odd().as_os_str(), "--strict".as_ref()]), INCOMPLETE, &[first]);
    expect(&scan([odd()]), DONE, &[]);
    expect(&scan([whole().as_os_str(), "--strict".as_ref()]), DONE, &[]);
}

#[test]
fn some_of_many_inputs_may_fail() {
    let folder = folder();
    let out = folder.path().join("refs/");
    let broken = folder.path().join("broken.h5");
    fs::write(&broken, b"not HDF5 at all, and longer than a signature").unwrap();
    let output = scan([whole().as_os_str(), broken.as_os_str(), "-o".as_ref(), out.as_os_str()]);
    expect(&output, INCOMPLETE, &["broken.h5"]);
    assert_eq!(names(&out).len(), 1, "{:?}", names(&out));
    let output = scan([
        broken.as_os_str(),
        folder.path().join("none.h5").as_os_str(),
        "-o".as_ref(),
        folder.path().join("other/").as_os_str(),
    ]);
    expect(&output, FAILED, &["broken.h5", "none.h5"]);
}

#[test]
fn quiet_says_nothing_and_stats_say_what_it_cost() {
    let quiet = scan([odd().as_os_str(), "--quiet".as_ref()]);
    expect(&quiet, DONE, &[]);
    assert!(quiet.stderr.is_empty(), "{}", said(&quiet));
    expect(
        &scan([whole().as_os_str(), "--stats".as_ref()]),
        DONE,
        &["rounds", "requests", "bytes"],
    );
}

#[test]
fn wrong_usage_is_told_apart() {
    expect(&chunkref(["scan"]), USAGE, &["usage"]);
    expect(&chunkref(["frobnicate"]), USAGE, &["frobnicate"]);
    expect(
        &scan([whole().as_os_str(), "--inline-threshold".as_ref(), "many".as_ref()]),
        USAGE,
        &["many"],
    );
    expect(&chunkref(["--help"]), DONE, &[]);
    expect(
        &scan([whole().as_os_str(), "--format".as_ref(), "no-such-format".as_ref()]),
        USAGE,
        &["no-such-format"],
    );
}

#[test]
fn formats_are_listed() {
    let output = chunkref(["formats"]);
    expect(&output, DONE, &[]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("hdf5"));
}

#[test]
fn inspect_says_what_is_inside() {
    let output = chunkref(["inspect".as_ref(), fixtures("netcdf4").join("groups.nc").as_os_str()]);
    expect(&output, DONE, &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    for word in ["hdf5", "forecast", "wind", "3", "zlib"] {
        assert!(text.contains(word), "`{word}` is not in {text}");
    }
    let output = chunkref([
        "inspect".as_ref(),
        fixtures("netcdf4").join("groups.nc").as_os_str(),
        "--json".as_ref(),
    ]);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let arrays = summary["arrays"].as_array().unwrap();
    let wind = arrays
        .iter()
        .find(|array| array["path"] == "forecast/wind")
        .expect("an array `forecast/wind`");
    assert_eq!(wind["shape"], serde_json::json!([3, 2, 5]));
}

/// Scan something that cannot be scanned: the message names it, and nothing is left behind.
#[track_caller]
fn refused(source: &Path, words: &[&str]) {
    let folder = folder();
    let out = folder.path().join("out.json");
    let name = source.file_name().unwrap().to_string_lossy();
    let output = scan([source.as_os_str(), "-o".as_ref(), out.as_os_str()]);
    expect(&output, FAILED, &[&name]);
    expect(&output, FAILED, words);
    assert!(output.stdout.is_empty());
    assert!(names(folder.path()).is_empty(), "left behind: {:?}", names(folder.path()));
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = folder();
    refused(&folder.path().join("nowhere.h5"), &["no such file"]);
    refused(folder.path(), &["folder"]);
}

#[test]
fn what_is_no_hdf5_is_refused() {
    let folder = folder();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    refused(&write("empty.h5", b""), &["empty"]);
    refused(&write("text.nc", b"time,temperature\n2020-07-28,300.1\n"), &["format", "hdf5"]);
    refused(&write("zeros.h5", &[0; 4096]), &["format"]);
    let whole = fs::read(whole()).unwrap();
    refused(&write("signature.h5", &whole[..8]), &["byte"]);
    refused(&write("header.h5", &whole[..60]), &["byte"]);
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let path = folder.path().join("secret.h5");
    fs::copy(whole(), &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::read(&path).is_ok() {
        expect(&scan([&path]), DONE, &[]); // root reads everything
    } else {
        refused(&path, &["permission denied"]);
    }
}

#[test]
fn an_output_that_cannot_be_written_is_refused() {
    let folder = folder();
    let out = folder.path().join("no/such/folder/out.json");
    fs::write(folder.path().join("no"), b"a file where a folder is wanted").unwrap();
    let output = scan([whole().as_os_str(), "-o".as_ref(), out.as_os_str()]);
    expect(&output, FAILED, &["out.json"]);
    assert_eq!(names(folder.path()), ["no"]);
}

#[test]
fn formats_lists_all_that_is_linked_in() {
    let text = String::from_utf8(chunkref(["formats"]).stdout).unwrap();
    for words in ["CODEC", "numcodecs.zlib", "--record-size", "32001", "decode encode"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let all: Value = serde_json::from_slice(&chunkref(["formats", "--json"]).stdout).unwrap();
    let find = |kind: &str, name: &str| {
        let entries = all[kind].as_array().unwrap().iter();
        entries.clone().find(|entry| entry["name"] == name).unwrap().clone()
    };
    let zstd = find("codecs", "zstd");
    assert_eq!((&zstd["zarr_v3"], &zstd["hdf5_filter"]), (&"zstd".into(), &32015.into()));
    assert_eq!(find("codecs", "fletcher32")["longer_by"], 4);
    assert_eq!(find("outputs", "kerchunk-parquet")["options"][0]["flags"][0], "--record-size");
    assert!(find("formats", "grib")["aliases"].to_string().contains("grib2"));
}

#[test]
fn an_ending_of_no_format_is_told() {
    let folder = folder();
    let whole = whole();
    for (name, is_told) in [("a.foo", true), ("a.refs.csv", true), ("a.json", false), ("a", false)]
    {
        let output = folder.path().join(name);
        let ran = scan([whole.as_os_str(), "-o".as_ref(), output.as_os_str()]);
        expect(&ran, DONE, &[]);
        assert_eq!(
            said(&ran).contains("no output format has names that end in"),
            is_told,
            "{name}"
        );
    }
    // What is named is meant.
    let output = folder.path().join("b.foo");
    let words = ["-o".as_ref(), output.as_os_str(), "--to".as_ref(), "json".as_ref()];
    let ran = scan([whole.as_os_str()].into_iter().chain(words));
    expect(&ran, DONE, &[]);
    assert!(!said(&ran).contains("no output format"), "{}", said(&ran));
    let ran = scan([whole.as_os_str(), "--output-option".as_ref(), "parquet.rec=1".as_ref()]);
    expect(&ran, USAGE, &["did you mean \"parquet.record-size\"?"]);
    assert!(!said(&ran).contains("json.templates"), "{}", said(&ran));
}
