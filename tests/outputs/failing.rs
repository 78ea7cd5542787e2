// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every operation of the file system fails once, in each way: the output is as it was, or as it is to be, and an error
//! names it.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use chunkref_cli::{Console, Exit};
use chunkref_core::atomic::hook::{self, Hook, Operation};

use crate::scenario::{SCENARIOS, Scenario, inputs, is_left_over, is_old_or_new, plant, tree};

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// With a number of the system's.
    Number(i32),
    /// A write takes half of its bytes, and the next one finds the disk full.
    ShortWrite,
    /// The file system cannot do that.
    Unsupported,
}

const NO_SPACE: Failure = Failure::Number(28);
const DENIED: Failure = Failure::Number(13);
const BROKEN: Failure = Failure::Number(5);
const FAILURES: [Failure; 4] = [NO_SPACE, DENIED, BROKEN, Failure::ShortWrite];

/// What is to fail, and what happened.
#[derive(Debug, Default)]
struct Plan {
    /// Operations before the one that fails, and how it does; nothing fails without.
    failure: Option<(usize, Failure)>,
    done: usize,
    failed: Option<Operation>,
    full: bool,
}

#[derive(Debug)]
struct Failing(Arc<Mutex<Plan>>, AtomicBool);

impl Hook for Failing {
    fn before(&self, operation: Operation, _path: &Path) -> io::Result<()> {
        let mut plan = self.0.lock().unwrap();
        let number = plan.done;
        plan.done += 1;
        if plan.full && operation == Operation::Write {
            return Err(io::Error::from_raw_os_error(28));
        }
        let Some((at, failure)) = plan.failure else { return Ok(()) };
        let due = match failure {
            // The next write, or exchange, whichever operation that is.
            Failure::ShortWrite => number >= at && operation == Operation::Write,
            Failure::Unsupported => number >= at && operation == Operation::Exchange,
            Failure::Number(_) => number == at,
        };
        if !due || plan.failed.is_some() {
            return Ok(());
        }
        plan.failed = Some(operation);
        match failure {
            Failure::Number(number) => Err(io::Error::from_raw_os_error(number)),
            Failure::Unsupported => Err(io::ErrorKind::Unsupported.into()),
            Failure::ShortWrite => {
                plan.full = true;
                self.1.store(true, Ordering::SeqCst);
                Ok(())
            }
        }
    }

    fn taken(&self, length: usize) -> usize {
        if self.1.swap(false, Ordering::SeqCst) { length / 2 } else { length }
    }
}

/// The plan of this process; one test at a time has it.
fn plan() -> (MutexGuard<'static, ()>, Arc<Mutex<Plan>>) {
    static TURN: Mutex<()> = Mutex::new(());
    static PLAN: OnceLock<Arc<Mutex<Plan>>> = OnceLock::new();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let plan = PLAN.get_or_init(|| {
        let plan = Arc::new(Mutex::new(Plan::default()));
        hook::install(Box::new(Failing(Arc::clone(&plan), AtomicBool::new(false)))).unwrap();
        plan
    });
    (turn, Arc::clone(plan))
}

fn run(command: &str, input: &Path, output: &Path) -> (Exit, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut words = vec!["chunkref".to_owned()];
    words.extend(Scenario::words(command, input, output));
    let words = words.into_iter().map(Into::into);
    let exit = chunkref_cli::run(words, &mut Console::new(&mut out, &mut err));
    (exit, String::from_utf8(err).unwrap())
}

#[track_caller]
fn must(command: &str, input: &Path, output: &Path) {
    let (exit, said) = run(command, input, output);
    assert_eq!(exit, Exit::Done, "{command}: {said}");
}

#[test]
fn an_operation_that_fails_leaves_the_old_state_or_the_new_one() {
    let (_turn, plan) = plan();
    let input = inputs();
    let outer = tempfile::tempdir().unwrap();
    let output = outer.path().join("out");
    let mut points = 0;
    for scenario in &SCENARIOS {
        *plan.lock().unwrap() = Plan::default();
        let (old, new) = scenario.states(&output, |command| must(command, input.path(), &output));
        for failure in FAILURES {
            for at in 0.. {
                plant(&old, &output);
                *plan.lock().unwrap() = Plan { failure: Some((at, failure)), ..Plan::default() };
                let (exit, said) = run(scenario.command, input.path(), &output);
                let failed = std::mem::take(&mut *plan.lock().unwrap()).failed;
                let Some(operation) = failed else {
                    assert_eq!(exit, Exit::Done, "{}: {said}", scenario.name);
                    break;
                };
                points += 1;
                let mut found = tree(&output);
                let case = format!("{}, {failure:?} at {at}, {operation:?}: {said}", scenario.name);
                if operation == Operation::Remove {
                    // The next process removes it.
                    found.retain(|path, _| !is_left_over(path));
                }
                assert!(
                    is_old_or_new(&found, &old, &new, scenario.several),
                    "{case}\nthere is {:?}",
                    found.keys()
                );
                if exit == Exit::Done {
                    assert_eq!(found, new, "{case}");
                    let harmless = [Operation::Remove, Operation::Link, Operation::Sync];
                    assert!(harmless.contains(&operation), "{case}");
                } else {
                    let words = ["OUT", "v.", "x.", "cube.", "all/"];
                    let name = words.iter().any(|word| said.contains(word));
                    assert!(name && said.contains(&output.display().to_string()), "{case}");
                    assert!(!said.contains(".chunkref-"), "{case}");
                    let flushed = said.contains("cannot be flushed");
                    assert!(found != new || flushed || scenario.several, "{case}");
                }
            }
        }
    }
    println!("{points} operations failed");
    assert!(points >= 500, "{points}");
}

#[test]
fn where_folders_cannot_be_exchanged_they_are_replaced_in_two_steps() {
    let (_turn, plan) = plan();
    let input = inputs();
    let outer = tempfile::tempdir().unwrap();
    let output = outer.path().join("out");
    let mut exchanges = 0;
    for scenario in &SCENARIOS {
        *plan.lock().unwrap() = Plan::default();
        let (old, new) = scenario.states(&output, |command| must(command, input.path(), &output));
        plant(&old, &output);
        *plan.lock().unwrap() =
            Plan { failure: Some((0, Failure::Unsupported)), ..Plan::default() };
        must(scenario.command, input.path(), &output);
        assert_eq!(tree(&output), new, "{}", scenario.name);
        exchanges += usize::from(std::mem::take(&mut *plan.lock().unwrap()).failed.is_some());
    }
    assert!(exchanges >= 3, "{exchanges}");
}
