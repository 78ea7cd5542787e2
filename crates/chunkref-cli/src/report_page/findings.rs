// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a reader of a cube should know before they use it.

use std::io::{self, Write};

use super::Subject;
use super::markup::Plain;
use super::sizes::Histogram;
use super::time_axis::TimeAxis;
use super::usage::Usage;
use crate::report::describe_skip;
use crate::table::grouped;

/// Names of a list.
const MOST_NAMES: usize = 100;

/// One thing to know.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Whether values may be wrong or missing.
    pub(super) is_warning: bool,
    pub(super) text: String,
    /// What it is about, one a line.
    pub(super) names: Vec<String>,
}

/// All of them, warnings first.
pub(super) fn findings(
    subject: &Subject,
    usages: &[Usage<'_>],
    times: &[TimeAxis],
    sizes: &Histogram,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |is_warning: bool, text: String, names: Vec<String>| {
        findings.push(Finding { is_warning, text, names });
    };
    if !subject.skipped.is_empty() {
        let text = format!(
            "{} left out of the file.",
            counted(subject.skipped.len() as u64, "part is", "parts are")
        );
        say(true, text, subject.skipped.iter().map(describe_skip).collect());
    }
    let recorded = subject.recorded.as_ref();
    let skipped = recorded.map_or(0, |recorded| recorded.provenance.skipped_count());
    if skipped > 0 {
        let text = format!(
            "{} left out when the references were written; scanning the sources again with \
             --stats names them.",
            counted(skipped, "part of the sources was", "parts of the sources were")
        );
        say(true, text, Vec::new());
    }
    let arrays = subject.dataset.arrays();
    let lost: Vec<String> = arrays
        .iter()
        .filter_map(|(path, array)| {
            let written = recorded?.contents(path)?.references;
            let found = array.manifest.present();
            (written != found).then(|| {
                format!("{path}: {} now, {} when written", grouped(found), grouped(written))
            })
        })
        .collect();
    if !lost.is_empty() {
        let text = format!(
            "{} another number of references than when they were written.",
            counted(lost.len() as u64, "array has", "arrays have")
        );
        say(true, text, lost);
    }
    let gaps: Vec<String> = arrays
        .iter()
        .filter_map(|(path, array)| {
            let all = array.manifest.count()?;
            let missing = all.checked_sub(array.manifest.present()).filter(|&count| count > 0)?;
            Some(format!("{path}: {} of {} chunks", grouped(missing), grouped(all)))
        })
        .collect();
    if !gaps.is_empty() {
        let text = format!(
            "{} missing chunks, which read as the fill value.",
            counted(gaps.len() as u64, "array has", "arrays have")
        );
        say(true, text, gaps);
    }
    for text in times.iter().filter_map(time_faults) {
        say(true, text, Vec::new());
    }
    if recorded.is_none() && subject.are_references {
        let text = "The references do not say how they came about, nor of which versions of their sources they were made.";
        say(false, text.to_owned(), Vec::new());
    }
    let unversioned: Vec<String> = usages
        .iter()
        .filter(|usage| usage.references > 0 && usage.length.is_none())
        .map(|usage| usage.url.to_owned())
        .collect();
    if !unversioned.is_empty() {
        let text = format!(
            "{} named without a version: a change goes unnoticed.",
            counted(unversioned.len() as u64, "object is", "objects are")
        );
        say(false, text, unversioned);
    }
    if sizes.unknown > 0 {
        let text = format!(
            "{} of unknown length, and not part of sums of bytes.",
            counted(sizes.unknown, "chunk is a whole object", "chunks are whole objects")
        );
        say(false, text, Vec::new());
    }
    findings.sort_by_key(|finding| !finding.is_warning);
    findings
}

/// What is wrong with an axis of time.
fn time_faults(axis: &TimeAxis) -> Option<String> {
    let steps = match &axis.steps {
        Ok(steps) => steps,
        Err(reason) => {
            return Some(format!("The time axis {} was not read: {reason}", axis.path));
        }
    };
    let kinds = [
        (steps.gaps.len(), ["gap", "gaps"]),
        (steps.not_ascending, ["step that does not ascend", "steps that do not ascend"]),
        (steps.undefined, ["undefined value", "undefined values"]),
    ];
    let faults: Vec<_> = kinds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|&(count, [one, many])| counted(count as u64, one, many))
        .collect();
    (!faults.is_empty()).then(|| format!("The time axis {} has {}.", axis.path, faults.join(", ")))
}

/// A number with its noun.
fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// The list.
pub(super) fn write(out: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    if findings.is_empty() {
        return writeln!(
            out,
            "<p>Nothing to say: no part left out, no chunk missing, no gap in time. Whether the references are right is \
             what <code>chunkref verify</code> finds out.</p>"
        );
    }
    writeln!(out, "<ul class=\"findings\">")?;
    for finding in findings {
        let (class, word) =
            if finding.is_warning { ("warning", "Warning") } else { ("note", "Note") };
        write!(out, "<li class=\"{class}\"><strong>{word}</strong>{}", Plain(&finding.text))?;
        if !finding.names.is_empty() {
            writeln!(out, "\n<details><summary>Which</summary><ul>")?;
            for name in finding.names.iter().take(MOST_NAMES) {
                writeln!(out, "<li><code>{}</code></li>", Plain(name))?;
            }
            if let Some(more) = finding.names.len().checked_sub(MOST_NAMES).filter(|&more| more > 0)
            {
                writeln!(out, "<li>and {} more</li>", grouped(more as u64))?;
            }
            write!(out, "</ul></details>")?;
        }
        writeln!(out, "</li>")?;
    }
    writeln!(out, "</ul>")
}
