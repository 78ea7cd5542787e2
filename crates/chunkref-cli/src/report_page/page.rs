// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page as a whole.

use std::io::{self, Write};

use chunkref::model::WHOLE_OBJECT;
use chunkref::{Array, ChunkRef, contents};

use super::coverage::Coverage;
use super::markup::{Column, Plain, begin_table, end_table};
use super::sizes::Histogram;
use super::time_axis::TimeAxis;
use super::{Subject, findings, heat_map, time_axis, usage};
use crate::summary;
use crate::table::{bytes, grouped};

/// Variables with a picture of their own.
const MOST_PICTURES: usize = 200;
/// Dimensions in the table.
const MOST_DIMENSIONS: usize = 1000;

const STYLE: &str = include_str!("page.css");

const CONTENTS: [(&str, &str); 7] = [
    ("findings", "Warnings"),
    ("dimensions", "Dimensions"),
    ("variables", "Variables"),
    ("coverage", "Coverage"),
    ("sizes", "Chunk sizes"),
    ("sources", "Sources"),
    ("time", "Time"),
];

/// Writes the page.
pub(super) fn write(out: &mut dyn Write, subject: &Subject) -> io::Result<()> {
    let arrays = subject.dataset.arrays();
    let usages = usage::usages(&subject.dataset, subject.recorded.as_ref());
    let mut sizes = Histogram::new();
    for (_, array) in &arrays {
        sizes.add(&array.manifest);
    }
    let location = Plain(&subject.location);
    // No script runs and nothing is loaded, whatever the page says.
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"generator\" content=\"chunkref {}\">\n<title>{location} – chunkref report</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header>\n\
         <h1>{location}</h1>\n<p class=\"soft\">{}</p>",
        env!("CARGO_PKG_VERSION"),
        Plain(&subject.format)
    )?;
    figures(out, subject, &arrays)?;
    writeln!(out, "<nav aria-label=\"Contents\"><ul>")?;
    for (id, title) in CONTENTS {
        writeln!(out, "<li><a href=\"#{id}\">{title}</a></li>")?;
    }
    writeln!(out, "</ul></nav>\n</header>\n<main id=\"main\">")?;
    for (id, title) in CONTENTS {
        let heading = format!("heading-{id}");
        writeln!(
            out,
            "<section id=\"{id}\" aria-labelledby=\"{heading}\">\n<h2 id=\"{heading}\">{title}</h2>"
        )?;
        match id {
            "findings" => {
                let found = findings::findings(subject, &usages, &subject.times, &sizes);
                findings::write(out, &found)?;
            }
            "dimensions" => dimensions(out, subject)?,
            "variables" => variables(out, &arrays)?,
            "coverage" => coverage(out, &arrays)?,
            "sizes" if sizes.classes().is_empty() && sizes.unknown == 0 => {
                writeln!(out, "<p>There are no chunks.</p>")?;
            }
            "sizes" => {
                sizes.write(out, "sizes-all", "Chunks of all variables by their stored bytes")?;
            }
            "sources" if usages.is_empty() => {
                writeln!(out, "<p>No chunk lies in a source.</p>")?;
            }
            "sources" => usage::write(out, &usages)?,
            _ => times(out, &subject.times)?,
        }
        writeln!(out, "</section>")?;
    }
    origin(out, subject)?;
    writeln!(
        out,
        "</main>\n<footer>Written by chunkref {}. The page is complete in itself and loads nothing.</footer>\n</body>\n</html>",
        env!("CARGO_PKG_VERSION")
    )
}

