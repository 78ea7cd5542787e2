// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options that one format adds, of inputs or of outputs. Name, type, default, help and flag stand in one place: values are
//! checked here, and front-ends make flags, keywords and tables of it without knowing the format.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::limits::{LimitUnit, number};
use crate::{EmitOptions, RegistryError, ScanOptions};

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionType {
    /// One of these words.
    Words(&'static [&'static str]),
    /// A number of bytes, as digits or with a unit such as `64MiB`.
    Bytes,
    /// A whole number.
    Count {
        /// The least one.
        least: u64,
        /// The largest one.
        most: u64,
    },
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
            Self::Count { least: 0, most: u64::MAX } => "N".to_owned(),
            Self::Count { least, most: u64::MAX } => format!("N from {least}"),
            Self::Count { least, most } => format!("N from {least} to {most}"),
            Self::Flag => "true | false".to_owned(),
            Self::Text(word) => (*word).to_owned(),
            Self::Pairs => "KEY=VALUE,…".to_owned(),
        }
    }

    /// What is taken, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        match *self {
            Self::Words(words) => words.join(", "),
            Self::Bytes => "a number of bytes, such as 4096 or 64MiB".to_owned(),
            Self::Count { least: 0, most: u64::MAX } => "a whole number".to_owned(),
            Self::Count { least, most: u64::MAX } => format!("a whole number from {least}"),
            Self::Count { least, most } => format!("a whole number from {least} to {most}"),
            Self::Flag => "true or false".to_owned(),
            Self::Text(_) => "some text".to_owned(),
            Self::Pairs => "KEY=VALUE, or several with commas between".to_owned(),
        }
    }

    /// The number that a text says, of types that take one and when it is one that they take.
    fn number(self, value: &str) -> Option<u64> {
        match self {
            Self::Bytes => number(value, LimitUnit::Bytes).ok(),
            Self::Count { least, most } => {
                number(value, LimitUnit::Count).ok().filter(|count| (least..=most).contains(count))
            }
            _ => None,
        }
    }
}

