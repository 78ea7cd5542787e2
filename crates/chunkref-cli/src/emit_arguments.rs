// SPDX-License-Identifier: MIT OR Apache-2.0
//! How references are written.

use std::path::Path;

use chunkref::emit::Target;
use chunkref::{CommitOptions, EmitOptions, Stores};
use clap::{Args, ValueEnum};

/// How references are written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct EmitArguments {
    /// Output format. auto goes by the name: Parquet for .parq and .parquet, Icechunk for .icechunk, else JSON; .gz and .zst
    /// compress JSON.
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub to: Format,
    /// References per Parquet file [default: 100000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub record_size: Option<u64>,
    /// Say each URL once in JSON, as a template that readers expand.
    #[arg(long)]
    pub templates: bool,
    /// Leave out consolidated metadata (.zmetadata), which zarr-python 3 needs to see nested groups; Parquet has it always.
    #[arg(long)]
    pub no_consolidated: bool,
    /// Branch of an Icechunk repository to commit to; one that is not there begins where main is [default: main].
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Message of the commit to an Icechunk repository [default: a summary].
    #[arg(long, value_name = "TEXT")]
    pub message: Option<String>,
}

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// By the name.
    Auto,
    /// kerchunk JSON.
    Json,
    /// kerchunk Parquet.
    Parquet,
    /// Icechunk repository, in builds with the cargo feature icechunk.
    Icechunk,
}

impl EmitArguments {
    /// The output format that is named, if one is.
    #[must_use]
    pub fn named(&self) -> Option<Target> {
        match self.to {
            Format::Auto => None,
            Format::Json => Some(Target::KerchunkJson),
            Format::Parquet => Some(Target::KerchunkParquet),
            Format::Icechunk => Some(Target::Icechunk),
        }
    }

    /// The output format of a destination.
    #[must_use]
    pub fn target(&self, destination: &Path) -> Target {
        self.named().unwrap_or_else(|| Target::of(destination))
    }

    /// The extension of destinations that are made up.
    #[must_use]
    pub fn extension(&self) -> &'static str {
        self.named().unwrap_or(Target::KerchunkJson).extension()
    }

    /// The same choices for an emitter of references to `stores`.
    #[must_use]
    pub fn options(&self, stores: &Stores) -> EmitOptions {
        let options = EmitOptions::default()
            .with_consolidated(!self.no_consolidated)
            .with_templates(self.templates)
            .with_stores(stores.hints())
            .with_commit(CommitOptions::new(self.branch.clone(), self.message.clone()));
        match self.record_size {
            Some(record_size) => options.with_record_size(record_size),
            None => options,
        }
    }
}
