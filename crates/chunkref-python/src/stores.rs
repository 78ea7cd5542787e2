// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where bytes come from: the stores of the crate below, and Python's file systems for what those do not know.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chunkref::core::Cancellation;
use chunkref::core::model::Source;
use chunkref::read::{Bounds, Open};
use chunkref::store::{StorageOptions, StoreOptions};
use chunkref::{
    AccessPolicy, ByteSource, Limits, Location, SourceError, SourceErrorKind, StoreObjects, Stores,
    UrlPrefix,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors;
use crate::file_source::{FileSource, error_of, stopped};
use crate::wait::{Call, Stop};

/// Schemes that are read natively. `memory` is not among them: to Python it is the file system of fsspec.
pub(crate) const SCHEMES: [&str; 10] =
    ["file", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "http", "https"];

/// Stores with one set of options; shared by all that read with those.
#[pyclass(name = "Stores", module = "chunkref._chunkref", frozen)]
#[derive(Debug)]
pub(crate) struct PyStores {
    options: StoreOptions,
    /// Connections, with the process that they are of: after a fork they are its parent's.
    made: Mutex<(u32, Stores)>,
}

impl PyStores {
    pub(crate) fn stores(&self) -> Stores {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.0 != std::process::id() {
            *made = (std::process::id(), Stores::new(self.options.clone()));
        }
        made.1.clone()
    }
}

#[pymethods]
impl PyStores {
    #[new]
    #[pyo3(signature = (storage, *, allow, anonymous, requests, requests_per_object, requests_per_host, retries, timeout, deadline, keep_query, limits))]
    #[expect(clippy::too_many_arguments, reason = "they are the options of stores")]
    fn new(
        py: Python<'_>,
        storage: BTreeMap<String, String>,
        allow: Vec<String>,
        anonymous: bool,
        requests: NonZeroUsize,
        requests_per_object: NonZeroUsize,
        requests_per_host: Option<NonZeroUsize>,
        retries: u32,
        timeout: f64,
        deadline: f64,
        keep_query: bool,
        limits: BTreeMap<String, u64>,
    ) -> PyResult<Self> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let mut options = StoreOptions::default();
        options.storage = StorageOptions::from_environment(variables);
        for (name, value) in storage {
            // Options of one store are named by it.
            let Some((store, name)) = name.rsplit_once(':').filter(|_| name.contains("://")) else {
                options.storage.set(name, value);
                continue;
            };
            let set = options.storage.set_for(store, name, value);
            set.map_err(|error| errors::of_source(py, &error))?;
        }
        let allow: Result<Vec<UrlPrefix>, _> = allow.iter().map(|text| text.parse()).collect();
        options.allow = allow.map_err(|error| errors::of_source(py, &error))?;
        options.anonymous = anonymous;
        options.requests = requests;
        options.requests_per_object = requests_per_object;
        options.requests_per_host = requests_per_host.unwrap_or(requests);
        options.retry.retries = retries;
        options.timeout = seconds("timeout", timeout)?.max(Duration::from_millis(1));
        options.deadline = Some(seconds("deadline", deadline)?).filter(|time| !time.is_zero());
        options.keep_query = keep_query;
        options.limits = limits_of(py, &limits)?;
        let made = Mutex::new((std::process::id(), Stores::new(options.clone())));
        Ok(Self { options, made })
    }

    /// The locations that a path, URL or pattern names, as absolute URLs.
    fn expand(&self, py: Python<'_>, text: &str) -> PyResult<Vec<String>> {
        let (stores, text) = (self.stores(), text.to_owned());
        let registry = chunkref::registry()
            .map_err(|error| errors::of_fault(py, "scan", "invalid_option", &error, &text))?;
        let found = Call::new().work(py, Stop::AtOnce, move |_| async move {
            chunkref::expand(&stores, &registry, &text).await
        })?;
        let found = found.map_err(|error| errors::of_source(py, &error))?;
        Ok(found.iter().map(|location| location.url().to_owned()).collect())
    }

    /// The URL that references have for a path or URL.
    #[staticmethod]
    fn absolute(py: Python<'_>, text: &str) -> PyResult<String> {
        let location = Location::parse(text).map_err(|error| errors::of_source(py, &error))?;
        Ok(location.url().to_owned())
    }

    /// Raises unless the options are ones of the store that `url` is in.
    fn validate(&self, py: Python<'_>, url: &str) -> PyResult<()> {
        let location = Location::parse(url);
        location
            .and_then(|location| self.stores().validate(&location))
            .map_err(|error| errors::of_source(py, &error))
    }
}

