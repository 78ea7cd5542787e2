// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref combine`, `chunkref build`, `chunkref append` and `chunkref plan`.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;

use chunkref::core::atomic::{is_changed, remove_left_overs};
use chunkref::many::ManyOptions;
use chunkref::session::{
    AppendError, Cube, CubeError, FailedInput, InputDone, InputError, Observer,
};
use chunkref::{
    CombineOptions, EmitError, Location, OnFailure, ScanOptions, Session, Skipped, Stores,
};
use futures::executor::block_on;

use crate::advice::flag;
use crate::combine_arguments::{
    AppendArguments, BuildArguments, CombineArguments, CubeArguments, PlanArguments,
    ScanningArguments,
};
use crate::console::Console;
use crate::inputs;
use crate::interrupt::interrupted;
use crate::output::{Output, is_stdout};
use crate::progress::Progress;
use crate::{Exit, Stop, report, scan};

/// Inputs as the library takes them.
type Inputs = Vec<chunkref::session::Input>;

/// Shows how far the work is.
struct Shown<'a, 'c> {
    progress: Progress,
    console: &'a mut Console<'c>,
}

impl Observer for Shown<'_, '_> {
    fn input_done(&mut self, done: &InputDone<'_>) -> ControlFlow<()> {
        self.progress.advance(self.console, done.failed, done.cost);
        ControlFlow::Continue(())
    }
}

pub(crate) fn run_combine(
    arguments: &CombineArguments,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let options = options(&arguments.cube)?;
    let skips = options.on_failure == OnFailure::Skip;
    let kind = chunkref::session::Input::references;
    let (inputs, absent) = expand(&stores, &arguments.inputs, kind, skips)?;
    let how = arguments.emit.output(&stores)?;
    refuse_output(&inputs, &arguments.output, &how)?;
    how.warn_of_ending(&arguments.output, console);
    let session = session(stores, None)?;
    write(&session, inputs, &absent, &options, &arguments.output, &how, console)
}

pub(crate) fn run_build(
    arguments: &BuildArguments,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let options = options(&arguments.cube)?;
    let skips = options.on_failure == OnFailure::Skip;
    let kind = chunkref::session::Input::file;
    let (inputs, absent) = expand(&stores, &arguments.inputs, kind, skips)?;
    let how = arguments.emit.output(&stores)?;
    refuse_output(&inputs, &arguments.output, &how)?;
    how.warn_of_ending(&arguments.output, console);
    let session = session(stores, Some(&arguments.scanning))?;
    write(&session, inputs, &absent, &options, &arguments.output, &how, console)
}

pub(crate) fn run_plan(arguments: &PlanArguments, console: &mut Console<'_>) -> Result<Exit, Stop> {
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let options = options(&arguments.cube)?;
    let skips = options.on_failure == OnFailure::Skip;
    let kind = chunkref::session::Input::by_name;
    let (inputs, absent) = expand(&stores, &arguments.inputs, kind, skips)?;
    let session = session(stores, Some(&arguments.scanning))?;
    let names = names(&inputs);
    let planned =
        watched(console, inputs.len(), async |shown| session.plan(inputs, &options, shown).await)?;
    let report = match planned {
        Ok((report, skipped)) => {
            warn(console, &names, &skipped);
            report
        }
        Err(error) => return Ok(failed(console, &error)),
    };
    for line in report.in_words(&flag).lines() {
        writeln!(console, "{}", report::shown(line))?;
    }
    for one in &absent {
        report::error_line(console, one);
    }
    Ok(if report.conflicts.is_empty() { Exit::Done } else { Exit::Failed })
}

pub(crate) fn run_append(
    arguments: &AppendArguments,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let mut tries = arguments.retry;
    loop {
        let changed = match append(arguments, console)? {
            Ok(exit) => return Ok(exit),
            Err(changed) => changed,
        };
        let Some(left) = tries.checked_sub(1) else {
            let message = format!("{changed}, as --retry N does");
            report::error_line(console, &message);
            return Ok(Exit::Failed);
        };
        tries = left;
        if !console.quiet() {
            let message = format!(
                "{} changed meanwhile: it is read again, and extended by what it lacks",
                arguments.set.display()
            );
            report::note(console, &message);
        }
    }
}

/// Another process wrote the set meanwhile, in words.
type Changed = String;

