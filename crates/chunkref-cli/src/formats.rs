// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref formats`.

use chunkref::core::{CodecEntry, CodecInput, Codecs, Form, LengthChange};
use chunkref::{FormatOption, ReferenceFormat, ReferenceFormats, Registry, ScannerEntry};
use serde_json::{Value, json};

use crate::arguments::FormatsArguments;
use crate::console::Console;
use crate::table::{Align, Table};
use crate::{Exit, Stop};

pub(crate) fn run(arguments: &FormatsArguments, console: &mut Console<'_>) -> Result<Exit, Stop> {
    let usage = |error: &dyn std::error::Error| Stop::Usage(error.to_string());
    let inputs = chunkref::registry().map_err(|error| usage(&error))?;
    let outputs = chunkref::emit::formats().map_err(|error| usage(&error))?;
    let codecs = Codecs::linked().map_err(|error| usage(&error))?;
    if arguments.json {
        console.document(document(&inputs, &outputs, codecs))?;
        return Ok(Exit::Done);
    }
    show_inputs(&inputs, console)?;
    writeln!(console)?;
    show_outputs(&outputs, console)?;
    writeln!(console)?;
    show_codecs(codecs, console)?;
    Ok(Exit::Done)
}

fn show_inputs(inputs: &Registry, console: &mut Console<'_>) -> Result<(), Stop> {
    let mut table = Table::new(&[
        ("FORMAT", Align::Left),
        ("EXTENSIONS", Align::Left),
        ("DESCRIPTION", Align::Left),
    ]);
    for entry in inputs.entries() {
        table.push([
            entry.name.to_owned(),
            entry.extensions.join(" "),
            entry.description.to_owned(),
        ]);
    }
    table.write(console, "")?;
    options(console, "--option", inputs.entries().iter().flat_map(|entry| entry.options))
}

/// The formats that references are written in.
fn show_outputs(outputs: &ReferenceFormats, console: &mut Console<'_>) -> Result<(), Stop> {
    let mut table = Table::new(&[
        ("OUTPUT", Align::Left),
        ("NAMES", Align::Left),
        ("ZARR", Align::Left),
        ("CAN", Align::Left),
        ("DESCRIPTION", Align::Left),
    ]);
    for entry in outputs.entries() {
        let description = match entry.absence() {
            Some(reason) => format!("{}; {reason}", entry.description),
            None => entry.description.to_owned(),
        };
        table.push([
            entry.word.to_owned(),
            entry.endings.join(" "),
            entry.zarr_version.to_string(),
            capabilities(entry).join(" "),
            description,
        ]);
    }
    table.write(console, "")?;
    options(console, "--output-option", outputs.options())
}

fn show_codecs(codecs: &Codecs, console: &mut Console<'_>) -> Result<(), Stop> {
    let mut table = Table::new(&[
        ("CODEC", Align::Left),
        ("ZARR 3", Align::Left),
        ("HDF5 FILTER", Align::Right),
        ("DOES", Align::Left),
    ]);
    for entry in codecs.entries() {
        let filter = entry.hdf5_filter.map(|id| id.to_string()).unwrap_or_default();
        let name = entry.zarr_v3_name().into_owned();
        table.push([entry.name.to_owned(), name, filter, does(entry).join(" ")]);
    }
    Ok(table.write(console, "")?)
}

fn capabilities(entry: &ReferenceFormat) -> Vec<String> {
    entry.capabilities.iter().map(ToString::to_string).collect()
}

fn does(entry: &CodecEntry) -> Vec<&'static str> {
    ["decode"].into_iter().chain(entry.encodes().then_some("encode")).collect()
}

/// Options, the argument that sets them, and their flags.
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
    let mut table = Table::new(&[
        (setter, Align::Left),
        ("FLAG", Align::Left),
        ("VALUES", Align::Left),
        ("", Align::Left),
    ]);
    for option in options {
        let default =
            option.default.map(|value| format!(" (default: {value})")).unwrap_or_default();
        let help = format!("{}{default}", option.help);
        let flags = flags(option).join(" ");
        table.push([option.name.to_owned(), flags, option.takes.placeholder(), help]);
    }
    Ok(table.write(console, "")?)
}

fn flags(option: &FormatOption) -> Vec<String> {
    option.flags().map(|flag| format!("--{flag}")).collect()
}

/// All of it for machines.
fn document(inputs: &Registry, outputs: &ReferenceFormats, codecs: &Codecs) -> Value {
    let of_option = |option: &FormatOption| {
        json!({
            "name": option.name,
            "flags": flags(option),
            "takes": option.takes.placeholder(),
            "default": option.default,
            "help": option.help,
        })
    };
    let options = |options: &[FormatOption]| options.iter().map(of_option).collect::<Vec<_>>();
    let input = |entry: &ScannerEntry| {
        json!({
            "name": entry.name,
            "aliases": entry.aliases,
            "extensions": entry.extensions,
            "description": entry.description,
            "options": options(entry.options),
        })
    };
    let output = |entry: &ReferenceFormat| {
        json!({
            "name": entry.name,
            "word": entry.word,
            "endings": entry.endings,
            "form": match entry.form { Form::File => "file", Form::Folder => "folder" },
            "zarr_version": entry.zarr_version,
            "can": capabilities(entry),
            "description": entry.description,
            "absent": entry.absence(),
            "options": options(entry.options),
        })
    };
    let codec = |entry: &CodecEntry| {
        json!({
            "name": entry.name,
            "zarr_v3": entry.zarr_v3_name(),
            "hdf5_filter": entry.hdf5_filter,
            "does": does(entry),
            "works_on": if entry.input == CodecInput::Elements { "elements" } else { "bytes" },
            "longer_by": match entry.length {
                LengthChange::None => Some(0),
                LengthChange::Longer(more) => Some(more),
                _ => None,
            },
        })
    };
    json!({
        "formats": inputs.entries().iter().map(input).collect::<Vec<_>>(),
        "outputs": outputs.entries().iter().map(output).collect::<Vec<_>>(),
        "codecs": codecs.entries().iter().map(codec).collect::<Vec<_>>(),
    })
}
