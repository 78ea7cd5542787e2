// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bounds on what one file, one set of references or one result may cost.
//!
//! One table is the source of the fields, their defaults, what sets them by name, and the documentation.

use chunkref_model::json::reader::Bounds;
use thiserror::Error;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitUnit {
    /// Bytes; values may have a unit such as `64MiB`.
    Bytes,
    /// Things, levels or times.
    Count,
}

/// One limit, as the documentation lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The name of its field in [`Limits`], by which [`Limits::set`] knows it.
    pub name: &'static str,
    /// Its value unless another is set.
    pub default: u64,
    /// What it counts.
    pub unit: LimitUnit,
    /// What it bounds, in words.
    pub meaning: &'static str,
}

/// A limit cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LimitError {
    /// There is no limit of this name.
    #[error("unknown limit {name:?}: the limits are {}", names())]
    UnknownName {
        /// The name.
        name: String,
    },
    /// The value is not one of the limit.
    #[error("limit {name}: {value:?} is not {expected}")]
    BadValue {
        /// The limit.
        name: &'static str,
        /// The value.
        value: String,
        /// What is wanted.
        expected: &'static str,
    },
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr, $unit:ident;)+) => {
        /// Bounds on what one file, one set of references or one result may cost; a length in a file is a claim, and no
        /// claim goes past these.
        ///
        /// The defaults let every sound file through that fits the memory of a small machine.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Limits {
            /// All limits, in the order of the documentation.
            pub const TABLE: &'static [Limit] = &[$(Limit {
                name: stringify!($name),
                default: $default,
                unit: LimitUnit::$unit,
                meaning: concat!($($doc),+).trim_ascii(),
            },)+];

            /// Limits that are not what they are by default, by name.
            #[must_use]
            pub fn changed(&self) -> Vec<(&'static str, u64)> {
                let values = [$(u64::from(self.$name)),+];
                let rows = Self::TABLE.iter().zip(values);
                rows.filter(|(limit, value)| limit.default != *value)
                    .map(|(limit, value)| (limit.name, value))
                    .collect()
            }

            /// Sets the limit of this name (hyphens count as underscores) to a whole number. Bytes may have a unit: `kB`,
            /// `MB`, `GB`, `TB` (powers of 1000), `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024).
            ///
            /// ```
            /// let mut limits = chunkref_core::Limits::default();
            /// limits.set("metadata-bytes", "64MiB")?;
            /// assert_eq!(limits.metadata_bytes, 64 << 20);
            /// # Ok::<(), chunkref_core::LimitError>(())
            /// ```
            ///
            /// # Errors
            /// [`LimitError`] for a name that is not in [`Limits::TABLE`], which it lists, and for what is not a value of
            /// the limit; nothing is set then.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), LimitError> {
                match name.replace('-', "_").as_str() {
                    $(stringify!($name) => {
                        let bad = |expected| LimitError::BadValue {
                            name: stringify!($name),
                            value: value.chars().take(40).collect(),
                            expected,
                        };
                        let number = number(value, LimitUnit::$unit).map_err(bad)?;
                        self.$name = number.try_into().map_err(|_| bad("small enough"))?;
                    })+
                    _ => {
                        let name = name.chars().take(40).collect();
                        return Err(LimitError::UnknownName { name });
                    }
                }
                Ok(())
            }
        }
    };
}

limits! {
    /// Bytes of metadata read from one file.
    metadata_bytes: u64 = 512 << 20, Bytes;
    /// Bytes of one metadata structure.
    structure_bytes: u64 = 64 << 20, Bytes;
    /// Groups, arrays and other objects in one file or set, counted by every path that leads to them.
    objects: u64 = 1_000_000, Count;
    /// Chunk references of one file.
    chunks: u64 = 20_000_000, Count;
    /// Depth of nested groups, of nested types and of index trees.
    depth: u32 = 64, Count;
    /// Links of one group, attributes of one object, members of one type.
    members: u64 = 1_000_000, Count;
    /// Bytes of data stored inline in the references of one file.
    inline_bytes: u64 = 128 << 20, Bytes;
    /// Bytes that one encoded chunk decodes to, and each step on the way.
    decoded_chunk_bytes: u64 = 256 << 20, Bytes;
    /// Points of one grid of a GRIB field.
    grid_points: u64 = 1 << 29, Count;
    /// Values of one coordinate axis that is computed from its description in the file, and rows of a reduced grid.
    axis_values: u64 = 1 << 20, Count;
    /// Bytes of one set of references that is read as a whole, as JSON is, decompressed.
    set_bytes: u64 = 4 << 30, Bytes;
    /// Times that a compressed set may be larger than what is stored, beyond the first 64 MiB.
    set_expansion: u64 = 200, Count;
    /// References of one set that are in memory at one time.
    set_references: u64 = 200_000_000, Count;
    /// Bytes of one string in a set in JSON, such as one chunk stored inline.
    string_bytes: u64 = 256 << 20, Bytes;
    /// Numbers, texts, lists and objects in the metadata, templates and generators of one set.
    metadata_values: u64 = 4_000_000, Count;
    /// References that the generators (`gen`) of one set make.
    generated_references: u64 = 2_000_000, Count;
    /// Bytes of text that the templates and generators of one set make, whether it is kept or not.
    generated_bytes: u64 = 4 << 30, Bytes;
    /// Bytes of the distinct URLs that the templates and generators of one set make.
    generated_url_bytes: u64 = 256 << 20, Bytes;
    /// References of one partition of a Parquet set.
    partition_references: u64 = 1 << 21, Count;
    /// Bytes of one partition of a Parquet set, as it is stored.
    partition_bytes: u64 = 512 << 20, Bytes;
    /// Bytes of values that are read to compare the fields of all inputs that no dimension tells apart.
    compared_bytes: u64 = 4 << 30, Bytes;
    /// Bytes of the values that `cat` writes at one time.
    output_bytes: u64 = 256 << 20, Bytes;
    /// Chunks that `cat` reads at one time.
    read_chunks: u64 = 1_000_000, Count;
}

