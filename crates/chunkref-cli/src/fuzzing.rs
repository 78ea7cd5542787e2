// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parsers of this crate that only its tests would reach, for the fuzz targets. Not part of the API.

use std::ops::Range;

/// The part of each axis of an array of `shape` that a selection of `cat` takes.
///
/// # Errors
/// What is wrong with the selection, in words.
pub fn selection(text: &str, shape: &[u64]) -> Result<Vec<Range<u64>>, String> {
    let axes = crate::selection::Selection::parse(text)?.axes(shape)?;
    Ok(axes.into_iter().map(|axis| axis.range).collect())
}
