// SPDX-License-Identifier: MIT OR Apache-2.0
//! What shaped the references of a scan, kept with them, so that a later run can tell whether it would write the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{EmitOptions, FormatOption, Recording, ScanOptions, record};

/// What stands before the record, where words of other commands may stand.
const WORD: &str = "scan";

/// All options that shape the references of an input. Equal records mean equal references of an equal input.
///
/// ```
/// use chunkref_core::{ScanOptions, ScanRecord};
///
/// let options = ScanOptions::default().with_format_option("toy.links", "skip");
/// let record = ScanRecord::new(&options);
/// let text = record.to_record();
/// assert_eq!(
///     text,
///     r#"scan {"version":1,"options":{"inline-threshold":500,"format-options":{"toy.links":"skip"}}}"#
/// );
/// assert_eq!(ScanRecord::of_record(&text), Some(record));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[non_exhaustive]
pub struct ScanRecord {
    /// [`ScanOptions::format`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// [`ScanOptions::inline_threshold`], in bytes.
    pub inline_threshold: u64,
    /// [`ScanOptions::format_options`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub format_options: BTreeMap<String, String>,
    /// Limits that are not the defaults, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, u64>,
    /// [`ScanOptions::allow_outside`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_outside: Vec<String>,
    /// The word of the output format, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Options of output formats that shape references and are not the defaults.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub output_options: BTreeMap<String, String>,
    /// What a later release says and this one does not know. It is written again as it is.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, Value>,
}

impl ScanRecord {
    /// The record of a scan with these options, before it is known how it is written.
    #[must_use]
    pub fn new(options: &ScanOptions) -> Self {
        let limits = options.limits.changed();
        Self {
            format: options.format.clone(),
            inline_threshold: options.inline_threshold,
            format_options: options.format_options.clone(),
            limits: limits.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            allow_outside: options.allow_outside.clone(),
            ..Self::default()
        }
    }

    /// The same for references that are written in this format, if one is named, with these options. `known` are the options of
    /// all output formats: what is not recorded of them, or is the default, makes no difference.
    #[must_use]
    pub fn with_output<'a>(
        mut self,
        named: Option<&str>,
        options: &EmitOptions,
        known: impl IntoIterator<Item = &'a FormatOption>,
    ) -> Self {
        self.output = named.map(str::to_owned);
        let given = known.into_iter().filter_map(|option| {
            let value = options.format_options.get(option.name)?;
            let counts = option.recording != Recording::Never && option.default != Some(value);
            counts.then(|| (option.name.to_owned(), value.clone()))
        });
        self.output_options = given.collect();
        self
    }

    /// The record as text that [`ScanRecord::of_record`] reads: a word and a JSON object.
    #[must_use]
    pub fn to_record(&self) -> String {
        // Text and numbers alone, which JSON can say.
        record::write(WORD, self)
    }

    /// The format and its options, where `options` do not say otherwise: what else is scanned for the same set is scanned in
    /// the same way.
    ///
    /// ```
    /// use chunkref_core::{ScanOptions, ScanRecord};
    ///
    /// let made = ScanOptions::default().with_format_option("toy.links", "skip");
    /// let again = ScanRecord::new(&made).complete(ScanOptions::default());
    /// assert_eq!(again.format_options, made.format_options);
    /// ```
    #[must_use]
    pub fn complete(&self, mut options: ScanOptions) -> ScanOptions {
        if options.format.is_none() {
            options.format.clone_from(&self.format);
        }
        for (name, value) in &self.format_options {
            options.format_options.entry(name.clone()).or_insert_with(|| value.clone());
        }
        options
    }

    /// The record that a text says; `None` when it is none, or one of another version.
    #[must_use]
    pub fn of_record(text: &str) -> Option<Self> {
        record::read(WORD, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CombineOptions, Limits, OptionType};

    fn options() -> ScanOptions {
        let mut limits = Limits::default();
        limits.set("objects", "7").unwrap();
        ScanOptions::default()
            .with_format("toy")
            .with_inline_threshold(1)
            .with_limits(limits)
            .with_allowed_outside("/a b")
            .with_format_option("toy.links", "a=1 to=x")
    }

    #[test]
    fn one_text_says_how_inputs_are_combined_and_scanned() {
        let cube = CombineOptions::default().with_concat_dimensions(["time"]);
        let scan = ScanRecord::new(&options());
        let text = format!("{}\n{}", cube.to_record(), scan.to_record());
        assert_eq!(CombineOptions::of_record(&text), Some(cube));
        assert_eq!(ScanRecord::of_record(&text), Some(scan.clone()));
        let given = ScanOptions::default().with_format_option("toy.links", "follow");
        let complete = scan.complete(given);
        assert_eq!(
            (complete.format.as_deref(), &*complete.format_options["toy.links"]),
            (Some("toy"), "follow")
        );
        // Nothing that a set says opens other folders.
        assert!(complete.allow_outside.is_empty());
    }

    #[test]
    fn every_option_is_kept_and_counts() {
        let record = ScanRecord::new(&options());
        assert_eq!(ScanRecord::of_record(&record.to_record()), Some(record.clone()));
        for other in [
            options().with_format("other"),
            options().with_inline_threshold(2),
            options().with_limits(Limits::default()),
            options().with_allowed_outside("/c"),
            options().with_format_option("toy.links", "a=1"),
        ] {
            assert_ne!(ScanRecord::new(&other), record);
        }
    }

    #[test]
    fn options_of_outputs_count_when_they_shape_references() {
        const LEVEL: FormatOption =
            FormatOption::new("rows.level", OptionType::Text("N"), "").with_default("3");
        const MESSAGE: FormatOption =
            FormatOption::new("rows.message", OptionType::Text("TEXT"), "")
                .with_recording(Recording::Never);
        let record = |named: Option<&str>, name: &str, value: &str| {
            let emit = EmitOptions::default().with_format_option(name, value);
            ScanRecord::new(&options()).with_output(named, &emit, [&LEVEL, &MESSAGE])
        };
        let plain = record(None, "rows.level", "3");
        assert_eq!(plain, ScanRecord::new(&options()));
        assert_eq!(record(None, "rows.message", "hello"), plain);
        assert_ne!(record(None, "rows.level", "4"), plain);
        assert_ne!(record(Some("rows"), "rows.level", "3"), plain);
    }

    #[test]
    fn what_is_not_known_is_kept_and_tells_records_apart() {
        let text = r#"scan {"version":1,"options":{"inline-threshold":500,"more":{"a":[1]}}}"#;
        let record = ScanRecord::of_record(text).unwrap();
        assert_eq!(record.to_record(), text);
        assert_ne!(record, ScanRecord::new(&ScanOptions::default()));
        for text in [
            "",
            "scan ",
            "scan {}",
            r#"scan {"version":2,"options":{"inline-threshold":500}}"#,
            r#"{"version":1,"options":{}}"#,
            "format=auto inline-threshold=500",
        ] {
            assert_eq!(ScanRecord::of_record(text), None, "{text}");
        }
    }
}
