// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command lines of `combine`, `build` and `plan`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use chunkref::model::DataType;
use chunkref::model::zarr::v2;
use chunkref::{
    CombineOptions, ConcatDimension, CoordinateSource, Duplicates, Missing, OnConflict,
};
use clap::builder::PossibleValue;
use clap::{Args, Parser, ValueEnum};

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

/// The command line of `append`.
#[derive(Debug, Args)]
pub struct AppendArguments {
    /// The set to extend: kerchunk JSON or a folder of kerchunk Parquet, which is replaced when all is well, or an Icechunk
    /// repository, which gets a commit.
    #[arg(value_name = "CUBE")]
    pub set: PathBuf,
    /// What to append: files to scan, or references (.json, .parq): paths, URLs or quoted patterns; @FILE for a list.
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
    /// variable of its name), cf:VARIABLE (its times since 1970), attr:NAME, vattr:VARIABLE:NAME, regex:PATTERN on the
    /// location, list:A,B,… or INDEX. May be given several times.
    #[arg(long, value_name = "DIM[=SOURCE]", value_parser = parse_concat)]
    pub concat: Vec<(String, ConcatDimension)>,
    /// Type of the coordinates of a dimension that do not come from a variable, such as `t=int32` or `t=M8[s]`.
    #[arg(long, value_name = "DIM=TYPE", value_parser = parse_dtype)]
    pub concat_dtype: Vec<(String, DataType)>,
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
        self.concat.iter().cloned().fold(options, |options, (_, dimension)| {
            let dtype = self.concat_dtype.iter().find(|(name, _)| *name == dimension.name);
            options.with_concat(match dtype {
                Some((_, dtype)) => dimension.with_dtype(dtype.clone()),
                None => dimension,
            })
        })
    }

    /// The same choices as words of a command line, so that a set can be appended to as it was made.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut push = |name: &str, value: String| words.push(format!("--{name}={value}"));
        for (text, _) in &self.concat {
            push("concat", text.clone());
        }
        for (name, dtype) in &self.concat_dtype {
            push(
                "concat-dtype",
                format!("{name}={}", v2::data_type_name(dtype).unwrap_or_default()),
            );
        }
        if !self.identical.is_empty() {
            push("identical", self.identical.join(","));
        }
        push("stack", self.stack.join(","));
        let named = |value: Option<PossibleValue>| {
            value.map_or_else(String::new, |value| value.get_name().to_owned())
        };
        push("on-conflict", named(self.on_conflict.to_possible_value()));
        push("duplicates", named(self.duplicates.to_possible_value()));
        push("missing", named(self.missing.to_possible_value()));
        for (name, wanted) in [("merge", self.merge), ("sort", self.sort)] {
            if wanted {
                words.push(format!("--{name}"));
            }
        }
        words
    }

    /// The choices that [`CubeArguments::words`] gave.
    ///
    /// # Errors
    /// In words, when they are not such.
    pub fn of_words(words: &[String]) -> Result<Self, String> {
        #[derive(Parser)]
        struct Line {
            #[command(flatten)]
            cube: CubeArguments,
        }
        let line = std::iter::once("chunkref").chain(words.iter().map(String::as_str));
        Line::try_parse_from(line).map(|line| line.cube).map_err(|error| error.to_string())
    }
}

fn parse_dtype(text: &str) -> Result<(String, DataType), String> {
    let (name, dtype) = text.split_once('=').ok_or("write it as DIMENSION=TYPE")?;
    v2::data_type(dtype).map(|dtype| (name.to_owned(), dtype)).map_err(|error| error.to_string())
}

/// The text with what it says.
fn parse_concat(text: &str) -> Result<(String, ConcatDimension), String> {
    parse_dimension(text).map(|dimension| (text.to_owned(), dimension))
}

fn parse_dimension(text: &str) -> Result<ConcatDimension, String> {
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
        "cf" => Some(CoordinateSource::Cf(rest.to_owned())),
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
            "{source:?} is no source of coordinates: write data:VARIABLE, cf:VARIABLE, attr:NAME, vattr:VARIABLE:NAME, regex:PATTERN, list:A,B,… or INDEX"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_coordinates() {
        let source = |text: &str| parse_dimension(text).map(|dimension| dimension.coordinates);
        assert_eq!(source("t"), Ok(CoordinateSource::Data("t".to_owned())));
        assert_eq!(source("t=data:g/time"), Ok(CoordinateSource::Data("g/time".to_owned())));
        assert_eq!(source("t=cf:time"), Ok(CoordinateSource::Cf("time".to_owned())));
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
        let words = [
            "--concat=t=attr:hour",
            "--concat-dtype=t=<i2",
            "--identical=x,y",
            "--stack=all",
            "--merge",
        ];
        let cube = CubeArguments::of_words(&words.map(str::to_owned)).unwrap();
        let again = CubeArguments::of_words(&cube.words()).unwrap();
        assert_eq!(cube.options(), again.options());
        assert!(cube.options().stack_all && cube.options().merge);
        assert!(CubeArguments::of_words(&["--x".to_owned()]).is_err());
        for wrong in ["=x", "t=", "t=x", "t=data:", "t=vattr:SST", "t=VARNAME"] {
            assert!(parse_dimension(wrong).is_err(), "{wrong}");
        }
    }
}
