// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref scan`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chunkref::core::atomic::{make_folder_of, remove_left_overs};
use chunkref::core::{Recording, ScanRecord};
use chunkref::many::{self, ManyOptions};
use chunkref::model::provenance::Provenance;
use chunkref::store::{Cost, OpenOptions};
use chunkref::{ByteSource, EmitOptions, Registry, Scan, ScanOptions, Skipped, Stores};
use futures::StreamExt;
use futures::executor::block_on;
use serde_json::json;
use tracing::Instrument;

use crate::arguments::ScanArguments;
use crate::console::Console;
use crate::destination::{self, Destination};
use crate::inputs::{self, Input};
use crate::interrupt::interrupted;
use crate::output::Output;
use crate::progress::Progress;
use crate::{Exit, Stop, report};

type Fault = Box<dyn Error + Send + Sync>;

/// What every input has in common.
struct Job {
    stores: Stores,
    registry: Registry,
    options: ScanOptions,
    output: Output,
    /// All options that shape the result.
    record: ScanRecord,
    resume: bool,
}

/// What is left to say about a file whose references are written.
struct Written {
    skipped: Vec<Skipped>,
    /// Things that are skipped, when an earlier run wrote the references.
    already: Option<u64>,
    cost: Cost,
    retries: u64,
    time: Duration,
}

/// A file that failed.
struct Failed {
    fault: Fault,
    cost: Cost,
}

/// How everything ended so far.
#[derive(Default)]
struct Tally {
    done: usize,
    already: usize,
    skipped: usize,
    not_begun: usize,
    /// Names and reasons.
    failed: Vec<(String, String)>,
    interrupted: bool,
}

pub(crate) fn run(arguments: &ScanArguments, console: &mut Console<'_>) -> Result<Exit, Stop> {
    let options = arguments
        .format
        .scan_options()
        .with_inline_threshold(arguments.inline_threshold)
        .with_limits(arguments.stores.limits());
    let registry = chunkref::registry().map_err(|error| Stop::Usage(error.to_string()))?;
    chunkref::validate(&registry, &options).map_err(|error| Stop::Usage(error.to_string()))?;
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let output = arguments.emit.output(&stores)?;

    let (inputs, not_found) = inputs::expand(&stores, &arguments.inputs, &mut std::io::stdin())?;
    let several = inputs.len() + not_found.len() > 1;
    let locations: Vec<_> = inputs.iter().map(|input| input.location.clone()).collect();
    let destinations =
        destination::assign(&locations, arguments.output.as_deref(), several, &output)?;
    if let ([_], Some(Destination::File(destination))) = (inputs.as_slice(), destinations.first()) {
        output.warn_of_ending(destination, console);
    }
    let mut tally = Tally::default();
    for error in &not_found {
        tally.failed.push((error.location.clone(), report::reason(&error.location, error)));
        report::failure(console, &error.location, &error.location, error);
    }
    if arguments.fail_fast && !not_found.is_empty() {
        tally.not_begun = inputs.len();
        return Ok(tally.conclude(console, arguments.strict));
    }

    let named = output.named.map(|format| format.word);
    let known = output.formats.options();
    let record = ScanRecord::new(&options).with_output(named, &output.options, known);
    let resume = arguments.resume;
    let job = Job { stores, registry, options, output, record, resume };
    let tasks: Vec<_> = inputs.into_iter().zip(destinations).collect();
    if let [(input, Destination::Stdout)] = tasks.as_slice() {
        job.output.check_stdout("-".as_ref())?;
        match block_on(job.scan(input)) {
            Ok((scan, written)) => {
                let options = job.emit_options(&scan);
                let emitted = job.output.write_to_stdout(&scan.dataset, &options, console)?;
                if let Err(error) = emitted {
                    return write_failure(console, input, &*error.source);
                }
                tally.settle(console, arguments, input, Ok(written));
            }
            Err(failed) => tally.settle(console, arguments, input, Err(failed)),
        }
    } else {
        scan_all(job, tasks, arguments, console, &mut tally)?;
    }
    Ok(tally.conclude(console, arguments.strict))
}

