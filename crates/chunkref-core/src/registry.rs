// SPDX-License-Identifier: MIT OR Apache-2.0
//! The formats that are linked in.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::stranger::{is_web_page, stranger};
use crate::{
    ByteSource, FormatOption, OptionError, ScanError, ScanErrorKind, ScanOptions, ScannerEntry,
    Signature, format_option,
};

/// Bytes of an unknown file that its error shows.
const SHOWN_HEAD_BYTES: usize = 16;
/// Bytes of an unknown file that say what it is.
const TELLING_HEAD_BYTES: usize = 272;

/// Why a file has no scanner, or entries no registry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two entries of one name, among their own names and aliases.
    #[error(
        "two formats are registered under the name {name:?}: link only one of the crates that submit it"
    )]
    Duplicate {
        /// The name.
        name: &'static str,
    },
    /// Options of two formats that want one flag and take different things.
    #[error("the options {first} and {second} want the flag {flag} and take different things")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// One option.
        first: &'static str,
        /// The other one.
        second: &'static str,
    },
    /// No format's files begin like this.
    #[error(
        "unknown format: {}; the registered formats are {}",
        describe_head(head),
        names_or_none(known)
    )]
    UnknownFormat {
        /// The first bytes of the file, as far as they say what it is.
        head: Vec<u8>,
        /// The registered names.
        known: Vec<&'static str>,
    },
    /// More than one format claims the file.
    #[error("the file has the signatures of several formats ({}): name the one to use", matches.join(", "))]
    Ambiguous {
        /// The names that match.
        matches: Vec<&'static str>,
    },
    /// No format of that name.
    #[error(
        "no format is registered under the name {name:?}; the registered formats are {}",
        names_or_none(known)
    )]
    UnknownName {
        /// The name asked for.
        name: String,
        /// The registered names.
        known: Vec<&'static str>,
    },
}

/// A set of formats, sorted by name.
#[derive(Debug, Clone)]
pub struct Registry {
    entries: Vec<ScannerEntry>,
}

impl Registry {
    /// All formats that crates linked into this binary have submitted. A crate that nobody names is not linked.
    ///
    /// # Errors
    /// [`RegistryError::Duplicate`] when two of them share a name.
    pub fn linked() -> Result<Self, RegistryError> {
        Self::from_entries(inventory::iter::<ScannerEntry>.into_iter().copied())
    }

    /// A registry of just these formats.
    ///
    /// # Errors
    /// [`RegistryError::Duplicate`] when two of them share a name, [`RegistryError::Flag`] when they want one flag for
    /// different things.
    pub fn from_entries(
        entries: impl IntoIterator<Item = ScannerEntry>,
    ) -> Result<Self, RegistryError> {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by_key(|entry| entry.name);
        let mut names = BTreeSet::new();
        let mut flags: BTreeMap<&str, &FormatOption> = BTreeMap::new();
        for entry in &entries {
            for &name in std::iter::once(&entry.name).chain(entry.aliases) {
                if !names.insert(name) {
                    return Err(RegistryError::Duplicate { name });
                }
            }
            for option in entry.options {
                let Some(flag) = option.flag else { continue };
                let first = flags.entry(flag).or_insert(option);
                if first.takes != option.takes {
                    let (first, second) = (first.name, option.name);
                    return Err(RegistryError::Flag { flag, first, second });
                }
            }
        }
        Ok(Self { entries })
    }

    /// The formats in the order of their names.
    #[must_use]
    pub fn entries(&self) -> &[ScannerEntry] {
        &self.entries
    }

    /// The format of that name, or with that alias.
    ///
    /// # Errors
    /// [`RegistryError::UnknownName`] when there is none.
    pub fn by_name(&self, name: &str) -> Result<&ScannerEntry, RegistryError> {
        self.entries.iter().find(|entry| entry.is_called(name)).ok_or_else(|| {
            RegistryError::UnknownName { name: name.to_owned(), known: self.names() }
        })
    }

    /// Checks the format's name and the format options before anything is read. An option of a format that a file turns
    /// out not to be in is allowed, so that one set of options serves files of several formats.
    ///
    /// # Errors
    /// [`OptionError`] with the names or values that there are, and the one that was meant.
    pub fn check(&self, options: &ScanOptions) -> Result<(), OptionError> {
        let entries = match &options.format {
            Some(name) => std::slice::from_ref(self.by_name(name)?),
            None => self.entries(),
        };
        let find = |name: &str| entries.iter().find_map(|entry| entry.option(name));
        let known = || entries.iter().flat_map(|entry| entry.options).map(|one| one.name).collect();
        format_option::check_all(&options.format_options, find, known)
    }

