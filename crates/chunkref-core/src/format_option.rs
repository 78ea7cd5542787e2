// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options that one format adds. Name, type, default, help and flag stand in one place: values are checked here, and
//! front-ends make flags, keywords and tables of it without knowing the format.

use thiserror::Error;

use crate::limits::{LimitUnit, number};
use crate::{RegistryError, ScanOptions};

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionType {
    /// One of these words.
    Words(&'static [&'static str]),
    /// A number of bytes, as digits or with a unit such as `64MiB`.
    Bytes,
    /// A whole number.
    Count,
    /// `true` or `false`.
    Flag,
    /// Any text but none; help shows it as this word.
    Text(&'static str),
    /// `KEY=VALUE,KEY=VALUE`.
    Pairs,
}

impl OptionType {
    /// What stands for a value in help and tables.
    #[must_use]
    pub fn placeholder(&self) -> String {
        match self {
            Self::Words(words) => words.join(" | "),
            Self::Bytes => "BYTES".to_owned(),
            Self::Count => "N".to_owned(),
            Self::Flag => "true | false".to_owned(),
            Self::Text(word) => (*word).to_owned(),
            Self::Pairs => "KEY=VALUE,…".to_owned(),
        }
    }
}

/// A flag of its own that sets an option to one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Switch {
    /// The flag, without hyphens in front.
    pub flag: &'static str,
    /// The value that it sets.
    pub value: &'static str,
    /// One line of help.
    pub help: &'static str,
}

/// An option that one format adds.
///
/// ```
/// use chunkref_core::{FormatOption, OptionType, ScanOptions};
///
/// const LINKS: FormatOption =
///     FormatOption::new("toy.links", OptionType::Words(&["follow", "skip"]), "what becomes of links")
///         .with_default("follow")
///         .with_flag("toy-links");
/// assert_eq!(LINKS.word(&ScanOptions::default())?, "follow");
/// let options = ScanOptions::default().with_format_option("toy.links", "folow");
/// let error = LINKS.word(&options).unwrap_err().to_string();
/// assert!(error.contains("did you mean \"follow\"?"), "{error}");
/// # Ok::<_, chunkref_core::OptionError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FormatOption {
    /// Name, such as `hdf5.links`: the format's name, a dot, the option's.
    pub name: &'static str,
    /// What it takes.
    pub takes: OptionType,
    /// What holds when it is not set, where that is a value.
    pub default: Option<&'static str>,
    /// One line of help.
    pub help: &'static str,
    /// The flag that it wants on a command line, without hyphens in front. Options of several formats may share one.
    pub flag: Option<&'static str>,
    /// One more flag, for one value.
    pub switch: Option<Switch>,
}

impl FormatOption {
    /// An option without default and flag.
    #[must_use]
    pub const fn new(name: &'static str, takes: OptionType, help: &'static str) -> Self {
        Self { name, takes, default: None, help, flag: None, switch: None }
    }

    /// The same option with what holds when it is not set.
    #[must_use]
    pub const fn with_default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// The same option with a flag on command lines.
    #[must_use]
    pub const fn with_flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    /// The same option with one more flag, which sets it to `value`.
    #[must_use]
    pub const fn with_switch(
        mut self,
        flag: &'static str,
        value: &'static str,
        help: &'static str,
    ) -> Self {
        self.switch = Some(Switch { flag, value, help });
        self
    }

    /// Whether the option takes a value.
    ///
    /// # Errors
    /// [`OptionError::InvalidValue`] with what it takes, and the word that was meant.
    pub fn check(&self, value: &str) -> Result<(), OptionError> {
        let (fine, words): (bool, &[&str]) = match self.takes {
            OptionType::Words(words) => (words.contains(&value), words),
            OptionType::Flag => (matches!(value, "true" | "false"), &["true", "false"]),
            OptionType::Bytes => (number(value, LimitUnit::Bytes).is_ok(), &[]),
            OptionType::Count => (number(value, LimitUnit::Count).is_ok(), &[]),
            OptionType::Text(_) => (!value.is_empty(), &[]),
            OptionType::Pairs => (value.split(',').all(|pair| split_pair(pair).is_some()), &[]),
        };
        if fine {
            return Ok(());
        }
        let expected = match self.takes {
            OptionType::Words(words) => words.join(", "),
            OptionType::Bytes => "a number of bytes, such as 4096 or 64MiB".to_owned(),
            OptionType::Count => "a whole number".to_owned(),
            OptionType::Flag => "true, false".to_owned(),
            OptionType::Text(_) => "some text".to_owned(),
            OptionType::Pairs => "KEY=VALUE, or several with commas between".to_owned(),
        };
        Err(OptionError::InvalidValue {
            name: self.name,
            value: value.chars().take(80).collect(),
            expected,
            similar: similar(value, words.iter().copied()),
        })
    }

