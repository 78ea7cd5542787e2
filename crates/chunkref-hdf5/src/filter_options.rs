// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options on filters: what becomes of those that no Zarr codec undoes, and codecs that the user names.

use chunkref_core::{FormatOption, OptionError, OptionType, ScanOptions};
use thiserror::Error;

use crate::lower::CodecTable;

/// What becomes of arrays that no Zarr codec decodes.
pub(crate) const UNSUPPORTED: FormatOption = FormatOption::new(
    "hdf5.unsupported-filters",
    OptionType::Words(&["inline", "skip", "error"]),
    "arrays whose filters no Zarr codec undoes: decode them and store their data in the references (up to hdf5.inline-budget), skip them, or fail",
)
.with_default("inline")
.with_flag("unsupported-filters");

/// How much of an array is decoded.
pub(crate) const BUDGET: FormatOption = FormatOption::new(
    "hdf5.inline-budget",
    OptionType::Bytes,
    "decoded bytes of one array that hdf5.unsupported-filters=inline stores at the most",
)
.with_default("32MiB");

/// Codecs for filters.
pub(crate) const CODEC: FormatOption = FormatOption::new(
    "hdf5.codec",
    OptionType::Text("TABLE"),
    "numcodecs configurations for filters: ID=JSON;ID=JSON or a JSON object, with \"$0\" \"$1\" for the filter's client data",
);

const DEFAULT_BUDGET: u64 = 32 << 20;

/// What becomes of arrays that no Zarr codec decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Unsupported {
    /// Their data is decoded and stored inline.
    #[default]
    Inline,
    /// They are skipped.
    Skip,
    /// The whole scan fails.
    Error,
}

/// The options on filters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FilterOptions {
    pub(crate) unsupported: Unsupported,
    /// Decoded bytes of one array at the most.
    pub(crate) inline_budget: u64,
    pub(crate) codecs: CodecTable,
}

impl Default for FilterOptions {
    fn default() -> Self {
        let unsupported = Unsupported::default();
        Self { unsupported, inline_budget: DEFAULT_BUDGET, codecs: CodecTable::default() }
    }
}

/// Why an option has no meaning.
#[derive(Debug, Error)]
pub(crate) enum FilterOptionError {
    #[error(transparent)]
    Option(#[from] OptionError),
    #[error("hdf5.codec wants ID=JSON;ID=JSON or a JSON object: {reason}")]
    Codec { reason: String },
}

impl FilterOptions {
    /// Reads the options.
    pub(crate) fn new(options: &ScanOptions) -> Result<Self, FilterOptionError> {
        let unsupported = match UNSUPPORTED.word(options)? {
            "skip" => Unsupported::Skip,
            "error" => Unsupported::Error,
            _ => Unsupported::Inline,
        };
        let inline_budget = BUDGET.number(options)?.unwrap_or(DEFAULT_BUDGET);
        let table = CODEC.text(options).map(CodecTable::parse).transpose();
        let codecs = table.map_err(|reason| FilterOptionError::Codec { reason })?;
        Ok(Self { unsupported, inline_budget, codecs: codecs.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(name: &str, value: &str) -> Result<FilterOptions, FilterOptionError> {
        FilterOptions::new(&ScanOptions::default().with_format_option(name, value))
    }

    #[test]
    fn every_option_is_read() {
        let default = FilterOptions::new(&ScanOptions::default()).unwrap();
        assert_eq!(default, FilterOptions::default());
        for (value, meaning) in [
            ("inline", Unsupported::Inline),
            ("skip", Unsupported::Skip),
            ("error", Unsupported::Error),
        ] {
            assert_eq!(options(UNSUPPORTED.name, value).unwrap().unsupported, meaning);
        }
        assert_eq!(options(BUDGET.name, "77").unwrap().inline_budget, 77);
        let table = CodecTable::parse(r#"511={"id":"mine"}"#).unwrap();
        assert_eq!(options(CODEC.name, r#"511={"id":"mine"}"#).unwrap().codecs, table);
    }

    #[test]
    fn what_has_no_meaning_is_an_invalid_option() {
        for (option, value) in [(UNSUPPORTED, "drop"), (BUDGET, "one MiB"), (CODEC, "511")] {
            let error = options(option.name, value).unwrap_err();
            assert!(error.to_string().contains(option.name), "{error}");
        }
    }
}
