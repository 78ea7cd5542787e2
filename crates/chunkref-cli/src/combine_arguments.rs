// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command lines of `combine`, `build` and `plan`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use chunkref::model::DataType;
use chunkref::model::zarr::v2;
use chunkref::{CombineOptions, ConcatDimension, Duplicates, Missing, OnConflict, OnFailure};
use clap::{Args, ValueEnum};

use crate::emit_arguments::EmitArguments;
use crate::format_arguments::FormatArguments;
use crate::store_arguments::StoreArguments;

/// The command line of `combine`.
#[derive(Debug, Args)]
pub struct CombineArguments {
    /// Reference sets: paths, URLs or quoted patterns; @FILE for a list of them, and - for one on standard
    /// input.
    #[arg(required = true, value_name = "REFS")]
    pub inputs: Vec<String>,
    /// Where to write, - for standard output.
    #[arg(long, short, value_name = "OUT")]
    pub output: PathBuf,
    /// How inputs become one.
    #[command(flatten)]
    pub cube: CubeArguments,
    /// How references are written.
    #[command(flatten)]
    pub emit: EmitArguments,
    /// How inputs are read.
    #[command(flatten)]
    pub stores: StoreArguments,
}

/// The command line of `build`.
#[derive(Debug, Args)]
pub struct BuildArguments {
    /// Files to scan: paths, URLs or quoted patterns; @FILE for a list of them, and - for one on standard input.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Where to write, - for standard output.
    #[arg(long, short, value_name = "OUT")]
    pub output: PathBuf,
    /// How inputs become one.
    #[command(flatten)]
    pub cube: CubeArguments,
    /// How inputs are scanned.
    #[command(flatten)]
    pub scanning: ScanningArguments,
    /// How references are written.
    #[command(flatten)]
    pub emit: EmitArguments,
    /// How inputs are read.
    #[command(flatten)]
    pub stores: StoreArguments,
}

/// The command line of `append`.
#[derive(Debug, Args)]
pub struct AppendArguments {
    /// The set to extend, which is replaced when all is well, or gets a new version if its format has a history.
    #[arg(value_name = "CUBE")]
    pub set: PathBuf,
    /// What to append: files to scan, or references, by the endings of their names: paths, URLs or quoted patterns; @FILE for a list.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// When another process has written the set meanwhile, read it again and append to that, at most so many times. What it
    /// has by then is not appended twice.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub retry: u32,
    /// How inputs become one. Without --concat all is as it was when the set was made.
    #[command(flatten)]
    pub cube: CubeArguments,
    /// How inputs are scanned.
    #[command(flatten)]
    pub scanning: ScanningArguments,
    /// How references are written.
    #[command(flatten)]
    pub emit: EmitArguments,
    /// How inputs are read.
    #[command(flatten)]
    pub stores: StoreArguments,
}

/// The command line of `plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Files to scan, or references, by the endings of their names: paths, URLs or quoted patterns; @FILE for a list.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// How inputs become one.
    #[command(flatten)]
    pub cube: CubeArguments,
    /// How inputs are scanned.
    #[command(flatten)]
    pub scanning: ScanningArguments,
    /// How inputs are read.
    #[command(flatten)]
    pub stores: StoreArguments,
}

/// How inputs are scanned.
#[derive(Debug, Args)]
pub struct ScanningArguments {
    /// How to read the inputs.
    #[command(flatten)]
    pub format: FormatArguments,
    /// Store chunks of fewer stored bytes than this in the references themselves; 0 for none.
    #[arg(long, value_name = "BYTES", default_value_t = 500)]
    pub inline_threshold: u64,
    /// Threads that scan [default: one per core].
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
}

/// How inputs become one.
#[derive(Debug, Args)]
#[command(next_help_heading = "Combining")]
pub struct CubeArguments {
    /// Dimension along which inputs follow one another, with the source of its coordinates: data:VARIABLE (default: the
    /// variable of its name), cf:VARIABLE (its times since 1970), attr:NAME, vattr:VARIABLE:NAME, regex:PATTERN on the
    /// location, list:A,B,… or INDEX. May be given several times.
    #[arg(long, value_name = "DIM[=SOURCE]")]
    pub concat: Vec<ConcatDimension>,
    /// Type of the coordinates of a dimension that do not come from a variable, such as `t=int32` or `t=M8[s]`.
    #[arg(long, value_name = "DIM=TYPE", value_parser = parse_dtype)]
    pub concat_dtype: Vec<(String, DataType)>,
    /// Combine this group of each input and nothing else; it stays where it is. `--concat GROUP/DIM` does the same.
    #[arg(long, value_name = "PATH")]
    pub group: Option<String>,
    /// First put inputs with the same coordinates together, each with variables that others lack; without --concat, all
    /// inputs.
    #[arg(long)]
    pub merge: bool,
    /// Variables that are taken from the first input, unchecked.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub identical: Vec<String>,
    /// Which variables without the dimension are stacked along it: those that are `differing`, `all`, or these besides.
    #[arg(long, value_name = "WHICH", default_value = "differing", value_delimiter = ',')]
    pub stack: Vec<String>,
    /// What to do about inputs that contradict each other.
    #[arg(long, value_name = "WHAT", default_value = "error")]
    pub on_conflict: ConflictAnswer,
    /// What to do about inputs that cannot be read.
    #[arg(long, value_name = "WHAT", default_value = "error")]
    pub on_failure: FailureAnswer,
    /// What to do about inputs with the same coordinates.
    #[arg(long, value_name = "WHICH", default_value = "error")]
    pub duplicates: DuplicateAnswer,
    /// What to do where an input lacks a variable, or nothing has a combination of coordinates.
    #[arg(long, value_name = "WHAT", default_value = "error")]
    pub missing: MissingAnswer,
    /// Put the inputs in the order of their coordinates.
    #[arg(long)]
    pub sort: bool,
}

