// SPDX-License-Identifier: MIT OR Apache-2.0
//! The output formats that are linked in, and which of them something is of.

use std::path::Path;

use thiserror::Error;

use super::{Form, ReferenceFormat};
use crate::{EmitOptions, FormatOption, OptionError, format_option};

/// Why there is no registry of output formats, or no such format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReferenceFormatError {
    /// Two formats have something in common that must tell them apart.
    #[error(
        "the output formats {first} and {second} both have {what}: link one of the crates only"
    )]
    Collision {
        /// One.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// What they have in common.
        what: String,
    },
    /// The options of a format are not named as they must be.
    #[error("output format {format}: the option {option} does not begin with {word:?} and a dot")]
    OptionName {
        /// The format.
        format: &'static str,
        /// The option.
        option: &'static str,
        /// How it has to begin.
        word: &'static str,
    },
    /// No format of that name.
    #[error("there is no output format {name:?}; the formats are {}", known.join(", "))]
    UnknownName {
        /// The name asked for.
        name: String,
        /// The words of those that there are.
        known: Vec<&'static str>,
    },
    /// No format is for destinations that ask for none.
    #[error(
        "nothing says in which format references are written, and no format that is linked in is for such outputs"
    )]
    NoFallback,
}

/// A set of output formats, sorted by name.
#[derive(Debug, Clone)]
pub struct ReferenceFormats {
    entries: Vec<ReferenceFormat>,
}

impl ReferenceFormats {
    /// All formats that crates linked into this binary have submitted. A crate that nobody names is not linked.
    ///
    /// # Errors
    /// [`ReferenceFormatError::Collision`] and [`ReferenceFormatError::OptionName`].
    pub fn linked() -> Result<Self, ReferenceFormatError> {
        Self::from_entries(inventory::iter::<ReferenceFormat>.into_iter().copied())
    }

    /// A registry of just these formats.
    ///
    /// # Errors
    /// [`ReferenceFormatError::Collision`] when two of them share a name, a word, an ending, an option or a flag, or are for
    /// outputs that ask for no format; [`ReferenceFormatError::OptionName`].
    pub fn from_entries(
        entries: impl IntoIterator<Item = ReferenceFormat>,
    ) -> Result<Self, ReferenceFormatError> {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by_key(|entry| entry.name);
        for (number, second) in entries.iter().enumerate() {
            for option in second.options {
                if option.name.split_once('.').is_none_or(|(word, _)| word != second.word) {
                    let (format, word) = (second.name, second.word);
                    let option = option.name;
                    return Err(ReferenceFormatError::OptionName { format, option, word });
                }
            }
            for first in entries.iter().take(number) {
                if let Some(what) = shared(first, second) {
                    let (first, second) = (first.name, second.name);
                    return Err(ReferenceFormatError::Collision { first, second, what });
                }
            }
        }
        Ok(Self { entries })
    }

    /// The formats in the order of their names.
    #[must_use]
    pub fn entries(&self) -> &[ReferenceFormat] {
        &self.entries
    }

