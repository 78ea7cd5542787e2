// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stands in the way of combining, each thing once.

use std::fmt::Write as _;

use crate::{Resolution, resolution::Spelling};

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
    /// Two inputs have the same coordinates.
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
    /// Their positions among the inputs.
    pub inputs: Vec<usize>,
}

/// One thing that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// What kind of thing.
    pub kind: ConflictKind,
    /// The variable, or the dimension.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// Who says what.
    pub sides: Vec<Side>,
    /// What resolves it; each of them does.
    pub resolutions: Vec<Resolution>,
}

/// Names of one side that are shown; every name of a small side is.
const SHOWN: usize = 10;

impl Conflict {
    /// A conflict about a variable or dimension.
    #[must_use]
    pub fn new(kind: ConflictKind, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            place: place.into(),
            message: message.into(),
            sides: Vec::new(),
            resolutions: Vec::new(),
        }
    }

    /// The same conflict with who says what.
    #[must_use]
    pub fn with_sides(mut self, sides: impl IntoIterator<Item = Side>) -> Self {
        self.sides = sides.into_iter().collect();
        self
    }

    /// The same conflict with what resolves it.
    #[must_use]
    pub fn with_resolutions(mut self, resolutions: impl IntoIterator<Item = Resolution>) -> Self {
        self.resolutions = resolutions.into_iter().collect();
        self
    }

    /// Conflicts in words. `inputs` are what the inputs are called, in their order.
    #[must_use]
    pub fn all_in_words(conflicts: &[Self], inputs: &[String], spelling: Spelling<'_>) -> String {
        let mut words = match conflicts.len() {
            1 => "1 conflict".to_owned(),
            count => format!("{count} conflicts"),
        };
        for (number, conflict) in (1_usize..).zip(conflicts) {
            let Self { place, message, .. } = conflict;
            let _ = write!(words, "\n{number}. {place}: {message}");
            for side in &conflict.sides {
                let _ = write!(words, "\n     {}: {}", side.says, names(&side.inputs, inputs));
            }
            if !conflict.resolutions.is_empty() {
                let advice = Resolution::all_in_words(&conflict.resolutions, spelling);
                let _ = write!(words, "\n   to resolve it: {advice}");
            }
        }
        words
    }
}

fn names(places: &[usize], inputs: &[String]) -> String {
    let known = places.iter().take(SHOWN).filter_map(|&input| inputs.get(input));
    let names = known.map(String::as_str).collect::<Vec<_>>().join(", ");
    match places.len().saturating_sub(SHOWN) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}
