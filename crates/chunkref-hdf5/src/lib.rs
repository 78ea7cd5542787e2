// SPDX-License-Identifier: MIT OR Apache-2.0
//! HDF5 and NetCDF-4: where every chunk of a file is, read from the file's own structures without libhdf5.
//!
//! | module | holds |
//! |---|---|
//! | `scanner` | the entry and the walk over all objects |
//! | `engine`, `libhdf5` | the option between this walk and libhdf5 (feature `libhdf5`), or both against each other |
//! | `frontier` | batched reading: the rounds of a scan are the depth of the file, not its size |
//! | `superblock`, `object_header`, `message`, `btree`, `heap`, `chunk_index` | one on-disk structure each |
//! | `file`, `group`, `attributes`, `object`, `value`, `raw_data`, `filter` | the walks, and what they find |
//! | `tree`, `netcdf4` | paths of objects; dimensions as NetCDF-4 sees them |
//! | `inline`, `filter_options` | chunks whose bytes go into the references, and the options on filters |
//! | `lower` | from the on-disk description to the model |

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
mod engine;
mod error;
mod file;
mod filter;
mod filter_options;
mod frontier;
mod group;
mod heap;
mod inline;
#[cfg(feature = "libhdf5")]
mod libhdf5;
mod lower;
mod mapped_data;
mod message;
mod neighbours;
mod netcdf4;
mod object;
mod object_header;
mod raw_data;
mod scanner;
mod selection;
mod shared_message;
mod split_contiguous;
mod superblock;
#[cfg(test)]
mod testing;
mod tree;
mod value;

pub use error::Hdf5Error;
pub use scanner::{ENTRY, Hdf5Scanner};

chunkref_core::inventory::submit! { ENTRY }
