// SPDX-License-Identifier: MIT OR Apache-2.0
//! Attribute values.

use std::collections::HashMap;

use chunkref_core::model::dataset::join_path;
use chunkref_core::model::{AttributeValue, Attributes};

use super::datatype;
use super::refusal::Refusal;
use crate::attributes::{AttributeValue as Stored, NamedAttribute};
use crate::context::ObjectId;
use crate::message::datatype::Class;
use crate::message::{Dataspace, Datatype};
use crate::value::{Value, unsigned};

/// What an attribute's value may need to know.
pub(super) struct Context<'a> {
    /// The object's path.
    pub(super) path: &'a str,
    /// The first path of every object of the file.
    pub(super) paths: &'a HashMap<ObjectId, String>,
    /// Whether the object is a dimension scale.
    pub(super) is_scale: bool,
}

/// Whether an attribute belongs to the machinery of dimension scales and NetCDF-4, which their readers hide.
pub(super) fn is_housekeeping(named: &NamedAttribute, context: &Context<'_>) -> bool {
    match named.name.as_str() {
        "REFERENCE_LIST" | "DIMENSION_LIST" | "_nc3_strict" | "_NCProperties" => true,
        "CLASS" | "NAME" => context.is_scale,
        name => name.starts_with("_Netcdf4"),
    }
}

/// The value as the model has it: one element as itself, more as nested lists.
pub(super) fn lower(stored: &Stored, context: &Context<'_>) -> Result<AttributeValue, Refusal> {
    let Dataspace::Simple { shape, .. } = &stored.dataspace else {
        return Ok(AttributeValue::Text(String::new()));
    };
    let mut values = stored.values.iter().map(|value| element(value, &stored.datatype, context));
    if let [_] = stored.values.as_slice() {
        return values.next().unwrap_or(Ok(AttributeValue::Null));
    }
    nest(&values.collect::<Result<Vec<_>, _>>()?, shape)
}

fn nest(values: &[AttributeValue], shape: &[u64]) -> Result<AttributeValue, Refusal> {
    match shape {
        [] | [_] => Ok(AttributeValue::List(values.to_vec())),
        [length, inner @ ..] => {
            let length = usize::try_from(*length).unwrap_or(usize::MAX);
            let step = values.len().checked_div(length).unwrap_or(0);
            if step == 0 {
                return Ok(AttributeValue::List(Vec::new()));
            }
            Ok(AttributeValue::List(
                values.chunks(step).map(|part| nest(part, inner)).collect::<Result<_, _>>()?,
            ))
        }
    }
}

fn element(
    value: &Value,
    datatype: &Datatype,
    context: &Context<'_>,
) -> Result<AttributeValue, Refusal> {
    Ok(match value {
        Value::Int(value) if datatype::is_bool(datatype) => AttributeValue::Bool(*value != 0),
        Value::UInt(value) if datatype::is_bool(datatype) => AttributeValue::Bool(*value != 0),
        Value::Int(value) => AttributeValue::Int(*value),
        Value::UInt(value) => AttributeValue::UInt(*value),
        Value::Float(value) => AttributeValue::Float(*value),
        Value::Text(bytes) => AttributeValue::Text(String::from_utf8_lossy(bytes).into_owned()),
        Value::Opaque(_) => return Err(Refusal::new("an opaque value has no JSON form")),
        Value::Unsupported(what) => {
            return Err(Refusal::new(format!("the value is {what}, which has no JSON form")));
        }
        Value::Object(None) => AttributeValue::Null,
        Value::Object(Some(address)) => match context.paths.get(address) {
            Some(path) => AttributeValue::Text(absolute(path)),
            None => {
                return Err(Refusal::new("the reference points to no object that a path leads to"));
            }
        },
        Value::Struct(members) if datatype::is_complex(datatype) => {
            let parts = members.iter().map(|(_, value)| element(value, datatype, context));
            AttributeValue::List(parts.collect::<Result<_, _>>()?)
        }
        Value::Struct(members) => {
            let lowered = members.iter().map(|(name, value)| {
                let inner = match &datatype.class {
                    Class::Compound { members } => members
                        .iter()
                        .find(|member| member.name == *name)
                        .map(|member| &member.datatype),
                    _ => None,
                };
                Ok((name.clone(), element(value, inner.unwrap_or(datatype), context)?))
            });
            AttributeValue::Struct(lowered.collect::<Result<_, Refusal>>()?)
        }
        Value::List(values) => {
            let inner = match &datatype.class {
                Class::Array { base, .. } | Class::VariableLengthSequence { base } => base,
                _ => datatype,
            };
            AttributeValue::List(
                values
                    .iter()
                    .map(|value| element(value, inner, context))
                    .collect::<Result<_, _>>()?,
            )
        }
    })
}

