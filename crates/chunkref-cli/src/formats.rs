// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref formats`.

use chunkref::FormatOption;

use crate::console::Console;
use crate::table::{Align, Table};
use crate::{Exit, Stop};

pub(crate) fn run(console: &mut Console<'_>) -> Result<Exit, Stop> {
    let registry = chunkref::registry().map_err(|error| Stop::Usage(error.to_string()))?;
    let mut table = Table::new(&[
        ("FORMAT", Align::Left),
        ("EXTENSIONS", Align::Left),
        ("DESCRIPTION", Align::Left),
    ]);
    for entry in registry.entries() {
        table.push([
            entry.name.to_owned(),
            entry.extensions.join(" "),
            entry.description.to_owned(),
        ]);
    }
    table.write(console, "")?;
    options(console, "--option", registry.entries().iter().flat_map(|entry| entry.options))?;
    writeln!(console)?;
    outputs(console)?;
    Ok(Exit::Done)
}

/// The formats that references are written in.
fn outputs(console: &mut Console<'_>) -> Result<(), Stop> {
    let formats = chunkref::emit::formats().map_err(|error| Stop::Usage(error.to_string()))?;
    let mut table = Table::new(&[
        ("OUTPUT", Align::Left),
        ("NAMES", Align::Left),
        ("ZARR", Align::Left),
        ("CAN", Align::Left),
        ("DESCRIPTION", Align::Left),
    ]);
    for entry in formats.entries() {
        let can: Vec<_> = entry.capabilities.iter().map(ToString::to_string).collect();
        let description = match entry.absence() {
            Some(reason) => format!("{}; {reason}", entry.description),
            None => entry.description.to_owned(),
        };
        table.push([
            entry.word.to_owned(),
            entry.endings.join(" "),
            entry.zarr_version.to_string(),
            can.join(" "),
            description,
        ]);
    }
    table.write(console, "")?;
    options(console, "--output-option", formats.options())
}

/// Options, and the argument that sets them.
fn options(
    console: &mut Console<'_>,
    setter: &'static str,
    options: impl Iterator<Item = &'static FormatOption>,
) -> Result<(), Stop> {
    let mut options = options.peekable();
    if options.peek().is_none() {
        return Ok(());
    }
    writeln!(console)?;
    let mut table =
        Table::new(&[(setter, Align::Left), ("VALUES", Align::Left), ("", Align::Left)]);
    for option in options {
        let default =
            option.default.map(|value| format!(" (default: {value})")).unwrap_or_default();
        let help = format!("{}{default}", option.help);
        table.push([option.name.to_owned(), option.takes.placeholder(), help]);
    }
    Ok(table.write(console, "")?)
}
