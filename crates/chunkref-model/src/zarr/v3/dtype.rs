// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zarr v3 data types. Byte order is not part of them: the `bytes` codec has it.

use std::fmt::Write as _;

use crate::json::writer;
use crate::zarr::v2::split_unit;
use crate::{AttributeValue, ByteOrder, DataType, Field};

use super::ZarrError;

/// Structured types in one another that are written.
const MAX_DEPTH: u32 = 16;

/// What the `bytes` codec has to say about the order of an element's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endian {
    /// Elements have no order.
    None,
    /// All numbers of an element have this order.
    Of(ByteOrder),
}

/// Appends the `data_type` member.
///
/// # Errors
/// [`ZarrError::UnsupportedDataType`] when zarr-python 3 has no such type.
pub(super) fn push(out: &mut String, dtype: &DataType) -> Result<(), ZarrError> {
    push_nested(out, dtype, 0)
}

fn push_nested(out: &mut String, dtype: &DataType, depth: u32) -> Result<(), ZarrError> {
    let named = |out: &mut String, kind: &str, length: u8, lengths: &[u8]| {
        if !lengths.contains(&length) {
            return Err(unsupported(&format!("a number of kind {kind} with {length} bytes")));
        }
        let _ = write!(out, "\"{kind}{}\"", u32::from(length) * 8);
        Ok(())
    };
    let configured = |out: &mut String, name: &str, configuration: &str| {
        let _ = write!(out, "{{\"name\":\"{name}\",\"configuration\":{{{configuration}}}}}");
    };
    match dtype {
        DataType::Bool => out.push_str("\"bool\""),
        DataType::Int { length, .. } => named(out, "int", *length, &[1, 2, 4, 8])?,
        DataType::UInt { length, .. } => named(out, "uint", *length, &[1, 2, 4, 8])?,
        DataType::Float { length, .. } => named(out, "float", *length, &[2, 4, 8])?,
        DataType::Complex { length, .. } => named(out, "complex", *length, &[8, 16])?,
        DataType::FixedString { length: 0 } | DataType::Raw { length: 0 } => {
            return Err(unsupported("an element of 0 bytes"));
        }
        DataType::FixedString { length } => {
            configured(out, "null_terminated_bytes", &format!("\"length_bytes\":{length}"));
        }
        DataType::Raw { length } => {
            configured(out, "raw_bytes", &format!("\"length_bytes\":{length}"));
        }
        DataType::VlenString => out.push_str("\"string\""),
        DataType::VlenBytes => out.push_str("\"variable_length_bytes\""),
        DataType::DateTime { unit, .. } => configured(out, "numpy.datetime64", &time(unit)?),
        DataType::TimeDelta { unit, .. } => configured(out, "numpy.timedelta64", &time(unit)?),
        DataType::Struct { fields } => {
            if fields.is_empty() || depth >= MAX_DEPTH {
                return Err(unsupported(
                    "a structured type without fields, or too many in one another",
                ));
            }
            out.push_str("{\"name\":\"structured\",\"configuration\":{\"fields\":[");
            for (index, field) in fields.iter().enumerate() {
                if !field.shape.is_empty() || field.dtype.length_bytes().is_none() {
                    return Err(unsupported(&format!(
                        "field {:?}, which is an array or of variable length",
                        field.name
                    )));
                }
                if index > 0 {
                    out.push(',');
                }
                out.push('[');
                writer::push_string(out, &field.name);
                out.push(',');
                push_nested(out, &field.dtype, depth + 1)?;
                out.push(']');
            }
            out.push_str("]}}");
        }
    }
    Ok(())
}

/// The order of an element's bytes.
///
/// # Errors
/// [`ZarrError::UnsupportedDataType`] for structured types with any number that is not little-endian: zarr-python does
/// not reorder the bytes of fields.
pub(super) fn endian(dtype: &DataType) -> Result<Endian, ZarrError> {
    Ok(match dtype {
        DataType::Bool
        | DataType::Int { length: 1, .. }
        | DataType::UInt { length: 1, .. }
        | DataType::FixedString { .. }
        | DataType::Raw { .. }
        | DataType::VlenString
        | DataType::VlenBytes => Endian::None,
        DataType::Int { order, .. }
        | DataType::UInt { order, .. }
        | DataType::Float { order, .. }
        | DataType::Complex { order, .. }
        | DataType::DateTime { order, .. }
        | DataType::TimeDelta { order, .. } => Endian::Of(*order),
        DataType::Struct { fields } => {
            for field in fields {
                if endian(&field.dtype)? == Endian::Of(ByteOrder::Big) {
                    return Err(unsupported(&format!(
                        "big-endian field {:?} of a structured type",
                        field.name
                    )));
                }
            }
            Endian::None
        }
    })
}

