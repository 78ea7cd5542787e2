// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cubes: the contract, what they read as, and that grouping changes nothing.

use chunkref_core::{CombineOptions, ConcatDimension, CoordinateSource, Duplicates, Missing};
use chunkref_model::{ByteOrder, DataType, Dataset, FillValue, ManifestBuilder};
use chunkref_testkit::conformance;
use proptest::prelude::*;

use crate::testing::{data, elements, floats, ints, scene, series};
use crate::{CubeCombiner, combine};

fn along(name: &str) -> CombineOptions {
    CombineOptions::default().with_concat_dimensions([name])
}

fn with(name: &str, source: CoordinateSource) -> CombineOptions {
    CombineOptions::default().with_concat(ConcatDimension::new(name).with_coordinates(source))
}

#[test]
fn the_combiner_keeps_its_contract() {
    let scenes: Vec<_> =
        [("a", 0.0), ("b", 60.0), ("c", 120.0)].map(|(name, time)| scene(name, time)).into();
    let mut misfit = scene("d", 240.0);
    let array = misfit.root.arrays.get_mut("sst").unwrap();
    array.attributes.insert("scale_factor", "0.1");
    conformance::combiner(&CubeCombiner, &scenes, &along("t"), &[misfit]).unwrap();
    let files: Vec<_> =
        [("a", 0), ("b", 4), ("c", 8)].map(|(name, start)| series(name, start, 4, 2)).into();
    let mut misfit = series("d", 12, 4, 2);
    misfit.root.arrays.get_mut("temperature").unwrap().codecs.clear();
    let taken = series("e", 0, 4, 2);
    let sorted = along("time").with_sort(true);
    conformance::combiner(&CubeCombiner, &files, &sorted, &[misfit, taken]).unwrap();
}

#[test]
fn a_new_axis_lies_in_front() {
    let inputs = [scene("a", 60.0), scene("b", 120.0)];
    let combined = combine(&inputs, &along("t")).unwrap().dataset;
    let sst = combined.array("sst").unwrap();
    assert_eq!(sst.dimensions, ["t", "y", "x"]);
    assert_eq!(sst.chunk_grid.chunk_shape(), [1, 2, 3]);
    for (place, says) in elements(&combined, "sst") {
        let input = usize::try_from(place[0]).unwrap();
        assert_eq!(says, elements(&inputs[input], "sst")[&place[1..]]);
    }
    let t = combined.array("t").unwrap();
    assert_eq!((t.dimensions.as_slice(), t.shape.as_slice()), (&["t".to_owned()][..], &[2][..]));
    assert_eq!(t.attributes, inputs[0].array("t").unwrap().attributes);
    assert_eq!(combined.array("mean").unwrap().shape, [2]);
    assert!(combined.array("height").unwrap().shape.is_empty());
    assert_eq!(combined.array("x"), inputs[0].array("x"));
    assert_eq!(combined.root.attributes, inputs[0].root.attributes);
    let all = combine(&inputs, &along("t").with_stack_all(true)).unwrap().dataset;
    assert_eq!(all.array("height").unwrap().shape, [2]);
    assert_eq!(all.array("x"), inputs[0].array("x"));
}

/// Files that have just been begun: wherever they stand, the others keep all of their chunks.
#[test]
fn inputs_without_places_take_no_place() {
    let files = [series("a", 0, 4, 2), series("b", 4, 6, 2)];
    let whole = combine(&files, &along("time")).unwrap().dataset;
    for place in 0..=2 {
        for count in 1..=2 {
            let mut inputs = files.to_vec();
            inputs.splice(place..place, (0..count).map(|_| series("empty", 0, 0, 2)));
            let combined = combine(&inputs, &along("time")).unwrap().dataset;
            for path in ["temperature", "time", "step", "station"] {
                let case = format!("{path}, {count} at {place}");
                assert_eq!(elements(&combined, path), elements(&whole, path), "{case}");
            }
        }
    }
}

