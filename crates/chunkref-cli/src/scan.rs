// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref scan`.

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use chunkref::emit::{KerchunkJson, write_kerchunk_json};
use chunkref::store::{self, Cost, Counted, OpenOptions};
use chunkref::{EmitOptions, Emitter, Location, Registry, Scan, ScanOptions, Skipped, SourceError};
use futures::executor::block_on;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::arguments::ScanArguments;
use crate::console::{Console, printable};
use crate::destination::{self, Destination};
use crate::{Exit, Stop, batch, report};

type Fault = Box<dyn Error + Send + Sync>;

/// One file to scan.
struct Input {
    /// What the user calls it.
    name: String,
    location: Location,
}

/// What is left to say about a file whose references are written.
struct Written {
    skipped: Vec<Skipped>,
    cost: Cost,
    time: Duration,
}

/// How everything ended so far.
#[derive(Default)]
struct Tally {
    done: usize,
    failed: usize,
    skipped: usize,
}

pub(crate) fn run(arguments: &ScanArguments, console: &mut Console<'_>) -> Result<Exit, Stop> {
    let options = arguments.format.scan_options().with_inline_threshold(arguments.inline_threshold);
    let registry = chunkref::registry().map_err(|error| Stop::Usage(error.to_string()))?;
    chunkref::validate(&registry, &options).map_err(|error| Stop::Usage(error.to_string()))?;
    let emit_options = EmitOptions::default().with_consolidated(!arguments.no_consolidated);

    let (inputs, not_found) = expand(&arguments.inputs);
    let several = inputs.len() + not_found.len() > 1;
    let locations: Vec<_> = inputs.iter().map(|input| input.location.clone()).collect();
    let destinations = destination::assign(&locations, arguments.output.as_deref(), several)?;
    let mut tally = Tally::default();
    for error in &not_found {
        tally.failed += 1;
        report::failure(console, &error.location, &error.location, error);
    }

    let tasks: Vec<_> = inputs.into_iter().zip(destinations).collect();
    if let [(input, Destination::Stdout)] = tasks.as_slice() {
        match scan(&registry, &options, &input.location) {
            Ok((scan, written)) => {
                if let Err(error) =
                    write_kerchunk_json(&scan.dataset, &emit_options, &mut *console.out)
                {
                    return write_failure(console, input, &*error.source);
                }
                tally.settle(console, arguments, input, Ok(written));
            }
            Err(fault) => tally.settle(console, arguments, input, Err(fault)),
        }
    } else {
        let bar = progress(console, tasks.len());
        let jobs = arguments
            .jobs
            .or_else(|| std::thread::available_parallelism().ok())
            .unwrap_or(NonZeroUsize::MIN);
        batch::run(
            &tasks,
            jobs,
            |(input, destination)| scan_to(&registry, &options, &emit_options, input, destination),
            || bar.inc(1),
            |(input, _), outcome| {
                let outcome = outcome.unwrap_or_else(|panic| {
                    Err(format!("chunkref failed on this file in a way that it must not ({panic}): please report it").into())
                });
                bar.suspend(|| tally.settle(console, arguments, input, outcome));
            },
        );
        bar.finish_and_clear();
    }
    Ok(tally.conclude(console, arguments.strict))
}

/// The files that the inputs name, each once, and the errors of those that name none.
fn expand(texts: &[String]) -> (Vec<Input>, Vec<SourceError>) {
    let (mut inputs, mut errors): (Vec<Input>, _) = (Vec::new(), Vec::new());
    let mut seen = std::collections::HashSet::new();
    for text in texts {
        match store::expand(text) {
            Ok(locations) => {
                let single = locations.len() == 1;
                for location in locations {
                    let path = location.local_path().map(|path| path.display().to_string());
                    let name = if single {
                        text.clone()
                    } else {
                        path.unwrap_or_else(|| location.url().to_owned())
                    };
                    if seen.insert(location.clone()) {
                        inputs.push(Input { name, location });
                    }
                }
            }
            Err(error) => errors.push(error),
        }
    }
    (inputs, errors)
}

/// How inputs are opened.
pub(crate) fn opening(options: &ScanOptions) -> OpenOptions {
    OpenOptions::default().with_allowed_outside(&options.allow_outside)
}

fn scan(
    registry: &Registry,
    options: &ScanOptions,
    location: &Location,
) -> Result<(Scan, Written), Fault> {
    let start = Instant::now();
    let (scan, cost) = block_on(async {
        let source = Counted::new(store::open(location, &opening(options)).await?);
        let scan = chunkref::scan_with(registry, &source, options).await?;
        Ok::<_, Fault>((scan, source.cost()))
    })?;
    let skipped = scan.skipped.clone();
    Ok((scan, Written { skipped, cost, time: start.elapsed() }))
}

fn scan_to(
    registry: &Registry,
    options: &ScanOptions,
    emit_options: &EmitOptions,
    input: &Input,
    destination: &Destination,
) -> Result<Written, Fault> {
    let Destination::File(path) = destination else {
        return Err("standard output takes the references of one input only".into());
    };
    let (scan, written) = scan(registry, options, &input.location)?;
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        std::fs::create_dir_all(folder).map_err(|error| {
            format!("{} cannot be written: its folder cannot be made: {error}", path.display())
        })?;
    }
    KerchunkJson.emit(&scan.dataset, path, emit_options)?;
    Ok(written)
}

/// References that did not get out: no fault of anyone when the reader has gone.
fn write_failure(
    console: &mut Console<'_>,
    input: &Input,
    fault: &(dyn Error + 'static),
) -> Result<Exit, Stop> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(fault);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            let code = error.raw_os_error().map(std::io::Error::from_raw_os_error);
            return Err(Stop::Output(code.unwrap_or_else(|| error.kind().into())));
        }
        cause = error.source();
    }
    report::failure(console, &input.name, input.location.url(), fault);
    Ok(Exit::Failed)
}

fn progress(console: &Console<'_>, count: usize) -> ProgressBar {
    if count < 2 || !console.shows_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(count as u64), ProgressDrawTarget::stderr());
    let style =
        ProgressStyle::with_template("{bar:30} {pos}/{len} files, {elapsed} so far, {eta} to go");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

impl Tally {
    /// Says what became of one input, and counts it.
    fn settle(
        &mut self,
        console: &mut Console<'_>,
        arguments: &ScanArguments,
        input: &Input,
        outcome: Result<Written, Fault>,
    ) {
        let written = match outcome {
            Ok(written) => written,
            Err(fault) => {
                self.failed += 1;
                report::failure(console, &input.name, input.location.url(), &*fault);
                return;
            }
        };
        self.done += 1;
        report::skipped(console, &input.name, &written.skipped, arguments.stats, arguments.strict);
        self.skipped += usize::from(!written.skipped.is_empty());
        if arguments.stats {
            let name = printable(&input.name);
            let time = written.time.as_secs_f64() * 1000.0;
            console.note(&format!("stats: {name}: {}, {time:.1} ms\n", written.cost));
        }
    }

    fn conclude(&self, console: &mut Console<'_>, strict: bool) -> Exit {
        let total = self.done + self.failed;
        if total > 1 && self.failed > 0 {
            report::error_line(console, &format!("{} of {total} inputs failed", self.failed));
        }
        match self {
            Self { failed: 0, skipped, .. } if strict && *skipped > 0 => Exit::Partial,
            Self { failed: 0, .. } => Exit::Done,
            Self { done: 0, .. } => Exit::Failed,
            _ => Exit::Partial,
        }
    }
}
