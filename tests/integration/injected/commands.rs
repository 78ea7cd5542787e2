// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commands whose server fails at one request, or from one on.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chunkref_cli::{Console, Exit};
use chunkref_testserver::{Access, Fault, FaultyProxy, RangeServer, Rule, S3Server};
use tempfile::TempDir;

use crate::environment::{files, fixtures};
use crate::stores::below;

/// What goes wrong from a request on, and the tries after the first that are allowed.
fn lasting() -> [(Fault, &'static str); 5] {
    [
        (Fault::Status(503, Some(0)), "1"),
        (Fault::Status(403, None), "0"),
        (Fault::Drop, "0"),
        (Fault::DropAfter(20), "0"),
        (Fault::Tag("\"another\""), "0"),
    ]
}

/// A command, what it leaves behind, and what is there before.
struct Operation {
    name: &'static str,
    /// Its words; `URL` is the server's, `OUT` a folder of its own.
    words: &'static [&'static str],
    /// What there is in the folder before it runs.
    before: fn(&Scene, &Path),
    /// Requests that it makes at least.
    least: u64,
}

fn nothing(_: &Scene, _: &Path) {}

const CUBE: &[&str] = &["--concat", "t", "--identical", "x,y"];

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "scan NetCDF-4",
        words: &["scan", "URL/a.nc", "-o", "OUT/a.json"],
        before: nothing,
        least: 4,
    },
    Operation {
        name: "scan into a folder",
        words: &["scan", "URL/a.nc", "URL/small.nc", "URL/fields.grib2", "-o", "OUT/refs/"],
        before: nothing,
        least: 8,
    },
    Operation {
        name: "scan again",
        words: &["scan", "URL/a.nc", "-o", "OUT/a.json", "--inline-threshold", "0"],
        before: |scene, out| scene.put("a.json", &out.join("a.json")),
        least: 4,
    },
    Operation {
        name: "scan --resume",
        words: &["scan", "URL/a.nc", "-o", "OUT/a.json", "--resume"],
        before: |scene, out| scene.put("a.json", &out.join("a.json")),
        least: 1,
    },
    Operation {
        name: "scan a pattern in a bucket",
        words: &["scan", "s3://bucket/*.nc", "-o", "OUT/refs/"],
        before: nothing,
        least: 5,
    },
    Operation {
        name: "scan external links",
        words: &["scan", "URL/links.v108.h5", "-o", "OUT/a.json"],
        before: nothing,
        least: 2,
    },
    Operation {
        name: "scan external data",
        words: &["scan", "URL/external.v108.h5", "-o", "OUT/a.parq"],
        before: nothing,
        least: 2,
    },
    Operation {
        name: "scan GRIB with an index",
        words: &["scan", "URL/fields.grib2", "-o", "OUT/a.json"],
        before: nothing,
        least: 2,
    },
    Operation {
        name: "build JSON",
        words: &["build", "URL/a.nc", "URL/b.nc", "-o", "OUT/cube.json"],
        before: |_, out| fs::write(out.join("cube.json"), "the old one").unwrap(),
        least: 8,
    },
    Operation {
        name: "build Parquet",
        words: &["build", "URL/a.nc", "URL/b.nc", "-o", "OUT/cube.parq"],
        before: nothing,
        least: 8,
    },
    Operation {
        name: "append",
        words: &["append", "OUT/cube.json", "URL/b.nc"],
        before: |scene, out| scene.put("first.json", &out.join("cube.json")),
        least: 4,
    },
    Operation {
        name: "combine",
        words: &["combine", "SETS/raw_a.json", "SETS/raw_b.json", "-o", "OUT/cube.json"],
        before: nothing,
        least: 2,
    },
    Operation {
        name: "convert",
        words: &["convert", "URL/sets/cube.parq", "OUT/cube.json"],
        before: nothing,
        least: 3,
    },
    Operation {
        name: "verify",
        words: &["verify", "SETS/cube.json", "--all", "--json", "--against-source"],
        before: nothing,
        least: 4,
    },
    Operation {
        name: "cat of a set",
        words: &["cat", "SETS/cube.json", "SST", "-o", "OUT/sst.npy"],
        before: nothing,
        least: 2,
    },
    Operation {
        name: "cat of a file",
        words: &["cat", "URL/a.nc", "SST"],
        before: nothing,
        least: 4,
    },
    Operation {
        name: "report",
        words: &["report", "URL/a.nc", "-o", "OUT/page.html"],
        before: |_, out| fs::write(out.join("page.html"), "the old one").unwrap(),
        least: 1,
    },
    Operation {
        name: "inspect",
        words: &["inspect", "URL/a.nc", "--json"],
        before: nothing,
        least: 4,
    },
];

