// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref verify`.

use std::fmt::Write;
use std::num::NonZeroUsize;

use chunkref::verify::{Failure, Report, Sample, VerifyOptions, verify};
use chunkref::{Location, References, Resolution};
use clap::Args;
use futures::executor::block_on;

use crate::advice::flag;
use crate::console::{Console, Tone, paint};
use crate::format_arguments::FormatArguments;
use crate::report::shown;
use crate::store_arguments::StoreArguments;
use crate::table::{counted, grouped};
use crate::{Exit, Stop, report};

/// Failures of a check that are shown to people.
const MOST_SHOWN: usize = 20;

/// The command line of `verify`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub struct VerifyArguments {
    /// References of any format that `chunkref formats` lists; path or URL.
    #[arg(value_name = "CUBE")]
    pub input: String,
    /// Read and decode this many chunks, spread over arrays and files; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub sample: usize,
    /// Read and decode every chunk.
    #[arg(long, conflicts_with = "sample")]
    pub all: bool,
    /// Do not look whether sources are still what they were.
    #[arg(long)]
    pub no_freshness: bool,
    /// Scan the sources of the sampled chunks again, all sources with --all, and hold references and their places in the
    /// cube against that.
    #[arg(long)]
    pub against_source: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// How sources are scanned for --against-source.
    #[command(flatten)]
    pub format: FormatArguments,
    /// How references and sources are read.
    #[command(flatten)]
    pub stores: StoreArguments,
}

impl VerifyArguments {
    fn options(&self) -> VerifyOptions {
        let mut options = VerifyOptions::default();
        options.sample = match NonZeroUsize::new(self.sample) {
            _ if self.all => Sample::All,
            Some(count) => Sample::Some(count),
            None => Sample::None,
        };
        options.freshness = !self.no_freshness;
        let scan = || self.format.scan_options().with_limits(self.stores.limits());
        options.against_source = self.against_source.then(scan);
        options
    }
}

pub(crate) fn run(arguments: &VerifyArguments, console: &mut Console<'_>) -> Result<Exit, Stop> {
    let input = arguments.input.as_str();
    let options = arguments.options();
    if let Some(scanning) = &options.against_source {
        let registry = chunkref::registry().map_err(|error| Stop::Usage(error.to_string()))?;
        chunkref::validate(&registry, scanning).map_err(|error| Stop::Usage(error.to_string()))?;
    }
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let location = match Location::parse(input) {
        Ok(location) => location,
        Err(error) => {
            report::failure(console, input, input, &error);
            return Ok(Exit::Failed);
        }
    };
    let outcome = block_on(async {
        let references = References::open(&stores, &location).await?;
        verify(&stores, references, &options).await
    });
    let found = match outcome {
        Ok(found) => found,
        Err(error) => {
            report::failure(console, input, location.url(), &error);
            return Ok(Exit::Failed);
        }
    };
    if arguments.json {
        console.document(found.document(location.url()))?;
    } else {
        show(location.url(), &found, console)?;
    }
    Ok(if found.is_sound() { Exit::Done } else { Exit::Failed })
}

fn show(url: &str, found: &Report, console: &mut Console<'_>) -> Result<(), Stop> {
    let colour = console.out_colour();
    writeln!(console, "{}", paint(&shown(url), Tone::Heading, colour))?;
    writeln!(
        console,
        "{} of {} into {}; {} inline, {} missing",
        counted(found.references, "reference"),
        counted(found.arrays, "array"),
        counted(found.sources, "source"),
        grouped(found.inline),
        counted(found.missing, "chunk")
    )?;
    for check in &found.checks {
        let unchecked = match check.unchecked {
            0 => String::new(),
            count => format!(", {} not checked", grouped(count)),
        };
        let verdict = match (check.failed, check.checked) {
            (0, 0) if check.unchecked > 0 => {
                format!("0 {} fine{unchecked}", check.unit)
            }
            (0, 0) => "nothing to check".to_owned(),
            (0, checked) => format!("{} {} fine{unchecked}", grouped(checked), check.unit),
            (failed, checked) => {
                let failures = counted(failed, "failure");
                let text = format!("{failures} in {} {}", grouped(checked), check.unit);
                format!("{}{unchecked}", paint(&text, Tone::Error, colour))
            }
        };
        writeln!(console, "{:<15} {verdict}", check.name)?;
        for failure in check.failures.iter().take(MOST_SHOWN) {
            writeln!(console, "  {}", shown(&describe(failure)))?;
            if let Some(allow) = &failure.allow {
                let allow = Resolution::Allow { object: String::new(), allow: allow.clone() };
                writeln!(console, "    {}", shown(&allow.in_words(&flag)))?;
            }
        }
        if check.failed > MOST_SHOWN as u64 {
            let more = check.failed.saturating_sub(MOST_SHOWN as u64);
            writeln!(console, "  … and {} more; --json lists up to 1000", grouped(more))?;
        }
        if let Some(cancelled) = check.ended {
            let text = format!("not finished: {cancelled}");
            writeln!(console, "  {}", paint(&text, Tone::Error, colour))?;
        }
        for note in &check.notes {
            writeln!(console, "  note: {}", shown(note))?;
        }
    }
    let (verdict, tone) = if found.is_sound() {
        ("sound, as far as it was checked", Tone::Heading)
    } else if found.checks.iter().all(|check| check.failed == 0) {
        ("not checked to the end", Tone::Error)
    } else {
        ("not sound", Tone::Error)
    };
    writeln!(console, "{}", paint(verdict, tone, colour))?;
    Ok(())
}

fn describe(failure: &Failure) -> String {
    let mut text = String::new();
    if let Some(array) = &failure.array {
        text.push_str(array);
    }
    if let Some(chunk) = &failure.chunk {
        let numbers: Vec<_> = chunk.iter().map(ToString::to_string).collect();
        text.push('[');
        text.push_str(&numbers.join(","));
        text.push(']');
    }
    if let Some(url) = &failure.url {
        if !text.is_empty() {
            text.push_str(" at ");
        }
        text.push_str(url);
    }
    match failure.range {
        Some((_, u64::MAX)) => text.push_str(" (the whole object)"),
        Some((offset, length)) => {
            let end = offset.saturating_add(length);
            let _ = write!(text, " bytes {offset} to {end}");
        }
        None => {}
    }
    format!("{text}: {}", failure.reason)
}
