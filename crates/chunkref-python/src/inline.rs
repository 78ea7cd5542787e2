// SPDX-License-Identifier: MIT OR Apache-2.0
//! Small chunks put into the references, as kerchunk does when it combines.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use chunkref::core::model::{ManifestBuilder, ManifestError, SourceId, WHOLE_OBJECT};
use chunkref::read::Open;
use chunkref::{ChunkRef, Dataset, SourceError};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::dataset::PyDataset;
use crate::errors;
use crate::stores::{Objects, PyStores};
use crate::wait::{Call, Stop};

/// The place of a chunk: its array's number and its own.
type Place = (usize, u64);

/// The dataset with every chunk of fewer than `threshold` stored bytes in its references.
#[pyfunction]
#[pyo3(signature = (dataset, threshold, stores, open, protocol))]
pub(crate) fn inline_small(
    py: Python<'_>,
    dataset: PyDataset,
    threshold: u64,
    stores: &PyStores,
    open: Option<Py<PyAny>>,
    protocol: Option<String>,
) -> PyResult<PyDataset> {
    let call = Call::new();
    let (stores, policy) = (stores.stores(), dataset.1.clone());
    let known = Arc::clone(&dataset.0);
    let inlined = call.work(py, Stop::AtOnce, move |cancellation| async move {
        let objects = Objects::new(&stores, &policy, open, protocol, cancellation);
        inline(&known, threshold, &objects).await
    })?;
    match inlined {
        Ok(None) => Ok(dataset),
        Ok(Some(inlined)) => Ok(PyDataset::new(inlined, dataset.1.clone())),
        Err(Fault::Source(error)) => Err(errors::of_source(py, &error)),
        Err(Fault::Manifest(error)) => Err(PyRuntimeError::new_err(error.to_string())),
    }
}

enum Fault {
    Source(SourceError),
    Manifest(ManifestError),
}

async fn inline(
    dataset: &Arc<Dataset>,
    threshold: u64,
    objects: &dyn Open,
) -> Result<Option<Dataset>, Fault> {
    let mut wanted: BTreeMap<SourceId, Vec<(Place, u64, u64)>> = BTreeMap::new();
    let arrays = dataset.arrays();
    for (number, (_, array)) in arrays.iter().enumerate() {
        array.manifest.visit_numbers(0..u64::MAX, &mut |chunk, reference| match reference {
            ChunkRef::Virtual { source, offset, length }
                if length < threshold || length == WHOLE_OBJECT =>
            {
                wanted.entry(source).or_default().push(((number, chunk), offset, length));
            }
            _ => {}
        });
    }
    let mut values: BTreeMap<Place, Bytes> = BTreeMap::new();
    for (source, chunks) in wanted {
        let Some(source) = dataset.source(source) else { continue };
        let object = objects.open(source).await.map_err(Fault::Source)?;
        let length = object.version().length;
        let range = |&(place, offset, bytes): &(Place, u64, u64)| {
            let end = if bytes == WHOLE_OBJECT { length } else { offset.saturating_add(bytes) };
            (end.saturating_sub(offset) < threshold).then_some((place, offset..end))
        };
        let (places, ranges): (Vec<Place>, Vec<Range<u64>>) =
            chunks.iter().filter_map(range).unzip();
        let parts = object.read_many(&ranges).await.map_err(Fault::Source)?;
        values.extend(places.into_iter().zip(parts));
    }
    if values.is_empty() {
        return Ok(None);
    }
    let mut inlined = (**dataset).clone();
    for (number, (path, array)) in arrays.iter().enumerate() {
        let known = &array.manifest;
        if values.range((number, 0)..=(number, u64::MAX)).next().is_none() {
            continue;
        }
        let mut builder = ManifestBuilder::new(known.grid_shape()).map_err(Fault::Manifest)?;
        let mut fault = None;
        known.visit_numbers(0..u64::MAX, &mut |chunk, reference| {
            let value = values.get(&(number, chunk)).cloned();
            let reference = value.map_or(reference, ChunkRef::Inline);
            if let Err(error) = builder.push(&known.chunk_indices(chunk), reference) {
                fault.get_or_insert(error);
            }
        });
        let manifest = match fault {
            Some(error) => Err(error),
            None => builder.finish(),
        };
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some(array) = inlined.group_mut(parent).arrays.get_mut(name) {
            array.manifest = manifest.map_err(Fault::Manifest)?;
        }
    }
    Ok(Some(inlined))
}
