// SPDX-License-Identifier: MIT OR Apache-2.0
//! One suite for each trait of `chunkref-core`, clause by clause of its contract.
//!
//! Each suite takes an implementation and samples for it, and returns the first clause that it finds broken. Each is
//! itself tested with implementations that break one clause at a time.

mod codec;
mod combiner;
mod described;
mod emitter;
mod reference_format;
mod scanner;
mod signatures;
mod source;

pub use codec::{CodecSample, codec};
pub use combiner::combiner;
pub use emitter::emitter;
pub use reference_format::reference_format;
pub use scanner::{Sample, scanner};
pub use signatures::signatures;
pub use source::{byte_source, changing_byte_source};

use thiserror::Error;

/// A clause of a contract that an implementation breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the contract is broken: {clause}: {detail}")]
pub struct Violation {
    /// The clause, in short.
    pub clause: &'static str,
    /// What was seen, with which input.
    pub detail: String,
}

/// An error of `clause` unless it `holds`.
fn require(
    holds: bool,
    clause: &'static str,
    detail: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { clause, detail: detail() }) }
}
