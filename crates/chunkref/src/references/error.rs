// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why references cannot be read.

use std::error::Error as _;
use std::fmt;
use std::io;

use chunkref_core::{
    Capability, ReferenceFormat, ReferenceFormatError, ReferenceFormats, SetError, SourceError,
    redact,
};
use chunkref_store::Location;
use thiserror::Error;

/// References cannot be read. What it shows has no secrets in it.
#[derive(Error)]
#[non_exhaustive]
pub enum ReferencesError {
    /// The object cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file cannot be read.
    #[error("{} cannot be read", redact(location))]
    Io {
        /// The file.
        location: String,
        /// Why.
        source: io::Error,
    },
    /// What is there is not of the format, or is damaged.
    #[error(
        "{} cannot be read as {description}{}",
        redact(location),
        if *is_guess { "; of a data file, `scan` or `build` makes references first" } else { "" }
    )]
    Damaged {
        /// The object or folder.
        location: String,
        /// What the format is, in a few words.
        description: &'static str,
        /// Whether nothing but the lack of other marks says that it is of this format.
        is_guess: bool,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something that the format or this build does not cover.
    #[error("{}: {reason}", redact(location))]
    Unsupported {
        /// The object or folder.
        location: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Output formats that cannot be told apart.
    #[error(transparent)]
    Formats(#[from] ReferenceFormatError),
    /// References that were written are not there any more.
    #[error(
        "{location}: array {array:?} has {found} references, and had {written} when they were written: parts of the set are lost, or cannot be seen; make it again, or copy all of it"
    )]
    Lost {
        /// The set.
        location: String,
        /// The array.
        array: String,
        /// References that were written.
        written: u64,
        /// References that are there.
        found: u64,
    },
}

impl fmt::Debug for ReferencesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source().map(|source| redact(&format!("{source:?}")).into_owned());
        formatter
            .debug_struct("ReferencesError")
            .field("message", &self.to_string())
            .field("source", &source)
            .finish()
    }
}

impl ReferencesError {
    /// The error of a set at `location` that a format could not read.
    pub(crate) fn of_set(
        location: &str,
        format: &ReferenceFormat,
        is_guess: bool,
        error: SetError,
    ) -> Self {
        let location = location.to_owned();
        match error {
            SetError::Source(error) => Self::Source(error),
            SetError::Io(source) => Self::Io { location, source },
            SetError::Unsupported(reason) => Self::Unsupported { location, reason },
            SetError::Damaged(source) => {
                let description = format.description;
                Self::Damaged { location, description, is_guess, source }
            }
            other => Self::Unsupported { location, reason: other.to_string() },
        }
    }

    pub(crate) fn no_versions(location: &Location, formats: &ReferenceFormats) -> Self {
        let with_history =
            formats.entries().iter().filter(|format| format.can(Capability::History));
        let words: Vec<_> = with_history.map(|format| format.description).collect();
        let only =
            if words.is_empty() { "nothing in this build".to_owned() } else { words.join(", ") };
        let reason = format!("it has no branches, tags or snapshots; only these have: {only}");
        Self::Unsupported { location: location.url().to_owned(), reason }
    }
}
