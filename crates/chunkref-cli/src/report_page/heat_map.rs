// SPDX-License-Identifier: MIT OR Apache-2.0
//! The picture of a chunk grid, and the same in a table.

use std::io::{self, Write};

use chunkref::{Array, ChunkRef};

use super::coverage::{Coverage, Layout, Region};
use super::markup::{Column, Plain, begin_table, end_table, percent, share};
use crate::table::grouped;

/// Regions in the table.
const MOST_REGIONS: usize = 200;
/// Room for numbers, in pixels; whole patterns, so that each cell has the same part of them.
const LEFT: u64 = 56;
const TOP: u64 = 28;

/// What the fillings mean; once a page, with their patterns.
pub(super) const LEGEND: &str = "\
<svg width=\"0\" height=\"0\" aria-hidden=\"true\" class=\"patterns\"><defs>\
<pattern id=\"p-inline\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
<rect width=\"6\" height=\"6\" class=\"inline-ground\"/><rect width=\"2.5\" height=\"6\" class=\"inline-stripe\"/></pattern>\
<pattern id=\"p-missing\" width=\"14\" height=\"14\" patternUnits=\"userSpaceOnUse\">\
<rect width=\"14\" height=\"14\" class=\"missing-ground\"/><path d=\"M4 4l6 6M10 4l-6 6\" class=\"missing-cross\"/></pattern>\
</defs></svg>
<ul class=\"legend\" aria-label=\"Legend\">
<li><svg viewBox=\"0 0 28 14\" aria-hidden=\"true\"><rect width=\"28\" height=\"14\" class=\"there\"/></svg> in a source (filled)</li>
<li><svg viewBox=\"0 0 28 14\" aria-hidden=\"true\"><rect width=\"28\" height=\"14\" fill=\"url(#p-inline)\"/></svg> in the references (striped)</li>
<li><svg viewBox=\"0 0 28 14\" aria-hidden=\"true\"><rect width=\"28\" height=\"14\" fill=\"url(#p-missing)\"/></svg> missing (crosses): reads as the fill value</li>
</ul>
<p class=\"hint\">A cell that stands for several chunks is filled from below, as high as their share.</p>
";

/// Where a chunk is, as the legend has it, and in words.
pub(super) fn mark(out: &mut dyn Write, reference: &ChunkRef) -> io::Result<()> {
    let (filling, words) = match reference {
        ChunkRef::Virtual { .. } => ("class=\"there\"", "in a source"),
        ChunkRef::Inline(_) => ("fill=\"url(#p-inline)\"", "in the references"),
        ChunkRef::Missing => ("fill=\"url(#p-missing)\"", "missing"),
    };
    write!(
        out,
        "<svg viewBox=\"0 0 28 14\" aria-hidden=\"true\"><rect width=\"28\" height=\"14\" {filling}/></svg> {words}"
    )
}

/// The figure of one array, whose number in the page is `number`.
pub(super) fn write(
    out: &mut dyn Write,
    number: usize,
    path: &str,
    array: &Array,
    coverage: &Coverage,
) -> io::Result<()> {
    let regions = coverage.regions();
    let total = coverage.total;
    let words = format!(
        "{} of {} chunks in sources, {} in the references, {} missing",
        grouped(total.virtual_chunks),
        grouped(total.all),
        grouped(total.inline),
        grouped(total.missing())
    );
    writeln!(out, "<figure>\n<figcaption>{words}. {}</figcaption>", layout(array, coverage))?;
    picture(out, &format!("Chunk grid of {path}: {words}."), coverage, &regions)?;
    writeln!(out, "</figure>\n<details>\n<summary>The same as a table</summary>")?;
    let mut order: Vec<&Region> = regions.iter().collect();
    order.sort_by(|a, b| gaps(b).total_cmp(&gaps(a)));
    let caption =
        format!("Parts of the chunk grid of {}, those with most missing first", Plain(path));
    let columns = [
        ("Chunks", Column::Text),
        ("In sources", Column::Number),
        ("In the references", Column::Number),
        ("Missing", Column::Number),
    ];
    begin_table(out, &format!("grid-{number}"), &caption, &columns)?;
    for region in order.iter().take(MOST_REGIONS) {
        let share = region.share;
        write!(out, "<tr><th scope=\"row\">{}</th>", Plain(&chunks(array, coverage, region)))?;
        for count in [share.virtual_chunks, share.inline, share.missing()] {
            write!(
                out,
                "<td class=\"number\">{} ({})</td>",
                grouped(count),
                percent(count, share.all)
            )?;
        }
        writeln!(out, "</tr>")?;
    }
    end_table(out)?;
    if let Some(more) = order.len().checked_sub(MOST_REGIONS).filter(|&more| more > 0) {
        writeln!(out, "<p>{} more parts are not listed.</p>", grouped(more as u64))?;
    }
    writeln!(out, "</details>")
}

fn gaps(region: &Region) -> f64 {
    share(region.share.missing(), region.share.all)
}

/// The names of the axes that go across, with those of one chunk left out.
fn across(array: &Array, down: usize) -> String {
    let grid = array.manifest.grid_shape();
    let names = (0..grid.len())
        .filter(|&axis| axis != down && grid.get(axis).is_some_and(|&chunks| chunks > 1))
        .map(|axis| name(array, axis));
    names.collect::<Vec<_>>().join(" × ")
}

fn name(array: &Array, axis: usize) -> String {
    let name = array.dimensions.get(axis).filter(|name| !name.is_empty());
    name.map_or_else(|| format!("axis {axis}"), Clone::clone)
}

