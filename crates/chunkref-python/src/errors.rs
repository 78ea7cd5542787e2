// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors as exceptions: the classes are in the Python module `chunkref._errors`, one for each kind.

use std::error::Error;

use chunkref::{
    AccessDenied, CombineError, CombineErrorKind, EmitError, ReferencesError, ScanError,
    ScanErrorKind, SourceError, SourceErrorKind,
};
use pyo3::prelude::*;

/// An exception of the family `family` ("scan", "combine", "references", "emit") and of a kind of it.
fn exception(
    py: Python<'_>,
    family: &str,
    kind: &str,
    error: &(dyn Error + 'static),
    location: &str,
    format: Option<&str>,
) -> PyErr {
    let message = in_words(error);
    let location = chunkref::core::redact(location);
    let made = py
        .import("chunkref._errors")
        .and_then(|module| module.getattr("of_kind"))
        .and_then(|make| make.call1((family, kind, message, &*location, format)));
    let raised = match made {
        Ok(value) => PyErr::from_value(value),
        Err(fault) => return fault,
    };
    // What a file object or a file system raised is the cause.
    let mut cause = Some(error);
    while let Some(fault) = cause {
        if let Some(raised_there) = fault.downcast_ref::<PyErr>() {
            raised.set_cause(py, Some(raised_there.clone_ref(py)));
            break;
        }
        cause = fault.source();
    }
    raised
}

/// An error and its causes in one line; no secret of a URL is in it.
fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(fault) = cause {
        let text = match fault.downcast_ref::<AccessDenied>() {
            Some(AccessDenied { allow, .. }) => format!("allow=[\"{allow}\"] reads it"),
            None => fault.to_string(),
        };
        if !words.ends_with(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        cause = fault.source();
    }
    chunkref::core::redact(&words).into_owned()
}

pub(crate) fn of_scan(py: Python<'_>, error: &ScanError) -> PyErr {
    exception(py, "scan", scan_kind(error.kind), error, &error.location, error.format)
}

pub(crate) fn of_source(py: Python<'_>, error: &SourceError) -> PyErr {
    // The kinds of a scan have one for each of a source's but these two, which mean a location here.
    let kind = match error.kind {
        SourceErrorKind::InvalidLocation | SourceErrorKind::NotAnObject => "invalid_location",
        kind => scan_kind(kind.into()),
    };
    exception(py, "scan", kind, error, &error.location, None)
}

pub(crate) fn of_combine(py: Python<'_>, error: &CombineError) -> PyErr {
    let kind = match error.kind {
        CombineErrorKind::NoInput => "no_input",
        CombineErrorKind::Mismatch => "mismatch",
        CombineErrorKind::Unsupported => "unsupported",
        _ => "invalid_option",
    };
    exception(py, "combine", kind, error, "", None)
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