/// What is done about conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConflictAnswer {
    /// Fail.
    Error,
    /// Leave out inputs that differ from the first.
    SkipFile,
    /// Leave out the variable.
    SkipVariable,
    /// Leave out inputs that differ from the first, and variables where that resolves nothing.
    Skip,
    /// Take the standard name of the first input for all; what changes values remains an error.
    First,
}

/// What is done about inputs that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailureAnswer {
    /// Fail.
    Error,
    /// Leave them out, name them, and end with exit code 3.
    Skip,
}

/// What is done about duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DuplicateAnswer {
    /// Fail.
    Error,
    /// Take the first input's values there.
    First,
    /// Take the last input's values there.
    Last,
}

/// What is done about gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MissingAnswer {
    /// Fail.
    Error,
    /// Let them read as the fill value.
    Fill,
}

impl CubeArguments {
    /// Options of a set that was made before, changed by what is asked for here besides the dimensions.
    #[must_use]
    pub fn changed(&self, made: CombineOptions) -> CombineOptions {
        let asked = self.options();
        let plain = CombineOptions::default();
        let mut options = made;
        if asked.group.is_some() {
            options.group = asked.group;
        }
        if asked.identical != plain.identical {
            options.identical = asked.identical;
        }
        if asked.stack != plain.stack || asked.stack_all {
            options.stack = asked.stack;
            options.stack_all = asked.stack_all;
        }
        if asked.on_conflict != plain.on_conflict {
            options.on_conflict = asked.on_conflict;
        }
        if asked.on_failure != plain.on_failure {
            options.on_failure = asked.on_failure;
        }
        if asked.duplicates != plain.duplicates {
            options.duplicates = asked.duplicates;
        }
        if asked.missing != plain.missing {
            options.missing = asked.missing;
        }
        options.merge |= asked.merge;
        options.sort |= asked.sort;
        options
    }

    /// The same choices for a combiner.
    #[must_use]
    pub fn options(&self) -> CombineOptions {
        let options = CombineOptions::default()
            .with_group(self.group.clone())
            .with_identical(&self.identical)
            .with_stack_all(self.stack.iter().any(|which| which == "all"))
            .with_stack(
                self.stack.iter().filter(|which| !["all", "differing"].contains(&which.as_str())),
            )
            .with_merge(self.merge)
            .with_sort(self.sort)
            .with_on_conflict(match self.on_conflict {
                ConflictAnswer::Error => OnConflict::Error,
                ConflictAnswer::SkipFile => OnConflict::SkipFile,
                ConflictAnswer::SkipVariable => OnConflict::SkipVariable,
                ConflictAnswer::Skip => OnConflict::Skip,
                ConflictAnswer::First => OnConflict::First,
            })
            .with_on_failure(match self.on_failure {
                FailureAnswer::Error => OnFailure::Error,
                FailureAnswer::Skip => OnFailure::Skip,
            })
            .with_duplicates(match self.duplicates {
                DuplicateAnswer::Error => Duplicates::Error,
                DuplicateAnswer::First => Duplicates::First,
                DuplicateAnswer::Last => Duplicates::Last,
            })
            .with_missing(match self.missing {
                MissingAnswer::Error => Missing::Error,
                MissingAnswer::Fill => Missing::Fill,
            });
        self.concat.iter().cloned().fold(options, |options, dimension| {
            let last = dimension.name.rsplit('/').next();
            let dtype = self
                .concat_dtype
                .iter()
                .find(|(name, _)| *name == dimension.name || Some(name.as_str()) == last);
            options.with_concat(match dtype {
                Some((_, dtype)) => dimension.with_dtype(dtype.clone()),
                None => dimension,
            })
        })
    }
}

fn parse_dtype(text: &str) -> Result<(String, DataType), String> {
    let (name, dtype) = text.split_once('=').ok_or("write it as DIMENSION=TYPE")?;
    v2::data_type(dtype).map(|dtype| (name.to_owned(), dtype)).map_err(|error| error.to_string())
}
