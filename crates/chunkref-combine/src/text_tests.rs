// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text: as coordinates, along a dimension, and of different lengths.

use chunkref_core::{CombineOptions, ConcatDimension, CoordinateSource};
use chunkref_model::{Array, Codec, DataType, Dataset, Dimension};

use crate::combine;
use crate::testing::{ints, plain, series};

fn along(name: &str) -> CombineOptions {
    CombineOptions::default().with_concat_dimensions([name])
}

/// Text of any length.
fn texts(dimensions: &[&str], texts: &[&str]) -> Array {
    let array = ints(dimensions, &vec![0; texts.len()]);
    let array = Array { dtype: DataType::VlenString, codecs: vec![Codec::new("text")], ..array };
    array.with_plain_texts(texts.iter().map(|text| text.as_bytes())).unwrap()
}

/// Characters along a dimension that counts them.
fn characters(dimensions: &[&str], texts: &[&str], length: usize) -> Array {
    let mut values = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        values.extend_from_slice(text.as_bytes());
        values.resize((number + 1) * length, 0);
    }
    let shape = match dimensions {
        [_] => vec![length as u64],
        _ => vec![texts.len() as u64, length as u64],
    };
    plain(DataType::FixedString { length: 1 }, dimensions, &shape, values)
}

fn with(name: &str, array: Array, start: i32) -> Dataset {
    let mut dataset = series(&format!("f{start}"), start, 2, 2);
    dataset.root.arrays.insert(name.to_owned(), array);
    dataset
}

fn read(dataset: &Dataset, path: &str) -> Vec<String> {
    let array = dataset.array(path).unwrap();
    let texts = array.plain_texts().unwrap_or_else(|| panic!("{:?}", array.dtype));
    texts.iter().map(|text| String::from_utf8(text.to_vec()).unwrap()).collect()
}

#[test]
fn text_along_the_dimension_is_joined() {
    let inputs = [
        with("label", texts(&["time"], &["a", "long"]), 0),
        with("label", texts(&["time"], &["", "née"]), 2),
        with("label", texts(&["time"], &["x", "y"]), 4),
    ];
    let cube = combine(&inputs, &along("time")).unwrap().dataset;
    let label = cube.array("label").unwrap();
    assert_eq!((&label.dtype, &label.shape), (&DataType::VlenString, &vec![6]));
    assert_eq!(read(&cube, "label"), ["a", "long", "", "née", "x", "y"]);
    let first = combine(&inputs[..1], &along("time")).unwrap().dataset;
    let rest = combine(&inputs[1..], &along("time")).unwrap().dataset;
    assert_eq!(combine(&[first, rest], &along("time")).unwrap().dataset, cube);
}

#[test]
fn text_is_a_coordinate() {
    let member = |name: &str, start| {
        let mut dataset = with("member", texts(&[], &[name]), start);
        let mut time = ints(&["time"], &[0, 1]);
        time.attributes = dataset.array("time").unwrap().attributes.clone();
        dataset.root.arrays.insert("time".to_owned(), time);
        dataset
    };
    let inputs = [member("r1i1p1", 0), member("r10i1p1", 10)];
    let cube = combine(&inputs, &along("member")).unwrap().dataset;
    assert_eq!(read(&cube, "member"), ["r1i1p1", "r10i1p1"]);
    assert_eq!(cube.array("temperature").unwrap().dimensions, ["member", "time", "x"]);
    // The same as a coordinate of another name.
    let source = CoordinateSource::Data("member".to_owned());
    let run = ConcatDimension::new("run").with_coordinates(source);
    let options = CombineOptions::default().with_concat(run);
    let cube = combine(&inputs, &options).unwrap().dataset;
    assert_eq!(read(&cube, "run"), ["r1i1p1", "r10i1p1"]);
}

#[test]
fn characters_are_text() {
    let inputs = [
        with("Times", characters(&["time", "length"], &["2000-01-01", "2000-01-02"], 10), 0),
        with("Times", characters(&["time", "length"], &["2000-01-03", "2000-01-04"], 12), 2),
    ];
    let inputs = inputs.map(|mut input| {
        let length = input.array("Times").unwrap().shape[1];
        let name = "length".to_owned();
        input.root.dimensions.push(Dimension { name, length, unlimited: false });
        input.root.arrays.remove("time");
        input
    });
    let source = CoordinateSource::Data("Times".to_owned());
    let time = ConcatDimension::new("time").with_coordinates(source);
    let cube = combine(&inputs, &CombineOptions::default().with_concat(time)).unwrap().dataset;
    let time = cube.array("time").unwrap();
    assert_eq!(time.dtype, DataType::FixedString { length: 12 });
    assert!(time.plain_values().unwrap().starts_with(b"2000-01-01\0\x002000-01-02\0\0"));
    assert_eq!(cube.array("Times").unwrap().shape, [4, 12]);
    assert!(cube.root.dimensions.iter().any(|dimension| dimension.length == 12));
    // Where numbers lie along that dimension too, it does not count characters.
    let other = inputs.map(|mut input| {
        let length = usize::try_from(input.array("Times").unwrap().shape[1]).unwrap();
        input.root.arrays.insert("number".to_owned(), ints(&["length"], &vec![1; length]));
        input
    });
    let error = combine(&other, &along("time")).unwrap_err();
    assert!(error.conflicts.iter().any(|conflict| conflict.place == "number"));
}