/// Scans all inputs, several at a time, and says what became of each in their order.
fn scan_all(
    job: Job,
    tasks: Vec<(Input, Destination)>,
    arguments: &ScanArguments,
    console: &mut Console<'_>,
    tally: &mut Tally,
) -> Result<(), Stop> {
    let inputs: Vec<_> = tasks.iter().map(|(input, _)| input.clone()).collect();
    let mut progress = Progress::new(console, inputs.len());
    let many = arguments.jobs.map_or_else(ManyOptions::default, ManyOptions::with_jobs);
    let job = Arc::new(job);
    let mut results = many::for_each(tasks, many, move |(input, destination)| {
        let job = Arc::clone(&job);
        let span = tracing::info_span!("file", location = %input.location);
        async move { job.scan_to(&input, &destination).await }.instrument(span)
    })?;
    let listens = console.listens_to_signals();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut waiting = BTreeMap::new();
    let mut due = inputs.iter().enumerate().peekable();
    runtime.block_on(async {
        let end = interrupted(listens);
        let mut end = std::pin::pin!(end);
        loop {
            let (place, outcome) = tokio::select! {
                () = &mut end => {
                    tally.interrupted = true;
                    break;
                }
                result = results.next() => match result {
                    Some(result) => result,
                    None => break,
                },
            };
            let outcome = outcome.unwrap_or_else(|panic| {
                Err(Failed { fault: many::panicked(&panic).into(), cost: Cost::default() })
            });
            let cost = match &outcome {
                Ok(written) => written.cost,
                Err(failed) => failed.cost,
            };
            let stop = outcome.is_err() && arguments.fail_fast;
            progress.advance(console, outcome.is_err(), cost);
            waiting.insert(place, outcome);
            while let Some(outcome) = due.peek().and_then(|(place, _)| waiting.remove(place)) {
                if let Some((_, input)) = due.next() {
                    progress.suspend(|| tally.settle(console, arguments, input, outcome));
                }
            }
            if stop {
                break;
            }
        }
    });
    results.stop();
    progress.finish(console);
    for (place, input) in due {
        match waiting.remove(&place) {
            Some(outcome) => tally.settle(console, arguments, input, outcome),
            None => tally.not_begun += 1,
        }
    }
    Ok(())
}

impl Job {
    async fn scan(&self, input: &Input) -> Result<(Scan, Written), Failed> {
        let start = Instant::now();
        let opened = self.stores.open(&input.location, &opening(&self.options)).await;
        let opened =
            opened.map_err(|error| Failed { fault: error.into(), cost: Cost::default() })?;
        let options = chunkref::options_within(&self.stores, &self.options);
        let scan = chunkref::scan_with(&self.registry, &opened.source, &options).await;
        let (cost, retries, time) = (opened.cost(), opened.retries(), start.elapsed());
        let scan = scan.map_err(|error| Failed { fault: error.into(), cost })?;
        let skipped = scan.skipped.clone();
        Ok((scan, Written { skipped, already: None, cost, retries, time }))
    }

    async fn scan_to(&self, input: &Input, destination: &Destination) -> Result<Written, Failed> {
        let failed = |fault: Fault, cost| Failed { fault, cost };
        let Destination::File(path) = destination else {
            let message = "standard output takes the references of one input only";
            return Err(failed(message.into(), Cost::default()));
        };
        if self.resume
            && let Some(written) = self.already_written(input, path).await?
        {
            remove_left_overs(path);
            return Ok(written);
        }
        let (scan, written) = self.scan(input).await?;
        make_folder_of(path).map_err(|error| {
            let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            let message = format!("{} cannot be written: {error}{source}", path.display());
            failed(message.into(), written.cost)
        })?;
        let format = self.output.format_of(path);
        let format = format.map_err(|error| failed(error.into(), written.cost))?;
        let emitted = format.emit(&scan.dataset, path, &self.emit_options(&scan));
        emitted.map_err(|error| failed(error.into(), written.cost))?;
        Ok(written)
    }

    fn emit_options(&self, scan: &Scan) -> EmitOptions {
        self.output.options.clone().with_provenance(Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            options: self.record.to_record(),
            skipped: Skipped::count(&scan.skipped),
            left_out: Vec::new(),
        })
    }

    /// Whether references with this record were written with the options of this job.
    fn wrote(&self, options: &str) -> bool {
        ScanRecord::of_record(options).map_or_else(
            || options == in_words(&self.options, &self.output),
            |record| record == self.record,
        )
    }

    /// What an earlier run has written at `path`, if it was this program with these options, and the input is still the
    /// one that it read.
    async fn already_written(&self, input: &Input, path: &Path) -> Result<Option<Written>, Failed> {
        let start = Instant::now();
        let Ok(format) = self.output.format_of(path) else { return Ok(None) };
        let version = format.version_in(&self.output.options);
        let recorded = format.reader().recorded(path, version).await;
        let Some(recorded) = recorded else { return Ok(None) };
        let Provenance { version, options, .. } = &recorded.provenance;
        let url = input.location.url();
        let Some(known) = recorded.version(url).filter(|_| {
            // Of other files that the input names nothing would be known without reading it.
            recorded.sources().len() == 1
                && recorded.provenance.is_complete()
                && version == env!("CARGO_PKG_VERSION")
                && self.wrote(options)
        }) else {
            return Ok(None);
        };
        let opened = self.stores.open(&input.location, &opening(&self.options)).await;
        let opened =
            opened.map_err(|error| Failed { fault: error.into(), cost: Cost::default() })?;
        let now = opened.source.version();
        let told_apart = now.e_tag.is_some() || now.last_modified.is_some();
        Ok((told_apart && now == known).then(|| Written {
            skipped: Vec::new(),
            already: Some(recorded.provenance.skipped_count()),
            cost: opened.cost(),
            retries: opened.retries(),
            time: start.elapsed(),
        }))
    }
}

