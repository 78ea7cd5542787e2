// SPDX-License-Identifier: MIT OR Apache-2.0
//! The part of the command line that says how inputs are read.

use std::num::NonZeroUsize;
use std::time::Duration;

use chunkref::store::{StorageOption, StorageOptions, StoreOptions};
use chunkref::{Limits, Stores, UrlPrefix};
use clap::Args;

/// How inputs are read that are not files of this machine.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stores")]
pub struct StoreArguments {
    /// Read without credentials, as public buckets allow.
    #[arg(long)]
    pub anon: bool,
    /// Let reference sets name objects that begin with this URL or path, besides those beside the set, with your credentials
    /// for their store; may be given several times.
    #[arg(long, value_name = "URL-PREFIX", value_parser = prefix)]
    pub allow: Vec<UrlPrefix>,
    /// Set an option of the store, as object stores or fsspec spell it (`region`, `endpoint_url`, `key`, …); may be given several
    /// times. STORE:NAME=VALUE sets it for one store alone, such as s3://bucket:key=…; a secret needs that when inputs are in
    /// several. The variable `CHUNKREF_STORAGE_NAME` of the environment sets the option NAME.
    #[arg(long = "storage-option", value_name = "NAME=VALUE", value_parser = storage_option)]
    pub storage_options: Vec<StorageOption>,
    /// Requests under way at one time in all.
    #[arg(long, value_name = "N", default_value = "256")]
    pub concurrency: NonZeroUsize,
    /// Requests under way at one time for one file.
    #[arg(long, value_name = "N", default_value = "128")]
    pub concurrency_per_file: NonZeroUsize,
    /// Requests under way at one time at one host [default: as many as in all].
    #[arg(long, value_name = "N")]
    pub concurrency_per_host: Option<NonZeroUsize>,
    /// Tries of a request that failed, after the first.
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub retries: u32,
    /// Give a request up that brings nothing for so long.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub timeout: Duration,
    /// Give a file up whose reading takes so long; 0 for never.
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    pub deadline: Duration,
    /// Read URLs with a signature or token in the query, and let references hold it.
    #[arg(long)]
    pub keep_query: bool,
    /// Set a bound on what a file or a set of references may cost, such as `metadata-bytes=1GiB`; may be given several
    /// times. The guide on security lists the names.
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = limit)]
    pub limits: Vec<(String, String)>,
}

impl StoreArguments {
    /// Stores with these options, and those of the environment where the command line does not say otherwise.
    ///
    /// # Errors
    /// What is wrong with an option.
    pub fn stores(&self) -> Result<Stores, String> {
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let mut options = StoreOptions::default();
        options.storage = StorageOptions::from_environment(environment);
        for option in &self.storage_options {
            options.storage.add(option.clone()).map_err(|error| error.message)?;
        }
        options.allow.clone_from(&self.allow);
        options.anonymous = self.anon;
        options.requests = self.concurrency;
        options.requests_per_object = self.concurrency_per_file;
        options.requests_per_host = self.concurrency_per_host.unwrap_or(self.concurrency);
        options.retry.retries = self.retries;
        options.timeout = self.timeout.max(Duration::from_millis(1));
        options.deadline = Some(self.deadline).filter(|deadline| !deadline.is_zero());
        options.keep_query = self.keep_query;
        options.limits = self.limits();
        options.cancellation = crate::interrupt::cancellation();
        Ok(Stores::new(options))
    }

    /// The bounds on what is read.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        for (name, value) in &self.limits {
            // The command line was checked when it was parsed.
            let _ = limits.set(name, value);
        }
        limits
    }
}

fn limit(text: &str) -> Result<(String, String), String> {
    let (name, value) = crate::format_arguments::parse_option(text)?;
    Limits::default().set(&name, &value).map_err(|error| error.to_string())?;
    Ok((name, value))
}

fn prefix(text: &str) -> Result<UrlPrefix, String> {
    text.parse().map_err(|error: chunkref::SourceError| error.message)
}

pub(crate) fn storage_option(text: &str) -> Result<StorageOption, String> {
    text.parse().map_err(|error: chunkref::SourceError| error.message)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "write it as a number of seconds".to_owned())
}
