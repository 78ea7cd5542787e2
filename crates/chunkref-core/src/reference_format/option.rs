// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options that one output format adds: name, values, default, help, and the flag that a command line gives them.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::EmitOptions;

/// An option of one output format. Front-ends offer it without knowing the format.
///
/// ```
/// use chunkref_core::{EmitOptions, OutputOption};
/// const LEVEL: OutputOption =
///     OutputOption::count("toy.level", 0, 9, "How much is compressed.").with_default("3").with_flag("level");
/// let options = EmitOptions::default();
/// assert_eq!(LEVEL.count_in(&options)?, Some(3));
/// let options = options.with_format_option("toy.level", "7");
/// assert_eq!(LEVEL.count_in(&options)?, Some(7));
/// # Ok::<(), chunkref_core::OutputOptionError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutputOption {
    /// The format's word, a dot and the option's own name: `json.templates`.
    pub name: &'static str,
    /// What it takes.
    pub values: OutputValues,
    /// The value when nothing is given; `None` when the format decides.
    pub default: Option<&'static str>,
    /// One line of help.
    pub help: &'static str,
    /// The flag that a command line offers for it, without dashes. The flag of a switch sets what is not the default.
    pub flag: Option<&'static str>,
    /// How it is stated in the record of a scan.
    pub recording: Recording,
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputValues {
    /// `true` or `false`.
    Switch,
    /// A whole number.
    Count {
        /// The least one.
        least: u64,
        /// The largest one.
        most: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any text.
    Text,
}

/// How an option is stated in the text that records the options of a scan, by which a later run tells whether references
/// were written with the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recording {
    /// As `NAME=VALUE`, when it is given.
    Given,
    /// The same under another name; a switch as the name alone.
    GivenAs(&'static str),
    /// As `NAME=VALUE` under this name, of every output, whether it is given or not.
    Always(&'static str),
    /// Not at all, because it does not shape the references.
    Never,
}

/// An option has no such name or value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OutputOptionError {
    /// No option of that name.
    #[error(
        "no output format has an option {name:?}{}; the known options are {}",
        like.map(|like| format!(" (is it {like}?)")).unwrap_or_default(),
        if known.is_empty() { "none".to_owned() } else { known.join(", ") }
    )]
    Unknown {
        /// The name.
        name: String,
        /// The known name that is most like it.
        like: Option<&'static str>,
        /// The names that there are.
        known: Vec<&'static str>,
    },
    /// The option does not take that value.
    #[error("output option {name} does not take the value {value:?}; it takes {takes}")]
    Invalid {
        /// The option.
        name: &'static str,
        /// The value.
        value: String,
        /// What it takes, in words.
        takes: String,
    },
}

impl OutputOption {
    const fn new(name: &'static str, values: OutputValues, help: &'static str) -> Self {
        Self { name, values, default: None, help, flag: None, recording: Recording::Given }
    }

    /// One that is on or off; `default` without a value.
    #[must_use]
    pub const fn switch(name: &'static str, default: bool, help: &'static str) -> Self {
        let new = Self::new(name, OutputValues::Switch, help);
        new.with_default(if default { "true" } else { "false" })
    }

    /// One that takes a whole number from `least` to `most`.
    #[must_use]
    pub const fn count(name: &'static str, least: u64, most: u64, help: &'static str) -> Self {
        Self::new(name, OutputValues::Count { least, most }, help)
    }

    /// One that takes one of some words.
    #[must_use]
    pub const fn choice(
        name: &'static str,
        words: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self::new(name, OutputValues::Choice(words), help)
    }

    /// One that takes any text.
    #[must_use]
    pub const fn text(name: &'static str, help: &'static str) -> Self {
        Self::new(name, OutputValues::Text, help)
    }

    /// The same with a value that holds when none is given.
    #[must_use]
    pub const fn with_default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// The same with a flag of a command line, without dashes.
    #[must_use]
    pub const fn with_flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    /// The same, recorded in another way.
    #[must_use]
    pub const fn with_recording(mut self, recording: Recording) -> Self {
        self.recording = recording;
        self
    }

