// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every array read through the references, by the readers that users have, equals what h5py reads.

use crate::environment::{chunkref, corpus, files, fixtures, python, said, script};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// Differences that are known and right: file name's beginning, kind, path, and why.
type Known = &'static [(&'static str, &'static str, &'static str, &'static str)];

/// Differences listed before a failing test gives up.
const MOST_SHOWN: usize = 120;
/// Processes that scan and compare at once.
const WORKERS: usize = 2;

#[test]
fn hdf5_fixtures_read_as_h5py_reads_them() {
    let verdicts = compare(&files(&fixtures("hdf5"), &["h5"]));
    verdicts.require("hdf5 fixtures", 4360, &[]);
    assert_eq!(verdicts.count("array", "codec"), 0, "a codec that nobody decodes: {verdicts}");
    for decoded in ["sz.", "sz3.", "zfp."] {
        assert_eq!(verdicts.skipped_in(decoded), 0, "chunks of {decoded} are decoded");
    }
}

#[test]
fn netcdf4_fixtures_read_as_h5py_reads_them() {
    let verdicts = compare(&files(&fixtures("netcdf4"), &["nc"]));
    verdicts.require("netcdf4 fixtures", 215, &[]);
}

#[test]
fn goes_twins_read_as_h5py_reads_them() {
    let verdicts = compare(&files(&fixtures("goes"), &["nc"]));
    verdicts.require("GOES-16 twins", 40, &[]);
    assert_eq!(verdicts.count("array", "skipped"), 0, "{verdicts}");
}

#[test]
fn real_hdf5_files_read_as_h5py_reads_them() {
    let Some(files) = corpus("hdf5") else { return println!("no real files on this machine") };
    compare(&files).require("real HDF5 files", 4300, &[]);
}

#[test]
fn real_netcdf4_files_read_as_h5py_reads_them() {
    let Some(files) = corpus("netcdf4") else { return println!("no real files on this machine") };
    compare(&files).require("real NetCDF-4 files", 3050, &[]);
}

/// A comparison that finds nothing proves nothing: wrong references must be told from right ones.
#[test]
fn wrong_references_are_found() {
    let source = fixtures("hdf5").join("contiguous.v1.h5");
    let output = chunkref([
        "scan".as_ref(),
        source.as_os_str(),
        "--inline-threshold".as_ref(),
        "0".as_ref(),
    ]);
    assert!(output.status.success(), "{}", said(&output));
    let right: Value = serde_json::from_slice(&output.stdout).unwrap();
    let refs = right["refs"].as_object().unwrap();
    let mut wrong = right.clone();
    wrong["refs"]["long/0"][1] = (refs["long/0"][1].as_u64().unwrap() + 2).into();
    wrong["refs"]["early/.zarray"] =
        refs["early/.zarray"].as_str().unwrap().replace("<i4", "<u4").into();
    wrong["refs"]["late/.zattrs"] = r#"{"_ARRAY_DIMENSIONS":["phony_dim_9"],"made_up":1}"#.into();
    // Readers take consolidated metadata before the documents of single arrays.
    let is_kept = |key: &str| !key.starts_with("cube/") && key != ".zmetadata";
    wrong["refs"].as_object_mut().unwrap().retain(|key, _| is_kept(key));
    let found = |document: &Value| {
        let lines = answers(&[json!({ "source": source, "inline": document })]);
        let amiss = lines.iter().filter(|line| {
            !["exact", "opened", "done"].iter().any(|fine| line["verdict"] == *fine)
        });
        let mut amiss: Vec<String> = amiss
            .map(|line| {
                format!("{} {} {}", line["kind"], line["path"], line["verdict"]).replace('"', "")
            })
            .collect();
        amiss.sort();
        amiss
    };
    assert_eq!(found(&right), Vec::<String>::new());
    assert_eq!(
        found(&wrong),
        [
            "array cube missing",
            "array early wrong",
            "array long wrong",
            "attribute late@made_up extra"
        ]
    );
}

/// What the comparison said, line by line.
struct Verdicts {
    lines: Vec<Value>,
    reasons: BTreeMap<String, u64>,
}