impl Limits {
    /// Those of one JSON document of a set.
    #[must_use]
    pub const fn of_json(&self) -> Bounds {
        Bounds {
            set_bytes: self.set_bytes,
            string_bytes: self.string_bytes,
            metadata_values: self.metadata_values,
        }
    }

    /// How large a set of so many stored bytes may become: [`Limits::set_expansion`] times that, and 64 MiB in any case.
    #[must_use]
    pub fn expanded_bytes(&self, stored: u64) -> u64 {
        stored.saturating_mul(self.set_expansion).max(FREE_EXPANSION)
    }
}

/// Bytes that any set may become, however little is stored.
const FREE_EXPANSION: u64 = 64 << 20;

fn names() -> String {
    let names: Vec<_> = Limits::TABLE.iter().map(|limit| limit.name).collect();
    names.join(", ")
}

/// A whole number, for bytes with or without a unit.
pub(crate) fn number(text: &str, unit: LimitUnit) -> Result<u64, &'static str> {
    const UNITS: [(&str, u64); 9] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("kB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("B", 1),
    ];
    let text = text.trim();
    let (digits, factor, expected) = match unit {
        LimitUnit::Count => (text, 1, "a whole number"),
        LimitUnit::Bytes => {
            let known = UNITS.iter().find_map(|(name, factor)| {
                let digits = text.get(..text.len().checked_sub(name.len())?)?;
                let ends = text.get(digits.len()..)?.eq_ignore_ascii_case(name);
                ends.then(|| (digits.trim_end(), *factor))
            });
            let (digits, factor) = known.unwrap_or((text, 1));
            (digits, factor, "a number of bytes such as 1000000, 64MiB or 2GB")
        }
    };
    // `parse` takes a sign.
    let plain = digits.starts_with(|first: char| first.is_ascii_digit());
    let number = digits.replace('_', "").parse::<u64>().ok().filter(|_| plain);
    number.and_then(|number| number.checked_mul(factor)).ok_or(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_set_by_name() {
        let mut limits = Limits::default();
        for (name, value, expected) in [
            ("metadata_bytes", "1", 1),
            ("metadata-bytes", "64MiB", 64 << 20),
            ("metadata_bytes", "2 GB", 2_000_000_000),
            ("metadata_bytes", "3kb", 3000),
            ("metadata_bytes", "1_000 B", 1000),
            ("metadata_bytes", "16777215TiB", 16_777_215 << 40),
        ] {
            limits.set(name, value).unwrap();
            assert_eq!(limits.metadata_bytes, expected, "{value}");
        }
        limits.set("depth", "7").unwrap();
        limits.set("chunks", "0").unwrap();
        assert_eq!((limits.depth, limits.chunks), (7, 0));
        let changed = [("metadata_bytes", 16_777_215 << 40), ("chunks", 0), ("depth", 7)];
        assert_eq!(limits.changed(), changed);
    }

    #[test]
    fn every_limit_of_the_table_can_be_set() {
        for limit in Limits::TABLE {
            let mut limits = Limits::default();
            limits.set(limit.name, &limit.default.to_string()).unwrap();
            assert_eq!(limits, Limits::default(), "{}", limit.name);
            limits.set(limit.name, "12345").unwrap();
            assert_ne!(limits, Limits::default(), "{}", limit.name);
            assert!(limit.meaning.ends_with('.'), "{}", limit.name);
        }
    }

    #[test]
    fn documents_of_references_have_the_limits_of_the_table() {
        assert_eq!(Limits::default().of_json(), Bounds::default());
        let mut limits = Limits::default();
        for limit in Limits::TABLE {
            limits.set(limit.name, "1").unwrap();
        }
        let text = format!("{:?}", limits.of_json());
        assert_eq!(text.matches(": 1").count(), text.matches(':').count(), "{text}");
        assert_eq!(limits.expanded_bytes(5), 64 << 20);
        assert_eq!(Limits::default().expanded_bytes(1 << 20), 200 << 20);
    }

    #[test]
    fn wrong_names_and_values_are_errors_that_say_what_is_right() {
        let mut limits = Limits::default();
        let unknown = limits.set("metadata", "1").unwrap_err().to_string();
        assert!(unknown.contains("\"metadata\"") && unknown.contains("metadata_bytes, "));
        for (name, value) in [
            ("chunks", ""),
            ("chunks", "-1"),
            ("chunks", "+1"),
            ("chunks", "1.5"),
            ("chunks", "64MiB"),
            ("chunks", "_1"),
            ("depth", "4294967296"),
            ("metadata_bytes", "MiB"),
            ("metadata_bytes", "1XB"),
            ("metadata_bytes", "-1MiB"),
            ("metadata_bytes", "16777216TiB"),
            ("metadata_bytes", "1é"),
        ] {
            let error = limits.set(name, value).unwrap_err();
            assert!(matches!(error, LimitError::BadValue { .. }), "{name}={value}");
        }
        assert_eq!(limits, Limits::default());
    }
}