fn figures(out: &mut dyn Write, subject: &Subject, arrays: &[(String, &Array)]) -> io::Result<()> {
    let sum = |part: &dyn Fn(&Array) -> u64| {
        arrays.iter().fold(0_u64, |sum, (_, array)| sum.saturating_add(part(array)))
    };
    let there = sum(&|array| array.manifest.present());
    let missing = sum(&|array| {
        array.manifest.count().unwrap_or(u64::MAX).saturating_sub(array.manifest.present())
    });
    let stored = sum(&|array| array.manifest.stored_bytes());
    let logical = sum(&|array| array.logical_bytes().unwrap_or_default());
    writeln!(out, "<dl class=\"figures\">")?;
    for (name, value) in [
        ("Variables", grouped(arrays.len() as u64)),
        ("References", grouped(there)),
        ("Missing chunks", grouped(missing)),
        ("Source objects", grouped(subject.dataset.sources().len() as u64)),
        ("Stored", bytes(stored)),
        ("Decoded", bytes(logical)),
    ] {
        writeln!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>")?;
    }
    writeln!(out, "</dl>")
}

fn dimensions(out: &mut dyn Write, subject: &Subject) -> io::Result<()> {
    let groups = contents::groups(&subject.dataset);
    let rows = contents::dimensions(&subject.dataset, &groups);
    if rows.is_empty() {
        return writeln!(out, "<p>There are no dimensions.</p>");
    }
    let columns =
        [("Dimension", Column::Text), ("Length", Column::Number), ("May grow", Column::Text)];
    begin_table(out, "dimensions-all", "Dimensions, with the path of their group", &columns)?;
    for row in rows.iter().take(MOST_DIMENSIONS) {
        writeln!(
            out,
            "<tr><th scope=\"row\"><code>{}</code></th><td class=\"number\">{}</td><td>{}</td></tr>",
            Plain(&row.path),
            grouped(row.length),
            if row.unlimited { "yes" } else { "no" }
        )?;
    }
    end_table(out)?;
    more(out, rows.len(), MOST_DIMENSIONS, "dimensions")
}

fn more(out: &mut dyn Write, all: usize, shown: usize, what: &str) -> io::Result<()> {
    match all.checked_sub(shown) {
        None | Some(0) => Ok(()),
        Some(rest) => writeln!(out, "<p>{} more {what} are not shown.</p>", grouped(rest as u64)),
    }
}

fn variables(out: &mut dyn Write, arrays: &[(String, &Array)]) -> io::Result<()> {
    if arrays.is_empty() {
        return writeln!(out, "<p>There are no variables.</p>");
    }
    let columns = [
        ("Variable", Column::Text),
        ("Dimensions", Column::Text),
        ("Shape", Column::Text),
        ("Chunk shape", Column::Text),
        ("Type", Column::Text),
        ("Codecs", Column::Text),
        ("References", Column::Number),
        ("Stored", Column::Number),
        ("Decoded", Column::Number),
        ("Ratio", Column::Number),
    ];
    let caption = "Variables; codecs are in the order in which they were applied";
    begin_table(out, "variables-all", caption, &columns)?;
    for (path, array) in arrays {
        let codecs: Vec<_> = array.codecs.iter().map(summary::codec).collect();
        let (present, count) = (array.manifest.present(), array.manifest.count());
        let (stored, logical) = (array.manifest.stored_bytes(), array.logical_bytes());
        write!(out, "<tr><th scope=\"row\"><code>{}</code></th>", Plain(path))?;
        for text in [
            if array.dimensions.is_empty() {
                "–".to_owned()
            } else {
                array.dimensions.join(", ")
            },
            summary::axes(&array.shape),
            summary::axes(array.chunk_grid.chunk_shape()),
            contents::dtype(&array.dtype),
            if codecs.is_empty() { "none".to_owned() } else { codecs.join(" ") },
        ] {
            write!(out, "<td>{}</td>", Plain(&text))?;
        }
        let references = match count {
            Some(count) if count == present => grouped(present),
            Some(count) => format!("{} of {}", grouped(present), grouped(count)),
            None => format!("{} of more than 2^64", grouped(present)),
        };
        for text in [
            references,
            bytes(stored),
            logical.map_or_else(|| "varies".to_owned(), bytes),
            logical.and_then(|logical| summary::ratio(logical, stored)).unwrap_or_default(),
        ] {
            write!(out, "<td class=\"number\">{text}</td>")?;
        }
        writeln!(out, "</tr>")?;
    }
    end_table(out)
}

