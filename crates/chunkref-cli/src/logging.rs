// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the program's parts report while they work, for those who want to know.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// The form of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Writes events and spans of the level to the error stream of this process; `CHUNKREF_LOG` in the environment may say
/// more exactly which. Only the first call has an effect.
pub(crate) fn start(format: LogFormat, level: Option<&str>) -> Result<(), String> {
    let variable = std::env::var("CHUNKREF_LOG").ok().filter(|value| !value.is_empty());
    let Some(directives) = level.map(|level| format!("chunkref={level}")).or(variable) else {
        return Ok(());
    };
    // The crates are chunkref, chunkref_store and so on, and a directive is for all that begin with it.
    let filter = EnvFilter::try_new(&directives)
        .map_err(|error| format!("the log level {directives:?} cannot be read: {error}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    Ok(())
}
