// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stands in the way, each thing once.

use std::fmt;

use chunkref_core::{Conflict, Resolution, Spelling};

/// What would become of the inputs, and what stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// What the inputs are called, in their order.
    pub inputs: Vec<String>,
    /// What would become of dimensions and variables, a line each.
    pub outline: Vec<String>,
    /// What is left out or taken from the first input, as the options ask, a line each.
    pub notes: Vec<String>,
    /// What stands in the way; when there is nothing, the inputs can be combined.
    pub conflicts: Vec<Conflict>,
    /// The places of inputs that are left out so that there is no conflict.
    pub left_out: Vec<usize>,
}

impl Report {
    /// The report of inputs that are one dataset already.
    pub(crate) fn of_one(dataset: &chunkref_model::Dataset) -> Self {
        let outline = dataset.arrays().into_iter().map(|(path, _)| format!("{path}: kept once"));
        Self {
            inputs: vec!["all inputs, merged".to_owned()],
            outline: outline.collect(),
            notes: Vec::new(),
            conflicts: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// The report in words, with a front-end's own options in its advice.
    #[must_use]
    pub fn in_words(&self, spelling: Spelling<'_>) -> String {
        let lines = self.outline.iter().chain(&self.notes).map(|line| format!("{line}\n"));
        let conflicts = if self.conflicts.is_empty() {
            "no conflicts: the inputs can be combined".to_owned()
        } else {
            Conflict::all_in_words(&self.conflicts, &self.inputs, spelling)
        };
        format!("{}{conflicts}\n", lines.collect::<String>())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.in_words(&Resolution::unspelled))
    }
}
