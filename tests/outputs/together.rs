// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes that append to one set at the same time: none loses what another wrote.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::scenario::{Scenario, Tree, is_left_over, netcdf, plant, tree};

/// Each file has a variable of its own, so that they can be appended in any order.
const OTHERS: [&str; 4] = ["b", "c", "d", "e"];

fn inputs() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a"].iter().chain(&OTHERS) {
        fs::write(folder.path().join(format!("{name}.nc")), netcdf(0.0, name)).unwrap();
    }
    folder
}

fn command(words: &str, input: &Path, output: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stopping"));
    command.args(Scenario::words(words, input, output)).stderr(Stdio::piped());
    command
}

/// Appends all other files at the same time; how many of the processes succeeded, and the variables that there are after.
fn append_all(set: &str, retry: &str, input: &Path, output: &Path) -> (usize, usize) {
    plant(&Tree::new(), output);
    let build = format!("build IN/a.nc --merge -o OUT/{set}");
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
        let last = said.lines().last().unwrap_or_default();
        assert!(done.status.success() || last.contains("changed meanwhile"), "{said}");
        assert!(matches!(done.status.code(), Some(0 | 1)), "{said}");
        succeeded += usize::from(done.status.success());
    }
    assert!(!tree(output).keys().any(|path| is_left_over(path)));
    let inspected = command(&format!("inspect OUT/{set} --json"), input, output).output().unwrap();
    let document: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    let arrays = document["arrays"].as_array().unwrap();
    (succeeded, arrays.len() - 1)
}

#[test]
fn with_retries_all_appends_are_in_the_set() {
    let (input, outer) = (inputs(), tempfile::tempdir().unwrap());
    for set in ["cube.json", "cube.parq"] {
        let done = append_all(set, "9", input.path(), &outer.path().join("out"));
        assert_eq!(done, (OTHERS.len(), 1 + OTHERS.len()), "{set}");
    }
}

#[test]
fn without_retries_what_is_not_in_the_set_is_an_error() {
    let (input, outer) = (inputs(), tempfile::tempdir().unwrap());
    for set in ["cube.json", "cube.parq"] {
        let (succeeded, variables) = append_all(set, "0", input.path(), &outer.path().join("out"));
        assert!(succeeded >= 1, "{set}: the first one always succeeds");
        assert_eq!(variables, 1 + succeeded, "{set}");
    }
}
