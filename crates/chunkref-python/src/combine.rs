// SPDX-License-Identifier: MIT OR Apache-2.0
//! Combining datasets, and building one from files.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;

use chunkref::core::combiner::DimensionError;
use chunkref::model::zarr::v2::data_type;
use chunkref::session::{CubeError, Input, InputDone, InputError, Observer};
use chunkref::{
    AccessPolicy, CombineOptions, ConcatDimension, CoordinateSource, Location, ManyOptions,
    OnFailure, Session,
};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::dataset::{PyDataset, SkippedRow, skipped_rows};
use crate::errors;
use crate::scan::ScanSettings;
use crate::stores::{Objects, PyStores};
use crate::wait::{Call, Stop};

/// How inputs become one: the record of it, and coordinates that were computed, by dimension.
#[derive(Debug, Clone, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct CubeSettings {
    record: String,
    values: BTreeMap<String, Vec<String>>,
}

impl CubeSettings {
    fn options(&self) -> PyResult<CombineOptions> {
        let mut options = CombineOptions::of_record(&self.record).ok_or_else(|| {
            PyValueError::new_err(
                "what these references say of how they were combined is not known to this release",
            )
        })?;
        for dimension in &mut options.concat_dimensions {
            if let Some(values) = self.values.get(&dimension.name) {
                dimension.coordinates = CoordinateSource::Values(values.clone());
            }
        }
        Ok(options)
    }
}

/// The record of how inputs become one. Dimensions and types are texts, as `ConcatDimension` and Zarr have them; `more` is
/// JSON of the other options.
#[pyfunction]
pub(crate) fn combine_record(
    concat: Vec<String>,
    dtypes: BTreeMap<String, String>,
    more: &str,
) -> PyResult<String> {
    let invalid = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
    let options: CombineOptions = serde_json::from_str(more).map_err(|error| invalid(&error))?;
    let options = concat.iter().try_fold(options, |options, text| {
        let dimension: ConcatDimension = text.parse().map_err(|error: DimensionError| {
            PyValueError::new_err(format!("concat={text:?}: {error}"))
        })?;
        let dtype = dtypes.get(&dimension.name);
        let dtype =
            dtype.map(|text| data_type(text)).transpose().map_err(|error| invalid(&error))?;
        Ok::<_, PyErr>(options.with_concat(match dtype {
            Some(dtype) => dimension.with_dtype(dtype),
            None => dimension,
        }))
    })?;
    Ok(options.to_record())
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
    let policies = datasets.iter().map(|dataset| dataset.1.clone());
    let policy = policies.reduce(AccessPolicy::or).unwrap_or_else(AccessPolicy::in_memory);
    let held = stores.stores();
    held.check_policy(&policy).map_err(|error| errors::of_source(py, &error))?;
    let call = Call::new();
    let session = Session::new().map_err(|error| PyValueError::new_err(error.to_string()))?;
    let session = session.with_stores(call.stores(&held));
    let inputs = datasets
        .into_iter()
        .map(|dataset| {
            let open = open.as_ref().map(|open| open.clone_ref(py));
            let objects =
                Objects::new(&held, &dataset.1, open, protocol.clone(), call.cancellation());
            Input::dataset_by("the references", dataset.0, Arc::new(objects))
        })
        .collect();
    let outcome = call.work(py, Stop::AtOnce, move |_| async move {
        let mut told = Told { skips: false, progress: None, raised: None };
        session.combine(inputs, &options, &mut told).await
    })?;
    let cube = outcome.map_err(|error| of_cube(py, &error))?;
    Ok((PyDataset::new(cube.dataset, policy), cube.notes))
}

/// Tells Python how many inputs are done. What it raises, or an input that fails, ends the work.
struct Told {
    /// Whether inputs that fail are left out.
    skips: bool,
    progress: Option<Py<PyAny>>,
    raised: Option<PyErr>,
}

impl Observer for Told {
    fn input_done(&mut self, done: &InputDone<'_>) -> ControlFlow<()> {
        if done.failed && !self.skips {
            return ControlFlow::Break(());
        }
        let Some(progress) = &self.progress else { return ControlFlow::Continue(()) };
        match Python::attach(|py: Python<'_>| progress.call1(py, (done.done, done.total))) {
            Ok(_) => ControlFlow::Continue(()),
            Err(raised) => {
                self.raised = Some(raised);
                ControlFlow::Break(())
            }
        }
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
    let call = Call::new();
    // The work outlives a call that fails or is interrupted by what is computing right then, which is cancelled.
    let worked = call.stores(&held);
    let scanning = scanning.options(worked.limits(), call.cancellation());
    let many = jobs.map_or_else(ManyOptions::default, ManyOptions::with_jobs);
    let invalid = |error: chunkref::OptionError| PyValueError::new_err(error.to_string());
    let session = Session::new().map_err(invalid)?.with_stores(worked).with_many(many);
    let session = session.with_scan_options(scanning).map_err(invalid)?;
    let origin = first.first().and_then(PyDataset::origin);
    let own = first.into_iter().map(|references| {
        Input::dataset_within("the references", references.0, references.1).required()
    });
    let before = own.len();
    let inputs = own.chain(locations.into_iter().map(Input::file)).collect();
    let (outcome, raised) = call.work(py, Stop::AtOnce, move |_| async move {
        let skips = options.on_failure == OnFailure::Skip;
        let mut told = Told { skips, progress, raised: None };
        let outcome = session.combine(inputs, &options, &mut told).await;
        (outcome, told.raised)
    })?;
    if let Some(raised) = raised {
        return Err(raised);
    }
    let cube = outcome.map_err(|error| of_cube(py, &error))?;
    let left = cube.skipped.into_iter().flat_map(|(place, skipped)| {
        let url = place.checked_sub(before).and_then(|place| urls.get(place));
        let url = url.cloned().unwrap_or_default();
        skipped_rows(skipped).into_iter().map(move |row| (url.clone(), row))
    });
    let unread = cube.failed.iter().map(|input| {
        let error = of_input(py, &input.error, &input.url);
        let reason = error.value(py).to_string();
        (input.url.clone(), (input.url.clone(), None, reason, "input"))
    });
    let left = left.chain(unread).collect();
    let dataset = PyDataset::new(cube.dataset, policy).with_origin(origin);
    Ok((dataset, cube.notes, left))
}

/// The exception of an input that failed.
fn of_input(py: Python<'_>, error: &InputError, url: &str) -> PyErr {
    match error {
        InputError::Scan(error) => errors::of_scan(py, error),
        InputError::Values(error) => errors::of_fault(py, "combine", "unreadable", error, url),
        InputError::Source(error) => errors::of_source(py, error),
        error => PyRuntimeError::new_err(errors::shown(&error.to_string())),
    }
}

/// The exception of the first input that failed, or of all of them together.
fn of_cube(py: Python<'_>, error: &CubeError) -> PyErr {
    match error {
        CubeError::Combine(error) => errors::of_combine(py, error),
        CubeError::Inputs(failed) => match failed.first() {
            Some(failed) => of_input(py, &failed.error, &failed.url),
            None => PyRuntimeError::new_err(errors::shown(&error.to_string())),
        },
        error => PyRuntimeError::new_err(errors::shown(&error.to_string())),
    }
}
