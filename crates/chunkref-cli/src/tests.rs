// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole runs of the command, on the toy format of the testkit.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use chunkref_testkit::toy;
use serde_json::Value;

use super::*;

chunkref_core::inventory::submit! { toy::ENTRY }

pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn chunkref(arguments: &[&str]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let line = ["chunkref"].iter().chain(arguments).map(OsString::from);
    let exit = run(line, &mut Console::new(&mut out, &mut err));
    Ran { exit, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

pub(crate) fn write(folder: &Path, name: &str, arrays: &[(&str, &[u8])]) -> String {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, toy::file(arrays)).unwrap();
    path.display().to_string()
}

fn references(text: &str) -> Value {
    let document: Value = serde_json::from_str(text).unwrap();
    assert_eq!(document["version"], 1);
    document["refs"].clone()
}

/// Names of all files below a folder, sorted.
fn files(root: &Path) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn one_input_goes_to_the_output_or_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let input = write(folder.path(), "a b.toy", &[("v", &[1; 600])]);
    let plain = chunkref(&["scan", &input]);
    assert_eq!((plain.exit, plain.err.as_str()), (Exit::Done, ""));
    let refs = references(&plain.out);
    assert_eq!(refs["v/0"][0], format!("file://{input}"));
    assert_eq!(refs["v/0"][2], 600);
    assert!(refs.get(".zmetadata").is_some());

    let dashed = chunkref(&["scan", "-o", "-", &input]);
    assert_eq!(dashed.out, plain.out);
    let output = folder.path().join("out.json").display().to_string();
    let filed = chunkref(&["scan", &input, "-o", &output]);
    assert_eq!((filed.exit, filed.out.as_str(), filed.err.as_str()), (Exit::Done, "", ""));
    assert_eq!(fs::read_to_string(&output).unwrap(), plain.out);

    let apart = chunkref(&[
        "scan",
        &input,
        "--no-consolidated",
        "--inline-threshold",
        "601",
        "--format",
        "toy",
    ]);
    let refs = references(&apart.out);
    assert!(refs.get(".zmetadata").is_none());
    assert!(refs["v/0"].is_string(), "600 bytes are below the threshold");
}