/// A figure and a histogram for each variable; of many, for those with the most chunks.
fn coverage(out: &mut dyn Write, arrays: &[(String, &Array)]) -> io::Result<()> {
    out.write_all(heat_map::LEGEND.as_bytes())?;
    let mut order: Vec<usize> = (0..arrays.len()).collect();
    if arrays.len() > MOST_PICTURES {
        order.sort_by_key(|&place| {
            std::cmp::Reverse(arrays.get(place).and_then(|(_, array)| array.manifest.count()))
        });
    }
    let mut single = Vec::new();
    for &place in order.iter().take(MOST_PICTURES) {
        let Some((path, array)) = arrays.get(place) else { continue };
        if array.manifest.count() == Some(1) {
            single.push((path.as_str(), *array));
            continue;
        }
        writeln!(out, "<article>\n<h3><code>{}</code></h3>", Plain(path))?;
        match Coverage::of(&array.manifest) {
            Some(coverage) => heat_map::write(out, place, path, array, &coverage)?,
            None if array.manifest.count() == Some(0) => writeln!(out, "<p>It has no chunks.</p>")?,
            None => writeln!(out, "<p>It has more than 2^64 chunks.</p>")?,
        }
        let mut sizes = Histogram::new();
        sizes.add(&array.manifest);
        if array.manifest.present() > 0 {
            writeln!(out, "<details>\n<summary>Chunk sizes</summary>")?;
            let caption = format!("Chunks of {} by their stored bytes", Plain(path));
            sizes.write(out, &format!("sizes-{place}"), &caption)?;
            writeln!(out, "</details>")?;
        }
        writeln!(out, "</article>")?;
    }
    single_chunks(out, &single)?;
    more(out, order.len(), MOST_PICTURES, "variables")
}

/// Variables of one chunk, a line for each.
fn single_chunks(out: &mut dyn Write, arrays: &[(&str, &Array)]) -> io::Result<()> {
    if arrays.is_empty() {
        return Ok(());
    }
    writeln!(out, "<article>\n<h3>Variables of one chunk</h3>")?;
    let columns = [("Variable", Column::Text), ("Chunk", Column::Text), ("Stored", Column::Number)];
    begin_table(out, "single-chunks", "Where the chunk of each variable is", &columns)?;
    for (path, array) in arrays {
        let place = array.manifest.chunk_indices(0);
        let reference = array.manifest.get(&place);
        write!(out, "<tr><th scope=\"row\"><code>{}</code></th><td class=\"mark\">", Plain(path))?;
        heat_map::mark(out, &reference)?;
        let stored = match reference {
            ChunkRef::Missing => "–".to_owned(),
            ChunkRef::Virtual { length: WHOLE_OBJECT, .. } => "not known".to_owned(),
            _ => bytes(array.manifest.stored_bytes()),
        };
        writeln!(out, "</td><td class=\"number\">{stored}</td></tr>")?;
    }
    end_table(out)?;
    writeln!(out, "</article>")
}

fn times(out: &mut dyn Write, axes: &[TimeAxis]) -> io::Result<()> {
    if axes.is_empty() {
        return writeln!(
            out,
            "<p>There is no axis of time: none is called <code>time</code> or <code>t</code>, and none has units such as \
             <code>hours since 2000-01-01</code>.</p>"
        );
    }
    axes.iter().enumerate().try_for_each(|(number, axis)| time_axis::write(out, number, axis))
}

/// How the references came about, where they say so.
fn origin(out: &mut dyn Write, subject: &Subject) -> io::Result<()> {
    let Some(recorded) = &subject.recorded else { return Ok(()) };
    let made = &recorded.provenance;
    writeln!(
        out,
        "<section aria-labelledby=\"heading-origin\">\n<h2 id=\"heading-origin\">Origin</h2>\n<dl class=\"made\">\n\
         <dt>Written by chunkref</dt><dd>{}</dd>\n<dt>With the options</dt><dd><code>{}</code></dd>\n\
         <dt>Parts left out</dt><dd>{}</dd>\n</dl>\n</section>",
        Plain(&made.version),
        Plain(&made.options),
        grouped(made.skipped_count())
    )
}
