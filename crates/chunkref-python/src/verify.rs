// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether references are right.

use std::num::NonZeroUsize;

use chunkref::verify::{Sample, VerifyOptions, verify_dataset};
use chunkref::{Location, References};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::dataset::PyDataset;
use crate::errors;
use crate::scan::ScanSettings;
use crate::stores::PyStores;
use crate::wait::{Call, Stop};

/// Verifies the references at `url`, or a dataset; gives what `chunkref verify --json` prints. `sample` is the number of
/// chunks that are read, `None` for all of them.
#[pyfunction]
#[pyo3(signature = (stores, url, dataset, sample, freshness, against_source))]
pub(crate) fn verify(
    py: Python<'_>,
    stores: &PyStores,
    url: Option<String>,
    dataset: Option<PyDataset>,
    sample: Option<usize>,
    freshness: bool,
    against_source: Option<ScanSettings>,
) -> PyResult<String> {
    let mut options = VerifyOptions::default();
    options.sample = match sample {
        None => Sample::All,
        Some(number) => NonZeroUsize::new(number).map_or(Sample::None, Sample::Some),
    };
    options.freshness = freshness;
    let call = Call::new();
    let stores = call.stores(&stores.stores());
    let scanning = |settings: ScanSettings| settings.options(stores.limits(), call.cancellation());
    options.against_source = against_source.map(scanning);
    let report = match (&url, dataset) {
        (Some(url), None) => {
            let location = Location::parse(url).map_err(|error| errors::of_source(py, &error))?;
            let verified = call.work(py, Stop::AtOnce, move |_| async move {
                let references = References::open(&stores, &location).await?;
                chunkref::verify::verify(&stores, references, &options).await
            });
            verified?.map_err(|error| errors::of_references(py, &error, url))?
        }
        (None, Some(dataset)) => {
            stores.check_policy(&dataset.1).map_err(|error| errors::of_source(py, &error))?;
            let policy = stores.policy_with_allowed(dataset.1.clone());
            call.work(py, Stop::AtOnce, move |_| async move {
                verify_dataset(&stores, &policy, &dataset.0, None, &options).await
            })?
        }
        _ => return Err(PyValueError::new_err("give references or their URL")),
    };
    let name = url.as_deref().unwrap_or("references");
    Ok(report.document(name).to_string())
}
