// SPDX-License-Identifier: MIT OR Apache-2.0
//! JSON as Python's tools read and write it: with the bare tokens `NaN`, `Infinity` and `-Infinity`.
//!
//! `serde_json` refuses those tokens, which kerchunk and zarr-python put into every `.zattrs` with such a value.

pub mod reader;
pub mod writer;

use std::io;

use thiserror::Error;

/// Where and why bytes are not a JSON document.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The document ends too early.
    #[error("the JSON document ends at byte {offset}, where {expected} should follow")]
    Truncated {
        /// Bytes from the start of the document.
        offset: u64,
        /// What should follow.
        expected: &'static str,
    },
    /// A byte that does not fit.
    #[error("byte {offset} of the JSON document: expected {expected}, found {found:?}")]
    Unexpected {
        /// Bytes from the start of the document.
        offset: u64,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: char,
    },
    /// A word or number that JSON does not have.
    #[error("byte {offset} of the JSON document: {token:?} is not a value")]
    BadToken {
        /// Bytes from the start of the document to the end of the token.
        offset: u64,
        /// The token.
        token: String,
    },
    /// A string that is not Unicode text.
    #[error("byte {offset} of the JSON document: the string is not valid Unicode")]
    NotUnicode {
        /// Bytes from the start of the document.
        offset: u64,
    },
    /// Lists or objects in one another beyond the limit.
    #[error("byte {offset} of the JSON document: nested more than {limit} deep")]
    TooDeep {
        /// Bytes from the start of the document.
        offset: u64,
        /// Levels that are read.
        limit: u32,
    },
    /// More than is read.
    #[error("byte {offset} of the JSON document: more than the limit {name}={limit} allows")]
    LimitExceeded {
        /// Bytes from the start of the document.
        offset: u64,
        /// Name of the limit.
        name: &'static str,
        /// How much is read.
        limit: u64,
    },
    /// The input could not be read.
    #[error("the JSON document cannot be read at byte {offset}")]
    Io {
        /// Bytes from the start of the document.
        offset: u64,
        /// The reason.
        source: io::Error,
    },
}
