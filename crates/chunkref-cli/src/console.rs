// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where text goes, and whether in colour. All text passes here, so that none of it tells a secret or does something to a
//! terminal.

use std::fmt::{self, Debug, Write as _};
use std::io::{self, IsTerminal, Write};

use chunkref::core::redact;
use chunkref::model::printable::{is_printable, printable_lines};
use chunkref::model::secret::redact_document;
use clap::ColorChoice;
use serde_json::Value;

use crate::logging::LogFormat;

/// Output and messages of one run.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Console<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    out_terminal: bool,
    err_terminal: bool,
    /// What the environment says: [`ColorChoice::Never`] or [`ColorChoice::Auto`].
    environment: ColorChoice,
    colour: ColorChoice,
    quiet: bool,
    format: LogFormat,
    /// Whether this is the command of a process of its own, which may listen to signals.
    owns_process: bool,
}

impl Debug for Console<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Console")
            .field("out_terminal", &self.out_terminal)
            .field("err_terminal", &self.err_terminal)
            .field("quiet", &self.quiet)
            .finish_non_exhaustive()
    }
}

/// A colour of messages, by what it means.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tone {
    Error,
    Warning,
    Heading,
}

impl<'a> Console<'a> {
    /// Writes the output to `out` and messages to `err`, neither of them a terminal.
    #[must_use]
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            out,
            err,
            out_terminal: false,
            err_terminal: false,
            environment: ColorChoice::Auto,
            colour: ColorChoice::Auto,
            quiet: false,
            format: LogFormat::Text,
            owns_process: false,
        }
    }

    /// Writes to `out` and `err`, which lead to this process's own, and asks those whether they are terminals.
    #[must_use]
    pub fn of_process(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            out_terminal: std::io::stdout().is_terminal(),
            err_terminal: std::io::stderr().is_terminal(),
            owns_process: true,
            environment: if forbidden || dumb { ColorChoice::Never } else { ColorChoice::Auto },
            ..Self::new(out, err)
        }
    }

    pub(crate) fn configure(&mut self, colour: ColorChoice, quiet: bool, format: LogFormat) {
        self.colour = colour;
        self.quiet = quiet;
        self.format = format;
    }

    /// Whether messages are JSON objects.
    pub(crate) fn logs_json(&self) -> bool {
        self.format == LogFormat::Json
    }

    /// Whether Ctrl-C is this command's business.
    pub(crate) fn listens_to_signals(&self) -> bool {
        self.owns_process
    }

    pub(crate) fn quiet(&self) -> bool {
        self.quiet
    }

    /// Whether a progress bar has someone to see it.
    pub(crate) fn shows_progress(&self) -> bool {
        self.err_terminal && !self.quiet && !self.logs_json()
    }

    pub(crate) fn out_colour(&self) -> bool {
        self.colours(self.out_terminal)
    }

    pub(crate) fn err_colour(&self) -> bool {
        self.colours(self.err_terminal)
    }

    fn colours(&self, terminal: bool) -> bool {
        match self.colour {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && self.environment != ColorChoice::Never,
        }
    }

    /// Whether somebody sees what the command produces.
    pub(crate) fn shows_output(&self) -> bool {
        self.out_terminal
    }

    /// Where what the command produces goes as it is: references and values.
    pub(crate) fn data(&mut self) -> &mut dyn Write {
        &mut *self.out
    }

    /// Writes text about what was found: `writeln!(console, …)`.
    pub(crate) fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        let text = harmless(&text.to_string(), self.out_colour());
        self.out.write_all(text.as_bytes())
    }

    /// The same as a document of JSON.
    pub(crate) fn document(&mut self, document: Value) -> io::Result<()> {
        let text = harmless_json(document, true);
        self.out.write_all(text.as_bytes())?;
        self.out.write_all(b"\n")
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes a message of JSON as one line.
    pub(crate) fn event(&mut self, event: Value) {
        let text = harmless_json(event, false);
        self.say(&format!("{text}\n"));
    }

    /// Writes a message.
    pub(crate) fn note(&mut self, text: &str) {
        let text = harmless(text, self.err_colour());
        self.say(&text);
    }

    /// That messages cannot be written is not worth stopping for, and there is nowhere to say so.
    fn say(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }
}

