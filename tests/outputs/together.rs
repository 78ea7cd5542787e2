// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes that append to one set at the same time: none loses what another wrote.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::scenario::{Scenario, Tree, inputs, is_left_over, plant, tree};

const OTHERS: [&str; 4] = ["b", "c", "d", "e"];

fn command(words: &str, input: &Path, output: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stopping"));
    command.args(Scenario::words(words, input, output)).stderr(Stdio::piped());
    command
}

/// Appends all other files at the same time; how many of the processes succeeded, and the length of the axis after.
fn append_all(set: &str, retry: &str, input: &Path, output: &Path) -> (usize, u64) {
    plant(&Tree::new(), output);
    let build = format!("build IN/a.nc --concat t --sort -o OUT/{set}");
    assert!(command(&build, input, output).status().unwrap().success());
    let start = |name: &&str| {
        let words = format!("append OUT/{set} IN/{name}.nc --retry {retry}");
        command(&words, input, output).spawn().unwrap()
    };
    let running: Vec<_> = OTHERS.iter().map(start).collect();
    let mut succeeded = 0;
    for process in running {
        let done = process.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success() || said.contains("changed meanwhile"), "{said}");
        assert!(matches!(done.status.code(), Some(0 | 1)), "{said}");
        succeeded += usize::from(done.status.success());
    }
    assert!(!tree(output).keys().any(|path| is_left_over(path)));
    let inspected = command(&format!("inspect OUT/{set} --json"), input, output).output().unwrap();
    let document: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    let arrays = document["arrays"].as_array().unwrap();
    let is_time = |array: &&Value| array["path"].as_str().unwrap().trim_start_matches('/') == "t";
    let length = arrays.iter().find(is_time).unwrap()["shape"][0].as_u64().unwrap();
    (succeeded, length)
}

#[test]
fn with_retries_all_appends_are_in_the_set() {
    let (input, outer) = (inputs(), tempfile::tempdir().unwrap());
    for set in ["cube.json", "cube.parq"] {
        let done = append_all(set, "9", input.path(), &outer.path().join("out"));
        assert_eq!(done, (OTHERS.len(), 1 + OTHERS.len() as u64), "{set}");
    }
}

#[test]
fn without_retries_what_is_not_in_the_set_is_an_error() {
    let (input, outer) = (inputs(), tempfile::tempdir().unwrap());
    for set in ["cube.json", "cube.parq"] {
        let (succeeded, length) = append_all(set, "0", input.path(), &outer.path().join("out"));
        assert!(succeeded >= 1, "{set}: the first one always succeeds");
        assert_eq!(length, 1 + succeeded as u64, "{set}");
    }
}
