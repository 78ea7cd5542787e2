// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref convert`.

use std::error::Error;
use std::path::{Path, PathBuf};

use chunkref::emit::write_kerchunk_json;
use chunkref::store::Location;
use chunkref::{EmitOptions, Emitted, References, Stores};
use clap::Args;
use futures::executor::block_on;

use crate::console::Console;
use crate::destination;
use crate::emit_arguments::EmitArguments;
use crate::store_arguments::StoreArguments;
use crate::table::{bytes, grouped};
use crate::{Exit, Stop, report, scan};

/// The command line of `convert`.
#[derive(Debug, Args)]
pub struct ConvertArguments {
    /// References: kerchunk JSON (also .gz, .zst), a folder of kerchunk Parquet or an Icechunk repository; path or URL.
    #[arg(value_name = "IN")]
    pub input: String,
    /// Where to write, - for JSON on standard output.
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Branch, tag or snapshot to read of an Icechunk repository [default: main].
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
    match convert(arguments, &stores, &location, console) {
        Ok(emitted) => {
            if !console.quiet() && arguments.output != Path::new("-") {
                let message = format!(
                    "{} references, {}: {}",
                    grouped(emitted.references),
                    bytes(emitted.bytes),
                    arguments.output.display()
                );
                report::note(console, &message);
            }
            Ok(Exit::Done)
        }
        Err(fault) => {
            let to_stdout = arguments.output == Path::new("-");
            if let Some(error) = scan::output_error(&*fault).filter(|_| to_stdout) {
                return Err(Stop::Output(error));
            }
            report::failure(console, input, location.url(), &*fault);
            Ok(Exit::Failed)
        }
    }
}

fn convert(
    arguments: &ConvertArguments,
    stores: &Stores,
    location: &Location,
    console: &mut Console<'_>,
) -> Result<Emitted, Fault> {
    let references = block_on(References::open_version(stores, location, arguments.at.as_deref()))?;
    let provenance = references.recorded().map(|recorded| recorded.provenance.clone());
    let dataset = block_on(references.into_dataset())?;
    let options: EmitOptions = arguments.emit.options(stores);
    let options = match provenance {
        Some(provenance) => options.with_provenance(provenance),
        None => options,
    };
    if arguments.output == Path::new("-") {
        return Ok(write_kerchunk_json(&dataset, &options, console.data())?);
    }
    let target = arguments.emit.target(&arguments.output);
    Ok(target.emitter().emit(&dataset, &arguments.output, &options)?)
}
