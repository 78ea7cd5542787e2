// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of what the sections hold by number.

pub(crate) mod coordinate;
pub(crate) mod eccodes;
pub(crate) mod parameter;
pub(crate) mod template;
