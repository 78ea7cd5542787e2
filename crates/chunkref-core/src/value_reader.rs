// SPDX-License-Identifier: MIT OR Apache-2.0
//! Libraries of others that read values of whole files, to hold what references give against.
//!
//! A crate that links such a library submits a [`ValueReaderEntry`], as a format submits its
//! [`ScannerEntry`](crate::ScannerEntry); `verify` finds it by the name of the format.

use std::ops::Range;
use std::path::Path;

use chunkref_model::DataType;

/// Reads the values in a region, a range for each axis, of the array at a path of a local file: in C order, as the type has
/// them. `None` for types that it does not cover.
pub type ReadValues =
    fn(&Path, &str, &[Range<u64>], &DataType) -> Result<Option<Vec<u8>>, ValueReaderError>;

/// What a library says of values that it does not read.
pub type ValueReaderError = Box<dyn std::error::Error + Send + Sync>;

/// A library that reads values of one format.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ValueReaderEntry {
    /// The format, by the name of its [`ScannerEntry`](crate::ScannerEntry).
    pub format: &'static str,
    /// The library.
    pub library: &'static str,
    /// Reads values.
    pub read: ReadValues,
}

inventory::collect!(ValueReaderEntry);

impl ValueReaderEntry {
    /// The entry of a library.
    #[must_use]
    pub const fn new(format: &'static str, library: &'static str, read: ReadValues) -> Self {
        Self { format, library, read }
    }

    /// All that are linked in.
    pub fn linked() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Self>.into_iter()
    }
}