fn layout(array: &Array, coverage: &Coverage) -> String {
    let binned = if coverage.is_binned() {
        format!(" Drawn in {} cells.", grouped(coverage.cell_count() as u64))
    } else {
        String::new()
    };
    match coverage.layout {
        Layout::Lines { .. } => {
            let grid = array.manifest.grid_shape();
            let axis = grid.iter().position(|&chunks| chunks > 1).unwrap_or_default();
            format!("Along {}, in lines as text is read.{binned}", Plain(&name(array, axis)))
        }
        Layout::Plane { down, rows, columns } => format!(
            "Down: {}, {} chunks. Across: {}, {} chunks in C order.{binned}",
            Plain(&name(array, down)),
            grouped(rows),
            Plain(&across(array, down)),
            grouped(columns)
        ),
    }
}

/// The chunks of a region in words.
fn chunks(array: &Array, coverage: &Coverage, region: &Region) -> String {
    let range = |range: std::ops::Range<u64>| match range.end.saturating_sub(1) {
        last if last <= range.start => range.start.to_string(),
        last => format!("{}–{last}", range.start),
    };
    match coverage.layout {
        Layout::Lines { .. } => range(coverage.numbers(region)),
        Layout::Plane { down, .. } => format!(
            "{} {}, {} {}",
            name(array, down),
            range(coverage.rows(region.top..region.top + region.height)),
            across(array, down),
            range(coverage.columns(region.left..region.left + region.width))
        ),
    }
}

fn picture(
    out: &mut dyn Write,
    label: &str,
    coverage: &Coverage,
    regions: &[Region],
) -> io::Result<()> {
    let (across, down) = (coverage.width, coverage.height);
    let cell = if across.max(down) > 32 { 14 } else { 28 };
    let (width, height) = (across * cell, down * cell);
    let (whole_width, whole_height) = (width + LEFT + 4, height + TOP + 4);
    writeln!(
        out,
        "<div class=\"scroll\"><svg class=\"grid\" role=\"img\" tabindex=\"0\" aria-label=\"{}\" \
         viewBox=\"0 0 {whole_width} {whole_height}\" width=\"{whole_width}\" height=\"{whole_height}\">",
        Plain(label)
    )?;
    let (last_row, last_column) = match coverage.layout {
        Layout::Plane { rows, columns, .. } => (rows - 1, columns - 1),
        Layout::Lines { .. } => {
            (coverage.total.all.saturating_sub(1), coverage.total.all.min(across) - 1)
        }
    };
    writeln!(out, "<text x=\"{LEFT}\" y=\"22\">0</text>")?;
    // Of lines, the last place of the first one is a chunk's number only where a cell is a chunk.
    let plane = matches!(coverage.layout, Layout::Plane { .. });
    if across > 2 && (plane || !coverage.is_binned()) {
        let x = LEFT + width;
        writeln!(out, "<text x=\"{x}\" y=\"22\" text-anchor=\"end\">{last_column}</text>")?;
    }
    let x = LEFT - 6;
    let first = TOP + cell / 2 + 4;
    writeln!(out, "<text x=\"{x}\" y=\"{first}\" text-anchor=\"end\">0</text>")?;
    if plane && down > 1 {
        let y = TOP + height - cell / 2 + 4;
        writeln!(out, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\">{}</text>", short(last_row))?;
    }
    for region in regions {
        let (x, y) = (LEFT + region.left * cell, TOP + region.top * cell);
        let (w, h) = (region.width * cell, region.height * cell);
        let part = |count| percent(count, region.share.all);
        let share = region.share;
        write!(
            out,
            "<g><title>{}{} in sources, {} in the references, {} missing</title>",
            if plane { "Down, across: " } else { "Chunks " },
            format_args!("{}: {}", Plain(&place(coverage, region)), part(share.virtual_chunks)),
            part(share.inline),
            part(share.missing())
        )?;
        let filled = |count: u64| super::markup::share(count, share.all) * whole(h);
        let (in_sources, inline) = (filled(share.virtual_chunks), filled(share.inline));
        if share.missing() > 0 {
            write!(
                out,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"url(#p-missing)\"/>"
            )?;
        }
        let bottom = whole(y + h);
        if share.virtual_chunks > 0 {
            let top = bottom - in_sources;
            write!(
                out,
                "<rect x=\"{x}\" y=\"{top:.1}\" width=\"{w}\" height=\"{in_sources:.1}\" class=\"there\"/>"
            )?;
        }
        if share.inline > 0 {
            let top = bottom - in_sources - inline;
            write!(
                out,
                "<rect x=\"{x}\" y=\"{top:.1}\" width=\"{w}\" height=\"{inline:.1}\" fill=\"url(#p-inline)\"/>"
            )?;
        }
        writeln!(out, "</g>")?;
    }
    write!(out, "<path class=\"lines\" d=\"")?;
    for column in 1..across {
        write!(out, "M{} {TOP}v{height}", LEFT + column * cell)?;
    }
    for row in 1..down {
        write!(out, "M{LEFT} {}h{width}", TOP + row * cell)?;
    }
    writeln!(out, "\"/></svg></div>")
}

/// Where a region is, without names, for the small text of the picture.
fn place(coverage: &Coverage, region: &Region) -> String {
    let range =
        |range: std::ops::Range<u64>| format!("{}–{}", range.start, range.end.saturating_sub(1));
    match coverage.layout {
        Layout::Lines { .. } => range(coverage.numbers(region)),
        Layout::Plane { .. } => format!(
            "{}, {}",
            range(coverage.rows(region.top..region.top + region.height)),
            range(coverage.columns(region.left..region.left + region.width))
        ),
    }
}

/// A number that has room beside the picture.
fn short(number: u64) -> String {
    match number {
        ..=999_999 => number.to_string(),
        _ => format!("≈{number:.0e}").replace('e', "·10^"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "pixels")]
fn whole(pixels: u64) -> f64 {
    pixels as f64
}
