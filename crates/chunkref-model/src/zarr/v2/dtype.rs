// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zarr v2 data types: numpy's type strings.
//!
//! Spec: Zarr v2, "Data type encoding". The specification lets the fields of a structured type be arrays
//! (`["b","<i2",[3]]`) or structured themselves, but zarr-python 3 cannot read either, and one such array keeps it
//! from opening the whole group. So those fields are written as bytes (`["b","|V6"]`), which is what zarr-python
//! writes for array fields; both forms are read.

use crate::json::{reader::parse as parse_json, writer};
use crate::{AttributeValue, ByteOrder, DataType, Field};

use super::ZarrError;

/// numpy's units of time.
const UNITS: [&str; 13] = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"];

/// Structured types in one another that are read.
const MAX_DEPTH: u32 = 16;

/// Appends the `dtype` member.
///
/// # Errors
/// [`ZarrError::UnsupportedDataType`] when Zarr v2 has no such type.
pub(super) fn push(out: &mut String, dtype: &DataType) -> Result<(), ZarrError> {
    let DataType::Struct { fields } = dtype else {
        writer::push_string(out, &name(dtype)?);
        return Ok(());
    };
    if fields.is_empty() {
        return Err(unsupported("a structured type without fields"));
    }
    out.push('[');
    for (index, field) in fields.iter().enumerate() {
        if field.name.is_empty()
            || fields.iter().take(index).any(|earlier| earlier.name == field.name)
        {
            return Err(unsupported(&format!(
                "a structured type with an empty or repeated field name {:?}",
                field.name
            )));
        }
        if index > 0 {
            out.push(',');
        }
        out.push('[');
        writer::push_string(out, &field.name);
        out.push(',');
        writer::push_string(out, &field_name(field)?);
        out.push(']');
    }
    out.push(']');
    Ok(())
}

/// Whether a field is one of plain bytes in the document.
pub(super) fn is_written_as_bytes(field: &Field) -> bool {
    !field.shape.is_empty() || matches!(field.dtype, DataType::Struct { .. } | DataType::Raw { .. })
}

fn field_name(field: &Field) -> Result<String, ZarrError> {
    if field.shape.is_empty() && !matches!(field.dtype, DataType::Struct { .. }) {
        if matches!(field.dtype, DataType::VlenString | DataType::VlenBytes) {
            return Err(unsupported(&format!("field {:?} of variable length", field.name)));
        }
        return name(&field.dtype);
    }
    let whole = DataType::Struct { fields: vec![field.clone()] };
    let length = whole
        .length_bytes()
        .ok_or_else(|| unsupported(&format!("field {:?} without a fixed length", field.name)))?;
    name(&DataType::Raw { length })
}

/// The type string of an unstructured type.
fn name(dtype: &DataType) -> Result<String, ZarrError> {
    let number = |kind: char, length: u8, order: ByteOrder, lengths: &[u8]| {
        if !lengths.contains(&length) {
            return Err(unsupported(&format!("a number of kind {kind:?} with {length} bytes")));
        }
        Ok(format!("{}{kind}{length}", if length == 1 { '|' } else { order_character(order) }))
    };
    match dtype {
        DataType::Bool => Ok("|b1".to_owned()),
        DataType::Int { length, order } => number('i', *length, *order, &[1, 2, 4, 8]),
        DataType::UInt { length, order } => number('u', *length, *order, &[1, 2, 4, 8]),
        DataType::Float { length, order } => number('f', *length, *order, &[2, 4, 8]),
        DataType::Complex { length, order } => number('c', *length, *order, &[8, 16]),
        DataType::FixedString { length: 0 } | DataType::Raw { length: 0 } => {
            Err(unsupported("an element of 0 bytes"))
        }
        DataType::FixedString { length } => Ok(format!("|S{length}")),
        DataType::Raw { length } => Ok(format!("|V{length}")),
        DataType::VlenString | DataType::VlenBytes => Ok("|O".to_owned()),
        DataType::DateTime { unit, order } => {
            Ok(format!("{}M8[{}]", order_character(*order), known_unit(unit)?))
        }
        DataType::TimeDelta { unit, order } => {
            Ok(format!("{}m8[{}]", order_character(*order), known_unit(unit)?))
        }
        DataType::Struct { .. } => Err(unsupported("a structured type as a plain one")),
    }
}

