// SPDX-License-Identifier: MIT OR Apache-2.0
//! kerchunk JSON: references and Zarr v2 metadata in one document.
//!
//! Spec: <https://fsspec.github.io/kerchunk/spec.html>. Version 1 is written; versions 0 and 1 are read.

mod writer;

pub use writer::{WriteError, WriteOptions, Written, write};
