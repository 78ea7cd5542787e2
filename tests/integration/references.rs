// SPDX-License-Identifier: MIT OR Apache-2.0
//! References in one form and in another: what one reader sees in JSON, it sees in Parquet, and conversion loses nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::environment::{chunkref, corpus, files, fixtures, python, said, script};

/// Scans every file into JSON and Parquet of small partitions, converts both ways, and lets fsspec compare the two.
#[track_caller]
fn compare(sources: &[PathBuf], options: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let json = folder.path().join(format!("{number}.json"));
        let ran = chunkref(
            [
                "scan".as_ref(),
                source.as_os_str(),
                "--quiet".as_ref(),
                "-o".as_ref(),
                json.as_os_str(),
            ]
            .into_iter()
            .chain(options.iter().map(AsRef::as_ref)),
        );
        assert!(ran.status.success(), "{}", said(&ran));
        let parquet = folder.path().join(format!("{number}.parq"));
        convert(&json, &parquet, &["--record-size", "40"]);
        let again = folder.path().join("again.json.zst");
        convert(&parquet, &again, &[]);
        let plain = folder.path().join("again.json");
        convert(&again, &plain, &[]);
        assert_eq!(
            fs::read(&plain).unwrap(),
            fs::read(&json).unwrap(),
            "{}: conversion there and back",
            source.display()
        );
        arguments.extend([json, parquet]);
    }
    let output = Command::new(python()).arg(script("parquet_check.py")).args(arguments).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["differences"], serde_json::json!([]), "{report:#}");
    report
}

#[track_caller]
fn convert(from: &Path, to: &Path, options: &[&str]) {
    let ran = chunkref(
        ["convert".as_ref(), from.as_os_str(), to.as_os_str()]
            .into_iter()
            .chain(options.iter().map(AsRef::as_ref)),
    );
    assert!(ran.status.success(), "{}", said(&ran));
}

#[test]
fn parquet_reads_as_json_does() {
    let mut sources = files(&fixtures("netcdf4"), &["nc"]);
    sources.extend(files(&fixtures("hdf5"), &["h5"]).into_iter().filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        let of_interest = [
            "compounds.v1",
            "dataspaces.v1",
            "deflate_and_shuffle.v1",
            "fill_values.v1",
            "filter_masks.v1",
            "fixed_array_holes",
            "extensible_holes",
            "extensible_axes",
            "strings.v1",
            "complex_numbers.v1",
        ];
        of_interest.iter().any(|start| name.starts_with(start))
    }));
    let report = compare(&sources, &["--inline-threshold", "0"]);
    assert!(report["equal"].as_u64().unwrap() > 200, "{report}");
    assert!(report["absent"].as_u64().unwrap() > 20, "absent chunks are among them: {report}");
    let classic =
        ["types.cdf5.nc", "odd_records.cdf2.nc"].map(|name| fixtures("netcdf3").join(name));
    let inline = compare(&classic, &[]);
    assert!(inline["equal"].as_u64().unwrap() > 30, "{inline}");
}

#[test]
fn real_references_read_alike() {
    let Some(sources) = corpus("netcdf4") else { return println!("no real files on this machine") };
    let some: Vec<_> = sources.into_iter().step_by(6).collect();
    let report = compare(&some, &[]);
    assert!(report["equal"].as_u64().unwrap() > 100, "{report}");
}

#[test]
fn several_files_become_several_folders() {
    let folder = tempfile::tempdir().unwrap();
    let sources = files(&fixtures("goes"), &["nc"]);
    let out = format!("{}/", folder.path().join("out").display());
    let line = |more: &'static [&'static str]| {
        let mut line = vec!["scan".to_owned()];
        line.extend(sources.iter().map(|path| path.display().to_string()));
        line.extend(["-o".to_owned(), out.clone(), "--to".to_owned(), "parquet".to_owned()]);
        line.extend(more.iter().map(|&word| word.to_owned()));
        chunkref(line)
    };
    let ran = line(&[]);
    assert!(ran.status.success(), "{}", said(&ran));
    let mut names: Vec<_> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names.len(), sources.len());
    let parquet = |name: &String| Path::new(name).extension().is_some_and(|own| own == "parq");
    assert!(names.iter().all(parquet), "{names:?}");
    let again = line(&["--resume"]);
    let all = format!("{0} of {0} inputs were scanned before", sources.len());
    assert!(said(&again).contains(&all), "{}", said(&again));
}

