// SPDX-License-Identifier: MIT OR Apache-2.0
//! The options that the format adds, read once before a scan.

use chunkref_core::{
    FormatOption, OptionError, OptionType, Recording, ScanError, ScanErrorKind, ScanOptions,
};

/// All of them, as the entry lists them.
pub(crate) const ALL: &[FormatOption] =
    &[LAYOUT, CODEC, INDEX, TEMPLATE, CHECK, FILTER, SUBMESSAGES];

const LAYOUT: FormatOption = FormatOption::new(
    "grib.layout",
    OptionType::Words(&["tree", "flat", "messages"]),
    "groups by short name, step type and level type; one group per hypercube; or one dataset per message, as kerchunk's scan_grib writes them",
)
.with_default("tree")
.with_flag("grib-layout");

const CODEC: FormatOption = FormatOption::new(
    "grib.codec",
    OptionType::Words(&["auto", "gribberish", "eccodes"]),
    "who decodes messages: the zarr codec of gribberish, or kerchunk's over ecCodes; auto is eccodes, which every reader of Zarr 2 metadata runs",
)
.with_default("auto")
.with_flag("grib-codec");

const INDEX: FormatOption = FormatOption::new(
    "grib.index",
    OptionType::Text("URL"),
    "index sidecar with the offsets of messages: auto looks for NAME.idx and NAME.index beside the file, no for none, only to describe fields by it and the template alone, else its name",
)
.with_default("auto")
.with_flag("grib-index")
.with_recording(Recording::Never);

const TEMPLATE: FormatOption = FormatOption::new(
    "grib.template",
    OptionType::Text("URL"),
    "with grib.index=only: a file with an index sidecar of its own, whose fields those of other files are like but for date and step",
)
.with_flag("grib-template")
.with_recording(Recording::Never);

const CHECK: FormatOption = FormatOption::new(
    "grib.check",
    OptionType::Count { least: 0, most: u64::MAX },
    "with grib.index=only: headers of each file, of one parameter after the other, that are read and compared with what the index says",
)
.with_default("1")
.with_flag("grib-check")
.with_recording(Recording::Never);

const FILTER: FormatOption = FormatOption::new(
    "grib.filter",
    OptionType::Pairs,
    "only fields whose keys have these values, such as typeOfLevel=surface or shortName=2t|2d",
)
.with_flag("filter");

const SUBMESSAGES: FormatOption = FormatOption::new(
    "grib.submessages",
    OptionType::Words(&["inline", "skip"]),
    "second and later fields of one message, which no byte range holds alone: as messages of their own in the references, or left out",
)
.with_default("inline");

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
    /// A sidecar, and no headers but those that are checked or not known from the template.
    Only,
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
    /// The file that [`IndexChoice::Only`] takes descriptions from.
    pub(crate) template: Option<String>,
    /// Headers of each file that are compared with what its sidecar says.
    pub(crate) check: u64,
    pub(crate) filters: Vec<Filter>,
    /// Whether later fields of a message are stored in the references.
    pub(crate) inline_submessages: bool,
}

impl Options {
    pub(crate) fn new(location: &str, options: &ScanOptions) -> Result<Self, ScanError> {
        let refuse = |error: OptionError| {
            ScanError::new(ScanErrorKind::InvalidOption, location, error)
                .with_format(crate::ENTRY.name)
        };
        let word = |option: &FormatOption| option.word(options).map_err(refuse);
        let layout = match word(&LAYOUT)? {
            "flat" => Layout::Flat,
            "messages" => Layout::Messages,
            _ => Layout::Tree,
        };
        let codec = match word(&CODEC)? {
            "gribberish" => CodecChoice::Gribberish,
            "eccodes" => CodecChoice::EcCodes,
            _ => CodecChoice::Auto,
        };
        let index = match word(&INDEX)? {
            "auto" => IndexChoice::Auto,
            "no" => IndexChoice::None,
            "only" => IndexChoice::Only,
            name => IndexChoice::Named(name.to_owned()),
        };
        let filters =
            FILTER.pairs(options).map_err(refuse)?.into_iter().map(|(key, values)| {
                (key.to_owned(), values.split('|').map(str::to_owned).collect())
            });
        Ok(Self {
            layout,
            codec,
            index,
            template: Some(word(&TEMPLATE)?).filter(|name| !name.is_empty()).map(str::to_owned),
            check: CHECK.number(options).map_err(refuse)?.unwrap_or(0),
            filters: filters.collect(),
            inline_submessages: word(&SUBMESSAGES)? == "inline",
        })
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
        assert_eq!(options("grib.index", "only").unwrap().index, IndexChoice::Only);
        assert_eq!(options("grib.template", "a/b").unwrap().template.as_deref(), Some("a/b"));
        assert_eq!(options("grib.template", "a").unwrap().check, 1);
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
            ("grib.check", "x"),
            ("grib.template", ""),
        ] {
            let error = options(name, value).unwrap_err();
            assert_eq!(error.kind, ScanErrorKind::InvalidOption, "{name}");
        }
    }
}