fn known_unit(unit: &str) -> Result<&str, ZarrError> {
    split_unit(unit).map(|_| unit).ok_or_else(|| unsupported(&format!("time in units of {unit:?}")))
}

fn order_character(order: ByteOrder) -> char {
    match order {
        ByteOrder::Little => '<',
        ByteOrder::Big => '>',
    }
}

fn unsupported(reason: &str) -> ZarrError {
    ZarrError::UnsupportedDataType { version: 2, reason: reason.to_owned() }
}

/// A numpy unit's factor and name: `10ms` is 10 and `ms`.
pub(in crate::zarr) fn split_unit(unit: &str) -> Option<(u32, &str)> {
    let name = unit.trim_start_matches(|character: char| character.is_ascii_digit());
    let digits = unit.get(..unit.len() - name.len())?;
    let factor =
        if digits.is_empty() { 1 } else { digits.parse().ok().filter(|&factor| factor > 0)? };
    UNITS.contains(&name).then_some((factor, name))
}

/// The type that a `dtype` member says; `object_codec` tells what `|O` means.
///
/// # Errors
/// [`ZarrError::UnknownDataType`], which quotes it.
pub(super) fn parse(
    value: &AttributeValue,
    object_codec: Option<&str>,
) -> Result<DataType, ZarrError> {
    parse_nested(value, object_codec, 0)
        .ok_or_else(|| ZarrError::UnknownDataType { dtype: writer::excerpt(value) })
}

fn parse_nested(
    value: &AttributeValue,
    object_codec: Option<&str>,
    depth: u32,
) -> Option<DataType> {
    match value {
        // Some writers put the list of fields into a string.
        AttributeValue::Text(text) if text.starts_with('[') && depth == 0 => {
            parse_nested(&parse_json(text).ok()?, object_codec, 1)
        }
        AttributeValue::Text(text) => parse_name(text, object_codec),
        AttributeValue::List(fields) if depth < MAX_DEPTH && !fields.is_empty() => {
            let fields =
                fields.iter().map(|field| parse_field(field, depth + 1)).collect::<Option<_>>()?;
            let dtype = DataType::Struct { fields };
            dtype.length_bytes().is_some().then_some(dtype)
        }
        _ => None,
    }
}

fn parse_field(field: &AttributeValue, depth: u32) -> Option<Field> {
    let AttributeValue::List(parts) = field else { return None };
    let (name, dtype, shape) = match parts.as_slice() {
        [AttributeValue::Text(name), dtype] => (name, dtype, Vec::new()),
        [AttributeValue::Text(name), dtype, AttributeValue::List(shape)] => {
            let shape = shape.iter().map(|length| match length {
                AttributeValue::Int(length) => u64::try_from(*length).ok(),
                _ => None,
            });
            (name, dtype, shape.collect::<Option<_>>()?)
        }
        _ => return None,
    };
    Some(Field { name: name.clone(), dtype: parse_nested(dtype, None, depth)?, shape })
}

/// The name that Zarr v2 has for a data type.
///
/// # Errors
/// [`ZarrError`] for types that it has no name for.
pub fn data_type_name(dtype: &DataType) -> Result<String, ZarrError> {
    let mut out = String::new();
    push(&mut out, dtype)?;
    Ok(out.trim_matches('"').to_owned())
}

