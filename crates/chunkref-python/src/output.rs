// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files whose bytes Python made, written as all outputs are.

use std::path::PathBuf;

use chunkref::EmitError;
use chunkref::core::atomic;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::errors;
use crate::wait::{Call, Stop};

/// Bytes that are written between two looks at whether the call was interrupted.
const PART_BYTES: usize = 1 << 20;

/// Writes a file on this machine: it holds all of `data` or what it held before.
#[pyfunction]
pub(crate) fn write_file(py: Python<'_>, path: PathBuf, data: PyBackedBytes) -> PyResult<()> {
    let destination = path.display().to_string();
    let written = Call::new().work(py, Stop::WhenItHasEnded, move |cancellation| async move {
        atomic::write_file(&path, None, |output| {
            for part in data.chunks(PART_BYTES) {
                cancellation.check()?;
                output.write_all(part)?;
            }
            Ok(cancellation.check()?)
        })
    })?;
    written.map_err(|error| errors::of_emit(py, &EmitError { destination, source: error.into() }))
}
