// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref combine`, `chunkref build`, `chunkref append` and `chunkref plan`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use chunkref::combine::{combine, plan};
use chunkref::core::atomic::{Fingerprint, is_changed, remove_left_overs};
use chunkref::emit::{Target, write_kerchunk_json};
use chunkref::many::{self, ManyOptions};
use chunkref::model::kerchunk_json::{Provenance, Recorded};
use chunkref::store::Cost;
use chunkref::{
    CombineOptions, Dataset, EmitError, EmitOptions, Gathered, Gatherer, Location, References,
    Registry, ScanOptions, Skipped, StoreObjects, Stores,
};
use futures::StreamExt;
use futures::executor::block_on;

use crate::combine_arguments::{
    AppendArguments, BuildArguments, CombineArguments, CubeArguments, PlanArguments,
    ScanningArguments,
};
use crate::console::Console;
use crate::inputs::{self, Input};
use crate::interrupt::interrupted;
use crate::progress::Progress;
use crate::{Exit, Stop, report, scan};

type Fault = Box<dyn Error + Send + Sync>;

/// How many things were left out, by their kind.
type Counts = BTreeMap<String, u64>;

/// One input, and whether it is a reference set and not scanned.
type Task = (Input, bool);

struct Job {
    stores: Stores,
    registry: Registry,
    scan_options: ScanOptions,
    gatherer: Gatherer,
    /// The version of the set at a URL that is read, where sets have versions.
    version: Option<(String, String)>,
}

/// What is known of one input.
struct Read {
    dataset: Dataset,
    gathered: Gathered,
    skipped: Vec<Skipped>,
    /// What a set says was left out when it was made.
    before: Counts,
    cost: Cost,
}

pub(crate) fn run_combine(
    arguments: &CombineArguments,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let options = options(&arguments.cube)?;
    let inputs = expand(&stores, &arguments.inputs)?;
    refuse_output(&inputs, &arguments.output)?;
    let tasks = inputs.into_iter().map(|input| (input, true)).collect();
    let emit = (arguments.emit.target(&arguments.output), arguments.emit.options(&stores));
    let job = Job::new(stores, None, &options)?;
    let Some((datasets, skipped)) = read_all(job, tasks, None, console)? else {
        return Ok(Exit::Failed);
    };
    write(&datasets, &arguments.cube, &arguments.output, emit, skipped, console)
}

pub(crate) fn run_build(
    arguments: &BuildArguments,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let options = options(&arguments.cube)?;
    let inputs = expand(&stores, &arguments.inputs)?;
    refuse_output(&inputs, &arguments.output)?;
    let tasks = inputs.into_iter().map(|input| (input, false)).collect();
    let emit = (arguments.emit.target(&arguments.output), arguments.emit.options(&stores));
    let job = Job::new(stores, Some(&arguments.scanning), &options)?;
    let Some((datasets, skipped)) = read_all(job, tasks, arguments.scanning.jobs, console)? else {
        return Ok(Exit::Failed);
    };
    write(&datasets, &arguments.cube, &arguments.output, emit, skipped, console)
}

