// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command lines of `combine`, `build` and `plan`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use chunkref::{
    CombineOptions, ConcatDimension, CoordinateSource, Duplicates, Missing, OnConflict,
};
use clap::{Args, ValueEnum};

use crate::arguments::FormatArguments;
use crate::emit_arguments::EmitArguments;
use crate::store_arguments::StoreArguments;

/// The command line of `combine`.
#[derive(Debug, Args)]
pub struct CombineArguments {
    /// Reference files (kerchunk JSON): paths, URLs or quoted patterns; @FILE for a list of them, and - for one on standard
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

/// The command line of `plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Files to scan, or reference files whose names end in .json: paths, URLs or quoted patterns; @FILE for a list.
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
    /// variable of its name), attr:NAME, vattr:VARIABLE:NAME, regex:PATTERN on the location, list:A,B,… or INDEX. May be
    /// given several times.
    #[arg(long, required = true, value_name = "DIM[=SOURCE]", value_parser = parse_concat)]
    pub concat: Vec<ConcatDimension>,
    /// Variables that are taken from the first input, unchecked.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub identical: Vec<String>,
    /// Which variables without the dimension are stacked along it: those that differ, or all.
    #[arg(long, value_name = "WHICH", default_value = "differing")]
    pub stack: Stack,
    /// What to do about inputs that contradict each other.
    #[arg(long, value_name = "WHAT", default_value = "error")]
    pub on_conflict: ConflictAnswer,
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

/// Which variables are stacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stack {
    /// Those that differ from input to input.
    Differing,
    /// All of them.
    All,
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
    /// Take attributes and fill values of the first input for all.
    First,
}

/// What is done about duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DuplicateAnswer {
    /// Fail.
    Error,
    /// Keep the first input.
    First,
    /// Keep the last input.
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
    /// The same choices for a combiner.
    #[must_use]
    pub fn options(&self) -> CombineOptions {
        let options = CombineOptions::default()
            .with_identical(&self.identical)
            .with_stack_all(self.stack == Stack::All)
            .with_sort(self.sort)
            .with_on_conflict(match self.on_conflict {
                ConflictAnswer::Error => OnConflict::Error,
                ConflictAnswer::SkipFile => OnConflict::SkipFile,
                ConflictAnswer::SkipVariable => OnConflict::SkipVariable,
                ConflictAnswer::First => OnConflict::First,
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
        self.concat.iter().cloned().fold(options, CombineOptions::with_concat)
    }
}

fn parse_concat(text: &str) -> Result<ConcatDimension, String> {
    let (name, source) = match text.split_once('=') {
        Some((name, source)) => (name, Some(source)),
        None => (text, None),
    };
    if name.is_empty() {
        return Err("write it as DIMENSION or DIMENSION=SOURCE".to_owned());
    }
    let dimension = ConcatDimension::new(name);
    let Some(source) = source else { return Ok(dimension) };
    if source == "INDEX" {
        return Ok(dimension.with_coordinates(CoordinateSource::Index));
    }
    let (kind, rest) = source.split_once(':').unwrap_or((source, ""));
    let coordinates = match kind {
        _ if rest.is_empty() => None,
        "data" => Some(CoordinateSource::Data(rest.to_owned())),
        "attr" => Some(CoordinateSource::Attribute(rest.to_owned())),
        "vattr" => {
            rest.split_once(':').map(|(variable, name)| CoordinateSource::VariableAttribute {
                variable: variable.to_owned(),
                name: name.to_owned(),
            })
        }
        "regex" => Some(CoordinateSource::Pattern(rest.to_owned())),
        "list" => Some(CoordinateSource::Values(rest.split(',').map(str::to_owned).collect())),
        _ => None,
    };
    coordinates.map(|coordinates| dimension.with_coordinates(coordinates)).ok_or_else(|| {
        format!(
            "{source:?} is no source of coordinates: write data:VARIABLE, attr:NAME, vattr:VARIABLE:NAME, regex:PATTERN, list:A,B,… or INDEX"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_coordinates() {
        let source = |text: &str| parse_concat(text).map(|dimension| dimension.coordinates);
        assert_eq!(source("t"), Ok(CoordinateSource::Data("t".to_owned())));
        assert_eq!(source("t=data:g/time"), Ok(CoordinateSource::Data("g/time".to_owned())));
        assert_eq!(source("t=attr:hour"), Ok(CoordinateSource::Attribute("hour".to_owned())));
        let variable = CoordinateSource::VariableAttribute {
            variable: "SST".to_owned(),
            name: "hour".to_owned(),
        };
        assert_eq!(source("t=vattr:SST:hour"), Ok(variable));
        assert_eq!(source("t=INDEX"), Ok(CoordinateSource::Index));
        assert_eq!(
            source("t=regex:s(\\d+)=:"),
            Ok(CoordinateSource::Pattern("s(\\d+)=:".to_owned()))
        );
        let list = CoordinateSource::Values(vec!["1".to_owned(), "2".to_owned()]);
        assert_eq!(source("t=list:1,2"), Ok(list));
        for wrong in ["=x", "t=", "t=x", "t=data:", "t=vattr:SST", "t=cf:time"] {
            assert!(parse_concat(wrong).is_err(), "{wrong}");
        }
    }
}