/// Scan every file with the program, then compare, both with a few processes at a time.
fn compare(sources: &[PathBuf]) -> Verdicts {
    let folder = tempfile::tempdir().unwrap();
    let share = sources.len().div_ceil(WORKERS).max(1);
    let mut verdicts = Verdicts { lines: Vec::new(), reasons: BTreeMap::new() };
    let shares: Vec<(Vec<Value>, Vec<Value>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let part: Vec<_> =
                    sources.iter().enumerate().skip(worker).step_by(WORKERS).collect();
                assert!(part.len() <= share);
                let folder = folder.path();
                scope.spawn(move || {
                    let jobs: Vec<Value> = part
                        .iter()
                        .map(|(number, source)| job(source, &folder.join(format!("{number}.json"))))
                        .collect();
                    let lines = answers(&jobs);
                    (jobs, lines)
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    for (jobs, lines) in shares {
        for skip in jobs.iter().flat_map(|job| job["skips"].as_array().into_iter().flatten()) {
            let reason = skip["reason"].as_str().unwrap_or_default();
            assert!(!reason.trim().is_empty(), "skipped without a reason: {skip}");
            *verdicts.reasons.entry(general(reason)).or_default() += 1;
        }
        verdicts.lines.extend(lines);
    }
    verdicts
}

/// Scan one file; a file that the program refuses is compared as refused.
fn job(source: &Path, refs: &Path) -> Value {
    let scan = chunkref([
        "scan".as_ref(),
        source.as_os_str(),
        "-o".as_ref(),
        refs.as_os_str(),
        "--quiet".as_ref(),
    ]);
    if !scan.status.success() {
        assert_eq!(scan.status.code(), Some(1), "{}: {}", source.display(), said(&scan));
        return json!({ "source": source, "refused": said(&scan) });
    }
    let inspect = chunkref(["inspect".as_ref(), source.as_os_str(), "--json".as_ref()]);
    assert!(inspect.status.success(), "{}: {}", source.display(), said(&inspect));
    let summary: Value = serde_json::from_slice(&inspect.stdout).unwrap();
    let skips =
        summary["skipped"].as_array().expect("`inspect --json` has a list `skipped`").clone();
    let paths: Vec<&Value> = skips.iter().map(|skip| &skip["path"]).collect();
    json!({ "source": source, "refs": refs, "skipped": paths, "skips": skips })
}

/// Let Python compare.
pub(crate) fn answers(jobs: &[Value]) -> Vec<Value> {
    let mut child = Command::new(python())
        .arg(script("differential.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text: Vec<String> = jobs.iter().map(Value::to_string).collect();
    let writer = thread::spawn(move || writeln!(input, "{}", text.join("\n")));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let lines: Vec<Value> = str::from_utf8(&output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let closed = lines.iter().filter(|line| line["kind"] == "done").count();
    let stopped = jobs.get(closed).map(|job| &job["source"]);
    assert!(
        output.status.success() && closed == jobs.len(),
        "differential.py: {}, stopped at {stopped:?} after {:?}",
        output.status,
        lines.last()
    );
    lines
}

/// A reason without its numbers and quotes, so that reasons can be counted.
fn general(reason: &str) -> String {
    let plain: String = reason.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    plain.replace("00", "0").chars().take(90).collect()
}

/// The name of the file that a line is about.
fn file_name(line: &Value) -> String {
    let source = Path::new(line["source"].as_str().unwrap_or_default());
    source.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl Verdicts {
    fn count(&self, kind: &str, verdict: &str) -> usize {
        self.lines.iter().filter(|line| line["kind"] == kind && line["verdict"] == verdict).count()
    }

    /// Arrays left out of files whose names begin with `start`.
    fn skipped_in(&self, start: &str) -> usize {
        let skipped = |line: &&Value| line["kind"] == "array" && line["verdict"] == "skipped";
        let lines = self.lines.iter().filter(skipped);
        lines.filter(|line| file_name(line).starts_with(start)).count()
    }

    /// Print the table; fail on anything amiss that is not known, on known differences that are gone, on too few exact arrays.
    fn require(&self, title: &str, exact: usize, known: Known) {
        println!("{title}\n{self}");
        let is_known = |line: &Value| {
            let file = file_name(line);
            known.iter().position(|(start, kind, path, _)| {
                file.starts_with(start) && line["kind"] == *kind && line["path"] == *path
            })
        };
        let mut met = vec![false; known.len()];
        let mut amiss = Vec::new();
        for line in &self.lines {
            let fine = [
                "exact", "close", "skipped", "dimonly", "notruth", "codec", "opened", "done",
                "refused",
            ];
            if fine.iter().any(|verdict| line["verdict"] == *verdict) {
                continue;
            }
            match is_known(line) {
                Some(index) => met[index] = true,
                None => amiss.push(format!("  {line}\n")),
            }
        }
        let shown = amiss.iter().take(MOST_SHOWN).map(String::as_str).collect::<String>();
        assert!(
            amiss.is_empty(),
            "{title}: references and source differ in {}:
{shown}",
            amiss.len()
        );
        for (difference, met) in known.iter().zip(met) {
            assert!(met, "{title}: no longer differs, take it off the list: {difference:?}");
        }
        let found = self.count("array", "exact");
        assert!(found >= exact, "{title}: {found} arrays exact, expected at least {exact}");
    }
}

impl std::fmt::Display for Verdicts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut table: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| line["kind"] != "done") {
            *table
                .entry((
                    line["kind"].as_str().unwrap_or("?"),
                    line["verdict"].as_str().unwrap_or("?"),
                ))
                .or_default() += 1;
        }
        for ((kind, verdict), count) in table {
            writeln!(f, "  {kind:<11} {verdict:<11} {count:>6}")?;
        }
        for (reason, count) in &self.reasons {
            writeln!(f, "  skipped {count:>5}: {reason}")?;
        }
        Ok(())
    }
}
