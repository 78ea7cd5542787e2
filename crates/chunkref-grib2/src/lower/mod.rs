// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fields in Zarr's terms.

mod arrays;
mod attributes;
mod budget;
mod codec;
mod coordinates;
mod geography;
mod grid_mapping;
mod layout;

pub(crate) use geography::DIGEST;
pub(crate) use layout::lower;
