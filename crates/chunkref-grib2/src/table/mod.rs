// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of what the sections hold by number.

pub(crate) mod centre;
pub(crate) mod coordinate;
pub(crate) mod ecmwf_parameter;
pub(crate) mod level_type;
pub(crate) mod parameter;
pub(crate) mod short_name;
pub(crate) mod template;
