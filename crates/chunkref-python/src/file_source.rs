// SPDX-License-Identifier: MIT OR Apache-2.0
//! Python's file objects as sources of byte ranges.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref::core::model::ObjectVersion;
use chunkref::core::{Cancellation, Cancelled};
use chunkref::store::MergePolicy;
use chunkref::store::coalesce;
use chunkref::{ByteSource, SourceError, SourceErrorKind};
use pyo3::exceptions::{PyFileNotFoundError, PyPermissionError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A file that Python opened. It is read through the callable that `chunkref._files` makes of it, which takes the starts
/// and ends of ranges and returns their bytes.
#[derive(Debug)]
pub(crate) struct FileSource {
    read: Py<PyAny>,
    location: String,
    version: ObjectVersion,
    cancellation: Cancellation,
}

impl FileSource {
    /// The file behind `file`, which `chunkref._files.source` understands, under the name `location`. It is not read any
    /// more when `cancellation` says so: work that was interrupted may outlive the interpreter.
    pub(crate) fn open(
        file: &Bound<'_, PyAny>,
        location: String,
        cancellation: Cancellation,
    ) -> PyResult<Self> {
        let (read, length): (Py<PyAny>, u64) =
            file.py().import("chunkref._files")?.getattr("source")?.call1((file,))?.extract()?;
        let version = ObjectVersion { length, ..ObjectVersion::default() };
        Ok(Self { read, location, version, cancellation })
    }

    fn read(&self, ranges: &[Range<u64>]) -> PyResult<Vec<Bytes>> {
        Python::attach(|py| {
            let starts: Vec<u64> = ranges.iter().map(|range| range.start).collect();
            let ends: Vec<u64> = ranges.iter().map(|range| range.end).collect();
            let parts: Vec<Bound<'_, PyBytes>> =
                self.read.bind(py).call1((starts, ends))?.extract()?;
            let sound = parts.len() == ranges.len()
                && parts.iter().zip(ranges).all(|(part, range)| {
                    part.as_bytes().len() as u64 == range.end.saturating_sub(range.start)
                });
            if !sound {
                let message = "the file object gave fewer bytes than it was asked for: was it changed, or is it open in text mode?";
                return Err(PyValueError::new_err(message));
            }
            Ok(parts.iter().map(|part| Bytes::copy_from_slice(part.as_bytes())).collect())
        })
    }

    fn fault(&self, error: PyErr) -> SourceError {
        error_of(&self.location, error)
    }
}

/// The fault of a source that is not read any more.
pub(crate) fn stopped(location: &str, cancelled: Cancelled) -> SourceError {
    SourceError {
        kind: SourceErrorKind::Io,
        location: location.to_owned(),
        message: cancelled.to_string(),
        source: Some(Box::new(cancelled)),
    }
}

/// A fault of a source from what Python raised.
pub(crate) fn error_of(location: &str, error: PyErr) -> SourceError {
    let kind = Python::attach(|py| {
        if error.is_instance_of::<PyFileNotFoundError>(py) {
            SourceErrorKind::NotFound
        } else if error.is_instance_of::<PyPermissionError>(py) {
            SourceErrorKind::PermissionDenied
        } else {
            SourceErrorKind::Io
        }
    });
    SourceError {
        kind,
        location: location.to_owned(),
        message: "Python cannot read it".to_owned(),
        source: Some(Box::new(error)),
    }
}

#[async_trait]
impl ByteSource for FileSource {
    fn location(&self) -> &str {
        &self.location
    }

    fn version(&self) -> &ObjectVersion {
        &self.version
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        self.cancellation.check().map_err(|cancelled| stopped(&self.location, cancelled))?;
        let length = self.version.length;
        let outside = ranges.iter().find(|range| range.start > range.end || range.end > length);
        if let Some(range) = outside {
            return Err(SourceError::out_of_bounds(&self.location, range, length));
        }
        let requests = coalesce::merge(ranges, MergePolicy::OBJECT_STORE);
        let wanted: Vec<_> = requests.iter().map(|request| request.range.clone()).collect();
        let read = self.read(&wanted).map_err(|error| self.fault(error))?;
        let mut parts = vec![Bytes::new(); ranges.len()];
        for (request, bytes) in requests.iter().zip(&read) {
            if !request.distribute(bytes, ranges, &mut parts) {
                return Err(SourceError {
                    kind: SourceErrorKind::Changed,
                    location: self.location.clone(),
                    message: format!(
                        "the file object gave {} bytes where {} to {} lie within its length of {length}: it was cut off or changed",
                        bytes.len(),
                        request.range.start,
                        request.range.end
                    ),
                    source: None,
                });
            }
        }
        Ok(parts)
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        Err(SourceError {
            kind: SourceErrorKind::NotFound,
            location: path.to_owned(),
            message: format!(
                "{} was given as a file object, which knows no neighbours: give its URL instead",
                self.location
            ),
            source: None,
        })
    }
}
