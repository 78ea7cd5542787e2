// SPDX-License-Identifier: MIT OR Apache-2.0
//! The part of the command line that says how inputs are read: the format, and the flags that the formats which are linked
//! in want for their options.

use std::sync::OnceLock;

use chunkref::emit::formats;
use chunkref::{FormatOption, ReferenceFormats, Registry, ScanOptions, ScannerEntry};
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::option_flags::{self, Flag};

/// The argument that sets options by their names.
const OPTION: &str = "option";

/// Flags and arguments of the command itself, which no format can have: a format that asks for one is told
/// (`option_flags::collision`).
const OWN: &[&str] = &[
    "against-source",
    "against_source",
    "all",
    "allow",
    "allow-outside",
    "allow_outside",
    "anon",
    "as",
    "at",
    "branch",
    "color",
    "command",
    "concat",
    "concat-dtype",
    "concat_dtype",
    "concurrency",
    "concurrency-per-file",
    "concurrency-per-host",
    "concurrency_per_file",
    "concurrency_per_host",
    "cube",
    "deadline",
    "duplicates",
    "emit",
    "fail-fast",
    "fail_fast",
    "format",
    "help",
    "identical",
    "inline-threshold",
    "inline_threshold",
    "input",
    "inputs",
    "jobs",
    "json",
    "keep-query",
    "keep_query",
    "limit",
    "limits",
    "log-format",
    "log-level",
    "log_format",
    "log_level",
    "merge",
    "message",
    "missing",
    "no-consolidated",
    "no-freshness",
    "no_consolidated",
    "no_freshness",
    "group",
    "on-conflict",
    "on_conflict",
    "on-failure",
    "on_failure",
    "option",
    "options",
    "output",
    "output-option",
    "quiet",
    "record-size",
    "record_size",
    "resume",
    "retries",
    "retry",
    "sample",
    "scanning",
    "selection",
    "set",
    "sort",
    "stack",
    "stats",
    "storage-option",
    "storage-options",
    "storage_options",
    "stores",
    "strict",
    "templates",
    "timeout",
    "to",
    "version",
];

/// What is the same whatever is linked in.
#[derive(Debug, Clone, Args)]
struct Fixed {
    /// Format of the inputs: auto goes by signature; `chunkref formats` lists the names.
    #[arg(long, value_name = "NAME", default_value = "auto")]
    format: String,
    /// Set an option of a format; may be given several times.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = parse_option)]
    options: Vec<(String, String)>,
    /// Also read files that an input names from this folder; those beside the input are read in any case. May be given
    /// several times.
    #[arg(long, value_name = "FOLDER")]
    allow_outside: Vec<String>,
}

/// How to read inputs.
#[derive(Debug, Clone)]
pub struct FormatArguments {
    fixed: Fixed,
    /// Options that flags of formats set, with their formats.
    set: Vec<(&'static ScannerEntry, &'static FormatOption, String)>,
}

/// The flags of all formats that are linked in, in the order of the formats.
fn flags() -> &'static [Flag<&'static ScannerEntry>] {
    static ENTRIES: OnceLock<Vec<ScannerEntry>> = OnceLock::new();
    static FLAGS: OnceLock<Vec<Flag<&'static ScannerEntry>>> = OnceLock::new();
    // What makes no registry is told when something is scanned.
    let entries = ENTRIES.get_or_init(|| {
        Registry::linked().map(|registry| registry.entries().to_vec()).unwrap_or_default()
    });
    FLAGS.get_or_init(|| flags_of(entries))
}

fn flags_of(entries: &'static [ScannerEntry]) -> Vec<Flag<&'static ScannerEntry>> {
    let outputs = formats().ok();
    let of_outputs: Vec<_> = outputs.iter().flat_map(flags_of_outputs).collect();
    let options =
        entries.iter().flat_map(|entry| entry.options.iter().map(move |option| (entry, option)));
    option_flags::flags(options, |name| OWN.contains(&name) || of_outputs.contains(&name))
}

/// The flags of output formats, and the names of their arguments.
fn flags_of_outputs(formats: &ReferenceFormats) -> impl Iterator<Item = &'static str> {
    formats.options().flat_map(|option| option.flags().chain([option.name]))
}

