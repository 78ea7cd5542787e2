// SPDX-License-Identifier: MIT OR Apache-2.0
//! NetCDF classic files: CDF-1, CDF-2 (64-bit offsets) and CDF-5 (64-bit data).
//!
//! | module | holds |
//! |---|---|
//! | `scanner` | the entry; the header read in as few rounds as it is long; chunks that go into the references |
//! | `header`, `dimension`, `attribute`, `variable`, `nc_type` | one on-disk structure each |
//! | `record_layout` | where the records of a file are |
//! | `lower` | the way to the model |
//!
//! The crate is a format of its own: a program that names it scans classic files.
//!
//! ```
//! use chunkref_core::{MemorySource, Registry, ScanOptions};
//! use chunkref_netcdf3 as _;
//!
//! # futures::executor::block_on(async {
//! let empty = [b"CDF\x01".as_slice(), &[0; 28]].concat();
//! let source = MemorySource::new("memory://a.nc", empty.into());
//! let entry = *Registry::linked().unwrap().detect_source(&source).await.unwrap();
//! let scan = entry.scan(&source, &ScanOptions::default()).await.unwrap();
//! assert!(scan.dataset.arrays().is_empty() && scan.skipped.is_empty());
//! # });
//! ```
//!
//! Spec: The NetCDF Classic Format Specification (OGC 11-079r1 and its 64-bit extensions), in netCDF-C's `docs/file_format_specifications.md`.

#![warn(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod attribute;
mod dimension;
mod error;
mod header;
mod lower;
mod nc_type;
mod record_layout;
mod scanner;
mod variable;

pub use error::NetCdf3Error;
pub use scanner::{ENTRY, NetCdf3Scanner};

chunkref_core::inventory::submit! { ENTRY }
