// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors as exceptions: the classes are in the Python module `chunkref._errors`, one for each kind.

use std::error::Error;
use std::io;

use chunkref::core::Advice;
use chunkref::core::model::printable::printable_lines;
use chunkref::core::redact;
use chunkref::read::{ChunkPlace, ReadError};
use chunkref::{
    CombineError, CombineErrorKind, EmitError, ReferencesError, Resolution, ScanError,
    ScanErrorKind, SourceError, SourceErrorKind,
};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::advice::argument;

/// An exception of the family `family` ("scan", "combine", "references", "emit", "chunk") and of a kind of it.
fn exception(
    py: Python<'_>,
    family: &str,
    kind: &str,
    error: &(dyn Error + 'static),
    location: &str,
    format: Option<&str>,
) -> PyErr {
    raised(py, (family, kind, &in_words(error), location, format), error)
}

/// The exception of these words, with what it comes from.
fn raised(
    py: Python<'_>,
    (family, kind, message, location, format): (&str, &str, &str, &str, Option<&str>),
    error: &(dyn Error + 'static),
) -> PyErr {
    let location = redact(location);
    let number = causes(error).find_map(|fault| fault.downcast_ref::<io::Error>()?.raw_os_error());
    let made = py
        .import("chunkref._errors")
        .and_then(|module| module.getattr("of_kind"))
        .and_then(|make| make.call1((family, kind, message, &*location, format, number)));
    let raised = match made {
        Ok(value) => PyErr::from_value(value),
        Err(fault) => return fault,
    };
    // What a file object or a file system raised is the cause.
    if let Some(cause) = causes(error).find_map(|fault| fault.downcast_ref::<PyErr>()) {
        raised.set_cause(py, Some(cause.clone_ref(py)));
    }
    raised
}

/// An error and all that it comes from.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let found = next?;
        next = found.source();
        Some(found)
    })
}

/// An error and its causes in one line, as it is shown, with the arguments that its advice is for.
fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    for fault in causes(error).skip(1) {
        let text = match fault.downcast_ref::<Advice>() {
            Some(advice) => Resolution::all_in_words(advice.resolutions(), &argument),
            None => fault.to_string(),
        };
        if !words.ends_with(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
    }
    shown(&words)
}

/// Text as Python shows it: without secrets, and without what a terminal would obey, but for ends of lines.
pub(crate) fn shown(text: &str) -> String {
    printable_lines(&redact(text)).into_owned()
}

/// What reading a chunk, or something else of references, ended with.
pub(crate) fn of_chunk(py: Python<'_>, error: &ReadError, place: Option<&ChunkPlace>) -> PyErr {
    let (family, kind, location) = match error {
        ReadError::Source(error) => ("scan", source_kind(error.kind), error.location.as_str()),
        ReadError::Damaged { .. } => ("chunk", "malformed", ""),
        _ => ("references", "unreadable", ""),
    };
    let words = match error {
        // The frame around it says nothing.
        ReadError::Source(error) => in_words(error),
        _ => in_words(error),
    };
    let Some(place) = place else {
        return raised(py, (family, kind, &words, location, None), error);
    };
    let ChunkPlace { array, chunk_indices, offset, length, .. } = place;
    let bytes = match (*offset, *length) {
        (Some(offset), Some(length)) => {
            format!(", bytes {offset} to {}", offset.saturating_add(length))
        }
        _ => String::new(),
    };
    let message = shown(&format!("array {array:?}, chunk {chunk_indices:?}{bytes}: {words}"));
    let made = raised(py, (family, kind, &message, location, None), error);
    let chunk = PyTuple::new(py, chunk_indices);
    let location = place.location.as_deref().map(redact);
    let placed = chunk.and_then(|chunk| {
        made.value(py).call_method1("at", (array, chunk, location, *offset, *length))
    });
    placed.err().unwrap_or(made)
}

pub(crate) fn of_scan(py: Python<'_>, error: &ScanError) -> PyErr {
    exception(py, "scan", scan_kind(error.kind), error, &error.location, error.format)
}

pub(crate) fn of_source(py: Python<'_>, error: &SourceError) -> PyErr {
    exception(py, "scan", source_kind(error.kind), error, &error.location, None)
}

fn source_kind(kind: SourceErrorKind) -> &'static str {
    // The kinds of a scan have one for each of a source's but these two, which mean a location here.
    match kind {
        SourceErrorKind::InvalidLocation | SourceErrorKind::NotAnObject => "invalid_location",
        kind => scan_kind(kind.into()),
    }
}

pub(crate) fn of_combine(py: Python<'_>, error: &CombineError) -> PyErr {
    let kind = match error.kind {
        CombineErrorKind::NoInput => "no_input",
        CombineErrorKind::Mismatch => "mismatch",
        CombineErrorKind::Unsupported => "unsupported",
        _ => "invalid_option",
    };
    let words = shown(&error.in_words(&argument));
    raised(py, ("combine", kind, &words, "", None), error)
}

pub(crate) fn of_references(py: Python<'_>, error: &ReferencesError, location: &str) -> PyErr {
    match error {
        ReferencesError::Source(error) => of_source(py, error),
        _ => exception(py, "references", "malformed", error, location, None),
    }
}

pub(crate) fn of_emit(py: Python<'_>, error: &EmitError) -> PyErr {
    let changed = chunkref::core::atomic::is_changed(&*error.source);
    exception(
        py,
        "emit",
        if changed { "changed" } else { "failed" },
        error,
        &error.destination,
        None,
    )
}

/// A limit that something in memory goes past.
pub(crate) fn of_limit(py: Python<'_>, message: &str) -> PyErr {
    let error = io::Error::other(message.to_owned());
    exception(py, "scan", "limit_exceeded", &error, "", None)
}

/// Any other fault, of references at `location`.
pub(crate) fn of_fault(
    py: Python<'_>,
    family: &str,
    kind: &str,
    error: &(dyn Error + 'static),
    location: &str,
) -> PyErr {
    exception(py, family, kind, error, location, None)
}

fn scan_kind(kind: ScanErrorKind) -> &'static str {
    match kind {
        ScanErrorKind::NotFound => "not_found",
        ScanErrorKind::PermissionDenied => "permission_denied",
        ScanErrorKind::UnknownFormat => "unknown_format",
        ScanErrorKind::Ambiguous => "ambiguous",
        ScanErrorKind::Truncated => "truncated",
        ScanErrorKind::Malformed => "malformed",
        ScanErrorKind::Unsupported => "unsupported",
        ScanErrorKind::LimitExceeded => "limit_exceeded",
        ScanErrorKind::Changed => "changed",
        ScanErrorKind::InvalidOption => "invalid_option",
        ScanErrorKind::TimedOut => "timed_out",
        ScanErrorKind::Stopped => "stopped",
        _ => "io",
    }
}
