// SPDX-License-Identifier: MIT OR Apache-2.0
//! GRIB2: every field of every message as a chunk of a hypercube, described from the sections' own octets.
//!
//! | module | holds |
//! |---|---|
//! | `scanner`, `options` | the entry and its options |
//! | `walk`, `index_sidecar`, `reader` | where messages begin: the chain of lengths, `.idx` and `.index`; rounds of reading |
//! | `from_index`, `index_line`, `index_check` | fields by what the lines of index sidecars say of them, and whether that is so |
//! | `message`, `section`, `edition1` | sections and fields of a message; one module for each section; messages of edition 1 |
//! | `field`, `keys`, `table`, `calendar` | fields in their users' words; names of what is a number in the file, from ecCodes' tables; dates |
//! | `cube`, `variant`, `points`, `inline`, `lower` | hypercubes; words for what a field is of; where points are; fields stored in the references; the way to the model |
//! | `decoder` | the values of a message |
//!
//! The crate is a format of its own: a program that names it scans GRIB files.
//!
//! ```
//! use chunkref_core::{MemorySource, Registry, ScanOptions};
//! use chunkref_grib2 as _;
//!
//! # futures::executor::block_on(async {
//! let entry = *Registry::linked().unwrap().by_name("grib").unwrap();
//! // A 2 m temperature on 3 by 2 points, in a message of edition 1.
//! let source = MemorySource::new("memory://a.grb", bytes::Bytes::from(message()));
//! let scan = entry.scan(&source, &ScanOptions::default()).await.unwrap();
//! let array = scan.dataset.array("t2m/instant/heightAboveGround/t2m").unwrap();
//! assert_eq!(array.shape, [1, 1, 2, 3]);
//! # });
//! # fn message() -> Vec<u8> {
//! #     let mut bytes = b"GRIB\0\0\x53\x01".to_vec();
//! #     bytes.extend([0, 0, 28, 128, 98, 145, 255, 0x80, 167, 105, 0, 2, 19, 3, 1, 12, 0, 1, 6, 0, 0, 0, 0, 0, 21, 0, 0, 0]);
//! #     bytes.extend([0, 0, 32, 0, 255, 0, 0, 3, 0, 2, 0, 0xea, 0x60, 0x80, 0x27, 0x10, 0x80]);
//! #     bytes.extend([0, 0xe6, 0x78, 0x80, 0x1f, 0x40, 3, 0xe8, 3, 0xe8, 0, 0, 0, 0, 0]);
//! #     bytes.extend([0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0]);
//! #     bytes.extend(b"7777");
//! #     bytes
//! # }
//! ```

#![warn(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]
#![cfg_attr(
    test,
    expect(clippy::arithmetic_side_effects, reason = "tests compute expected values")
)]

mod calendar;
#[cfg(test)]
mod cost_tests;
mod cube;
mod decoder;
mod edition1;
mod error;
mod field;
mod from_index;
mod index_check;
mod index_line;
mod index_sidecar;
#[cfg(test)]
mod index_tests;
mod inline;
mod keys;
mod lower;
mod message;
mod options;
mod points;
mod reader;
mod scanner;
mod section;
mod table;
mod variant;
mod walk;

pub use error::Grib2Error;
pub use scanner::{ENTRY, Grib2Scanner};

chunkref_core::inventory::submit! { ENTRY }