/// What the files say of themselves does not count where the user says where coordinates come from.
#[test]
fn a_source_that_is_asked_for_wins() {
    let inputs: Vec<_> = (0..3)
        .map(|number| {
            let mut dataset = series(&format!("f{number}"), number * 2, 1, 1);
            dataset.root.attributes.insert("day", format!("{}", 500 + number));
            let valid = ints(&["time"], &[100 + number]);
            dataset.root.arrays.insert("valid_time".to_owned(), valid);
            dataset
        })
        .collect();
    let numbers = |cube: &Dataset| -> Vec<i64> {
        let array = cube.array("time").unwrap();
        let values = crate::value::values(&array.dtype, &array.plain_values().unwrap()).unwrap();
        values.iter().map(|value| value.to_string().parse().unwrap()).collect()
    };
    for (source, wanted) in [
        (CoordinateSource::Attribute("day".to_owned()), [500, 501, 502]),
        (CoordinateSource::Pattern("f([0-9])".to_owned()), [0, 1, 2]),
        (CoordinateSource::Data("valid_time".to_owned()), [100, 101, 102]),
    ] {
        let options = with("time", source);
        let cube = combine(&inputs, &options).unwrap().dataset;
        assert_eq!(numbers(&cube), wanted);
        // A set of several files has its coordinates already.
        let first = combine(&inputs[..2], &options).unwrap().dataset;
        let grown = combine(&[first, inputs[2].clone()], &options).unwrap().dataset;
        assert_eq!(grown, cube);
        let first = combine(&inputs[..1], &options).unwrap().dataset;
        let rest = combine(&inputs[1..], &options).unwrap().dataset;
        assert_eq!(combine(&[first, rest], &options).unwrap().dataset, cube);
    }
    let absent = with("time", CoordinateSource::Attribute("week".to_owned()));
    assert!(combine(&inputs[..1], &absent).is_err());
}

#[test]
fn one_input_gets_the_dimension_too() {
    let scene = scene("a_2019", 60.0);
    let cube = combine(std::slice::from_ref(&scene), &along("t")).unwrap().dataset;
    assert_eq!(cube.array("t").unwrap().shape, [1]);
    let year = with("year", CoordinateSource::Pattern("_([0-9]+)".to_owned()));
    let cube = combine(std::slice::from_ref(&scene), &year).unwrap().dataset;
    assert_eq!(cube.array("year").unwrap().shape, [1]);
    assert_eq!(cube.array("sst").unwrap().dimensions, ["year", "y", "x"]);
    assert_eq!(cube.array("x").unwrap().dimensions, ["x"]);
    assert_eq!(combine(std::slice::from_ref(&cube), &year).unwrap().dataset, cube);
}

#[test]
fn what_lies_along_the_dimension_is_joined_even_if_it_is_said_to_be_identical() {
    let inputs = [series("a", 0, 2, 2), series("b", 2, 2, 2)];
    let cube = combine(&inputs, &along("time")).unwrap().dataset;
    let identical = along("time").with_identical(["step", "temperature"]);
    assert_eq!(combine(&inputs, &identical).unwrap().dataset, cube);
}

#[test]
fn coordinates_from_elsewhere() {
    let inputs: Vec<_> = (0..3_u8)
        .map(|number| {
            let mut dataset = scene(&format!("f_s{number}5_x"), f64::from(number));
            dataset.root.attributes.insert("hour", format!("{number}.5"));
            let sst = dataset.root.arrays.get_mut("sst").unwrap();
            sst.attributes.insert("scan", ["a", "b", "cd"][usize::from(number)]);
            dataset
        })
        .collect();
    let numbers = |combined: &Dataset| -> Vec<i64> {
        let values = combined.array("time").unwrap().plain_values().unwrap();
        values.chunks(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap())).collect()
    };
    let made = |source| combine(&inputs, &with("time", source)).unwrap().dataset;
    assert_eq!(numbers(&made(CoordinateSource::Index)), [0, 1, 2]);
    // Lengths that a set only claims.
    for length in [1 << 40, u64::MAX] {
        let long = |input: &mut Dataset| {
            for array in input.root.arrays.values_mut() {
                if let Some(own) = array.shape.first_mut() {
                    *own = length;
                }
            }
        };
        let mut inputs = inputs.clone();
        inputs.iter_mut().for_each(long);
        for source in [CoordinateSource::Index, CoordinateSource::Values(vec!["1".to_owned(); 2])] {
            let error = combine(&inputs, &with("y", source)).unwrap_err();
            assert!(error.message.contains("places along y"), "{error}");
        }
    }
    let pattern = CoordinateSource::Pattern("_s([0-9]+)_".to_owned());
    assert_eq!(numbers(&made(pattern)), [5, 15, 25]);
    let list = ["7", "8", "9"].map(str::to_owned).to_vec();
    assert_eq!(numbers(&made(CoordinateSource::Values(list))), [7, 8, 9]);
    let hours = made(CoordinateSource::Attribute("hour".to_owned()));
    let dtype = DataType::Float { length: 8, order: ByteOrder::Little };
    assert_eq!(hours.array("time").unwrap().dtype, dtype);
    let scans = made(CoordinateSource::VariableAttribute {
        variable: "sst".to_owned(),
        name: "scan".to_owned(),
    });
    assert_eq!(scans.array("time").unwrap().plain_values().unwrap(), b"a\0b\0cd");
    let data = made(CoordinateSource::Data("t".to_owned()));
    assert_eq!(data.array("time").unwrap().shape, [3]);
    assert_eq!(data.array("sst").unwrap().dimensions, ["time", "y", "x"]);
}

