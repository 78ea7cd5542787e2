// SPDX-License-Identifier: MIT OR Apache-2.0
//! Heaps. Spec: HDF5 File Format 3.0, III.D to III.G.

mod doubling_table;
pub(crate) mod fractal;
pub(crate) mod fractal_object;
pub(crate) mod global;
pub(crate) mod local;
