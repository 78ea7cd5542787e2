// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text as HTML.

use std::fmt;
use std::io::{self, Write};

use crate::report::shown;

/// Text of a file as it is put into HTML, between tags and in quoted attributes: markup in it does nothing, secrets in
/// URLs are hidden, control characters are spelled out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain<'a>(pub(super) &'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in shown(self.0).chars() {
            match letter {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                letter => write!(formatter, "{letter}")?,
            }
        }
        Ok(())
    }
}

/// Which way a column is aligned, and what its cells are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// Names and other text.
    Text,
    /// Numbers.
    Number,
}

/// The beginning of a table that scrolls by itself, up to its first row. `caption` is markup; `id` that of the caption.
pub(super) fn begin_table(
    out: &mut dyn Write,
    id: &str,
    caption: &str,
    columns: &[(&str, Column)],
) -> io::Result<()> {
    write!(
        out,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"{id}\">\n<table>\n\
         <caption id=\"{id}\">{caption}</caption>\n<thead><tr>"
    )?;
    for (heading, column) in columns {
        let class = if *column == Column::Number { " class=\"number\"" } else { "" };
        write!(out, "<th scope=\"col\"{class}>{}</th>", Plain(heading))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")
}

/// The end of a table.
pub(super) fn end_table(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</tbody>\n</table>\n</div>")
}

/// A bar as long as a share of its cell; the number beside it says the same.
pub(super) fn bar(out: &mut dyn Write, share: f64) -> io::Result<()> {
    let width = (share.clamp(0.0, 1.0) * 200.0).max(if share > 0.0 { 2.0 } else { 0.0 });
    write!(
        out,
        "<svg class=\"bar\" viewBox=\"0 0 200 12\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"track\" width=\"200\" height=\"12\"/><rect class=\"there\" width=\"{width:.1}\" height=\"12\"/></svg>"
    )
}

/// A part of a whole; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "shares are shown with a decimal")]
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A share in words, which says 100 % and 0 % only of all and of nothing.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let hundredfold = share(part, whole) * 100.0;
    match (part, whole) {
        (0, _) => "0 %".to_owned(),
        (part, whole) if part == whole => "100 %".to_owned(),
        _ if hundredfold < 0.1 => "less than 0.1 %".to_owned(),
        (part, whole) if part < whole => format!("{:.1} %", hundredfold.min(99.9)),
        _ => format!("{hundredfold:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        let hostile = "</td><script>alert('1')</script>\" onload=\"x&amp;\n\u{202e}";
        let text = Plain(hostile).to_string();
        assert_eq!(
            text,
            "&lt;/td&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x&amp;amp;\\n\\u{202e}"
        );
        assert_eq!(Plain("sst").to_string(), "sst");
        assert!(!Plain("https://u:secret@host/a").to_string().contains("secret"));
    }

    #[test]
    fn shares_are_not_rounded_to_all_or_nothing() {
        assert_eq!(percent(0, 0), "0 %");
        assert_eq!(percent(999_999, 1_000_000), "99.9 %");
        assert_eq!(percent(1, 1_000_000), "less than 0.1 %");
        assert_eq!(percent(1, 4), "25.0 %");
        assert_eq!(percent(3, 2), "150.0 %");
    }
}
