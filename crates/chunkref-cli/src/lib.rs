// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `chunkref` command as a library: a crate that adds a format of its own links it into its own binary, with
//! [`main`] as all of its `main`.
//!
//! | module | holds |
//! |---|---|
//! | [`arguments`] | the command line |
//! | [`console`] | where text goes, and whether in colour |
//! | `run` | from arguments to an exit code |
//! | [`combine_arguments`] | that of `combine`, `build` and `plan` |
//! | `scan`, `cube`, [`convert`], `inspect`, `formats` | the commands; `cube` has `combine`, `build` and `plan` |
//! | [`cat`], `selection`, `element` | values: what is taken of an array, and its words |
//! | [`verify`] | whether references are right |
//! | [`report_page`] | a page about a set of references |
//! | [`emit_arguments`] | how references are written |
//! | `output` | where references go, in which format |
//! | `inputs`, `destination` | what the inputs name, and which output belongs to which |
//! | [`store_arguments`] | how inputs are read |
//! | `progress`, `interrupt`, [`logging`] | while many inputs are scanned |
//! | `report` | errors and warnings in words |
//! | `summary`, `table` | what `inspect` shows |

mod advice;
pub mod arguments;
pub mod cat;
pub mod combine_arguments;
pub mod console;
pub mod convert;
mod cube;
mod destination;
mod element;
pub mod emit_arguments;
pub mod format_arguments;
mod formats;
#[doc(hidden)]
pub mod fuzzing;
mod inputs;
mod inspect;
mod interrupt;
pub mod logging;
mod option_flags;
mod output;
mod progress;
mod report;
pub mod report_page;
mod run;
mod scan;
mod selection;
pub mod store_arguments;
mod summary;
mod table;
pub mod verify;

pub use console::Console;
pub use run::{Exit, main, run};

use run::Stop;

#[cfg(test)]
mod output_tests;
#[cfg(test)]
mod tests;
