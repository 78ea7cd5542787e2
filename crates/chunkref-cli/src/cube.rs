// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref combine`, `chunkref build` and `chunkref plan`.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use chunkref::combine::{combine, plan};
use chunkref::emit::{Target, write_kerchunk_json};
use chunkref::many::{self, ManyOptions};
use chunkref::model::kerchunk_json::Provenance;
use chunkref::store::Cost;
use chunkref::{
    CombineOptions, Dataset, EmitOptions, Gathered, Gatherer, References, Registry, ScanOptions,
    Skipped, StoreObjects, Stores,
};

use crate::combine_arguments::{
    BuildArguments, CombineArguments, PlanArguments, ScanningArguments,
};
use crate::console::{Console, printable};
use crate::inputs::{self, Input};
use crate::progress::Progress;
use crate::{Exit, Stop, report, scan};

type Fault = Box<dyn Error + Send + Sync>;

/// How the inputs become datasets.
enum Kind {
    /// They are reference files.
    References,
    /// They are scanned.
    Scanned(Box<(Registry, ScanOptions)>),
}

struct Job {
    stores: Stores,
    kind: Kind,
    gatherer: Gatherer,
}

/// What is known of one input.
struct Read {
    dataset: Dataset,
    gathered: Gathered,
    skipped: Vec<Skipped>,
    cost: Cost,
}

pub(crate) fn run_combine(
    arguments: &CombineArguments,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let stores = arguments.stores.stores();
    let options = arguments.cube.options();
    let inputs = expand(&stores, &arguments.inputs)?;
    refuse_output(&inputs, &arguments.output)?;
    let read = read_all(stores, Kind::References, &inputs, &options, None, console)?;
    let Some((datasets, _)) = read else { return Ok(Exit::Failed) };
    let target = arguments.emit.target(&arguments.output);
    let emit = (target, arguments.emit.options());
    write(&datasets, &options, &arguments.output, emit, 0, console)
}

pub(crate) fn run_build(
    arguments: &BuildArguments,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let stores = arguments.stores.stores();
    let options = arguments.cube.options();
    let kind = scanned(&arguments.scanning)?;
    let inputs = expand(&stores, &arguments.inputs)?;
    refuse_output(&inputs, &arguments.output)?;
    let read = read_all(stores, kind, &inputs, &options, arguments.scanning.jobs, console)?;
    let Some((datasets, skipped)) = read else { return Ok(Exit::Failed) };
    let target = arguments.emit.target(&arguments.output);
    let emit = (target, arguments.emit.options());
    write(&datasets, &options, &arguments.output, emit, skipped, console)
}

pub(crate) fn run_plan(arguments: &PlanArguments, console: &mut Console<'_>) -> Result<Exit, Stop> {
    let stores = arguments.stores.stores();
    let options = arguments.cube.options();
    let inputs = expand(&stores, &arguments.inputs)?;
    let references = |input: &Input| {
        let name = Path::new(input.location.file_name());
        let name = name.to_string_lossy().to_lowercase();
        let ends = |ending: &&str| name.ends_with(ending);
        [".json", ".json.gz", ".json.zst", ".parq", ".parquet"].iter().any(ends)
    };
    let kind = match inputs.iter().filter(|input| references(input)).count() {
        0 => scanned(&arguments.scanning)?,
        count if count == inputs.len() => Kind::References,
        _ => {
            let message = "these inputs are in part reference files (.json) and in part files to scan: plan one kind at a time";
            return Err(Stop::Usage(message.to_owned()));
        }
    };
    let read = read_all(stores, kind, &inputs, &options, arguments.scanning.jobs, console)?;
    let Some((datasets, _)) = read else { return Ok(Exit::Failed) };
    match plan(&datasets, &options) {
        Ok(report) => {
            for line in report.to_string().lines() {
                writeln!(console.out, "{}", printable(line))?;
            }
            Ok(if report.conflicts.is_empty() { Exit::Done } else { Exit::Failed })
        }
        Err(error) => {
            say(console, &error.to_string());
            Ok(Exit::Failed)
        }
    }
}

fn scanned(arguments: &ScanningArguments) -> Result<Kind, Stop> {
    let options = arguments.format.scan_options().with_inline_threshold(arguments.inline_threshold);
    let registry = chunkref::registry().map_err(|error| Stop::Usage(error.to_string()))?;
    chunkref::validate(&registry, &options).map_err(|error| Stop::Usage(error.to_string()))?;
    Ok(Kind::Scanned(Box::new((registry, options))))
}

/// All inputs. One that is not there is the end: a cube without it would be another cube.
fn expand(stores: &Stores, texts: &[String]) -> Result<Vec<Input>, Stop> {
    let (inputs, not_found) = inputs::expand(stores, texts, &mut std::io::stdin())?;
    match not_found.first() {
        Some(error) => Err(Stop::Output(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            report::shown(&error.to_string()),
        ))),
        None => Ok(inputs),
    }
}