/// The path of an object in references and messages: with a leading slash.
fn absolute(path: &str) -> String {
    format!("/{}", join_path("", path))
}

/// CF's description of an enumeration's values, where the file has none of its own. Source: CF conventions, 3.5 "Flags".
pub(super) fn add_flags(datatype: &Datatype, attributes: &mut Attributes) {
    let Class::Enumeration { base, members } = &datatype.class else { return };
    let taken = ["flag_values", "flag_meanings", "flag_masks"]
        .iter()
        .any(|name| attributes.get(name).is_some());
    if taken || members.is_empty() || datatype::is_bool(datatype) {
        return;
    }
    let Class::FixedPoint { order, signed, bits } = &base.class else { return };
    let value = |bytes: &[u8]| {
        let raw = unsigned(bytes, *order)?;
        let unused = 64_u32.saturating_sub(u32::from(bits.precision));
        Some(match signed {
            true => {
                AttributeValue::Int(raw.checked_shl(unused)?.cast_signed().checked_shr(unused)?)
            }
            false => AttributeValue::UInt(raw),
        })
    };
    let values: Option<Vec<_>> = members.iter().map(|(_, bytes)| value(bytes)).collect();
    let Some(values) = values else { return };
    // Meanings are separated by blanks, so a name's own blanks become underscores.
    let meanings: Vec<_> = members
        .iter()
        .map(|(name, _)| name.split_whitespace().collect::<Vec<_>>().join("_"))
        .collect();
    attributes.insert("flag_values", AttributeValue::List(values));
    attributes.insert("flag_meanings", AttributeValue::Text(meanings.join(" ")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::datatype::{BitRange, ByteOrder};

    fn int() -> Datatype {
        let bits = BitRange { offset: 0, precision: 8 };
        Datatype {
            length: 1,
            class: Class::FixedPoint { order: ByteOrder::Little, signed: true, bits },
        }
    }

    fn stored(shape: &[u64], values: Vec<Value>) -> Stored {
        let max_shape = shape.iter().copied().map(Some).collect();
        Stored {
            datatype: int(),
            dataspace: Dataspace::Simple { shape: shape.to_vec(), max_shape },
            values,
        }
    }

    #[test]
    fn one_element_is_itself_and_more_are_nested() {
        let id = crate::testing::context().object(crate::context::Address(9));
        let paths = HashMap::from([(id, "g/d".to_owned())]);
        let context = Context { path: "", paths: &paths, is_scale: false };
        let lower = |shape: &[u64], values| super::lower(&stored(shape, values), &context);
        assert_eq!(lower(&[1, 1], vec![Value::Int(3)]).unwrap(), AttributeValue::Int(3));
        let row = |a, b| AttributeValue::List(vec![AttributeValue::Int(a), AttributeValue::Int(b)]);
        let matrix = lower(&[2, 2], [1, 2, 3, 4].map(Value::Int).to_vec()).unwrap();
        assert_eq!(matrix, AttributeValue::List(vec![row(1, 2), row(3, 4)]));
        assert_eq!(lower(&[0], vec![]).unwrap(), AttributeValue::List(vec![]));
        assert_eq!(
            lower(&[], vec![Value::Object(Some(id))]).unwrap(),
            AttributeValue::from("/g/d")
        );
        assert!(lower(&[], vec![Value::Unsupported("odd")]).is_err());
    }

    #[test]
    fn enumerations_get_flags_unless_they_have_some() {
        let members = vec![("a b".to_owned(), vec![0xff]), ("c".to_owned(), vec![1])];
        let datatype =
            Datatype { length: 1, class: Class::Enumeration { base: Box::new(int()), members } };
        let mut attributes = Attributes::new();
        add_flags(&datatype, &mut attributes);
        assert_eq!(attributes.get("flag_meanings"), Some(&AttributeValue::from("a_b c")));
        let values = AttributeValue::List(vec![AttributeValue::Int(-1), AttributeValue::Int(1)]);
        assert_eq!(attributes.get("flag_values"), Some(&values));
        let mut own = Attributes::new();
        own.insert("flag_masks", AttributeValue::Int(1));
        add_flags(&datatype, &mut own);
        assert_eq!(own.len(), 1);
    }
}