/// Limits by name, the others as they are by default.
///
/// # Errors
/// Python's `InvalidOptionError` for a name that is none of a limit, with those that are, and a value that is too large.
pub(crate) fn limits_of(py: Python<'_>, values: &BTreeMap<String, u64>) -> PyResult<Limits> {
    let mut limits = Limits::default();
    for (name, value) in values {
        limits
            .set(name, &value.to_string())
            .map_err(|error| errors::of_fault(py, "scan", "invalid_option", &error, ""))?;
    }
    Ok(limits)
}

fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| PyValueError::new_err(format!("{name} is no number of seconds: {value}")))
}

/// Most of Python's files that are kept open.
const MOST_OPEN: usize = 256;

/// The objects that references name: native where the scheme is known, else opened by Python.
pub(crate) struct Objects {
    native: StoreObjects,
    /// A callable that opens a location as a file object.
    open: Option<Py<PyAny>>,
    /// The protocol of locations without one.
    protocol: Option<String>,
    cancellation: Cancellation,
    opened: Mutex<HashMap<String, Arc<dyn ByteSource>>>,
}

impl Objects {
    /// The objects that references name, which `policy` is for. They are read until `cancellation` ends that.
    pub(crate) fn new(
        stores: &Stores,
        policy: &AccessPolicy,
        open: Option<Py<PyAny>>,
        protocol: Option<String>,
        cancellation: Cancellation,
    ) -> Self {
        let policy = stores.policy_with_allowed(policy.clone());
        let native = StoreObjects::new(stores.with_cancellation(&cancellation), policy);
        Self { native, open, protocol, cancellation, opened: Mutex::default() }
    }

    /// Whether Python may open what has this scheme: the protocol that the user named, what is in the memory of this process,
    /// or the file that was given as an object.
    fn is_of_python(&self, scheme: &str) -> bool {
        matches!(scheme, "python" | "memory") || self.protocol.as_deref() == Some(scheme)
    }
}

#[async_trait]
impl Open for Objects {
    async fn open(&self, source: &Source) -> Result<Arc<dyn ByteSource>, SourceError> {
        let location = &source.location;
        let url = match (location.split_once("://"), &self.protocol) {
            (None, Some(protocol)) if protocol != "file" => format!("{protocol}://{location}"),
            _ => location.clone(),
        };
        let scheme = url.split_once("://").map_or("file", |(scheme, _)| scheme);
        match &self.open {
            // Chained URLs of fsspec lead anywhere.
            Some(_) if !SCHEMES.contains(&scheme) && !self.is_of_python(scheme) => {
                Err(SourceError {
                    kind: SourceErrorKind::NotAllowed,
                    location: url,
                    message: "the references name this, and its protocol is not the one that was given: give remote_protocol, or copy the file".to_owned(),
                    source: None,
                })
            }
            Some(open) if !SCHEMES.contains(&scheme) => {
                let known = |opened: &Mutex<HashMap<_, Arc<dyn ByteSource>>>| {
                    opened.lock().unwrap_or_else(PoisonError::into_inner).get(&url).cloned()
                };
                if let Some(opened) = known(&self.opened) {
                    return Ok(opened);
                }
                let ended = self.cancellation.check();
                ended.map_err(|cancelled| stopped(location, cancelled))?;
                let opened = Python::attach(|py| {
                    let file = open.bind(py).call1((&url,))?;
                    FileSource::open(&file, location.clone(), self.cancellation.clone())
                });
                let opened: Arc<dyn ByteSource> =
                    Arc::new(opened.map_err(|error| error_of(location, error))?);
                let mut all = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
                if all.len() >= MOST_OPEN {
                    all.clear();
                }
                all.insert(url, Arc::clone(&opened));
                Ok(opened)
            }
            _ => self.native.open(&Source { location: url, version: source.version.clone() }).await,
        }
    }
    fn bounds(&self) -> Bounds {
        self.native.bounds()
    }
}
