// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which codec decodes a field.

use chunkref_core::model::Codec;

use crate::field::{Field, Packing};
use crate::options::CodecChoice;

/// Who decodes messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decoder {
    Gribberish,
    EcCodes,
}

impl Decoder {
    /// One decoder for all of `fields`, and for their latitudes and longitudes too where those are decoded.
    pub(crate) fn choose(choice: CodecChoice, fields: &[&Field], with_grid: bool) -> Self {
        let gribberish_reads =
            || fields.iter().all(|field| reads_values(field) && (!with_grid || reads_grid(field)));
        match choice {
            CodecChoice::Gribberish => Self::Gribberish,
            CodecChoice::Auto if gribberish_reads() => Self::Gribberish,
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

/// Whether gribberish unpacks the values as ecCodes does.
fn reads_values(field: &Field) -> bool {
    matches!(field.packing, Packing::Template(0 | 2 | 3 | 40 | 41 | 42))
}

/// Whether gribberish knows the grid, and the product, which it reads on the way.
fn reads_grid(field: &Field) -> bool {
    matches!(field.grid.number, 0 | 10 | 20 | 30)
        && field.grid.shape().is_some()
        && matches!(field.product_template, 0 | 1 | 2 | 5 | 6 | 8..=12 | 103 | 104)
        && !field.grid.scanning.alternating()
}
