// SPDX-License-Identifier: MIT OR Apache-2.0
//! The main job, from many inputs to one cube, in one place for every front-end.
//!
//! A [`Session`] holds what all work of a program shares: stores, formats, options of scans, and how much happens at one
//! time. It prints nothing: what is done is told to an [`Observer`], what came out is in the results.
//!
//! ```
//! use chunkref::session::{Input, Session};
//! use chunkref::{CombineOptions, Dataset};
//! # use chunkref::model::Source;
//! # futures::executor::block_on(async {
//! let session = Session::new()?;
//! let mut dataset = Dataset::new();
//! # dataset.add_source(Source { location: "memory://a.nc".to_owned(), version: None });
//! let inputs = [Input::dataset("a", dataset)];
//! let options = CombineOptions::default().with_merge(true);
//! let cube = session.combine(inputs.into(), &options, &mut ()).await?;
//! assert!(cube.dataset.arrays().is_empty() && cube.notes.is_empty());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod agree;
mod append;
mod error;
mod input;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use chunkref_combine::Report;
use chunkref_core::{
    CombineError, CombineOptions, OnFailure, Registry, ScanOptions, ScanRecord, Skipped, redact,
};
use chunkref_model::Dataset;
use chunkref_model::provenance::Provenance;
use chunkref_read::Open;
use chunkref_store::{Cost, Location, Stores};
use futures::StreamExt;

use crate::Gatherer;
use crate::OptionError;
use crate::many::{self, ManyOptions, Workers};

pub use append::{AppendError, Extension};
pub use error::{CubeError, FailedInput, InputError};
pub use input::Input;

use agree::{Agreement, Member};
use input::{Known, Reader};

/// What a program works with.
#[derive(Debug, Clone)]
pub struct Session {
    stores: Stores,
    registry: Registry,
    scan_options: ScanOptions,
    many: ManyOptions,
}

/// How one input of many ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputDone<'a> {
    /// Its place among the inputs.
    pub place: usize,
    /// How many of the inputs have ended, and how many there are.
    pub done: usize,
    /// How many there are.
    pub total: usize,
    /// What reading it cost.
    pub cost: Cost,
    /// Whether it failed.
    pub failed: bool,
    /// What of it is not in the references.
    pub skipped: &'a [Skipped],
}