/// A server with files and sets of them, and what stands before it.
struct Scene {
    folder: TempDir,
    proxy: FaultyProxy,
    /// Before a server of buckets.
    buckets: FaultyProxy,
    _servers: (RangeServer, S3Server),
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let served = folder.path().join("served");
        fs::create_dir_all(served.join("sets")).unwrap();
        fs::create_dir(folder.path().join("sets")).unwrap();
        let copy = |from: PathBuf, name: &str| {
            fs::copy(from, served.join(name)).unwrap();
        };
        for (file, name) in files(&fixtures("goes"), &["nc"]).into_iter().zip(["a.nc", "b.nc"]) {
            copy(file, name);
        }
        for name in ["links.v108.h5", "links.v108.target.h5"] {
            copy(fixtures("hdf5").join(name), name);
        }
        for part in ["h5", "head.raw", "one.raw", "tail.raw"] {
            copy(
                fixtures("hdf5").join(format!("external.v110.{part}")),
                &format!("external.v110.{part}"),
            );
        }
        copy(served.join("external.v110.h5"), "external.v108.h5");
        copy(fixtures("netcdf3").join("types.cdf1.nc"), "small.nc");
        copy(fixtures("grib2").join("pressure_levels.grib2"), "fields.grib2");
        fs::write(served.join("fields.grib2.idx"), "1:0:d=x\n2:347:d=x\n").unwrap();
        fs::create_dir_all(folder.path().join("store/bucket")).unwrap();
        for name in ["a.nc", "small.nc"] {
            fs::copy(served.join(name), folder.path().join("store/bucket").join(name)).unwrap();
        }
        let ranges = RangeServer::start(&served).unwrap();
        let store = folder.path().join("store");
        let s3 = S3Server::start(&store, Access::Signed, Duration::ZERO).unwrap();
        let proxy = FaultyProxy::start(&ranges.url(), []).unwrap();
        let buckets = FaultyProxy::start(&s3.url(), []).unwrap();
        let scene = Self { folder, proxy, buckets, _servers: (ranges, s3) };
        let make = |words: &[&str]| {
            let (exit, _, said) = scene.run(words, scene.folder.path(), "0");
            assert_eq!(exit, Exit::Done, "{words:?}: {said}");
        };
        make(&["scan", "URL/a.nc", "-o", "SETS/a.json"]);
        make(&["scan", "URL/a.nc", "-o", "SETS/raw_a.json", "--inline-threshold", "0"]);
        make(&["scan", "URL/b.nc", "-o", "SETS/raw_b.json", "--inline-threshold", "0"]);
        make(&["build", "URL/a.nc", "-o", "SETS/first.json"]);
        make(&["build", "URL/a.nc", "URL/b.nc", "-o", "SETS/cube.json"]);
        make(&["build", "URL/a.nc", "URL/b.nc", "-o", "OUT/served/sets/cube.parq"]);
        scene
    }

    /// What stands before the server that the words name.
    fn proxy(&self, words: &[&str]) -> &FaultyProxy {
        let is_bucket = words.iter().any(|word| word.starts_with("s3://"));
        if is_bucket { &self.buckets } else { &self.proxy }
    }

    /// Copies one of the sets.
    fn put(&self, name: &str, to: &Path) {
        fs::copy(self.folder.path().join("sets").join(name), to).unwrap();
    }

    /// Runs a command; its exit code, its output and what it said.
    fn run(&self, words: &[&str], out: &Path, retries: &str) -> (Exit, Vec<u8>, String) {
        let (url, out) = (self.proxy.url(), out.display().to_string());
        let sets = self.folder.path().join("sets").display().to_string();
        let replaced = words
            .iter()
            .map(|word| word.replace("URL", &url).replace("OUT", &out).replace("SETS", &sets));
        let mut line: Vec<String> =
            std::iter::once("chunkref".to_owned()).chain(replaced).collect();
        if ["build", "combine"].contains(&words[0]) {
            line.extend(CUBE.iter().map(|word| (*word).to_owned()));
        }
        line.extend(["--retries", retries].map(str::to_owned));
        // The sets name a server of this machine.
        line.extend(["--allow".to_owned(), format!("{url}/")]);
        if words.iter().any(|word| word.starts_with("s3://")) {
            for option in [
                format!("endpoint_url={}", self.buckets.url()),
                format!("key={}", S3Server::ACCESS_KEY),
                format!("secret={}", S3Server::SECRET_KEY),
            ] {
                line.extend(["--storage-option".to_owned(), option]);
            }
        }
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let exit = chunkref_cli::run(
            line.into_iter().map(OsString::from),
            &mut Console::new(&mut stdout, &mut stderr),
        );
        (exit, stdout, String::from_utf8_lossy(&stderr).into_owned())
    }
}

