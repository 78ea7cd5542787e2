// SPDX-License-Identifier: MIT OR Apache-2.0
//! References as the keys and values of a Zarr store.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chunkref::core::Cancellation;
use chunkref::read::{Lookup, Open, Part, ReadError, ReferenceStore, ZarrVersion};
use chunkref::{
    AccessPolicy, Dataset, Location, Manifest, References, ReferencesError, StoreObjects,
};
use futures::StreamExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::dataset::PyDataset;
use crate::errors;
use crate::stores::{Objects, PyStores};
use crate::wait::{Call, Stop, wait};

/// Values that are read at one time.
const AT_A_TIME: usize = 256;

/// A read-only store over references.
#[pyclass(name = "ReferenceStore", module = "chunkref._chunkref", frozen)]
#[derive(Debug)]
pub(crate) struct PyReferenceStore {
    lookup: AnyLookup,
    policy: AccessPolicy,
    stores: Py<PyStores>,
    open: Option<Py<PyAny>>,
    protocol: Option<String>,
    /// The store with its open objects, and the process that they are of.
    made: Mutex<Option<(u32, Arc<ReferenceStore>)>>,
}

/// References in memory, or in partitions that are read as they are needed.
#[derive(Clone)]
struct AnyLookup(Arc<dyn Lookup>);

impl std::fmt::Debug for AnyLookup {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("AnyLookup").finish_non_exhaustive()
    }
}

/// A key, and which bytes: `(None, None)` for all, `(start, None)`, `(start, end)`, or `(None, last)`.
type Request = (String, Option<u64>, Option<u64>);
/// The bytes, nothing, or an exception.
type Answer<'py> = (Option<Bound<'py, PyBytes>>, Option<PyErr>);

#[pymethods]
impl PyReferenceStore {
    /// The store of a dataset; `open` and `protocol` are as for combining.
    #[new]
    #[pyo3(signature = (dataset, stores, open, protocol))]
    fn new(
        py: Python<'_>,
        dataset: PyDataset,
        stores: Py<PyStores>,
        open: Option<Py<PyAny>>,
        protocol: Option<String>,
    ) -> PyResult<Self> {
        let held = stores.get().stores();
        held.check_policy(&dataset.1).map_err(|error| errors::of_source(py, &error))?;
        Ok(Self::of(AnyLookup(dataset.0), dataset.1, stores, open, protocol))
    }

    /// The store of references that were written; those of Parquet are read when they are asked for.
    #[staticmethod]
    #[pyo3(signature = (stores, url, open, protocol))]
    fn open(
        py: Python<'_>,
        stores: Py<PyStores>,
        url: &str,
        open: Option<Py<PyAny>>,
        protocol: Option<String>,
    ) -> PyResult<Self> {
        let location = Location::parse(url).map_err(|error| errors::of_source(py, &error))?;
        let held = stores.get().stores();
        // What is opened is read later, too, when this call has ended.
        let (stores_of_set, set) = (held.clone(), location.clone());
        let opened = Call::new().work(py, Stop::AtOnce, move |_| async move {
            References::open(&stores_of_set, &set).await
        })?;
        let references: References =
            opened.map_err(|error: ReferencesError| errors::of_references(py, &error, url))?;
        let policy = AccessPolicy::of_set(&location);
        held.check_binding([&location]).map_err(|error| errors::of_source(py, &error))?;
        Ok(Self::of(AnyLookup(Arc::new(references)), policy, stores, open, protocol))
    }

