// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was checked, and what is wrong.

use chunkref_core::Cancelled;
use chunkref_model::secret::redact_document;
use serde_json::{Value, json};

/// Most failures of one check that are listed; all are counted.
const MOST_LISTED: usize = 1000;

/// The outcome of verifying.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Arrays.
    pub arrays: u64,
    /// Objects that references name.
    pub sources: u64,
    /// Chunks that have a reference.
    pub references: u64,
    /// Those of them whose bytes are in the references.
    pub inline: u64,
    /// Chunks that have none, and read as fill.
    pub missing: u64,
    /// What was checked, in order.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether no check was ended early, and nothing that was checked is wrong. [`Check::unchecked`] has what could not be
    /// checked.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.ended().is_none() && self.checks.iter().all(|check| check.failed == 0)
    }

    /// Why a check was ended before it was done, if one was.
    #[must_use]
    pub fn ended(&self) -> Option<Cancelled> {
        self.checks.iter().find_map(|check| check.ended)
    }

    /// The report for machines, of the references at `location`, without secrets.
    #[must_use]
    pub fn document(&self, location: &str) -> Value {
        let checks: Vec<_> = self.checks.iter().map(Check::document).collect();
        let mut document = json!({
            "location": location,
            "sound": self.is_sound(),
            "arrays": self.arrays,
            "sources": self.sources,
            "references": self.references,
            "inline": self.inline,
            "missing": self.missing,
            "checks": checks,
        });
        redact_document(&mut document);
        document
    }
}

/// One kind of check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Short name.
    pub name: &'static str,
    /// What is counted, such as `chunks`.
    pub unit: &'static str,
    /// How many were checked.
    pub checked: u64,
    /// How many of them are wrong.
    pub failed: u64,
    /// How many more were to be checked and could not be, so far as they are counted; the notes say why.
    pub unchecked: u64,
    /// The first of those that are wrong.
    pub failures: Vec<Failure>,
    /// What could not be checked, and what is odd but not wrong.
    pub notes: Vec<String>,
    /// Why the check was ended before it was done, if it was: by a deadline, or from outside.
    pub ended: Option<Cancelled>,
}

impl Check {
    pub(super) fn new(name: &'static str, unit: &'static str) -> Self {
        let (failures, notes) = Default::default();
        Self { name, unit, checked: 0, failed: 0, unchecked: 0, failures, notes, ended: None }
    }

    fn document(&self) -> Value {
        let failures: Vec<_> = self.failures.iter().map(Failure::document).collect();
        json!({
            "check": self.name,
            "unit": self.unit,
            "checked": self.checked,
            "failed": self.failed,
            "unchecked": self.unchecked,
            "failures": failures,
            "notes": self.notes,
            "ended": self.ended.map(|cancelled| cancelled.to_string()),
        })
    }

    pub(super) fn count(&mut self, checked: u64) {
        self.checked = self.checked.saturating_add(checked);
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.failed = self.failed.saturating_add(1);
        if self.failures.len() < MOST_LISTED {
            self.failures.push(failure);
        }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// The array, if it is of one.
    pub array: Option<String>,
    /// The chunk's place in the grid of the array.
    pub chunk: Option<Vec<u64>>,
    /// The object.
    pub url: Option<String>,
    /// Offset and length in bytes in the object.
    pub range: Option<(u64, u64)>,
    /// What is wrong.
    pub reason: String,
    /// What has to be allowed, if the set may not name the object.
    pub allow: Option<String>,
}

impl Failure {
    fn document(&self) -> Value {
        json!({
            "array": self.array,
            "chunk": self.chunk,
            "url": self.url,
            "offset": self.range.map(|(offset, _)| offset),
            "length": self.range.map(|(_, length)| length),
            "reason": self.reason,
            "allow": self.allow,
        })
    }
}
