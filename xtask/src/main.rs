// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask`: the workspace's only automation. What CI runs is a command of this, so it can be run at a desk.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task runner talks to its terminal"
)]

mod api;
mod browser;
mod checks;
mod demo;
mod fuzz;
mod python;
mod server;
mod soak;
mod step;
mod tidy;
mod tools;
mod wheel;

use std::process::ExitCode;
use step::{Outcome, Step};

const USAGE: &str = "usage: cargo xtask COMMAND

  demo        write 24 GOES-16 twins, scan them from disk and from an S3 server on this machine, open the result
              with xarray and check its values
  test        all tests, with a Python environment and fixtures of their own
  ci          fmt, clippy, doc, tidy, deny, typos, test: what CI runs; as root on Debian it installs Chromium where it is
              missing
  scan ARGS   `chunkref scan ARGS`, built in release
  tidy        the house rules that no other tool knows
  api         write the public surface of each library to docs/api (look at the difference before you commit it)
  fixtures    write the fixtures the tests read
  python      build the wheel, install it and run its tests
  grib-tables write the tables of GRIB's parameters and levels, of the pinned ecCodes
  golden      rewrite the golden references and the table of options in the guide (look at the difference before you commit it)
  bench       the benchmarks
  deny        licences, banned crates and sources of all dependencies, and advisories where they can be had
  typos       misspelled words
  fuzz [TARGET...] [--seconds N] [--jobs N]
              coverage-guided fuzzing of each target (all of them) for N seconds (60), N of them at a time (1)
  soak [--minutes N]
              rounds of scan, build, append and verify through a server with faults, for N minutes (15)
  soak cubes [--minutes N]
              random archives with the mishaps of real ones, each combined and compared cell by cell with its files";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match run(&command, &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask {command}: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, rest: &[String]) -> Outcome<()> {
    if !matches!(command, "scan" | "fuzz" | "soak") && !rest.is_empty() {
        return Err(format!("unexpected argument `{}`\n{USAGE}", rest[0]));
    }
    match command {
        "demo" => demo::run(),
        "test" => checks::test(),
        "ci" => checks::ci(),
        "scan" => scan(rest),
        "tidy" => tidy::run(),
        "api" => api::write(),
        "fixtures" => python::Environment::prepare()?.fixtures().map(drop),
        "grib-tables" => python::Environment::prepare()?.grib_tables(&[]).run(),
        "golden" => checks::golden(),
        "python" => checks::python(),
        "bench" => checks::bench(),
        "deny" => tools::Tools::prepare()?.deny(),
        "typos" => tools::Tools::prepare()?.typos(),
        "fuzz" => fuzz::run(rest),
        "soak" => soak::run(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        "" => Err(format!("no command\n{USAGE}")),
        _ => Err(format!("unknown command\n{USAGE}")),
    }
}

fn scan(arguments: &[String]) -> Outcome<()> {
    Step::cargo(["run", "--release", "--quiet", "--package", "chunkref-cli", "--", "scan"])
        .args(arguments)
        .here()
        .run()
}
