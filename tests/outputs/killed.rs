// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes that die: at each operation of the file system, and at any moment. What they leave is the old state or the
//! new one, and the next run ends as one that nobody disturbed, with nothing left over.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use crate::scenario::{
    SCENARIOS, Scenario, Tree, inputs, is_left_over, is_old_or_new, plant, tree,
};

/// The kinds of output and the ways to replace one; the other commands write through the same code.
const KILLED: [&str; 6] = [
    "scan over another",
    "scan of many, the first of which is there",
    "append",
    "append to Parquet",
    "convert to Parquet",
    "report",
];

fn process(command: &str, input: &Path, output: &Path) -> Command {
    let mut process = Command::new(env!("CARGO_BIN_EXE_stopping"));
    process.args(Scenario::words(command, input, output)).arg("--quiet").env_remove("STOP_AT");
    process
}

#[track_caller]
fn must(command: &str, input: &Path, output: &Path) -> Output {
    let done = process(command, input, output).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command}: {said}");
    done
}

/// What a process that died has left, and what the next one makes of it.
#[track_caller]
fn check(scenario: &Scenario, (old, new): (&Tree, &Tree), input: &Path, output: &Path, case: &str) {
    let mut found = tree(output);
    found.retain(|path, _| !is_left_over(path));
    assert!(
        is_old_or_new(&found, old, new, scenario.several),
        "{}, {case}: there is {:?}",
        scenario.name,
        found.keys()
    );
    must(scenario.command, input, output);
    let after = tree(output);
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        new.keys().collect::<Vec<_>>(),
        "{}, {case}: what is left",
        scenario.name
    );
    assert!(after == *new, "{}, {case}: the same bytes", scenario.name);
}

fn killed() -> impl Iterator<Item = &'static Scenario> {
    let found = SCENARIOS.iter().filter(|scenario| KILLED.contains(&scenario.name));
    assert_eq!(found.clone().count(), KILLED.len());
    found
}

#[test]
fn a_process_that_dies_at_any_operation_leaves_the_old_state_or_the_new_one() {
    let input = inputs();
    let outer = tempfile::tempdir().unwrap();
    let output = outer.path().join("out");
    let mut deaths = 0;
    for scenario in killed() {
        let (old, new) =
            scenario.states(&output, |command| drop(must(command, input.path(), &output)));
        for at in 0_u32.. {
            plant(&old, &output);
            let mut process = process(scenario.command, input.path(), &output);
            let process = process.env("STOP_AT", at.to_string()).stderr(Stdio::null());
            if process.status().unwrap().success() {
                break;
            }
            deaths += 1;
            check(scenario, (&old, &new), input.path(), &output, &format!("operation {at}"));
        }
    }
    println!("{deaths} deaths at operations");
    assert!(deaths > 60, "{deaths}");
}

#[test]
fn a_process_that_is_killed_at_any_moment_leaves_the_old_state_or_the_new_one() {
    const KILLS: u32 = 100;
    let input = inputs();
    let outer = tempfile::tempdir().unwrap();
    let output = outer.path().join("out");
    let random = RandomState::new();
    let (mut in_time, scenarios) = (0, killed().collect::<Vec<_>>());
    for (number, scenario) in scenarios.iter().enumerate() {
        let (old, new) =
            scenario.states(&output, |command| drop(must(command, input.path(), &output)));
        plant(&old, &output);
        let start = Instant::now();
        must(scenario.command, input.path(), &output);
        let takes = start.elapsed();
        let each = KILLS.div_ceil(u32::try_from(scenarios.len()).unwrap());
        for kill in 0..each {
            plant(&old, &output);
            let mut process = process(scenario.command, input.path(), &output)
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let part = u32::try_from(random.hash_one((number, kill)) % 1000).unwrap();
            std::thread::sleep(takes * part / 1000);
            // SIGKILL.
            process.kill().unwrap();
            in_time += u32::from(!process.wait().unwrap().success());
            let case = format!("killed after {part} of 1000 parts of {takes:?}");
            check(scenario, (&old, &new), input.path(), &output, &case);
        }
    }
    println!("{in_time} of {KILLS} processes died before they were done");
    assert!(in_time > 0);
}
