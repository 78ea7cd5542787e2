// SPDX-License-Identifier: MIT OR Apache-2.0
//! What ecCodes calls parameters, levels and centres, from tables of its definitions.
//!
//! `cargo xtask grib-tables` makes the files beside this module from the pinned ecCodes; a test of
//! `cargo xtask test` compares them with it. They hold facts only: which numbers have which name.

use std::collections::HashMap;
use std::sync::LazyLock;

mod concept;
pub(crate) mod key;
pub(crate) mod label;
pub(crate) mod layout;

/// Version, keys, lists of concepts, layouts of product templates, centres.
static INDEX: &str = include_str!("index.txt");

/// The entries of concepts, by list and first codes, in the order of their bytes.
static CONCEPTS: &str = include_str!("concepts.txt");

/// What parameters are called, by number.
static PARAMETERS: &str = include_str!("parameters.txt");

/// Names and units of the numbers that WMO gives, which concepts do not always have.
static CODES: &str = include_str!("codes.txt");

/// Name and units of a parameter of edition 2 in WMO's code tables.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, table 4.2.
pub(crate) fn code(
    discipline: u8,
    category: u8,
    number: u8,
) -> Option<(&'static str, &'static str)> {
    line(CODES, &format!("{discipline:02x}{category:02x}{number:02x}"))?.split_once('\t')
}

/// The rest of the line of `table` that begins with `prefix` and a tab; its lines are in the order of their bytes.
fn line(table: &'static str, prefix: &str) -> Option<&'static str> {
    let bytes = table.as_bytes();
    let (mut low, mut high) = (0, bytes.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        let start = bytes.get(..middle)?.iter().rposition(|&byte| byte == b'\n');
        let start = start.map_or(0, |newline| newline.saturating_add(1)).max(low);
        let length = bytes.get(start..)?.iter().position(|&byte| byte == b'\n')?;
        let end = start.saturating_add(length);
        let (name, rest) = table.get(start..end)?.split_once('\t')?;
        match name.as_bytes().cmp(prefix.as_bytes()) {
            std::cmp::Ordering::Equal => return Some(rest),
            std::cmp::Ordering::Less => low = end.saturating_add(1),
            std::cmp::Ordering::Greater => high = start,
        }
    }
    None
}

/// What the index says, by what it is looked up by.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Letters of lists by the folder of their definitions.
    lists: HashMap<&'static str, char>,
    /// Layouts of product templates.
    templates: HashMap<u16, &'static str>,
    /// Abbreviation and description of centres by edition and number.
    centres: HashMap<(u8, u16), (&'static str, &'static str)>,
}

/// The index, which is read once.
pub(crate) fn index() -> &'static Index {
    static READ: LazyLock<Index> = LazyLock::new(|| {
        let mut index = Index::default();
        for line in INDEX.lines() {
            let _ = index.take(line);
        }
        index
    });
    &READ
}

impl Index {
    fn take(&mut self, line: &'static str) -> Option<()> {
        let (word, rest) = line.split_once(' ')?;
        let (first, rest) = rest.split_once(' ')?;
        match word {
            "list" => drop(self.lists.insert(rest, first.chars().next()?)),
            "template" => drop(self.templates.insert(first.parse().ok()?, rest)),
            "centre" => {
                let (number, names) = rest.split_once(' ')?;
                let key = (first.parse().ok()?, number.parse().ok()?);
                self.centres.insert(key, names.split_once(' ')?);
            }
            _ => {}
        }
        Some(())
    }

    fn template(&self, number: u16) -> Option<&'static str> {
        self.templates.get(&number).copied()
    }

    fn list(&self, folder: &str) -> Option<char> {
        self.lists.get(folder).copied()
    }

    fn centre(&self, edition: u8, number: u16) -> Option<(&'static str, &'static str)> {
        self.centres.get(&(edition, number)).or_else(|| self.centres.get(&(2, number))).copied()
    }
}

/// Abbreviation and description of a centre in messages of an edition; its number where it is not known.
///
/// Spec: WMO common code tables C-1 and C-11, with ecCodes' abbreviations.
pub(crate) fn centre(edition: u8, centre: u16) -> (String, String) {
    let number = || (centre.to_string(), centre.to_string());
    let names = index().centre(edition, centre);
    names.map_or_else(number, |(short, long)| (short.to_owned(), long.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found() {
        for table in [CODES, CONCEPTS, PARAMETERS] {
            assert!(table.lines().is_sorted());
            for line in table.lines() {
                let (name, rest) = line.split_once('\t').unwrap();
                assert_eq!(super::line(table, name), Some(rest), "{name}");
            }
        }
        assert_eq!(line(CONCEPTS, "Pp0000"), None);
        assert_eq!(line(CONCEPTS, ""), None);
        assert_eq!(line(CONCEPTS, "~"), None);
    }

    #[test]
    fn codes_have_names() {
        assert_eq!(code(0, 2, 4), Some(("Stream function", "m2 s-1")));
        assert_eq!(code(0, 2, 192), None);
    }

    #[test]
    fn centres_have_names() {
        assert_eq!(centre(2, 98).0, "ecmf");
        assert_eq!(centre(1, 255).0, "consensus");
        assert_eq!(centre(2, 999), ("999".to_owned(), "999".to_owned()));
    }
}
