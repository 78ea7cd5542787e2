// SPDX-License-Identifier: MIT OR Apache-2.0
//! The native part of the Python package `chunkref`.
//!
//! | module | holds |
//! |---|---|
//! | `dataset` | what a reference set is in Python's memory; how it is read, written and pickled |
//! | `scan`, `combine` | the work |
//! | `store` | references as the keys and values of a Zarr store |
//! | `inline` | small chunks put into references |
//! | `origin` | where references were read, for what is written in their place |
//! | `output` | files that Python makes the bytes of |
//! | `verify` | whether references are right |
//! | `stores` | where bytes come from |
//! | `file_source` | file objects as sources |
//! | `wait` | waiting for work without the interpreter, until Ctrl-C |
//! | `errors` | errors as exceptions |
//!
//! What users see is Python, in `python/chunkref`; nothing here is a public name.

#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]

mod advice;
mod combine;
mod dataset;
mod errors;
mod file_source;
mod inline;
mod origin;
mod output;
mod scan;
mod store;
mod stores;
mod verify;
mod wait;

use pyo3::pymodule;

/// The native part of chunkref; the package `chunkref` is what to import.
#[pymodule]
mod _chunkref {
    use pyo3::exceptions::PyValueError;
    use pyo3::prelude::*;
    use pyo3::types::{PyBytes, PyDict};

    #[pymodule_export]
    use super::combine::{build, combine, combine_record};
    #[pymodule_export]
    use super::dataset::PyDataset;
    #[pymodule_export]
    use super::inline::inline_small;
    #[pymodule_export]
    use super::output::write_file;
    #[pymodule_export]
    use super::scan::{PyScans, scan, scan_file, scan_many};
    #[pymodule_export]
    use super::store::{PyReferenceStore, documents_v3};
    #[pymodule_export]
    use super::stores::PyStores;
    #[pymodule_export]
    use super::verify::verify;
    #[pymodule_export]
    use super::wait::PyStopper;

    /// Text without secrets, and without what a terminal would obey, but for ends of lines.
    #[pyfunction]
    fn shown(text: &str) -> String {
        crate::errors::shown(text)
    }

    /// Text without secrets.
    #[pyfunction]
    fn redacted(text: &str) -> String {
        chunkref::core::redact(text).into_owned()
    }

    /// Names of all options of formats, with what each takes, its default and its help.
    #[pyfunction]
    fn format_options() -> Vec<(&'static str, String, Option<&'static str>, &'static str)> {
        let registry = chunkref::registry();
        let entries = registry.iter().flat_map(chunkref::Registry::entries);
        let options = entries.flat_map(|entry| entry.options);
        options.map(|one| (one.name, one.takes.placeholder(), one.default, one.help)).collect()
    }

    /// Names and aliases of all formats.
    #[pyfunction]
    fn format_names() -> Vec<&'static str> {
        let registry = chunkref::registry();
        let entries = registry.iter().flat_map(chunkref::Registry::entries);
        entries.flat_map(|entry| entry.aliases.iter().chain([&entry.name])).copied().collect()
    }

    /// The values, or the latitudes or longitudes, of a message of GRIB: 64-bit floats in the order of the machine.
    #[pyfunction]
    fn decode_grib<'py>(
        py: Python<'py>,
        message: Vec<u8>,
        variable: &str,
        most_bytes: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let codec = chunkref::core::model::Codec::new("grib").with("var", variable);
        let values = py.detach(|| {
            let codecs = chunkref::core::Codecs::linked().map_err(|error| error.to_string())?;
            let entry = codecs.by_name("grib").ok_or("this build has no GRIB")?;
            let context = chunkref::core::DecodeContext::up_to(most_bytes);
            let bytes = entry.decode(&codec, &message.into(), &context);
            bytes.map_err(|error| error.to_string())
        });
        let values =
            values.map_err(|error: String| PyValueError::new_err(crate::errors::shown(&error)))?;
        Ok(PyBytes::new(py, &values))
    }

    /// All limits, in the order of the documentation, with their defaults.
    #[pyfunction]
    fn limits(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let limits = PyDict::new(py);
        for limit in chunkref::Limits::TABLE {
            limits.set_item(limit.name, limit.default)?;
        }
        Ok(limits)
    }

    /// Runs the command with these words, the first of which is its name, and gives its exit code.
    #[pyfunction]
    fn main(py: Python<'_>, words: Vec<std::ffi::OsString>) -> i32 {
        py.detach(|| {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            let mut err = std::io::stderr();
            let mut console = chunkref_cli::Console::of_process(&mut out, &mut err);
            chunkref_cli::run(words, &mut console) as i32
        })
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        chunkref::core::hide_secrets_of_panics();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
