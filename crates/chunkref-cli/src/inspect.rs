// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref inspect`.

use std::error::Error;

use chunkref::contents;
use chunkref::{Array, Location, Opened, Registry, Scan, ScanOptions, SourceErrorKind, Stores};
use futures::executor::block_on;

use crate::advice::flag;
use crate::arguments::InspectArguments;
use crate::console::{Console, Tone, paint};
use crate::report::shown;
use crate::table::{Align, Table, bytes, counted, grouped};
use crate::{Exit, Stop, report, summary};

struct Inspected {
    location: String,
    format: &'static str,
    description: &'static str,
    length: u64,
    are_references: bool,
    scan: Scan,
}

pub(crate) fn run(arguments: &InspectArguments, console: &mut Console<'_>) -> Result<Exit, Stop> {
    let options = arguments.format.scan_options().with_limits(arguments.stores.limits());
    let registry = chunkref::registry().map_err(|error| Stop::Usage(error.to_string()))?;
    chunkref::validate(&registry, &options).map_err(|error| Stop::Usage(error.to_string()))?;
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let location = Location::parse(&arguments.input);
    if let Ok(location) = &location
        && let Err(error) = stores.validate(location)
        && error.kind == SourceErrorKind::InvalidOption
    {
        return Err(Stop::Usage(error.message));
    }
    let url = location.map(|location| location.url().to_owned()).unwrap_or_default();
    let inspected = match block_on(inspect(&stores, &registry, arguments, &options)) {
        Ok(inspected) => inspected,
        Err(fault) => {
            report::failure(console, &arguments.input, &url, &*fault);
            return Ok(Exit::Failed);
        }
    };
    if arguments.json {
        let Inspected { location, format, length, scan, .. } = &inspected;
        let document = contents::document(location, format, *length, scan, &flag);
        console.document(document)?;
    } else {
        show(&inspected, console)?;
    }
    Ok(Exit::Done)
}

async fn inspect(
    stores: &Stores,
    registry: &Registry,
    arguments: &InspectArguments,
    options: &ScanOptions,
) -> Result<Inspected, Box<dyn Error + Send + Sync>> {
    let location = Location::parse(&arguments.input)?;
    let url = location.url().to_owned();
    let at = arguments.at.as_deref();
    match Opened::open_version(stores, registry, &location, options, at).await? {
        // A reference set, as if it were one file.
        Opened::References(references) => {
            let (format, description) = (references.format().name, references.format().description);
            let dataset = references.into_dataset().await?;
            let scan = Scan::new(dataset);
            let are_references = true;
            Ok(Inspected { location: url, format, description, length: 0, are_references, scan })
        }
        Opened::File(file) => Ok(Inspected {
            location: url,
            format: file.format.name,
            description: file.format.description,
            length: file.length,
            are_references: false,
            scan: file.scan,
        }),
    }
}

fn show(inspected: &Inspected, console: &mut Console<'_>) -> Result<(), Stop> {
    let Inspected { location, format, description, length, are_references, scan } = inspected;
    let dataset = &scan.dataset;
    let groups = contents::groups(dataset);
    let arrays = dataset.arrays();
    let colour = console.out_colour();
    let heading = |text: &str| paint(text, Tone::Heading, colour);
    let attribute_count = arrays.iter().map(|(_, array)| array.attributes.len()).sum::<usize>();
    let group_attributes = groups.iter().map(|(_, count)| count).sum::<usize>();

    writeln!(console, "{}", heading(&shown(location)))?;
    writeln!(console, "format      {format} ({description})")?;
    if *length > 0 {
        writeln!(console, "length      {} ({} bytes)", bytes(*length), grouped(*length))?;
    }
    if *are_references {
        let references = arrays.iter().map(|(_, array)| array.manifest.present()).sum();
        let sources = dataset.sources().len() as u64;
        writeln!(console, "references  {} to {} objects", grouped(references), grouped(sources))?;
    }
    writeln!(console, "attributes  {group_attributes} of groups, {attribute_count} of arrays")?;
    if groups.len() > 1 {
        writeln!(console, "\n{}", heading(&format!("{} groups", groups.len())))?;
        for (path, count) in &groups {
            writeln!(console, "  /{} ({count} attributes)", shown(path))?;
        }
    }
    let dimensions = contents::dimensions(dataset, &groups);
    if !dimensions.is_empty() {
        writeln!(console, "\n{}", heading(&format!("{} dimensions", dimensions.len())))?;
        for row in &dimensions {
            let unlimited = if row.unlimited { " (unlimited)" } else { "" };
            writeln!(console, "  {} = {}{unlimited}", shown(&row.path), row.length)?;
        }
    }
    if !arrays.is_empty() {
        writeln!(console, "\n{}", heading(&counted(arrays.len() as u64, "array")))?;
        table(&arrays).write(console, "  ")?;
    }
    if !scan.skipped.is_empty() {
        writeln!(console, "\n{}", heading(&format!("{} skipped", scan.skipped.len())))?;
        for skip in &scan.skipped {
            writeln!(console, "  {}", report::describe_skip(skip))?;
        }
    }
    Ok(())
}

fn table(arrays: &[(String, &Array)]) -> Table {
    let mut table = Table::new(&[
        ("ARRAY", Align::Left),
        ("SHAPE", Align::Left),
        ("CHUNK SHAPE", Align::Left),
        ("DTYPE", Align::Left),
        ("CODECS", Align::Left),
        ("CHUNKS", Align::Right),
        ("STORED", Align::Right),
        ("LOGICAL", Align::Right),
        ("RATIO", Align::Right),
    ]);
    for (path, array) in arrays {
        let codecs: Vec<_> = array.codecs.iter().map(summary::codec).collect();
        let (present, total) = (array.manifest.present(), array.manifest.count());
        let (stored, logical) = (array.manifest.stored_bytes(), array.logical_bytes());
        table.push([
            path.clone(),
            summary::axes(&array.shape),
            summary::axes(array.chunk_grid.chunk_shape()),
            contents::dtype(&array.dtype),
            codecs.join(" "),
            match total {
                Some(total) if total == present => present.to_string(),
                Some(total) => format!("{present} of {total}"),
                None => format!("{present} of more than 2^64"),
            },
            bytes(stored),
            logical.map_or_else(|| "varies".to_owned(), bytes),
            logical.and_then(|logical| summary::ratio(logical, stored)).unwrap_or_default(),
        ]);
    }
    table
}