#[test]
fn several_inputs_go_to_a_folder_that_mirrors_them() {
    let folder = tempfile::tempdir().unwrap();
    for day in ["1", "2", "10"] {
        write(folder.path(), &format!("in/{day}/a.toy"), &[("v", day.as_bytes())]);
    }
    let pattern = folder.path().join("in/*/a.toy").display().to_string();
    let out = folder.path().join("out");
    let output = format!("{}/", out.display());
    let serial = chunkref(&["scan", &pattern, "-o", &output, "--jobs", "1", "--stats"]);
    assert_eq!(serial.exit, Exit::Done, "{}", serial.err);
    assert_eq!(files(&out), ["1/a.json", "10/a.json", "2/a.json"]);
    let order: Vec<_> = serial
        .err
        .lines()
        .filter_map(|line| line.split("/in/").nth(1)?.split('/').next())
        .collect();
    assert_eq!(order, ["1", "2", "10"], "natural order");
    assert!(
        serial
            .err
            .lines()
            .all(|line| line.starts_with("stats: ") && line.contains("1 rounds, 1 requests"))
    );
    let before = fs::read(out.join("10/a.json")).unwrap();
    let parallel = chunkref(&["scan", &pattern, "-o", &output, "--jobs", "3"]);
    assert_eq!((parallel.exit, parallel.err.as_str()), (Exit::Done, ""));
    assert_eq!(fs::read(out.join("10/a.json")).unwrap(), before);
    for refused in [
        vec!["scan", &pattern],
        vec!["scan", &pattern, "-o", "-"],
        vec!["scan", &pattern, "-o", "x.json"],
    ] {
        let ran = chunkref(&refused);
        assert_eq!(ran.exit, Exit::Usage);
        assert!(
            ran.err.starts_with("error: several inputs need a folder") && ran.out.is_empty(),
            "{}",
            ran.err
        );
    }
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let good = write(folder.path(), "good.toy", &[("v", &[1])]);
    let bad = folder.path().join("bad.toy").display().to_string();
    fs::write(&bad, b"TOYF\xff\xff").unwrap();
    let absent = folder.path().join("absent.toy").display().to_string();
    let out = folder.path().join("out");
    let output = format!("{}/", out.display());

    let ran = chunkref(&["scan", &bad, &good, &absent, "-o", &output]);
    assert_eq!(ran.exit, Exit::Partial);
    assert_eq!(files(&out), ["good.json"]);
    let expected = format!(
        "error: {bad}: cannot be scanned as toy\n  caused by: toy header at byte 4: 4 bytes needed, 2 left\n"
    );
    assert!(ran.err.starts_with(&expected), "{}", ran.err);
    assert!(ran.err.contains(&format!(
        "error: {absent}: there is no such file: check the path\n  caused by: "
    )));
    let table = format!(
        "error: 2 of 3 inputs failed:\n  {bad:<width$}  toy header at byte 4: 4 bytes needed, 2 left\n  {absent}  there is no such file: check the path\n",
        width = absent.len()
    );
    assert!(ran.err.ends_with(&table), "{}", ran.err);

    assert_eq!(chunkref(&["scan", &bad]).exit, Exit::Failed);
    assert_eq!(chunkref(&["scan", &bad, &absent, "-o", &output]).exit, Exit::Failed);
    let nothing = chunkref(&["scan", &format!("{absent}*")]);
    assert_eq!(nothing.exit, Exit::Failed);
    assert!(nothing.err.contains("no object matches this pattern"));

    let fast = chunkref(&["scan", &bad, &good, "-o", &output, "--fail-fast", "--jobs", "1"]);
    assert!(matches!(fast.exit, Exit::Failed | Exit::Partial));
    let absent = chunkref(&["scan", &format!("{absent}*"), &good, "-o", &output, "--fail-fast"]);
    assert_eq!(absent.exit, Exit::Failed);
    assert!(absent.err.contains("1 of 2 inputs were not scanned"), "{}", absent.err);
}

#[test]
fn lists_of_inputs_and_messages_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let good = write(folder.path(), "good.toy", &[("?odd", &[1]), ("v", &[1])]);
    let bad = folder.path().join("bad.toy").display().to_string();
    fs::write(&bad, b"TOYF\xff\xff").unwrap();
    let list = folder.path().join("list").display().to_string();
    fs::write(&list, format!("{good}\n{bad}\n")).unwrap();
    let output = format!("{}/", folder.path().join("out").display());
    let line = ["scan", &format!("@{list}"), "-o", &output, "--log-format", "json", "--stats"];
    let ran = chunkref(&line);
    assert_eq!(ran.exit, Exit::Partial);
    let events: Vec<Value> =
        ran.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |level: &'static str| events.iter().filter(move |event| event["level"] == level);
    assert_eq!(of("warning").next().unwrap()["path"], "?odd");
    assert_eq!(of("error").next().unwrap()["input"], bad);
    let stats = events.iter().find(|event| event["event"] == "stats").unwrap();
    assert_eq!((&stats["input"], &stats["rounds"]), (&Value::from(good), &Value::from(1)));
    let progress = events.iter().rfind(|event| event["event"] == "progress").unwrap();
    assert_eq!((&progress["done"], &progress["failed"]), (&Value::from(1), &Value::from(1)));
    let failures = events.iter().find(|event| event["event"] == "failures").unwrap();
    assert_eq!(failures["inputs"][0]["input"], bad);

    let empty = chunkref(&["scan", "@/absent/list"]);
    assert_eq!(empty.exit, Exit::Usage);
}

