// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zarr v2 documents: `.zarray`, `.zattrs`, `.zgroup` and `.zmetadata`.
//!
//! Spec: <https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html>. As kerchunk does, all codecs go to `filters`, in
//! encoding order, and `compressor` is `null`: the two read the same, and one list needs no rule for what is which.

mod chunk_key;
mod documents;
mod dtype;
mod hierarchy;
mod parse;

pub use chunk_key::{push_chunk_key, split_chunk_key};
pub use documents::{Document, DocumentsError, documents};
pub(in crate::zarr) use dtype::split_unit;
pub use dtype::{data_type, data_type_name};
pub use hierarchy::{Documents, Draft, Hierarchy, HierarchyError};
pub use parse::{ArrayMetadata, parse_array_metadata, parse_attributes};
use parse::{array_metadata_of, attributes_of};
pub(in crate::zarr) use parse::{configuration_value, lengths};

use crate::json::writer;
use crate::{Array, Attributes, Codec, DataType};

use super::{ZarrError, check_axes, fill_value};

/// The attribute that names an array's dimensions, as xarray defines it for Zarr v2.
pub const ARRAY_DIMENSIONS: &str = "_ARRAY_DIMENSIONS";

/// The `.zgroup` document.
pub const GROUP_METADATA: &str = r#"{"zarr_format":2}"#;

/// The `.zarray` document of an array, minified.
///
/// # Errors
/// [`ZarrError`] when Zarr v2 cannot say the array.
pub fn array_metadata(array: &Array) -> Result<String, ZarrError> {
    check_axes(array)?;
    check_object_codec(&array.dtype, &array.codecs)?;
    let mut out = String::from("{\"shape\":");
    writer::push_list(&mut out, array.shape.iter().copied(), writer::push_integer);
    out.push_str(",\"chunks\":");
    writer::push_list(
        &mut out,
        array.chunk_grid.chunk_shape().iter().copied(),
        writer::push_integer,
    );
    out.push_str(",\"dtype\":");
    dtype::push(&mut out, &array.dtype)?;
    out.push_str(",\"fill_value\":");
    match &array.fill_value {
        Some(value) => fill_value::push(&mut out, &array.dtype, value)?,
        None if needs_fill_value(array) => {
            fill_value::push(&mut out, &array.dtype, &fill_value::neutral(&array.dtype))?;
        }
        None => out.push_str("null"),
    }
    out.push_str(",\"order\":\"C\",\"filters\":");
    if array.codecs.is_empty() {
        out.push_str("null");
    } else {
        writer::push_list(&mut out, &array.codecs, push_codec);
    }
    out.push_str(",\"dimension_separator\":\".\",\"compressor\":null,\"zarr_format\":2}");
    Ok(out)
}

/// The `.zattrs` document of an array (with the names of its `dimensions`) or of a group.
///
/// NaN and infinities are bare tokens, as zarr-python and kerchunk write them.
#[must_use]
pub fn attributes(attributes: &Attributes, dimensions: Option<&[String]>) -> String {
    let mut out = String::from("{");
    if let Some(dimensions) = dimensions {
        writer::push_string(&mut out, ARRAY_DIMENSIONS);
        out.push(':');
        writer::push_list(&mut out, dimensions, |out, name| writer::push_string(out, name));
    }
    for (name, value) in attributes.iter() {
        if dimensions.is_some() && name == ARRAY_DIMENSIONS {
            continue;
        }
        if out.len() > 1 {
            out.push(',');
        }
        writer::push_string(&mut out, name);
        out.push(':');
        writer::push_value(&mut out, value);
    }
    out.push('}');
    out
}

/// The `.zmetadata` document that holds all `documents`, given with their keys.
#[must_use]
pub fn consolidated<'a>(documents: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::from("{\"metadata\":");
    writer::push_object(&mut out, documents, String::push_str);
    out.push_str(",\"zarr_consolidated_format\":1}");
    out
}

/// zarr-python 3 cannot read missing chunks of a structured type with a field of plain bytes and no fill value; zeros
/// are what the others give.
fn needs_fill_value(array: &Array) -> bool {
    let DataType::Struct { fields } = &array.dtype else { return false };
    let plain = fields.iter().any(dtype::is_written_as_bytes);
    plain && array.manifest.count() != Some(array.manifest.present())
}

/// Elements of variable length need the codec that tells what they are.
fn check_object_codec(dtype: &DataType, codecs: &[Codec]) -> Result<(), ZarrError> {
    let name = match dtype {
        DataType::VlenString => "vlen-utf8",
        DataType::VlenBytes => "vlen-bytes",
        _ => return Ok(()),
    };
    if codecs.iter().any(|codec| codec.name() == name) {
        return Ok(());
    }
    Err(ZarrError::UnsupportedCodec {
        codec: name.to_owned(),
        reason: "is missing: the data type needs it",
    })
}

