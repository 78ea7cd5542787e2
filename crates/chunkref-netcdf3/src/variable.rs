// SPDX-License-Identifier: MIT OR Apache-2.0
//! Variables.

use crate::attribute::Attribute;
use crate::error::{NetCdf3Error, Result};
use crate::header::{Reader, Tag, Version};
use crate::nc_type::NcType;

/// A variable; its place is `begin`, and its length follows from its shape: the file's own `vsize` is wrong for large
/// ones, and no reader uses it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    /// Where its entry is.
    pub(crate) offset: u64,
    /// Places in the list of dimensions.
    pub(crate) dimensions: Vec<usize>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) nc_type: NcType,
    /// Bytes from the start of the file to its data.
    pub(crate) begin: u64,
}

impl Variable {
    /// The list of variables of a file with so many dimensions.
    pub(crate) fn parse_list(reader: &mut Reader<'_>, dimensions: usize) -> Result<Vec<Self>> {
        let count = reader.list(Tag::Variable)?;
        let mut variables = Vec::new();
        for _ in 0..count {
            variables.push(Self::parse(reader, dimensions)?);
        }
        Ok(variables)
    }

    fn parse(reader: &mut Reader<'_>, known: usize) -> Result<Self> {
        let offset = reader.cursor.offset();
        let name = reader.name()?;
        let rank = reader.count("axes")?;
        let mut dimensions = Vec::new();
        for _ in 0..rank {
            let offset = reader.cursor.offset();
            let number = reader.non_negative()?;
            let place = usize::try_from(number).ok().filter(|&place| place < known);
            dimensions.push(place.ok_or_else(|| {
                let reason = format!("{name:?} has dimension {number} of {known}");
                NetCdf3Error::inconsistent("variable", offset, reason)
            })?);
        }
        let attributes = Attribute::parse_list(reader)?;
        let nc_type = NcType::parse(reader)?;
        reader.non_negative_or_unknown()?;
        let begin = match reader.version {
            Version::Classic => u64::from(reader.cursor.u32_be()?),
            Version::Offset64 | Version::Data64 => reader.cursor.u64_be()?,
        };
        Ok(Self { name, offset, dimensions, attributes, nc_type, begin })
    }
}
