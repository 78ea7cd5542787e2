// SPDX-License-Identifier: MIT OR Apache-2.0
//! `test`, `ci` and `golden`.

use crate::browser;
use crate::python::Environment;
use crate::step::{Outcome, Step, target};
use crate::tidy;
use crate::tools::Tools;
use crate::wheel::Installed;
use std::time::Instant;

/// What no default build has: the second engine of HDF5 and Icechunk repositories, in one build, and of the whole workspace,
/// so that libraries are not built another time for fewer features or packages.
const OPTIONAL: [&str; 3] = [
    "--workspace",
    "--features",
    "chunkref-hdf5/libhdf5,chunkref-tests/libhdf5,chunkref-cli/icechunk,chunkref-tests/icechunk",
];

/// A workspace as somebody else has it, with formats and a codec of its own.
const OUTSIDE: &str = "docs/examples/outside/Cargo.toml";

/// All tests; the last line says how many passed and failed.
pub(crate) fn test() -> Outcome<()> {
    let python = Environment::prepare()?;
    let fixtures = python.fixtures()?;
    let mut tally = Tally::default();
    let mut run = |step: Step| {
        step.env("CHUNKREF_FIXTURES", &fixtures)
            .env("CHUNKREF_PYTHON", python.python())
            .env("PATH", python.path()?)
            .watch(|line| tally.see(line))
    };
    let workspace = run(Step::cargo(["test", "--workspace", "--no-fail-fast"]))?;
    let tests = ["--lib", "--test", "integration", "--test", "allocations"];
    let optional = Step::cargo(["test", "--no-fail-fast"])
        .args(tests)
        .args(OPTIONAL)
        .args(["--", "engine", "libhdf5", "icechunk"]);
    let optional = run(optional)?;
    let outside = run(Step::cargo(["test", "--no-fail-fast", "--workspace"])
        .args(["--manifest-path", OUTSIDE, "--target-dir"])
        .args([target()]))?;
    build_programs()?;
    let installed = Installed::prepare(&python)?;
    installed.check_types()?;
    // The judge of cubes is judged itself: by cubes made by hand, and by faults planted in them. The recipes of the guide are
    // run, and opened by the package too.
    let judge = run(installed.judges().env("CHUNKREF", target().join("debug/chunkref")))?;
    let cubes = python.cubes(&["--seeds", "0:300"]).watch(|_| {})?;
    // Labels of GRIB fields beside ecCodes', over a sample of its tables, and the tables themselves.
    let tables = python.grib_tables(&["--check"]).watch(|_| {})?;
    let labels = python.grib_labels().watch(|_| {})?;
    // Places of points beside ecCodes', for every kind of grid in every scanning mode.
    let grids = python.grib_grids().watch(|_| {})?;
    // Values of messages beside ecCodes', over a sample of those that it packs and some made by hand.
    let values = python.grib_values().watch(|_| {})?;
    let indexes = python.grib_indexes().watch(|_| {})?;
    let package = installed.tests().watch(|line| tally.see(line))?;
    let left_out = browser::left_out(browser::found().as_deref());
    if !left_out.is_empty() {
        println!("{left_out}");
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    tally.verdict(
        workspace
            && optional
            && outside
            && judge
            && cubes
            && tables
            && labels
            && grids
            && values
            && indexes
            && package,
    )
}

/// The tests of the Python package alone.
pub(crate) fn python() -> Outcome<()> {
    let python = Environment::prepare()?;
    python.fixtures()?;
    build_programs()?;
    let installed = Installed::prepare(&python)?;
    installed.check_types()?;
    installed.tests().run()
}

/// The programs that tests of the Python package start, with the features that `cargo test --workspace` builds everything
/// with, so that nothing is built twice.
fn build_programs() -> Outcome<()> {
    Step::cargo(["build", "--workspace", "--bins", "--tests"]).run()
}

/// What CI runs, cheapest first.
pub(crate) fn ci() -> Outcome<()> {
    let start = Instant::now();
    Step::cargo(["fmt", "--all", "--check"]).run()?;
    Step::cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).run()?;
    Step::cargo(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-Dwarnings").run()?;
    eprintln!("$ cargo xtask tidy");
    let before = Instant::now();
    tidy::run()?;
    eprintln!("  {:.1} s", before.elapsed().as_secs_f64());
    let tools = Tools::prepare()?;
    tools.deny()?;
    tools.typos()?;
    Step::cargo(["fmt", "--check", "--manifest-path", "fuzz/Cargo.toml"]).run()?;
    Step::cargo(["fmt", "--all", "--check", "--manifest-path", OUTSIDE]).run()?;
    eprintln!("{:.0} s before the tests", start.elapsed().as_secs_f64());
    Step::cargo(["clippy", "--all-targets"])
        .args(OPTIONAL)
        .args(["--", "-D", "warnings"])
        .env("PATH", Environment::prepare()?.path()?)
        .run()?;
    browser::install();
    test()
}

/// The benchmarks, with libhdf5 beside the native engine.
pub(crate) fn bench() -> Outcome<()> {
    let python = Environment::prepare()?;
    python.fixtures()?;
    Step::cargo(["bench", "--package", "chunkref-benches", "--features", "libhdf5"])
        .env("PATH", python.path()?)
        .run()
}

/// Rewrite the golden references.
pub(crate) fn golden() -> Outcome<()> {
    let python = Environment::prepare()?;
    let fixtures = python.fixtures()?;
    Step::cargo(["test", "--package", "chunkref-tests", "--test", "integration", "golden"])
        .env("UPDATE_GOLDEN", "1")
        .env("CHUNKREF_FIXTURES", &fixtures)
        .env("CHUNKREF_PYTHON", python.python())
        .run()?;
    Step::new("git")
        .args(["diff", "--stat", "--", "tests/golden", "docs/guide/command-line.md"])
        .run()
}

/// The sums over all `test result:` lines of `cargo test`, and the last lines of pytest.
#[derive(Debug, Default)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    fn see(&mut self, line: &str) {
        let counts = match line.strip_prefix("test result: ") {
            Some(counts) => counts.split_once(". ").map_or(counts, |(_, rest)| rest),
            // "1 failed, 2 passed, 1 error in 3.45s"
            None => match line.trim_matches(['=', ' ']).rsplit_once(" in ") {
                Some((counts, time)) if time.starts_with(|c: char| c.is_ascii_digit()) => counts,
                _ => return,
            },
        };
        for part in counts.split([';', ',']) {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            match (number.parse::<u64>(), what) {
                (Ok(number), "passed") => self.passed += number,
                (Ok(number), "failed" | "error" | "errors") => self.failed += number,
                _ => {}
            }
        }
    }

    fn verdict(&self, success: bool) -> Outcome<()> {
        match (success, self.failed, self.passed) {
            (_, 1.., _) => Err("tests failed".to_owned()),
            (false, ..) => {
                Err("cargo test failed before or between the tests: see above".to_owned())
            }
            (.., 0) => Err("no test ran".to_owned()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &str) -> Tally {
        let mut tally = Tally::default();
        lines.lines().for_each(|line| tally.see(line));
        tally
    }

    #[test]
    fn results_are_added_up() {
        let sum = tally(
            "running 3 tests\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
        );
        assert_eq!((sum.passed, sum.failed), (4, 2));
        assert!(sum.verdict(true).is_err());
        let sum = tally(
            "..F.  [100%]\n1 failed, 5 passed, 2 skipped, 1 warning, 2 errors in 0.12s\n== 3 passed in 62.01s (0:01:02) ==\n\
             4 passed in all\nE  2 failed in words",
        );
        assert_eq!((sum.passed, sum.failed), (8, 3));
    }

    #[test]
    fn nothing_run_and_nothing_built_are_failures() {
        assert!(tally("").verdict(true).is_err());
        assert!(tally("test result: ok. 3 passed; 0 failed").verdict(false).is_err());
        assert_eq!(tally("test result: ok. 3 passed; 0 failed").verdict(true), Ok(()));
    }
}
