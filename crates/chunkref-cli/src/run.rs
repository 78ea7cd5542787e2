// SPDX-License-Identifier: MIT OR Apache-2.0
//! One run of the command, from its arguments to its exit code.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use chunkref::model::secret::{is_secret_name, keep_secret, keep_secrets_of};
use chunkref::store::StorageOptions;
use clap::{CommandFactory, Parser};

use crate::arguments::{Arguments, Command};
use crate::console::Console;
use crate::interrupt::survive_file_size_limit;
use crate::logging::{self, LogFormat};
use crate::{
    cat, convert, cube, formats, inspect, option_flags, report, report_page, scan, verify,
};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// An input failed, or the output could not be written.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Some of many inputs failed, or variables were skipped under `--strict`.
    Partial = 3,
    /// The user stopped it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command stopped, other than a fault of an input.
#[derive(Debug)]
pub(crate) enum Stop {
    Usage(String),
    /// An input is not there, and nothing was done.
    Input(String),
    Output(io::Error),
    /// By the user, with nothing written.
    Interrupted,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Runs the command with the arguments, output and terminal of this process.
#[must_use]
pub fn main() -> ExitCode {
    chunkref::core::hide_secrets_of_panics();
    survive_file_size_limit();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut err = io::stderr();
    let mut console = Console::of_process(&mut out, &mut err);
    run(std::env::args_os(), &mut console).into()
}

/// Runs the command; the first of `arguments` is the name of the program.
pub fn run(arguments: impl IntoIterator<Item = OsString>, console: &mut Console<'_>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    keep_secrets(&arguments);
    let outcome = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => execute(&arguments, console),
        Err(error) => explain(&error, console),
    };
    let flushed = outcome.and_then(|exit| {
        console.flush()?;
        Ok(exit)
    });
    match flushed {
        Ok(exit) => exit,
        // Whoever read the output has seen enough; that is no fault.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(Stop::Output(error)) => {
            report::fault(console, "the output cannot be written", &error);
            Exit::Failed
        }
        Err(Stop::Input(message)) => {
            report::error_line(console, &message);
            Exit::Failed
        }
        Err(Stop::Interrupted) => {
            report::error_line(console, "interrupted: nothing is written");
            Exit::Interrupted
        }
        Err(Stop::Usage(message)) => {
            report::usage(console, &message);
            Exit::Usage
        }
    }
}

/// Lets no message hold the secrets of a command line, not even the one that says what is wrong with it.
fn keep_secrets(arguments: &[OsString]) {
    let mut is_option = false;
    for argument in arguments.iter().skip(1) {
        let text = argument.to_string_lossy();
        keep_secrets_of(&text);
        let option = text.strip_prefix(OPTION).and_then(|rest| rest.strip_prefix('='));
        match (option.or(is_option.then_some(&*text)), text.split_once('=')) {
            (Some(option), _) => match option.split_once('=') {
                Some((name, value)) if !name.is_empty() => {
                    StorageOptions::default().set(name, value);
                    // What is no option may be a secret of its own with an = in it.
                    if crate::store_arguments::storage_option(option).is_err() {
                        keep_secret(option);
                    }
                }
                _ => keep_secret(option),
            },
            (None, Some((name, value))) if is_secret_name(name) => keep_secret(value),
            _ => {}
        }
        is_option = text == OPTION;
    }
}

/// The option whose values may be secret.
const OPTION: &str = "--storage-option";

fn execute(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Stop> {
    console.configure(arguments.color, arguments.quiet, arguments.log_format);
    logging::start(arguments.log_format, arguments.log_level.as_deref()).map_err(Stop::Usage)?;
    // Neither of two codecs of one name is used, and flags that cannot be had are not dropped.
    chunkref::core::Codecs::linked().map_err(|error| Stop::Usage(error.to_string()))?;
    option_flags::collision(&Arguments::command()).map_err(Stop::Usage)?;
    match &arguments.command {
        Command::Scan(arguments) => scan::run(arguments, console),
        Command::Combine(arguments) => cube::run_combine(arguments, console),
        Command::Build(arguments) => cube::run_build(arguments, console),
        Command::Append(arguments) => cube::run_append(arguments, console),
        Command::Plan(arguments) => cube::run_plan(arguments, console),
        Command::Convert(arguments) => convert::run(arguments, console),
        Command::Verify(arguments) => verify::run(arguments, console),
        Command::Cat(arguments) => cat::run(arguments, console),
        Command::Inspect(arguments) => inspect::run(arguments, console),
        Command::Report(arguments) => report_page::run(arguments, console),
        Command::Formats(arguments) => formats::run(arguments, console),
    }
}

/// What clap has to say: help and version on the output, anything else as an error.
fn explain(error: &clap::Error, console: &mut Console<'_>) -> Result<Exit, Stop> {
    console.configure(clap::ColorChoice::Auto, false, LogFormat::Text);
    let text = error.render();
    let coloured = if error.use_stderr() { console.err_colour() } else { console.out_colour() };
    let text = if coloured { text.ansi().to_string() } else { text.to_string() };
    if error.use_stderr() {
        console.note(&text);
        Ok(Exit::Usage)
    } else {
        write!(console, "{text}")?;
        Ok(Exit::Done)
    }
}
