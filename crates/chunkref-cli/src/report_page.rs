// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref report`: a page about a set of references, or a file.
//!
//! | module | holds |
//! |---|---|
//! | `page` | the page as a whole |
//! | `findings` | warnings and notes |
//! | `coverage`, `heat_map` | which chunks are there: in cells, and drawn |
//! | `sizes`, `usage` | stored bytes: of chunks, and in objects |
//! | `time_axis` | axes of time and their gaps |
//! | `markup` | text as HTML, tables |

mod coverage;
mod findings;
mod heat_map;
mod markup;
mod page;
mod sizes;
mod time_axis;
mod usage;

use std::path::{Path, PathBuf};

use chunkref::core::atomic::write_file;
use chunkref::model::provenance::Recorded;
use chunkref::{Dataset, Location, Opened, Skipped, StoreObjects, Stores};
use clap::Args;
use futures::executor::block_on;

use crate::console::Console;
use crate::destination;
use crate::format_arguments::FormatArguments;
use crate::store_arguments::StoreArguments;
use crate::{Exit, Stop, report};
use time_axis::TimeAxis;

/// The command line of `report`.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// References, or a file of a known format; path or URL.
    #[arg(value_name = "CUBE")]
    pub input: String,
    /// Where to write the page [default: standard output].
    #[arg(long, short, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// How a file is scanned.
    #[command(flatten)]
    pub format: FormatArguments,
    /// How references and sources are read.
    #[command(flatten)]
    pub stores: StoreArguments,
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What a page is about.
#[derive(Debug)]
struct Subject {
    location: String,
    /// In words.
    format: String,
    are_references: bool,
    dataset: Dataset,
    /// What a scan left out.
    skipped: Vec<Skipped>,
    recorded: Option<Recorded>,
    times: Vec<TimeAxis>,
}

pub(crate) fn run(arguments: &ReportArguments, console: &mut Console<'_>) -> Result<Exit, Stop> {
    let input = arguments.input.as_str();
    let location = Location::parse(input);
    let output = arguments.output.as_deref().filter(|output| *output != Path::new("-"));
    if let (Some(output), Ok(location)) = (output, &location) {
        destination::refuse_same(location, output)?;
    }
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let subject = match block_on(read(arguments, &stores)) {
        Ok(subject) => subject,
        Err(fault) => {
            let url = location.map(|location| location.url().to_owned());
            report::failure(console, input, &url.unwrap_or_default(), &*fault);
            return Ok(Exit::Failed);
        }
    };
    let Some(output) = output else {
        page::write(console.data(), &subject)?;
        return Ok(Exit::Done);
    };
    match write_file(output, None, |out| Ok(page::write(out, &subject)?)) {
        Ok(()) => Ok(Exit::Done),
        Err(error) => {
            report::unwritten(console, output, &error);
            Ok(Exit::Failed)
        }
    }
}

async fn read(arguments: &ReportArguments, stores: &Stores) -> Result<Subject, Fault> {
    let registry = chunkref::registry()?;
    let options = arguments.format.scan_options().with_limits(arguments.stores.limits());
    chunkref::validate(&registry, &options)?;
    let location = Location::parse(&arguments.input)?;
    let url = location.url().to_owned();
    let opened = Opened::open(stores, &registry, &location, &options).await?;
    let objects = StoreObjects::new(stores.clone(), opened.policy(stores)?);
    let mut subject = match opened {
        Opened::References(references) => Subject {
            location: url,
            format: references.format().description.to_owned(),
            are_references: true,
            recorded: references.recorded().cloned(),
            dataset: references.into_partial_dataset().await?,
            skipped: Vec::new(),
            times: Vec::new(),
        },
        Opened::File(file) => Subject {
            location: url,
            format: file.format.description.to_owned(),
            are_references: false,
            recorded: None,
            dataset: file.scan.dataset,
            skipped: file.scan.skipped,
            times: Vec::new(),
        },
    };
    subject.times = time_axis::read(&subject.dataset, &objects).await?;
    Ok(subject)
}
