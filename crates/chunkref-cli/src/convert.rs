// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref convert`.

use std::error::Error;
use std::path::PathBuf;

use chunkref::store::Location;
use chunkref::{Emitted, References, Stores};
use clap::Args;
use futures::executor::block_on;

use crate::console::Console;
use crate::destination;
use crate::emit_arguments::EmitArguments;
use crate::output::{Output, is_stdout};
use crate::store_arguments::StoreArguments;
use crate::table::{bytes, counted};
use crate::{Exit, Stop, report, scan};

/// The command line of `convert`.
#[derive(Debug, Args)]
pub struct ConvertArguments {
    /// References of any format that `chunkref formats` lists; path or URL.
    #[arg(value_name = "IN")]
    pub input: String,
    /// Where to write, - for the standard output.
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Branch, tag or snapshot to read, of references that have a history [default: the current one].
    #[arg(long, value_name = "NAME")]
    pub at: Option<String>,
    /// How references are written.
    #[command(flatten)]
    pub emit: EmitArguments,
    /// How the input is read.
    #[command(flatten)]
    pub stores: StoreArguments,
}

type Fault = Box<dyn Error + Send + Sync>;

pub(crate) fn run(arguments: &ConvertArguments, console: &mut Console<'_>) -> Result<Exit, Stop> {
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let input = arguments.input.as_str();
    let location = match Location::parse(input) {
        Ok(location) => location,
        Err(error) => {
            report::failure(console, input, input, &error);
            return Ok(Exit::Failed);
        }
    };
    destination::refuse_same(&location, &arguments.output)?;
    let output = arguments.emit.output(&stores)?;
    output.check_stdout(&arguments.output)?;
    output.warn_of_ending(&arguments.output, console);
    match convert(arguments, &output, &stores, &location, console)? {
        Ok(emitted) => {
            if !console.quiet() && !is_stdout(&arguments.output) {
                let message = format!(
                    "{}, {}: {}",
                    counted(emitted.references, "reference"),
                    bytes(emitted.bytes),
                    arguments.output.display()
                );
                report::note(console, &message);
            }
            Ok(Exit::Done)
        }
        Err(fault) => {
            let to_stdout = is_stdout(&arguments.output);
            if let Some(error) = scan::output_error(&*fault).filter(|_| to_stdout) {
                return Err(Stop::Output(error));
            }
            report::failure(console, input, location.url(), &*fault);
            Ok(Exit::Failed)
        }
    }
}

/// The inner error is that of an input or output.
fn convert(
    arguments: &ConvertArguments,
    output: &Output,
    stores: &Stores,
    location: &Location,
    console: &mut Console<'_>,
) -> Result<Result<Emitted, Fault>, Stop> {
    let read = block_on(async {
        let at = arguments.at.as_deref();
        let references = References::open_version(stores, location, at).await?;
        let provenance = references.recorded().map(|recorded| recorded.provenance.clone());
        Ok::<_, chunkref::ReferencesError>((references.into_dataset().await?, provenance))
    });
    let (dataset, provenance) = match read {
        Ok(read) => read,
        Err(error) => return Ok(Err(error.into())),
    };
    let mut options = output.options.clone();
    options.provenance = provenance;
    let written = output.write(&dataset, &arguments.output, &options, console)?;
    Ok(written.map_err(Into::into))
}
