// SPDX-License-Identifier: MIT OR Apache-2.0
//! What crates that extend chunkref are tested with, here and elsewhere: conformance suites for input formats, codecs and
//! output formats, samples for them, and sources that misbehave.
//!
//! | module | holds |
//! |---|---|
//! | [`conformance`] | one suite for each trait and entry of `chunkref-core`, clause by clause of its contract |
//! | [`scenes`] | datasets: of any size that look like scans, and with all that an output format may lose |
//! | [`source`] | sources that count, cut, fail and dawdle |
//! | [`set_files`] | the files of a set on this machine, or as if it were at a URL |
//! | [`toy_output`] | an output format that keeps the contract, whose files have three lines |
//! | [`toy`] | a format of a few bytes with a scanner that keeps the contract |
//!
//! ```
//! use chunkref_core::model::Codec;
//! use chunkref_core::{CodecEntry, LengthChange};
//! use chunkref_testkit::conformance::{self, CodecSample};
//! use chunkref_testkit::scenes::{chunk_kinds, unsayable};
//! use chunkref_testkit::{toy, toy_output};
//!
//! // An output format.
//! let samples = [chunk_kinds(1)?, chunk_kinds(3)?];
//! conformance::reference_format(&toy_output::ENTRY, &samples, &unsayable(chunk_kinds(1)?))?;
//!
//! // An input format.
//! let bytes = toy::file(&[("a", b"12")]);
//! conformance::scanner(&toy::ENTRY, &[conformance::Sample { name: "one array", bytes, rounds: 3 }])?;
//!
//! // A codec.
//! let same = CodecEntry::new("same", |_, stored, context| {
//!     for _ in stored.chunks(1 << 16) {
//!         context.cancellation().check()?;
//!     }
//!     Ok(stored.clone())
//! });
//! let same = same.with_length(LengthChange::None).with_encode(|_, plain| Ok(plain.clone()));
//! let plain: Vec<u8> = (0..1 << 18).map(|place: u32| place as u8).collect();
//! conformance::codec(&same, &[CodecSample::new("a long chunk", Codec::new("same"), plain)])?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

pub mod conformance;
pub mod scenes;
pub mod set_files;
pub mod source;
pub mod toy;
pub mod toy_output;

pub use conformance::Violation;
pub use set_files::LocalSetFiles;
pub use source::{CountingSource, FailingSource, PendingSource, TruncatingSource};
