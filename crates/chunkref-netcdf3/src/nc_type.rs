// SPDX-License-Identifier: MIT OR Apache-2.0
//! Types of elements. All numbers are big-endian.

use chunkref_core::model::{ByteOrder, DataType};

use crate::error::{NetCdf3Error, Result};
use crate::header::Reader;

/// A type; the last five belong to CDF-5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NcType {
    Byte,
    Char,
    Short,
    Int,
    Float,
    Double,
    UByte,
    UShort,
    UInt,
    Int64,
    UInt64,
}

impl NcType {
    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self> {
        let offset = reader.cursor.offset();
        Ok(match reader.cursor.u32_be()? {
            1 => Self::Byte,
            2 => Self::Char,
            3 => Self::Short,
            4 => Self::Int,
            5 => Self::Float,
            6 => Self::Double,
            7 => Self::UByte,
            8 => Self::UShort,
            9 => Self::UInt,
            10 => Self::Int64,
            11 => Self::UInt64,
            other => {
                let reason = format!("{other} is no type");
                return Err(NetCdf3Error::inconsistent("nc_type", offset, reason));
            }
        })
    }

    /// Bytes of one element.
    pub(crate) fn length(self) -> u8 {
        match self {
            Self::Byte | Self::Char | Self::UByte => 1,
            Self::Short | Self::UShort => 2,
            Self::Int | Self::Float | Self::UInt => 4,
            Self::Double | Self::Int64 | Self::UInt64 => 8,
        }
    }

    /// The type in the model's words. Characters are strings of one byte, as kerchunk has them: NetCDF knows no longer
    /// ones, and its readers join those of the last axis themselves.
    pub(crate) fn dtype(self) -> DataType {
        let length = self.length();
        // One byte has no order; `Little` stands for none.
        let order = if length == 1 { ByteOrder::Little } else { ByteOrder::Big };
        match self {
            Self::Char => DataType::FixedString { length: 1 },
            Self::Byte | Self::Short | Self::Int | Self::Int64 => DataType::Int { length, order },
            Self::UByte | Self::UShort | Self::UInt | Self::UInt64 => {
                DataType::UInt { length, order }
            }
            Self::Float | Self::Double => DataType::Float { length, order },
        }
    }
}
