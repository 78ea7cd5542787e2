// SPDX-License-Identifier: MIT OR Apache-2.0
//! The options that the format adds, read once before a scan.

use std::error::Error;

use chunkref_core::{FormatOption, ScanError, ScanErrorKind, ScanOptions};

/// All of them, as the entry lists them.
pub(crate) const ALL: &[FormatOption] = &[LAYOUT, CODEC, INDEX, FILTER, SUBMESSAGES];

const LAYOUT: FormatOption = FormatOption {
    name: "grib.layout",
    values: &["tree", "flat", "messages"],
    help: "groups by short name, step type and level type; one group per hypercube; or one dataset per message, as kerchunk's scan_grib writes them (default: tree)",
};

const CODEC: FormatOption = FormatOption {
    name: "grib.codec",
    values: &["auto", "gribberish", "eccodes"],
    help: "who decodes messages: the zarr codec of gribberish, or kerchunk's over ecCodes; auto is eccodes, which every reader of Zarr 2 metadata runs (default: auto)",
};

const INDEX: FormatOption = FormatOption {
    name: "grib.index",
    values: &["URL"],
    help: "index sidecar with the offsets of messages: auto looks for NAME.idx and NAME.index beside the file, no for none, else its name (default: auto)",
};

const FILTER: FormatOption = FormatOption {
    name: "grib.filter",
    values: &["FILTER"],
    help: "only fields whose keys have these values: KEY=VALUE,... such as typeOfLevel=surface,shortName=2t|2d",
};

const SUBMESSAGES: FormatOption = FormatOption {
    name: "grib.submessages",
    values: &["inline", "skip"],
    help: "second and later fields of one message, which no byte range holds alone: as messages of their own in the references, or left out (default: inline)",
};

/// How fields become datasets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Groups by variable, step type and level type.
    Tree,
    /// One group per set of coordinates.
    Flat,
    /// One dataset per field.
    Messages,
}

/// Which codecs decode fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodecChoice {
    Auto,
    Gribberish,
    EcCodes,
}

/// Where the offsets of messages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IndexChoice {
    /// A sidecar when there is one.
    Auto,
    /// The file alone.
    None,
    /// This sidecar.
    Named(String),
}

/// A key that a field must have, and the values that it may have.
pub(crate) type Filter = (String, Vec<String>);

/// The options of one scan.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) layout: Layout,
    pub(crate) codec: CodecChoice,
    pub(crate) index: IndexChoice,
    pub(crate) filters: Vec<Filter>,
    /// Whether later fields of a message are stored in the references.
    pub(crate) inline_submessages: bool,
}

impl Options {
    pub(crate) fn new(location: &str, options: &ScanOptions) -> Result<Self, ScanError> {
        let value = |option: &FormatOption| options.format_options.get(option.name);
        let wrong = |option: &FormatOption, value: &str| {
            let known = option.values.join(", ");
            let reason =
                format!("{} does not take the value {value:?}; it takes {known}", option.name);
            refuse(location, reason)
        };
        let layout = match value(&LAYOUT).map(String::as_str) {
            None | Some("tree") => Layout::Tree,
            Some("flat") => Layout::Flat,
            Some("messages") => Layout::Messages,
            Some(other) => return Err(wrong(&LAYOUT, other)),
        };
        let codec = match value(&CODEC).map(String::as_str) {
            None | Some("auto") => CodecChoice::Auto,
            Some("gribberish") => CodecChoice::Gribberish,
            Some("eccodes") => CodecChoice::EcCodes,
            Some(other) => return Err(wrong(&CODEC, other)),
        };
        let index = match value(&INDEX).map(String::as_str) {
            None | Some("auto") => IndexChoice::Auto,
            Some("no") => IndexChoice::None,
            Some("") => return Err(wrong(&INDEX, "")),
            Some(name) => IndexChoice::Named(name.to_owned()),
        };
        let inline_submessages = match value(&SUBMESSAGES).map(String::as_str) {
            None | Some("inline") => true,
            Some("skip") => false,
            Some(other) => return Err(wrong(&SUBMESSAGES, other)),
        };
        let filters = match value(&FILTER) {
            None => Vec::new(),
            Some(text) => parse_filters(text).map_err(|reason| refuse(location, reason))?,
        };
        Ok(Self { layout, codec, index, filters, inline_submessages })
    }
}

fn parse_filters(text: &str) -> Result<Vec<Filter>, String> {
    text.split(',')
        .map(|part| match part.split_once('=') {
            Some((key, values)) if !key.is_empty() && !values.is_empty() => {
                Ok((key.to_owned(), values.split('|').map(str::to_owned).collect()))
            }
            _ => Err(format!("{} is written KEY=VALUE, not {part:?}", FILTER.name)),
        })
        .collect()
}

fn refuse(location: &str, reason: impl Into<Box<dyn Error + Send + Sync>>) -> ScanError {
    ScanError {
        kind: ScanErrorKind::InvalidOption,
        format: Some(crate::ENTRY.name),
        location: location.to_owned(),
        source: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(name: &str, value: &str) -> Result<Options, ScanError> {
        Options::new("memory://a", &ScanOptions::default().with_format_option(name, value))
    }

    #[test]
    fn values_are_read_and_checked() {
        assert_eq!(options("grib.layout", "flat").unwrap().layout, Layout::Flat);
        assert_eq!(options("grib.codec", "eccodes").unwrap().codec, CodecChoice::EcCodes);
        assert_eq!(options("grib.index", "no").unwrap().index, IndexChoice::None);
        assert!(!options("grib.submessages", "skip").unwrap().inline_submessages);
        assert_eq!(
            options("grib.filter", "shortName=2t|2d,level=2").unwrap().filters,
            [
                ("shortName".to_owned(), vec!["2t".to_owned(), "2d".to_owned()]),
                ("level".to_owned(), vec!["2".to_owned()])
            ]
        );
        for (name, value) in [
            ("grib.layout", "heap"),
            ("grib.codec", "fast"),
            ("grib.index", ""),
            ("grib.filter", "shortName"),
            ("grib.submessages", ""),
        ] {
            let error = options(name, value).unwrap_err();
            assert_eq!(error.kind, ScanErrorKind::InvalidOption, "{name}");
        }
    }
}