/// Whether an option is part of the record of a scan ([`ScanRecord`](crate::ScanRecord)), by which a later run tells whether
/// references were written with the same ones; and how it is stated in the words that were recorded before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recording {
    /// As `NAME=VALUE`, when it is given.
    Given,
    /// The same under another name; a flag as the name alone.
    GivenAs(&'static str),
    /// As `NAME=VALUE` under this name, of every output, whether it is given or not.
    Always(&'static str),
    /// Not at all, because it does not shape the references.
    Never,
}

/// Values that were given to options of formats, by the options' names.
pub trait OptionValues {
    /// The value that was given to the option of that name.
    fn option_value(&self, name: &str) -> Option<&str>;
}

impl OptionValues for BTreeMap<String, String> {
    fn option_value(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }
}

impl OptionValues for ScanOptions {
    fn option_value(&self, name: &str) -> Option<&str> {
        self.format_options.option_value(name)
    }
}

impl OptionValues for EmitOptions {
    fn option_value(&self, name: &str) -> Option<&str> {
        self.format_options.option_value(name)
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

/// An option that one format adds: of inputs, whose values are in [`ScanOptions`], or of outputs, whose values are in
/// [`EmitOptions`].
///
/// ```
/// use chunkref_core::{EmitOptions, FormatOption, OptionType, ScanOptions};
///
/// const LINKS: FormatOption =
///     FormatOption::new("toy.links", OptionType::Words(&["follow", "skip"]), "what becomes of links")
///         .with_default("follow")
///         .with_flag("toy-links");
/// assert_eq!(LINKS.word(&ScanOptions::default())?, "follow");
/// let options = ScanOptions::default().with_format_option("toy.links", "folow");
/// let error = LINKS.word(&options).unwrap_err().to_string();
/// assert!(error.contains("did you mean \"follow\"?"), "{error}");
///
/// const LEVEL: FormatOption =
///     FormatOption::new("rows.level", OptionType::Count { least: 0, most: 9 }, "how much is compressed")
///         .with_default("3");
/// assert_eq!(LEVEL.number(&EmitOptions::default())?, Some(3));
/// assert_eq!(LEVEL.number(&EmitOptions::default().with_format_option("rows.level", "7"))?, Some(7));
/// # Ok::<_, chunkref_core::OptionError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FormatOption {
    /// Name, such as `hdf5.links`: the format's name (the word of an output format), a dot, the option's.
    pub name: &'static str,
    /// What it takes.
    pub takes: OptionType,
    /// What holds when it is not set, where that is a value.
    pub default: Option<&'static str>,
    /// One line of help.
    pub help: &'static str,
    /// The flag that it wants on a command line, without hyphens in front. The flag of what is `true` or `false` sets what
    /// is not the default. Options of several input formats may share one.
    pub flag: Option<&'static str>,
    /// One more flag, for one value.
    pub switch: Option<Switch>,
    /// How it is stated in the record of a scan.
    pub recording: Recording,
}

impl FormatOption {
    /// An option without default and flag, which is recorded when it is given.
    #[must_use]
    pub const fn new(name: &'static str, takes: OptionType, help: &'static str) -> Self {
        let recording = Recording::Given;
        Self { name, takes, default: None, help, flag: None, switch: None, recording }
    }

    /// The same option with what holds when it is not set.
    #[must_use]
    pub const fn with_default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// The same option with a flag on command lines. One that the command has itself, such as `to` or `json`, is an error of
    /// the command line, as is one that options of an input format and of an output format ask for, or two output formats.
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

    /// The same option, recorded in another way.
    #[must_use]
    pub const fn with_recording(mut self, recording: Recording) -> Self {
        self.recording = recording;
        self
    }

    /// All flags that it wants on a command line, without hyphens in front.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.flag.into_iter().chain(self.switch.map(|switch| switch.flag))
    }

    /// The value that the flag of the option sets, when it takes none: what is not the default of what is `true` or `false`.
    #[must_use]
    pub fn flag_value(&self) -> Option<&'static str> {
        let turned = if self.default == Some("true") { "false" } else { "true" };
        (self.takes == OptionType::Flag).then_some(turned)
    }

    /// Whether the option takes a value.
    ///
    /// # Errors
    /// [`OptionError::InvalidValue`] with what it takes, and the word that was meant.
    pub fn check(&self, value: &str) -> Result<(), OptionError> {
        let (fine, words): (bool, &[&str]) = match self.takes {
            OptionType::Words(words) => (words.contains(&value), words),
            OptionType::Flag => (matches!(value, "true" | "false"), &["true", "false"]),
            OptionType::Bytes | OptionType::Count { .. } => {
                (self.takes.number(value).is_some(), &[])
            }
            OptionType::Text(_) => (!value.is_empty(), &[]),
            OptionType::Pairs => (value.split(',').all(|pair| split_pair(pair).is_some()), &[]),
        };
        if fine {
            return Ok(());
        }
        Err(OptionError::InvalidValue {
            name: self.name,
            value: value.chars().take(80).collect(),
            expected: self.takes.in_words(),
            similar: similar(value, words.iter().copied()),
        })
    }

    /// The value as it is set, or the default.
    #[must_use]
    pub fn text<'a>(&self, options: &'a impl OptionValues) -> Option<&'a str> {
        options.option_value(self.name).or(self.default)
    }

    /// The value that is set, checked, or the default.
    fn checked<'a>(&self, options: &'a impl OptionValues) -> Result<Option<&'a str>, OptionError> {
        options.option_value(self.name).map_or(Ok(()), |value| self.check(value))?;
        Ok(self.text(options))
    }

    /// The word or text that is set, or the default; nothing when there is neither.
    ///
    /// # Errors
    /// [`OptionError::InvalidValue`] for any other value.
    pub fn word<'a>(&self, options: &'a impl OptionValues) -> Result<&'a str, OptionError> {
        Ok(self.checked(options)?.unwrap_or_default())
    }

    /// Whether what is `true` or `false` is `true`.
    ///
    /// # Errors
    /// [`OptionError::InvalidValue`] for any other value.
    pub fn is_on(&self, options: &impl OptionValues) -> Result<bool, OptionError> {
        Ok(self.checked(options)? == Some("true"))
    }

    /// The number that is set, or the default.
    ///
    /// # Errors
    /// [`OptionError::InvalidValue`] for what is none, or none that the option takes.
    pub fn number(&self, options: &impl OptionValues) -> Result<Option<u64>, OptionError> {
        Ok(self.checked(options)?.and_then(|value| self.takes.number(value)))
    }

    /// The keys and values that are set, in their order.
    ///
    /// # Errors
    /// [`OptionError::InvalidValue`] for other text.
    pub fn pairs<'a>(
        &self,
        options: &'a impl OptionValues,
    ) -> Result<Vec<(&'a str, &'a str)>, OptionError> {
        let value = self.checked(options)?;
        Ok(value.into_iter().flat_map(|value| value.split(',')).filter_map(split_pair).collect())
    }

    /// What the record of a scan states of the option, if anything.
    #[must_use]
    pub fn recorded(&self, given: &impl OptionValues) -> Option<String> {
        let value = given.option_value(self.name);
        match self.recording {
            Recording::Never => None,
            Recording::Given => Some(format!("{}={}", self.name, value?)),
            Recording::GivenAs(name) if self.takes == OptionType::Flag => {
                (value? != self.default.unwrap_or("false")).then(|| name.to_owned())
            }
            Recording::GivenAs(name) => Some(format!("{name}={}", value?)),
            Recording::Always(name) => {
                Some(format!("{name}={}", value.or(self.default).unwrap_or_default()))
            }
        }
    }
}