fn refuse_output(inputs: &[Input], output: &Path) -> Result<(), Stop> {
    if output.is_dir() && Target::of(output) != Target::KerchunkParquet {
        let message = format!("the output {} is a folder: name a file", output.display());
        return Err(Stop::Usage(message));
    }
    let Ok(output) = output.canonicalize() else { return Ok(()) };
    let mut paths = inputs.iter().filter_map(|input| input.location.local_path());
    if paths.any(|path| path.canonicalize().is_ok_and(|path| path == output)) {
        let message = format!("the output {} is an input: write elsewhere", output.display());
        return Err(Stop::Usage(message));
    }
    Ok(())
}

/// Reads all inputs, several at a time, and the values that combining needs. `None` when one of them failed; that was said.
fn read_all(
    stores: Stores,
    kind: Kind,
    inputs: &[Input],
    options: &CombineOptions,
    jobs: Option<std::num::NonZeroUsize>,
    console: &mut Console<'_>,
) -> Result<Option<(Vec<Dataset>, u64)>, Stop> {
    let job = Arc::new(Job { stores, kind, gatherer: Gatherer::new(options) });
    let many = jobs.map_or_else(ManyOptions::default, ManyOptions::with_jobs);
    let mut progress = Progress::new(console, inputs.len());
    let worker = Arc::clone(&job);
    let mut results = many::for_each(inputs.to_vec(), many, move |input| {
        let job = Arc::clone(&worker);
        async move { job.read(&input).await }
    })?;
    let mut outcomes: Vec<Option<Result<Read, Fault>>> = inputs.iter().map(|_| None).collect();
    while let Some((place, outcome)) = results.next_blocking() {
        let outcome = outcome.unwrap_or_else(|panic| Err(many::panicked(&panic).into()));
        let cost = outcome.as_ref().map_or_else(|_| Cost::default(), |read| read.cost);
        progress.advance(console, outcome.is_err(), cost);
        if let Some(slot) = outcomes.get_mut(place) {
            *slot = Some(outcome);
        }
    }
    results.stop();
    progress.finish(console);
    let (mut datasets, mut gathered, mut skipped, mut failed) = (Vec::new(), Vec::new(), 0, false);
    for (input, outcome) in inputs.iter().zip(outcomes) {
        match outcome {
            Some(Ok(read)) => {
                report::skipped(console, &input.name, &read.skipped, false, false);
                skipped += read.skipped.len() as u64;
                datasets.push(read.dataset);
                gathered.push(read.gathered);
            }
            Some(Err(fault)) => {
                failed = true;
                report::failure(console, &input.name, input.location.url(), &*fault);
            }
            None => failed = true,
        }
    }
    if failed {
        report::error_line(console, "nothing is combined, because an input failed");
        return Ok(None);
    }
    job.gatherer.apply(&mut datasets, &gathered);
    Ok(Some((datasets, skipped)))
}

impl Job {
    async fn read(&self, input: &Input) -> Result<Read, Fault> {
        let objects = StoreObjects::new(self.stores.clone());
        match &self.kind {
            Kind::References => {
                let references = References::open(&self.stores, &input.location).await?;
                let dataset = references.into_dataset().await?;
                let gathered = self.gatherer.gather(&dataset, &objects).await?;
                Ok(Read { dataset, gathered, skipped: Vec::new(), cost: Cost::default() })
            }
            Kind::Scanned(how) => {
                let (registry, options) = &**how;
                let opened = self.stores.open(&input.location, &scan::opening(options)).await?;
                let scan = chunkref::scan_with(registry, &opened.source, options).await?;
                let cost = opened.cost();
                let objects = objects.with_opened(Arc::from(opened.source));
                let gathered = self.gatherer.gather(&scan.dataset, &objects).await?;
                Ok(Read { dataset: scan.dataset, gathered, skipped: scan.skipped, cost })
            }
        }
    }
}

fn write(
    datasets: &[Dataset],
    options: &CombineOptions,
    output: &Path,
    (target, emit): (Target, EmitOptions),
    skipped: u64,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let combined = match combine(datasets, options) {
        Ok(combined) => combined,
        Err(error) => {
            say(console, &error.to_string());
            return Ok(Exit::Failed);
        }
    };
    if !console.quiet() {
        for note in &combined.notes {
            report::note(console, note);
        }
    }
    let emit = emit.with_provenance(Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        options: format!("combined {options:?}"),
        skipped,
    });
    let emitted = if output == Path::new("-") {
        write_kerchunk_json(&combined.dataset, &emit, &mut *console.out)
    } else {
        target.emitter().emit(&combined.dataset, output, &emit)
    };
    match emitted {
        Ok(_) => Ok(Exit::Done),
        Err(error) => {
            if let Some(error) =
                scan::output_error(&*error.source).filter(|_| output == Path::new("-"))
            {
                return Err(Stop::Output(error));
            }
            report::failure(console, &output.display().to_string(), "", &*error.source);
            Ok(Exit::Failed)
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
