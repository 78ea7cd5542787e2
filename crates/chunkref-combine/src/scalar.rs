// SPDX-License-Identifier: MIT OR Apache-2.0
//! Coordinates from elsewhere than arrays: attributes, locations, lists.

use chunkref_model::{AttributeValue, ByteOrder, DataType};

use crate::value::Value;

/// A number or a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Int(i64),
    Float(f64),
    Text(String),
}

impl Scalar {
    /// Text that is a number counts as that number.
    pub(crate) fn of_text(text: &str) -> Self {
        let text = text.trim();
        if let Ok(value) = text.parse() {
            return Self::Int(value);
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Self::Float(value),
            _ => Self::Text(text.to_owned()),
        }
    }

    pub(crate) fn of_attribute(value: &AttributeValue) -> Option<Self> {
        match value {
            AttributeValue::Int(value) => Some(Self::Int(*value)),
            AttributeValue::UInt(value) => i64::try_from(*value).ok().map(Self::Int),
            AttributeValue::Float(value) => Some(Self::Float(*value)),
            AttributeValue::Text(text) => Some(Self::of_text(text)),
            AttributeValue::List(values) => match values.as_slice() {
                [only] => Self::of_attribute(only),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn of_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(value) => i64::try_from(*value).ok().map(Self::Int),
            Value::Float(value) => Some(Self::Float(value.get())),
            Value::Bytes(bytes) => {
                let text = std::str::from_utf8(bytes).ok()?;
                Some(Self::Text(text.trim_end_matches('\0').to_owned()))
            }
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// All of `scalars` in one type: integers where all are, numbers where all are, else text of the longest one's length.
pub(crate) fn encode(scalars: &[Vec<Scalar>]) -> (DataType, Vec<Vec<u8>>) {
    let all = || scalars.iter().flatten();
    let order = ByteOrder::Little;
    if all().all(|scalar| matches!(scalar, Scalar::Int(_))) {
        return (
            DataType::Int { length: 8, order },
            each(scalars, |scalar| match scalar {
                Scalar::Int(value) => value.to_le_bytes().to_vec(),
                _ => vec![0; 8],
            }),
        );
    }
    let exact = |value: i64| value.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS;
    let numbers = all().all(|scalar| match scalar {
        Scalar::Int(value) => exact(*value),
        Scalar::Float(_) => true,
        Scalar::Text(_) => false,
    });
    if numbers {
        return (
            DataType::Float { length: 8, order },
            each(scalars, |scalar| match scalar {
                #[expect(clippy::cast_precision_loss, reason = "checked to be exact")]
                Scalar::Int(value) => (*value as f64).to_le_bytes().to_vec(),
                Scalar::Float(value) => value.to_le_bytes().to_vec(),
                Scalar::Text(_) => vec![0; 8],
            }),
        );
    }
    let longest = all().map(|scalar| scalar.text().len()).max().unwrap_or_default().max(1);
    let bytes = each(scalars, |scalar| {
        let mut bytes = scalar.text().into_bytes();
        bytes.resize(longest, 0);
        bytes
    });
    (DataType::FixedString { length: longest as u64 }, bytes)
}

fn each(scalars: &[Vec<Scalar>], bytes: impl Fn(&Scalar) -> Vec<u8>) -> Vec<Vec<u8>> {
    scalars.iter().map(|scalars| scalars.iter().flat_map(&bytes).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_type_for_all() {
        let texts = |texts: &[&str]| vec![texts.iter().map(|text| Scalar::of_text(text)).collect()];
        let (dtype, bytes) = encode(&texts(&["007", "8"]));
        assert_eq!(dtype, DataType::Int { length: 8, order: ByteOrder::Little });
        assert_eq!(bytes[0][..8], 7_i64.to_le_bytes());
        let (dtype, bytes) = encode(&texts(&["1.5", "8"]));
        assert_eq!(dtype, DataType::Float { length: 8, order: ByteOrder::Little });
        assert_eq!(bytes[0][8..], 8.0_f64.to_le_bytes());
        let (dtype, bytes) = encode(&texts(&["a", "10", "abc"]));
        assert_eq!(dtype, DataType::FixedString { length: 3 });
        assert_eq!(bytes[0], b"a\0\x0010\0abc");
    }
}