#[test]
fn two_dimensions_at_once() {
    let member = |time: f64, member: i32| {
        let mut dataset = scene(&format!("t{time}m{member}"), time);
        dataset.root.arrays.insert("member".to_owned(), ints(&[], &[member]));
        let ensemble = ints(&[], &[member * 1000]);
        dataset.root.arrays.insert("seed".to_owned(), ensemble);
        dataset
    };
    let options = CombineOptions::default().with_concat_dimensions(["t", "member"]);
    let mut inputs = vec![member(0.0, 1), member(0.0, 2), member(60.0, 1), member(60.0, 2)];
    let combined = combine(&inputs, &options).unwrap().dataset;
    let sst = combined.array("sst").unwrap();
    assert_eq!(sst.dimensions, ["t", "member", "y", "x"]);
    for (place, says) in elements(&combined, "sst") {
        let input = usize::try_from(place[0] * 2 + place[1]).unwrap();
        assert_eq!(says, elements(&inputs[input], "sst")[&place[2..]]);
    }
    assert_eq!(combined.array("seed").unwrap().dimensions, ["member"]);
    assert_eq!(combined.array("mean").unwrap().dimensions, ["t"]);
    inputs.pop();
    let error = combine(&inputs, &options).unwrap_err();
    assert!(error.to_string().contains("1 of 4 combinations"), "{error}");
    for input in &mut inputs {
        for name in ["mean", "seed"] {
            input.root.arrays.get_mut(name).unwrap().fill_value = Some(FillValue::Int(-9));
        }
    }
    let filling = options.clone().with_missing(Missing::Fill);
    let filled = combine(&inputs, &filling).unwrap().dataset;
    let read = elements(&filled, "sst");
    assert!(read.iter().all(|(place, says)| (place[..2] == [1, 1]) == (says == "missing")));
    // The input that was missing comes later: nothing has its place. The others are there twice.
    let late = |time, number| {
        let mut late = member(time, number);
        for name in ["mean", "seed"] {
            late.root.arrays.get_mut(name).unwrap().fill_value = Some(FillValue::Int(-9));
        }
        late
    };
    let whole = [late(0.0, 1), late(0.0, 2), late(60.0, 1), late(60.0, 2)];
    let whole = combine(&whole, &options).unwrap().dataset;
    for parts in [[filled.clone(), late(60.0, 2)], [late(60.0, 2), filled.clone()]] {
        for duplicates in [Duplicates::Error, Duplicates::First, Duplicates::Last] {
            let options = filling.clone().with_sort(true).with_duplicates(duplicates);
            let healed = combine(&parts, &options).unwrap();
            assert_eq!(elements(&healed.dataset, "sst"), elements(&whole, "sst"));
            assert!(healed.notes.is_empty(), "{:?}", healed.notes);
        }
    }
    combine(&[filled, late(60.0, 1)], &filling).unwrap_err();
}