    /// Reads many values at a time.
    fn get_many<'py>(&self, py: Python<'py>, requests: Vec<Request>) -> PyResult<Vec<Answer<'py>>> {
        let store = self.store(py)?;
        let reading = futures::stream::iter(&requests)
            .map(|(key, start, end)| {
                let store = &store;
                async move {
                    let part = match (*start, *end) {
                        (None, None) => Part::Whole,
                        (Some(start), None) => Part::From(start),
                        (Some(start), Some(end)) => Part::Range(start..end),
                        (None, Some(last)) => Part::Last(last),
                    };
                    store.get(key, &part).await
                }
            })
            .buffered(AT_A_TIME)
            .collect::<Vec<Result<Option<Bytes>, ReadError>>>();
        let values = wait(py, reading)?;
        let mut answers = Vec::new();
        for ((key, ..), value) in requests.iter().zip(values) {
            answers.push(match value {
                Ok(bytes) => (bytes.map(|bytes| PyBytes::new(py, &bytes)), None),
                Err(error) => {
                    let place = wait(py, store.place(key))?.ok().flatten();
                    (None, Some(errors::of_chunk(py, &error, place.as_ref())))
                }
            });
        }
        Ok(answers)
    }

    /// Where the chunk of a key is: array, place in the grid, URL, first byte and number of bytes, as far as it has them.
    #[expect(clippy::type_complexity, reason = "a row")]
    fn place(
        &self,
        py: Python<'_>,
        key: &str,
    ) -> PyResult<Option<(String, Vec<u64>, Option<String>, Option<u64>, Option<u64>)>> {
        let store = self.store(py)?;
        let place = wait(py, store.place(key))?.map_err(|error| of_read(py, &error))?;
        Ok(place.map(|at| (at.array, at.chunk_indices, at.location, at.offset, at.length)))
    }

    /// Whether there is a value.
    fn exists(&self, py: Python<'_>, key: &str) -> PyResult<bool> {
        let store = self.store(py)?;
        wait(py, store.exists(key))?.map_err(|error| of_read(py, &error))
    }

    /// The length of a value.
    fn size(&self, py: Python<'_>, key: &str) -> PyResult<Option<u64>> {
        let store = self.store(py)?;
        wait(py, store.size(key))?.map_err(|error| of_read(py, &error))
    }

    /// The keys below a prefix, which is empty or ends in a slash.
    fn list(&self, py: Python<'_>, prefix: &str) -> PyResult<Vec<String>> {
        let store = self.store(py)?;
        wait(py, store.list(prefix))?.map_err(|error| of_read(py, &error))
    }

    /// The names directly below a prefix, those of folders with a slash.
    fn list_folder(&self, py: Python<'_>, prefix: &str) -> PyResult<Vec<String>> {
        let store = self.store(py)?;
        wait(py, store.list_folder(prefix))?.map_err(|error| of_read(py, &error))
    }
}

impl PyReferenceStore {
    fn of(
        lookup: AnyLookup,
        policy: AccessPolicy,
        stores: Py<PyStores>,
        open: Option<Py<PyAny>>,
        protocol: Option<String>,
    ) -> Self {
        Self { lookup, policy, stores, open, protocol, made: Mutex::default() }
    }

    fn store(&self, py: Python<'_>) -> PyResult<Arc<ReferenceStore>> {
        let process = std::process::id();
        let known = self.made.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, store)) = known.filter(|(of, _)| *of == process) {
            return Ok(store);
        }
        let open = self.open.as_ref().map(|open| open.clone_ref(py));
        let stores = self.stores.get().stores();
        let (protocol, never) = (self.protocol.clone(), Cancellation::never());
        let objects = Objects::new(&stores, &self.policy, open, protocol, never);
        let store =
            ReferenceStore::new(Arc::clone(&self.lookup.0), Arc::new(objects), ZarrVersion::V2);
        let store = Arc::new(store.map_err(|error| PyRuntimeError::new_err(error.to_string()))?);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        *made = Some((process, Arc::clone(&store)));
        Ok(store)
    }
}

/// The Zarr version 3 documents of all groups and arrays by path, and why some arrays have none.
#[pyfunction]
#[expect(clippy::type_complexity, reason = "two lists")]
pub(crate) fn documents_v3(
    py: Python<'_>,
    dataset: PyDataset,
) -> PyResult<(Vec<(String, String)>, Vec<(String, String)>)> {
    let (mut documents, mut without) = (Vec::new(), Vec::new());
    let mut groups = Dataset::new();
    dataset.0.visit_groups(&mut |path, group| {
        groups.group_mut(path).attributes = group.attributes.clone();
    });
    let mut paths: Vec<String> = Vec::new();
    groups.visit_groups(&mut |path, _| paths.push(path.to_owned()));
    let mut sets = vec![(groups, paths)];
    for (path, array) in dataset.0.arrays() {
        let mut set = Dataset::new();
        let mut bare = array.clone();
        bare.manifest = Manifest::empty(bare.manifest.grid_shape());
        set.root.arrays.insert("array".to_owned(), bare);
        sets.push((set, vec![path]));
    }
    let objects: Arc<dyn Open> =
        Arc::new(StoreObjects::new(chunkref::Stores::default(), AccessPolicy::in_memory()));
    for (number, (set, paths)) in sets.into_iter().enumerate() {
        let lookup: Arc<dyn Lookup> = Arc::new(set);
        let store = match ReferenceStore::new(lookup, Arc::clone(&objects), ZarrVersion::V3) {
            Ok(store) => store,
            Err(error) => {
                let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
                without.extend(paths.into_iter().map(|path| (path, reason.clone())));
                continue;
            }
        };
        for path in paths {
            let key = match (number, path.as_str()) {
                (0, "") => "zarr.json".to_owned(),
                (0, path) => format!("{path}/zarr.json"),
                _ => "array/zarr.json".to_owned(),
            };
            let document = wait(py, store.get(&key, &Part::Whole))?;
            let document = document.map_err(|error| of_read(py, &error))?.unwrap_or_default();
            documents.push((path, String::from_utf8_lossy(&document).into_owned()));
        }
    }
    Ok((documents, without))
}

fn of_read(py: Python<'_>, error: &ReadError) -> PyErr {
    errors::of_chunk(py, error, None)
}
