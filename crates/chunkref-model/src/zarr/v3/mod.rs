// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zarr v3 documents: `zarr.json` of arrays and groups.
//!
//! Spec: <https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html>. Names that the core does not have are those
//! that zarr-python 3.1 writes. NaN and infinities in attributes are bare tokens, as there. The attribute `_FillValue`, by
//! which xarray masks values in this version, is written from the array's fill value, and read back into it.

mod codec;
mod dtype;
mod masked;
mod parse;

pub use parse::{Node, parse};

use crate::json::writer;
use crate::{Array, Attributes};

use super::{ZarrError, check_axes, fill_value, v2};

/// The `zarr.json` document of an array, minified.
///
/// An array without fill value gets zeros (`NaT` for times), since the version needs one.
///
/// # Errors
/// [`ZarrError`] when Zarr v3 cannot say the array.
pub fn array_metadata(array: &Array) -> Result<String, ZarrError> {
    check_axes(array)?;
    let mut out = String::from("{\"shape\":");
    writer::push_list(&mut out, array.shape.iter().copied(), writer::push_integer);
    out.push_str(",\"data_type\":");
    dtype::push(&mut out, &array.dtype)?;
    out.push_str(",\"chunk_grid\":{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":");
    writer::push_list(
        &mut out,
        array.chunk_grid.chunk_shape().iter().copied(),
        writer::push_integer,
    );
    out.push_str(
        "}},\"chunk_key_encoding\":{\"name\":\"default\",\"configuration\":{\"separator\":\"/\"}}",
    );
    out.push_str(",\"fill_value\":");
    match &array.fill_value {
        Some(value) => fill_value::push(&mut out, &array.dtype, value)?,
        None => fill_value::push(&mut out, &array.dtype, &fill_value::neutral(&array.dtype))?,
    }
    out.push_str(",\"codecs\":");
    codec::push_all(&mut out, &array.dtype, &array.codecs)?;
    out.push_str(",\"attributes\":");
    out.push_str(&v2::attributes(&masked::with_attribute(array), None));
    out.push_str(",\"dimension_names\":");
    writer::push_list(&mut out, &array.dimensions, |out, name| writer::push_string(out, name));
    out.push_str(",\"zarr_format\":3,\"node_type\":\"array\",\"storage_transformers\":[]}");
    Ok(out)
}

/// The `zarr.json` document of a group, minified.
#[must_use]
pub fn group_metadata(attributes: &Attributes) -> String {
    let attributes = v2::attributes(attributes, None);
    format!("{{\"attributes\":{attributes},\"zarr_format\":3,\"node_type\":\"group\"}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AttributeValue, ByteOrder, ChunkGrid, Codec, DataType, Manifest};

    #[test]
    fn array_document() {
        let mut array = Array {
            shape: vec![10],
            dimensions: vec!["x".to_owned()],
            dtype: DataType::Int { length: 2, order: ByteOrder::Big },
            fill_value: None,
            chunk_grid: ChunkGrid::regular([5]),
            codecs: vec![Codec::new("zlib").with("level", 1)],
            attributes: [("a".to_owned(), AttributeValue::Float(f64::NAN))].into_iter().collect(),
            manifest: Manifest::empty([2]),
        };
        assert_eq!(
            array_metadata(&array).unwrap(),
            r#"{"shape":[10],"data_type":"int16","chunk_grid":{"name":"regular","configuration":{"chunk_shape":[5]}},"chunk_key_encoding":{"name":"default","configuration":{"separator":"/"}},"fill_value":0,"codecs":[{"name":"bytes","configuration":{"endian":"big"}},{"name":"numcodecs.zlib","configuration":{"level":1}}],"attributes":{"a":NaN},"dimension_names":["x"],"zarr_format":3,"node_type":"array","storage_transformers":[]}"#
        );
        array.dimensions.clear();
        assert!(matches!(array_metadata(&array), Err(ZarrError::Inconsistent { .. })));
    }

    #[test]
    fn every_type_has_a_neutral_fill_value() {
        for (dtype, codec, expected) in [
            (DataType::Bool, None, "false"),
            (DataType::UInt { length: 1, order: ByteOrder::Little }, None, "0"),
            (DataType::Float { length: 4, order: ByteOrder::Little }, None, "0.0"),
            (DataType::Complex { length: 8, order: ByteOrder::Little }, None, "[0.0,0.0]"),
            (DataType::FixedString { length: 2 }, None, "\"AAA=\""),
            (DataType::VlenString, Some("vlen-utf8"), "\"\""),
            (DataType::VlenBytes, Some("vlen-bytes"), "\"\""),
            (
                DataType::DateTime { unit: "s".to_owned(), order: ByteOrder::Little },
                None,
                "-9223372036854775808",
            ),
        ] {
            let array = Array {
                shape: vec![],
                dimensions: vec![],
                dtype,
                fill_value: None,
                chunk_grid: ChunkGrid::regular([]),
                codecs: codec.map(Codec::new).into_iter().collect(),
                attributes: Attributes::new(),
                manifest: Manifest::empty([]),
            };
            let text = array_metadata(&array).unwrap();
            assert!(text.contains(&format!("\"fill_value\":{expected},")), "{text}");
        }
    }

    #[test]
    fn group_document() {
        let attributes = [("a".to_owned(), AttributeValue::Int(1))].into_iter().collect();
        assert_eq!(
            group_metadata(&attributes),
            r#"{"attributes":{"a":1},"zarr_format":3,"node_type":"group"}"#
        );
    }
}
