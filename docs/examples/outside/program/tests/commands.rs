// SPDX-License-Identifier: MIT OR Apache-2.0
//! What users of the program do with the formats and the codec.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn run(folder: &Path, words: &[&str]) -> String {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_outside-program"))
        .current_dir(folder)
        .args(words)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{words:?}: {said}");
    String::from_utf8(stdout).unwrap()
}

/// A file as NumPy writes it: `numpy.save(path, numpy.arange(first, first + 6, dtype="<i2").reshape(2, 3))`.
fn npy(first: u16) -> Vec<u8> {
    let mut text = String::from("{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }");
    while (text.len() + 11) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    let values = (first..first + 6).flat_map(u16::to_le_bytes).collect();
    [b"\x93NUMPY\x01\x00".to_vec(), length.to_vec(), text.into_bytes(), values].concat()
}

#[test]
fn everything_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(folder.path(), &["formats"]);
    let mut flags = said.lines().filter(|line| line.contains("lines.crlf"));
    assert!(said.contains("npy") && flags.any(|line| line.contains("--crlf")), "{said}");
    let all: Value = serde_json::from_str(&run(folder.path(), &["formats", "--json"])).unwrap();
    let names = |kind: &str| -> Vec<String> {
        let entries = all[kind].as_array().unwrap().iter();
        entries.map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    };
    for (kind, name) in [("formats", "npy"), ("outputs", "lines"), ("codecs", "delta")] {
        assert!(names(kind).contains(&name.to_owned()), "{kind}: {:?}", names(kind));
    }
}

#[test]
fn an_array_goes_through_every_command() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.npy"), npy(0)).unwrap();
    fs::write(folder.path().join("b.npy"), npy(6)).unwrap();
    let run = |words: &[&str]| run(folder.path(), words);
    assert!(run(&["inspect", "a.npy"]).contains("2×3"));
    run(&["scan", "a.npy", "-o", "a.refs.jsonl", "--inline-threshold", "0"]);
    let lines = fs::read_to_string(folder.path().join("a.refs.jsonl")).unwrap();
    assert!(lines.lines().count() > 1 && lines.contains("a.npy"), "{lines}");
    run(&["convert", "a.refs.jsonl", "a.json"]);
    run(&["convert", "a.json", "b.refs.jsonl"]);
    assert_eq!(fs::read_to_string(folder.path().join("b.refs.jsonl")).unwrap(), lines);
    run(&["verify", "a.refs.jsonl", "--against-source"]);
    let expected = run(&["cat", "a.json", "values"]);
    assert_eq!(run(&["cat", "a.refs.jsonl", "values"]), expected);
    assert!(expected.contains('5'), "{expected}");
    run(&["report", "a.refs.jsonl", "-o", "page.html"]);
    run(&["build", "a.npy", "b.npy", "--concat", "time=INDEX", "-o", "cube.refs.jsonl"]);
    assert!(run(&["inspect", "cube.refs.jsonl"]).contains("2×2×3"));
}

#[test]
fn the_codec_decodes() {
    let folder = tempfile::tempdir().unwrap();
    let array = json!({
        "zarr_format": 2, "shape": [3], "chunks": [3], "dtype": "<i2", "order": "C", "fill_value": 0,
        "compressor": null, "filters": [{"id": "delta", "dtype": "<i2"}],
    });
    let refs: Value = json!({
        "version": 1,
        "refs": {
            ".zgroup": "{\"zarr_format\":2}", "v/.zarray": array.to_string(), "v/.zattrs": "{\"_ARRAY_DIMENSIONS\":[\"x\"]}",
            "v/0": "base64:BQD+//z/",
        },
    });
    fs::write(folder.path().join("delta.json"), refs.to_string()).unwrap();
    let said = run(folder.path(), &["cat", "delta.json", "v"]);
    let numbers: Vec<&str> = said.split_whitespace().collect();
    assert_eq!(numbers.last(), Some(&"-1"), "{said}");
    run(folder.path(), &["verify", "delta.json"]);
}
