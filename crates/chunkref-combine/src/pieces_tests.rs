// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chunks that are cut, variables that are merged, times since 1970, and calendars.

use std::collections::BTreeMap;

use chunkref_core::{CombineErrorKind, CombineOptions, ConcatDimension, CoordinateSource};
use chunkref_model::{
    Array, AttributeValue, ByteOrder, ChunkGrid, ChunkRef, DataType, Dataset, ManifestBuilder,
    Source,
};
use proptest::prelude::*;

use crate::analysis::for_each_place;
use crate::testing::{floats, ints, scene, series};
use crate::{combine, merge, plan};

fn along(name: &str) -> CombineOptions {
    CombineOptions::default().with_concat(ConcatDimension::new(name))
}

/// A file whose `flow(time, x)` is stored without codecs, in whole chunks of `chunk` times one after another.
fn uncompressed(name: &str, start: i32, length: u64, chunk: u64) -> Dataset {
    let mut dataset = series(name, start, length.min(1000), 1);
    dataset.root.arrays.remove("temperature");
    let location = format!("s3://bucket/{name}.nc");
    let source = dataset.add_source(Source { location, version: None });
    let chunk_grid = ChunkGrid::regular([chunk, 6]);
    let grid_shape = chunk_grid.grid_shape(&[length, 6]);
    let mut manifest = ManifestBuilder::new(grid_shape.clone()).unwrap();
    for number in 0..grid_shape[0] {
        let reference =
            ChunkRef::Virtual { source, offset: 5000 + number * chunk * 24, length: chunk * 24 };
        manifest.push(&[number, 0], reference).unwrap();
    }
    let array = Array {
        shape: vec![length, 6],
        dimensions: vec!["time".to_owned(), "x".to_owned()],
        dtype: DataType::Float { length: 4, order: ByteOrder::Little },
        fill_value: None,
        chunk_grid,
        codecs: Vec::new(),
        attributes: chunkref_model::Attributes::new(),
        manifest: manifest.finish().unwrap(),
    };
    dataset.root.arrays.insert("flow".to_owned(), array);
    dataset
}

/// The object and byte of every element of `flow`.
fn bytes_of(dataset: &Dataset) -> BTreeMap<Vec<u64>, (String, u64)> {
    let array = dataset.array("flow").unwrap();
    let ranges: Vec<_> = array.shape.iter().map(|&length| (0, length)).collect();
    let mut found = BTreeMap::new();
    let chunk_shape = array.chunk_grid.chunk_shape();
    for_each_place(&ranges, &mut |place| {
        let chunk: Vec<_> = place.iter().zip(chunk_shape).map(|(a, b)| a / b).collect();
        let number = place.iter().zip(chunk_shape).fold(0, |sum, (a, b)| sum * b + a % b);
        let ChunkRef::Virtual { source, offset, length } = array.manifest.get(&chunk) else {
            panic!("{chunk:?} is missing")
        };
        let whole = chunk_shape.iter().product::<u64>() * 4;
        assert_eq!(length, whole, "a chunk is stored whole");
        let location = dataset.source(source).unwrap().location.clone();
        found.insert(place.to_vec(), (location, offset + number * 4));
    });
    found
}

fn files(lengths: &[(u64, u64)]) -> Vec<Dataset> {
    let mut start = 0;
    let files = lengths.iter().enumerate().map(|(place, &(length, chunk))| {
        let file = uncompressed(&format!("f{place}"), start, length, chunk);
        start += i32::try_from(length).unwrap();
        file
    });
    files.collect()
}

#[test]
fn months_of_one_piece_each_are_cut_into_days() {
    let inputs = files(&[(31, 31), (28, 28), (31, 31)]);
    let combined = combine(&inputs, &along("time")).unwrap().dataset;
    let flow = combined.array("flow").unwrap();
    assert_eq!((flow.shape.as_slice(), flow.chunk_grid.chunk_shape()), (&[90, 6][..], &[1, 6][..]));
    let found = bytes_of(&combined);
    assert_eq!(found[&vec![31 + 5, 2]], ("s3://bucket/f1.nc".to_owned(), 5000 + 5 * 24 + 2 * 4));
}

#[test]
fn chunks_that_meet_are_not_cut() {
    let inputs = files(&[(30, 30), (30, 30), (10, 30)]);
    let combined = combine(&inputs, &along("time")).unwrap().dataset;
    assert_eq!(combined.array("flow").unwrap().chunk_grid.chunk_shape(), [30, 6]);
}

