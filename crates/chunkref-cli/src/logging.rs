// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the program's parts report while they work, for those who want to know.

use std::io::{self, Write};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::console::{harmless, harmless_json};

/// The form of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Where events go, each in one piece.
struct Sink {
    json: bool,
}

impl Write for Sink {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = match serde_json::from_str(&text) {
            Ok(document) if self.json => format!("{}\n", harmless_json(document, false)),
            _ => harmless(&text, false),
        };
        io::stderr().write_all(text.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
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
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let _ = match format {
        LogFormat::Text => builder.with_writer(|| Sink { json: false }).try_init(),
        LogFormat::Json => builder.json().with_writer(|| Sink { json: true }).try_init(),
    };
    Ok(())
}
