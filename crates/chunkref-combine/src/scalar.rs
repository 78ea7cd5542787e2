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

/// All of `scalars` in one type: that which is asked for; or integers where all are, numbers where all are, else text of
/// the longest one's length. An error is a scalar that is none of the type.
pub(crate) fn encode(
    scalars: &[Vec<Scalar>],
    dtype: Option<&DataType>,
) -> Result<(DataType, Vec<Vec<u8>>), String> {
    let Some(dtype) = dtype else { return Ok(encode_as_needed(scalars)) };
    let mut encoded = Vec::new();
    for scalars in scalars {
        let mut bytes = Vec::new();
        for scalar in scalars {
            bytes.extend(element(scalar, dtype).ok_or_else(|| scalar.text())?);
        }
        encoded.push(bytes);
    }
    Ok((dtype.clone(), encoded))
}

/// One element of a type, if the scalar is one.
fn element(scalar: &Scalar, dtype: &DataType) -> Option<Vec<u8>> {
    let ordered = |mut bytes: Vec<u8>, order: ByteOrder| {
        if order == ByteOrder::Big {
            bytes.reverse();
        }
        bytes
    };
    match (dtype, scalar) {
        (
            DataType::DateTime { order, .. } | DataType::TimeDelta { order, .. },
            Scalar::Int(value),
        ) => Some(ordered(value.to_le_bytes().to_vec(), *order)),
        (DataType::Int { length, order }, Scalar::Int(value)) => {
            let unused = 64_u32.checked_sub(u32::from(*length) * 8)?;
            let fits = *value << unused >> unused == *value;
            let bytes = value.to_le_bytes().get(..usize::from(*length))?.to_vec();
            fits.then(|| ordered(bytes, *order))
        }
        (DataType::UInt { length, order }, Scalar::Int(value)) => {
            let value = u64::try_from(*value).ok()?;
            let bytes = value.to_le_bytes();
            let (kept, rest) = bytes.split_at_checked(usize::from(*length))?;
            rest.iter().all(|&byte| byte == 0).then(|| ordered(kept.to_vec(), *order))
        }
        (DataType::Float { length, order }, Scalar::Int(_) | Scalar::Float(_)) => {
            let number: f64 = scalar.text().parse().ok()?;
            let bytes = match length {
                8 => number.to_le_bytes().to_vec(),
                #[expect(clippy::cast_possible_truncation, reason = "the type that is asked for")]
                4 => (number as f32).to_le_bytes().to_vec(),
                _ => return None,
            };
            Some(ordered(bytes, *order))
        }
        (DataType::FixedString { length }, scalar) => {
            let mut bytes = scalar.text().into_bytes();
            let length = usize::try_from(*length).ok()?;
            (bytes.len() <= length).then(|| {
                bytes.resize(length, 0);
                bytes
            })
        }
        _ => None,
    }
}

fn encode_as_needed(scalars: &[Vec<Scalar>]) -> (DataType, Vec<Vec<u8>>) {
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
        let encode = |scalars: &Vec<Vec<Scalar>>| encode(scalars, None).unwrap();
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

    #[test]
    fn the_type_that_is_asked_for() {
        let encode =
            |text: &str, dtype: &DataType| encode(&[vec![Scalar::of_text(text)]], Some(dtype));
        let short = DataType::Int { length: 2, order: ByteOrder::Big };
        assert_eq!(encode("-2", &short).unwrap().1, [[0xff, 0xfe]]);
        assert_eq!(encode("40000", &short), Err("40000".to_owned()));
        assert_eq!(encode("1.5", &short), Err("1.5".to_owned()));
        let byte = DataType::UInt { length: 1, order: ByteOrder::Little };
        assert_eq!(encode("255", &byte).unwrap().1, [[255]]);
        assert!(encode("256", &byte).is_err() && encode("-1", &byte).is_err());
        let float = DataType::Float { length: 4, order: ByteOrder::Little };
        assert_eq!(encode("1.5", &float).unwrap().1, [1.5_f32.to_le_bytes()]);
        assert_eq!(encode("7", &DataType::FixedString { length: 2 }).unwrap().1, [b"7\0"]);
        assert!(encode("abc", &DataType::FixedString { length: 2 }).is_err());
    }
}