/// How inputs are opened.
pub(crate) fn opening(options: &ScanOptions) -> OpenOptions {
    OpenOptions::default().with_allowed_outside(&options.allow_outside)
}

/// All options that shape the references in the words that were recorded before [`ScanRecord`], of which earlier references
/// are told.
fn in_words(options: &ScanOptions, output: &Output) -> String {
    let mut words = format!(
        "format={} inline-threshold={}",
        options.format.as_deref().unwrap_or("auto"),
        options.inline_threshold,
    );
    let recorded = output.formats.options().map(|option| {
        (
            matches!(option.recording, Recording::Always(_)),
            option.recorded(&output.options.format_options),
        )
    });
    let (always, given): (Vec<_>, Vec<_>) = recorded.partition(|(always, _)| *always);
    for (_, word) in always {
        words.extend(word.map(|word| format!(" {word}")));
    }
    if let Some(named) = &output.named {
        let _ = write!(words, " to={}", named.word);
    }
    for (_, word) in given {
        words.extend(word.map(|word| format!(" {word}")));
    }
    for (name, value) in &options.format_options {
        let _ = write!(words, " {name}={value}");
    }
    for (name, value) in options.limits.changed() {
        let _ = write!(words, " limit.{name}={value}");
    }
    for folder in &options.allow_outside {
        let _ = write!(words, " allow-outside={folder}");
    }
    words
}

/// References that did not get out: no fault of anyone when the reader has gone.
fn write_failure(
    console: &mut Console<'_>,
    input: &Input,
    fault: &(dyn Error + 'static),
) -> Result<Exit, Stop> {
    if let Some(error) = output_error(fault) {
        return Err(Stop::Output(error));
    }
    report::failure(console, &input.name, input.location.url(), fault);
    Ok(Exit::Failed)
}

/// The error of the output itself among the causes of a fault.
pub(crate) fn output_error(fault: &(dyn Error + 'static)) -> Option<std::io::Error> {
    let mut cause = Some(fault);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            let code = error.raw_os_error().map(std::io::Error::from_raw_os_error);
            return Some(code.unwrap_or_else(|| error.kind().into()));
        }
        cause = error.source();
    }
    None
}

impl Tally {
    /// Says what became of one input, and counts it.
    fn settle(
        &mut self,
        console: &mut Console<'_>,
        arguments: &ScanArguments,
        input: &Input,
        outcome: Result<Written, Failed>,
    ) {
        let written = match outcome {
            Ok(written) => written,
            Err(Failed { fault, .. }) => {
                self.failed
                    .push((input.name.clone(), report::reason(input.location.url(), &*fault)));
                report::failure(console, &input.name, input.location.url(), &*fault);
                return;
            }
        };
        self.done += 1;
        self.already += usize::from(written.already.is_some());
        report::skipped(console, &input.name, &written.skipped, arguments.stats, arguments.strict);
        let skips = written.already.unwrap_or(written.skipped.len() as u64);
        self.skipped += usize::from(skips > 0);
        if arguments.stats {
            stats(console, &input.name, &written);
        }
    }

    fn conclude(&self, console: &mut Console<'_>, strict: bool) -> Exit {
        let total = self.done + self.failed.len() + self.not_begun;
        if self.already > 0 && !console.quiet() {
            let message =
                format!("{} of {total} inputs were scanned before and are unchanged", self.already);
            report::note(console, &message);
        }
        if total > 1 && !self.failed.is_empty() {
            report::failures(console, &self.failed, total);
        }
        if self.not_begun > 0 {
            let message = format!("{} of {total} inputs were not scanned", self.not_begun);
            report::error_line(console, &message);
        }
        match self {
            Self { interrupted: true, .. } => {
                report::error_line(
                    console,
                    "interrupted: the references that are written are whole; --resume goes on",
                );
                Exit::Interrupted
            }
            Self { failed, not_begun: 0, skipped, .. } if failed.is_empty() => {
                if strict && *skipped > 0 { Exit::Partial } else { Exit::Done }
            }
            Self { done: 0, .. } => Exit::Failed,
            _ => Exit::Partial,
        }
    }
}

fn stats(console: &mut Console<'_>, name: &str, written: &Written) {
    let Written { cost, retries, time, .. } = written;
    let milliseconds = time.as_secs_f64() * 1000.0;
    if console.logs_json() {
        console.event(json!({
            "level": "info",
            "event": "stats",
            "input": report::shown(name),
            "rounds": cost.rounds,
            "requests": cost.requests,
            "bytes": cost.bytes,
            "retries": retries,
            "milliseconds": milliseconds,
            "unchanged": written.already.is_some(),
        }));
        return;
    }
    let again = match retries {
        0 => String::new(),
        retries => format!(", {retries} retries"),
    };
    let unchanged = if written.already.is_some() { ", unchanged" } else { "" };
    console.note(&format!(
        "stats: {}: {cost}{again}, {milliseconds:.1} ms{unchanged}\n",
        report::shown(name)
    ));
}