/// One try.
fn append(
    arguments: &AppendArguments,
    console: &mut Console<'_>,
) -> Result<Result<Exit, Changed>, Stop> {
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let shown = arguments.set.display().to_string();
    let set = Location::from_path(&arguments.set).map_err(|error| Stop::Usage(error.message))?;
    let skips = arguments.cube.options().on_failure == OnFailure::Skip;
    let kind = chunkref::session::Input::by_name;
    let (inputs, absent) = expand(&stores, &arguments.inputs, kind, skips)?;
    check_dtypes(&arguments.cube)?;
    let given = (!arguments.cube.concat.is_empty()).then(|| arguments.cube.options());
    let mut how = arguments.emit.output(&stores)?;
    let format = how.format_of(&arguments.set).map_err(|error| Stop::Usage(error.to_string()))?;
    let session = session(stores, Some(&arguments.scanning))?;
    let url = set.url().to_owned();
    let at = format.version_in(&how.options);
    let mut extension = match block_on(session.extend(set, at, inputs, given)) {
        Ok(extension) => extension,
        Err(AppendError::NotRecorded(_)) => {
            let message = format!(
                "{shown} does not say how it was combined: add --concat DIM[=SOURCE], and what else it takes"
            );
            return Err(Stop::Usage(message));
        }
        Err(AppendError::Io { source, .. }) => {
            report::failure(console, &shown, &url, &source);
            return Ok(Ok(Exit::Failed));
        }
        Err(AppendError::Replaced(error)) => return Ok(Err(error.to_string())),
        Err(error) => {
            report::failure(console, &shown, &url, &error);
            return Ok(Ok(Exit::Failed));
        }
    };
    if arguments.cube.concat.is_empty() {
        extension.options = arguments.cube.changed(extension.options);
    }
    if extension.known > 0 && !console.quiet() {
        let message = format!("{} of the inputs are in {shown} already", extension.known);
        report::note(console, &message);
    }
    if extension.is_empty() {
        remove_left_overs(&arguments.set);
        return Ok(Ok(Exit::Done));
    }
    let session = session
        .with_scan_options(extension.scan_options.clone())
        .map_err(|error| Stop::Usage(error.to_string()))?;
    how.options = extension.emit_options(how.options);
    let mut inputs = std::mem::take(&mut extension.inputs);
    if let Some(own) = inputs.first_mut() {
        *own = own.clone().with_name(shown);
    }
    let (options, set) = (&extension.options, &arguments.set);
    Ok(match try_write(&session, inputs, &absent, options, set, &how, console)? {
        Tried::Done(exit) => Ok(exit),
        Tried::Changed(error) => Err(error.source.to_string()),
        Tried::Failed(error) => match extension.check_current() {
            Ok(()) => Ok(failed(console, &error)),
            Err(error) => Err(error.to_string()),
        },
    })
}

fn options(cube: &CubeArguments) -> Result<CombineOptions, Stop> {
    if cube.concat.is_empty() && !cube.merge {
        let message = "nothing says how the inputs become one: --concat DIM[=SOURCE] joins them along a dimension, --merge puts their variables together";
        return Err(Stop::Usage(message.to_owned()));
    }
    check_dtypes(cube)?;
    Ok(cube.options())
}

/// A type of a dimension that is none is a slip.
fn check_dtypes(cube: &CubeArguments) -> Result<(), Stop> {
    let known = |name: &String| {
        cube.concat.iter().any(|own| own.name.rsplit('/').next() == Some(name) || own.name == *name)
    };
    match cube.concat_dtype.iter().find(|(name, _)| !known(name)) {
        Some((name, _)) => {
            Err(Stop::Usage(format!("--concat-dtype names {name}, which no --concat does")))
        }
        None => Ok(()),
    }
}

fn session(stores: Stores, scanning: Option<&ScanningArguments>) -> Result<Session, Stop> {
    let usage = |error: chunkref::OptionError| Stop::Usage(error.to_string());
    let options = scanning.map_or_else(ScanOptions::default, |scanning| {
        scanning
            .format
            .scan_options()
            .with_inline_threshold(scanning.inline_threshold)
            .with_limits(stores.limits().clone())
    });
    let jobs = scanning.and_then(|scanning| scanning.jobs);
    let many =
        jobs.map_or_else(ManyOptions::default, |jobs: NonZeroUsize| ManyOptions::with_jobs(jobs));
    let session = Session::new().map_err(usage)?.with_stores(stores).with_many(many);
    session.with_scan_options(options).map_err(usage)
}

/// All inputs, and, in words, those that are not there. One of these is the end, unless it may be left out: a cube without
/// it would be another cube.
fn expand(
    stores: &Stores,
    texts: &[String],
    kind: fn(Location) -> chunkref::session::Input,
    skips: bool,
) -> Result<(Inputs, Vec<String>), Stop> {
    let (inputs, not_found) = inputs::expand(stores, texts, &mut std::io::stdin())?;
    match not_found.first() {
        Some(error) if !skips || inputs.is_empty() => Err(Stop::Input(error.to_string())),
        _ => {
            let inputs = inputs.into_iter();
            let inputs = inputs.map(|input| kind(input.location).with_name(input.name)).collect();
            Ok((inputs, not_found.iter().map(ToString::to_string).collect()))
        }
    }
}

fn names(inputs: &Inputs) -> Vec<String> {
    inputs.iter().map(|input| input.name().to_owned()).collect()
}