/// Checks that each option that is given is a known one and takes its value. `find` gives the option of a name.
pub(crate) fn check_all<'a>(
    given: impl IntoIterator<Item = (&'a String, &'a String)>,
    find: impl Fn(&str) -> Option<&'static FormatOption>,
    known: impl Fn() -> Vec<&'static str>,
) -> Result<(), OptionError> {
    for (name, value) in given {
        let Some(option) = find(name) else {
            let known = known();
            // The name without that of its format.
            let own = || known.iter().copied().find(|known| is_own_name(known, name));
            // The beginning of a name.
            let longer = || known.iter().copied().find(|known| known.starts_with(name.as_str()));
            let similar = similar(name, known.iter().copied()).or_else(own).or_else(longer);
            // Of a format that there is, its options are enough.
            let of_format = name.split_once('.').map(|(format, _)| format!("{format}."));
            let of_format = |known: &&str| {
                of_format.as_ref().is_some_and(|format| known.starts_with(format.as_str()))
            };
            let some: Vec<_> = known.iter().copied().filter(of_format).collect();
            let known = if some.is_empty() { known } else { some };
            return Err(OptionError::UnknownOption { name: name.clone(), similar, known });
        };
        option.check(value)?;
    }
    Ok(())
}

fn is_own_name(name: &str, own: &str) -> bool {
    name.split_once('.').is_some_and(|(_, rest)| rest == own)
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
            (OptionType::Count { least: 0, most: u64::MAX }, "12", "1MB"),
            (OptionType::Count { least: 1, most: 9 }, "9", "10"),
            (OptionType::Count { least: 1, most: 9 }, "1", "0"),
            (OptionType::Count { least: 1, most: 9 }, "3", "+3"),
            (OptionType::Count { least: 1, most: 9 }, "3", ""),
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

    const ON: FormatOption =
        FormatOption::new("toy.index", OptionType::Flag, "").with_default("true").with_flag("on");

    #[test]
    fn outputs_read_values_in_the_same_way() {
        let options = |value: &str| EmitOptions::default().with_format_option("toy.index", value);
        assert_eq!(ON.is_on(&EmitOptions::default()), Ok(true));
        assert_eq!(ON.is_on(&options("false")), Ok(false));
        assert!(ON.is_on(&options("yes")).is_err());
        assert_eq!(ON.flag_value(), Some("false"));
        assert_eq!(FormatOption { default: None, ..ON }.flag_value(), Some("true"));
        assert_eq!(BYTES.flag_value(), None);
    }

    #[test]
    fn a_wrong_name_is_told_with_what_it_may_be() {
        let known = [&ON, &BYTES];
        let check = |name: &str| {
            let given = BTreeMap::from([(name.to_owned(), "true".to_owned())]);
            let find = |name: &str| known.into_iter().find(|option| option.name == name);
            let names = || known.iter().map(|option| option.name).collect();
            check_all(&given, find, names).map_err(|error| error.to_string())
        };
        assert_eq!(check("toy.index"), Ok(()));
        for near in ["toy.idnex", "index"] {
            let error = check(near).unwrap_err();
            assert!(error.contains("did you mean \"toy.index\"?"), "{error}");
        }
        let far = check("somewhere.else").unwrap_err();
        assert!(!far.contains("did you mean") && far.contains("toy.index, x.bytes"), "{far}");
        let short = check("toy.i").unwrap_err();
        assert!(
            short.contains("did you mean \"toy.index\"?") && !short.contains("x.bytes"),
            "{short}"
        );
    }

    #[test]
    fn a_record_states_what_shapes_references() {
        let given = |value: &str| BTreeMap::from([("toy.index".to_owned(), value.to_owned())]);
        let none = BTreeMap::new();
        let recorded = |recording, given: &BTreeMap<String, String>| {
            ON.with_recording(recording).recorded(given)
        };
        assert_eq!(recorded(Recording::Never, &given("false")), None);
        assert_eq!(recorded(Recording::Given, &none), None);
        assert_eq!(recorded(Recording::Given, &given("false")).unwrap(), "toy.index=false");
        assert_eq!(recorded(Recording::Always("index"), &none).unwrap(), "index=true");
        assert_eq!(recorded(Recording::GivenAs("index"), &given("true")), None);
        assert_eq!(recorded(Recording::GivenAs("index"), &given("false")).unwrap(), "index");
    }

    #[test]
    fn a_typing_error_is_told_from_another_word() {
        let known = ["follow", "skip"];
        assert_eq!(similar("folow", known), Some("follow"));
        assert_eq!(similar("maybe", known), None);
        assert_eq!(similar(&"x".repeat(1 << 20), known), None);
    }
}
