// SPDX-License-Identifier: MIT OR Apache-2.0
//! Coordinates from elsewhere than arrays: attributes, locations, lists.

use chunkref_model::{AttributeValue, ByteOrder, DataType};

use crate::time::{count_of_date, date_of_count, date_of_text};
use crate::value::Value;

/// A number, a text or a date.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Int(i64),
    Float(f64),
    /// Text that stays text, even where it is a number.
    Text(String),
    /// Text that counts as a number where it is one, and as a date where one is asked for.
    Written(String),
    /// Nanoseconds since 1970.
    Date(i128),
}

impl Scalar {
    pub(crate) fn of_text(text: &str) -> Self {
        Self::Written(text.trim().to_owned())
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

    /// An element of an array.
    pub(crate) fn of_element(value: &Value, dtype: &DataType) -> Option<Self> {
        match (value, dtype) {
            (Value::Int(value), DataType::DateTime { unit, .. }) => {
                date_of_count(i64::try_from(*value).ok()?, unit).map(Self::Date)
            }
            (Value::Int(value), _) => i64::try_from(*value).ok().map(Self::Int),
            (Value::Float(value), _) => Some(Self::Float(value.get())),
            (Value::Bytes(bytes), _) => {
                let text = std::str::from_utf8(bytes).ok()?;
                Some(Self::Text(text.trim_end_matches('\0').to_owned()))
            }
        }
    }

    /// What it is when no type is asked for.
    fn as_needed(&self) -> Self {
        let Self::Written(text) = self else { return self.clone() };
        if let Ok(value) = text.parse() {
            return Self::Int(value);
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Self::Float(value),
            _ => Self::Text(text.clone()),
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(text) | Self::Written(text) => text.clone(),
            Self::Date(nanoseconds) => format!("{nanoseconds} ns since 1970"),
        }
    }

    /// The count of one of numpy's units since 1970.
    fn date(&self, unit: &str) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Float(_) => None,
            Self::Text(text) | Self::Written(text) => count_of_date(date_of_text(text)?, unit),
            Self::Date(nanoseconds) => count_of_date(*nanoseconds, unit),
        }
    }
}

/// All of `scalars` in one type: that which is asked for; or integers where all are, numbers where all are, else text of
/// the longest one's length. An error is a scalar that is none of the type.
pub(crate) fn encode(
    scalars: &[Vec<Scalar>],
    dtype: Option<&DataType>,
) -> Result<(DataType, Vec<Vec<u8>>), String> {
    let Some(dtype) = dtype else { return encode_as_needed(scalars) };
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
    match (dtype, &scalar.as_needed()) {
        (DataType::DateTime { order, unit }, _) => {
            Some(ordered(scalar.date(unit)?.to_le_bytes().to_vec(), *order))
        }
        (DataType::TimeDelta { order, .. }, Scalar::Int(value)) => {
            Some(ordered(value.to_le_bytes().to_vec(), *order))
        }
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
        (DataType::FixedString { length }, _) => {
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

fn encode_as_needed(scalars: &[Vec<Scalar>]) -> Result<(DataType, Vec<Vec<u8>>), String> {
    let needed: Vec<Scalar> = scalars.iter().flatten().map(Scalar::as_needed).collect();
    let order = ByteOrder::Little;
    let exact = |value: i64| value.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS;
    let numbers = needed.iter().all(|scalar| match scalar {
        Scalar::Int(value) => exact(*value),
        Scalar::Float(_) => true,
        _ => false,
    });
    let dtype = if needed.iter().all(|scalar| matches!(scalar, Scalar::Int(_))) {
        DataType::Int { length: 8, order }
    } else if numbers {
        DataType::Float { length: 8, order }
    } else if needed.iter().all(|scalar| matches!(scalar, Scalar::Date(_))) {
        DataType::DateTime { unit: "ns".to_owned(), order }
    } else {
        let all = scalars.iter().flatten();
        let longest = all.map(|scalar| scalar.text().len()).max().unwrap_or_default().max(1);
        DataType::FixedString { length: longest as u64 }
    };
    encode(scalars, Some(&dtype))
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
        let date =
            |unit: &str| DataType::DateTime { unit: unit.to_owned(), order: ByteOrder::Little };
        for text in ["2019", "2019-01-01", "20190101", "2019-01-01T00:00:00"] {
            assert_eq!(encode(text, &date("s")).unwrap().1, [1_546_300_800_i64.to_le_bytes()]);
        }
        assert_eq!(encode("2019-01-01T06:00", &date("D")), Err("2019-01-01T06:00".to_owned()));
        assert_eq!(encode("1546300800", &date("s")), Err("1546300800".to_owned()));
        let count = super::encode(&[vec![Scalar::Int(7)]], Some(&date("s")));
        assert_eq!(count.unwrap().1, [7_i64.to_le_bytes()]);
        let days = Scalar::of_element(&Value::Int(17_897), &date("D")).unwrap();
        let seconds = super::encode(&[vec![days]], Some(&date("s")));
        assert_eq!(seconds.unwrap().1, [1_546_300_800_i64.to_le_bytes()]);
        assert_eq!(encode("007", &DataType::FixedString { length: 4 }).unwrap().1, [b"007\0"]);
        let float = DataType::Float { length: 4, order: ByteOrder::Little };
        assert_eq!(encode("1.5", &float).unwrap().1, [1.5_f32.to_le_bytes()]);
        assert_eq!(encode("7", &DataType::FixedString { length: 2 }).unwrap().1, [b"7\0"]);
        assert!(encode("abc", &DataType::FixedString { length: 2 }).is_err());
    }
}