#[test]
fn too_many_pieces_are_a_conflict() {
    let inputs = files(&[(1 << 24, 1 << 24), (1, 1)]);
    let inputs: Vec<_> = inputs
        .into_iter()
        .map(|mut input| {
            // There are no coordinates of so many values.
            input.root.arrays.retain(|name, _| name == "flow");
            input
        })
        .collect();
    let error = combine(&inputs, &along("time")).unwrap_err();
    assert_eq!(error.kind, CombineErrorKind::Mismatch);
    assert!(error.to_string().contains("chunk shapes differ"), "{error}");
}

proptest! {
    /// Every element stays the bytes that it was, however files are cut into chunks, and grouping changes nothing.
    #[test]
    fn cut_chunks_keep_their_bytes(
        lengths in prop::collection::vec((1..9_u64, 1..5_u64), 2..6),
        at in 1..5_usize,
    ) {
        let inputs = files(&lengths);
        let all = combine(&inputs, &along("time")).unwrap().dataset;
        let found = bytes_of(&all);
        let mut start = 0;
        for input in &inputs {
            let own = bytes_of(input);
            for (place, says) in &own {
                let moved = vec![place[0] + start, place[1]];
                prop_assert_eq!(&found[&moved], says);
            }
            start += input.array("flow").unwrap().shape[0];
        }
        let at = at.min(inputs.len() - 1);
        let parts = [
            combine(&inputs[..at], &along("time")).unwrap().dataset,
            combine(&inputs[at..], &along("time")).unwrap().dataset,
        ];
        let grouped = combine(&parts, &along("time")).unwrap().dataset;
        prop_assert_eq!(bytes_of(&grouped), found);
    }

    /// Appending to a set is combining it with the rest.
    #[test]
    fn appending_one_by_one_gives_the_whole(lengths in prop::collection::vec(1..4_u64, 2..6)) {
        let lengths: Vec<_> = lengths.iter().map(|&length| (length, length)).collect();
        let inputs = files(&lengths);
        let all = combine(&inputs, &along("time")).unwrap().dataset;
        let mut set = inputs[0].clone();
        for input in &inputs[1..] {
            set = combine(&[set, input.clone()], &along("time")).unwrap().dataset;
        }
        prop_assert_eq!(bytes_of(&set), bytes_of(&all));
        prop_assert_eq!(&set.array("time").unwrap().plain_values(), &all.array("time").unwrap().plain_values());
    }
}

#[test]
fn variables_of_different_files_are_put_together() {
    let mut other = scene("other", 60.0);
    let mut own = scene("own", 60.0);
    own.root.arrays.remove("height");
    other.root.arrays.retain(|name, _| name != "sst" && name != "mean");
    let merged = merge(&[own.clone(), other.clone()]).unwrap();
    let names: Vec<_> = merged.root.arrays.keys().map(String::as_str).collect();
    assert_eq!(names, ["height", "mean", "sst", "t", "x"]);
    assert_eq!(merged.sources().len(), 2);

    let mut next = scene("next", 120.0);
    let options = along("t").with_merge(true);
    let combined = combine(&[own.clone(), next.clone(), other.clone()], &options).unwrap().dataset;
    assert_eq!(combined.array("sst").unwrap().shape, [2, 4, 6]);
    assert_eq!(combined.array("height").unwrap().shape, [0; 0]);
    assert!(
        plan(&[own.clone(), next.clone(), other.clone()], &options).unwrap().conflicts.is_empty()
    );
    assert!(combine(&[own.clone(), other.clone(), next.clone()], &along("t")).is_err());

    next.root.arrays.insert("t".to_owned(), own.array("t").unwrap().clone());
    next.root.arrays.insert("x".to_owned(), ints(&["x"], &[9; 6]));
    let error = combine(&[own, next], &options).unwrap_err().to_string();
    assert!(error.contains("x: several inputs with the same coordinates have it"), "{error}");
    let without = CombineOptions::default().with_merge(true);
    assert_eq!(combine(&[other.clone(), other.clone()], &without).unwrap().dataset, other);
    let numbered = ConcatDimension::new("t").with_coordinates(CoordinateSource::Index);
    let numbered = CombineOptions::default().with_concat(numbered).with_merge(true);
    let error = combine(&[other.clone(), other], &numbered).unwrap_err();
    assert_eq!(error.kind, CombineErrorKind::InvalidOption);
}

#[test]
fn named_variables_are_stacked() {
    let inputs = [scene("a", 0.0), scene("b", 60.0)];
    let kept = combine(&inputs, &along("t")).unwrap().dataset;
    assert_eq!(kept.array("height").unwrap().shape, [0; 0]);
    let stacked = combine(&inputs, &along("t").with_stack(["height"])).unwrap().dataset;
    assert_eq!(stacked.array("height").unwrap().shape, [2]);
    assert_eq!(stacked.array("x").unwrap().shape, [6]);
}

