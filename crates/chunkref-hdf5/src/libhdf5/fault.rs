// SPDX-License-Identifier: MIT OR Apache-2.0
//! What libhdf5 says is wrong.

use crate::error::Hdf5Error;

/// What libhdf5 says is wrong with the object at `offset`.
pub(super) fn fault(offset: u64, error: &hdf5_metno::Error) -> Hdf5Error {
    Hdf5Error::inconsistent("libhdf5", offset, error.to_string())
}
