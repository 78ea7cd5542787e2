// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use chunkref::ScanOptions;
use clap::{Args, ColorChoice, Parser, Subcommand};

use crate::cat::CatArguments;
use crate::combine_arguments::{AppendArguments, BuildArguments, CombineArguments, PlanArguments};
use crate::convert::ConvertArguments;
use crate::emit_arguments::EmitArguments;
use crate::logging::LogFormat;
use crate::report_page::ReportArguments;
use crate::store_arguments::StoreArguments;
use crate::verify::VerifyArguments;

/// Find the chunks of archival files and describe them as Zarr references.
#[derive(Debug, Parser)]
#[command(name = "chunkref", version, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Say nothing but errors: no warnings, no progress.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Colour messages; `NO_COLOR` in the environment means never.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// Write errors, warnings, figures and progress as lines for people or as JSON objects.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// Also report what is done meanwhile, down to this level; `CHUNKREF_LOG` in the environment does the same.
    #[arg(long, global = true, value_name = "LEVEL", value_parser = ["error", "warn", "info", "debug", "trace"])]
    pub log_level: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write kerchunk references of files.
    Scan(ScanArguments),
    /// Combine reference files into one set along a dimension.
    Combine(CombineArguments),
    /// Scan files and combine their references into one set along a dimension.
    Build(BuildArguments),
    /// Extend a combined set by more files.
    Append(AppendArguments),
    /// Say whether inputs can be combined, and if not, why.
    Plan(PlanArguments),
    /// Write references again in another form.
    Convert(ConvertArguments),
    /// Check references: in themselves, against their sources, and by decoding chunks.
    Verify(VerifyArguments),
    /// Print values of an array.
    Cat(CatArguments),
    /// Show what a file, or a set of references, contains and how it is stored.
    Inspect(InspectArguments),
    /// Write a page about a set of references, or a file: its variables, what is missing, where the bytes are.
    Report(ReportArguments),
    /// List the formats that can be read, and those that references are written in.
    Formats,
}

/// The command line of `scan`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub struct ScanArguments {
    /// Paths, URLs or quoted patterns such as `data/**/*.nc` or `s3://bucket/2020/*/*.nc`; @FILE for a list of them, one a
    /// line, and - for one on standard input.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Where to write: a file (or a folder that is one set) for one input, DIR/ for one set per input, - for standard output.
    #[arg(long, short, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// How to read the inputs.
    #[command(flatten)]
    pub format: FormatArguments,
    /// Store chunks of fewer stored bytes than this in the references themselves; 0 for none.
    #[arg(long, value_name = "BYTES", default_value_t = 500)]
    pub inline_threshold: u64,
    /// Exit with 3 when a variable is skipped; the references of the others are still written.
    #[arg(long)]
    pub strict: bool,
    /// Print what each file cost (rounds, requests, bytes, time), and every skipped variable.
    #[arg(long)]
    pub stats: bool,
    /// Threads that scan [default: one per core].
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Stop at the first input that fails.
    #[arg(long)]
    pub fail_fast: bool,
    /// Leave references alone that this program wrote with the same options, if their input has not changed since.
    #[arg(long)]
    pub resume: bool,
    /// How references are written.
    #[command(flatten)]
    pub emit: EmitArguments,
    /// How inputs are read.
    #[command(flatten)]
    pub stores: StoreArguments,
}

/// The command line of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// Path or URL.
    #[arg(value_name = "INPUT")]
    pub input: String,
    /// How to read the input.
    #[command(flatten)]
    pub format: FormatArguments,
    /// Branch, tag or snapshot to read, of references that have a history [default: the current one].
    #[arg(long, value_name = "NAME")]
    pub at: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// How the input is read.
    #[command(flatten)]
    pub stores: StoreArguments,
}

/// How to read inputs.
#[derive(Debug, Args)]
pub struct FormatArguments {
    /// Format of the inputs: auto goes by signature; `chunkref formats` lists the names.
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub format: String,
    /// Set an option of a format; may be given several times.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = parse_option)]
    pub options: Vec<(String, String)>,
    /// HDF5 filters that no Zarr codec undoes: decode the data into the references, skip the variable, or fail; short for
    /// --option hdf5.unsupported-filters=MODE.
    #[arg(long, value_name = "MODE", value_parser = ["inline", "skip", "error"])]
    pub unsupported_filters: Option<String>,
    /// Who reads the structures of HDF5 files: this program, or libhdf5 (local files that you trust, in builds with the
    /// feature `libhdf5`); short for --option hdf5.engine=NAME.
    #[arg(long, value_name = "NAME", value_parser = ["native", "libhdf5"])]
    pub engine: Option<String>,
    /// Whether soft and external links of HDF5 files are followed; short for --option hdf5.links=MODE.
    #[arg(long, value_name = "MODE", value_parser = ["follow", "skip"])]
    pub links: Option<String>,
    /// Also read files that an input names from this folder; those beside the input are read in any case. May be given
    /// several times.
    #[arg(long, value_name = "FOLDER")]
    pub allow_outside: Vec<String>,
    /// Cut uncompressed contiguous data into chunks of about this many bytes, along the slowest axes; short for
    /// --option hdf5.split-contiguous=BYTES and --option netcdf3.split-contiguous=BYTES.
    #[arg(long, value_name = "BYTES")]
    pub split_contiguous: Option<u64>,
    /// Read HDF5 files with both engines, and skip what they disagree on; short for --option hdf5.engine=both.
    #[arg(long, conflicts_with = "engine")]
    pub cross_check: bool,
    /// How fields of GRIB files become datasets; short for --option grib.layout=NAME.
    #[arg(long, value_name = "NAME", value_parser = ["tree", "flat", "messages"])]
    pub grib_layout: Option<String>,
    /// Which codec decodes GRIB messages; short for --option grib.codec=NAME.
    #[arg(long, value_name = "NAME", value_parser = ["auto", "gribberish", "eccodes"])]
    pub grib_codec: Option<String>,
    /// Index sidecar of a GRIB file: auto for one beside it, no for none, or its name; short for --option grib.index=URL.
    #[arg(long, value_name = "URL")]
    pub grib_index: Option<String>,
    /// Keep only GRIB fields with this key, such as typeOfLevel=surface or shortName=2t|2d; may be given several times,
    /// and is short for --option grib.filter=KEY=VALUE,...
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_filter)]
    pub filter: Vec<String>,
}