    /// The value as it is set, or the default.
    #[must_use]
    pub fn text<'a>(&self, options: &'a ScanOptions) -> Option<&'a str> {
        options.format_options.get(self.name).map(String::as_str).or(self.default)
    }

    /// The word that is set, or the default; nothing when there is neither.
    ///
    /// # Errors
    /// [`OptionError::InvalidValue`] for any other value.
    pub fn word<'a>(&self, options: &'a ScanOptions) -> Result<&'a str, OptionError> {
        let value = self.text(options).unwrap_or_default();
        if options.format_options.contains_key(self.name) {
            self.check(value)?;
        }
        Ok(value)
    }

    /// The number that is set, or the default.
    ///
    /// # Errors
    /// [`OptionError::InvalidValue`] for what is none.
    pub fn number(&self, options: &ScanOptions) -> Result<Option<u64>, OptionError> {
        let Some(value) = self.text(options) else { return Ok(None) };
        self.check(value)?;
        let unit = match self.takes {
            OptionType::Bytes => LimitUnit::Bytes,
            _ => LimitUnit::Count,
        };
        Ok(number(value, unit).ok())
    }

    /// The keys and values that are set, in their order.
    ///
    /// # Errors
    /// [`OptionError::InvalidValue`] for other text.
    pub fn pairs<'a>(
        &self,
        options: &'a ScanOptions,
    ) -> Result<Vec<(&'a str, &'a str)>, OptionError> {
        let Some(value) = self.text(options) else { return Ok(Vec::new()) };
        self.check(value)?;
        Ok(value.split(',').filter_map(split_pair).collect())
    }
}

fn split_pair(pair: &str) -> Option<(&str, &str)> {
    pair.split_once('=').filter(|(key, value)| !key.is_empty() && !value.is_empty())
}

/// Why options do not fit the formats of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OptionError {
    /// No format of the name that was asked for, or entries that make no registry.
    #[error(transparent)]
    Format(#[from] RegistryError),
    /// No format has an option of that name.
    #[error(
        "no format has an option {name:?}{}; the known options are {}",
        meant(*similar),
        if known.is_empty() { "none".to_owned() } else { known.join(", ") }
    )]
    UnknownOption {
        /// The name.
        name: String,
        /// The name that it is most like.
        similar: Option<&'static str>,
        /// The names that there are.
        known: Vec<&'static str>,
    },
    /// An option does not take that value.
    #[error("option {name} does not take the value {value:?}{}; it takes {expected}", meant(*similar))]
    InvalidValue {
        /// The option.
        name: &'static str,
        /// The beginning of the value.
        value: String,
        /// What it takes, in words.
        expected: String,
        /// The value that it is most like.
        similar: Option<&'static str>,
    },
}

fn meant(similar: Option<&str>) -> String {
    similar.map(|word| format!(" (did you mean {word:?}?)")).unwrap_or_default()
}

/// The known word that is most like another.
pub(crate) fn similar(
    word: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    // Longer than any name, and the comparison takes the product of the lengths.
    if word.len() > 100 {
        return None;
    }
    let likeness =
        |known: &'static str| (strsim::normalized_damerau_levenshtein(word, known), known);
    let best = known.into_iter().map(likeness).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness >= 0.7).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: FormatOption = FormatOption::new("x.bytes", OptionType::Bytes, "");
    const PAIRS: FormatOption = FormatOption::new("x.pairs", OptionType::Pairs, "");

    fn options(value: &str) -> ScanOptions {
        ["x.bytes", "x.pairs"]
            .into_iter()
            .fold(ScanOptions::default(), |options, name| options.with_format_option(name, value))
    }

    #[test]
    fn values_are_read_by_their_type() {
        assert_eq!(BYTES.number(&options("2KiB")), Ok(Some(2048)));
        assert_eq!(BYTES.with_default("7").number(&ScanOptions::default()), Ok(Some(7)));
        assert_eq!(BYTES.number(&ScanOptions::default()), Ok(None));
        assert_eq!(PAIRS.pairs(&options("a=1|2,b==")), Ok(vec![("a", "1|2"), ("b", "=")]));
        for (takes, fine, wrong) in [
            (OptionType::Words(&["yes"]), "yes", "no"),
            (OptionType::Bytes, "1MB", "many"),
            (OptionType::Count, "12", "1MB"),
            (OptionType::Flag, "true", "yes"),
            (OptionType::Text("URL"), "x", ""),
            (OptionType::Pairs, "a=1,b=2", "a=1,b"),
        ] {
            let option = FormatOption::new("x.y", takes, "");
            assert_eq!(option.check(fine), Ok(()), "{takes:?}");
            let error = option.check(wrong).unwrap_err();
            assert!(error.to_string().starts_with("option x.y does not take"), "{error}");
        }
    }

    #[test]
    fn a_typing_error_is_told_from_another_word() {
        let known = ["follow", "skip"];
        assert_eq!(similar("folow", known), Some("follow"));
        assert_eq!(similar("maybe", known), None);
        assert_eq!(similar(&"x".repeat(1 << 20), known), None);
    }
}
