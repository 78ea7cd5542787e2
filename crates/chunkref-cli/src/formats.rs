// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref formats`.

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
    let options: Vec<_> = registry.entries().iter().flat_map(|entry| entry.options).collect();
    if !options.is_empty() {
        writeln!(console)?;
        let mut table =
            Table::new(&[("--option", Align::Left), ("VALUES", Align::Left), ("", Align::Left)]);
        for option in options {
            let default =
                option.default.map(|value| format!(" (default: {value})")).unwrap_or_default();
            let help = format!("{}{default}", option.help);
            table.push([option.name.to_owned(), option.takes.placeholder(), help]);
        }
        table.write(console, "")?;
    }
    Ok(Exit::Done)
}
