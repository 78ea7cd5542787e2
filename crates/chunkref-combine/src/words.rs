// SPDX-License-Identifier: MIT OR Apache-2.0
//! Types and values in the words of messages.

use chunkref_core::Codecs;
use chunkref_model::{Array, AttributeValue, Attributes, ByteOrder, DataType, FillValue};

use crate::time::date_of;
use crate::value::{Value, values};

/// A type by the name that numpy gives it.
pub(crate) fn dtype(dtype: &DataType) -> String {
    let number = |kind: &str, length: u8, order: ByteOrder| {
        let big = if length > 1 && order == ByteOrder::Big { " (big-endian)" } else { "" };
        format!("{kind}{}{big}", u32::from(length) * 8)
    };
    match dtype {
        DataType::Bool => "bool".to_owned(),
        DataType::Int { length, order } => number("int", *length, *order),
        DataType::UInt { length, order } => number("uint", *length, *order),
        DataType::Float { length, order } => number("float", *length, *order),
        DataType::Complex { length, order } => number("complex", *length, *order),
        DataType::FixedString { length } => format!("text of {length} bytes"),
        DataType::Raw { length } => format!("{length} opaque bytes"),
        DataType::VlenString => "text of any length".to_owned(),
        DataType::VlenBytes => "bytes of any length".to_owned(),
        DataType::Struct { fields } => {
            let fields = fields.iter().map(|field| {
                let lengths: Vec<String> = field.shape.iter().map(u64::to_string).collect();
                let shape = if lengths.is_empty() {
                    String::new()
                } else {
                    format!("[{}]", lengths.join(", "))
                };
                format!("{}: {}{shape}", field.name, self::dtype(&field.dtype))
            });
            format!("struct of {}", fields.collect::<Vec<_>>().join(", "))
        }
        DataType::DateTime { unit, .. } => format!("datetime64[{unit}]"),
        DataType::TimeDelta { unit, .. } => format!("timedelta64[{unit}]"),
        _ => "another type".to_owned(),
    }
}

/// Codecs, with what decoding looks at.
pub(crate) fn codecs(array: &Array) -> String {
    let linked = Codecs::linked().ok();
    let codecs = array.codecs.iter().map(|codec| {
        // Settings of encoders do not matter.
        let codec = linked.map_or_else(|| codec.clone(), |known| known.for_decoding(codec));
        let options = codec.configuration().iter();
        let options: Vec<_> = options.map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}({})", codec.name(), options.join(", "))
    });
    let words: Vec<_> = codecs.collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// A fill value, or that there is none.
pub(crate) fn fill_value(fill: Option<&FillValue>) -> String {
    match fill {
        None => "none".to_owned(),
        Some(FillValue::Bool(value)) => value.to_string(),
        Some(FillValue::Int(value)) => value.to_string(),
        Some(FillValue::UInt(value)) => value.to_string(),
        Some(FillValue::Float(value)) => number(*value),
        Some(FillValue::Complex(real, imaginary)) => format!("{real} + {imaginary}i"),
        Some(FillValue::Bytes(bytes)) => {
            let text = String::from_utf8_lossy(bytes);
            format!("\"{}\"", text.trim_end_matches('\0').escape_debug())
        }
        Some(FillValue::Text(text)) => format!("\"{}\"", text.escape_debug()),
        Some(_) => "another value".to_owned(),
    }
}

/// A value with its units, and as a date where it is a time.
pub(crate) fn with_units(value: &Value, attributes: &Attributes) -> String {
    let text = |name| match attributes.get(name) {
        Some(AttributeValue::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let Some(units) = text("units").filter(|_| !matches!(value, Value::Bytes(_))) else {
        return value.to_string();
    };
    let calendar = text("calendar").unwrap_or("standard");
    let date = as_number(value).and_then(|number| date_of(number, units, calendar));
    let date = date.map(|date| format!(" ({date})")).unwrap_or_default();
    format!("{value} {units}{date}")
}

/// How far the values of two arrays are from one another; `None` where that cannot be told.
pub(crate) fn distance(one: &Array, other: &Array) -> Option<String> {
    let read = |array: &Array| values(&array.dtype, &array.plain_values()?);
    let (a, b) = (read(one)?, read(other)?);
    if a.len() != b.len() {
        return Some(format!("{} values instead of {}", b.len(), a.len()));
    }
    let mut farthest: Option<(f64, usize)> = None;
    for (place, (a, b)) in a.iter().zip(&b).enumerate() {
        let apart = (as_number(a)? - as_number(b)?).abs();
        if a != b && farthest.is_none_or(|(known, _)| apart > known) {
            farthest = Some((apart, place));
        }
    }
    let (apart, place) = farthest?;
    Some(format!(
        "up to {} apart: {} instead of {} at {place}",
        number(apart),
        b.get(place)?,
        a.get(place)?
    ))
}

#[expect(clippy::cast_precision_loss, reason = "what a message says of it is rounded")]
fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(value.get()),
        Value::Bytes(_) => None,
    }
}

/// A number with few digits where it is very large or very small.
fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) && value.is_finite() {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{floats, ints};

    #[test]
    fn types_have_names() {
        let big = ByteOrder::Big;
        for (dtype, name) in [
            (DataType::Int { length: 2, order: big }, "int16 (big-endian)"),
            (DataType::UInt { length: 1, order: big }, "uint8"),
            (DataType::Float { length: 4, order: ByteOrder::Little }, "float32"),
            (DataType::FixedString { length: 8 }, "text of 8 bytes"),
            (DataType::DateTime { unit: "ns".to_owned(), order: big }, "datetime64[ns]"),
        ] {
            assert_eq!(super::dtype(&dtype), name);
        }
        assert_eq!(
            fill_value(Some(&FillValue::Float(9.969_209_968_386_869e36))),
            "9.969209968386869e36"
        );
        assert_eq!(fill_value(Some(&FillValue::Bytes(bytes::Bytes::from_static(b"a\0")))), "\"a\"");
    }

    #[test]
    fn values_have_units_and_dates() {
        let mut attributes = Attributes::new();
        assert_eq!(with_units(&Value::Int(2), &attributes), "2");
        attributes.insert("units", "hours since 2020-01-01");
        let words = "26 hours since 2020-01-01 (2020-01-02T02:00:00)";
        assert_eq!(with_units(&Value::Int(26), &attributes), words);
        assert_eq!(with_units(&Value::Bytes(b"a".to_vec()), &attributes), "\"a\"");
    }

    #[test]
    fn how_far_apart() {
        let noise = distance(
            &floats(&["x"], &[0.1, 0.3]),
            &floats(&["x"], &[0.1, 0.300_000_000_000_000_04]),
        );
        assert_eq!(
            noise.unwrap(),
            "up to 5.551115123125783e-17 apart: 0.30000000000000004 instead of 0.3 at 1"
        );
        let other = distance(&ints(&["x"], &[0, 1, 2]), &ints(&["x"], &[0, 5, 9]));
        assert_eq!(other.unwrap(), "up to 7 apart: 9 instead of 2 at 2");
        let longer = distance(&ints(&["x"], &[0, 1]), &ints(&["x"], &[0]));
        assert_eq!(longer.unwrap(), "1 values instead of 2");
    }
}