/// What a `data_type` member means for elements whose numbers have the order `order`.
///
/// # Errors
/// [`ZarrError::UnknownDataType`] for types that have no counterpart in the model.
pub(super) fn parse(value: &AttributeValue, order: ByteOrder) -> Result<DataType, ZarrError> {
    parse_nested(value, order, 0)
        .ok_or_else(|| ZarrError::UnknownDataType { dtype: writer::excerpt(value) })
}

fn parse_nested(value: &AttributeValue, order: ByteOrder, depth: u32) -> Option<DataType> {
    let members = match value {
        AttributeValue::Text(name) => return named(name, order),
        AttributeValue::Struct(members) => members,
        _ => return None,
    };
    let AttributeValue::Text(name) = member(members, "name")? else { return None };
    let Some(AttributeValue::Struct(configuration)) = member(members, "configuration") else {
        return named(name, order);
    };
    let length = || match member(configuration, "length_bytes")? {
        AttributeValue::Int(length) => u64::try_from(*length).ok(),
        _ => None,
    };
    let unit = || match (member(configuration, "unit")?, member(configuration, "scale_factor")) {
        (AttributeValue::Text(unit), Some(AttributeValue::Int(factor))) if *factor != 1 => {
            Some(format!("{factor}{unit}"))
        }
        (AttributeValue::Text(unit), _) => Some(unit.clone()),
        _ => None,
    };
    Some(match name.as_str() {
        "null_terminated_bytes" => DataType::FixedString { length: length()? },
        "raw_bytes" => DataType::Raw { length: length()? },
        "numpy.datetime64" => DataType::DateTime { unit: unit()?, order },
        "numpy.timedelta64" => DataType::TimeDelta { unit: unit()?, order },
        "structured" if depth < MAX_DEPTH => {
            let AttributeValue::List(fields) = member(configuration, "fields")? else {
                return None;
            };
            let field = |field: &AttributeValue| match field {
                AttributeValue::List(parts) => match parts.as_slice() {
                    [AttributeValue::Text(name), dtype] => Some(Field {
                        name: name.clone(),
                        dtype: parse_nested(dtype, order, depth + 1)?,
                        shape: Vec::new(),
                    }),
                    _ => None,
                },
                _ => None,
            };
            DataType::Struct { fields: fields.iter().map(field).collect::<Option<_>>()? }
        }
        name => return named(name, order),
    })
}

fn named(name: &str, order: ByteOrder) -> Option<DataType> {
    let bits = |kind: &str| name.strip_prefix(kind)?.parse::<u16>().ok();
    let length = |bits: u16, lengths: &[u8]| {
        let length = u8::try_from(bits / 8).ok().filter(|_| bits.is_multiple_of(8))?;
        lengths.contains(&length).then_some(length)
    };
    Some(match name {
        "bool" => DataType::Bool,
        "string" => DataType::VlenString,
        "variable_length_bytes" => DataType::VlenBytes,
        _ => {
            if let Some(bits) = bits("int") {
                DataType::Int { length: length(bits, &[1, 2, 4, 8])?, order }
            } else if let Some(bits) = bits("uint") {
                DataType::UInt { length: length(bits, &[1, 2, 4, 8])?, order }
            } else if let Some(bits) = bits("float") {
                DataType::Float { length: length(bits, &[2, 4, 8])?, order }
            } else if let Some(bits) = bits("complex") {
                DataType::Complex { length: length(bits, &[8, 16])?, order }
            } else {
                let bits = bits("r").filter(|bits| *bits > 0 && bits.is_multiple_of(8))?;
                DataType::Raw { length: u64::from(bits / 8) }
            }
        }
    })
}

/// A member of an object.
pub(super) fn member<'a>(
    members: &'a [(String, AttributeValue)],
    name: &str,
) -> Option<&'a AttributeValue> {
    members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn time(unit: &str) -> Result<String, ZarrError> {
    let (factor, name) =
        split_unit(unit).ok_or_else(|| unsupported(&format!("time in units of {unit:?}")))?;
    Ok(format!("\"unit\":\"{name}\",\"scale_factor\":{factor}"))
}

