// SPDX-License-Identifier: MIT OR Apache-2.0
//! What outputs may replace, and what happens when two processes write one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::environment::{chunkref, fixtures, program, said};

fn file() -> PathBuf {
    fixtures("hdf5").join("deflate_and_shuffle.v1.h5")
}

fn run(words: &[&str]) -> Output {
    chunkref(words)
}

#[track_caller]
fn done(words: &[&str]) {
    let output = run(words);
    assert!(output.status.success(), "{words:?}: {}", said(&output));
}

#[track_caller]
fn refused(words: &[&str], because: &str) {
    let output = run(words);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{words:?}: {}", said(&output));
    assert!(said(&output).contains(because), "{words:?}, {because}: {}", said(&output));
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Nothing of a run is left beside its output.
    #[track_caller]
    fn is_clean(&self) {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.find(|name| name.starts_with(".chunkref-")), None);
    }
}

#[test]
fn folders_of_other_things_are_refused_by_the_first_file_that_is_foreign() {
    let folder = Folder::new();
    let (data, set) = (file().display().to_string(), folder.at("s.json"));
    done(&["scan", &data, "-o", &set]);
    let zarr = folder.0.path().join("zarr.zarr");
    fs::create_dir_all(zarr.join("a")).unwrap();
    fs::write(zarr.join(".zmetadata"), "{\"metadata\":{},\"zarr_consolidated_format\":1}").unwrap();
    fs::write(zarr.join("a/0"), "DATA").unwrap();
    let store = folder.at("zarr.zarr");
    for words in [
        vec!["convert", &set, &store, "--to", "parquet"],
        vec!["convert", &set, &store],
        vec!["scan", &data, "-o", &store],
        vec!["scan", &data, "-o", &store, "--to", "parquet"],
        vec!["build", &data, "--merge", "-o", &store],
    ] {
        refused(&words, "holds a/0");
        assert_eq!(fs::read(zarr.join("a/0")).unwrap(), b"DATA");
    }
    for words in [["cat", &data, "x", "-o", &store], ["report", &set, "-o", &store, "-q"]] {
        assert_eq!(run(&words).status.code(), Some(1), "{words:?}");
    }
    let own = folder.at("d.parq");
    done(&["convert", &set, &own]);
    done(&["convert", &set, &own]);
    fs::write(Path::new(&own).join("mine.txt"), "precious").unwrap();
    refused(&["convert", &set, &own], "holds mine.txt");
    assert_eq!(fs::read(Path::new(&own).join("mine.txt")).unwrap(), b"precious");
    let plain = folder.at("plain.parq");
    fs::write(&plain, "file").unwrap();
    refused(&["convert", &set, &plain], "no folder");
    // Made-up names replace references only.
    let mirrored = folder.0.path().join("all");
    fs::create_dir(&mirrored).unwrap();
    fs::write(mirrored.join("deflate_and_shuffle.v1.json"), "{\"title\": \"mine\"}").unwrap();
    refused(&["scan", &data, "-o", &folder.at("all")], "holds no references");
    folder.is_clean();
}

/// Outputs that would replace what they are made of.
#[test]
fn data_is_not_replaced_by_what_is_made_of_it() {
    let folder = Folder::new();
    let (data, set) = (folder.at("a.h5"), folder.at("s.json"));
    fs::copy(file(), &data).unwrap();
    let before = fs::read(&data).unwrap();
    done(&["scan", &data, "-o", &set]);
    refused(&["scan", &data, "-o", &data], "is an input");
    refused(&["convert", &set, &data], "point to");
    refused(&["convert", &set, &set], "is the input");
    refused(&["cat", &data, "x", "-o", &data], "is the input");
    refused(&["report", &data, "-o", &data], "is the input");
    // Nor does the output of anything else, whether it points there or not.
    let (other, link) = (folder.at("other.nc"), folder.at("link.html"));
    fs::copy(fixtures("netcdf3").join("types.cdf1.nc"), &other).unwrap();
    fs::hard_link(&data, &link).unwrap();
    for out in [&data, &other, &link] {
        refused(&["report", &set, "-o", out], "is a data file");
        refused(&["cat", &set, "all_f8", "-o", out], "is a data file");
        refused(&["scan", &folder.at("a.h5"), "-o", &other], "is a data file");
        refused(&["convert", &set, &other], "is a data file");
    }
    assert!(fs::read(&data).unwrap() == before);
    folder.is_clean();
}