impl FormatArguments {
    /// The same choices for a scanner.
    #[must_use]
    pub fn scan_options(&self) -> ScanOptions {
        let mut options = ScanOptions::default();
        if self.format != "auto" {
            options = options.with_format(&self.format);
        }
        for folder in &self.allow_outside {
            options = options.with_allowed_outside(folder);
        }
        let filters =
            self.unsupported_filters.iter().map(|mode| ("hdf5.unsupported-filters", mode.as_str()));
        let named = self.options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let split = self.split_contiguous.map(|bytes| bytes.to_string());
        let engine = if self.cross_check { Some("both") } else { self.engine.as_deref() };
        let grib_filter = (!self.filter.is_empty()).then(|| self.filter.join(","));
        let grib = [
            ("grib.layout", self.grib_layout.as_deref()),
            ("grib.codec", self.grib_codec.as_deref()),
            ("grib.index", self.grib_index.as_deref()),
            ("grib.filter", grib_filter.as_deref()),
        ];
        named
            .chain(filters)
            .chain(grib.into_iter().filter_map(|(name, value)| Some((name, value?))))
            .chain(engine.map(|engine| ("hdf5.engine", engine)))
            .chain(self.links.iter().map(|mode| ("hdf5.links", mode.as_str())))
            .chain(split.iter().flat_map(|bytes| {
                let formats = ["hdf5.split-contiguous", "netcdf3.split-contiguous"];
                let of_format = |option: &&str| {
                    let format = self.format.as_str();
                    format == "auto" || option.strip_suffix(".split-contiguous") == Some(format)
                };
                formats.into_iter().filter(of_format).map(|option| (option, bytes.as_str()))
            }))
            .fold(options, |options, (name, value)| options.with_format_option(name, value))
    }
}

pub(crate) fn parse_option(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

fn parse_filter(text: &str) -> Result<String, String> {
    parse_option(text).map(|_| text.to_owned()).map_err(|_| "write it as KEY=VALUE".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn format_options_are_collected() {
        let line =
            ["chunkref", "scan", "a", "--option", "x.a=1=2", "--option", "x.b=", "--format", "x"];
        let Command::Scan(scan) = Arguments::try_parse_from(line).unwrap().command else {
            panic!("not scan")
        };
        let options = scan.format.scan_options();
        assert_eq!(options.format.as_deref(), Some("x"));
        assert_eq!(options.format_options["x.a"], "1=2");
        assert_eq!(options.format_options["x.b"], "");
        let line = ["chunkref", "scan", "a", "--unsupported-filters", "skip"];
        let Command::Scan(scan) = Arguments::try_parse_from(line).unwrap().command else {
            panic!("not scan")
        };
        let options = scan.format.scan_options();
        assert_eq!(options.format_options["hdf5.unsupported-filters"], "skip");
        for wrong in ["x", "=1"] {
            assert!(
                Arguments::try_parse_from(["chunkref", "scan", "a", "--option", wrong]).is_err()
            );
        }
    }

    #[test]
    fn options_of_grib_are_options_of_the_format() {
        let line = "chunkref scan a --grib-layout flat --grib-codec eccodes --grib-index no --filter shortName=2t --filter level=2";
        let Command::Scan(scan) = Arguments::try_parse_from(line.split(' ')).unwrap().command
        else {
            panic!("not scan")
        };
        let options = scan.format.scan_options().format_options;
        assert_eq!(options["grib.layout"], "flat");
        assert_eq!(options["grib.codec"], "eccodes");
        assert_eq!(options["grib.index"], "no");
        assert_eq!(options["grib.filter"], "shortName=2t,level=2");
        assert!(Arguments::try_parse_from(["chunkref", "scan", "a", "--filter", "x"]).is_err());
    }

    #[test]
    fn engines_are_an_option_of_the_format() {
        let engine = |arguments: &[&str]| {
            let line = ["chunkref", "inspect", "a"].iter().chain(arguments);
            let Ok(Arguments { command: Command::Inspect(inspect), .. }) =
                Arguments::try_parse_from(line)
            else {
                return Err(());
            };
            Ok(inspect.format.scan_options().format_options.get("hdf5.engine").cloned())
        };
        assert_eq!(engine(&[]), Ok(None));
        assert_eq!(engine(&["--engine", "libhdf5"]), Ok(Some("libhdf5".to_owned())));
        assert_eq!(engine(&["--cross-check"]), Ok(Some("both".to_owned())));
        assert_eq!(engine(&["--engine", "native", "--cross-check"]), Err(()));
        assert_eq!(engine(&["--engine", "both"]), Err(()));
    }
}