    /// The options of all formats.
    pub fn options(&self) -> impl Iterator<Item = &'static FormatOption> + Clone {
        self.entries.iter().flat_map(|entry| entry.options)
    }

    /// The format of that name or word.
    ///
    /// # Errors
    /// [`ReferenceFormatError::UnknownName`].
    pub fn by_name(&self, name: &str) -> Result<&ReferenceFormat, ReferenceFormatError> {
        let known = self.entries.iter().find(|entry| entry.name == name || entry.word == name);
        known.ok_or_else(|| ReferenceFormatError::UnknownName {
            name: name.to_owned(),
            known: self.entries.iter().map(|entry| entry.word).collect(),
        })
    }

    /// The format for outputs that ask for none.
    ///
    /// # Errors
    /// [`ReferenceFormatError::NoFallback`].
    pub fn fallback(&self) -> Result<&ReferenceFormat, ReferenceFormatError> {
        let fallback = self.entries.iter().find(|entry| entry.is_fallback);
        fallback.ok_or(ReferenceFormatError::NoFallback)
    }

    /// The format that a destination asks for: the one of folders that its name ends as, the one whose set is there, the one
    /// of files that its name ends as, or the fallback.
    ///
    /// # Errors
    /// [`ReferenceFormatError::NoFallback`].
    pub fn of_destination(
        &self,
        destination: &Path,
    ) -> Result<&ReferenceFormat, ReferenceFormatError> {
        let name = destination.file_name().unwrap_or_default().to_string_lossy();
        let named = self.of_name(&name);
        if let Some(format) = named.filter(|format| format.form == Form::Folder) {
            return Ok(format);
        }
        self.of_folder(destination).or(named).map_or_else(|| self.fallback(), Ok)
    }

    /// The format that a file or folder name ends as. The longest ending counts; of a name that is nothing but an ending it
    /// says nothing.
    #[must_use]
    pub fn of_name(&self, name: &str) -> Option<&ReferenceFormat> {
        let endings = self
            .entries
            .iter()
            .flat_map(|entry| entry.endings.iter().map(move |ending| (entry, *ending)));
        let fits = |(_, ending): &(&ReferenceFormat, &str)| {
            name.len() > ending.len() && name.ends_with(ending)
        };
        endings.filter(fits).max_by_key(|(_, ending)| ending.len()).map(|(entry, _)| entry)
    }

    /// What a folder of this machine holds. `None` when it is no set, or has the marks of several formats.
    #[must_use]
    pub fn of_folder(&self, folder: &Path) -> Option<&ReferenceFormat> {
        single(self.entries.iter().filter(|entry| entry.marks_folder(folder)))
    }

    /// What a file of that name is, so far as its first bytes say; of several formats that it may be of, the one that its
    /// name ends as. `None` when it is no set, or may be of several formats.
    #[must_use]
    pub fn of_head(&self, name: &str, head: &[u8]) -> Option<&ReferenceFormat> {
        let begins =
            |entry: &&ReferenceFormat| entry.begins.is_some_and(|begins| begins(name, head));
        let may_be: Vec<_> = self.entries.iter().filter(begins).collect();
        match may_be.as_slice() {
            [only] => Some(only),
            several => self.of_name(name).filter(|named| several.contains(named)),
        }
    }

    /// Checks the options of all formats. One of a format that an output turns out not to be of is allowed, so that one
    /// command line serves outputs of several formats.
    ///
    /// # Errors
    /// [`OptionError`] with the names or values that there are.
    pub fn validate(&self, options: &EmitOptions) -> Result<(), OptionError> {
        let find = |name: &str| self.options().find(|option| option.name == name);
        let known = || self.options().map(|option| option.name).collect();
        format_option::check_all(&options.format_options, find, known)
    }
}

/// The one of an iterator that has one.
fn single<'a>(
    mut entries: impl Iterator<Item = &'a ReferenceFormat>,
) -> Option<&'a ReferenceFormat> {
    let first = entries.next()?;
    entries.next().is_none().then_some(first)
}

