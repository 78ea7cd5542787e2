// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading `zarr.json`.

use crate::dataset::unnamed_dimension;
use crate::json::{reader, writer};
use crate::zarr::v2::lengths;
use crate::{Array, AttributeValue, Attributes, ChunkGrid, Manifest};

use super::dtype::member;
use super::{ZarrError, codec, dtype, fill_value, masked};

/// What a `zarr.json` document describes.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A group with its attributes.
    Group(Attributes),
    /// An array without references.
    Array(Box<Array>),
}

/// Reads the `zarr.json` document of the node at `path`, whose last part names dimensions that have no name.
///
/// # Errors
/// [`ZarrError`] when it is not JSON or not a node that the model can describe.
pub fn parse(path: &str, text: &str) -> Result<Node, ZarrError> {
    let document = reader::parse(text)?;
    let AttributeValue::Struct(members) = &document else {
        return Err(bad_member("zarr.json", "an object", &document));
    };
    let find =
        |name: &'static str| member(members, name).ok_or(ZarrError::MissingMember { member: name });
    let version = find("zarr_format")?;
    if *version != AttributeValue::Int(3) {
        return Err(bad_member("zarr_format", "3", version));
    }
    let attributes = match member(members, "attributes") {
        None | Some(AttributeValue::Null) => Attributes::new(),
        Some(AttributeValue::Struct(members)) => members.iter().cloned().collect(),
        Some(other) => return Err(bad_member("attributes", "an object", other)),
    };
    match find("node_type")? {
        AttributeValue::Text(kind) if kind == "group" => Ok(Node::Group(attributes)),
        AttributeValue::Text(kind) if kind == "array" => {
            array(path, members, attributes).map(|array| Node::Array(Box::new(array)))
        }
        other => Err(bad_member("node_type", "\"array\" or \"group\"", other)),
    }
}

fn array(
    path: &str,
    members: &[(String, AttributeValue)],
    mut attributes: Attributes,
) -> Result<Array, ZarrError> {
    let find =
        |name: &'static str| member(members, name).ok_or(ZarrError::MissingMember { member: name });
    let shape = lengths("shape", find("shape")?)?;
    let mut chunk_shape = chunk_shape(find("chunk_grid")?)?;
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
    if let Some(AttributeValue::Struct(encoding)) = member(members, "chunk_key_encoding")
        && member(encoding, "name") != Some(&AttributeValue::from("default"))
    {
        let found = AttributeValue::Struct(encoding.clone());
        return Err(bad_member("chunk_key_encoding", "the default one", &found));
    }
    match member(members, "storage_transformers") {
        None | Some(AttributeValue::Null) => {}
        Some(AttributeValue::List(list)) if list.is_empty() => {}
        Some(other) => return Err(bad_member("storage_transformers", "none", other)),
    }
    let (codecs, order) = codec::parse_all(find("codecs")?)?;
    let dtype = dtype::parse(find("data_type")?, order)?;
    let fill_value = fill_value::parse(&dtype, find("fill_value")?)?;
    let fill_value = masked::without_attribute(&dtype, fill_value, &mut attributes);
    let dimensions = dimensions(path, shape.len(), member(members, "dimension_names"))?;
    let chunk_grid = ChunkGrid::regular(chunk_shape);
    let manifest = Manifest::empty(chunk_grid.grid_shape(&shape));
    Ok(Array { shape, dimensions, dtype, fill_value, chunk_grid, codecs, attributes, manifest })
}

fn chunk_shape(grid: &AttributeValue) -> Result<Vec<u64>, ZarrError> {
    let wrong = || bad_member("chunk_grid", "a regular grid", grid);
    let AttributeValue::Struct(members) = grid else { return Err(wrong()) };
    if member(members, "name") != Some(&AttributeValue::from("regular")) {
        return Err(wrong());
    }
    match member(members, "configuration") {
        Some(AttributeValue::Struct(configuration)) => {
            lengths("chunk_shape", member(configuration, "chunk_shape").ok_or_else(wrong)?)
        }
        _ => Err(wrong()),
    }
}

fn dimensions(
    path: &str,
    axes: usize,
    names: Option<&AttributeValue>,
) -> Result<Vec<String>, ZarrError> {
    let names = match names {
        None | Some(AttributeValue::Null) => {
            return Ok((0..axes).map(|axis| unnamed_dimension(path, axis)).collect());
        }
        Some(AttributeValue::List(names)) => names,
        Some(other) => return Err(bad_member("dimension_names", "a list of names", other)),
    };
    if names.len() != axes {
        return Err(ZarrError::Inconsistent { what: "dimension names", count: names.len(), axes });
    }
    let name = |(axis, name): (usize, &AttributeValue)| match name {
        AttributeValue::Text(name) => Ok(name.clone()),
        AttributeValue::Null => Ok(unnamed_dimension(path, axis)),
        other => Err(bad_member("dimension_names", "a list of names", other)),
    };
    names.iter().enumerate().map(name).collect()
}

