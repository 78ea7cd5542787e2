// SPDX-License-Identifier: MIT OR Apache-2.0
//! The walks: they read structures through [`File`] and [`Frontier`] and leave parsing to the modules named after the structures.

mod attributes;
mod btree;
mod chunk_index;
mod dataset;
pub(crate) mod elements;
mod file;
mod files;
mod fractal_heap;
mod frontier;
mod group;
mod heap;
mod inline;
pub(crate) mod object_header;
mod objects;
mod open;
mod shared_message;
mod values;

#[cfg(feature = "libhdf5")]
pub(crate) use dataset::dataset;
pub(crate) use file::File;
pub(crate) use files::Files;
pub(crate) use frontier::Frontier;
#[cfg(feature = "libhdf5")]
pub(crate) use group::links;
pub(crate) use inline::read_chunks;
pub(crate) use objects::read_objects;
pub(crate) use open::open;