#[test]
fn nothing_is_written_within_a_set() {
    let folder = Folder::new();
    let (data, set) = (file().display().to_string(), folder.at("s.parq"));
    done(&["scan", &data, "-o", &set, "--inline-threshold", "0"]);
    for place in ["x/refs.0.parq", ".zmetadata", "new.json", "x/new.json", "x"] {
        let out = format!("{set}/{place}");
        refused(&["report", &set, "-o", &out], &set);
        refused(&["cat", &set, "all_f8", "-o", &out], &set);
        refused(&["convert", &set, &out, "--to", "parquet"], &set);
        refused(&["scan", &data, "-o", &out], &set);
    }
    done(&["verify", &set]);
    done(&["convert", &set, &set.replace("s.parq", "t.parq")]);
}

#[test]
#[cfg(unix)]
fn links_and_fifos_stay_what_they_are() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let folder = Folder::new();
    let (data, set) = (file().display().to_string(), folder.at("s.json"));
    done(&["scan", &data, "-o", &set]);
    for (name, words) in [
        ("scan", vec!["scan", &data, "-o"]),
        ("report", vec!["report", &set, "-o"]),
        ("convert", vec!["convert", &set]),
    ] {
        let (real, link) = (folder.at(&format!("{name}.real")), folder.at(&format!("{name}.link")));
        fs::write(&real, "old").unwrap();
        symlink(&real, &link).unwrap();
        let mut words = words;
        words.push(&link);
        done(&words);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "{name}");
        assert_ne!(fs::read(&real).unwrap(), b"old", "{name}");
        // The output of a device is not kept, and it stays a device.
        words.pop();
        words.push("/dev/null");
        done(&words);
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device(), "{name}");
        words.pop();
        let fifo = folder.at(&format!("{name}.fifo"));
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        words.push(&fifo);
        let mut writer = Command::new(program()).args(&words).arg("-q").spawn().unwrap();
        let through = fs::read(&fifo).unwrap();
        assert!(writer.wait().unwrap().success(), "{name}");
        assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo(), "{name}");
        assert_eq!(through, fs::read(&real).unwrap(), "{name}");
    }
    // Behind what is in the file already, as the shell means it.
    let log = folder.at("log");
    fs::write(&log, "first line\n").unwrap();
    let out = fs::File::options().append(true).open(&log).unwrap();
    let words = ["convert", &set, "/dev/stdout", "-q"];
    let status = Command::new(program()).args(words).stdout(Stdio::from(out)).status().unwrap();
    assert!(status.success());
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.starts_with("first line\n{") && text.len() > 100, "{text}");
    folder.is_clean();
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_an_error_of_every_command() {
    let folder = Folder::new();
    let (data, set) = (file().display().to_string(), folder.at("s.json"));
    done(&["scan", &data, "-o", &set]);
    let text = run(&["inspect", &data, "--json"]);
    let text: Value = serde_json::from_slice(&text.stdout).unwrap();
    let array = text["arrays"][0]["path"].as_str().unwrap().trim_start_matches('/').to_owned();
    for words in [
        vec!["scan", &data],
        vec!["cat", &data, &array],
        vec!["inspect", &data],
        vec!["inspect", &data, "--json"],
        vec!["report", &set],
        vec!["verify", &set],
        vec!["convert", &set, "-"],
        vec!["build", &data, "--merge", "-o", "-"],
        vec!["plan", &data, "--merge"],
        vec!["formats"],
        vec!["--help"],
    ] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(program())
            .args(&words)
            .stdout(Stdio::from(full))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        // A command that has nothing to say writes nothing.
        let silent = run(&words).stdout.is_empty();
        assert_eq!(output.status.success(), silent, "{words:?}: {}", said(&output));
    }
}

/// `ulimit -f`, by which a file may not become longer than 512 bytes.
#[test]
#[cfg(target_os = "linux")]
fn a_limit_of_the_shell_is_an_error_and_leaves_nothing() {
    let folder = Folder::new();
    let out = folder.at("big.json");
    let limited = format!(
        "ulimit -f 1; exec {} scan {} -o {out} --inline-threshold 100000",
        program().display(),
        file().display()
    );
    let output = Command::new("sh").args(["-c", &limited]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("big.json"), "{}", said(&output));
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 0);
}