/// Sets that kerchunk and fsspec write, with either of their libraries.
#[test]
fn sets_of_other_writers_are_read() {
    const WRITE: &str = r"
import json, sys, fsspec
from fsspec.implementations.reference import LazyReferenceMapper
from kerchunk.df import refs_to_dataframe
refs = json.load(open(sys.argv[1]))
refs.pop('chunkref')
refs_to_dataframe(refs, sys.argv[2], record_size=3)
mapper = LazyReferenceMapper.create(sys.argv[3], fs=fsspec.filesystem('file'), record_size=3, engine='pyarrow')
for key, value in refs['refs'].items():
    if key != '.zmetadata':
        mapper[key] = value
mapper.flush()
";
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    for (kind, name) in [("netcdf4", "filters.nc"), ("hdf5", "extensible_holes.latest.h5")] {
        let data = fixtures(kind).join(name).display().to_string();
        let (json, fast, arrow) =
            (at("a.json"), at(&format!("{kind}.fast.parq")), at(&format!("{kind}.arrow.parq")));
        let ran = chunkref(["scan", &data, "-o", &json, "--inline-threshold", "40", "-q"]);
        assert!(ran.status.success(), "{}", said(&ran));
        fs::create_dir_all(&arrow).unwrap();
        let made =
            Command::new(python()).args(["-c", WRITE, &json, &fast, &arrow]).output().unwrap();
        assert!(made.status.success(), "{}", said(&made));
        let refs = |path: &str| -> Value {
            let document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            document["refs"].clone()
        };
        for set in [fast, arrow] {
            let again = at("again.json");
            let ran = chunkref(["convert", &set, &again]);
            assert!(ran.status.success(), "{set}: {}", said(&ran));
            let (found, wanted) = (refs(&again), refs(&json));
            let chunks = |refs: &Value| -> Vec<(String, Value)> {
                let refs = refs.as_object().unwrap().iter();
                refs.filter(|(key, _)| !key.contains(".z"))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect()
            };
            let sorted = |mut chunks: Vec<(String, Value)>| {
                chunks.sort_by(|one, other| one.0.cmp(&other.0));
                chunks
            };
            let (found, wanted) = (sorted(chunks(&found)), sorted(chunks(&wanted)));
            assert!(wanted.iter().any(|(_, value)| value.is_array()), "{set}");
            assert_eq!(found.len(), wanted.len(), "{set}");
            for (one, other) in found.iter().zip(&wanted) {
                // Bytes in the references may be written in another way.
                assert_eq!((&one.0, one.1.is_array()), (&other.0, other.1.is_array()), "{set}");
                assert!(!one.1.is_array() || one.1 == other.1, "{set}: {one:?}, not {other:?}");
            }
        }
    }
}

/// A partition that is not there is no array of fill values, if it was written once.
#[test]
fn references_that_are_lost_are_an_error_for_every_reader() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let data = fixtures("hdf5").join("extensible_holes.latest.h5").display().to_string();
    let ran = chunkref(["scan", &data, "-o", &at("s.parq"), "--record-size", "1", "-q"]);
    assert!(ran.status.success(), "{}", said(&ran));
    let array = fs::read_dir(at("s.parq")).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        (path.is_dir() && fs::read_dir(&path).unwrap().count() > 1).then_some(path)
    });
    let array = array.expect("an array with several partitions");
    let name = array.file_name().unwrap().to_str().unwrap().to_owned();
    // Chunks that never were have no partition, and read as ever.
    let whole = chunkref(["cat", &at("s.parq"), &name]);
    assert!(whole.status.success(), "{}", said(&whole));
    let partition = fs::read_dir(&array).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(partition).unwrap();
    for words in [
        vec!["cat", "SET", &name],
        vec!["convert", "SET", "OUT"],
        vec!["inspect", "SET"],
        vec!["combine", "SET", "--concat", "x", "-o", "OUT"],
        vec!["verify", "SET"],
    ] {
        let real = words.iter().map(|&word| match word {
            "SET" => at("s.parq"),
            "OUT" => at("out.json"),
            word => word.to_owned(),
        });
        let ran = chunkref(real);
        assert_eq!(ran.status.code(), Some(1), "{words:?}: {}", said(&ran));
        let named = said(&ran).contains(&name) && said(&ran).contains("written");
        assert!(named || words[0] == "verify", "{words:?}: {}", said(&ran));
        assert!(!folder.path().join("out.json").exists(), "{words:?}");
    }
}

#[test]
fn what_is_no_set_of_references_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.parq");
    let source = files(&fixtures("goes"), &["nc"]).remove(0);
    for (input, reason) in [
        (source.as_path(), "as kerchunk references in JSON; of a data file"),
        (folder.path(), "a folder, and holds none of these"),
    ] {
        let ran = chunkref(["convert".as_ref(), input.as_os_str(), out.as_os_str()]);
        assert_eq!(ran.status.code(), Some(1), "{}", said(&ran));
        assert!(said(&ran).contains(reason), "{}", said(&ran));
        assert!(!out.exists());
    }
    let long = fixtures("hdf5").join("many_links.v1.h5");
    let ran = chunkref(["scan".as_ref(), long.as_os_str(), "-o".as_ref(), out.as_os_str()]);
    assert_eq!(
        ran.status.code(),
        Some(1),
        "a name is longer than that of a folder: {}",
        said(&ran)
    );
    assert!(!out.exists() && fs::read_dir(folder.path()).unwrap().next().is_none());
    let same = folder.path().join("a.json");
    fs::write(&same, b"{}").unwrap();
    let ran = chunkref(["convert".as_ref(), same.as_os_str(), same.as_os_str()]);
    assert_eq!(ran.status.code(), Some(2), "{}", said(&ran));
    assert_eq!(fs::read(&same).unwrap(), b"{}");
}

#[test]
fn sets_are_inspected_like_files() {
    let folder = tempfile::tempdir().unwrap();
    let source = files(&fixtures("goes"), &["nc"]).remove(0);
    let arrays = |inspected: &std::process::Output| {
        assert!(inspected.status.success(), "{}", said(inspected));
        let text = String::from_utf8(inspected.stdout.clone()).unwrap();
        text.split_once("21 arrays").unwrap().1.to_owned()
    };
    let wanted = arrays(&chunkref(["inspect".as_ref(), source.as_os_str()]));
    for name in ["a.json", "a.json.gz", "a.parq"] {
        let path = folder.path().join(name);
        let line = ["scan".as_ref(), source.as_os_str(), "-o".as_ref(), path.as_os_str()];
        let options = ["--inline-threshold", "0"].map(std::ffi::OsStr::new);
        assert!(chunkref(line.into_iter().chain(options)).status.success());
        let inspected = chunkref(["inspect".as_ref(), path.as_os_str()]);
        assert_eq!(arrays(&inspected), wanted, "{name}");
        let text = String::from_utf8_lossy(&inspected.stdout).into_owned();
        assert!(text.contains(" to 1 objects"), "{text}");
    }
}