#[test]
fn what_a_cube_keeps_once_for_all_members_does_not_depend_on_them() {
    let part = |name: &str, times: &[i32], members: &[i32], reference: &[i32]| {
        let mut dataset = Dataset::new();
        let shape = [times.len() as u64, members.len() as u64];
        let location = format!("s3://bucket/{name}.nc");
        let sst = data(&mut dataset, &location, &["time", "member"], &shape, &[1, 1], 0);
        let mut own = ints(&["time"], times);
        own.attributes.insert("units", "hours since 2020-01-01");
        let along: &[&str] = if reference.len() == times.len() { &["time"] } else { &[] };
        for (name, mut array) in [
            ("sst", sst),
            ("time", own),
            ("member", ints(&["member"], members)),
            ("reference", ints(along, reference)),
        ] {
            array.fill_value = Some(FillValue::Int(-1));
            dataset.root.arrays.insert(name.to_owned(), array);
        }
        dataset
    };
    let options = CombineOptions::default()
        .with_concat_dimensions(["time", "member"])
        .with_missing(Missing::Fill);
    let cube = part("cube", &[0, 1], &[0, 1], &[5, 6]);
    let dimensions = |inputs: &[Dataset]| {
        let combined = combine(inputs, &options).unwrap().dataset;
        combined.array("reference").unwrap().dimensions.clone()
    };
    // One more step, of one member; one more member, which has one value for both steps; and another at one step.
    assert_eq!(dimensions(&[cube.clone(), part("a", &[2], &[0], &[7])]), ["time"]);
    let same = part("b", &[0, 1], &[2], &[6]);
    let constant = part("c", &[0, 1], &[0, 1], &[6, 6]);
    assert_eq!(dimensions(&[constant, same]), ["time"]);
    let differs = part("d", &[1], &[2, 3], &[8]);
    assert_eq!(dimensions(&[cube, differs]).len(), 2);
}

#[test]
fn what_one_of_two_files_has_not_written_is_a_duplicate() {
    let file = |name: &str, start| {
        let mut file = series(name, start, 2, 1);
        file.root.arrays.remove("step");
        file
    };
    let mut cube = combine(&[file("a", 0), file("b", 2)], &along("time")).unwrap().dataset;
    let temperature = cube.root.arrays.get_mut("temperature").unwrap();
    let mut written = ManifestBuilder::new(temperature.manifest.grid_shape().to_vec()).unwrap();
    temperature.manifest.visit(&mut |place, reference| {
        if place[0] < 3 {
            written.push(place, reference).unwrap();
        }
    });
    temperature.manifest = written.finish().unwrap();
    let inputs = [cube, file("c", 3)];
    let error = combine(&inputs, &along("time")).unwrap_err().to_string();
    assert!(error.contains("same coordinates"), "{error}");
    // Where cubes have holes, it may be one.
    combine(&inputs, &along("time").with_missing(Missing::Fill)).unwrap();
}

#[test]
fn groups_are_combined_where_they_are() {
    let nested = |name: &str, time: f64| {
        let plain = scene(name, time);
        let mut dataset = Dataset::new();
        let location = plain.sources()[0].location.clone();
        let array = data(&mut dataset, &location, &["y"], &[4], &[2], 9000);
        dataset.group_mut("obs/raw").arrays.insert("count".to_owned(), array);
        dataset.group_mut("obs").arrays.insert("t".to_owned(), floats(&[], &[time]));
        dataset.group_mut("empty").attributes.insert("kept", "yes");
        dataset
    };
    let inputs = [nested("a", 60.0), nested("b", 120.0)];
    let combined = combine(&inputs, &along("t")).unwrap().dataset;
    assert_eq!(combined.array("obs/t").unwrap().shape, [2]);
    assert_eq!(combined.array("obs/raw/count").unwrap().shape, [2, 4]);
    assert!(combined.group("empty").unwrap().attributes.get("kept").is_some());
}

