// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dimensions.

use crate::error::{NetCdf3Error, Result};
use crate::header::{Reader, Tag};

/// A dimension; the one of length 0 is that of the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dimension {
    pub(crate) name: String,
    pub(crate) length: u64,
}

impl Dimension {
    /// The list of dimensions.
    pub(crate) fn parse_list(reader: &mut Reader<'_>) -> Result<Vec<Self>> {
        let count = reader.list(Tag::Dimension)?;
        let mut dimensions = Vec::new();
        for _ in 0..count {
            let offset = reader.cursor.offset();
            let dimension = Self { name: reader.name()?, length: reader.non_negative()? };
            if dimension.length == 0 && dimensions.iter().any(|other: &Self| other.length == 0) {
                let reason = format!(
                    "{:?} is a second dimension of length 0, and only that of the records has none",
                    dimension.name
                );
                return Err(NetCdf3Error::inconsistent("dimension", offset, reason));
            }
            dimensions.push(dimension);
        }
        Ok(dimensions)
    }
}