    /// The format of a file that begins with `head` (at least [`Registry::reach`] bytes, or the whole file). A signature
    /// at the file's first byte says what the file is; one that is searched for may be text of another format, so it
    /// only counts when no format has its signature there.
    ///
    /// # Errors
    /// [`RegistryError::UnknownFormat`] when there is none, [`RegistryError::Ambiguous`] when there are several whose
    /// claims are equal.
    pub fn detect(&self, head: &[u8]) -> Result<&ScannerEntry, RegistryError> {
        let having = |has: fn(&Signature, &[u8]) -> bool| -> Vec<&ScannerEntry> {
            let claims = |entry: &&ScannerEntry| {
                entry.signatures.iter().any(|signature| has(signature, head))
            };
            self.entries.iter().filter(claims).collect()
        };
        let mut matches = having(Signature::matches_start);
        // A page about data has their words in it.
        if matches.is_empty() && !is_web_page(head) {
            matches = having(Signature::matches);
        }
        match matches.as_slice() {
            [entry] => Ok(entry),
            [] => Err(RegistryError::UnknownFormat {
                head: head.iter().take(TELLING_HEAD_BYTES).copied().collect(),
                known: self.names(),
            }),
            several => Err(RegistryError::Ambiguous {
                matches: several.iter().map(|entry| entry.name).collect(),
            }),
        }
    }

    /// The name of a format whose files begin like this, at their first byte: [`Registry::detect`] without the search.
    #[must_use]
    pub fn data_format(&self, head: &[u8]) -> Option<&'static str> {
        let begins = |entry: &&ScannerEntry| {
            entry.signatures.iter().any(|signature| signature.matches_start(head))
        };
        self.entries.iter().find(begins).map(|entry| entry.name)
    }

    /// The format of a source, from one bounded read of its head.
    ///
    /// # Errors
    /// [`ScanError`] when the head cannot be read or names no single format.
    pub async fn detect_source(&self, source: &dyn ByteSource) -> Result<&ScannerEntry, ScanError> {
        let head = 0..source.version().length.min(self.reach().max(TELLING_HEAD_BYTES as u64));
        let bytes =
            source.read_many(&[head]).await.map_err(|error| ScanError::from_source(error, None))?;
        self.detect(bytes.first().map_or(&[][..], |bytes| bytes)).map_err(|error| {
            let kind = match error {
                RegistryError::Ambiguous { .. } => ScanErrorKind::Ambiguous,
                _ => ScanErrorKind::UnknownFormat,
            };
            ScanError::new(kind, source.location(), error)
        })
    }

    /// Bytes of a file's head that decide its format.
    #[must_use]
    pub fn reach(&self) -> u64 {
        self.entries
            .iter()
            .flat_map(|entry| entry.signatures)
            .map(Signature::reach)
            .max()
            .unwrap_or(0)
    }

    fn names(&self) -> Vec<&'static str> {
        self.entries.iter().map(|entry| entry.name).collect()
    }
}