    /// The name without that of the format.
    #[must_use]
    pub fn own_name(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, own)| own)
    }

    /// Whether the flag of the option turns it off.
    #[must_use]
    pub fn flag_turns_off(&self) -> bool {
        self.values == OutputValues::Switch && self.default == Some("true")
    }

    /// What it takes, in words.
    #[must_use]
    pub fn takes(&self) -> String {
        match self.values {
            OutputValues::Switch => "true or false".to_owned(),
            OutputValues::Count { least, most: u64::MAX } => format!("a number from {least}"),
            OutputValues::Count { least, most } => format!("a number from {least} to {most}"),
            OutputValues::Choice(words) => words.join(", "),
            OutputValues::Text => "a text".to_owned(),
        }
    }

    /// Checks a value.
    ///
    /// # Errors
    /// [`OutputOptionError::Invalid`].
    pub fn check(&self, value: &str) -> Result<(), OutputOptionError> {
        let fits = match self.values {
            OutputValues::Switch => matches!(value, "true" | "false"),
            OutputValues::Count { least, most } => {
                let plain = value.starts_with(|first: char| first.is_ascii_digit());
                plain && value.parse::<u64>().is_ok_and(|count| (least..=most).contains(&count))
            }
            OutputValues::Choice(words) => words.contains(&value),
            OutputValues::Text => true,
        };
        if fits {
            return Ok(());
        }
        let (value, takes) = (value.to_owned(), self.takes());
        Err(OutputOptionError::Invalid { name: self.name, value, takes })
    }

    /// The value in `options`, or the default.
    ///
    /// # Errors
    /// [`OutputOptionError::Invalid`] when the option does not take what `options` have.
    pub fn value_in<'a>(
        &self,
        options: &'a EmitOptions,
    ) -> Result<Option<&'a str>, OutputOptionError> {
        let given = options.format_options.get(self.name).map(String::as_str);
        if let Some(value) = given {
            self.check(value)?;
        }
        Ok(given.or(self.default))
    }

    /// The value of a switch.
    ///
    /// # Errors
    /// As for [`OutputOption::value_in`].
    pub fn is_on_in(&self, options: &EmitOptions) -> Result<bool, OutputOptionError> {
        Ok(self.value_in(options)? == Some("true"))
    }

    /// The value as a number; `None` when there is neither a value nor a default.
    ///
    /// # Errors
    /// As for [`OutputOption::value_in`].
    pub fn count_in(&self, options: &EmitOptions) -> Result<Option<u64>, OutputOptionError> {
        Ok(self.value_in(options)?.and_then(|value| value.parse().ok()))
    }

    /// What the record of a scan states of the option, if anything.
    #[must_use]
    pub fn recorded(&self, given: &BTreeMap<String, String>) -> Option<String> {
        let value = given.get(self.name).map(String::as_str);
        match self.recording {
            Recording::Never => None,
            Recording::Given => Some(format!("{}={}", self.name, value?)),
            Recording::GivenAs(name) if self.values == OutputValues::Switch => {
                (value? != self.default.unwrap_or("false")).then(|| name.to_owned())
            }
            Recording::GivenAs(name) => Some(format!("{name}={}", value?)),
            Recording::Always(name) => {
                Some(format!("{name}={}", value.or(self.default).unwrap_or_default()))
            }
        }
    }
}

/// Checks that each option of `given` is a known one that takes the value.
pub(super) fn validate<'b>(
    known: &[&'static OutputOption],
    given: impl Iterator<Item = (&'b String, &'b String)>,
) -> Result<(), OutputOptionError> {
    for (name, value) in given {
        if let Some(option) = known.iter().find(|option| option.name == name) {
            option.check(value)?;
            continue;
        }
        let known: Vec<&'static str> = known.iter().map(|option| option.name).collect();
        let distance = |near: &str| strsim::osa_distance(name, near);
        let near = known.iter().copied().min_by_key(|near| distance(near));
        let near = near.filter(|near| distance(near).saturating_mul(3) <= name.len().max(3));
        // The name without that of its format.
        let own = || known.iter().copied().find(|known| known.ends_with(&format!(".{name}")));
        return Err(OutputOptionError::Unknown {
            name: name.clone(),
            like: near.or_else(own),
            known,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: OutputOption = OutputOption::switch("toy.index", true, "An index.");
    const LEVEL: OutputOption = OutputOption::count("toy.level", 1, 9, "A level.");
    const ORDER: OutputOption = OutputOption::choice("toy.order", &["c", "f"], "An order.");

    fn options(name: &str, value: &str) -> EmitOptions {
        EmitOptions::default().with_format_option(name, value)
    }

    #[test]
    fn values_are_checked_and_defaults_hold() {
        let none = EmitOptions::default();
        assert!(ON.is_on_in(&none).unwrap());
        assert!(!ON.is_on_in(&options("toy.index", "false")).unwrap());
        assert!(ON.is_on_in(&options("toy.index", "yes")).is_err());
        assert_eq!(LEVEL.count_in(&none), Ok(None));
        assert_eq!(LEVEL.count_in(&options("toy.level", "9")), Ok(Some(9)));
        for wrong in ["0", "10", "+3", "", "x", "-1"] {
            let error = LEVEL.count_in(&options("toy.level", wrong)).unwrap_err().to_string();
            assert!(error.contains("toy.level") && error.contains("from 1 to 9"), "{error}");
        }
        assert!(ORDER.check("f").is_ok() && ORDER.check("x").is_err());
    }

    #[test]
    fn a_wrong_name_is_told_with_what_it_may_be() {
        let known = [&ON, &LEVEL, &ORDER];
        let check = |name: &str| {
            let given = BTreeMap::from([(name.to_owned(), "1".to_owned())]);
            validate(&known, given.iter()).unwrap_err().to_string()
        };
        assert!(check("toy.levle").contains("is it toy.level?"), "{}", check("toy.levle"));
        assert!(check("level").contains("is it toy.level?"), "{}", check("level"));
        let far = check("somewhere.else");
        assert!(!far.contains("is it") && far.contains("toy.index, toy.level"), "{far}");
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
}