#[test]
fn what_was_scanned_before_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let a = write(folder.path(), "a.toy", &[("v", &[1])]);
    let b = write(folder.path(), "b.toy", &[("?odd", &[1])]);
    let out = folder.path().join("out");
    let output = format!("{}/", out.display());
    let scan = |more: &[&str]| {
        let line = ["scan", a.as_str(), b.as_str(), "-o", output.as_str(), "--resume"];
        let line: Vec<_> = line.into_iter().chain(more.iter().copied()).collect();
        let ran = chunkref(&line);
        (ran.exit, ran.err.matches("before").count(), ran.err)
    };
    let first = scan(&[]);
    assert_eq!((first.0, first.1), (Exit::Done, 0), "{}", first.2);
    let written = fs::read(out.join("a.json")).unwrap();

    let again = scan(&[]);
    assert!(again.2.contains("2 of 2 inputs were scanned before"), "{}", again.2);
    assert_eq!(scan(&["--strict"]).0, Exit::Partial, "what was skipped then still counts");
    let other = scan(&["--inline-threshold", "0"]);
    assert_eq!((other.0, other.1), (Exit::Done, 0), "other options give other references");
    assert_ne!(fs::read(out.join("a.json")).unwrap(), written);

    scan(&[]);
    fs::write(&a, toy::file(&[("w", &[1, 2])])).unwrap();
    let changed = scan(&[]);
    assert!(changed.2.contains("1 of 2 inputs were scanned before"), "{}", changed.2);
    assert!(references(&fs::read_to_string(out.join("a.json")).unwrap()).get("w/0").is_some());

    let whole = fs::read(out.join("a.json")).unwrap();
    fs::write(out.join("a.json"), &whole[..whole.len() - 9]).unwrap();
    assert!(scan(&[]).2.contains("1 of 2"), "what is no whole document is written again");
}

#[test]
fn what_is_skipped_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let input = write(folder.path(), "a.toy", &[("?odd", &[1]), ("v", &[1])]);
    let warned = chunkref(&["scan", &input]);
    assert_eq!(warned.exit, Exit::Done);
    assert_eq!(
        warned.err,
        format!("warning: {input}: skipped array ?odd at byte 8: its type is not known\n")
    );
    let quiet = chunkref(&["--quiet", "scan", &input]);
    assert_eq!((quiet.exit, quiet.err.as_str(), &quiet.out), (Exit::Done, "", &warned.out));
    let strict = chunkref(&["scan", "--strict", "-q", &input]);
    assert_eq!((strict.exit, &strict.out), (Exit::Partial, &warned.out));
    assert_eq!(strict.err, warned.err.replace("warning:", "error:"), "quiet is for warnings only");
}

#[test]
fn inspect_tells_people_and_machines() {
    let folder = tempfile::tempdir().unwrap();
    let input = write(folder.path(), "a.toy", &[("?odd", &[1]), ("v", &[1; 2000])]);
    let human = chunkref(&["inspect", &input]);
    assert_eq!((human.exit, human.err.as_str()), (Exit::Done, ""));
    for part in [
        "toy (toy format for tests)",
        "v_length = 2000",
        "2.0 KiB",
        "1 skipped",
        "its type is not known",
    ] {
        assert!(human.out.contains(part), "{part}: {}", human.out);
    }
    assert!(!human.out.contains('\x1b'), "no colour in a pipe");
    assert!(chunkref(&["inspect", &input, "--color", "always"]).out.contains("\x1b[1m"));

    let document: Value =
        serde_json::from_str(&chunkref(&["inspect", &input, "--json"]).out).unwrap();
    assert_eq!(document["location"], format!("file://{input}"));
    assert_eq!(document["format"], "toy");
    assert_eq!(document["length"], fs::metadata(&input).unwrap().len());
    assert_eq!(document["groups"][0]["path"], "");
    assert_eq!(document["dimensions"][0]["length"], 2000);
    let array = &document["arrays"][0];
    assert_eq!((&array["path"], &array["dtype"]), (&Value::from("v"), &Value::from("|V1")));
    assert_eq!(
        (&array["chunk_count"], &array["stored_bytes"]),
        (&Value::from(1), &Value::from(2000))
    );
    assert_eq!(document["skipped"][0]["kind"], "array");
    assert_eq!(document["skipped"][0]["offset"], 8);
    assert_eq!(chunkref(&["inspect", "/absent"]).exit, Exit::Failed);
}

