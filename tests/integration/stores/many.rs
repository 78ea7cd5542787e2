// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many files, some of which fail, and a user who stops it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use chunkref_testserver::{Fault, FaultyProxy, RangeOptions, RangeServer, Rule};
use tempfile::TempDir;

use crate::environment::{program, said};

use super::*;

/// A folder with `count` copies of one file and a bad one among them, and the URLs of all.
fn copies(count: usize) -> (TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let source = original();
    let mut names: Vec<_> = (0..count).map(|number| format!("f{number}.nc")).collect();
    for name in &names {
        fs::copy(&source, folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("bad.nc"), b"<html>not found</html>").unwrap();
    names.insert(1, "bad.nc".to_owned());
    (folder, names)
}

fn assert_whole(folder: &Path) -> usize {
    let written: Vec<PathBuf> = below(folder).iter().map(|name| folder.join(name)).collect();
    for path in &written {
        assert!(path.extension().is_some_and(|ending| ending == "json"), "{}", path.display());
        assert!(references(path)["SST/0.0"].is_array());
    }
    written.len()
}

#[test]
fn one_bad_object_does_not_stop_the_others_and_nothing_is_half_written() {
    let (folder, names) = copies(12);
    let server = RangeServer::start(folder.path()).unwrap();
    let rules = [
        Rule::always(Fault::DropAfter(100)).path("f3.nc"),
        Rule::always(Fault::Hang).path("f5.nc"),
        Rule::first(2, Fault::Status(503, Some(0))).path("f7.nc"),
        replace_by_other(folder.path(), "f9.nc"),
    ];
    let proxy = FaultyProxy::start(&server.url(), rules).unwrap();
    let list: Vec<_> = names.iter().map(|name| format!("{}/{name}\n", proxy.url())).collect();
    let out = tempfile::tempdir().unwrap();
    let list_path = out.path().join("list");
    fs::write(&list_path, list.concat()).unwrap();
    let refs = out.path().join("refs");
    let output = format!("{}/", refs.display());
    let list = format!("@{}", list_path.display());
    let line =
        ["scan", &list, "-o", &output, "--retries", "2", "--deadline", "4", "--timeout", "1"];
    let ran = command(&line, &[]);
    let said = said(&ran);
    assert_eq!(ran.status.code(), Some(3), "{said}");
    assert!(said.contains("4 of 13 inputs failed:"), "{said}");
    for words in [
        "unknown format: it is a web page instead of the data",
        "the file begins with 3c 68 74 6d",
        "f3.nc: the server gave no usable answer",
        "f5.nc: ",
        "f9.nc: cannot be scanned",
        "changed or replaced",
    ] {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
    assert_eq!(assert_whole(&refs), 9);

    let fast = format!("{}/", out.path().join("fast").display());
    let line = ["scan", &list, "-o", &fast, "--retries", "0", "--timeout", "1", "--fail-fast"];
    let ran = command(&line, &[]);
    assert!(matches!(ran.status.code(), Some(1 | 3)), "{ran:?}");
    assert!(String::from_utf8_lossy(&ran.stderr).contains("inputs were not scanned"));
}

/// A rule that appends to one of the files once its head was read.
fn replace_by_other(folder: &Path, name: &str) -> Rule {
    let path = folder.join(name);
    let append = move || {
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(b"longer");
        fs::write(&path, bytes).unwrap();
    };
    Rule::first(1, Fault::Run(Arc::new(append))).path(name).after(1)
}

#[test]
#[cfg(unix)]
fn ctrl_c_leaves_whole_files_only_and_resume_goes_on() {
    let (folder, names) = copies(40);
    let latency = Duration::from_millis(60);
    let options = RangeOptions { latency, ..RangeOptions::default() };
    let server = RangeServer::with_options(folder.path(), options).unwrap();
    let out = tempfile::tempdir().unwrap();
    let list_path = out.path().join("list");
    let good = names.iter().filter(|name| *name != "bad.nc");
    let list: Vec<_> = good.map(|name| format!("{}/{name}\n", server.url())).collect();
    fs::write(&list_path, list.concat()).unwrap();
    let refs = out.path().join("refs");
    let output = format!("{}/", refs.display());
    let list = format!("@{}", list_path.display());
    let line = ["scan", &list, "-o", &output, "--resume", "--concurrency", "4"];
    let child =
        Command::new(program()).args(line).stderr(std::process::Stdio::piped()).spawn().unwrap();
    // As soon as the first file is there, and long before all are.
    for _ in 0..200 {
        if refs.is_dir()
            && below(&refs)
                .iter()
                .any(|name| Path::new(name).extension().is_some_and(|ending| ending == "json"))
        {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ran = child.wait_with_output().unwrap();
    assert_eq!(ran.status.code(), Some(130), "{}", said(&ran));
    assert!(said(&ran).contains("interrupted"), "{}", said(&ran));
    let finished = assert_whole(&refs);
    assert!((1..40).contains(&finished), "{finished}");
    let ran = command(&line, &[]);
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));
    let note = format!("{finished} of 40 inputs were scanned before");
    assert!(said(&ran).contains(&note), "{note}: {}", said(&ran));
    assert_eq!(assert_whole(&refs), 40);
}

#[test]
fn ctrl_c_ends_a_build_with_nothing_written() {
    let (folder, _) = copies(40);
    let latency = Duration::from_millis(100);
    let options = RangeOptions { latency, ..RangeOptions::default() };
    let server = RangeServer::with_options(folder.path(), options).unwrap();
    let out = tempfile::tempdir().unwrap();
    let (list, cube) = (out.path().join("list"), out.path().join("cube.json"));
    let names = (0..40).map(|number| format!("{}/f{number}.nc\n", server.url()));
    fs::write(&list, names.collect::<String>()).unwrap();
    let list = format!("@{}", list.display());
    let line =
        ["build", &list, "-o", cube.to_str().unwrap(), "--concat", "t", "--concurrency", "2"];
    let mut child =
        Command::new(program()).args(line).stderr(std::process::Stdio::piped()).spawn().unwrap();
    for _ in 0..200 {
        if !server.traffic().take_requests().is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(child.try_wait().unwrap().is_none(), "it is still at work");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ran = child.wait_with_output().unwrap();
    assert_eq!(ran.status.code(), Some(130), "{}", said(&ran));
    assert!(said(&ran).contains("nothing is written"), "{}", said(&ran));
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1, "the list alone");
}
