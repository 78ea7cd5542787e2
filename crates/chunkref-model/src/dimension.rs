// SPDX-License-Identifier: MIT OR Apache-2.0
//! Named dimensions.

use serde::{Deserialize, Serialize};

/// A dimension that a group defines; arrays of the group and of its subgroups may use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    /// Name, without any path.
    pub name: String,
    /// Length in elements.
    pub length: u64,
    /// Whether the file allows it to grow.
    pub unlimited: bool,
}
