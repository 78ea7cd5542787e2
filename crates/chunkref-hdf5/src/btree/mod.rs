// SPDX-License-Identifier: MIT OR Apache-2.0
//! B-trees of both versions. Spec: HDF5 File Format 3.0, III.A.

pub(crate) mod v1;
pub(crate) mod v2;