fn bad_member(member: &'static str, expected: &'static str, found: &AttributeValue) -> ZarrError {
    ZarrError::BadMember { member, expected, found: writer::excerpt(found) }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::zarr::v3::{array_metadata, group_metadata};
    use crate::{ByteOrder, Codec, DataType, FillValue};

    fn plain(dtype: DataType, fill_value: Option<FillValue>) -> Array {
        Array {
            shape: vec![5, 0],
            dimensions: vec!["x".to_owned(), "y".to_owned()],
            dtype,
            fill_value,
            chunk_grid: ChunkGrid::regular([2, 1]),
            codecs: vec![Codec::new("shuffle").with("elementsize", 4)],
            attributes: [("units".to_owned(), AttributeValue::from("K"))].into_iter().collect(),
            manifest: Manifest::empty([3, 0]),
        }
    }

    fn back(array: &Array) -> Array {
        let text = array_metadata(array).unwrap();
        match parse("g/a", &text).unwrap() {
            Node::Array(array) => *array,
            Node::Group(_) => unreachable!(),
        }
    }

    #[test]
    fn arrays_come_back() {
        let (order, length) = (ByteOrder::Big, 4);
        for (dtype, fill_value) in [
            (DataType::Int { length, order }, None),
            (DataType::Int { length, order }, Some(FillValue::Int(0))),
            (DataType::Int { length, order }, Some(FillValue::Int(-999))),
            (DataType::UInt { length: 1, order: ByteOrder::Little }, Some(FillValue::UInt(255))),
            (DataType::Float { length, order }, Some(FillValue::Float(f64::NAN))),
            (DataType::Float { length, order }, Some(FillValue::Float(9.969_209_968_386_869e36))),
            (DataType::Float { length, order }, None),
            (DataType::Complex { length: 8, order }, Some(FillValue::Complex(f64::NAN, 0.0))),
            (DataType::Bool, Some(FillValue::Bool(false))),
            (DataType::Bool, None),
            (
                DataType::FixedString { length: 2 },
                Some(FillValue::Bytes(Bytes::from_static(b"ab"))),
            ),
            (DataType::FixedString { length: 2 }, None),
        ] {
            let array = plain(dtype, fill_value);
            assert_eq!(back(&array), array);
        }
    }

    #[test]
    fn xarray_is_told_what_to_mask() {
        let text = |array: &Array| array_metadata(array).unwrap();
        let float = DataType::Float { length: 4, order: ByteOrder::Little };
        // struct.pack("<d", -999.0) in base64.
        assert!(
            text(&plain(float.clone(), Some(FillValue::Float(-999.0))))
                .contains(r#""_FillValue":"AAAAAAA4j8A=""#)
        );
        assert!(!text(&plain(float.clone(), None)).contains("_FillValue"));
        // The file's own value for missing chunks, and another one that is masked.
        let mut array = plain(float, Some(FillValue::Float(7.0)));
        array.attributes.insert("_FillValue", AttributeValue::Float(-999.0));
        assert!(text(&array).contains(r#""_FillValue":"AAAAAAA4j8A=""#));
        assert_eq!(back(&array), array);
    }

    #[test]
    fn faults_name_the_member() {
        let text = array_metadata(&plain(DataType::Bool, None)).unwrap();
        for (from, to, expected) in [
            ("\"zarr_format\":3", "\"zarr_format\":2", "\"zarr_format\""),
            ("\"node_type\":\"array\"", "\"node_type\":\"x\"", "\"node_type\""),
            ("\"shape\":[5,0]", "\"shape\":[5,-1]", "\"shape\""),
            ("\"shape\":[5,0]", "\"shape\":[5]", "2 chunk lengths for 1 axes"),
            ("\"chunk_shape\":[2,1]", "\"chunk_shape\":[0,1]", "chunk shape [0, 1]"),
            ("\"regular\"", "\"rectilinear\"", "\"chunk_grid\""),
            ("\"default\"", "\"v2\"", "\"chunk_key_encoding\""),
            ("\"bool\"", "\"bfloat16\"", "bfloat16"),
            ("numcodecs.shuffle", "transpose", "\"transpose\""),
            ("\"fill_value\":false", "\"fill_value\":7", "7"),
            ("[\"x\",\"y\"]", "[\"x\"]", "1 dimension names for 2 axes"),
            ("[\"x\",\"y\"]", "[\"x\",7]", "\"dimension_names\""),
            ("\"storage_transformers\":[]", "\"storage_transformers\":[1]", "transformers"),
            ("\"attributes\":{", "\"attributes\":[{", "JSON"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = parse("a", &text.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(expected), "{from} -> {to}: {error}");
        }
    }

    #[test]
    fn names_that_are_not_there() {
        let text = array_metadata(&plain(DataType::Bool, None)).unwrap();
        for names in ["null", "[\"x\",null]"] {
            let text = text.replace("[\"x\",\"y\"]", names);
            let Node::Array(array) = parse("g/a", &text).unwrap() else { unreachable!() };
            assert_eq!(array.dimensions[1], "a_dim_1");
        }
        let attributes = [("a".to_owned(), AttributeValue::Int(1))].into_iter().collect();
        let group = parse("", &group_metadata(&attributes)).unwrap();
        assert_eq!(group, Node::Group(attributes));
    }
}
