// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text in columns, and quantities in words.

use std::io;

use crate::console::{Console, Tone, paint};
use crate::report::shown;

/// To which side a column's text keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Letters of a cell that are shown; a format of Rust pads to 65,535 at the most.
const MOST_LETTERS: usize = 500;

/// Rows of text under headings.
#[derive(Debug)]
pub(crate) struct Table {
    headings: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[(&'static str, Align)]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = String>) {
        self.rows.push(row.into_iter().map(|cell| shortened(shown(&cell))).collect());
    }

    /// Writes all lines, each after `indent`.
    pub(crate) fn write(&self, console: &mut Console<'_>, indent: &str) -> io::Result<()> {
        let widths: Vec<usize> = self
            .headings
            .iter()
            .enumerate()
            .map(|(column, (heading, _))| {
                let cells = self
                    .rows
                    .iter()
                    .filter_map(|row| row.get(column))
                    .map(|cell| cell.chars().count());
                cells.chain([heading.chars().count()]).max().unwrap_or(0)
            })
            .collect();
        let headings: Vec<_> =
            self.headings.iter().map(|(heading, _)| (*heading).to_owned()).collect();
        let line = paint(&self.line(&headings, &widths), Tone::Heading, console.out_colour());
        writeln!(console, "{indent}{line}")?;
        for row in &self.rows {
            writeln!(console, "{indent}{}", self.line(row, &widths))?;
        }
        Ok(())
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let cells: Vec<_> = row
            .iter()
            .zip(widths)
            .zip(&self.headings)
            .map(|((cell, &width), (_, align))| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            })
            .collect();
        cells.join("  ").trim_end().to_owned()
    }
}

/// A cell that a terminal can show: text of a file may be of any length.
fn shortened(cell: String) -> String {
    match cell.char_indices().nth(MOST_LETTERS) {
        None => cell,
        Some((end, _)) => format!("{}…", cell.get(..end).unwrap_or_default()),
    }
}

/// A number of bytes with a unit.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut value = count as f64 / 1024.0;
    let mut unit = UNITS[0];
    for larger in UNITS.into_iter().skip(1) {
        if value < 999.95 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

/// A number with its thousands apart.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things, the name of one of which takes an s for several.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_counted() {
        let said = [0, 1, 1200].map(|count| counted(count, "source"));
        assert_eq!(said, ["0 sources", "1 source", "1,200 sources"]);
    }

    #[test]
    fn columns_keep_their_side() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut table = Table::new(&[("NAME", Align::Left), ("COUNT", Align::Right)]);
        table.push(["ü\x1b".to_owned(), "5".to_owned()]);
        table.push(["longer name".to_owned(), "123456".to_owned()]);
        table.write(&mut Console::new(&mut out, &mut err), "  ").unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "  NAME          COUNT\n  ü\\u{1b}           5\n  longer name  123456\n"
        );
    }

    #[test]
    fn cells_of_any_length_are_shortened() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut table = Table::new(&[("NAME", Align::Left), ("SHAPE", Align::Right)]);
        table.push(["é".repeat(70_000), "5".repeat(70_000)]);
        table.write(&mut Console::new(&mut out, &mut err), "").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(&format!("{}…", "é".repeat(MOST_LETTERS))));
        assert!(text.lines().all(|line| line.chars().count() < 1100));
    }

    #[test]
    fn quantities() {
        let pairs = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_575, "1.0 MiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (count, text) in pairs {
            assert_eq!(bytes(count), text);
        }
        for (count, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(count), text);
        }
    }
}
