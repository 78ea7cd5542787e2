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

/// Variables with the same conflict that are shown.
const SHOWN_PLACES: usize = 4;
/// Names of one side that are shown.
const SHOWN_NAMES: usize = 3;
/// Sides of one conflict that are shown.
const SHOWN_SIDES: usize = 5;
/// Conflicts that are shown; all in all it is a screen.
const SHOWN_CONFLICTS: usize = 8;

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

    /// Conflicts in words, on one screen: of many there are the first ones, and how many more, and what is the same of several
    /// variables is said once. `inputs` are what the inputs are called, in their order.
    #[must_use]
    pub fn all_in_words(conflicts: &[Self], inputs: &[String], spelling: Spelling<'_>) -> String {
        let shared = Self::shared(conflicts);
        let mut words = match shared.len() {
            1 => "1 conflict".to_owned(),
            count => format!("{count} conflicts"),
        };
        for (number, (conflict, places)) in (1_usize..=SHOWN_CONFLICTS).zip(&shared) {
            let _ = write!(words, "\n{number}. {}: {}", listed(places), conflict.message);
            for side in conflict.sides.iter().take(SHOWN_SIDES) {
                let _ = write!(words, "\n     {}: {}", side.says, names(&side.inputs, inputs));
            }
            if let Some(more) = more(conflict.sides.len(), SHOWN_SIDES) {
                let _ = write!(words, "\n     and {more} more like these");
            }
            if !conflict.resolutions.is_empty() {
                let advice = Resolution::all_in_words(&conflict.resolutions, spelling);
                let _ = write!(words, "\n   to resolve it: {advice}");
            }
        }
        if let Some(more) = more(shared.len(), SHOWN_CONFLICTS) {
            let mut places: Vec<&str> = Vec::new();
            for place in shared.iter().skip(SHOWN_CONFLICTS).flat_map(|(_, places)| places) {
                if !places.contains(place) {
                    places.push(place);
                }
            }
            let shown = places.iter().take(SHOWN_CONFLICTS).copied().collect::<Vec<_>>().join(", ");
            let dots = if places.len() > SHOWN_CONFLICTS { ", …" } else { "" };
            let _ = write!(words, "\nand {more} more conflicts: {shown}{dots}");
        }
        words
    }

    /// Conflicts that say the same, with all their places.
    fn shared(conflicts: &[Self]) -> Vec<(&Self, Vec<&str>)> {
        let mut shared: Vec<(&Self, Vec<&str>)> = Vec::new();
        for conflict in conflicts {
            let says_the_same = |(other, _): &&mut (&Self, Vec<&str>)| {
                (other.kind, &other.message) == (conflict.kind, &conflict.message)
                    && (&other.sides, &other.resolutions)
                        == (&conflict.sides, &conflict.resolutions)
            };
            match shared.iter_mut().find(says_the_same) {
                Some((_, places)) => places.push(&conflict.place),
                None => shared.push((conflict, vec![&conflict.place])),
            }
        }
        shared
    }
}

/// Places of one conflict, of which the first are shown.
fn listed(places: &[&str]) -> String {
    let shown = places.iter().take(SHOWN_PLACES).copied().collect::<Vec<_>>().join(", ");
    match more(places.len(), SHOWN_PLACES) {
        None => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

fn more(all: usize, shown: usize) -> Option<usize> {
    all.checked_sub(shown).filter(|&more| more > 0)
}

fn names(places: &[usize], inputs: &[String]) -> String {
    let known = places.iter().take(SHOWN_NAMES).filter_map(|&input| inputs.get(input));
    let names = known.map(String::as_str).collect::<Vec<_>>().join(", ");
    match more(places.len(), SHOWN_NAMES) {
        None => names,
        Some(more) => format!("{names} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_files_are_one_screen() {
        let inputs: Vec<String> = (0..1000).map(|number| format!("f{number}.nc")).collect();
        let conflicts: Vec<_> = (0..40)
            .map(|number| {
                let sides = (0..500).map(|pair| Side {
                    says: format!("at time {pair}"),
                    inputs: vec![2 * pair, 2 * pair + 1],
                });
                let message = format!("they differ by {number}");
                Conflict::new(ConflictKind::Duplicate, format!("v{number}"), message)
                    .with_sides(sides)
                    .with_resolutions([Resolution::Duplicates])
            })
            .collect();
        let words = Conflict::all_in_words(&conflicts, &inputs, &Resolution::unspelled);
        assert!(words.starts_with("40 conflicts\n"));
        assert!(words.contains("and 495 more like these"));
        assert!(words.ends_with("and 32 more conflicts: v8, v9, v10, v11, v12, v13, v14, v15, …"));
        assert!(words.lines().count() < 75, "{}", words.lines().count());
        let lacking = |name: &str| {
            let side = Side { says: "have it".to_owned(), inputs: vec![1] };
            Conflict::new(ConflictKind::MissingVariable, name, "not in all").with_sides([side])
        };
        let words = Conflict::all_in_words(
            &["a", "b", "c", "d", "e"].map(lacking),
            &inputs,
            &Resolution::unspelled,
        );
        assert_eq!(words, "1 conflict\n1. a, b, c, d and 1 more: not in all\n     have it: f1.nc");
        let side = Side { says: "one".to_owned(), inputs: (0..1000).collect() };
        let one = [Conflict::new(ConflictKind::Codecs, "v", "differ").with_sides([side])];
        let words = Conflict::all_in_words(&one, &inputs, &Resolution::unspelled);
        assert!(words.contains("one: f0.nc, f1.nc, f2.nc and 997 more"), "{words}");
    }
}
