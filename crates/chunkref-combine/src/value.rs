// SPDX-License-Identifier: MIT OR Apache-2.0
//! Elements as things that can be compared.

use std::fmt;

use chunkref_model::array_values::element_bytes;
use chunkref_model::{AttributeValue, ByteOrder, DataType, FillValue};

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

/// Whole numbers up to here are exact in 64 bits of floating point.
const MOST_EXACT: i128 = 1 << f64::MANTISSA_DIGITS;

/// The number in 64 bits of floating point, where that is exact.
pub(crate) fn as_float(value: &Value) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "checked to be exact")]
        Value::Int(value) => (value.abs() <= MOST_EXACT).then_some(*value as f64),
        Value::Float(value) => Some(value.get()),
        Value::Bytes(_) => None,
    }
}

/// Whether two elements are the same number, or the same bytes, whatever their types.
pub(crate) fn same_number(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(_), Value::Float(float)) | (Value::Float(float), Value::Int(_)) => {
            let int = if matches!(a, Value::Int(_)) { a } else { b };
            as_float(int) == Some(float.get())
        }
        _ => a == b,
    }
}

/// An element as bytes of a type; `None` where the type does not hold exactly that.
pub(crate) fn encode(dtype: &DataType, value: &Value) -> Option<Vec<u8>> {
    let (bytes, back) = rounded(dtype, value)?;
    same_number(&back, value).then_some(bytes)
}

/// An element as bytes of a type, and what they are. Numbers are rounded to 32 bits of floating point, and to nothing else.
pub(crate) fn rounded(dtype: &DataType, value: &Value) -> Option<(Vec<u8>, Value)> {
    let whole = |value: &Value| match value {
        Value::Int(value) => Some(*value),
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        Value::Float(float) => {
            let number = float.get();
            (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0)
                .then_some(number as i128)
        }
        Value::Bytes(_) => None,
    };
    let fill = match dtype {
        DataType::Int { .. } => FillValue::Int(i64::try_from(whole(value)?).ok()?),
        DataType::UInt { .. } => FillValue::UInt(u64::try_from(whole(value)?).ok()?),
        DataType::Float { .. } => FillValue::Float(as_float(value)?),
        _ => return None,
    };
    let bytes = element_bytes(dtype, Some(&fill))?;
    let back = values(dtype, &bytes)?.pop()?;
    Some((bytes, back))
}

/// A fill value as an element.
pub(crate) fn of_fill(dtype: &DataType, fill_value: &FillValue) -> Option<Value> {
    values(dtype, &element_bytes(dtype, Some(fill_value))?)?.pop()
}

/// An element as a fill value; `None` where the type does not hold exactly that.
pub(crate) fn fill_of(dtype: &DataType, value: &Value) -> Option<FillValue> {
    let bytes = encode(dtype, value)?;
    match (dtype, values(dtype, &bytes)?.pop()?) {
        (DataType::Int { .. }, Value::Int(value)) => i64::try_from(value).ok().map(FillValue::Int),
        (DataType::UInt { .. }, Value::Int(value)) => {
            u64::try_from(value).ok().map(FillValue::UInt)
        }
        (DataType::Float { .. }, Value::Float(value)) => Some(FillValue::Float(value.get())),
        _ => None,
    }
}

/// The numbers of an attribute as elements of a type. What the type does not hold is left out.
pub(crate) fn of_attribute(dtype: &DataType, attribute: &AttributeValue) -> Vec<Value> {
    let value = match attribute {
        AttributeValue::List(list) => {
            return list.iter().flat_map(|one| of_attribute(dtype, one)).collect();
        }
        AttributeValue::Int(value) => Value::Int((*value).into()),
        AttributeValue::UInt(value) => Value::Int((*value).into()),
        AttributeValue::Float(value) => Value::Float(Float::new(*value)),
        _ => return Vec::new(),
    };
    rounded(dtype, &value).map(|(_, value)| value).into_iter().collect()
}

/// The one number of an attribute.
pub(crate) fn number(attribute: &AttributeValue) -> Option<f64> {
    match attribute {
        AttributeValue::Int(value) => as_float(&Value::Int((*value).into())),
        AttributeValue::UInt(value) => as_float(&Value::Int((*value).into())),
        AttributeValue::Float(value) => Some(*value),
        AttributeValue::List(values) => match values.as_slice() {
            [only] => number(only),
            _ => None,
        },
        _ => None,
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
        for (dtype, value, there) in [
            (&int, Value::Int(-2), true),
            (&int, Value::Int(40_000), false),
            (&int, Value::Float(Float::new(7.0)), true),
            (&int, Value::Float(Float::new(7.5)), false),
            (&float, Value::Int(1 << 53), true),
            (&float, Value::Int((1 << 54) + 1), false),
            (&DataType::Float { length: 4, order: little }, Value::Float(Float::new(0.1)), false),
        ] {
            let bytes = encode(dtype, &value);
            assert_eq!(bytes.is_some(), there, "{dtype:?} {value}");
            if let Some(bytes) = bytes {
                assert!(same_number(&values(dtype, &bytes).unwrap()[0], &value));
            }
        }
        let text = DataType::FixedString { length: 3 };
        assert_eq!(values(&text, b"ab\0").unwrap()[0].to_string(), "\"ab\"");
    }
}
