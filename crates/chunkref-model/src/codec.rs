// SPDX-License-Identifier: MIT OR Apache-2.0
//! Codecs: how a chunk's stored bytes become its elements.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One named codec with its configuration.
///
/// The names are those of the numcodecs registry (`zlib`, `shuffle`, `fletcher32` …), which Zarr v2 uses as they are;
/// the Zarr v3 lowering maps them to v3 names. An array's codecs are in *encoding* order, as in Zarr: the first codec
/// is applied first when a chunk is written and last when it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Codec {
    name: String,
    configuration: Map<String, Value>,
}

impl Codec {
    /// A codec without configuration.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), configuration: Map::new() }
    }

    /// The same codec with one more configuration entry.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.configuration.insert(key.into(), value.into());
        self
    }

    /// The same codec without a configuration entry.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.configuration.remove(key);
        self
    }

    /// The numcodecs identifier.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The configuration, without the name.
    #[must_use]
    pub fn configuration(&self) -> &Map<String, Value> {
        &self.configuration
    }
}
