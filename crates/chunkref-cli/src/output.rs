// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where and how references are written, as the user asks for it.

use std::path::Path;

use chunkref::core::{Form, ReferenceFormatError};
use chunkref::{Dataset, EmitError, EmitOptions, Emitted, ReferenceFormat, ReferenceFormats};

use crate::console::Console;
use crate::{Stop, report};

/// The output formats, which of them is named, and their options.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) formats: ReferenceFormats,
    /// `None` when the name of a destination decides.
    pub(crate) named: Option<ReferenceFormat>,
    pub(crate) options: EmitOptions,
}

impl Output {
    /// The format of a destination.
    pub(crate) fn format_of(
        &self,
        destination: &Path,
    ) -> Result<ReferenceFormat, ReferenceFormatError> {
        match self.named {
            Some(named) => Ok(named),
            None => self.formats.of_destination(destination).copied(),
        }
    }

    /// The extension of destinations that are made up.
    pub(crate) fn extension(&self) -> Result<&'static str, Stop> {
        Ok(self.named_or_fallback()?.extension())
    }

    /// Says so when the name of a destination has an ending that is of no format, so that the one for other names is written.
    pub(crate) fn warn_of_ending(&self, destination: &Path, console: &mut Console<'_>) {
        if let Some(message) = self.unknown_ending(destination).filter(|_| !console.quiet()) {
            report::warning(console, &message);
        }
    }

    fn unknown_ending(&self, destination: &Path) -> Option<String> {
        let name = destination.file_name()?.to_string_lossy();
        let (before, ending) = name.rsplit_once('.')?;
        let is_plain = before.is_empty() || ending.is_empty() || is_stdout(destination);
        if is_plain || self.named.is_some() || self.formats.of_name(&name).is_some() {
            return None;
        }
        let format = self.formats.of_destination(destination).ok().filter(|one| one.is_fallback)?;
        let endings = self.formats.entries().iter().flat_map(|entry| entry.endings);
        let endings: Vec<_> = endings.copied().collect();
        Some(format!(
            "no output format has names that end in .{ending}, so that {} are written; the endings are {}, and --to names a format",
            format.description,
            endings.join(", ")
        ))
    }

    /// Whether a destination is a folder that no format has for a set of its own.
    pub(crate) fn is_plain_folder(&self, destination: &Path) -> Result<bool, Stop> {
        let of_file = || self.formats.of_destination(destination).map(|format| format.form);
        Ok(destination.is_dir() && of_file().map_err(unknown)? == Form::File)
    }

    /// Writes to a destination that is a file, a folder, or `-` for the standard output.
    pub(crate) fn write(
        &self,
        dataset: &Dataset,
        destination: &Path,
        options: &EmitOptions,
        console: &mut Console<'_>,
    ) -> Result<Result<Emitted, EmitError>, Stop> {
        if is_stdout(destination) {
            return self.write_to_stdout(dataset, options, console);
        }
        let format = self.format_of(destination).map_err(unknown)?;
        Ok(format.emit(dataset, destination, options))
    }

    /// Writes to the standard output.
    pub(crate) fn write_to_stdout(
        &self,
        dataset: &Dataset,
        options: &EmitOptions,
        console: &mut Console<'_>,
    ) -> Result<Result<Emitted, EmitError>, Stop> {
        let stream = self.stream()?;
        Ok(stream(dataset, options, console.data()))
    }

    /// A usage error when the named format cannot be written to the standard output.
    pub(crate) fn check_stdout(&self, destination: &Path) -> Result<(), Stop> {
        if is_stdout(destination) { self.stream().map(|_| ()) } else { Ok(()) }
    }

    fn stream(&self) -> Result<chunkref::core::reference_format::WriteStream, Stop> {
        let format = self.named_or_fallback()?;
        format.stream.ok_or_else(|| {
            let what = format.description;
            Stop::Usage(format!("{what} cannot be written to the standard output: name an output"))
        })
    }

    fn named_or_fallback(&self) -> Result<ReferenceFormat, Stop> {
        match self.named {
            Some(named) => Ok(named),
            None => self.formats.fallback().copied().map_err(unknown),
        }
    }
}

/// Whether a destination is the standard output.
pub(crate) fn is_stdout(destination: &Path) -> bool {
    destination == Path::new("-")
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unknown(error: ReferenceFormatError) -> Stop {
    Stop::Usage(error.to_string())
}
