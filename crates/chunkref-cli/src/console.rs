// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where text goes, and whether in colour.

use std::fmt::{self, Debug};
use std::io::{IsTerminal, Write};

use clap::ColorChoice;

use crate::logging::LogFormat;

/// Output and messages of one run.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Console<'a> {
    /// What the command produces.
    pub(crate) out: &'a mut dyn Write,
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

    /// Writes a message of JSON as one line.
    pub(crate) fn event(&mut self, event: &serde_json::Value) {
        self.note(&format!("{event}\n"));
    }

    /// Writes a message. That messages cannot be written is not worth stopping for, and there is nowhere to say so.
    pub(crate) fn note(&mut self, text: &str) {
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

/// `text` with control characters written out: names come from files, and a terminal would obey them.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let escaped = letter.is_control().then(|| letter.escape_default());
            let plain = (!letter.is_control()).then_some(letter);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

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
    fn control_characters_are_written_out() {
        assert_eq!(printable("a\x1b[31mb\né"), "a\\u{1b}[31mb\\né");
    }
}
