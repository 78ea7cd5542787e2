// SPDX-License-Identifier: MIT OR Apache-2.0
//! The second engine: what libhdf5 itself says about a file, through hdf5-metno's safe interface.
//!
//! It fills the same description as the native walks. What the safe interface does not give stays the native engine's:
//!
//! | libhdf5's own | left to the native engine |
//! |---|---|
//! | objects, their addresses and kinds; names, kinds and order of links; where hard links lead | where soft, external and user-defined links lead |
//! | names and order of attributes, their datatypes and shapes | |
//! | values of numbers, enumerations, strings, object references, and sequences of numbers or references | values of compounds, arrays, opaque data, bit fields, 16-bit and 16-byte floats, strings of more than 64 KiB |
//! | datatypes, shapes, fill values, filters with their parameters | fill values of external and virtual datasets, filter names |
//! | places, lengths and masks of chunks; places of contiguous data; bytes of compact data | the lists of external and virtual datasets |
//! | elements of variable-length strings | compact elements that point elsewhere |
//!
//! Datatypes come without `unsafe` by way of a transcript: libhdf5 copies each type, with fill value and filters, into a
//! small file of its own, and the parsers of this crate read them there.
//!
//! libhdf5 names wrong places for the chunks of an extensible array whose unlimited axis is not the first: its iteration
//! counts in the order of the axes, but the array is ordered with that axis in front (H5Dearray.c of 2.2: see
//! `H5D__earray_idx_iterate_cb` and the `swizzled_coords` of `H5D__earray_idx_get_addr`). The count can be told from the
//! wrong place, so the right one is worked out here.
//!
//! libhdf5 has a record of crashes on damaged files: this engine is for files that one trusts.

mod address;
mod attribute;
mod build;
mod dataset;
mod datatype;
mod difference;
mod fault;
mod found;
mod settle;
mod transcript;
mod values;
mod walk;

use std::path::{Path, PathBuf};

use crate::error::{Hdf5Error, Result};
use crate::object::{Described, Objects};
use crate::walk::File;

pub(crate) use settle::Role;

/// The path of a local file's location.
pub(crate) fn local_path(location: &str) -> Option<PathBuf> {
    let path = location.strip_prefix("file://")?;
    let path = if cfg!(windows) { path.trim_start_matches('/') } else { path };
    Path::new(path).is_absolute().then(|| PathBuf::from(path))
}

/// Reads the file with libhdf5 too, and settles what either engine says as `role` wants it.
pub(crate) async fn read(
    file: &File<'_>,
    native: Objects<Described>,
    role: Role,
) -> Result<Objects<Described>> {
    let location = file.frontier.source().location();
    let path = local_path(location).ok_or_else(|| {
        Hdf5Error::unsupported("libhdf5", 0, format!("reading {location}, which is no local file,"))
    })?;
    let (mut found, transcript) = walk::walk(&path, &file.context)?;
    let descriptions = transcript::parse(transcript).await?;
    dataset::order_axes(file, &mut found).await;
    Ok(settle::settle(native, found, &descriptions, &file.context, role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_file_urls_are_paths() {
        assert_eq!(local_path("s3://bucket/a.h5"), None);
        assert_eq!(local_path("memory://a.h5"), None);
        #[cfg(unix)]
        assert_eq!(local_path("file:///a b/c#.h5"), Some(PathBuf::from("/a b/c#.h5")));
    }
}