/// A data type by the name that Zarr v2 or numpy has for it: `<i4`, `i4`, `int32`, `float64`, `S10`, `M8[s]`, … Without a
/// mark it is little-endian.
///
/// # Errors
/// [`ZarrError::UnknownDataType`] for any other text.
pub fn data_type(text: &str) -> Result<DataType, ZarrError> {
    let bits = |kind: &str, name: &str| {
        let bits: u64 = text.strip_prefix(name)?.parse().ok()?;
        bits.is_multiple_of(8).then(|| format!("<{kind}{}", bits / 8))
    };
    let long = bits("u", "uint").or_else(|| bits("i", "int")).or_else(|| bits("f", "float"));
    let named = match (long, text) {
        (Some(name), _) => name,
        (None, "bool") => "|b1".to_owned(),
        _ if text.starts_with(['<', '>', '|']) => text.to_owned(),
        _ => format!("<{text}"),
    };
    parse_name(&named, None)
        .ok_or_else(|| ZarrError::UnknownDataType { dtype: format!("{text:?}") })
}

fn parse_name(text: &str, object_codec: Option<&str>) -> Option<DataType> {
    let mut characters = text.chars();
    let mark = characters.next()?;
    let kind = characters.next()?;
    let rest = characters.as_str();
    let order = match mark {
        '<' => Some(ByteOrder::Little),
        '>' => Some(ByteOrder::Big),
        '|' => None,
        _ => return None,
    };
    let number = |lengths: &[u8]| {
        let length: u8 = rest.parse().ok().filter(|length| lengths.contains(length))?;
        // One byte has no order; `Little` stands for none.
        let order = if length == 1 { ByteOrder::Little } else { order? };
        Some((length, order))
    };
    let time_unit = || {
        let unit = rest.strip_prefix("8[")?.strip_suffix(']')?;
        split_unit(unit).map(|_| unit.to_owned())
    };
    let length = || rest.parse().ok().filter(|&length: &u64| length > 0);
    match kind {
        'b' if rest == "1" => Some(DataType::Bool),
        'i' => number(&[1, 2, 4, 8]).map(|(length, order)| DataType::Int { length, order }),
        'u' => number(&[1, 2, 4, 8]).map(|(length, order)| DataType::UInt { length, order }),
        'f' => number(&[2, 4, 8]).map(|(length, order)| DataType::Float { length, order }),
        'c' => number(&[8, 16]).map(|(length, order)| DataType::Complex { length, order }),
        'S' => length().map(|length| DataType::FixedString { length }),
        'V' => length().map(|length| DataType::Raw { length }),
        'M' => time_unit().zip(order).map(|(unit, order)| DataType::DateTime { unit, order }),
        'm' => time_unit().zip(order).map(|(unit, order)| DataType::TimeDelta { unit, order }),
        'O' if rest.is_empty() => match object_codec {
            Some("vlen-utf8") => Some(DataType::VlenString),
            Some("vlen-bytes") => Some(DataType::VlenBytes),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ByteOrder::{Big, Little};

    fn text_of(dtype: &DataType) -> Option<String> {
        let mut out = String::new();
        push(&mut out, dtype).ok().map(|()| out)
    }

    fn field(name: &str, dtype: DataType, shape: &[u64]) -> Field {
        Field { name: name.to_owned(), dtype, shape: shape.to_vec() }
    }

    #[test]
    fn names_that_people_write() {
        for (text, name) in [
            ("int32", "<i4"),
            ("uint8", "|u1"),
            ("float64", "<f8"),
            (">i2", ">i2"),
            ("i8", "<i8"),
            ("bool", "|b1"),
            ("S3", "|S3"),
            ("M8[s]", "<M8[s]"),
        ] {
            assert_eq!(
                text_of(&data_type(text).unwrap()).as_deref(),
                Some(format!("\"{name}\"").as_str()),
                "{text}"
            );
        }
        for text in ["", "int", "int7", "object", "O", "float12"] {
            assert!(data_type(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_written_and_read() {
        for (dtype, text) in [
            (DataType::Bool, "|b1"),
            (DataType::Int { length: 1, order: Little }, "|i1"),
            (DataType::Int { length: 2, order: Little }, "<i2"),
            (DataType::UInt { length: 8, order: Big }, ">u8"),
            (DataType::Float { length: 2, order: Big }, ">f2"),
            (DataType::Complex { length: 8, order: Little }, "<c8"),
            (DataType::FixedString { length: 5 }, "|S5"),
            (DataType::Raw { length: 7 }, "|V7"),
            (DataType::DateTime { unit: "ns".to_owned(), order: Little }, "<M8[ns]"),
            (DataType::TimeDelta { unit: "10ms".to_owned(), order: Big }, ">m8[10ms]"),
        ] {
            assert_eq!(text_of(&dtype).unwrap(), format!("\"{text}\""));
            assert_eq!(parse(&AttributeValue::from(text), None).unwrap(), dtype);
        }
        assert_eq!(
            parse(&AttributeValue::from("|O"), Some("vlen-utf8")).unwrap(),
            DataType::VlenString
        );
        assert_eq!(
            parse(&AttributeValue::from("|O"), Some("vlen-bytes")).unwrap(),
            DataType::VlenBytes
        );
    }

    #[test]
    fn plain_structs_round_trip_and_deep_ones_become_bytes() {
        let plain = DataType::Struct {
            fields: vec![
                field("a", DataType::Float { length: 4, order: Little }, &[]),
                field("s", DataType::FixedString { length: 3 }, &[]),
            ],
        };
        let text = r#"[["a","<f4"],["s","|S3"]]"#;
        assert_eq!(text_of(&plain).unwrap(), text);
        assert_eq!(parse(&parse_json(text).unwrap(), None).unwrap(), plain);
        assert_eq!(parse(&AttributeValue::from(text), None).unwrap(), plain);

        let deep = DataType::Struct {
            fields: vec![
                field("b", DataType::Int { length: 2, order: Little }, &[3]),
                field("c", plain.clone(), &[]),
            ],
        };
        assert_eq!(text_of(&deep).unwrap(), r#"[["b","|V6"],["c","|V7"]]"#);
        let text = r#"[["b","<i2",[3]],["c",[["a","<f4"],["s","|S3"]]]]"#;
        assert_eq!(parse(&parse_json(text).unwrap(), None).unwrap(), deep);
    }

    #[test]
    fn unknown_types_are_quoted() {
        for text in [
            "<U5",
            "f4",
            "<f16",
            "|f4",
            "<i3",
            "|S0",
            "|O",
            "<M8",
            "<M8[0ns]",
            "<M8[parsec]",
            "",
            "é",
            "|b2",
        ] {
            let error = parse(&AttributeValue::from(text), None).unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
        let deep = (0..40).fold(AttributeValue::from("<i2"), |inner, _| {
            AttributeValue::List(vec![AttributeValue::List(vec![AttributeValue::from("a"), inner])])
        });
        assert!(parse(&deep, None).is_err());
        assert!(parse(&AttributeValue::List(vec![]), None).is_err());
    }

    #[test]
    fn what_v2_has_no_type_for_is_an_error() {
        for dtype in [
            DataType::Float { length: 16, order: Little },
            DataType::Complex { length: 4, order: Little },
            DataType::FixedString { length: 0 },
            DataType::DateTime { unit: "parsec".to_owned(), order: Little },
            DataType::Struct { fields: vec![] },
            DataType::Struct { fields: vec![field("a", DataType::VlenString, &[])] },
            DataType::Struct { fields: vec![field("a", DataType::VlenString, &[2])] },
            DataType::Struct {
                fields: vec![field("a", DataType::Bool, &[]), field("a", DataType::Bool, &[])],
            },
        ] {
            assert_eq!(text_of(&dtype), None, "{dtype:?}");
        }
    }
}