/// What two formats have in common that they must not.
fn shared(first: &ReferenceFormat, second: &ReferenceFormat) -> Option<String> {
    for name in [first.name, first.word] {
        if name == second.name || name == second.word {
            return Some(format!("the name or word {name}"));
        }
    }
    if let Some(ending) = first.endings.iter().find(|ending| second.endings.contains(ending)) {
        return Some(format!("the ending {ending}"));
    }
    let flags = |format: &ReferenceFormat| format.options.iter().flat_map(FormatOption::flags);
    if let Some(flag) = flags(first).find(|flag| flags(second).any(|other| other == *flag)) {
        return Some(format!("an option with the flag {flag}"));
    }
    (first.is_fallback && second.is_fallback).then(|| "the role of the fallback".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::OptionType;

    const LEVEL: FormatOption =
        FormatOption::new("b.level", OptionType::Count { least: 1, most: 9 }, "A level.")
            .with_flag("level");

    const OTHER: &[FormatOption] =
        &[FormatOption::new("c.level", OptionType::Text("TEXT"), "").with_flag("level")];

    const fn entry(name: &'static str, word: &'static str, form: Form) -> ReferenceFormat {
        ReferenceFormat::absent(name, word, "a toy", form, "there is none")
    }

    const A: ReferenceFormat = entry("a-file", "a", Form::File)
        .with_endings(&[".a", ".a.gz"])
        .with_begins(|_, head| head.starts_with(b"AAAA"))
        .with_fallback();
    const B: ReferenceFormat = entry("b-folder", "b", Form::Folder)
        .with_endings(&[".b"])
        .with_marks(&[&["one"], &["two", "three/"]])
        .with_options(&[LEVEL]);

    #[test]
    fn what_must_tell_formats_apart_does() {
        for (other, what) in [
            (entry("b-folder", "c", Form::File), "the name or word b-folder"),
            (entry("c", "b", Form::File), "the name or word b"),
            (entry("b", "c", Form::File), "the name or word b"),
            (entry("c", "c", Form::File).with_endings(&[".b"]), "the ending .b"),
            (entry("c", "c", Form::File).with_fallback(), "the role of the fallback"),
            (entry("c", "c", Form::File).with_options(OTHER), "the flag level"),
        ] {
            let error = ReferenceFormats::from_entries([A, B, other]).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
        let wrong = entry("c", "c", Form::File).with_options(&[LEVEL]);
        let error = ReferenceFormats::from_entries([wrong]).unwrap_err();
        assert!(matches!(error, ReferenceFormatError::OptionName { option: "b.level", .. }));
    }

    #[test]
    fn a_destination_says_its_format() {
        let formats = ReferenceFormats::from_entries([B, A]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str| formats.of_destination(&folder.path().join(name)).unwrap().word;
        for (name, word) in
            [("x", "a"), ("x.b", "b"), ("x.b/", "b"), ("x.b.a.gz", "a"), (".b", "a"), ("b", "a")]
        {
            assert_eq!(of(name), word, "{name}");
        }
        let set = folder.path().join("x.a");
        fs::create_dir_all(set.join("three")).unwrap();
        assert_eq!(of("x.a"), "a");
        fs::write(set.join("two"), "").unwrap();
        assert_eq!(of("x.a"), "b");
        assert_eq!(formats.of_folder(&set).unwrap().word, "b");
        assert!(formats.of_folder(folder.path()).is_none());
        assert_eq!(formats.of_head("x", b"AAAA...").unwrap().word, "a");
        assert!(formats.of_head("x", b"BBBB").is_none());
        // Of several whose files begin so, the name tells.
        let like = entry("c", "c", Form::File)
            .with_endings(&[".c"])
            .with_begins(|_, head| head.starts_with(b"AA"));
        let several = ReferenceFormats::from_entries([A, B, like]).unwrap();
        let of = |name: &str| several.of_head(name, b"AAAA").map(|format| format.word);
        assert_eq!((of("x.c"), of("x.a"), of("x"), of("x.b")), (Some("c"), Some("a"), None, None));
        let none = ReferenceFormats::from_entries([B]).unwrap();
        assert_eq!(none.of_destination(Path::new("x")), Err(ReferenceFormatError::NoFallback));
    }

    #[test]
    fn names_and_options_are_checked() {
        let formats = ReferenceFormats::from_entries([A, B]).unwrap();
        assert_eq!(formats.by_name("b").unwrap(), formats.by_name("b-folder").unwrap());
        let error = formats.by_name("x").unwrap_err().to_string();
        assert!(error.contains("\"x\"") && error.contains("a, b"), "{error}");
        let options =
            |name: &str, value: &str| EmitOptions::default().with_format_option(name, value);
        assert!(formats.validate(&options("b.level", "3")).is_ok());
        assert!(formats.validate(&options("b.level", "0")).is_err());
        assert!(formats.validate(&options("c.level", "3")).is_err());
        // One format looks at its own.
        assert!(A.validate(&options("b.level", "0")).is_ok());
        assert!(A.validate(&options("a.level", "1")).is_err());
        assert!(A.validate(&options("level", "1")).is_err());
    }
}
