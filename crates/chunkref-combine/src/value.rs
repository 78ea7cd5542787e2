// SPDX-License-Identifier: MIT OR Apache-2.0
//! Elements as things that can be compared.

use std::fmt;

use chunkref_model::{ByteOrder, DataType};

/// One element, compared by its value. Numbers of one type compare as numbers, anything else byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Value {
    Int(i128),
    Float(Float),
    Bytes(Vec<u8>),
}

/// A number whose order is total; NaN equals NaN and -0 equals 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Float(u64);

impl Float {
    pub(crate) fn new(value: f64) -> Self {
        Self(if value == 0.0 { 0 } else { value.to_bits() })
    }

    pub(crate) fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl PartialOrd for Float {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Float {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.get().total_cmp(&other.get())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(formatter),
            Self::Float(value) => value.get().fmt(formatter),
            Self::Bytes(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                write!(formatter, "{:?}", text.trim_end_matches('\0'))
            }
        }
    }
}

/// The elements of a type in plain bytes; `None` for types without a fixed length.
pub(crate) fn values(dtype: &DataType, bytes: &[u8]) -> Option<Vec<Value>> {
    let element = usize::try_from(dtype.length_bytes()?).ok().filter(|&element| element > 0)?;
    Some(bytes.chunks_exact(element).map(|bytes| value(dtype, bytes)).collect())
}

fn value(dtype: &DataType, bytes: &[u8]) -> Value {
    let big = |order: ByteOrder| {
        let mut bytes = bytes.to_vec();
        if order == ByteOrder::Little {
            bytes.reverse();
        }
        bytes.into_iter().fold(0_u64, |number, byte| number << 8 | u64::from(byte))
    };
    match dtype {
        DataType::Bool => Value::Int(big(ByteOrder::Big).into()),
        DataType::Int { order, .. }
        | DataType::DateTime { order, .. }
        | DataType::TimeDelta { order, .. } => {
            let unused = 64_usize.saturating_sub(bytes.len() * 8);
            Value::Int((big(*order).cast_signed() << unused >> unused).into())
        }
        DataType::UInt { order, .. } => Value::Int(big(*order).into()),
        DataType::Float { length: 8, order } => {
            Value::Float(Float::new(f64::from_bits(big(*order))))
        }
        DataType::Float { length: 4, order } => {
            let bits = u32::try_from(big(*order)).unwrap_or_default();
            Value::Float(Float::new(f32::from_bits(bits).into()))
        }
        _ => Value::Bytes(bytes.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_as_numbers() {
        let little = ByteOrder::Little;
        let int = DataType::Int { length: 2, order: ByteOrder::Big };
        assert_eq!(values(&int, &[0xff, 0xfe, 0, 5]).unwrap(), [Value::Int(-2), Value::Int(5)]);
        let uint = DataType::UInt { length: 8, order: little };
        assert_eq!(values(&uint, &[0xff; 8]).unwrap(), [Value::Int(u64::MAX.into())]);
        let float = DataType::Float { length: 4, order: little };
        let bytes = [(-1.5_f32).to_le_bytes(), 2.0_f32.to_le_bytes()].concat();
        let pair = values(&float, &bytes).unwrap();
        assert!(pair[0] < pair[1]);
        assert_eq!(pair[0].to_string(), "-1.5");
        let float = DataType::Float { length: 8, order: little };
        let zeros = [0.0_f64.to_le_bytes(), (-0.0_f64).to_le_bytes()].concat();
        let zeros = values(&float, &zeros).unwrap();
        assert_eq!(zeros[0], zeros[1]);
        assert_eq!(values(&DataType::VlenString, b"x"), None);
        let text = DataType::FixedString { length: 3 };
        assert_eq!(values(&text, b"ab\0").unwrap()[0].to_string(), "\"ab\"");
    }
}