fn refuse_output(inputs: &Inputs, output: &Path, how: &Output) -> Result<(), Stop> {
    how.check_stdout(output)?;
    if how.is_plain_folder(output)? {
        let message = format!("the output {} is a folder: name a file", output.display());
        return Err(Stop::Usage(message));
    }
    let Ok(output) = output.canonicalize() else { return Ok(()) };
    let mut paths = inputs.iter().filter_map(|input| input.location()?.local_path());
    if paths.any(|path| path.canonicalize().is_ok_and(|path| path == output)) {
        let message = format!("the output {} is an input: write elsewhere", output.display());
        return Err(Stop::Usage(message));
    }
    Ok(())
}

/// Does some work that shows how far it is, and ends when the user interrupts it.
fn watched<T>(
    console: &mut Console<'_>,
    inputs: usize,
    work: impl AsyncFnOnce(&mut Shown<'_, '_>) -> T,
) -> Result<T, Stop> {
    let listens = console.listens_to_signals();
    let progress = Progress::new(console, inputs);
    let mut shown = Shown { progress, console };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        tokio::select! {
            biased;
            () = interrupted(listens) => None,
            done = work(&mut shown) => Some(done),
        }
    });
    let Shown { progress, console } = shown;
    progress.finish(console);
    done.ok_or(Stop::Interrupted)
}

/// Warns of what is not in the references.
fn warn(console: &mut Console<'_>, names: &[String], skipped: &[(usize, Vec<Skipped>)]) {
    for (place, skipped) in skipped {
        let name = names.get(*place).map_or("", String::as_str);
        report::skipped(console, name, skipped, false, false);
    }
}

/// Says which inputs failed.
fn name_failed(console: &mut Console<'_>, inputs: &[FailedInput]) {
    for input in inputs {
        let fault: &(dyn std::error::Error + 'static) = match &input.error {
            InputError::Scan(error) => error,
            InputError::References(error) => &**error,
            InputError::Values(error) => error,
            InputError::Source(error) => error,
            other => other,
        };
        report::failure(console, &input.name, &input.url, fault);
    }
}

/// Says why there is no cube.
fn failed(console: &mut Console<'_>, error: &CubeError) -> Exit {
    match error {
        CubeError::Inputs(inputs) => {
            name_failed(console, inputs);
            let message = format!("{error} (--on-failure skip goes on without it)");
            report::error_line(console, &message);
        }
        CubeError::Combine(error) => say(console, &error.in_words(&flag)),
        error => say(console, &error.to_string()),
    }
    Exit::Failed
}

fn write(
    session: &Session,
    inputs: Inputs,
    absent: &[String],
    options: &CombineOptions,
    output: &Path,
    how: &Output,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    Ok(match try_write(session, inputs, absent, options, output, how, console)? {
        Tried::Done(exit) => exit,
        Tried::Changed(error) => {
            report::error_line(console, &error.source.to_string());
            Exit::Failed
        }
        Tried::Failed(error) => failed(console, &error),
    })
}

enum Tried {
    /// What was not done has been said.
    Done(Exit),
    /// The output is not what it was any more.
    Changed(EmitError),
    /// The inputs are not combined.
    Failed(CubeError),
}

/// `absent` are inputs that are not there and may be left out.
fn try_write(
    session: &Session,
    inputs: Inputs,
    absent: &[String],
    options: &CombineOptions,
    output: &Path,
    how: &Output,
    console: &mut Console<'_>,
) -> Result<Tried, Stop> {
    let names = names(&inputs);
    let combined = watched(console, inputs.len(), async |shown| {
        session.combine(inputs, options, shown).await
    })?;
    let Cube { dataset, notes, skipped, failed: unread, mut provenance, .. } = match combined {
        Ok(cube) => cube,
        Err(error) => return Ok(Tried::Failed(error)),
    };
    warn(console, &names, &skipped);
    name_failed(console, &unread);
    for one in absent {
        report::error_line(console, one);
        provenance.left_out.push(one.clone());
    }
    let left_out = unread.len() + absent.len();
    if left_out > 0 {
        let all = names.len() + absent.len();
        report::error_line(console, &format!("{left_out} of {all} inputs are left out"));
    }
    if !console.quiet() {
        for note in &notes {
            report::note(console, note);
        }
    }
    let emit = how.options.clone().with_provenance(provenance);
    match how.write(&dataset, output, &emit, console)? {
        Ok(_) if left_out > 0 => Ok(Tried::Done(Exit::Partial)),
        Ok(_) => Ok(Tried::Done(Exit::Done)),
        Err(error) if is_changed(&*error.source) => Ok(Tried::Changed(error)),
        Err(error) => {
            if let Some(error) = scan::output_error(&*error.source).filter(|_| is_stdout(output)) {
                return Err(Stop::Output(error));
            }
            report::failure(console, &output.display().to_string(), "", &*error.source);
            Ok(Tried::Done(Exit::Failed))
        }
    }
}

/// An error of several lines.
fn say(console: &mut Console<'_>, message: &str) {
    if console.logs_json() {
        return report::error_line(console, message);
    }
    let mut lines = message.lines();
    report::error_line(console, lines.next().unwrap_or_default());
    for line in lines {
        console.note(&format!("{}\n", report::shown(line)));
    }
}
