// SPDX-License-Identifier: MIT OR Apache-2.0
//! Entries of concepts: values with the conditions that a message must fulfil.
//!
//! Of the entries that fit, the one with the most conditions counts, and of those the last: ecCodes' rule
//! (`concept_evaluate` in its `accessor/Concept.cc`). The lists of two folders count as one, one behind the other.

use super::key::{Key, Keys};
use super::{CONCEPTS, line};

/// An entry that fits a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    /// Conditions, beside those that all entries of a line share.
    pub(super) conditions: usize,
    pub(super) value: &'static str,
}

/// The entries of a list that fit, in their order. `line_name` is the letter of the list, the kind, and the codes that
/// entries are looked up by; `variant` the letter of the version of the list.
pub(super) fn matches<'a>(
    line_name: &str,
    variant: char,
    keys: &'a Keys,
) -> impl Iterator<Item = Match> + use<'a> {
    let entries = line(CONCEPTS, line_name).unwrap_or_default();
    entries.split('\t').filter_map(move |entry| {
        let (conditions, value) = entry.split_once('=')?;
        let mut words = conditions.split(' ');
        if !words.next()?.contains(variant) {
            return None;
        }
        let mut count = 0_usize;
        for word in words {
            count = count.saturating_add(fulfilled(word, keys)?);
        }
        Some(Match { conditions: count, value })
    })
}

/// The value of the best entry of several lists, each behind the one before.
pub(super) fn best(line_names: &[String], variant: char, keys: &Keys) -> Option<&'static str> {
    let mut best: Option<Match> = None;
    for name in line_names {
        for found in matches(name, variant, keys) {
            if best.is_none_or(|best| found.conditions >= best.conditions) {
                best = Some(found);
            }
        }
    }
    best.map(|best| best.value)
}

/// For how many a condition counts that holds: one, or the length of a list of numbers.
fn fulfilled(word: &str, keys: &Keys) -> Option<usize> {
    let key = Key::from_letter(*word.as_bytes().first()?)?;
    let value = word.get(1..)?;
    if key == Key::TypeOfStatisticalProcessing && value.contains(',') {
        let mut wanted = value.split(',').map(|number| number.parse::<u8>().ok());
        let is_same = keys.processes.iter().all(|&process| wanted.next() == Some(Some(process)));
        return (is_same && wanted.next().is_none()).then_some(keys.processes.len());
    }
    let wanted = if value.is_empty() { super::key::MISSING } else { value.parse().ok()? };
    (keys.get(key)? == wanted).then_some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A temperature 2 m above the ground.
    fn temperature() -> Keys {
        let mut keys = Keys::new();
        for (key, value) in [
            (Key::TypeOfFirstFixedSurface, 103),
            (Key::ScaleFactorOfFirstFixedSurface, 0),
            (Key::ScaledValueOfFirstFixedSurface, 2),
        ] {
            keys.set(key, value);
        }
        keys
    }

    #[test]
    fn the_entry_with_the_most_conditions_counts() {
        let name = |list: &str| vec![format!("{list}p000000")];
        let value = best(&name("P"), 'd', &temperature()).unwrap();
        let all: Vec<_> = matches("Pp000000", 'd', &temperature()).collect();
        assert!(all.len() > 1 && all.iter().any(|found| found.conditions == 0), "{all:?}");
        assert_eq!(all.iter().max_by_key(|found| found.conditions).unwrap().value, value);
        assert_eq!(best(&name("P"), 'x', &temperature()), None);
        assert_eq!(best(&name("?"), 'd', &temperature()), None);
    }

    #[test]
    fn lists_of_processes_are_compared_as_a_whole() {
        let letter = |key: Key| {
            (0..=u8::MAX).find(|&letter| Key::from_letter(letter) == Some(key)).unwrap() as char
        };
        let word = format!("{}102,2", letter(Key::TypeOfStatisticalProcessing));
        let mut keys = Keys::new();
        keys.processes = vec![102, 2];
        assert_eq!(fulfilled(&word, &keys), Some(2));
        for other in [vec![102], vec![102, 3], vec![102, 2, 2]] {
            keys.processes = other;
            assert_eq!(fulfilled(&word, &keys), None);
        }
        let missing = letter(Key::Level).to_string();
        assert_eq!(fulfilled(&missing, &keys), None);
        keys.set(Key::Level, crate::table::eccodes::key::MISSING);
        assert_eq!(fulfilled(&missing, &keys), Some(1));
    }
}
