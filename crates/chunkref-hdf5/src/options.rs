// SPDX-License-Identifier: MIT OR Apache-2.0
//! The options that the format adds, read once before a scan.

use std::error::Error;

use chunkref_core::{
    ByteSource, FormatOption, OptionType, ScanError, ScanErrorKind, ScanOptions, split,
};

use crate::engine::{self, Engine};
use crate::error::FORMAT;
use crate::filter_options::{self, FilterOptions};
use crate::lower::members;
use crate::split_contiguous;

/// All of them, as the entry lists them.
pub(crate) const ALL: &[FormatOption] = &[
    engine::OPTION,
    LINKS,
    NAMES,
    REFERENCES,
    STRINGS,
    members::OPTION,
    split_contiguous::OPTION,
    filter_options::UNSUPPORTED,
    filter_options::BUDGET,
    filter_options::CODEC,
];

const LINKS: FormatOption = FormatOption::new(
    "hdf5.links",
    OptionType::Words(&["follow", "skip"]),
    "whether soft and external links are followed",
)
.with_default("follow")
.with_flag("links");

const NAMES: FormatOption = FormatOption::new(
    "hdf5.names",
    OptionType::Words(&["hdf5", "netcdf"]),
    "names of variables that NetCDF-4 stores under another one (_nc4_non_coord_NAME): as HDF5 and kerchunk have them, or as NetCDF shows them",
)
.with_default("hdf5");

const REFERENCES: FormatOption = FormatOption::new(
    "hdf5.references",
    OptionType::Words(&["skip", "paths"]),
    "arrays of object references: left out, or the paths of the objects as text",
)
.with_default("skip");

const STRINGS: FormatOption = FormatOption::new(
    "hdf5.strings",
    OptionType::Words(&["utf8", "fixed"]),
    "arrays of variable-length strings: as such, or padded to the longest one",
)
.with_default("utf8");

/// The options of one scan.
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) engine: Engine,
    pub(crate) filters: FilterOptions,
    pub(crate) follow_links: bool,
    /// Whether variables go by their NetCDF-4 names.
    pub(crate) netcdf_names: bool,
    /// Whether object references become paths.
    pub(crate) reference_paths: bool,
    /// Whether strings of variable length are padded to the longest.
    pub(crate) fixed_strings: bool,
    /// What becomes of members that are arrays or compounds, unless their datasets are left out.
    pub(crate) members: Option<members::Form>,
    /// Bytes of a piece of contiguous data that is cut.
    pub(crate) piece_bytes: Option<u64>,
}

impl Options {
    pub(crate) fn new(source: &dyn ByteSource, options: &ScanOptions) -> Result<Self, ScanError> {
        let location = source.location();
        let word =
            |option: &FormatOption| option.word(options).map_err(|error| refuse(location, error));
        let choice = |option: &FormatOption, other: &str| word(option).map(|value| value == other);
        let piece_bytes = split::piece_bytes(options, &split_contiguous::OPTION)
            .map_err(|error| refuse(location, error))?;
        let members = members::Form::new(word(&members::OPTION)?);
        Ok(Self {
            engine: Engine::choose(source, options).map_err(|error| refuse(location, error))?,
            filters: FilterOptions::new(options).map_err(|error| refuse(location, error))?,
            follow_links: !choice(&LINKS, "skip")?,
            netcdf_names: choice(&NAMES, "netcdf")?,
            reference_paths: choice(&REFERENCES, "paths")?,
            fixed_strings: choice(&STRINGS, "fixed")?,
            members,
            piece_bytes,
        })
    }
}

fn refuse(location: &str, reason: impl Into<Box<dyn Error + Send + Sync>>) -> ScanError {
    ScanError::new(ScanErrorKind::InvalidOption, location, reason).with_format(FORMAT)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chunkref_core::MemorySource;

    use super::*;

    fn options(name: &str, value: &str) -> Result<Options, ScanError> {
        let options = ScanOptions::default().with_format_option(name, value);
        Options::new(&MemorySource::new("memory://a.h5", Bytes::new()), &options)
    }

    #[test]
    fn values_are_checked() {
        assert!(options("hdf5.links", "follow").unwrap().follow_links);
        assert!(!options("hdf5.links", "skip").unwrap().follow_links);
        assert!(options("hdf5.names", "netcdf").unwrap().netcdf_names);
        assert_eq!(options("hdf5.members", "bytes").unwrap().members, Some(members::Form::Bytes));
        assert_eq!(options("hdf5.members", "skip").unwrap().members, None);
        assert_eq!(options("hdf5.split-contiguous", "4096").unwrap().piece_bytes, Some(4096));
        for (name, value) in [
            ("hdf5.links", "maybe"),
            ("hdf5.split-contiguous", "0"),
            ("hdf5.strings", ""),
            ("hdf5.members", "nest"),
            ("hdf5.engine", "fast"),
            ("hdf5.inline-budget", "some"),
        ] {
            assert_eq!(
                options(name, value).unwrap_err().kind,
                ScanErrorKind::InvalidOption,
                "{name}"
            );
        }
    }
}
