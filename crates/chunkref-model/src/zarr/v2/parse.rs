// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading `.zarray` and `.zattrs`.

use serde_json::{Map, Number, Value};

use crate::json::{reader, writer};
use crate::{AttributeValue, Attributes, ChunkGrid, Codec, DataType, FillValue};

use super::{ZarrError, dtype, fill_value};

/// What a `.zarray` document says: an array without attributes and references.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayMetadata {
    /// Elements along each axis.
    pub shape: Vec<u64>,
    /// How the array is cut into chunks.
    pub chunk_grid: ChunkGrid,
    /// Element type.
    pub dtype: DataType,
    /// What missing chunks read as.
    pub fill_value: Option<FillValue>,
    /// Codecs in encoding order: the filters, then the compressor.
    pub codecs: Vec<Codec>,
    /// What stands between the numbers of a chunk key: `.` or `/`.
    pub dimension_separator: char,
}

/// Reads a `.zarray` document.
///
/// # Errors
/// [`ZarrError`] when it is not JSON or not an array that the model can describe.
pub fn parse_array_metadata(text: &str) -> Result<ArrayMetadata, ZarrError> {
    array_metadata_of(&reader::parse(text)?)
}

/// Reads a `.zattrs` document; `_ARRAY_DIMENSIONS` is among the attributes.
///
/// # Errors
/// [`ZarrError`] when it is not a JSON object.
pub fn parse_attributes(text: &str) -> Result<Attributes, ZarrError> {
    attributes_of(reader::parse(text)?)
}

pub(crate) fn attributes_of(document: AttributeValue) -> Result<Attributes, ZarrError> {
    match document {
        AttributeValue::Struct(members) => Ok(members.into_iter().collect()),
        other => Err(bad_member(".zattrs", "an object", &other)),
    }
}

pub(crate) fn array_metadata_of(document: &AttributeValue) -> Result<ArrayMetadata, ZarrError> {
    let AttributeValue::Struct(members) = document else {
        return Err(bad_member(".zarray", "an object", document));
    };
    let find =
        |name: &str| members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
    let member = |name: &'static str| find(name).ok_or(ZarrError::MissingMember { member: name });

    let version = member("zarr_format")?;
    if *version != AttributeValue::Int(2) {
        return Err(bad_member("zarr_format", "2", version));
    }
    let shape = lengths("shape", member("shape")?)?;
    let order = find("order").unwrap_or(&AttributeValue::Null);
    match order {
        AttributeValue::Null => {}
        AttributeValue::Text(text) if text == "C" || (text == "F" && shape.len() < 2) => {}
        other => return Err(bad_member("order", "\"C\"", other)),
    }
    let mut chunk_shape = lengths("chunks", member("chunks")?)?;
    if chunk_shape.len() != shape.len() {
        return Err(ZarrError::Inconsistent {
            what: "chunk lengths",
            count: chunk_shape.len(),
            axes: shape.len(),
        });
    }
    // An axis without elements may say that its chunks have none either.
    for (chunk, _) in
        chunk_shape.iter_mut().zip(&shape).filter(|(chunk, length)| **chunk == 0 && **length == 0)
    {
        *chunk = 1;
    }
    if chunk_shape.contains(&0) {
        return Err(ZarrError::EmptyChunk { chunk_shape });
    }
    let codecs = codecs(find("filters"), find("compressor"))?;
    let object_codec = codecs.iter().map(Codec::name).find(|name| name.starts_with("vlen-"));
    let dtype = dtype::parse(member("dtype")?, object_codec)?;
    let fill_value =
        fill_value::parse(&dtype, find("fill_value").unwrap_or(&AttributeValue::Null))?;
    let dimension_separator = match find("dimension_separator") {
        None | Some(AttributeValue::Null) => '.',
        Some(AttributeValue::Text(text)) if text == "." => '.',
        Some(AttributeValue::Text(text)) if text == "/" => '/',
        Some(other) => return Err(bad_member("dimension_separator", "\".\" or \"/\"", other)),
    };
    Ok(ArrayMetadata {
        shape,
        chunk_grid: ChunkGrid::regular(chunk_shape),
        dtype,
        fill_value,
        codecs,
        dimension_separator,
    })
}

pub(in crate::zarr) fn lengths(
    member: &'static str,
    value: &AttributeValue,
) -> Result<Vec<u64>, ZarrError> {
    let error = || bad_member(member, "a list of lengths", value);
    let AttributeValue::List(items) = value else { return Err(error()) };
    items
        .iter()
        .map(|item| match item {
            AttributeValue::Int(length) => u64::try_from(*length).map_err(|_| error()),
            AttributeValue::UInt(length) => Ok(*length),
            _ => Err(error()),
        })
        .collect()
}

