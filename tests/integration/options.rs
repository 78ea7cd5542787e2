// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options of the HDF5 format that change what is in the references: links, names, text, pieces, files elsewhere.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::differential::answers;
use crate::environment::{chunkref, fixtures, said};

/// The references, and everything that was said.
fn scan(path: &Path, arguments: &[&str]) -> (Value, String) {
    let path = path.to_str().unwrap();
    let output =
        chunkref(["scan", path, "--stats", "--inline-threshold", "0"].iter().chain(arguments));
    assert!(output.status.success(), "{}", said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    (document["refs"].clone(), String::from_utf8(output.stderr).unwrap())
}

fn metadata(refs: &Value, array: &str) -> Value {
    let text = refs[format!("{array}/.zarray")].as_str().unwrap_or_else(|| panic!("no {array}"));
    serde_json::from_str(text).unwrap()
}

fn has(refs: &Value, array: &str) -> bool {
    refs.get(format!("{array}/.zarray")).is_some()
}

#[test]
fn links_are_followed_or_listed() {
    let path = fixtures("hdf5").join("links.v110.h5");
    let (followed, _) = scan(&path, &[]);
    let (skipped, words) = scan(&path, &["--links", "skip"]);
    let count = |refs: &Value| {
        refs.as_object().unwrap().keys().filter(|key| key.ends_with(".zarray")).count()
    };
    assert!(count(&followed) > count(&skipped), "{} and {}", count(&followed), count(&skipped));
    assert!(words.contains("hdf5.links=skip"), "{words}");
}

#[test]
fn a_variable_behind_a_dimension_goes_by_either_name() {
    let path = fixtures("netcdf4").join("coordinates.nc");
    let (refs, _) = scan(&path, &[]);
    let prefixed: Vec<&str> = refs
        .as_object()
        .unwrap()
        .keys()
        .filter_map(|key| key.strip_suffix("/.zarray")?.strip_prefix("_nc4_non_coord_"))
        .collect();
    assert!(!prefixed.is_empty(), "the fixture has such a variable");
    let (renamed, _) = scan(&path, &["--option", "hdf5.names=netcdf"]);
    for name in prefixed {
        assert!(has(&renamed, name) && !has(&renamed, &format!("_nc4_non_coord_{name}")), "{name}");
        assert_eq!(metadata(&renamed, name), metadata(&refs, &format!("_nc4_non_coord_{name}")));
    }
}

#[test]
fn references_become_paths_when_asked() {
    let path = fixtures("hdf5").join("references.v110.h5");
    let (refs, words) = scan(&path, &[]);
    assert!(!has(&refs, "objects"));
    assert!(words.contains("references to objects or regions"), "{words}");
    let (refs, _) = scan(&path, &["--option", "hdf5.references=paths"]);
    assert_eq!(metadata(&refs, "objects")["filters"][0]["id"], "vlen-utf8");
    let lines =
        answers(&[serde_json::json!({ "source": path, "inline": { "version": 1, "refs": refs } })]);
    for array in ["objects", "grid", "scalar"] {
        let line = lines.iter().find(|line| line["kind"] == "array" && line["path"] == array);
        assert_eq!(
            line.expect("a verdict on every array")["verdict"],
            "exact",
            "{array}: {line:?}"
        );
    }
}

#[test]
fn strings_are_padded_when_asked() {
    let path = fixtures("hdf5").join("strings.v110.h5");
    let (refs, _) = scan(&path, &["--option", "hdf5.strings=fixed"]);
    assert_eq!(metadata(&refs, "variable_grid")["dtype"], "|S300");
    let lines =
        answers(&[serde_json::json!({ "source": path, "inline": { "version": 1, "refs": refs } })]);
    for array in ["variable", "variable_ascii", "variable_grid", "variable_deflated"] {
        let dtype = metadata(&refs, array)["dtype"].clone();
        assert!(dtype.as_str().unwrap().starts_with("|S"), "{array}: {dtype}");
        let line = lines.iter().find(|line| line["kind"] == "array" && line["path"] == array);
        assert_eq!(
            line.expect("a verdict on every array")["verdict"],
            "exact",
            "{array}: {line:?}"
        );
    }
}

#[test]
fn members_that_are_arrays_or_compounds_become_fields_or_bytes() {
    let path = fixtures("hdf5").join("compounds.v110.h5");
    let (refs, words) = scan(&path, &[]);
    assert!(!has(&refs, "nested") && !has(&refs, "station"));
    assert!(words.contains("hdf5.members=flatten"), "{words}");
    let inner = serde_json::json!(["inner", "|V12"]);
    for (form, field) in
        [("flatten", serde_json::json!(["inner.deep.y_1_0", "<i2"])), ("bytes", inner)]
    {
        let (refs, _) = scan(&path, &["--option", &format!("hdf5.members={form}")]);
        let dtype = metadata(&refs, "nested")["dtype"].clone();
        assert!(dtype.as_array().unwrap().contains(&field), "{dtype}");
        let lines = answers(&[serde_json::json!({
            "source": path, "inline": { "version": 1, "refs": refs }, "members": form,
        })]);
        for array in ["nested", "station", "station_chunked", "scalar", "padded", "mixed"] {
            let line = lines.iter().find(|line| line["kind"] == "array" && line["path"] == array);
            assert_eq!(
                line.expect("a verdict on every array")["verdict"],
                "exact",
                "{form} {array}: {line:?}"
            );
        }
        assert!(lines.iter().any(|line| line["kind"] == "xarray" && line["verdict"] == "opened"));
        assert!(!has(&refs, "with_text") && !has(&refs, "with_sequence"));
    }
}

#[test]
fn contiguous_data_is_cut_on_request() {
    let path = fixtures("hdf5").join("contiguous.v1.h5");
    let (refs, _) = scan(&path, &["--split-contiguous", "64"]);
    let (shape, chunks) =
        (metadata(&refs, "cube")["shape"].clone(), metadata(&refs, "cube")["chunks"].clone());
    assert_ne!(shape, chunks);
    let lines =
        answers(&[serde_json::json!({ "source": path, "inline": { "version": 1, "refs": refs } })]);
    let arrays: Vec<_> = lines.iter().filter(|line| line["kind"] == "array").collect();
    assert!(arrays.len() > 3);
    assert!(arrays.iter().all(|line| line["verdict"] == "exact"), "{arrays:?}");
}

#[test]
fn files_elsewhere_are_read_only_from_allowed_folders() {
    let folder = tempfile::tempdir().unwrap();
    let (inner, outer) = (folder.path().join("inner"), folder.path().join("outer"));
    fs::create_dir_all(&inner).unwrap();
    fs::create_dir_all(&outer).unwrap();
    // An external link names its file relative to the folder of the file that has it.
    for entry in fs::read_dir(fixtures("hdf5")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("links.v110") {
            let folder = if name.contains("target") { &outer } else { &inner };
            fs::copy(&path, folder.join(&name)).unwrap();
        }
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        outer.join("links.v110.target.h5"),
        inner.join("links.v110.target.h5"),
    )
    .unwrap();
    #[cfg(not(unix))]
    return;
    let main = inner.join("links.v110.h5");
    let (refs, words) = scan(&main, &[]);
    assert!(
        words.contains("lies outside the folder") && words.contains("--allow-outside"),
        "{words}"
    );
    let (allowed, words) = scan(&main, &["--allow-outside", outer.to_str().unwrap()]);
    assert!(!words.contains("lies outside the folder"), "{words}");
    assert!(allowed.as_object().unwrap().len() > refs.as_object().unwrap().len());
}