fn names_or_none(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn describe_head(head: &[u8]) -> String {
    let what = stranger(head);
    if head.is_empty() {
        return what.unwrap_or_default().to_owned();
    }
    let head = head.get(..SHOWN_HEAD_BYTES).unwrap_or(head);
    let hex: Vec<_> = head.iter().map(|byte| format!("{byte:02x}")).collect();
    let text: String = head
        .iter()
        .map(|&byte| if (0x20..0x7f).contains(&byte) { char::from(byte) } else { '.' })
        .collect();
    let what = what.map(|what| format!("{what}; ")).unwrap_or_default();
    format!("{what}the file begins with {} ({text:?})", hex.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OptionType, Scan, Scanner};

    struct Nothing;

    #[async_trait::async_trait]
    impl Scanner for Nothing {
        fn entry(&self) -> &'static ScannerEntry {
            &A
        }

        async fn scan(&self, _: &dyn ByteSource, _: &ScanOptions) -> Result<Scan, ScanError> {
            Ok(Scan::new(chunkref_model::Dataset::new()))
        }
    }

    const fn entry(name: &'static str, signatures: &'static [Signature]) -> ScannerEntry {
        ScannerEntry::new(name, || Box::new(Nothing)).with_signatures(signatures)
    }

    static A: ScannerEntry = entry("a", &[Signature::at_start(b"AAAA")]);
    static B: ScannerEntry = entry("b", &[Signature::at(b"BBBB", &[0, 512])]);

    #[test]
    fn entries_are_sorted_and_unique() {
        let registry = Registry::from_entries([B, A]).unwrap();
        assert_eq!(registry.names(), ["a", "b"]);
        assert_eq!(registry.reach(), 516);
        assert_eq!(
            Registry::from_entries([A, B, A]).unwrap_err(),
            RegistryError::Duplicate { name: "a" }
        );
    }

    #[test]
    fn aliases_are_names_and_collisions_are_refused() {
        const ORDER: FormatOption =
            FormatOption::new("a.order", OptionType::Words(&["up", "down"]), "").with_flag("order");
        let a = A.with_aliases(&["a2"]).with_options(&[ORDER]);
        let registry = Registry::from_entries([a, B]).unwrap();
        assert_eq!(registry.by_name("a2").unwrap().name, "a");
        let duplicate = Err(RegistryError::Duplicate { name: "a2" });
        assert_eq!(Registry::from_entries([a, B.with_name("a2")]).map(drop), duplicate);
        assert_eq!(Registry::from_entries([a, B.with_aliases(&["a2"])]).map(drop), duplicate);
        let check = |format: Option<&str>, name: &str, value: &str| {
            let mut options = ScanOptions::default().with_format_option(name, value);
            options.format = format.map(str::to_owned);
            registry.check(&options).map_err(|error| error.to_string())
        };
        for (format, name) in [(None, "a.order"), (None, "a2.order"), (Some("a2"), "a.order")] {
            assert_eq!(check(format, name, "up"), Ok(()), "{name}");
        }
        assert!(check(None, "a.ordr", "up").unwrap_err().contains("did you mean \"a.order\"?"));
        assert!(check(Some("b"), "a.order", "up").unwrap_err().contains("no format has"));
        assert!(check(None, "a2.order", "dwn").unwrap_err().contains("did you mean \"down\"?"));
        let other = FormatOption::new("b.order", OptionType::Bytes, "").with_flag("order");
        let other = B.with_options(Vec::leak(vec![other]));
        assert!(matches!(
            Registry::from_entries([a, other]),
            Err(RegistryError::Flag { flag: "order", .. })
        ));
        // A scan gets the option under its own name.
        let options = ScanOptions::default().with_format_option("a2.order", "down");
        let names: Vec<_> = a.own_names(&options).format_options.clone().into_iter().collect();
        assert_eq!(names, [("a.order".to_owned(), "down".to_owned())]);
    }

    #[test]
    fn one_match_none_and_several() {
        let registry = Registry::from_entries([A, B]).unwrap();
        assert_eq!(registry.detect(b"AAAA....").unwrap().name, "a");
        let error = registry.detect(b"hello").unwrap_err().to_string();
        assert!(error.contains("68 65 6c 6c 6f (\"hello\")") && error.contains("a, b"), "{error}");
        assert!(registry.detect(b"").unwrap_err().to_string().contains("it is empty"));
        let page = registry.detect(b"<html>BBBB").unwrap_err().to_string();
        assert!(page.contains("web page") && page.contains("3c 68 74 6d"), "{page}");
        assert!(matches!(registry.by_name("c"), Err(RegistryError::UnknownName { .. })));
    }

    #[test]
    fn a_signature_at_the_start_beats_one_that_is_searched_for() {
        static SEARCHED: ScannerEntry = entry("c", &[Signature::at(b"CCCC", &[0, 1, 2, 3, 4, 5])]);
        let registry = Registry::from_entries([A, B, SEARCHED]).unwrap();
        let file = |parts: &[(usize, &[u8])]| {
            let mut file = vec![0; 516];
            for (offset, bytes) in parts {
                file.splice(offset..&(offset + bytes.len()), bytes.iter().copied());
            }
            registry.detect(&file).map(|entry| entry.name)
        };
        assert_eq!(file(&[(0, b"AAAA"), (512, b"BBBB")]), Ok("a"));
        assert_eq!(file(&[(0, b"BBBB"), (5, b"CCCC")]), Ok("b"));
        assert_eq!(file(&[(0, b"CCCC"), (512, b"BBBB")]), Ok("c"));
        assert_eq!(
            file(&[(5, b"CCCC"), (512, b"BBBB")]),
            Err(RegistryError::Ambiguous { matches: vec!["b", "c"] })
        );
    }
}