#[test]
fn coordinates_of_a_function_and_a_constant() {
    let inputs = [scene("run07", 0.0), scene("run12", 60.0)];
    let run = ConcatDimension::new("run").with_values_of(&inputs, |input| {
        let location = &input.sources()[0].location;
        location.trim_start_matches("s3://bucket/run").trim_end_matches(".nc").to_owned()
    });
    let model = ConcatDimension::new("model")
        .with_coordinates(CoordinateSource::Values(vec!["a".to_owned()]));
    let options = CombineOptions::default().with_concat(model).with_concat(run);
    let cube = combine(&inputs, &options).unwrap().dataset;
    assert_eq!(cube.array("sst").unwrap().dimensions, ["run", "y", "x"]);
    let wanted: Vec<u8> = [7_i64, 12].iter().flat_map(|run| run.to_le_bytes()).collect();
    assert_eq!(cube.array("run").unwrap().plain_values().unwrap(), wanted);
    assert_eq!(cube.array("model").unwrap().plain_values().unwrap(), b"a");
}

fn timed(name: &str, time: f64, units: &str, calendar: Option<&str>) -> Dataset {
    let mut dataset = scene(name, time);
    let mut t = floats(&[], &[time]);
    t.attributes.insert("units", units);
    if let Some(calendar) = calendar {
        t.attributes.insert("calendar", calendar);
    }
    dataset.root.arrays.insert("t".to_owned(), t);
    dataset
}

#[test]
fn times_since_1970_are_whole_numbers() {
    let since = ConcatDimension::new("t").with_coordinates(CoordinateSource::Cf("t".to_owned()));
    let options = CombineOptions::default().with_concat(since);
    let inputs = [
        timed("a", 0.5, "days since 2000-01-01", None),
        timed("b", 13.0, "hours since 2000-01-01", None),
    ];
    let combined = combine(&inputs, &options).unwrap().dataset;
    let t = combined.array("t").unwrap();
    assert_eq!(t.dtype, DataType::Int { length: 8, order: ByteOrder::Little });
    let seconds = 10_957_i64 * 86_400 + 12 * 3600;
    let wanted: Vec<u8> =
        [seconds, seconds + 3600].iter().flat_map(|time| time.to_le_bytes()).collect();
    assert_eq!(t.plain_values().unwrap(), wanted);
    let units = AttributeValue::Text("seconds since 1970-01-01T00:00:00".to_owned());
    assert_eq!(t.attributes.get("units"), Some(&units));
    let mut fine = inputs.clone();
    fine[1] = timed("b", 46_800.25, "seconds since 2000-01-01", None);
    let combined = combine(&fine, &options).unwrap().dataset;
    let units = AttributeValue::Text("milliseconds since 1970-01-01T00:00:00".to_owned());
    assert_eq!(combined.array("t").unwrap().attributes.get("units"), Some(&units));
    let odd = [timed("a", 1.0, "fortnights since 2000-01-01", None), inputs[1].clone()];
    let error = combine(&odd, &options).unwrap_err().to_string();
    assert!(error.contains("is no epoch known here"), "{error}");
}

#[test]
fn gregorian_calendars_are_one_since_1582() {
    let a = timed("a", 10.0, "days since 2000-01-01", Some("standard"));
    let b = timed("b", 11.0, "days since 2000-01-01", Some("proleptic_gregorian"));
    let c = timed("c", 12.0 * 24.0, "hours since 2000-01-01", Some("proleptic_gregorian"));
    let combined = combine(&[a.clone(), b.clone(), c], &along("t")).unwrap().dataset;
    let wanted: Vec<u8> =
        [10.0_f64, 11.0, 12.0].iter().flat_map(|time| time.to_le_bytes()).collect();
    assert_eq!(combined.array("t").unwrap().plain_values().unwrap(), wanted);
    let other = timed("d", 13.0, "days since 2000-01-01", Some("noleap"));
    let error = combine(&[a.clone(), other], &along("t")).unwrap_err().to_string();
    assert!(error.contains("calendar differs"), "{error}");
    let early = timed("e", -200_000.0, "days since 2000-01-01", Some("proleptic_gregorian"));
    assert!(combine(&[early.clone(), a.clone()], &along("t")).is_ok(), "the later one is moved");
    let error = combine(&[a, early], &along("t")).unwrap_err().to_string();
    assert!(error.contains("calendar differs"), "{error}");
}
