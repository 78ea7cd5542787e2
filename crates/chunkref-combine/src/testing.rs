// SPDX-License-Identifier: MIT OR Apache-2.0
//! Inputs for tests, and what they read as.

use std::collections::BTreeMap;

use chunkref_core::{CodecEntry, inventory};
use chunkref_model::{
    Array, Attributes, ByteOrder, ChunkGrid, ChunkRef, Codec, DataType, Dataset, Dimension,
    FillValue, ManifestBuilder, Source,
};

pub(crate) const LITTLE: ByteOrder = ByteOrder::Little;

/// A codec that adds one to every byte, whose setting `effort` decoding does not look at.
const INCREMENT: CodecEntry = CodecEntry::new("increment", |_, stored, _| {
    Ok(stored.iter().map(|byte| byte.wrapping_sub(1)).collect())
})
.with_encoder_settings(&["effort"])
.with_identity("digest")
.with_encode(|_, plain| Ok(plain.iter().map(|byte| byte.wrapping_add(1)).collect()));

inventory::submit! { INCREMENT }

/// An array of big chunks that lie in the object `location`, each at an offset that tells it from all others.
pub(crate) fn data(
    dataset: &mut Dataset,
    location: &str,
    dimensions: &[&str],
    shape: &[u64],
    chunk_shape: &[u64],
    offset: u64,
) -> Array {
    let source = dataset.add_source(Source { location: location.to_owned(), version: None });
    let chunk_grid = ChunkGrid::regular(chunk_shape);
    let grid_shape = chunk_grid.grid_shape(shape);
    let mut manifest = ManifestBuilder::new(grid_shape.clone()).unwrap();
    let count: u64 = grid_shape.iter().product();
    for number in 0..count {
        let (mut rest, mut indices) = (number, vec![0; grid_shape.len()]);
        for (index, &length) in indices.iter_mut().zip(&grid_shape).rev() {
            *index = rest % length;
            rest /= length;
        }
        let offset = offset + 100 * number;
        manifest.push(&indices, ChunkRef::Virtual { source, offset, length: 100 }).unwrap();
    }
    Array {
        shape: shape.to_vec(),
        dimensions: dimensions.iter().map(|&name| name.to_owned()).collect(),
        dtype: DataType::Int { length: 2, order: LITTLE },
        fill_value: Some(FillValue::Int(-1)),
        chunk_grid,
        codecs: vec![Codec::new("zlib").with("level", 4)],
        attributes: Attributes::new(),
        manifest: manifest.finish().unwrap(),
    }
}

/// An array of plain values.
pub(crate) fn plain(dtype: DataType, dimensions: &[&str], shape: &[u64], values: Vec<u8>) -> Array {
    let array = Array {
        shape: shape.to_vec(),
        dimensions: dimensions.iter().map(|&name| name.to_owned()).collect(),
        dtype,
        fill_value: None,
        chunk_grid: ChunkGrid::regular(shape),
        codecs: Vec::new(),
        attributes: Attributes::new(),
        manifest: chunkref_model::Manifest::empty(Vec::new()),
    };
    array.with_plain_values(values.into())
}

pub(crate) fn floats(dimensions: &[&str], values: &[f64]) -> Array {
    let shape: Vec<u64> = dimensions.iter().map(|_| values.len() as u64).collect();
    let dtype = DataType::Float { length: 8, order: LITTLE };
    plain(dtype, dimensions, &shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

pub(crate) fn ints(dimensions: &[&str], values: &[i32]) -> Array {
    let shape: Vec<u64> = dimensions.iter().map(|_| values.len() as u64).collect();
    let dtype = DataType::Int { length: 4, order: LITTLE };
    plain(dtype, dimensions, &shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// A file of one time without a time axis, as GOES files are: `sst(y, x)`, `t`, `x`, a number that differs and one that
/// does not.
pub(crate) fn scene(name: &str, time: f64) -> Dataset {
    let location = format!("s3://bucket/{name}.nc");
    let mut dataset = Dataset::new();
    let mut sst = data(&mut dataset, &location, &["y", "x"], &[4, 6], &[2, 3], 1000);
    sst.attributes.insert("units", "K");
    let mut t = floats(&[], &[time]);
    t.attributes.insert("units", "seconds since 2000-01-01 12:00:00");
    let root = &mut dataset.root;
    root.attributes.insert("title", name);
    for (name, length) in [("y", 4), ("x", 6)] {
        root.dimensions.push(Dimension { name: name.to_owned(), length, unlimited: false });
    }
    #[expect(clippy::cast_possible_truncation, reason = "small numbers of a test")]
    let minute = (time / 60.0) as i32;
    for (name, array) in [
        ("sst", sst),
        ("t", t),
        ("x", ints(&["x"], &[0, 1, 2, 3, 4, 5])),
        ("mean", ints(&[], &[minute])),
        ("height", ints(&[], &[35786])),
    ] {
        root.arrays.insert(name.to_owned(), array);
    }
    dataset
}

/// A file of some times: `temperature(time, x)` in chunks of `chunk` times, `time` in a chunk of 512, `bounds(time)`.
pub(crate) fn series(name: &str, start: i32, length: u64, chunk: u64) -> Dataset {
    let location = format!("s3://bucket/{name}.nc");
    let mut dataset = Dataset::new();
    let temperature =
        data(&mut dataset, &location, &["time", "x"], &[length, 6], &[chunk, 3], 5000);
    let end = start + i32::try_from(length).unwrap();
    let mut time = ints(&["time"], &(start..end).collect::<Vec<_>>());
    time.attributes.insert("units", "hours since 2020-01-01");
    let root = &mut dataset.root;
    for (name, length) in [("time", length), ("x", 6)] {
        root.dimensions.push(Dimension { name: name.to_owned(), length, unlimited: true });
    }
    root.arrays.insert("temperature".to_owned(), temperature);
    root.arrays.insert("time".to_owned(), time);
    root.arrays
        .insert("step".to_owned(), ints(&["time"], &(start + 100..end + 100).collect::<Vec<_>>()));
    root.arrays.insert("station".to_owned(), ints(&[], &[7]));
    dataset
}

/// What each element reads as: its bytes, or the chunk that it lies in and its place there.
pub(crate) type Elements = BTreeMap<Vec<u64>, String>;

/// Reads an array element by element.
pub(crate) fn elements(dataset: &Dataset, path: &str) -> Elements {
    let array = dataset.array(path).unwrap();
    let mut found = Elements::new();
    let ranges: Vec<_> = array.shape.iter().map(|&length| (0, length)).collect();
    let chunk_shape = array.chunk_grid.chunk_shape().to_vec();
    let element = usize::try_from(array.dtype.length_bytes().unwrap()).unwrap();
    crate::analysis::for_each_place(&ranges, &mut |place| {
        let chunk: Vec<_> = place.iter().zip(&chunk_shape).map(|(a, b)| a / b).collect();
        let within: Vec<_> = place.iter().zip(&chunk_shape).map(|(a, b)| a % b).collect();
        let number = within.iter().zip(&chunk_shape).fold(0, |sum, (a, b)| sum * b + a);
        let says = match array.manifest.get(&chunk) {
            ChunkRef::Virtual { source, offset, length } => {
                let location = &dataset.source(source).unwrap().location;
                format!("{location} {offset}+{length} element {number}")
            }
            ChunkRef::Inline(bytes) => {
                let start = usize::try_from(number).unwrap() * element;
                format!("{:?}", bytes.slice(start..start + element))
            }
            ChunkRef::Missing => "missing".to_owned(),
        };
        found.insert(place.to_vec(), says);
    });
    found
}
