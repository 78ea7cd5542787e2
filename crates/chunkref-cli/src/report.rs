// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors and warnings in words.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use chunkref::core::Advice;
use chunkref::core::atomic::AtomicError;
use chunkref::core::redact;
use chunkref::model::printable::printable;
use chunkref::{Resolution, ScanError, Skipped, SourceError};
use serde_json::json;

use crate::advice::flag;
use crate::console::{Console, Tone, paint};

/// Warnings of one file that are shown without `--stats`.
const SHOWN_SKIPS: usize = 10;

/// `text` without what a terminal would obey, or nobody should see.
pub(crate) fn shown(text: &str) -> String {
    printable(&redact(text)).into_owned()
}

/// An input that failed: one line for the fault, one for each of its causes.
pub(crate) fn failure(
    console: &mut Console<'_>,
    input: &str,
    location: &str,
    error: &(dyn Error + 'static),
) {
    let mut words = words(location, error).into_iter();
    let message = words.next().unwrap_or_default();
    let causes: Vec<_> = words.collect();
    let resolutions = Resolution::in_chain(error);
    let advice: Vec<_> = resolutions.iter().map(|one| shown(&one.in_words(&flag))).collect();
    if console.logs_json() {
        console.event(json!({
            "level": "error",
            "input": shown(input),
            "message": message,
            "causes": causes,
            "advice": advice,
        }));
        return;
    }
    let label = paint("error:", Tone::Error, console.err_colour());
    let mut text = format!("{label} {}: {message}\n", shown(input));
    for cause in causes {
        let _ = writeln!(text, "  caused by: {cause}");
    }
    if !advice.is_empty() {
        let _ = writeln!(text, "  to resolve it: {}", advice.join("; or "));
    }
    console.note(&text);
}

/// What an error and its causes say, but for their advice. The errors name the file by its URL, and whoever shows them by what the user wrote, so
/// the URL is left out; and so are causes that say nothing new: errors that only add advice begin with their cause's words.
fn words(location: &str, error: &(dyn Error + 'static)) -> Vec<String> {
    let prefix = format!("{}: ", redact(location));
    let say = |error: &(dyn Error + 'static)| {
        let message = error.to_string();
        shown(message.strip_prefix(&prefix).unwrap_or(&message))
    };
    let mut words = vec![say(error)];
    let mut cause = error.source();
    while let Some(error) = cause {
        cause = error.source();
        if error.is::<Advice>() {
            continue;
        }
        let message = say(error);
        if words.last().is_none_or(|last| !last.starts_with(&message)) {
            words.push(message);
        }
    }
    words
}

/// What is wrong with what was asked for, in one line, with what helps.
pub(crate) fn message(error: &SourceError) -> String {
    match Resolution::in_chain(error).as_slice() {
        [] => error.message.clone(),
        some => format!("{}: {}", error.message, Resolution::all_in_words(some, &flag)),
    }
}

/// Why an input failed, in one line: the fault itself, not that the file cannot be scanned because of it.
pub(crate) fn reason(location: &str, error: &(dyn Error + 'static)) -> String {
    let fault = match error.downcast_ref::<ScanError>() {
        Some(error) => error.source().unwrap_or(error),
        None => error,
    };
    words(location, fault).into_iter().next().unwrap_or_default()
}

/// All inputs that failed, with their reasons, at the end of many.
pub(crate) fn failures(console: &mut Console<'_>, failed: &[(String, String)], total: usize) {
    let message = format!("{} of {total} inputs failed", failed.len());
    if console.logs_json() {
        let inputs: Vec<_> = failed
            .iter()
            .map(|(input, reason)| json!({"input": shown(input), "reason": reason}))
            .collect();
        let event =
            json!({"level": "error", "event": "failures", "message": message, "inputs": inputs});
        console.event(event);
        return;
    }
    let label = paint("error:", Tone::Error, console.err_colour());
    let mut text = format!("{label} {message}:\n");
    let width =
        failed.iter().map(|(input, _)| shown(input).chars().count()).max().unwrap_or(0).min(500);
    for (input, reason) in failed {
        let _ = writeln!(text, "  {:<width$}  {reason}", shown(input));
    }
    console.note(&text);
}

/// Something other than an input that failed.
pub(crate) fn fault(console: &mut Console<'_>, what: &str, error: &(dyn Error + 'static)) {
    failure(console, what, what, error);
}

/// An output that is not written.
pub(crate) fn unwritten(console: &mut Console<'_>, output: &Path, error: &AtomicError) {
    let what = format!("{} cannot be written", output.display());
    match error {
        AtomicError::Io { source, .. } => fault(console, &what, source),
        AtomicError::Content(source) => fault(console, &what, &**source),
        error => fault(console, &what, error),
    }
}

/// A line that says that something is wrong.
pub(crate) fn error_line(console: &mut Console<'_>, message: &str) {
    if console.logs_json() {
        return console.event(json!({"level": "error", "message": shown(message)}));
    }
    let label = paint("error:", Tone::Error, console.err_colour());
    console.note(&format!("{label} {}\n", shown(message)));
}

/// A line that says what may not be meant.
pub(crate) fn warning(console: &mut Console<'_>, message: &str) {
    if console.logs_json() {
        return console.event(json!({"level": "warn", "message": shown(message)}));
    }
    let label = paint("warning:", Tone::Warning, console.err_colour());
    console.note(&format!("{label} {}\n", shown(message)));
}

/// A line that says what is good to know.
pub(crate) fn note(console: &mut Console<'_>, message: &str) {
    if console.logs_json() {
        return console.event(json!({"level": "info", "message": shown(message)}));
    }
    console.note(&format!("{}\n", shown(message)));
}

/// A command line that makes no sense.
pub(crate) fn usage(console: &mut Console<'_>, message: &str) {
    error_line(console, message);
    if console.logs_json() {
        return;
    }
    console.note("\nFor more information, try '--help'.\n");
}

/// One warning for each skipped thing, up to a number unless `all` are wanted; an error when it is `forbidden`.
pub(crate) fn skipped(
    console: &mut Console<'_>,
    input: &str,
    skipped: &[Skipped],
    all: bool,
    forbidden: bool,
) {
    if console.quiet() && !forbidden {
        return;
    }
    if console.logs_json() {
        for skip in skipped {
            console.event(json!({
                "level": if forbidden { "error" } else { "warning" },
                "input": shown(input),
                "skipped": skip.kind.to_string(),
                "path": shown(&skip.path),
                "offset": skip.offset,
                "reason": shown(&skip.reason_in_words(&flag)),
            }));
        }
        return;
    }
    let (label, tone) =
        if forbidden { ("error:", Tone::Error) } else { ("warning:", Tone::Warning) };
    let label = paint(label, tone, console.err_colour());
    let input = shown(input);
    let shown = if all { skipped.len() } else { SHOWN_SKIPS };
    let mut text = String::new();
    for skip in skipped.iter().take(shown) {
        let _ = writeln!(text, "{label} {input}: skipped {}", describe_skip(skip));
    }
    if let Some(more) = skipped.len().checked_sub(shown).filter(|&more| more > 0) {
        let _ = writeln!(
            text,
            "{label} {input}: skipped {more} more (--stats or chunkref inspect lists all)"
        );
    }
    console.note(&text);
}

/// Kind, path, place and reason of something that was skipped.
pub(crate) fn describe_skip(skip: &Skipped) -> String {
    let place = skip.offset.map(|offset| format!(" at byte {offset}")).unwrap_or_default();
    format!("{} {}{place}: {}", skip.kind, shown(&skip.path), shown(&skip.reason_in_words(&flag)))
}

#[cfg(test)]
mod tests {
    use chunkref::{ScanErrorKind, SkipKind, SourceErrorKind};

    use super::*;

    fn messages(write: impl FnOnce(&mut Console<'_>)) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        write(&mut Console::new(&mut out, &mut err));
        assert!(out.is_empty());
        String::from_utf8(err).unwrap()
    }

    #[test]
    fn a_failure_names_the_file_once_and_every_cause() {
        let url = "file:///data/a.nc";
        let cause = SourceError {
            kind: SourceErrorKind::Io,
            location: url.to_owned(),
            message: "the disk is gone".to_owned(),
            source: Some("I/O error 5".into()),
        };
        let error = ScanError::new(ScanErrorKind::Io, url, cause).with_format("hdf5");
        assert_eq!(
            messages(|console| failure(console, "a.nc", url, &error)),
            "error: a.nc: cannot be scanned as hdf5\n  caused by: the disk is gone\n  caused by: I/O error 5\n"
        );
    }

    #[test]
    fn a_cause_in_the_same_words_is_not_said_twice() {
        let cause = SourceError {
            kind: SourceErrorKind::Io,
            location: "a".to_owned(),
            message: "cut off: copy it again".to_owned(),
            source: Some("cut off".into()),
        };
        assert_eq!(
            messages(|console| failure(console, "a", "a", &cause)),
            "error: a: cut off: copy it again\n"
        );
    }

    #[test]
    fn advice_names_the_flags_of_this_command() {
        let location = "file:///x/a.nc".to_owned();
        let error = SourceError {
            kind: SourceErrorKind::NotAllowed,
            location: location.clone(),
            message: "not read".to_owned(),
            source: Some("outside".into()),
        };
        let allow = Resolution::Allow { object: location.clone(), allow: location.clone() };
        let error = error.with_resolution(Resolution::Deadline).with_resolution(allow);
        assert_eq!(
            messages(|console| failure(console, "a.nc", &location, &error)),
            "error: a.nc: not read\n  caused by: outside\n  to resolve it: allow file:///x/a.nc \
             (--allow file:///x/a.nc); or allow more time (--deadline SECONDS)\n"
        );
    }

    #[test]
    fn warnings_are_capped_with_a_count() {
        let skips: Vec<_> = (0..13)
            .map(|number| {
                let path = format!("g/v{number}\x07");
                Skipped::new(path, SkipKind::Array, "a filter that is not known")
                    .with_offset(number)
            })
            .collect();
        let text = messages(|console| skipped(console, "a.nc", &skips, false, false));
        assert_eq!(text.lines().count(), 11);
        let first = "warning: a.nc: skipped array g/v0\\u{7} at byte 0: a filter that is not known";
        assert_eq!(text.lines().next(), Some(first));
        assert!(text.lines().last().unwrap().contains("3 more"));
        assert_eq!(
            messages(|console| skipped(console, "a.nc", &skips, true, false)).lines().count(),
            13
        );
        assert_eq!(messages(|console| skipped(console, "a.nc", &[], false, true)), "");
    }
}