pub(crate) fn run_plan(arguments: &PlanArguments, console: &mut Console<'_>) -> Result<Exit, Stop> {
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let options = options(&arguments.cube)?;
    let inputs = expand(&stores, &arguments.inputs)?;
    let tasks = inputs.into_iter().map(with_kind).collect();
    let job = Job::new(stores, Some(&arguments.scanning), &options)?;
    let Some((datasets, _)) = read_all(job, tasks, arguments.scanning.jobs, console)? else {
        return Ok(Exit::Failed);
    };
    match plan(&datasets, &options) {
        Ok(report) => {
            for line in report.to_string().lines() {
                writeln!(console, "{}", report::shown(line))?;
            }
            Ok(if report.conflicts.is_empty() { Exit::Done } else { Exit::Failed })
        }
        Err(error) => {
            say(console, &error.to_string());
            Ok(Exit::Failed)
        }
    }
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
            let message = format!("{}, as --retry N does", changed.source);
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

/// One try; the inner error is that the set was written by another process meanwhile.
fn append(
    arguments: &AppendArguments,
    console: &mut Console<'_>,
) -> Result<Result<Exit, EmitError>, Stop> {
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let shown = arguments.set.display().to_string();
    let set = Location::from_path(&arguments.set).map_err(|error| Stop::Usage(error.message))?;
    let branch = arguments.emit.branch.as_deref();
    // Before anything is read: what is written later is compared with this.
    let target = arguments.emit.target(&arguments.set);
    let replaces = match target {
        // A repository has versions.
        Target::Icechunk => Ok(None),
        _ => Fingerprint::of(&arguments.set),
    };
    let replaces = match replaces {
        Ok(replaces) => replaces,
        Err(error) => {
            report::failure(console, &shown, set.url(), &error);
            return Ok(Ok(Exit::Failed));
        }
    };
    let (recorded, version) = match block_on(References::open_version(&stores, &set, branch)) {
        Ok(references) => (references.recorded().cloned(), references.version()),
        Err(error) => {
            report::failure(console, &shown, set.url(), &error);
            return Ok(Ok(Exit::Failed));
        }
    };
    let made_of = recorded.as_ref().and_then(|recorded| {
        let words = recorded.provenance.options.strip_prefix(MADE_BY_COMBINING)?;
        CubeArguments::of_words(&serde_json::from_str::<Vec<String>>(words).ok()?).ok()
    });
    let cube = match (arguments.cube.concat.is_empty(), made_of) {
        (false, _) => &arguments.cube,
        (true, Some(made_of)) => &{ made_of },
        (true, None) => {
            let message = format!(
                "{shown} does not say how it was combined: add --concat DIM[=SOURCE], and what else it takes"
            );
            return Err(Stop::Usage(message));
        }
    };
    let options = options(cube)?;
    let inputs = expand(&stores, &arguments.inputs)?;
    let known: BTreeSet<&str> = recorded
        .iter()
        .flat_map(Recorded::sources)
        .map(|source| source.location.as_str())
        .collect();
    let (old, new): (Vec<_>, Vec<_>) =
        inputs.into_iter().partition(|input| known.contains(input.location.url()));
    if !old.is_empty() && !console.quiet() {
        let message = format!("{} of the inputs are in {shown} already", old.len());
        report::note(console, &message);
    }
    if new.is_empty() {
        remove_left_overs(&arguments.set);
        return Ok(Ok(Exit::Done));
    }
    let own_url = set.url().to_owned();
    let own = Input { name: shown, location: set };
    let tasks = std::iter::once((own, true)).chain(new.into_iter().map(with_kind)).collect();
    let mut emit = arguments.emit.options(&stores).with_replaces(replaces);
    emit.commit = emit.commit.with_parent(version.clone());
    let mut job = Job::new(stores, Some(&arguments.scanning), &options)?;
    job.version = version.map(|version| (own_url, version));
    let Some((datasets, skipped)) = read_all(job, tasks, arguments.scanning.jobs, console)? else {
        return Ok(Ok(Exit::Failed));
    };
    try_write(&datasets, cube, &arguments.set, (target, emit), skipped, console)
}

/// What a set that was combined says of how: this and a JSON list of words.
const MADE_BY_COMBINING: &str = "combine ";

fn options(cube: &CubeArguments) -> Result<CombineOptions, Stop> {
    if cube.concat.is_empty() && !cube.merge {
        let message = "nothing says how the inputs become one: --concat DIM[=SOURCE] joins them along a dimension, --merge puts their variables together";
        return Err(Stop::Usage(message.to_owned()));
    }
    Ok(cube.options())
}

/// An input, and whether its name is that of references.
fn with_kind(input: Input) -> Task {
    let name = input.location.file_name().to_lowercase();
    let ends = |ending: &&str| name.ends_with(ending);
    let references =
        [".json", ".json.gz", ".json.zst", ".parq", ".parquet", ".icechunk"].iter().any(ends);
    (input, references)
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
    if output.is_dir() && Target::of(output) == Target::KerchunkJson {
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
    job: Job,
    tasks: Vec<Task>,
    jobs: Option<std::num::NonZeroUsize>,
    console: &mut Console<'_>,
) -> Result<Option<(Vec<Dataset>, Counts)>, Stop> {
    let job = Arc::new(job);
    let inputs: Vec<Input> = tasks.iter().map(|(input, _)| input.clone()).collect();
    let many = jobs.map_or_else(ManyOptions::default, ManyOptions::with_jobs);
    let mut progress = Progress::new(console, inputs.len());
    let worker = Arc::clone(&job);
    let mut results = many::for_each(tasks, many, move |(input, references)| {
        let job = Arc::clone(&worker);
        async move { job.read(&input, references).await }
    })?;
    let mut outcomes: Vec<Option<Result<Read, Fault>>> = inputs.iter().map(|_| None).collect();
    let listens = console.listens_to_signals();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let interrupted = runtime.block_on(async {
        let mut end = std::pin::pin!(interrupted(listens));
        loop {
            let (place, outcome) = tokio::select! {
                () = &mut end => return true,
                result = results.next() => match result {
                    Some(result) => result,
                    None => return false,
                },
            };
            let outcome = outcome.unwrap_or_else(|panic| Err(many::panicked(&panic).into()));
            let cost = outcome.as_ref().map_or_else(|_| Cost::default(), |read| read.cost);
            progress.advance(console, outcome.is_err(), cost);
            if let Some(slot) = outcomes.get_mut(place) {
                *slot = Some(outcome);
            }
        }
    });
    results.stop();
    progress.finish(console);
    if interrupted {
        return Err(Stop::Interrupted);
    }
    let (mut datasets, mut gathered, mut failed) = (Vec::new(), Vec::new(), false);
    let mut skipped = Counts::new();
    for (input, outcome) in inputs.iter().zip(outcomes) {
        match outcome {
            Some(Ok(read)) => {
                report::skipped(console, &input.name, &read.skipped, false, false);
                for (kind, count) in Skipped::count(&read.skipped).into_iter().chain(read.before) {
                    *skipped.entry(kind).or_default() += count;
                }
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
    fn new(
        stores: Stores,
        scanning: Option<&ScanningArguments>,
        options: &CombineOptions,
    ) -> Result<Self, Stop> {
        let scan_options = scanning.map_or_else(ScanOptions::default, |scanning| {
            scanning
                .format
                .scan_options()
                .with_inline_threshold(scanning.inline_threshold)
                .with_limits(stores.limits().clone())
        });
        let registry = chunkref::registry().map_err(|error| Stop::Usage(error.to_string()))?;
        let valid = chunkref::validate(&registry, &scan_options);
        valid.map_err(|error| Stop::Usage(error.to_string()))?;
        Ok(Self { stores, registry, scan_options, gatherer: Gatherer::new(options), version: None })
    }

    async fn read(&self, input: &Input, references: bool) -> Result<Read, Fault> {
        if references {
            let url = input.location.url();
            let version = self.version.as_ref().filter(|(own, _)| own == url);
            let version = version.map(|(_, version)| version.as_str());
            let references =
                References::open_version(&self.stores, &input.location, version).await?;
            let objects = StoreObjects::new(self.stores.clone(), references.policy(&self.stores)?);
            let recorded = references.recorded();
            let before = recorded.map(|recorded| recorded.provenance.skipped.clone());
            let before = before.unwrap_or_default();
            let dataset = references.into_dataset().await?;
            let gathered = self.gatherer.gather(&dataset, &objects).await?;
            let (skipped, cost) = (Vec::new(), Cost::default());
            return Ok(Read { dataset, gathered, skipped, before, cost });
        }
        let opening = scan::opening(&self.scan_options);
        let opened = self.stores.open(&input.location, &opening).await?;
        let options = chunkref::options_within(&self.stores, &self.scan_options);
        let scan = chunkref::scan_with(&self.registry, &opened.source, &options).await?;
        let cost = opened.cost();
        let policy = self.stores.policy_of_file(&input.location, &self.scan_options.allow_outside);
        let objects = StoreObjects::new(self.stores.clone(), policy);
        let objects = objects.with_opened(Arc::from(opened.source));
        let gathered = self.gatherer.gather(&scan.dataset, &objects).await?;
        let (dataset, skipped, before) = (scan.dataset, scan.skipped, Counts::new());
        Ok(Read { dataset, gathered, skipped, before, cost })
    }
}

fn write(
    datasets: &[Dataset],
    cube: &CubeArguments,
    output: &Path,
    emit: (Target, EmitOptions),
    skipped: Counts,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let written = try_write(datasets, cube, output, emit, skipped, console)?;
    Ok(written.unwrap_or_else(|changed| {
        report::error_line(console, &changed.source.to_string());
        Exit::Failed
    }))
}

/// The inner error is that the output is not what it was any more.
fn try_write(
    datasets: &[Dataset],
    cube: &CubeArguments,
    output: &Path,
    (target, emit): (Target, EmitOptions),
    skipped: Counts,
    console: &mut Console<'_>,
) -> Result<Result<Exit, EmitError>, Stop> {
    let combined = match combine(datasets, &cube.options()) {
        Ok(combined) => combined,
        Err(error) => {
            say(console, &error.to_string());
            return Ok(Ok(Exit::Failed));
        }
    };
    if !console.quiet() {
        for note in &combined.notes {
            report::note(console, note);
        }
    }
    let emit = emit.with_provenance(Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        options: format!("{MADE_BY_COMBINING}{}", serde_json::json!(cube.words())),
        skipped,
    });
    let emitted = if output == Path::new("-") {
        write_kerchunk_json(&combined.dataset, &emit, console.data())
    } else {
        target.emitter().emit(&combined.dataset, output, &emit)
    };
    match emitted {
        Ok(_) => Ok(Ok(Exit::Done)),
        Err(error) if is_changed(&*error.source) => Ok(Err(error)),
        Err(error) => {
            if let Some(error) =
                scan::output_error(&*error.source).filter(|_| output == Path::new("-"))
            {
                return Err(Stop::Output(error));
            }
            report::failure(console, &output.display().to_string(), "", &*error.source);
            Ok(Ok(Exit::Failed))
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
