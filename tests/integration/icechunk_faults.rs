// SPDX-License-Identifier: MIT OR Apache-2.0
//! Repositories under faults: servers of the sources that fail, processes that are killed, writers at the same time. The
//! branch shows the old state or the new one. Snapshots have random names, so states are compared as JSON.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use chunkref_testserver::{Fault, FaultyProxy, RangeServer, Rule};
use tempfile::TempDir;

use crate::environment::{chunkref, files, fixtures, program, said};

const HOW: [&str; 4] = ["--concat", "t", "--identical", "x,y"];

struct Scene {
    folder: TempDir,
    scenes: Vec<PathBuf>,
}

impl Scene {
    /// With a repository of one file.
    fn new() -> Self {
        let scenes = files(&fixtures("goes"), &["nc"]);
        let scene = Self { folder: tempfile::tempdir().unwrap(), scenes };
        let first = scene.scenes[0].display().to_string();
        let built =
            chunkref([&["build", &first, "-o", &scene.at("first.icechunk")], &HOW[..]].concat());
        assert!(built.status.success(), "{}", said(&built));
        scene
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The repository of one file, anew.
    fn plant(&self) -> String {
        let set = self.at("set.icechunk");
        let _ = fs::remove_dir_all(&set);
        copy(Path::new(&self.at("first.icechunk")), Path::new(&set));
        set
    }

    /// What the branch shows, without how it came about.
    fn state(&self, set: &str) -> String {
        let shown = self.at("shown.json");
        let converted = chunkref(["convert", set, &shown, "-q"]);
        assert!(converted.status.success(), "{}", said(&converted));
        let text = fs::read_to_string(shown).unwrap();
        text.split_once("\"refs\"").unwrap().1.to_owned()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

fn start(words: &[&str]) -> Child {
    Command::new(program())
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn icechunk_append_of_a_source_that_fails_leaves_the_branch() {
    let scene = Scene::new();
    let web = scene.folder.path().join("served");
    fs::create_dir(&web).unwrap();
    fs::copy(&scene.scenes[1], web.join("b.nc")).unwrap();
    let server = RangeServer::start(&web).unwrap();
    let proxy = FaultyProxy::start(&server.url(), []).unwrap();
    let url = format!("{}/b.nc", proxy.url());
    let append = |set: &str, more: &[&str]| {
        chunkref([&["append", set, &url, "--retries", "0"], more].concat())
    };
    let old = scene.state(&scene.plant());
    let set = scene.plant();
    let undisturbed = append(&set, &[]);
    assert!(undisturbed.status.success(), "{}", said(&undisturbed));
    let (new, requests) = (scene.state(&set), proxy.requests());
    assert!(new != old && requests >= 3, "{requests} requests");
    let mut points = 0;
    for number in 0..requests {
        let faults = [Fault::Status(503, Some(0)), Fault::Status(403, None), Fault::DropAfter(20)];
        // Another one at each request: each try starts three processes.
        let turn = usize::try_from(number).unwrap() % faults.len();
        for fault in faults.into_iter().skip(turn).take(1) {
            let set = scene.plant();
            proxy.set(vec![Rule::always(fault.clone()).after(number)]);
            let ended = append(&set, &[]);
            let case = format!("{fault:?} from request {number} on: {}", said(&ended));
            assert!(proxy.fired() > 0, "{case}");
            points += 1;
            assert_eq!(ended.status.code(), Some(1), "{case}");
            assert!(scene.state(&set) == old, "{case}");
            // The same repository takes the file when the server is well.
            proxy.set(Vec::new());
            let again = append(&set, &[]);
            assert!(again.status.success() && scene.state(&set) == new, "{case}: {}", said(&again));
        }
    }
    println!("{points} faults of servers");
}

#[test]
fn icechunk_append_that_is_killed_leaves_the_old_state_or_the_new_one() {
    const KILLS: u32 = 12;
    let scene = Scene::new();
    let next = scene.scenes[1].display().to_string();
    let set = scene.plant();
    let old = scene.state(&set);
    let start_time = Instant::now();
    assert!(start(&["append", &set, &next]).wait().unwrap().success());
    let (takes, new) = (start_time.elapsed(), scene.state(&set));
    let mut in_time = 0;
    for kill in 0..KILLS {
        let set = scene.plant();
        let mut process = start(&["append", &set, &next]);
        std::thread::sleep(takes * kill / KILLS);
        // SIGKILL.
        process.kill().unwrap();
        in_time += u32::from(!process.wait().unwrap().success());
        let found = scene.state(&set);
        assert!(found == old || found == new, "killed after {kill} of {KILLS} parts of {takes:?}");
        let again = chunkref(["append", &set, &next]);
        assert!(again.status.success() && scene.state(&set) == new, "{kill}: {}", said(&again));
    }
    println!("{in_time} of {KILLS} processes died before they were done");
    assert!(in_time > 0);
}

/// One of two writers gives way, and says so; with `--retry` it comes behind the other.
#[test]
fn icechunk_appends_at_the_same_time_are_in_the_branch_or_an_error() {
    let scene = Scene::new();
    let next = scene.scenes[1].display().to_string();
    let set = scene.plant();
    assert!(start(&["append", &set, &next]).wait().unwrap().success());
    let one = scene.state(&set);
    for retry in ["0", "9"] {
        let set = scene.plant();
        let running = [
            start(&["append", &set, &next, "--retry", retry]),
            start(&["append", &set, &next, "--retry", retry]),
        ];
        let ended: Vec<_> =
            running.into_iter().map(|process| process.wait_with_output().unwrap()).collect();
        for process in &ended {
            let said = said(process);
            assert!(process.status.success() || said.contains("changed meanwhile"), "{said}");
        }
        let succeeded = ended.iter().filter(|process| process.status.success()).count();
        assert!(
            succeeded >= 1 && (retry == "0" || succeeded == 2),
            "{succeeded} of 2, --retry {retry}"
        );
        // The second one finds that the file is in the set already: it is not there twice.
        assert!(scene.state(&set) == one, "--retry {retry}");
    }
}
