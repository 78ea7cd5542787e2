// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which codec decodes a field.

use chunkref_core::model::Codec;

use crate::options::CodecChoice;

/// Who decodes messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decoder {
    Gribberish,
    EcCodes,
}

impl Decoder {
    /// The decoder of a choice. `auto` is ecCodes': the codec that gribberish 0.30.3 registers for Zarr 2 metadata takes
    /// `bytes` alone, and zarr-python 3 hands arrays to codecs, so that nothing opens with it.
    pub(crate) fn choose(choice: CodecChoice) -> Self {
        match choice {
            CodecChoice::Gribberish => Self::Gribberish,
            CodecChoice::EcCodes | CodecChoice::Auto => Self::EcCodes,
        }
    }

    /// The codec for the values of `variable`.
    pub(crate) fn values(self, variable: &str) -> Codec {
        // These two names mean the grid to both codecs.
        let variable =
            if matches!(variable, "latitude" | "longitude") { "values" } else { variable };
        self.named(variable)
    }

    /// The codec for latitudes or longitudes of a message's grid.
    pub(crate) fn coordinate(self, name: &str) -> Codec {
        self.named(name)
    }

    fn named(self, variable: &str) -> Codec {
        let name = match self {
            Self::Gribberish => "gribberish",
            Self::EcCodes => "grib",
        };
        Codec::new(name).with("var", variable).with("dtype", "float64")
    }
}