/// Inputs of one kind in the order of their places: scenes, or series whose lengths fit the chunk.
fn inputs() -> impl Strategy<Value = (CombineOptions, Vec<Dataset>)> {
    let scenes = prop::collection::vec((0..3_i32, 0..2_i32), 2..7).prop_map(|numbers| {
        let scenes = numbers.iter().enumerate().map(|(place, (mean, height))| {
            let time = f64::from(u32::try_from(place).unwrap()) * 60.0;
            let mut dataset = scene(&format!("f{place}"), time);
            dataset.root.arrays.insert("mean".to_owned(), ints(&[], &[*mean]));
            dataset.root.arrays.insert("height".to_owned(), ints(&[], &[*height]));
            dataset
        });
        (along("t"), scenes.collect())
    });
    let series =
        (1..4_u64, prop::collection::vec((1..4_u64, 0..2_i32), 2..6)).prop_map(|(chunk, files)| {
            let mut start = 0;
            let files = files.iter().enumerate().map(|(place, (chunks, station))| {
                let length = chunks * chunk;
                let mut dataset = series(&format!("f{place}"), start, length, chunk);
                dataset.root.arrays.insert("station".to_owned(), ints(&[], &[*station]));
                start += i32::try_from(length).unwrap();
                dataset
            });
            (along("time"), files.collect())
        });
    prop_oneof![scenes, series]
}

proptest! {
    #[test]
    fn grouping_changes_nothing((options, inputs) in inputs(), cuts in (0..9_usize, 0..9_usize)) {
        let all = combine(&inputs, &options).unwrap().dataset;
        let count = inputs.len();
        let (a, b) = (1 + cuts.0 % (count - 1), 1 + cuts.1 % (count - 1));
        let (a, b) = (a.min(b), a.max(b));
        let groups = [&inputs[..a], &inputs[a..b], &inputs[b..]];
        let parts: Vec<_> = groups
            .iter()
            .filter(|group| !group.is_empty())
            .map(|group| combine(group, &options).unwrap().dataset)
            .collect();
        let grouped = combine(&parts, &options).unwrap().dataset;
        prop_assert_eq!(grouped, all);
    }

    /// No silent mix: whatever differs, there is an error, or every element reads as it does in its input.
    #[test]
    fn one_difference_is_an_error_or_exact(which in 0..12_u8, place in 0..3_usize) {
        let mut inputs: Vec<_> =
            (0..3_u8).map(|number| scene(&format!("f{number}"), f64::from(number))).collect();
        let changed = &mut inputs[place];
        let sst = changed.root.arrays.get_mut("sst").unwrap();
        // Whether a reader that takes the first input's description would read other values.
        let mut harmful = true;
        match which {
            0 => sst.dtype = DataType::UInt { length: 2, order: ByteOrder::Little },
            1 => sst.dtype = DataType::Int { length: 2, order: ByteOrder::Big },
            2 => sst.codecs.clear(),
            3 => sst.fill_value = Some(FillValue::Int(0)),
            4 => sst.attributes.insert("scale_factor", "2"),
            5 => sst.attributes.insert("_Unsigned", "true"),
            6 => sst.attributes.insert("missing_value", "3"),
            7 => sst.dimensions.reverse(),
            8 => drop(sst.attributes.remove("units")),
            9 => drop(changed.root.arrays.remove("sst")),
            10 => drop(changed.root.arrays.insert("x".to_owned(), ints(&["x"], &[9; 6]))),
            _ => {
                sst.attributes.insert("comment", "another");
                harmful = false;
            }
        }
        let combined = combine(&inputs, &along("t"));
        prop_assert_eq!(combined.is_err(), harmful);
        if let Ok(combined) = combined {
            for (at, says) in elements(&combined.dataset, "sst") {
                let input = usize::try_from(at[0]).unwrap();
                prop_assert_eq!(&says, &elements(&inputs[input], "sst")[&at[1..]]);
            }
        }
    }
}

/// Found by fuzzing: a dimension of which only the length is there.
#[test]
fn what_is_kept_once_is_not_repeated_without_end() {
    let long = |name: &str, number: i32| {
        let mut dataset = series(name, 0, 2, 1);
        dataset.root.arrays.retain(|name, _| name == "temperature");
        let temperature = dataset.root.arrays.get_mut("temperature").unwrap();
        temperature.shape[0] = 1 << 20;
        temperature.manifest = chunkref_model::Manifest::empty(vec![1 << 20, 2]);
        dataset.root.arrays.insert("number".to_owned(), ints(&[], &[number]));
        dataset
    };
    let options = with("time", CoordinateSource::Index);
    let error = combine(&[long("a", 1), long("b", 2)], &options).unwrap_err().to_string();
    assert!(error.contains("number: it would be repeated at 2097152 places"), "{error}");
}
