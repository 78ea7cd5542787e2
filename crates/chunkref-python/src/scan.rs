// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scanning, one file or many.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use chunkref::core::Cancellation;
use chunkref::{AccessPolicy, Limits, Location, ManyOptions, ScanOptions, Scans};
use futures::StreamExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::dataset::{PyDataset, SkippedRow, skipped_rows};
use crate::errors;
use crate::file_source::FileSource;
use crate::stores::PyStores;
use crate::wait::{Call, Stop};

/// How files are scanned.
#[derive(Debug, Clone, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct ScanSettings {
    format: Option<String>,
    inline_threshold: u64,
    pub(crate) allow_outside: Vec<String>,
    format_options: BTreeMap<String, String>,
}

impl ScanSettings {
    /// Options of a scan within `limits`, which `cancellation` ends.
    pub(crate) fn options(&self, limits: &Limits, cancellation: Cancellation) -> ScanOptions {
        let mut options = ScanOptions::default()
            .with_inline_threshold(self.inline_threshold)
            .with_limits(limits.clone())
            .with_cancellation(cancellation);
        options.format.clone_from(&self.format);
        options.allow_outside.clone_from(&self.allow_outside);
        options.format_options.clone_from(&self.format_options);
        options
    }
}

/// A scan: the dataset and what is not in it.
pub(crate) type Scanned = (PyDataset, Vec<SkippedRow>);

/// Scans the object at `url`.
#[pyfunction]
pub(crate) fn scan(
    py: Python<'_>,
    stores: &PyStores,
    url: &str,
    settings: ScanSettings,
) -> PyResult<Scanned> {
    let location = Location::parse(url).map_err(|error| errors::of_source(py, &error))?;
    let policy = AccessPolicy::of_file(&location, &settings.allow_outside);
    let stores = stores.stores();
    let outcome = Call::new().work(py, Stop::AtOnce, move |cancellation| async move {
        let options = settings.options(stores.limits(), cancellation);
        chunkref::scan_at(&stores, &location, &options).await.0
    })?;
    let scan = outcome.map_err(|error| errors::of_scan(py, &error))?;
    Ok((PyDataset::new(scan.dataset, policy), skipped_rows(scan.skipped)))
}

/// Scans a file object, which references call `location`, within the limits of `stores`.
#[pyfunction]
pub(crate) fn scan_file(
    py: Python<'_>,
    stores: &PyStores,
    file: &Bound<'_, PyAny>,
    location: String,
    settings: ScanSettings,
) -> PyResult<Scanned> {
    let call = Call::new();
    let source = FileSource::open(file, location, call.cancellation())?;
    let stores = stores.stores();
    let outcome = call.work(py, Stop::AtOnce, move |cancellation| async move {
        let options = settings.options(stores.limits(), cancellation);
        chunkref::scan_source(&source, &options).await
    })?;
    let scan = outcome.map_err(|error| errors::of_scan(py, &error))?;
    let dataset = PyDataset::new(scan.dataset, AccessPolicy::in_memory());
    Ok((dataset, skipped_rows(scan.skipped)))
}

/// The results of scanning many files, as they come.
#[pyclass(name = "Scans", module = "chunkref._chunkref", frozen)]
#[derive(Debug)]
pub(crate) struct PyScans {
    scans: Mutex<Option<Scans>>,
    call: Call,
    allow_outside: Vec<String>,
    /// Set when nobody wants more: whoever holds the scans then ends them.
    closed: AtomicBool,
}

/// Place among the URLs, the URL, and the scan or the exception that it ended with.
type Result3 = (usize, String, Option<Scanned>, Option<PyErr>);

#[pymethods]
impl PyScans {
    /// Waits for the next one; `None` when there are no more. Ctrl-C ends all of the work.
    fn next(&self, py: Python<'_>) -> PyResult<Option<Result3>> {
        // Nobody waits for this lock, so that no thread does so while it is attached to the interpreter.
        let Ok(mut held) = self.scans.try_lock() else {
            return Err(PyRuntimeError::new_err("another thread waits for the next scan"));
        };
        let Some(scans) = held.as_mut() else { return Ok(None) };
        let next = self.call.wait(py, scans.next());
        if self.closed.load(Ordering::Acquire) {
            *held = None;
            return Ok(None);
        }
        if next.is_err() {
            *held = None;
        }
        let Some(scanned) = next? else { return Ok(None) };
        let url = scanned.location.url().to_owned();
        Ok(Some(match scanned.outcome {
            Ok(scan) => {
                let policy = AccessPolicy::of_file(&scanned.location, &self.allow_outside);
                let scan = (PyDataset::new(scan.dataset, policy), skipped_rows(scan.skipped));
                (scanned.place, url, Some(scan), None)
            }
            Err(error) => (scanned.place, url, None, Some(errors::of_scan(py, &error))),
        }))
    }

    /// Ends the work, at once or when a thread that waits for the next one has it.
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.call.end();
        if let Ok(mut held) = self.scans.try_lock() {
            *held = None;
        }
    }
}

/// Scans the objects at `urls`, several at a time, on `jobs` threads (`None` for one per core).
#[pyfunction]
#[pyo3(signature = (stores, urls, settings, jobs))]
pub(crate) fn scan_many(
    py: Python<'_>,
    stores: &PyStores,
    urls: Vec<String>,
    settings: ScanSettings,
    jobs: Option<NonZeroUsize>,
) -> PyResult<PyScans> {
    let locations: Result<Vec<_>, _> = urls.iter().map(|url| Location::parse(url)).collect();
    let locations = locations.map_err(|error| errors::of_source(py, &error))?;
    let many = jobs.map_or_else(ManyOptions::default, ManyOptions::with_jobs);
    let (call, stores) = (Call::new(), stores.stores());
    let options = settings.options(stores.limits(), call.cancellation());
    let scans = chunkref::scan_many(&stores, locations, &options, many);
    let scans = scans.map_err(|error| errors::of_scan(py, &error))?;
    let (scans, closed) = (Mutex::new(Some(scans)), AtomicBool::new(false));
    Ok(PyScans { scans, call, allow_outside: settings.allow_outside, closed })
}
