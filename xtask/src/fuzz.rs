// SPDX-License-Identifier: MIT OR Apache-2.0
//! `fuzz`: the targets of `fuzz/`, built with coverage counters by the stable compiler and run by libFuzzer.
//!
//! The flags are those of `cargo fuzz build --sanitizer none`: the code is safe Rust, and a sanitizer would need a nightly
//! compiler.

use crate::python::Environment;
use crate::step::{Outcome, Step, root, target};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What the compiler puts into the code: counters, and the operands of comparisons.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// Targets that need a cargo feature.
const FEATURES: [(&str, &str); 5] = [
    ("combine", "sets"),
    ("icechunk", "icechunk"),
    ("kerchunk_packed", "front-end"),
    ("parquet", "sets"),
    ("words", "front-end"),
];

/// Seconds that each target runs when nothing is said.
const SECONDS: u64 = 60;
/// Seconds for one input, and MiB of the process.
const MOST_SECONDS: &str = "-timeout=10";
const MOST_MEMORY: &str = "-rss_limit_mb=512";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    targets: Vec<String>,
    seconds: u64,
    /// Targets that run at a time.
    jobs: usize,
}

impl Request {
    fn parse(arguments: &[String], known: &[String]) -> Outcome<Self> {
        let mut request = Self { targets: Vec::new(), seconds: SECONDS, jobs: 1 };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--seconds" {
                request.seconds = arguments
                    .next()
                    .and_then(|number| number.parse().ok())
                    .ok_or("--seconds takes a number")?;
            } else if argument == "--jobs" {
                request.jobs = arguments
                    .next()
                    .and_then(|number| number.parse().ok())
                    .filter(|&jobs| jobs > 0)
                    .ok_or("--jobs takes a number")?;
            } else if known.contains(argument) {
                request.targets.push(argument.clone());
            } else {
                return Err(format!("`{argument}` is no target; there are {}", known.join(", ")));
            }
        }
        if request.targets.is_empty() {
            request.targets = known.to_vec();
        }
        Ok(request)
    }
}

/// Build and run targets; an error when one of them found something.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let request = Request::parse(arguments, &names()?)?;
    let seeds = seeds(&request.targets)?;
    let programs = build(&request.targets)?;
    let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || -> Outcome<()> {
        while let Some(name) = request.targets.get(next.fetch_add(1, Ordering::SeqCst)) {
            let fuzzer = Fuzzer { name, programs: &programs, seeds: &seeds };
            let outcome = fuzzer.run(request.seconds)?;
            println!("{outcome}");
            rows.lock().map_err(|error| error.to_string())?.push(outcome);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..request.jobs).map(|_| scope.spawn(work)).collect();
        let panicked = |_| Err("a thread panicked".to_owned());
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(panicked))
    })?;
    let mut rows = rows.into_inner().map_err(|error| error.to_string())?;
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    println!("\n{:18} {:>12} {:>9} {:>9}  findings", "target", "executions", "coverage", "corpus");
    let mut found = 0;
    for row in &rows {
        println!("{row}");
        found += row.findings.len();
    }
    if found == 0 { Ok(()) } else { Err(format!("{found} findings, saved in fuzz/artifacts")) }
}

/// The names of the targets, which are those of their files.
fn names() -> Outcome<Vec<String>> {
    let folder = root().join("fuzz/fuzz_targets");
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn features(targets: &[String]) -> Vec<&'static str> {
    let wanted = |name: &str| targets.iter().any(|target| target == name);
    let mut features: Vec<_> =
        FEATURES.iter().filter(|(name, _)| wanted(name)).map(|(_, feature)| *feature).collect();
    features.sort_unstable();
    features.dedup();
    features
}

/// The folder with the inputs to begin with and the dictionaries, made of the fixtures.
fn seeds(targets: &[String]) -> Outcome<PathBuf> {
    let fixtures = Environment::prepare()?.fixtures()?;
    let folder = target().join("fuzz/seeds");
    // Features of the whole workspace, so that nothing is built twice.
    let mut build = Step::cargo(["build", "--workspace", "--bin", "chunkref-fuzzing"]);
    if targets.iter().any(|name| name == "icechunk") {
        build = build.args(["--features", "chunkref-fuzzing/icechunk"]);
    }
    build.run()?;
    for name in targets {
        let program = target().join("debug").join(program_name("chunkref-fuzzing"));
        Step::new(program).args(["seeds", name]).args([&fixtures, &folder.join(name)]).run()?;
    }
    Ok(folder)
}

/// Builds the targets; the folder of their programs.
fn build(targets: &[String]) -> Outcome<PathBuf> {
    let version = Step::new("rustc").args(["-vV"]).output()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or("rustc -vV names no host")?;
    let folder = target().join("fuzz");
    let mut step = Step::cargo(["build", "--release", "--manifest-path", "fuzz/Cargo.toml"])
        // The flags are for the targets alone, not for build scripts: that takes a target of its own.
        .args(["--target", host, "--target-dir"])
        .args([&folder])
        .env("RUSTFLAGS", FLAGS);
    let features = features(targets);
    if !features.is_empty() {
        step = step.args(["--features", &features.join(",")]);
    }
    targets.iter().fold(step, |step, name| step.args(["--bin", name])).run()?;
    Ok(folder.join(host).join("release"))
}

fn program_name(name: &str) -> String {
    if cfg!(windows) { format!("{name}.exe") } else { name.to_owned() }
}

/// One target that is ready to run.
#[derive(Debug)]
struct Fuzzer<'a> {
    name: &'a str,
    programs: &'a Path,
    seeds: &'a Path,
}

