// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stands in the way, each thing once.

use std::fmt::{self, Write as _};

/// What kind of thing stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ConflictKind {
    /// Element types differ.
    DataType,
    /// Codecs differ.
    Codecs,
    /// Chunk shapes differ.
    ChunkShape,
    /// Fill values differ.
    FillValue,
    /// Dimensions, or their order, differ.
    Dimensions,
    /// Lengths of axes other than the ones that are concatenated differ.
    Shape,
    /// An attribute that changes what values mean differs.
    Attribute,
    /// The coordinates of another dimension differ.
    Coordinates,
    /// Nothing gives the coordinates of the dimension.
    NoCoordinates,
    /// Two inputs are at one place.
    Duplicate,
    /// Coordinates are in no order.
    Unordered,
    /// Some inputs lack the variable.
    MissingVariable,
    /// No input has this combination of coordinates.
    MissingCombination,
    /// There would be gaps that have no fill value.
    NoFillValue,
    /// Inputs do not meet at the edges of chunks.
    PartialChunks,
}

/// The inputs that agree about something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// What they say.
    pub says: String,
    /// Their places among the inputs.
    pub inputs: Vec<usize>,
}

/// One thing that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What kind of thing.
    pub kind: ConflictKind,
    /// The variable, or the dimension.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// Who says what.
    pub sides: Vec<Side>,
    /// What resolves it.
    pub resolve: String,
}

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
}

/// Names of one side that are shown; every name of a small side is.
const SHOWN: usize = 10;

impl Report {
    /// The report of inputs that are one dataset already.
    pub(crate) fn of_one(dataset: &chunkref_model::Dataset) -> Self {
        let outline = dataset.arrays().into_iter().map(|(path, _)| format!("{path}: kept once"));
        Self {
            inputs: vec!["all inputs, merged".to_owned()],
            outline: outline.collect(),
            notes: Vec::new(),
            conflicts: Vec::new(),
        }
    }

    /// The conflicts in words.
    #[must_use]
    pub fn conflicts_in_words(&self) -> String {
        let mut words = match self.conflicts.len() {
            1 => "1 conflict".to_owned(),
            count => format!("{count} conflicts"),
        };
        for (number, conflict) in self.conflicts.iter().enumerate() {
            let Conflict { place, message, resolve, .. } = conflict;
            let _ = write!(words, "\n{}. {place}: {message}", number + 1);
            for side in &conflict.sides {
                let _ = write!(words, "\n     {}: {}", side.says, self.names(&side.inputs));
            }
            if !resolve.is_empty() {
                let _ = write!(words, "\n   to resolve it: {resolve}");
            }
        }
        words
    }

    fn names(&self, inputs: &[usize]) -> String {
        let names: Vec<_> = inputs
            .iter()
            .take(SHOWN)
            .filter_map(|&input| self.inputs.get(input))
            .map(String::as_str)
            .collect();
        match inputs.len().saturating_sub(SHOWN) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.outline.iter().chain(&self.notes) {
            writeln!(formatter, "{line}")?;
        }
        if self.conflicts.is_empty() {
            writeln!(formatter, "no conflicts: the inputs can be combined")
        } else {
            writeln!(formatter, "{}", self.conflicts_in_words())
        }
    }
}
