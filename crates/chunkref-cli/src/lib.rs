// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `chunkref` command as a library: a crate that adds a format of its own links it into its own binary, with
//! [`main`] as all of its `main`.
//!
//! | module | holds |
//! |---|---|
//! | [`arguments`] | the command line |
//! | [`console`] | where text goes, and whether in colour |
//! | `run` | from arguments to an exit code |
//! | `scan`, `inspect`, `formats` | the commands |
//! | `destination` | which output belongs to which input |
//! | `batch` | many inputs at a time, results in order |
//! | `report` | errors and warnings in words |
//! | `summary`, `table` | what `inspect` shows |

pub mod arguments;
mod batch;
pub mod console;
mod destination;
mod formats;
mod inspect;
mod report;
mod run;
mod scan;
mod summary;
mod table;

pub use console::Console;
pub use run::{Exit, main, run};

use run::Stop;

#[cfg(test)]
mod tests;