/// What a run came to.
#[derive(Debug, Default)]
struct Summary {
    name: String,
    executions: u64,
    coverage: u64,
    corpus: u64,
    findings: Vec<String>,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, executions, coverage, corpus, findings } = self;
        let words = if findings.is_empty() { "none".to_owned() } else { findings.join(", ") };
        write!(formatter, "{name:18} {executions:>12} {coverage:>9} {corpus:>9}  {words}")
    }
}

impl Fuzzer<'_> {
    fn run(&self, seconds: u64) -> Outcome<Summary> {
        let corpus = target().join("fuzz/corpus").join(self.name);
        let artifacts = root().join("fuzz/artifacts").join(self.name);
        for folder in [&corpus, &artifacts] {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let seeds = self.seeds.join(self.name);
        let mut command = self.program();
        command
            .arg(format!("-max_total_time={seconds}"))
            .args([MOST_SECONDS, MOST_MEMORY, "-max_len=65536", "-print_final_stats=1"])
            .arg(format!("-dict={}", seeds.with_extension("dict").display()))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .args([&corpus, &seeds]);
        let mut summary = Summary { name: self.name.to_owned(), ..Summary::default() };
        let log = target().join("fuzz").join(format!("{}.log", self.name));
        let success = said(command, &log, |line| summary.see(line))?;
        if !success && summary.findings.is_empty() {
            return Err(format!("{} ended with a fault of its own: {}", self.name, log.display()));
        }
        for file in &mut summary.findings {
            *file = self.minimised(file)?;
        }
        Ok(summary)
    }

    /// The smallest input that libFuzzer finds in half a minute to fail in the same way.
    fn minimised(&self, file: &str) -> Outcome<String> {
        let small = format!("{file}.min");
        let mut command = self.program();
        command
            .args(["-minimize_crash=1", "-max_total_time=30", MOST_SECONDS, MOST_MEMORY])
            .args([&format!("-exact_artifact_path={small}"), file]);
        let log = target().join("fuzz").join(format!("{}.minimise.log", self.name));
        said(command, &log, |_| {})?;
        Ok(if Path::new(&small).exists() { small } else { file.to_owned() })
    }

    fn program(&self) -> Command {
        let mut command = Command::new(self.programs.join(program_name(self.name)));
        command.current_dir(root());
        command
    }
}

impl Summary {
    /// Takes what a line of libFuzzer says.
    fn see(&mut self, line: &str) {
        if let Some(number) = line.strip_prefix("stat::number_of_executed_units:") {
            self.executions = number.trim().parse().unwrap_or_default();
        } else if let Some((_, file)) = line.split_once("Test unit written to ") {
            self.findings.push(file.trim().to_owned());
        } else if line.starts_with('#') {
            let mut words = line.split_whitespace();
            while let Some(word) = words.next() {
                let mut number = || words.next()?.split('/').next()?.parse().ok();
                match word {
                    "cov:" => self.coverage = number().unwrap_or(self.coverage),
                    "corp:" => self.corpus = number().unwrap_or(self.corpus),
                    _ => {}
                }
            }
        }
    }
}

/// Runs a command whose standard error goes to `log`, each line to `see`; whether it succeeded.
fn said(mut command: Command, log: &Path, mut see: impl FnMut(&str)) -> Outcome<bool> {
    let fault = |error: std::io::Error| format!("{}: {error}", log.display());
    let mut kept = fs::File::create(log).map_err(fault)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run {}: {error}", command.get_program().display()))?;
    if let Some(output) = child.stderr.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.map_err(fault)?;
            kept.write_all(&line).and_then(|()| kept.write_all(b"\n")).map_err(fault)?;
            see(&String::from_utf8_lossy(&line));
        }
    }
    child.wait().map(|status| status.success()).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn targets_and_seconds_are_read() {
        let known = words("a b");
        let parse = |text| Request::parse(&words(text), &known);
        assert_eq!(parse(""), Ok(Request { targets: known.clone(), seconds: SECONDS, jobs: 1 }));
        let request = Request { targets: words("b"), seconds: 5, jobs: 2 };
        assert_eq!(parse("b --seconds 5 --jobs 2"), Ok(request));
        assert!(parse("--jobs 0").is_err());
        assert!(parse("c").unwrap_err().contains("a, b"));
        assert!(parse("--seconds soon").is_err());
    }

    #[test]
    fn each_feature_is_one_of_the_manifest_and_belongs_to_a_target() {
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        let names = names().unwrap();
        assert!(names.len() > 10, "{names:?}");
        for name in &names {
            let feature = FEATURES.iter().find(|(known, _)| known == name);
            let needs =
                feature.map(|(_, feature)| format!("required-features = [\"{feature}\"]\n"));
            let entry = format!(
                "name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n{}test = false",
                needs.unwrap_or_default()
            );
            assert!(manifest.contains(&entry), "{entry}");
        }
    }

    #[test]
    fn libfuzzer_is_understood() {
        let mut summary = Summary::default();
        for line in [
            "#2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 30Mb",
            "#4096\tpulse  cov: 402 ft: 1213 corp: 77/12Kb lim: 64 exec/s: 2048 rss: 40Mb",
            "artifact_prefix='x/'; Test unit written to x/crash-12",
            "stat::number_of_executed_units: 5000",
        ] {
            summary.see(line);
        }
        assert_eq!((summary.executions, summary.coverage, summary.corpus), (5000, 402, 77));
        assert_eq!(summary.findings, ["x/crash-12"]);
    }
}
