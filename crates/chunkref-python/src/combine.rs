// SPDX-License-Identifier: MIT OR Apache-2.0
//! Combining datasets, and building one from files.

use std::collections::BTreeMap;
use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;

use chunkref::combine::{Combined, combine as combine_datasets};
use chunkref::many::{self, for_each};
use chunkref::read::ReadError;
use chunkref::{
    AccessPolicy, CombineError, CombineOptions, CoordinateSource, Dataset, Gathered, Gatherer,
    Location, ManyOptions, ScanError, ScanOptions, Skipped, StoreObjects, Stores,
};
use chunkref_cli::combine_arguments::CubeArguments;
use futures::{StreamExt, TryStreamExt};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::dataset::{PyDataset, SkippedRow, skipped_rows};
use crate::errors;
use crate::scan::ScanSettings;
use crate::stores::{Objects, PyStores};
use crate::wait::{Call, Stop};

/// Inputs whose values are read at one time.
const AT_A_TIME: usize = 32;

/// How inputs become one: words of the command line, and coordinates that were computed, by dimension.
#[derive(Debug, Clone, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct CubeSettings {
    words: Vec<String>,
    values: BTreeMap<String, Vec<String>>,
}

impl CubeSettings {
    fn options(&self) -> PyResult<CombineOptions> {
        let cube = CubeArguments::of_words(&self.words).map_err(PyValueError::new_err)?;
        let mut options = cube.options();
        for dimension in &mut options.concat_dimensions {
            if let Some(values) = self.values.get(&dimension.name) {
                dimension.coordinates = CoordinateSource::Values(values.clone());
            }
        }
        Ok(options)
    }
}

/// Combines datasets; gives the result and what is to be told. Values that it depends on are read first.
#[pyfunction]
#[pyo3(signature = (datasets, settings, stores, open, protocol))]
pub(crate) fn combine(
    py: Python<'_>,
    datasets: Vec<PyDataset>,
    settings: CubeSettings,
    stores: &PyStores,
    open: Option<Py<PyAny>>,
    protocol: Option<String>,
) -> PyResult<(PyDataset, Vec<String>)> {
    let options = settings.options()?;
    let policy = joined(datasets.iter().map(|dataset| dataset.1.clone()));
    let stores = stores.stores();
    stores.check_policy(&policy).map_err(|error| errors::of_source(py, &error))?;
    let opens: Vec<_> =
        datasets.iter().map(|_| open.as_ref().map(|open| open.clone_ref(py))).collect();
    let combined = Call::new().work(py, Stop::AtOnce, move |cancellation| async move {
        let gatherer = Gatherer::new(&options);
        let inputs: Vec<_> = datasets
            .iter()
            .zip(opens)
            .map(|(dataset, open)| {
                let (protocol, cancellation) = (protocol.clone(), cancellation.clone());
                (dataset, Objects::new(&stores, &dataset.1, open, protocol, cancellation))
            })
            .collect();
        let values = futures::stream::iter(&inputs)
            .map(|(dataset, objects)| gatherer.gather(&dataset.0, objects))
            .buffered(AT_A_TIME)
            .try_collect::<Vec<_>>()
            .await?;
        drop(inputs);
        let datasets: Vec<Dataset> =
            datasets.into_iter().map(|dataset| Arc::unwrap_or_clone(dataset.0)).collect();
        Ok::<_, ReadError>(finish(datasets, &values, &gatherer, &options))
    })?;
    let combined =
        combined.map_err(|error| errors::of_fault(py, "combine", "unreadable", &error, ""))?;
    let combined = combined.map_err(|error| errors::of_combine(py, &error))?;
    Ok((PyDataset::new(combined.dataset, policy), combined.notes))
}

/// What any of several references may name.
fn joined(policies: impl IntoIterator<Item = AccessPolicy>) -> AccessPolicy {
    policies.into_iter().reduce(AccessPolicy::or).unwrap_or_else(AccessPolicy::in_memory)
}

fn finish(
    mut datasets: Vec<Dataset>,
    values: &[Gathered],
    gatherer: &Gatherer,
    options: &CombineOptions,
) -> Result<Combined, CombineError> {
    gatherer.apply(&mut datasets, values);
    combine_datasets(&datasets, options)
}

/// What is known of one file.
struct Input {
    dataset: Dataset,
    values: Gathered,
    skipped: Vec<Skipped>,
}

/// Why a file is not known.
enum Fault {
    Scan(ScanError),
    Values(Box<dyn Error + Send + Sync>),
}

struct Job {
    stores: Stores,
    options: ScanOptions,
    gatherer: Gatherer,
}

