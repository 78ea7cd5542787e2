// SPDX-License-Identifier: MIT OR Apache-2.0
//! kerchunk JSON: references and Zarr v2 metadata in one document.
//!
//! Spec: <https://fsspec.github.io/kerchunk/spec.html>. Version 1 is written; versions 0 and 1 are read.

mod assemble;
mod columns;
#[expect(
    clippy::arithmetic_side_effects,
    reason = "numbers of 64 bits are added and multiplied in 128, and a count that divides is not 0"
)]
mod generate;
mod read_error;
mod read_limits;
mod reader;
#[expect(
    clippy::arithmetic_side_effects,
    reason = "places in a text, within its length, and depths, which are bounded"
)]
mod template;
mod writer;

#[cfg(test)]
mod provenance_tests;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers that the test makes")]
mod round_trip;

pub use read_error::ReadError;
pub use read_limits::ReadLimits;
pub use reader::{read, read_within};
pub use template::TemplateError;
pub use writer::{WriteError, WriteOptions, Written, write};
