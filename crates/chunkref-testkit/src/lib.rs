// SPDX-License-Identifier: MIT OR Apache-2.0
//! What chunkref's crates are tested with: conformance suites for its traits, sources that misbehave, and a toy format.
//!
//! | module | holds |
//! |---|---|
//! | [`conformance`] | one suite for each trait of `chunkref-core`, clause by clause of its contract |
//! | [`scenes`] | datasets of any size that look like scans |
//! | [`source`] | sources that count, cut, fail and dawdle |
//! | [`toy`] | a format of a few bytes with a scanner that keeps the contract |

pub mod conformance;
pub mod scenes;
pub mod source;
pub mod toy;

pub use conformance::Violation;
pub use source::{CountingSource, FailingSource, PendingSource, TruncatingSource};
