// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datasets that look like scans of many satellite images, made without any file.

use bytes::Bytes;
use chunkref_model::{
    Array, AttributeValue, Attributes, ByteOrder, ChunkGrid, ChunkRef, Codec, DataType, Dataset,
    Dimension, FillValue, Manifest, ManifestBuilder, ManifestError, Source,
};

/// Elements along each axis of a chunk.
const CHUNK: u64 = 226;

/// The scan of image `number`: a time `t` without a dimension, the coordinates `y` and `x` in the references, and `bands`
/// variables of `side` by `side` chunks each in one object.
///
/// # Errors
/// [`ManifestError`] when there are too many chunks.
pub fn scene(number: u32, bands: u32, side: u64) -> Result<Dataset, ManifestError> {
    let mut dataset = Dataset::new();
    let source = dataset.add_source(Source {
        location: format!("s3://bucket/ABI-L2-MCMIPF/2020/210/OR_{number:05}.nc"),
        version: None,
    });
    let length = side.saturating_mul(CHUNK);
    for name in ["y", "x"] {
        dataset.root.dimensions.push(Dimension { name: name.to_owned(), length, unlimited: false });
    }
    for band in 0..bands {
        let mut manifest = ManifestBuilder::new([side, side])?;
        let mut offset = 1 << 20;
        for row in 0..side {
            for column in 0..side {
                // Lengths differ, as those of compressed chunks do.
                let bytes = 20_000 + (row * 31 + column * 17 + u64::from(band) * 7) % 10_000;
                let reference = ChunkRef::Virtual { source, offset, length: bytes };
                manifest.push(&[row, column], reference)?;
                offset += bytes;
            }
        }
        let mut attributes = Attributes::new();
        attributes.insert("units", "1");
        let array = Array {
            shape: vec![length, length],
            dimensions: vec!["y".to_owned(), "x".to_owned()],
            dtype: DataType::Int { length: 2, order: ByteOrder::Little },
            fill_value: Some(FillValue::Int(-1)),
            chunk_grid: ChunkGrid::regular([CHUNK, CHUNK]),
            codecs: vec![Codec::new("zlib").with("level", 1)],
            attributes,
            manifest: manifest.finish()?,
        };
        dataset.root.arrays.insert(format!("CMI_C{band:02}"), array);
    }
    let float = |values: Vec<u8>, dimensions: &[&str], shape: Vec<u64>| {
        let array = Array {
            dimensions: dimensions.iter().map(|&name| name.to_owned()).collect(),
            dtype: DataType::Float { length: 8, order: ByteOrder::Little },
            fill_value: None,
            chunk_grid: ChunkGrid::regular(shape.clone()),
            codecs: Vec::new(),
            attributes: Attributes::new(),
            manifest: Manifest::empty(Vec::new()),
            shape,
        };
        array.with_plain_values(Bytes::from(values))
    };
    let time = float(f64::from(number).to_le_bytes().to_vec(), &[], Vec::new());
    dataset.root.arrays.insert("t".to_owned(), time);
    for name in ["y", "x"] {
        let places = u32::try_from(length).unwrap_or(u32::MAX);
        let values = (0..places).flat_map(|place| f64::from(place).to_le_bytes()).collect();
        dataset.root.arrays.insert(name.to_owned(), float(values, &[name], vec![length]));
    }
    Ok(dataset)
}

/// A dataset of `count` rows with all that an output format may lose: virtual, inline and missing chunks, the latter at the
/// end too; attributes of each kind, codecs, fill values, an array without axes, one that its chunks do not divide, groups
/// in groups, and one with nothing in it.
///
/// # Errors
/// [`ManifestError`] when there are too many chunks.
pub fn chunk_kinds(count: u64) -> Result<Dataset, ManifestError> {
    let mut dataset = Dataset::new();
    let sources = ["file:///data/a b.nc", "s3://bucket/c.nc"]
        .map(|url| dataset.add_source(Source { location: url.to_owned(), version: None }));
    let rows = count.saturating_add(2);
    let mut manifest = ManifestBuilder::new([rows, 2])?;
    for row in 0..count {
        let source = if row == 0 { sources[0] } else { sources[1] };
        manifest.push(&[row, 0], ChunkRef::Virtual { source, offset: row * 100 + 7, length: 8 })?;
    }
    manifest.push(&[count, 1], ChunkRef::Inline(Bytes::from_static(b"\x00\xff{u}base64:")))?;
    let array = |manifest: Manifest, shape: Vec<u64>, names: &[&str]| Array {
        dimensions: names.iter().map(|&name| name.to_owned()).collect(),
        dtype: DataType::UInt { length: 2, order: ByteOrder::Little },
        fill_value: Some(FillValue::UInt(7)),
        chunk_grid: ChunkGrid::regular(vec![2; shape.len()]),
        codecs: Vec::new(),
        attributes: Attributes::new(),
        manifest,
        shape,
    };
    let mut first = array(manifest.finish()?, vec![rows * 2, 4], &["y", "x"]);
    first.attributes.insert("units", "°C {u} \"quoted\"");
    first.attributes.insert("scale_factor", AttributeValue::Float(0.5));
    let range = vec![AttributeValue::Int(-3), AttributeValue::Int(7)];
    first.attributes.insert("valid_range", AttributeValue::List(range));
    dataset.root.attributes.insert("title", "chunks of every kind");
    dataset.root.arrays.insert("a".to_owned(), first);

    let second = array(Manifest::empty([2]), vec![3], &["z"]);
    let mut manifest = ManifestBuilder::new([2, 2])?;
    manifest.push(&[0, 1], ChunkRef::Virtual { source: sources[1], offset: 1, length: 20 })?;
    manifest.push(&[1, 1], ChunkRef::Virtual { source: sources[0], offset: 90, length: 21 })?;
    let mut packed = array(manifest.finish()?, vec![5, 7], &["u", "v"]);
    packed.dtype = DataType::Float { length: 4, order: ByteOrder::Little };
    packed.fill_value = Some(FillValue::Float(f64::NAN));
    packed.chunk_grid = ChunkGrid::regular([3, 4]);
    packed.codecs =
        vec![Codec::new("shuffle").with("elementsize", 4), Codec::new("zlib").with("level", 1)];
    let group = dataset.group_mut("g/h");
    group.attributes.insert("note", "a group in a group");
    group.arrays.insert("empty".to_owned(), second);
    group.arrays.insert("packed".to_owned(), packed);
    let nothing = dataset.group_mut("nothing/in/it");
    nothing.attributes.insert("note", "a group with nothing in it");

    let mut scalar = array(Manifest::empty(Vec::new()), Vec::new(), &[]);
    scalar.dtype = DataType::Int { length: 8, order: ByteOrder::Little };
    scalar.fill_value = None;
    let scalar = scalar.with_plain_values(Bytes::from_static(&[1, 0, 0, 0, 0, 0, 0, 0]));
    dataset.root.arrays.insert("scalar".to_owned(), scalar);
    dataset.define_dimensions();
    Ok(dataset)
}

/// The same dataset with the array `a` of a type that no version of Zarr has.
#[must_use]
pub fn unsayable(mut dataset: Dataset) -> Dataset {
    if let Some(array) = dataset.root.arrays.get_mut("a") {
        array.dtype = DataType::Float { length: 16, order: ByteOrder::Little };
    }
    dataset
}
