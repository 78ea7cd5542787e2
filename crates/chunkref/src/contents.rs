// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is in a dataset, as data: for whoever shows it, and as JSON for machines.

use chunkref_core::{Scan, Spelling, redact};
use chunkref_model::{Array, ByteOrder, DataType, Dataset, dataset::join_path};
use serde_json::{Map, Value, json};

/// A dimension with the path of the group that defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DimensionRow<'a> {
    /// Path of the dimension.
    pub path: String,
    /// Its length, in elements.
    pub length: u64,
    /// Whether files may make it longer.
    pub unlimited: bool,
    /// Path of the group.
    pub group: &'a str,
}

/// All dimensions of these [`groups`], outer groups first.
#[must_use]
pub fn dimensions<'a>(
    dataset: &'a Dataset,
    groups: &'a [(String, usize)],
) -> Vec<DimensionRow<'a>> {
    let mut rows = Vec::new();
    for (group, _) in groups {
        for dimension in
            dataset.group(group).map(|group| group.dimensions.as_slice()).unwrap_or_default()
        {
            rows.push(DimensionRow {
                path: join_path(group, &dimension.name),
                length: dimension.length,
                unlimited: dimension.unlimited,
                group,
            });
        }
    }
    rows
}

/// Path and number of attributes of every group, parents first.
#[must_use]
pub fn groups(dataset: &Dataset) -> Vec<(String, usize)> {
    let mut rows = Vec::new();
    dataset.visit_groups(&mut |path, group| rows.push((path.to_owned(), group.attributes.len())));
    rows
}

/// Everything for machines, of a file of `length` bytes, with advice as `spelling` has it. `chunk_count` counts the chunks that are there, `grid_count` all that the grid has.
#[must_use]
pub fn document(
    location: &str,
    format: &str,
    length: u64,
    scan: &Scan,
    spelling: Spelling<'_>,
) -> Value {
    let groups = groups(&scan.dataset);
    let dimensions: Vec<_> = dimensions(&scan.dataset, &groups)
        .iter()
        .map(|row| json!({"path": row.path, "group": row.group, "length": row.length, "unlimited": row.unlimited}))
        .collect();
    let groups: Vec<_> = groups
        .iter()
        .map(|(path, count)| json!({"path": path, "attribute_count": count}))
        .collect();
    let arrays: Vec<_> =
        scan.dataset.arrays().iter().map(|(path, array)| array_document(path, array)).collect();
    let skipped: Vec<_> = scan
        .skipped
        .iter()
        .map(|skip| {
            json!({"path": skip.path, "offset": skip.offset, "reason": skip.reason_in_words(spelling), "kind": skip.kind.to_string()})
        })
        .collect();
    json!({
        "location": &*redact(location),
        "format": format,
        "length": length,
        "groups": groups,
        "dimensions": dimensions,
        "arrays": arrays,
        "skipped": skipped,
    })
}

fn array_document(path: &str, array: &Array) -> Value {
    let codecs: Vec<_> = array
        .codecs
        .iter()
        .map(|codec| {
            let mut entry = Map::new();
            entry.insert("id".to_owned(), codec.name().into());
            entry.extend(codec.configuration().clone());
            Value::Object(entry)
        })
        .collect();
    json!({
        "path": path,
        "shape": array.shape,
        "dimensions": array.dimensions,
        "chunks": array.chunk_grid.chunk_shape(),
        "dtype": dtype(&array.dtype),
        "codecs": codecs,
        "chunk_count": array.manifest.present(),
        "grid_count": array.manifest.count(),
        "stored_bytes": array.manifest.stored_bytes(),
        "logical_bytes": array.logical_bytes(),
        "attribute_count": array.attributes.len(),
    })
}

/// A type in numpy's notation, with braces around the fields of a struct.
#[must_use]
pub fn dtype(dtype: &DataType) -> String {
    match dtype {
        DataType::Bool => "|b1".to_owned(),
        DataType::Int { length, order } => format!("{}i{length}", order_mark(*order, *length)),
        DataType::UInt { length, order } => format!("{}u{length}", order_mark(*order, *length)),
        DataType::Float { length, order } => format!("{}f{length}", order_mark(*order, *length)),
        DataType::Complex { length, order } => format!("{}c{length}", order_mark(*order, *length)),
        DataType::FixedString { length } => format!("|S{length}"),
        DataType::Raw { length } => format!("|V{length}"),
        DataType::VlenString => "string".to_owned(),
        DataType::VlenBytes => "bytes".to_owned(),
        DataType::DateTime { unit, order } => format!("{}M8[{unit}]", order_mark(*order, 8)),
        DataType::TimeDelta { unit, order } => format!("{}m8[{unit}]", order_mark(*order, 8)),
        DataType::Struct { fields } => {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| {
                    let shape = if field.shape.is_empty() {
                        String::new()
                    } else {
                        format!("{:?}", field.shape)
                    };
                    format!("{}: {}{shape}", field.name, self::dtype(&field.dtype))
                })
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn order_mark(order: ByteOrder, length: u8) -> char {
    match order {
        _ if length == 1 => '|',
        ByteOrder::Little => '<',
        ByteOrder::Big => '>',
    }
}

#[cfg(test)]
mod tests {
    use chunkref_model::Field;

    use super::*;

    #[test]
    fn types_in_words() {
        let little = ByteOrder::Little;
        let pairs = [
            (DataType::Int { length: 2, order: ByteOrder::Big }, ">i2"),
            (DataType::UInt { length: 1, order: little }, "|u1"),
            (DataType::Complex { length: 16, order: little }, "<c16"),
            (DataType::FixedString { length: 7 }, "|S7"),
            (DataType::DateTime { unit: "10ms".to_owned(), order: little }, "<M8[10ms]"),
        ];
        for (data_type, text) in &pairs {
            assert_eq!(dtype(data_type), *text);
        }
        let field = |name: &str, dtype, shape: &[u64]| Field {
            name: name.to_owned(),
            dtype,
            shape: shape.to_vec(),
        };
        let compound = DataType::Struct {
            fields: vec![
                field("a", DataType::Float { length: 8, order: little }, &[]),
                field("b", DataType::Raw { length: 3 }, &[2, 3]),
            ],
        };
        assert_eq!(dtype(&compound), "{a: <f8, b: |V3[2, 3]}");
    }
}