fn codecs(
    filters: Option<&AttributeValue>,
    compressor: Option<&AttributeValue>,
) -> Result<Vec<Codec>, ZarrError> {
    let mut codecs = match filters {
        None | Some(AttributeValue::Null) => Vec::new(),
        Some(AttributeValue::List(items)) => {
            items.iter().map(|item| codec("filters", item)).collect::<Result<Vec<_>, _>>()?
        }
        Some(other) => return Err(bad_member("filters", "a list of codecs or null", other)),
    };
    match compressor {
        None | Some(AttributeValue::Null) => {}
        Some(other) => codecs.push(codec("compressor", other)?),
    }
    Ok(codecs)
}

fn codec(member: &'static str, value: &AttributeValue) -> Result<Codec, ZarrError> {
    let error = || bad_member(member, "a codec with an id", value);
    let AttributeValue::Struct(members) = value else { return Err(error()) };
    let Some((_, AttributeValue::Text(name))) = members.iter().find(|(key, _)| key == "id") else {
        return Err(error());
    };
    members.iter().filter(|(key, _)| key != "id").try_fold(
        Codec::new(name.clone()),
        |codec, (key, value)| {
            Ok(codec.with(key.clone(), configuration_value(value).ok_or_else(error)?))
        },
    )
}

/// A codec's configuration has no NaN.
pub(in crate::zarr) fn configuration_value(value: &AttributeValue) -> Option<Value> {
    Some(match value {
        AttributeValue::Bool(value) => Value::Bool(*value),
        AttributeValue::Int(value) => Value::from(*value),
        AttributeValue::UInt(value) => Value::from(*value),
        AttributeValue::Float(value) => Value::Number(Number::from_f64(*value)?),
        AttributeValue::Text(text) => Value::String(text.clone()),
        AttributeValue::List(items) => {
            Value::Array(items.iter().map(configuration_value).collect::<Option<_>>()?)
        }
        AttributeValue::Struct(members) => {
            let members =
                members.iter().map(|(key, value)| Some((key.clone(), configuration_value(value)?)));
            Value::Object(members.collect::<Option<Map<_, _>>>()?)
        }
        AttributeValue::Null => Value::Null,
    })
}

fn bad_member(member: &'static str, expected: &'static str, found: &AttributeValue) -> ZarrError {
    ZarrError::BadMember { member, expected, found: writer::excerpt(found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ByteOrder;

    const PLAIN: &str = r#"{"shape":[4,0],"chunks":[2,0],"dtype":"<f4","fill_value":NaN,"order":"C","filters":[{"id":"shuffle","elementsize":4}],"dimension_separator":"/","compressor":{"id":"blosc","cname":"lz4","clevel":5},"zarr_format":2}"#;

    #[test]
    fn the_compressor_comes_after_the_filters() {
        assert_eq!(
            parse_array_metadata(PLAIN).unwrap(),
            ArrayMetadata {
                shape: vec![4, 0],
                chunk_grid: ChunkGrid::regular([2, 1]),
                dtype: DataType::Float { length: 4, order: ByteOrder::Little },
                fill_value: Some(FillValue::Float(f64::NAN)),
                codecs: vec![
                    Codec::new("shuffle").with("elementsize", 4),
                    Codec::new("blosc").with("cname", "lz4").with("clevel", 5),
                ],
                dimension_separator: '/',
            }
        );
    }

    #[test]
    fn optional_members_have_defaults() {
        let parsed =
            parse_array_metadata(r#"{"zarr_format":2,"shape":[],"chunks":[],"dtype":"|b1"}"#)
                .unwrap();
        assert_eq!(
            (parsed.fill_value, parsed.codecs, parsed.dimension_separator),
            (None, vec![], '.')
        );
    }

    #[test]
    fn faults_name_the_member() {
        for (from, to, expected) in [
            ("\"zarr_format\":2", "\"zarr_format\":3", "\"zarr_format\""),
            ("\"shape\":[4,0]", "\"shape\":[4,-1]", "\"shape\""),
            ("\"shape\":[4,0],", "", "\"shape\""),
            ("\"shape\":[4,0]", "\"shape\":[4]", "2 chunk lengths for 1 axes"),
            ("\"chunks\":[2,0]", "\"chunks\":[0,0]", "chunk shape [0, 1]"),
            ("\"<f4\"", "\"<q4\"", "\"<q4\""),
            ("\"order\":\"C\"", "\"order\":\"F\"", "\"order\""),
            ("{\"id\":\"shuffle\",\"elementsize\":4}", "{\"elementsize\":4}", "\"filters\""),
            ("{\"id\":\"blosc\"", "{\"id\":7", "\"compressor\""),
            ("\"clevel\":5", "\"clevel\":NaN", "\"compressor\""),
            ("\"/\"", "\"-\"", "\"dimension_separator\""),
            ("NaN", "\"what\"", "\"what\""),
        ] {
            let error = parse_array_metadata(&PLAIN.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(expected), "{from} -> {to}: {error}");
        }
        assert!(parse_array_metadata("[]").is_err());
        assert!(parse_attributes("[]").is_err());
        assert!(parse_attributes("{").is_err());
    }
}
