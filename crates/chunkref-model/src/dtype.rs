// SPDX-License-Identifier: MIT OR Apache-2.0
//! Element types.

use serde::{Deserialize, Serialize};

/// Order of the bytes of a number. One byte has no order: [`ByteOrder::Little`] stands for none, so that types compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// The type of one array element as it is stored, after all codecs are undone.
///
/// Lengths are in bytes. A type that a Zarr version cannot say is an error of that lowering, never a guess.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DataType {
    /// One byte, 0 or 1.
    Bool,
    /// Two's complement integer of 1, 2, 4 or 8 bytes.
    Int {
        /// Bytes.
        length: u8,
        /// Order of its bytes.
        order: ByteOrder,
    },
    /// Unsigned integer of 1, 2, 4 or 8 bytes.
    UInt {
        /// Bytes.
        length: u8,
        /// Order of its bytes.
        order: ByteOrder,
    },
    /// IEEE 754 number of 2, 4 or 8 bytes.
    Float {
        /// Bytes.
        length: u8,
        /// Order of its bytes.
        order: ByteOrder,
    },
    /// Two IEEE 754 numbers, real part first, of 4, 8 or 16 bytes together.
    Complex {
        /// Bytes of both parts.
        length: u8,
        /// Order of their bytes.
        order: ByteOrder,
    },
    /// Byte string padded with NUL to a fixed length.
    FixedString {
        /// Bytes.
        length: u64,
    },
    /// Bytes without meaning to Zarr.
    Raw {
        /// Bytes.
        length: u64,
    },
    /// UTF-8 text of any length.
    VlenString,
    /// Bytes of any length.
    VlenBytes,
    /// Fields one after another, without gaps: padding is a field of its own, of type [`DataType::Raw`].
    Struct {
        /// The fields in storage order.
        fields: Vec<Field>,
    },
    /// Signed count of `unit` since 1970 (numpy `datetime64`), 8 bytes.
    DateTime {
        /// numpy unit, such as `ns` or `10ms`.
        unit: String,
        /// Order of its bytes.
        order: ByteOrder,
    },
    /// Signed count of `unit` (numpy `timedelta64`), 8 bytes.
    TimeDelta {
        /// numpy unit, such as `ns` or `10ms`.
        unit: String,
        /// Order of its bytes.
        order: ByteOrder,
    },
}

/// One field of a [`DataType::Struct`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Type of one element.
    pub dtype: DataType,
    /// Elements along each axis of an array field; empty for a plain one.
    pub shape: Vec<u64>,
}

impl DataType {
    /// Bytes of one element; `None` for types of variable length or when a product overflows.
    #[must_use]
    pub fn length_bytes(&self) -> Option<u64> {
        match self {
            Self::Bool => Some(1),
            Self::Int { length, .. }
            | Self::UInt { length, .. }
            | Self::Float { length, .. }
            | Self::Complex { length, .. } => Some(u64::from(*length)),
            Self::FixedString { length } | Self::Raw { length } => Some(*length),
            Self::DateTime { .. } | Self::TimeDelta { .. } => Some(8),
            Self::VlenString | Self::VlenBytes => None,
            Self::Struct { fields } => fields.iter().try_fold(0_u64, |sum, field| {
                let count =
                    field.shape.iter().try_fold(1_u64, |product, &n| product.checked_mul(n))?;
                sum.checked_add(field.dtype.length_bytes()?.checked_mul(count)?)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn struct_length_counts_array_fields() {
        let field = |name: &str, dtype, shape: &[u64]| Field {
            name: name.to_owned(),
            dtype,
            shape: shape.to_vec(),
        };
        let dtype = DataType::Struct {
            fields: vec![
                field("a", DataType::Float { length: 4, order: ByteOrder::Little }, &[]),
                field("b", DataType::Int { length: 2, order: ByteOrder::Big }, &[3]),
                field("c", DataType::Raw { length: 5 }, &[]),
            ],
        };
        assert_eq!(dtype.length_bytes(), Some(15));
        assert_eq!(DataType::VlenString.length_bytes(), None);
    }
}