#[test]
fn usage_help_and_formats() {
    let formats = chunkref(&["formats"]);
    assert_eq!(formats.exit, Exit::Done);
    assert!(
        formats.out.contains("toy format for tests") && formats.out.contains("toy.order"),
        "{}",
        formats.out
    );
    let help = chunkref(&["scan", "--help"]);
    assert_eq!((help.exit, help.err.as_str()), (Exit::Done, ""));
    assert!(help.out.contains("--inline-threshold"));
    for wrong in [
        vec![],
        vec!["scan"],
        vec!["scan", "a", "--jobs", "0"],
        vec!["scan", "a", "--format", "nonsense"],
        vec!["scan", "a", "--option", "toy.order=up"],
        vec!["inspect", "a", "--option", "toy.unknown=1"],
        vec!["scan", "a", "--inline-threshold", "-1"],
    ] {
        let ran = chunkref(&wrong);
        assert_eq!(ran.exit, Exit::Usage, "{wrong:?}: {}", ran.err);
        assert!(!ran.err.is_empty() && ran.out.is_empty());
    }
}

#[test]
fn an_output_that_is_an_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let input = write(folder.path(), "a.toy", &[("v", &[1])]);
    let before = fs::read(&input).unwrap();
    assert_eq!(chunkref(&["scan", &input, "-o", &input]).exit, Exit::Usage);
    assert_eq!(fs::read(&input).unwrap(), before);
}

#[test]
fn a_reader_that_goes_away_is_no_fault_and_a_full_disk_is() {
    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let input = write(folder.path(), "a.toy", &[("v", &[1])]);
    for command in [
        vec!["scan", &input],
        vec!["inspect", &input],
        vec!["inspect", "--json", &input],
        vec!["formats"],
    ] {
        for (kind, exit) in
            [(io::ErrorKind::BrokenPipe, Exit::Done), (io::ErrorKind::StorageFull, Exit::Failed)]
        {
            let (mut out, mut err) = (Broken(kind), Vec::new());
            let line = ["chunkref"].iter().chain(&command).map(OsString::from);
            assert_eq!(
                run(line, &mut Console::new(&mut out, &mut err)),
                exit,
                "{command:?} {kind}"
            );
            let err = String::from_utf8(err).unwrap();
            assert_eq!(err.lines().count(), usize::from(exit == Exit::Failed), "{err}");
        }
    }
}

#[test]
fn limits_are_set_by_name_and_their_names_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let input = write(folder.path(), "a.toy", &[("v", &[1; 600]), ("w", &[2; 600])]);
    let output = folder.path().join("built.json").display().to_string();
    let build = ["build", "--concat", "t", "-o", &output];
    for command in [&["scan"][..], &["inspect"], &["report", "-o", "-"], &build] {
        let line: Vec<_> =
            command.iter().copied().chain([&*input, "--limit", "objects=1"]).collect();
        let over = chunkref(&line);
        assert_eq!(over.exit, Exit::Failed, "{}", over.err);
        let line: Vec<_> =
            command.iter().copied().chain([&*input, "--limit", "object=1"]).collect();
        let unknown = chunkref(&line);
        assert_eq!(unknown.exit, Exit::Usage);
        assert!(unknown.err.contains("the limits are metadata_bytes, "), "{}", unknown.err);
    }
    let enough =
        chunkref(&["scan", &input, "--limit", "objects=2", "--limit", "metadata-bytes=1MiB"]);
    assert_eq!(enough.exit, Exit::Done, "{}", enough.err);
    let wrong = chunkref(&["scan", &input, "--limit", "objects=2MiB"]);
    assert_eq!(wrong.exit, Exit::Usage);
    assert!(wrong.err.contains("whole number"), "{}", wrong.err);
}