fn push_codec(out: &mut String, codec: &Codec) {
    out.push_str("{\"id\":");
    writer::push_string(out, codec.name());
    for (key, value) in codec.configuration().iter().filter(|(key, _)| *key != "id") {
        out.push(',');
        writer::push_string(out, key);
        out.push(':');
        out.push_str(&value.to_string());
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AttributeValue, ByteOrder, ChunkGrid, Field, FillValue, Manifest};

    fn array() -> Array {
        Array {
            shape: vec![10, 20],
            dimensions: vec!["y".to_owned(), "x".to_owned()],
            dtype: DataType::Int { length: 2, order: ByteOrder::Little },
            fill_value: Some(FillValue::Int(-1)),
            chunk_grid: ChunkGrid::regular([5, 20]),
            codecs: vec![
                Codec::new("shuffle").with("elementsize", 2),
                Codec::new("zlib").with("level", 1),
            ],
            attributes: Attributes::new(),
            manifest: Manifest::empty([2, 1]),
        }
    }

    #[test]
    fn array_document() {
        assert_eq!(
            array_metadata(&array()).unwrap(),
            r#"{"shape":[10,20],"chunks":[5,20],"dtype":"<i2","fill_value":-1,"order":"C","filters":[{"id":"shuffle","elementsize":2},{"id":"zlib","level":1}],"dimension_separator":".","compressor":null,"zarr_format":2}"#
        );
        let scalar = Array {
            shape: vec![],
            dimensions: vec![],
            chunk_grid: ChunkGrid::regular([]),
            codecs: vec![],
            fill_value: None,
            ..array()
        };
        assert_eq!(
            array_metadata(&scalar).unwrap(),
            r#"{"shape":[],"chunks":[],"dtype":"<i2","fill_value":null,"order":"C","filters":null,"dimension_separator":".","compressor":null,"zarr_format":2}"#
        );
    }

    #[test]
    fn arrays_that_cannot_be_said_are_errors() {
        let bad = Array { chunk_grid: ChunkGrid::regular([5]), ..array() };
        assert!(matches!(
            array_metadata(&bad),
            Err(ZarrError::Inconsistent { what: "chunk lengths", .. })
        ));
        let bad = Array { dimensions: vec![], ..array() };
        assert!(matches!(
            array_metadata(&bad),
            Err(ZarrError::Inconsistent { what: "dimension names", .. })
        ));
        let bad = Array { chunk_grid: ChunkGrid::regular([5, 0]), ..array() };
        assert!(matches!(array_metadata(&bad), Err(ZarrError::EmptyChunk { .. })));
        let bad = Array { dtype: DataType::VlenString, fill_value: None, ..array() };
        assert!(matches!(array_metadata(&bad), Err(ZarrError::UnsupportedCodec { .. })));
    }

    #[test]
    fn missing_chunks_of_structs_with_bytes_get_zeros() {
        let field = |name: &str, length| Field {
            name: name.to_owned(),
            dtype: DataType::Raw { length },
            shape: vec![],
        };
        let dtype = DataType::Struct { fields: vec![field("a", 1), field("b", 2)] };
        let fill_value = |manifest| {
            let text = array_metadata(&Array {
                dtype: dtype.clone(),
                fill_value: None,
                manifest,
                ..array()
            })
            .unwrap();
            text.split_once("\"fill_value\":").unwrap().1.split_once(',').unwrap().0.to_owned()
        };
        assert_eq!(fill_value(Manifest::empty([2, 1])), "\"AAAA\"");
        assert_eq!(fill_value(Manifest::empty([0, 1])), "null");
    }

    #[test]
    fn attribute_documents() {
        let mut attrs = Attributes::new();
        assert_eq!(attributes(&attrs, None), "{}");
        attrs.insert("_ARRAY_DIMENSIONS", "mine");
        attrs.insert("scale", AttributeValue::Float(1.0));
        attrs.insert("missing", AttributeValue::Float(f64::NAN));
        let dimensions = ["x".to_owned()];
        assert_eq!(
            attributes(&attrs, Some(&dimensions)),
            r#"{"_ARRAY_DIMENSIONS":["x"],"scale":1.0,"missing":NaN}"#
        );
        assert_eq!(
            attributes(&attrs, None),
            r#"{"_ARRAY_DIMENSIONS":"mine","scale":1.0,"missing":NaN}"#
        );
        assert_eq!(attributes(&Attributes::new(), Some(&[])), r#"{"_ARRAY_DIMENSIONS":[]}"#);
    }

    #[test]
    fn consolidated_document() {
        assert_eq!(
            consolidated([(".zgroup", GROUP_METADATA), ("a/.zattrs", "{}")]),
            r#"{"metadata":{".zgroup":{"zarr_format":2},"a/.zattrs":{}},"zarr_consolidated_format":1}"#
        );
    }

    #[test]
    fn chunk_keys() {
        let key = |indices: &[u64]| {
            let mut out = String::new();
            push_chunk_key(&mut out, indices);
            out
        };
        assert_eq!(
            (key(&[]), key(&[7]), key(&[0, 12, 3])),
            ("0".to_owned(), "7".to_owned(), "0.12.3".to_owned())
        );
    }
}
