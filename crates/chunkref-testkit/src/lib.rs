// SPDX-License-Identifier: MIT OR Apache-2.0
//! What chunkref's crates are tested with: conformance suites for its traits, sources that misbehave, and a toy format.
//!
//! | module | holds |
//! |---|---|
//! | [`conformance`] | one suite for each trait of `chunkref-core`, clause by clause of its contract |
//! | [`scenes`] | datasets of any size that look like scans |
//! | [`source`] | sources that count, cut, fail and dawdle |
//! | [`set_files`] | the files of a set on this machine, or as if it were at a URL |
//! | [`toy_output`] | an output format of three lines that keeps the contract |
//! | [`toy`] | a format of a few bytes with a scanner that keeps the contract |

pub mod conformance;
pub mod scenes;
pub mod set_files;
pub mod source;
pub mod toy;
pub mod toy_output;

pub use conformance::Violation;
pub use set_files::LocalSetFiles;
pub use source::{CountingSource, FailingSource, PendingSource, TruncatingSource};