/// Is told what is done. `()` does not listen.
pub trait Observer {
    /// An input was read, or failed. [`ControlFlow::Break`] ends the work: with [`CubeError::Inputs`] of those that have
    /// failed, or with [`CubeError::Stopped`] when none has.
    fn input_done(&mut self, done: &InputDone<'_>) -> ControlFlow<()>;
}

impl Observer for () {
    fn input_done(&mut self, _: &InputDone<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// One dataset made of many inputs.
#[derive(Debug)]
#[non_exhaustive]
pub struct Cube {
    /// The dataset.
    pub dataset: Dataset,
    /// What was left out or taken from the first input, as the options ask, a line each.
    pub notes: Vec<String>,
    /// What is not in the references, by the place of its input.
    pub skipped: Vec<(usize, Vec<Skipped>)>,
    /// Inputs that could not be read and are left out, as the options ask, in their order.
    pub failed: Vec<FailedInput>,
    /// How it came about, to be written with it.
    pub provenance: Provenance,
}

/// What came of the inputs, with the places of those that were left out, and notes.
type Tried<T> = (Vec<usize>, Vec<String>, T);

/// Inputs with all that combining needs.
struct Gathered {
    datasets: Vec<Dataset>,
    /// How the objects that each names are opened.
    objects: Vec<Arc<dyn Open>>,
    /// What has read them.
    workers: Workers,
    /// What messages call them.
    names: Vec<String>,
    /// What was found when they were compared.
    notes: Vec<String>,
    skipped: Vec<(usize, Vec<Skipped>)>,
    counts: BTreeMap<String, u64>,
    failed: Vec<FailedInput>,
    /// Locations of inputs that could not be read, now or when references were made.
    left_out: BTreeSet<String>,
}

impl Gathered {
    fn leave_out(&mut self, places: &[usize]) {
        fn keep<T>(all: &mut Vec<T>, places: &[usize]) {
            let mut place = 0..;
            all.retain(|_| place.next().is_some_and(|place| !places.contains(&place)));
        }
        keep(&mut self.datasets, places);
        keep(&mut self.objects, places);
        keep(&mut self.names, places);
    }
}

impl Session {
    /// With the stores and formats that are linked in, and default options.
    ///
    /// # Errors
    /// [`OptionError`] when two linked crates submit one format.
    pub fn new() -> Result<Self, OptionError> {
        Ok(Self {
            stores: crate::stores(),
            registry: crate::registry()?,
            scan_options: ScanOptions::default(),
            many: ManyOptions::default(),
        })
    }

    /// The same with other stores, whose limits and cancellation hold for all work.
    #[must_use]
    pub fn with_stores(mut self, stores: Stores) -> Self {
        self.stores = stores;
        self
    }

    /// The same with other options of scans.
    ///
    /// # Errors
    /// [`OptionError`] when they fit no format.
    pub fn with_scan_options(mut self, options: ScanOptions) -> Result<Self, OptionError> {
        crate::validate(&self.registry, &options)?;
        self.scan_options = options;
        Ok(self)
    }

    /// The same with other numbers of threads and of inputs that are open at one time.
    #[must_use]
    pub fn with_many(mut self, many: ManyOptions) -> Self {
        self.many = many;
        self
    }

    /// The stores.
    #[must_use]
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Reads all inputs, several at a time, and makes one dataset of them. Files are scanned, and what combining compares
    /// is read of each.
    ///
    /// # Errors
    /// [`CubeError`]: with every input that failed, or every conflict between them.
    pub async fn combine(
        &self,
        inputs: Vec<Input>,
        options: &CombineOptions,
        observer: &mut (impl Observer + ?Sized),
    ) -> Result<Cube, CubeError> {
        let mut gathered = self.gather(inputs, options, observer).await?;
        let (combined, before) = self
            .settle(&mut gathered, options, |datasets, options| {
                let combined = chunkref_combine::combine(datasets, options)?;
                Ok((combined.left_out.clone(), combined.notes.clone(), combined))
            })
            .await?;
        let Gathered { mut notes, skipped, counts, failed, left_out, .. } = gathered;
        notes.extend(before.into_iter().chain(combined.notes));
        let there: HashSet<Cow<'_, str>> =
            combined.dataset.sources().iter().map(|source| redact(&source.location)).collect();
        let left_out = left_out.iter().filter(|location| !there.contains(location.as_str()));
        let provenance = Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            options: self.record(options),
            skipped: counts,
            left_out: left_out.cloned().collect(),
        };
        Ok(Cube { dataset: combined.dataset, notes, skipped, failed, provenance })
    }

    /// How inputs are combined, and, where options of formats are given, how they are scanned.
    fn record(&self, options: &CombineOptions) -> String {
        let scan = &self.scan_options;
        if scan.format.is_none() && scan.format_options.is_empty() {
            return options.to_record();
        }
        format!("{}\n{}", options.to_record(), ScanRecord::new(scan).to_record())
    }

    /// What would become of the inputs, and what stands in the way. The second value is what of each is not in the
    /// references. Inputs that are left out because they cannot be read are in the notes.
    ///
    /// # Errors
    /// [`CubeError`] when an input failed, or an option makes no sense.
    pub async fn plan(
        &self,
        inputs: Vec<Input>,
        options: &CombineOptions,
        observer: &mut (impl Observer + ?Sized),
    ) -> Result<(Report, Vec<(usize, Vec<Skipped>)>), CubeError> {
        let mut gathered = self.gather(inputs, options, observer).await?;
        let (mut report, before) = self
            .settle(&mut gathered, options, |datasets, options| {
                let report = chunkref_combine::plan(datasets, options)?;
                Ok((report.left_out.clone(), report.notes.clone(), report))
            })
            .await?;
        let failed = gathered
            .failed
            .iter()
            .map(|input| format!("{} is left out: it cannot be read: {}", input.name, input.error));
        report.notes.splice(0..0, gathered.notes.into_iter().chain(failed).chain(before));
        Ok((report, gathered.skipped))
    }

    async fn gather(
        &self,
        inputs: Vec<Input>,
        options: &CombineOptions,
        observer: &mut (impl Observer + ?Sized),
    ) -> Result<Gathered, CubeError> {
        let total = inputs.len();
        let url = |input: &Input| input.location().map_or("", Location::url).to_owned();
        let names: Vec<(String, String)> =
            inputs.iter().map(|input| (input.name().to_owned(), url(input))).collect();
        let required: Vec<bool> = inputs.iter().map(Input::is_required).collect();
        let skips = |place: usize| {
            options.on_failure == OnFailure::Skip && required.get(place) == Some(&false)
        };
        let reader = Arc::new(Reader::new(self, Gatherer::new(options)));
        let worker = Arc::clone(&reader);
        let workers = Workers::new(self.many).map_err(CubeError::Threads)?;
        let mut results = workers.for_each(inputs, self.many.open, move |input: Input| {
            let reader = Arc::clone(&worker);
            async move { reader.read(input).await }
        });
        let mut known: Vec<Option<Known>> = names.iter().map(|_| None).collect();
        let (mut failed, mut done) = (Vec::new(), 0_usize);
        while let Some((place, outcome)) = results.next().await {
            let outcome =
                outcome.unwrap_or_else(|panic| Err(InputError::Panic(many::panicked(&panic))));
            done = done.saturating_add(1);
            let (cost, skipped): (_, &[Skipped]) = match &outcome {
                Ok(known) => (known.cost, &known.skipped),
                Err(_) => (Cost::default(), &[]),
            };
            let told = InputDone { place, done, total, cost, failed: outcome.is_err(), skipped };
            let goes_on = observer.input_done(&told).is_continue();
            match outcome {
                Ok(found) => {
                    if let Some(slot) = known.get_mut(place) {
                        *slot = Some(found);
                    }
                }
                Err(error) => {
                    let (name, url) = names.get(place).cloned().unwrap_or_default();
                    failed.push(FailedInput { place, name, url, error });
                }
            }
            if !goes_on && failed.is_empty() {
                return Err(CubeError::Stopped);
            }
            if !goes_on {
                return Err(CubeError::Inputs(failed));
            }
        }
        failed.sort_by_key(|input| input.place);
        if failed.len() == total && total > 0 || failed.iter().any(|input| !skips(input.place)) {
            return Err(CubeError::Inputs(failed));
        }
        let left_out = failed.iter().map(|input| match input.url.as_str() {
            "" => input.name.clone(),
            url => redact(url).into_owned(),
        });
        let mut gathered = Gathered {
            datasets: Vec::new(),
            objects: Vec::new(),
            workers,
            names: Vec::new(),
            notes: Vec::new(),
            skipped: Vec::new(),
            counts: BTreeMap::new(),
            left_out: left_out.collect(),
            failed,
        };
        let (mut values, mut objects) = (Vec::new(), Vec::new());
        for (place, input) in known.into_iter().enumerate() {
            let Some(input) = input else {
                if gathered.failed.iter().any(|failed| failed.place == place) {
                    continue;
                }
                return Err(CubeError::Stopped);
            };
            gathered.left_out.extend(input.left_out);
            for (kind, count) in Skipped::count(&input.skipped).into_iter().chain(input.before) {
                let sum = gathered.counts.entry(kind).or_default();
                *sum = sum.saturating_add(count);
            }
            if !input.skipped.is_empty() {
                gathered.skipped.push((place, input.skipped));
            }
            gathered.names.push(names.get(place).map(|(name, _)| name.clone()).unwrap_or_default());
            gathered.datasets.push(input.dataset);
            values.push(input.values);
            objects.push(input.objects);
        }
        reader.gatherer().apply(&mut gathered.datasets, &values);
        gathered.objects = objects;
        self.agree(&mut gathered, options).await?;
        Ok(gathered)
    }

    /// Brings the inputs to one form, as far as their values are the same.
    async fn agree(
        &self,
        gathered: &mut Gathered,
        options: &CombineOptions,
    ) -> Result<(), CubeError> {
        let pairs = std::mem::take(&mut gathered.datasets).into_iter().zip(&gathered.objects);
        let mut members: Vec<Member> = pairs
            .map(|(dataset, objects)| Member {
                dataset: Arc::new(dataset),
                objects: Arc::clone(objects),
            })
            .collect();
        let limit = self.stores.limits().compared_bytes;
        let agreement = Agreement {
            options,
            many: self.many,
            workers: &gathered.workers,
            limit,
            names: &gathered.names,
        };
        gathered.notes = agreement.reach(&mut members).await?;
        gathered.datasets =
            members.into_iter().map(|member| Arc::unwrap_or_clone(member.dataset)).collect();
        Ok(())
    }

    /// Combines, or plans it, anew without the inputs that are left out, where those are what the others differ from.
    /// The notes of all but the last time are given too.
    async fn settle<T>(
        &self,
        gathered: &mut Gathered,
        options: &CombineOptions,
        work: impl Fn(&[Dataset], &CombineOptions) -> Result<Tried<T>, CombineError>,
    ) -> Result<(T, Vec<String>), CubeError> {
        let mut before = Vec::new();
        loop {
            let named = options.clone().with_names(gathered.names.clone());
            let (left_out, notes, done) = work(&gathered.datasets, &named)?;
            if left_out.is_empty() {
                return Ok((done, before));
            }
            before.extend(notes);
            gathered.leave_out(&left_out);
            self.agree(gathered, options).await?;
        }
    }
}
