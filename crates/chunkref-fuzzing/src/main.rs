// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bodies without a fuzzer: `list` names the targets, `seeds TARGET FIXTURES FOLDER` writes the inputs that a target
//! begins with and its dictionary, `run TARGET FILE...` runs a body on files, to look at a finding, and `mutate TARGET
//! FIXTURES COUNT` runs it on so many changed seeds.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for its terminal")]

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{fs, panic};

use chunkref_fuzzing::mutation::Changed;
use chunkref_fuzzing::{TARGETS, Target, named};

const USAGE: &str = "usage: chunkref-fuzzing list | seeds TARGET FIXTURES FOLDER | run TARGET FILE... | mutate TARGET FIXTURES COUNT";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match &*words {
        ["list"] => {
            for target in TARGETS {
                println!("{}", target.name);
            }
            Ok(())
        }
        ["seeds", name, fixtures, folder] => {
            target(name).and_then(|target| seeds(target, Path::new(fixtures), Path::new(folder)))
        }
        ["run", name, files @ ..] if !files.is_empty() => {
            target(name).and_then(|target| run(target, files))
        }
        ["mutate", name, fixtures, count] => count
            .parse()
            .map_err(|_| USAGE.to_owned())
            .and_then(|count| mutate(target(name)?, Path::new(fixtures), count)),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn target(name: &str) -> Result<&'static Target, String> {
    named(name).ok_or_else(|| format!("there is no target {name}; `list` names them"))
}

fn seeds(target: &Target, fixtures: &Path, folder: &Path) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(fault)?;
    let seeds = (target.seeds)(fixtures);
    if seeds.is_empty() {
        return Err(format!("{} makes no seed of {}", target.name, fixtures.display()));
    }
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed{number:04}")), seed).map_err(fault)?;
    }
    fs::write(folder.with_extension("dict"), target.dictionary).map_err(fault)?;
    println!("{}: {} seeds", target.name, seeds.len());
    Ok(())
}

fn run(target: &Target, files: &[&str]) -> Result<(), String> {
    for file in files {
        let content = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
        println!("{file}: {} bytes", content.len());
        (target.run)(&content);
    }
    Ok(())
}

fn mutate(target: &Target, fixtures: &Path, count: usize) -> Result<(), String> {
    let (start, mut slowest) = (Instant::now(), Duration::ZERO);
    let mut changed = Changed::new(target, fixtures, usize::MAX, 1);
    for number in 0..count {
        let input = changed.next_input();
        let before = Instant::now();
        if panic::catch_unwind(|| (target.run)(&input)).is_err() {
            let file = std::env::temp_dir().join(format!("{}-{number}", target.name));
            fs::write(&file, &input).map_err(|error| format!("{}: {error}", file.display()))?;
            return Err(format!("input {number} is saved as {}", file.display()));
        }
        let took = before.elapsed();
        if took > slowest && took > Duration::from_millis(500) {
            let file = std::env::temp_dir().join(format!("{}-slow-{number}", target.name));
            fs::write(&file, &input).map_err(|error| format!("{}: {error}", file.display()))?;
            println!("{took:?}: {}", file.display());
        }
        slowest = slowest.max(took);
    }
    println!(
        "{}: {count} inputs in {:?}, the slowest in {slowest:?}",
        target.name,
        start.elapsed()
    );
    Ok(())
}