impl Args for FormatArguments {
    fn augment_args(command: Command) -> Command {
        let command = Fixed::augment_args(command);
        let argument = |flag: &Flag<&'static ScannerEntry>| {
            let heading = flag.options.first()?.0.description;
            Some(flag.argument(flags(), OPTION)?.help_heading(heading))
        };
        command.args(flags().iter().filter_map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for FormatArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let fixed = Fixed::from_arg_matches(matches)?;
        let set = flags().iter().filter_map(|flag| Some((flag, flag.value(matches)?)));
        let set = set.flat_map(|(flag, value)| {
            flag.options.iter().map(move |&(entry, option)| (entry, option, value.clone()))
        });
        Ok(Self { fixed, set: set.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl FormatArguments {
    /// The same choices for a scanner.
    #[must_use]
    pub fn scan_options(&self) -> ScanOptions {
        let Fixed { format, options, allow_outside } = &self.fixed;
        let is_auto = format == "auto";
        let mut chosen = ScanOptions::default();
        if !is_auto {
            chosen = chosen.with_format(format);
        }
        for folder in allow_outside {
            chosen = chosen.with_allowed_outside(folder);
        }
        let named = options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // A flag that several formats share is for the one that is named.
        let shared = |option: &FormatOption| {
            self.set.iter().filter(|(_, other, _)| other.flag == option.flag).count() > 1
        };
        let set = self
            .set
            .iter()
            .filter(|(entry, option, _)| is_auto || !shared(option) || entry.is_called(format))
            .map(|(_, option, value)| (option.name, value.as_str()));
        named
            .chain(set)
            .fold(chosen, |chosen, (name, value)| chosen.with_format_option(name, value))
    }
}

pub(crate) fn parse_option(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chunkref::core::OptionType;
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::arguments::Arguments;

    fn parsed(words: &str) -> Result<ScanOptions, clap::Error> {
        let words = ["chunkref", "scan", "a"].into_iter().chain(words.split_whitespace());
        match Arguments::try_parse_from(words)?.command {
            crate::arguments::Command::Scan(scan) => Ok(scan.format.scan_options()),
            _ => panic!("not scan"),
        }
    }

    fn set(words: &str) -> Vec<(String, String)> {
        parsed(words).unwrap().format_options.into_iter().collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn options_are_set_by_name() {
        let options = parsed("--option x.a=1=2 --option x.b= --format x").unwrap();
        assert_eq!(options.format.as_deref(), Some("x"));
        assert_eq!(
            options.format_options.into_iter().collect::<Vec<_>>(),
            pairs(&[("x.a", "1=2"), ("x.b", "")])
        );
        for wrong in ["--option x", "--option =1"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn flags_set_the_options_that_want_them() {
        assert_eq!(
            set("--grib-layout flat --grib-index no --filter a=1|2 --filter b=2"),
            pairs(&[("grib.filter", "a=1|2,b=2"), ("grib.index", "no"), ("grib.layout", "flat")])
        );
        assert_eq!(set("--cross-check"), pairs(&[("hdf5.engine", "both")]));
        assert_eq!(set("--engine both"), pairs(&[("hdf5.engine", "both")]));
        let both =
            pairs(&[("hdf5.split-contiguous", "1MiB"), ("netcdf3.split-contiguous", "1MiB")]);
        assert_eq!(set("--split-contiguous 1MiB"), both);
        assert_eq!(set("--split-contiguous 1MiB --format netcdf3"), both[1..]);
        assert_eq!(set("--grib-codec auto --format grib2"), pairs(&[("grib.codec", "auto")]));
        for wrong in [
            "--engine fast",
            "--engine native --cross-check",
            "--filter x",
            "--split-contiguous many",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_format_has_no_flag_of_the_command() {
        const TAKEN: FormatOption =
            FormatOption::new("toy.output", OptionType::Bytes, "").with_flag("output");
        const OTHER: FormatOption =
            FormatOption::new("toy.other", OptionType::Flag, "").with_flag("toy-other");
        static ENTRIES: [ScannerEntry; 1] =
            [chunkref_testkit::toy::ENTRY.with_options(&[TAKEN, OTHER])];
        let names: Vec<_> = flags_of(&ENTRIES).iter().map(|flag| flag.name).collect();
        assert_eq!(names, ["toy-other"]);

        let mut own = BTreeSet::new();
        for command in Arguments::command().get_subcommands() {
            for argument in command.get_arguments() {
                own.insert(argument.get_id().to_string());
                own.extend(argument.get_long().map(str::to_owned));
            }
        }
        own.extend(
            ["quiet", "color", "log-format", "log-level", "help", "version"].map(str::to_owned),
        );
        let outputs = formats().unwrap();
        for name in flags().iter().map(|flag| flag.name).chain(flags_of_outputs(&outputs)) {
            own.remove(name);
        }
        for flag in flags() {
            own.remove(flag.id);
        }
        let listed: BTreeSet<_> = OWN.iter().map(|name| (*name).to_owned()).collect();
        let missing: Vec<_> = own.difference(&listed).collect();
        assert!(missing.is_empty(), "not in OWN: {missing:?}");
    }
}