/// `text` in the colour of `tone`, if colours are wanted.
pub(crate) fn paint(text: &str, tone: Tone, coloured: bool) -> String {
    if !coloured {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Error => "1;31",
        Tone::Warning => "1;33",
        Tone::Heading => "1",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// `text` as it is shown: without secrets, and with letters written out that a terminal would obey, but for ends of lines and,
/// if it is `coloured`, colours.
pub(crate) fn harmless(text: &str, coloured: bool) -> String {
    let text = redact(text);
    if !coloured {
        return printable_lines(&text).into_owned();
    }
    let mut parts = text.split("\x1b[");
    let mut shown = printable_lines(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let (code, rest) = part.split_once('m').unwrap_or((part, ""));
        if part.contains('m') && code.split(';').all(|number| STYLES.contains(&number)) {
            shown.push_str("\x1b[");
            shown.push_str(code);
            shown.push('m');
            shown.push_str(&printable_lines(rest));
        } else {
            shown.push_str("\\u{1b}[");
            shown.push_str(&printable_lines(part));
        }
    }
    shown
}

/// The same for a document.
pub(crate) fn harmless_json(mut document: Value, pretty: bool) -> String {
    redact_document(&mut document);
    let text = if pretty {
        serde_json::to_string_pretty(&document).unwrap_or_default()
    } else {
        document.to_string()
    };
    if text.chars().all(|letter| is_printable(letter) || letter == '\n') {
        return text;
    }
    let mut escaped = String::new();
    for letter in text.chars() {
        if is_printable(letter) || letter == '\n' {
            escaped.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

/// Styles of the messages here and of clap, as terminals number them (ECMA-48, 8.3.117).
const STYLES: [&str; 6] = ["0", "1", "4", "31", "32", "33"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_unless_asked_for() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut console = Console { err_terminal: true, ..Console::new(&mut out, &mut err) };
        assert!(console.err_colour() && !console.out_colour());
        console.environment = ColorChoice::Never;
        assert!(!console.err_colour(), "NO_COLOR");
        console.configure(ColorChoice::Always, false, LogFormat::Text);
        assert!(
            console.err_colour() && console.out_colour(),
            "what the command line says counts more"
        );
        console.configure(ColorChoice::Never, true, LogFormat::Text);
        assert!(!console.err_colour() && !console.shows_progress());
        assert_eq!(paint("x", Tone::Error, false), "x");
        assert_eq!(paint("x", Tone::Error, true), "\x1b[1;31mx\x1b[0m");
    }

    #[test]
    fn no_text_does_anything_or_tells_a_secret() {
        let text =
            "a\x1b[31mb\x1b[8mc\x1b]0;t\x07\u{202e}\n\x1b[1;33mhttps://h/?sig=x\x1b[0m\x1b[1";
        assert_eq!(
            harmless(text, false),
            "a\\u{1b}[31mb\\u{1b}[8mc\\u{1b}]0;t\\u{7}\\u{202e}\n\\u{1b}[1;33mhttps://h/?sig=***\\u{1b}[0m\\u{1b}[1"
        );
        assert_eq!(
            harmless(text, true),
            "a\x1b[31mb\\u{1b}[8mc\\u{1b}]0;t\\u{7}\\u{202e}\n\x1b[1;33mhttps://h/?sig=***\x1b[0m\\u{1b}[1"
        );
        let document = serde_json::json!({"\u{202e}a\n\u{9b}": "\u{e0041}https://h/?sig=x"});
        let text = harmless_json(document, false);
        assert_eq!(text, "{\"\\u202ea\\n\\u009b\":\"\\udb40\\udc41https://h/?sig=***\"}");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["\u{202e}a\n\u{9b}"], "\u{e0041}https://h/?sig=***");
    }

    #[test]
    fn every_way_out_passes_the_net() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut console = Console::new(&mut out, &mut err);
        writeln!(console, "https://h/?sig=secret\x1b").unwrap();
        console.document(serde_json::json!(["https://u:secret@h"])).unwrap();
        console.note("Authorization: secret\x07\n");
        console.event(serde_json::json!({"password": "secret"}));
        console.data().write_all(b"data stay as they are\x1b").unwrap();
        for text in [out, err] {
            let text = String::from_utf8(text).unwrap();
            assert!(!text.contains("secret") && text.contains("***"), "{text}");
            assert!(!text.contains('\x07') && text.matches('\x1b').count() <= 1, "{text}");
        }
    }
}