impl Job {
    async fn read(&self, location: &Location) -> Result<Input, Fault> {
        let opening = chunkref::store::OpenOptions::default()
            .with_allowed_outside(&self.options.allow_outside);
        let opened = self.stores.open(location, &opening).await;
        let opened = opened.map_err(|error| Fault::Scan(ScanError::from_source(error, None)))?;
        let options = chunkref::options_within(&self.stores, &self.options);
        let scan = chunkref::scan_source(&opened.source, &options).await;
        let scan = scan.map_err(Fault::Scan)?;
        let policy = self.stores.policy_of_file(location, &self.options.allow_outside);
        let objects = StoreObjects::new(self.stores.clone(), policy);
        let objects = objects.with_opened(Arc::from(opened.source));
        let values = self.gatherer.gather(&scan.dataset, &objects).await;
        let values = values.map_err(|error| Fault::Values(error.into()))?;
        Ok(Input { dataset: scan.dataset, values, skipped: scan.skipped })
    }
}

/// What was left out, with the file.
type Left = (String, SkippedRow);

/// Scans files and combines them; `first` comes before them. `progress` is called with how many are done.
#[pyfunction]
#[pyo3(signature = (stores, urls, scanning, settings, first, jobs, progress))]
#[expect(clippy::too_many_arguments, reason = "two things in one, so that no file is opened twice")]
pub(crate) fn build(
    py: Python<'_>,
    stores: &PyStores,
    urls: Vec<String>,
    scanning: ScanSettings,
    settings: CubeSettings,
    first: Vec<PyDataset>,
    jobs: Option<NonZeroUsize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(PyDataset, Vec<String>, Vec<Left>)> {
    let options = settings.options()?;
    let locations: Result<Vec<_>, _> = urls.iter().map(|url| Location::parse(url)).collect();
    let locations = locations.map_err(|error| errors::of_source(py, &error))?;
    let held = stores.stores();
    let files = AccessPolicy::of_files(&locations, &scanning.allow_outside);
    let policy = first.iter().map(|dataset| dataset.1.clone()).fold(files, AccessPolicy::or);
    held.check_policy(&policy).map_err(|error| errors::of_source(py, &error))?;
    let gatherer = Gatherer::new(&options);
    let call = Call::new();
    // The work outlives a call that fails or is interrupted by what is computing right then, which is cancelled.
    let reached = call.stores(&held);
    let scanning = scanning.options(reached.limits(), call.cancellation());
    let job = Arc::new(Job { stores: reached, options: scanning, gatherer });
    let many = jobs.map_or_else(ManyOptions::default, ManyOptions::with_jobs);
    let worker = Arc::clone(&job);
    let mut results = for_each(locations, many, move |location: Location| {
        let job = Arc::clone(&worker);
        async move { job.read(&location).await }
    })?;
    let mut inputs: Vec<Option<Input>> = urls.iter().map(|_| None).collect();
    let mut done = 0_usize;
    while let Some((place, outcome)) = call.wait(py, results.next())? {
        let url = urls.get(place).map_or("", String::as_str);
        let outcome = outcome.map_err(|panic| PyRuntimeError::new_err(many::panicked(&panic)))?;
        let input = outcome.map_err(|fault| match fault {
            Fault::Scan(error) => errors::of_scan(py, &error),
            Fault::Values(error) => errors::of_fault(py, "combine", "unreadable", &*error, url),
        })?;
        if let Some(slot) = inputs.get_mut(place) {
            *slot = Some(input);
        }
        done = done.saturating_add(1);
        if let Some(progress) = &progress {
            progress.call1(py, (done, urls.len()))?;
        }
    }
    py.detach(|| results.stop());
    let origin = first.first().and_then(PyDataset::origin);
    let (mut scanned, mut left) = (Vec::new(), Vec::new());
    for (url, input) in urls.iter().zip(inputs) {
        let Some(input) = input else {
            return Err(PyRuntimeError::new_err(format!("{url}: its scan came to no end")));
        };
        scanned.push((input.dataset, input.values));
        left.extend(skipped_rows(input.skipped).into_iter().map(|row| (url.clone(), row)));
    }
    let combined = call.work(py, Stop::AtOnce, move |_| async move {
        let mut inputs = Vec::new();
        for dataset in first {
            let own_policy = job.stores.policy_with_allowed(dataset.1.clone());
            let before = StoreObjects::new(job.stores.clone(), own_policy);
            let values = job.gatherer.gather(&dataset.0, &before).await?;
            inputs.push((Arc::unwrap_or_clone(dataset.0), values));
        }
        inputs.extend(scanned);
        let (datasets, values): (Vec<_>, Vec<_>) = inputs.into_iter().unzip();
        Ok::<_, ReadError>(finish(datasets, &values, &job.gatherer, &options))
    })?;
    let combined =
        combined.map_err(|error| errors::of_fault(py, "combine", "unreadable", &error, ""))?;
    let combined = combined.map_err(|error| errors::of_combine(py, &error))?;
    let dataset = PyDataset::new(combined.dataset, policy).with_origin(origin);
    Ok((dataset, combined.notes, left))
}
