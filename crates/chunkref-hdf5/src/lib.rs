// SPDX-License-Identifier: MIT OR Apache-2.0
//! HDF5 and NetCDF-4: where every chunk of a file is, read from the file's own structures without libhdf5.
//!
//! | module | holds |
//! |---|---|
//! | `scanner`, `options`, `engine`, `frontier` | the entry; its options; which engine reads; batched reading, in as many rounds as the file is deep |
//! | `superblock`, `object_header`, `message`, `btree`, `heap`, `chunk_index`, `selection` | one on-disk structure each |
//! | `file`, `group`, `attributes`, `object`, `value`, `raw_data`, `filter` | the walks, and what they find |
//! | `neighbours`, `mapped_data`, `object_references`, `split_contiguous`, `inline` | data in other files, in pieces, in the references |
//! | `tree`, `netcdf4`, `lower` | paths; dimensions as NetCDF-4 sees them; the way to the model |
//!
//! The crate is a format of its own: a program that names it scans HDF5 files.
//!
//! ```
//! use chunkref_core::{MemorySource, Registry, ScanErrorKind, ScanOptions};
//! use chunkref_hdf5 as _;
//!
//! # futures::executor::block_on(async {
//! let bytes = bytes::Bytes::from_static(b"\x89HDF\r\n\x1a\n cut off");
//! let source = MemorySource::new("memory://a.h5", bytes);
//! let registry = Registry::linked().unwrap();
//! let entry = registry.detect_source(&source).await.unwrap();
//! let error = entry.scan(&source, &ScanOptions::default()).await.unwrap_err();
//! assert_eq!((entry.name, error.kind), ("hdf5", ScanErrorKind::Unsupported));
//! # });
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

mod attributes;
mod btree;
mod checksum;
mod chunk_index;
mod context;
mod ending;
mod engine;
mod error;
mod filter;
mod filter_mask;
mod filter_options;
mod heap;
mod inline_chunk;
#[cfg(feature = "libhdf5")]
mod libhdf5;
mod lower;
mod message;
mod name_index;
mod neighbours;
mod object;
mod object_header;
mod options;
mod raw_data;
mod resolve;
mod scanner;
mod selection;
mod shared_message_table;
mod split_contiguous;
mod superblock;
mod symbol_table_node;
#[cfg(test)]
mod testing;
mod tree;
mod value;
mod walk;

pub use error::Hdf5Error;
pub use scanner::{ENTRY, Hdf5Scanner};

chunkref_core::inventory::submit! { ENTRY }
