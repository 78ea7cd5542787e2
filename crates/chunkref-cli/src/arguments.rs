// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ColorChoice, Parser, Subcommand};

use crate::cat::CatArguments;
use crate::combine_arguments::{AppendArguments, BuildArguments, CombineArguments, PlanArguments};
use crate::convert::ConvertArguments;
use crate::emit_arguments::EmitArguments;
use crate::format_arguments::FormatArguments;
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
    /// List the formats that can be read, those that references are written in, and the codecs that are undone.
    Formats(FormatsArguments),
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

/// The command line of `formats`.
#[derive(Debug, Args)]
pub struct FormatsArguments {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
