// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which output format a destination asks for.

use std::path::Path;

use chunkref_core::Emitter;
use chunkref_parquet::{METADATA, ParquetEmitter};

use super::KerchunkJson;

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// One JSON document, see [`KerchunkJson`].
    KerchunkJson,
    /// A folder of Parquet files, see [`ParquetEmitter`].
    KerchunkParquet,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::KerchunkJson, Self::KerchunkParquet];

    /// The one that a name asks for: Parquet for a name that ends in `.parq` or `.parquet`, and for a folder that holds a
    /// reference set; JSON for all others.
    #[must_use]
    pub fn of(destination: &Path) -> Self {
        let extension = destination.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("parq" | "parquet") => Self::KerchunkParquet,
            _ if destination.join(METADATA).is_file() => Self::KerchunkParquet,
            _ => Self::KerchunkJson,
        }
    }

    /// Short name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::KerchunkJson => "json",
            Self::KerchunkParquet => "parquet",
        }
    }

    /// Extension of a destination that says no other.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::KerchunkJson => "json",
            Self::KerchunkParquet => "parq",
        }
    }

    /// Who writes it.
    #[must_use]
    pub fn emitter(self) -> Box<dyn Emitter> {
        match self {
            Self::KerchunkJson => Box::new(KerchunkJson),
            Self::KerchunkParquet => Box::new(ParquetEmitter::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides() {
        let of = |name: &str| Target::of(Path::new(name)).name();
        for name in ["a.json", "a.json.gz", "a", "parquet", "a.parq.json"] {
            assert_eq!(of(name), "json", "{name}");
        }
        for name in ["a.parq", "x/a.parquet", "a.parq/"] {
            assert_eq!(of(name), "parquet", "{name}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Target::of(folder.path()).name(), "json");
        std::fs::write(folder.path().join(METADATA), b"").unwrap();
        assert_eq!(Target::of(folder.path()).name(), "parquet");
    }
}
