// SPDX-License-Identifier: MIT OR Apache-2.0
//! GRIB2: every field of every message as a chunk of a hypercube, described from the sections' own octets.
//!
//! | module | holds |
//! |---|---|
//! | `scanner`, `options` | the entry and its options |
//! | `walk`, `index_sidecar`, `reader` | where messages begin: the chain of lengths, `.idx` and `.index`; rounds of reading |
//! | `message`, `section`, `edition1` | sections and fields of a message; one module for each section; messages of edition 1 |
//! | `field`, `table`, `calendar` | fields in their users' words; names of what is a number in the file; dates |
//! | `cube`, `grid_axes`, `lower` | hypercubes; latitudes and longitudes; the way to the model |
//!
//! The crate is a format of its own: a program that names it scans GRIB files.
//!
//! ```
//! use chunkref_core::{MemorySource, Registry, ScanOptions};
//! use chunkref_grib2 as _;
//!
//! # futures::executor::block_on(async {
//! let entry = *Registry::linked().unwrap().by_name("grib").unwrap();
//! let source = MemorySource::new("memory://a.grib2", bytes::Bytes::from_static(b"GRIB\0\0\0\x02"));
//! let scan = (entry.scanner)().scan(&source, &ScanOptions::default()).await;
//! println!("{:?}", scan.map(|scan| scan.dataset.arrays().len()));
//! # });
//! ```

#![warn(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]
#![cfg_attr(
    test,
    expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "tests compute expected values"
    )
)]

mod calendar;
mod cube;
mod edition1;
mod error;
mod field;
mod grid_axes;
mod index_sidecar;
mod lower;
mod message;
mod options;
mod reader;
mod scanner;
mod section;
mod table;
mod walk;

pub use error::Grib2Error;
pub use scanner::{ENTRY, Grib2Scanner};

chunkref_core::inventory::submit! { ENTRY }