fn unsupported(reason: &str) -> ZarrError {
    ZarrError::UnsupportedDataType { version: 3, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ByteOrder::{Big, Little};
    use crate::Field;

    fn text_of(dtype: &DataType) -> Option<String> {
        let mut out = String::new();
        push(&mut out, dtype).ok().map(|()| out)
    }

    fn structured(dtype: DataType, shape: &[u64]) -> DataType {
        let small = Field {
            name: "s".to_owned(),
            dtype: DataType::FixedString { length: 3 },
            shape: vec![],
        };
        DataType::Struct {
            fields: vec![small, Field { name: "n".to_owned(), dtype, shape: shape.to_vec() }],
        }
    }

    #[test]
    fn names() {
        let number = DataType::Int { length: 2, order: Little };
        for (dtype, expected) in [
            (DataType::Bool, r#""bool""#),
            (DataType::UInt { length: 8, order: Big }, r#""uint64""#),
            (DataType::Float { length: 2, order: Big }, r#""float16""#),
            (DataType::Complex { length: 16, order: Big }, r#""complex128""#),
            (
                DataType::FixedString { length: 5 },
                r#"{"name":"null_terminated_bytes","configuration":{"length_bytes":5}}"#,
            ),
            (
                DataType::Raw { length: 7 },
                r#"{"name":"raw_bytes","configuration":{"length_bytes":7}}"#,
            ),
            (DataType::VlenString, r#""string""#),
            (
                DataType::DateTime { unit: "10ns".to_owned(), order: Little },
                r#"{"name":"numpy.datetime64","configuration":{"unit":"ns","scale_factor":10}}"#,
            ),
            (
                structured(number, &[]),
                r#"{"name":"structured","configuration":{"fields":[["s",{"name":"null_terminated_bytes","configuration":{"length_bytes":3}}],["n","int16"]]}}"#,
            ),
        ] {
            assert_eq!(text_of(&dtype).as_deref(), Some(expected));
            let order = match endian(&dtype).unwrap() {
                Endian::Of(order) => order,
                Endian::None => Little,
            };
            let value = crate::json::reader::parse(expected).unwrap();
            assert_eq!(parse(&value, order).unwrap(), dtype);
        }
    }

    #[test]
    fn what_the_model_has_not_is_an_error() {
        for text in [
            "\"int128\"",
            "\"int12\"",
            "\"float8\"",
            "\"r7\"",
            "\"\"",
            "7",
            r#"{"name":"fixed_length_utf32","configuration":{"length_bytes":8}}"#,
            r#"{"name":"raw_bytes","configuration":{"length_bytes":-1}}"#,
            r#"{"name":"structured","configuration":{"fields":[["a"]]}}"#,
            r#"{"configuration":{}}"#,
        ] {
            let value = crate::json::reader::parse(text).unwrap();
            assert!(parse(&value, Little).is_err(), "{text}");
        }
        let raw = crate::json::reader::parse("\"r24\"").unwrap();
        assert_eq!(parse(&raw, Little).unwrap(), DataType::Raw { length: 3 });
    }

    #[test]
    fn what_v3_cannot_say_is_an_error() {
        let number = DataType::Int { length: 2, order: Little };
        for dtype in [
            DataType::Float { length: 16, order: Little },
            DataType::Raw { length: 0 },
            DataType::TimeDelta { unit: "x".to_owned(), order: Little },
            DataType::Struct { fields: vec![] },
            structured(number, &[2]),
            structured(DataType::VlenString, &[]),
            (0..40).fold(DataType::Bool, |inner, _| structured(inner, &[])),
        ] {
            assert_eq!(text_of(&dtype), None, "{dtype:?}");
        }
    }

    #[test]
    fn byte_order_of_structs() {
        assert_eq!(
            endian(&structured(DataType::Int { length: 2, order: Little }, &[])).unwrap(),
            Endian::None
        );
        assert!(endian(&structured(DataType::Int { length: 2, order: Big }, &[])).is_err());
        assert_eq!(endian(&DataType::Float { length: 4, order: Big }).unwrap(), Endian::Of(Big));
        assert_eq!(endian(&DataType::Int { length: 1, order: Big }).unwrap(), Endian::None);
    }
}
