// SPDX-License-Identifier: MIT OR Apache-2.0
//! An output format that nothing in the front-end or the command line names: it is linked in here, and every command has it.

use std::fs;
use std::path::Path;

use chunkref::{Location, References};
use chunkref_testkit::toy_output;
use futures::executor::block_on;

use crate::Exit;
use crate::tests::{Ran, chunkref, write};

chunkref_core::inventory::submit! { toy_output::ENTRY }

#[track_caller]
fn run(line: &[&str]) -> Ran {
    let ran = chunkref(line);
    assert_eq!(ran.exit, Exit::Done, "{line:?}: {}", ran.err);
    ran
}

#[test]
fn every_command_has_a_format_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let data = write(folder.path(), "data.toy", &[("v", &[b'x'; 600]), ("w", b"12345")]);
    let (json, toy) = (at("set.json"), at("set.toyrefs"));
    run(&["scan", &data, "-o", &json]);
    run(&["scan", &data, "-o", &toy]);
    let head = fs::read_to_string(&toy).unwrap();
    assert!(head.starts_with("TOYREFS\n{\"chunkref\":"), "{head}");

    // The name of the format, when that of the output says nothing, and an option by its flag and by its name.
    let by_flag = at("by_flag");
    run(&["scan", &data, "-o", &by_flag, "--to", "toyrefs", "--toyrefs-pretty"]);
    let pretty = fs::read_to_string(&by_flag).unwrap();
    assert!(pretty.starts_with("TOYREFS\n") && pretty.len() > head.len());
    let by_name = at("by_name");
    let option = "toyrefs.pretty=true";
    run(&["convert", &toy, &by_name, "--to", "toy-references", "--output-option", option]);
    let references = |path: &str| {
        let location = Location::from_path(Path::new(path)).unwrap();
        block_on(References::open(&chunkref::stores(), &location)).unwrap()
    };
    for path in [&toy, &by_flag, &by_name] {
        assert_eq!(references(path).format().name, "toy-references");
        let all = |path: &str| block_on(references(path).into_dataset()).unwrap();
        assert_eq!(all(path).arrays(), all(&json).arrays(), "{path}");
    }
    let streamed = run(&["convert", &json, "-", "--to", "toyrefs"]).out;
    assert!(streamed.starts_with("TOYREFS\n"));

    // Many inputs, each with references of the name that the format gives them.
    let other = write(folder.path(), "other.toy", &[("v", &[b'y'; 700])]);
    run(&["scan", &data, &other, "-o", &at("out/"), "--to", "toyrefs"]);
    let again = run(&["scan", &data, &other, "-o", &at("out/"), "--to", "toyrefs", "--resume"]);
    assert!(again.err.contains("2 of 2 inputs were scanned before"), "{}", again.err);
    assert!(folder.path().join("out/other.toyrefs").is_file());

    // Read as any other references.
    let inspected = run(&["inspect", &toy]).out;
    assert!(inspected.contains("toy-references (toy references for tests)"), "{inspected}");
    assert!(inspected.contains("references"), "{inspected}");
    let page = run(&["report", &toy]).out;
    assert!(page.contains("toy references for tests"));
    let values = run(&["cat", &toy, "v"]).out;
    assert_eq!(values, run(&["cat", &json, "v"]).out);
    assert!(values.len() > 600, "{values}");
    run(&["verify", &toy]);
    run(&["convert", &toy, &at("back.json")]);
    assert_eq!(fs::read(at("back.json")).unwrap(), fs::read(&json).unwrap());
}

#[test]
fn it_is_listed_and_its_options_are_checked() {
    let listed = run(&["formats"]).out;
    for words in
        ["toyrefs", ".toyrefs", "toy references for tests", "toyrefs.pretty", "json.templates"]
    {
        assert!(listed.contains(words), "{words}: {listed}");
    }
    let help = run(&["scan", "--help"]).out;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["toyrefs for .toyrefs", "--toyrefs-pretty", "--record-size", "--no-consolidated"]
    {
        assert!(help.contains(words), "{words}: {help}");
    }
    for (option, words) in [
        ("toyrefs.prety=true", "did you mean \"toyrefs.pretty\"?"),
        ("toyrefs.pretty=yes", "true or false"),
        ("parquet.record-size=0", "from 1 to"),
    ] {
        let ran = chunkref(&["convert", "a.json", "b.toyrefs", "--output-option", option]);
        assert_eq!(ran.exit, Exit::Usage, "{}", ran.err);
        assert!(ran.err.contains(words), "{}", ran.err);
    }
    // What is not written to a pipe says so before anything is read.
    let ran = chunkref(&["convert", "a.json", "-", "--to", "parquet"]);
    assert_eq!(ran.exit, Exit::Usage, "{}", ran.err);
    assert!(ran.err.contains("standard output"), "{}", ran.err);
}

/// A file that is none of references is not replaced by those of many inputs.
#[test]
fn what_is_not_of_the_format_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let data = write(folder.path(), "data.toy", &[("v", b"1")]);
    fs::create_dir(folder.path().join("out")).unwrap();
    let taken = folder.path().join("out/data.toyrefs");
    fs::write(&taken, "my notes").unwrap();
    let out = folder.path().join("out").display().to_string();
    let ran = chunkref(&["scan", &data, "-o", &out, "--to", "toyrefs"]);
    assert_eq!(ran.exit, Exit::Usage, "{}", ran.err);
    assert_eq!(fs::read_to_string(&taken).unwrap(), "my notes");
}