/// What a command left: its output, and every file of its folder.
type Left = (Vec<u8>, Vec<(String, Vec<u8>)>);

fn left(out: &Path, stdout: &[u8]) -> Left {
    let read = |name: String| (name.clone(), without_tags(&fs::read(out.join(name)).unwrap()));
    (without_tags(stdout), below(out).into_iter().map(read).collect())
}

/// Bytes without the tags of sources: one that is another from the first request on is recorded so.
fn without_tags(bytes: &[u8]) -> Vec<u8> {
    let Ok(mut rest) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
    let mut kept = String::new();
    while let Some((before, behind)) = rest.split_once("\"e_tag\":\"") {
        kept.push_str(before);
        let mut escaped = false;
        let end = behind.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        rest = &behind[end.unwrap()..];
    }
    (kept + rest).into_bytes()
}

/// Runs the operation undisturbed and then with each fault at each request; how many faults there were.
fn inject(scene: &Scene, operation: &Operation) -> u64 {
    let proxy = scene.proxy(operation.words);
    let attempt = |rules: Vec<Rule>, retries: &str| {
        let out = tempfile::tempdir().unwrap();
        (operation.before)(scene, out.path());
        let old = left(out.path(), &[]);
        proxy.set(rules);
        let (exit, stdout, said) = scene.run(operation.words, out.path(), retries);
        (exit, left(out.path(), &stdout), old, said)
    };
    let name = operation.name;
    let (exit, right, _, said) = attempt(Vec::new(), "0");
    assert_eq!(exit, Exit::Done, "{name}: {said}");
    let requests = proxy.requests();
    assert!(requests >= operation.least, "{name}: {requests} requests");
    let mut points = 0;
    for number in 0..requests {
        for (fault, retries) in lasting() {
            let rule = Rule::always(fault.clone()).after(number);
            let (exit, found, old, said) = attempt(vec![rule], retries);
            if proxy.fired() == 0 {
                continue;
            }
            points += 1;
            let what = format!("{name}: {fault:?} from request {number} on: {exit:?}: {said}");
            if exit == Exit::Done {
                assert!(found == right, "{what}");
                continue;
            }
            let is_unsound = String::from_utf8_lossy(&found.0).contains("\"sound\": false");
            assert!(said.contains("error") || is_unsound, "{what}");
            // Of several files those that are written are whole; anything else is as it was.
            for (path, bytes) in &found.1 {
                let whole = right.1.iter().any(|(known, right)| known == path && right == bytes);
                let same = old.1.contains(&(path.clone(), bytes.clone()));
                assert!(same || (whole && exit == Exit::Partial), "{what}: {path}");
            }
            for (path, _) in &old.1 {
                assert!(found.1.iter().any(|(found, _)| found == path), "{what}: {path} is gone");
            }
        }
        // One that passes is got over.
        let rule = Rule::first(1, Fault::Status(503, Some(0))).after(number);
        let (exit, found, _, said) = attempt(vec![rule], "2");
        if proxy.fired() > 0 {
            points += 1;
            assert!(
                exit == Exit::Done && found == right,
                "{name}: request {number}: {exit:?}: {said}"
            );
        }
    }
    println!("{name}: {requests} requests, {points} faults");
    points
}

#[test]
fn commands_end_right_or_with_an_error_and_the_old_state() {
    let points: u64 = std::thread::scope(|scope| {
        let half = OPERATIONS.len().div_ceil(2);
        let work = |part: &'static [Operation]| {
            let scene = Scene::new();
            part.iter().map(|operation| inject(&scene, operation)).sum::<u64>()
        };
        let threads: Vec<_> =
            OPERATIONS.chunks(half).map(|part| scope.spawn(move || work(part))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    println!("{points} faults of servers in {} operations", OPERATIONS.len());
    assert!(points >= 300, "{points}");
}
