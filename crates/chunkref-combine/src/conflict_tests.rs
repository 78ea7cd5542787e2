// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every kind of conflict: the message, and what resolves it.

use chunkref_core::{
    CombineErrorKind, CombineOptions, ConcatDimension, ConflictKind, CoordinateSource, Duplicates,
    Missing, OnConflict, Resolution,
};
use chunkref_model::{Array, AttributeValue, Codec, DataType, Dataset, FillValue};

use crate::testing::{LITTLE, data, elements, floats, ints, scene, series};
use crate::{combine, plan};

fn along(name: &str) -> CombineOptions {
    CombineOptions::default().with_concat_dimensions([name])
}

fn kinds(inputs: &[Dataset], options: &CombineOptions) -> Vec<ConflictKind> {
    plan(inputs, options).unwrap().conflicts.iter().map(|conflict| conflict.kind).collect()
}

/// One conflict of this kind, with these words in the message.
#[track_caller]
fn expect(inputs: &[Dataset], options: &CombineOptions, kind: ConflictKind, words: &[&str]) {
    assert_eq!(kinds(inputs, options), [kind]);
    let error = combine(inputs, options).unwrap_err();
    assert_eq!(error.kind, CombineErrorKind::Mismatch);
    let said = error.to_string();
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

/// Two scenes of which the second one's array is changed.
fn scenes(path: &str, change: impl FnOnce(&mut Array)) -> Vec<Dataset> {
    let mut second = scene("b", 120.0);
    change(second.root.arrays.get_mut(path).unwrap());
    vec![scene("a", 60.0), second]
}

const FILES: [&str; 2] = ["s3://bucket/a.nc", "s3://bucket/b.nc"];

#[test]
fn what_arrays_are_is_compared() {
    let t = along("t");
    let case = |kind, words: &[&str], change: &dyn Fn(&mut Array)| {
        let all: Vec<_> = FILES
            .iter()
            .chain(&["sst", "leave out the inputs that differ from the first"])
            .chain(words)
            .copied()
            .collect();
        expect(&scenes("sst", change), &t, kind, &all);
    };
    case(ConflictKind::DataType, &["element types differ", "int16", "float32"], &|array| {
        array.dtype = DataType::Float { length: 4, order: LITTLE };
    });
    case(ConflictKind::Codecs, &["codecs differ", "zlib(level=4)", "shuffle"], &|array| {
        array.codecs.insert(0, Codec::new("shuffle").with("elementsize", 2));
    });
    case(ConflictKind::FillValue, &["fill values differ", "-1", "none"], &|array| {
        array.fill_value = None;
    });
    case(ConflictKind::FillValue, &["fill values differ", "0"], &|array| {
        array.fill_value = Some(FillValue::Int(0));
    });
    case(ConflictKind::Dimensions, &["y, x", "x, y"], &|array| array.dimensions.reverse());
    for (name, value) in
        [("scale_factor", "0.1"), ("add_offset", "1"), ("units", "degC"), ("calendar", "noleap")]
    {
        case(ConflictKind::Attribute, &[&format!("{name} differs"), value], &|array| {
            array.attributes.insert(name, value);
        });
    }
    let other_grid = |shape: &[u64], chunk_shape: &[u64]| {
        let mut second = scene("b", 120.0);
        let mut array = data(&mut second, FILES[1], &["y", "x"], shape, chunk_shape, 1000);
        array.attributes.insert("units", "K");
        second.root.arrays.insert("sst".to_owned(), array);
        vec![scene("a", 60.0), second]
    };
    expect(&other_grid(&[6, 6], &[2, 3]), &t, ConflictKind::Shape, &["y: 4", "y: 6"]);
    expect(&other_grid(&[4, 6], &[2, 6]), &t, ConflictKind::ChunkShape, &["[2, 3]", "[2, 6]"]);
}

#[test]
fn each_conflict_is_told_once_with_all_files() {
    let mut inputs: Vec<_> =
        (0..30_u8).map(|number| scene(&format!("f{number:02}"), f64::from(number))).collect();
    for place in [3, 17] {
        let array = inputs[place].root.arrays.get_mut("sst").unwrap();
        array.attributes.insert("units", "degC");
    }
    let error = combine(&inputs, &along("t")).unwrap_err();
    let said = error.to_string();
    assert_eq!(said.matches("units differs").count(), 1);
    for words in ["1 conflict\n", "\"degC\": s3://bucket/f03.nc, s3://bucket/f17.nc", "and 25 more"]
    {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
    // The conflict is data, and a front-end names its own options.
    let [conflict] = error.conflicts.as_slice() else { panic!("{:?}", error.conflicts) };
    assert_eq!((conflict.kind, conflict.place.as_str()), (ConflictKind::Attribute, "sst"));
    assert_eq!(conflict.sides[1].inputs, [3, 17]);
    let answers = [OnConflict::SkipFile, OnConflict::SkipVariable];
    assert_eq!(conflict.resolutions, answers.map(Resolution::OnConflict));
    let words = error.in_words(&|resolution| {
        (*resolution == Resolution::OnConflict(OnConflict::SkipFile)).then(|| "SKIP".to_owned())
    });
    assert!(words.contains("that differ from the first (SKIP); or leave"), "{words}");
    let skipped = combine(&inputs, &along("t").with_on_conflict(OnConflict::SkipFile)).unwrap();
    assert_eq!(skipped.dataset.array("sst").unwrap().shape, [28, 4, 6]);
    assert_eq!(skipped.notes.len(), 2);
    assert!(skipped.notes[0].contains("f03.nc is left out: sst: units differs"));
    let without = combine(&inputs, &along("t").with_on_conflict(OnConflict::SkipVariable)).unwrap();
    assert!(without.dataset.array("sst").is_none());
    assert!(without.notes[0].contains("sst is left out"));
}

#[test]
fn the_first_is_taken_for_what_changes_no_value() {
    let first = along("t").with_on_conflict(OnConflict::First);
    let named = |name: &str| {
        let mut inputs = scenes("sst", |array| array.attributes.insert("standard_name", name));
        let array = inputs[0].root.arrays.get_mut("sst").unwrap();
        array.attributes.insert("standard_name", "sea_surface_temperature");
        inputs
    };
    let inputs = named("sea_surface_skin_temperature");
    let words = ["standard_name differs", "take the first input's for all"];
    expect(&inputs, &along("t"), ConflictKind::Attribute, &words);
    let combined = combine(&inputs, &first).unwrap();
    assert!(combined.notes[0].contains("\"sea_surface_temperature\""), "{:?}", combined.notes);
    // One that is not there contradicts nothing.
    combine(&scenes("sst", |array| array.attributes.insert("standard_name", "x")), &along("t"))
        .unwrap();
    let mut projected = scenes("sst", |array| array.attributes.insert("grid_mapping", "b"));
    projected[0].root.arrays.get_mut("sst").unwrap().attributes.insert("grid_mapping", "a");
    expect(&projected, &first, ConflictKind::Attribute, &["grid_mapping differs"]);
    for name in [
        "units",
        "calendar",
        "scale_factor",
        "add_offset",
        "_FillValue",
        "missing_value",
        "_Unsigned",
        "flag_values",
        "flag_masks",
        "flag_meanings",
        "positive",
    ] {
        let inputs = scenes("sst", |array| array.attributes.insert(name, "7"));
        let [conflict] = &plan(&inputs, &first).unwrap().conflicts[..] else { panic!("{name}") };
        let offered = Resolution::OnConflict(OnConflict::First);
        assert!(!conflict.resolutions.contains(&offered), "{name}");
        combine(&inputs, &first).unwrap_err();
    }
    combine(&scenes("sst", |array| array.fill_value = Some(FillValue::Int(0))), &first)
        .unwrap_err();
}

#[test]
fn settings_of_encoders_do_not_matter() {
    let effort = |codec: Codec| {
        let mut inputs = scenes("sst", |array| array.codecs = vec![codec]);
        let first = inputs[0].root.arrays.get_mut("sst").unwrap();
        first.codecs = vec![Codec::new("increment").with("effort", 4)];
        inputs
    };
    let cube = combine(&effort(Codec::new("increment").with("effort", 9)), &along("t")).unwrap();
    assert_eq!(cube.dataset.array("sst").unwrap().codecs[0].configuration()["effort"], 4);
    let inputs = effort(Codec::new("increment").with("step", 2));
    expect(&inputs, &along("t"), ConflictKind::Codecs, &["increment(step=2)"]);
}

#[test]
fn the_same_number_of_another_type_is_the_same() {
    use chunkref_model::AttributeValue::{Float, Int, List, UInt};
    let with = |name: &str, a: AttributeValue, b: AttributeValue| {
        let mut inputs = scenes("sst", |array| array.attributes.insert(name, b));
        inputs[0].root.arrays.get_mut("sst").unwrap().attributes.insert(name, a);
        inputs
    };
    for (name, a, b) in [
        ("missing_value", Int(-99), Float(-99.0)),
        ("missing_value", List(vec![Int(-99)]), Int(-99)),
        ("scale_factor", UInt(1), Float(1.0)),
        ("flag_values", List(vec![Int(0), Int(1)]), List(vec![Float(0.0), UInt(1)])),
    ] {
        combine(&with(name, a, b), &along("t")).unwrap();
    }
    let tenth = with("scale_factor", Float(0.1_f32.into()), Float(0.1));
    let words = ["scale_factor differs", "0.1 in 32 bits", "0.1: s3://bucket/b.nc"];
    expect(&tenth, &along("t"), ConflictKind::Attribute, &words);
    for calendar in ["gregorian", "STANDARD"] {
        let inputs = scenes("t", |array| array.attributes.insert("calendar", calendar));
        combine(&inputs, &along("t")).unwrap();
    }
}

#[test]
fn first_does_not_wave_structure_through() {
    let inputs = scenes("sst", |array| array.codecs.clear());
    let options = along("t").with_on_conflict(OnConflict::First);
    expect(&inputs, &options, ConflictKind::Codecs, &FILES);
}

#[test]
fn coordinates_of_other_dimensions() {
    let inputs = scenes("x", |array| *array = ints(&["x"], &[0, 1, 2, 3, 4, 6]));
    let words =
        ["keep x of the first input", FILES[0], "up to 1 apart: 6 instead of 5 at 5", FILES[1]];
    expect(&inputs, &along("t"), ConflictKind::Coordinates, &words);
    let kept = combine(&inputs, &along("t").with_identical(["x"])).unwrap().dataset;
    assert_eq!(kept.array("x"), inputs[0].array("x"));
}

#[test]
fn a_grid_mapping_is_what_its_attributes_say() {
    let inputs = scenes("height", |array| array.attributes.insert("perspective_point_height", "2"));
    combine(&inputs, &along("t")).unwrap();
    let mapping = |array: &mut Array, height: &str| {
        array.attributes.insert("grid_mapping_name", "geostationary");
        array.attributes.insert("perspective_point_height", height);
    };
    let mut inputs = scenes("height", |array| mapping(array, "2"));
    mapping(inputs[0].root.arrays.get_mut("height").unwrap(), "1");
    expect(&inputs, &along("t"), ConflictKind::Attribute, &["perspective_point_height differs"]);
}

#[test]
fn places_that_are_taken_or_out_of_order() {
    let same = [scene("a", 60.0), scene("b", 60.0)];
    let words = ["same coordinates", "at t 60", "take one of them", FILES[0], FILES[1]];
    expect(&same, &along("t"), ConflictKind::Duplicate, &words);
    for (duplicates, kept) in [(Duplicates::First, 0), (Duplicates::Last, 1)] {
        let options = along("t").with_duplicates(duplicates);
        let combined = combine(&same, &options).unwrap();
        let alone = combine(&same[kept..=kept], &along("t")).unwrap();
        assert_eq!(combined.dataset, alone.dataset);
        assert_eq!(combined.notes.len(), 1);
    }
    // What goes with an input is told.
    let mut more = same.clone();
    let extra = more[1].array("sst").unwrap().clone();
    more[1].root.arrays.insert("extra".to_owned(), extra);
    let combined = combine(&more, &along("t").with_duplicates(Duplicates::First)).unwrap();
    assert!(combined.dataset.array("extra").is_none());
    assert!(combined.notes[0].contains("extra, which no input has that is kept"));
    let mixed = [scene("a", 60.0), scene("c", 180.0), scene("b", 120.0)];
    expect(&mixed, &along("t"), ConflictKind::Unordered, &["sort the inputs", "180", "120"]);
    let sorted = combine(&mixed, &along("t").with_sort(true)).unwrap().dataset;
    let ordered = [scene("a", 60.0), scene("b", 120.0), scene("c", 180.0)];
    let ordered = combine(&ordered, &along("t")).unwrap().dataset;
    for path in ["t", "sst", "mean"] {
        assert_eq!(elements(&sorted, path), elements(&ordered, path), "{path}");
    }
}

#[test]
fn places_that_several_inputs_have_are_of_one_of_them() {
    // Half of each is in the other.
    let overlapping = [series("a", 0, 4, 2), series("b", 2, 4, 2)];
    expect(&overlapping, &along("time"), ConflictKind::Duplicate, &["at time 2"]);
    for (duplicates, of_first) in [(Duplicates::First, 4), (Duplicates::Last, 2)] {
        let options = along("time").with_duplicates(duplicates);
        let combined = combine(&overlapping, &options).unwrap();
        assert_eq!(combined.notes.len(), 1, "{:?}", combined.notes);
        let cube = combined.dataset;
        assert_eq!(cube.array("temperature").unwrap().shape, [6, 6]);
        for path in ["temperature", "step"] {
            let sources = overlapping.each_ref().map(|input| elements(input, path));
            for (mut place, says) in elements(&cube, path) {
                let input = usize::from(place[0] >= of_first);
                place[0] -= [0, 2][input];
                assert_eq!(says, sources[input][&place], "{path} {place:?}");
            }
        }
    }
    // One step of a chunk of two: it would have to be split.
    let within = [series("a", 0, 4, 2), series("b", 3, 5, 2)];
    let options = along("time").with_duplicates(Duplicates::Last);
    let words = ["temperature", "in chunks of 2"];
    expect(&within, &options, ConflictKind::PartialChunks, &words);
}

/// `temperature` of a file whose times come in this order, in chunks of one.
fn knotted(name: &str, times: &[i32]) -> Dataset {
    let mut dataset = series(name, 0, times.len() as u64, 1);
    let time = dataset.root.arrays.get_mut("time").unwrap();
    let attributes = time.attributes.clone();
    *time = Array { attributes, ..ints(&["time"], times) };
    dataset
}

#[test]
fn inputs_are_taken_apart_where_chunks_allow_it() {
    let inputs = [knotted("a", &[0, 4, 2]), knotted("b", &[3, 1])];
    let options = along("time");
    expect(&inputs, &options, ConflictKind::Unordered, &["a.nc"]);
    let sorted = combine(&inputs, &options.with_sort(true)).unwrap().dataset;
    let sources = inputs.each_ref().map(|input| elements(input, "temperature"));
    let wanted = [(0, 0), (1, 1), (0, 2), (1, 0), (0, 1)];
    for (mut place, says) in elements(&sorted, "temperature") {
        let (input, own) = wanted[usize::try_from(place[0]).unwrap()];
        place[0] = own;
        assert_eq!(says, sources[input][&place]);
    }
    // Twice in one file.
    let twice = [knotted("a", &[0, 1, 1]), knotted("b", &[2])];
    expect(&twice, &along("time"), ConflictKind::Duplicate, &["at time 1", "a.nc"]);
    let options = along("time").with_duplicates(Duplicates::Last);
    let cube = combine(&twice, &options).unwrap().dataset;
    assert_eq!(cube.array("temperature").unwrap().shape, [3, 6]);
    let sources = elements(&twice[0], "temperature");
    assert_eq!(elements(&cube, "temperature")[&vec![1, 3]], sources[&vec![2, 3]]);
    // Chunks of two that would have to be split.
    let inputs = [series("a", 0, 4, 2), knotted("b", &[1])];
    let inputs = [inputs[0].clone(), {
        let mut other = inputs[1].clone();
        other.root.arrays.insert(
            "temperature".to_owned(),
            series("b", 0, 1, 2).root.arrays["temperature"].clone(),
        );
        other
    }];
    let options = along("time").with_sort(true).with_duplicates(Duplicates::Last);
    expect(&inputs, &options, ConflictKind::PartialChunks, &["temperature"]);
}

#[test]
fn gaps() {
    let mut second = scene("b", 120.0);
    second.root.arrays.remove("sst");
    let inputs = [scene("a", 60.0), second];
    let words = ["have it: s3://bucket/a.nc", "do not: ", "read as their fill value"];
    expect(&inputs, &along("t"), ConflictKind::MissingVariable, &words);
    let filling = along("t").with_missing(Missing::Fill);
    let filled = combine(&inputs, &filling).unwrap().dataset;
    // One input has it, so it is equal in all that have it.
    assert_eq!(filled.array("sst").unwrap().shape, [4, 6]);
    let inputs = [inputs[0].clone(), inputs[1].clone(), scene("c", 180.0)];
    let filled = combine(&inputs, &filling).unwrap().dataset;
    let read = elements(&filled, "sst");
    assert_eq!(filled.array("sst").unwrap().shape, [3, 4, 6]);
    assert!(read.iter().all(|(place, says)| (place[0] == 1) == (says == "missing")));
    let mut unfilled = inputs;
    for input in [0, 2] {
        unfilled[input].root.arrays.get_mut("sst").unwrap().fill_value = None;
    }
    expect(&unfilled, &filling, ConflictKind::NoFillValue, &["sst", "leave the variable out"]);
}

#[test]
fn steps_without_a_coordinate_have_no_place() {
    let with = |name, times: [f64; 2]| {
        let mut input = series(name, 0, 2, 2);
        input.root.arrays.insert("time".to_owned(), floats(&["time"], &times));
        input
    };
    let inputs = [with("a", [f64::NAN; 2]), with("b", [2.0, 3.0])];
    let words = ["2 steps have no coordinate", FILES[0]];
    expect(&inputs, &along("time"), ConflictKind::NoCoordinates, &words);
}

#[test]
fn zero_has_two_signs() {
    let mut inputs = [scene("a", 60.0), scene("b", 120.0)];
    for (input, zero) in inputs.iter_mut().zip([0.0, -0.0]) {
        input.root.arrays.insert("x".to_owned(), floats(&["x"], &[zero, 1.0, 2.0, 3.0, 4.0, 5.0]));
    }
    let combined = combine(&inputs, &along("t")).unwrap().dataset;
    assert_eq!(combined.array("x").unwrap().dimensions, ["x"]);
}

#[test]
fn what_lies_twice_along_a_dimension_is_in_no_input() {
    let covariance = |name: &str, start: i32| {
        let mut input = series(name, start, 2, 2);
        let location = input.sources()[0].location.clone();
        let array = data(&mut input, &location, &["time", "time"], &[2, 2], &[2, 2], 9000);
        input.root.arrays.insert("covariance".to_owned(), array);
        input
    };
    let inputs = [covariance("a", 0), covariance("b", 2)];
    expect(&inputs, &along("time"), ConflictKind::Dimensions, &["covariance", "time twice"]);
    combine(&inputs[..1], &along("time")).unwrap();
}

#[test]
fn inputs_that_differ_from_the_first_are_left_out_whoever_lacks_something() {
    let mut inputs = [scene("a", 60.0), scene("b", 120.0), scene("c", 180.0)];
    inputs[1].root.arrays.insert("extra".to_owned(), ints(&[], &[1]));
    let options = along("t").with_on_conflict(OnConflict::SkipFile);
    let combined = combine(&inputs, &options).unwrap();
    assert_eq!(combined.dataset.array("t").unwrap().shape, [2]);
    assert!(combined.notes[0].contains("b.nc is left out"), "{:?}", combined.notes);
}

#[test]
fn chunks_that_do_not_meet() {
    let inputs = [series("a", 0, 3, 2), series("b", 3, 3, 2)];
    let words = ["edges of chunks", "3 along time in chunks of 2", "a.nc"];
    expect(&inputs, &along("time"), ConflictKind::PartialChunks, &words);
    // Only the last chunk may be partial.
    combine(&[series("a", 0, 4, 2), series("b", 4, 3, 2)], &along("time")).unwrap();
}

#[test]
fn coordinates_that_are_not_there() {
    let inputs = [scene("a", 60.0), scene("b", 120.0)];
    let words = ["no array time", "the source of the coordinates of time", FILES[0]];
    expect(&inputs, &along("time"), ConflictKind::NoCoordinates, &words);
    let mut unread = inputs.clone();
    let array = data(&mut unread[1], FILES[1], &[], &[], &[], 7);
    let t = unread[1].array("t").unwrap().clone();
    let array = Array { manifest: array.manifest, chunk_grid: array.chunk_grid, ..t };
    unread[1].root.arrays.insert("t".to_owned(), array);
    assert!(kinds(&unread, &along("t")).contains(&ConflictKind::NoCoordinates));
    let mut typed = inputs.clone();
    let t = typed[1].root.arrays.get_mut("t").unwrap();
    t.dtype = DataType::FixedString { length: 8 };
    assert!(kinds(&typed, &along("t")).contains(&ConflictKind::DataType));
    let with = |source| {
        let dimension = ConcatDimension::new("time").with_coordinates(source);
        CombineOptions::default().with_concat(dimension)
    };
    for source in [
        CoordinateSource::Attribute("hour".to_owned()),
        CoordinateSource::VariableAttribute { variable: "sst".to_owned(), name: "hour".to_owned() },
        CoordinateSource::Pattern("x([0-9]+)".to_owned()),
    ] {
        let expected = [ConflictKind::NoCoordinates];
        assert_eq!(kinds(&inputs, &with(source.clone())), expected, "{source:?}");
    }
    for source in [
        CoordinateSource::Pattern("(".to_owned()),
        CoordinateSource::Values(vec!["1".to_owned(), "2".to_owned(), "3".to_owned()]),
    ] {
        let kind = combine(&inputs, &with(source.clone())).unwrap_err().kind;
        assert_eq!(kind, CombineErrorKind::InvalidOption, "{source:?}");
    }
}

#[test]
fn options_that_make_no_sense() {
    let inputs = [scene("a", 60.0), scene("b", 120.0)];
    for options in [
        CombineOptions::default(),
        along("t").with_concat(ConcatDimension::new("t")),
        along("t").with_identical(["t"]),
        along("t").with_identical(["sstt"]),
        along("t").with_stack(["sst", "nothing"]),
    ] {
        let kind = combine(&inputs, &options).unwrap_err().kind;
        assert_eq!(kind, CombineErrorKind::InvalidOption, "{options:?}");
    }
}

#[test]
fn epochs_are_brought_together_or_refused() {
    let with_units = |name: &str, time: f64, units: &str| {
        let mut dataset = scene(name, time);
        let t = dataset.root.arrays.get_mut("t").unwrap();
        t.attributes.insert("units", units);
        t.attributes.insert("bounds", "t_bounds");
        let bounds = floats(&["nv"], &[time - 1.0, time + 1.0]);
        dataset.root.arrays.insert("t_bounds".to_owned(), bounds);
        dataset
    };
    let a = with_units("a", 60.0, "minutes since 2000-01-01 12:00:00");
    let b = with_units("b", 2.0, "hours since 2000-01-01 12:00:00");
    let c = with_units("c", 0.0, "hours since 2000-01-02T00:00:00Z");
    let combined = combine(&[a.clone(), b, c], &along("t")).unwrap().dataset;
    let numbers = |path: &str| -> Vec<f64> {
        let values = combined.array(path).unwrap().plain_values().unwrap();
        values.chunks(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
    };
    assert_eq!(numbers("t"), [60.0, 120.0, 720.0]);
    assert_eq!(numbers("t_bounds"), [59.0, 61.0, 60.0, 180.0, 660.0, 780.0]);
    // Half a second is no whole number of minutes that floats have room for, and no loss in finer units.
    let half = with_units("b", 7.0, "seconds since 2000-03-01 12:00:00.5");
    let finer = combine(&[a.clone(), half], &along("t")).unwrap().dataset;
    let date = |place: usize| {
        let t = finer.array("t").unwrap();
        let Some(AttributeValue::Text(units)) = t.attributes.get("units") else { panic!() };
        let values = crate::value::values(&t.dtype, &t.plain_values().unwrap()).unwrap();
        crate::date_of(crate::value::as_float(&values[place]).unwrap(), units, "standard").unwrap()
    };
    assert_eq!([date(0), date(1)], ["2000-01-01T13:00:00", "2000-03-01T12:00:08"]);
    for units in ["months since 2000-01-01", "seconds since 0001-01-01 00:00:00.000000123"] {
        let words = ["units differs (", units];
        let inputs = [a.clone(), with_units("b", 7.0, units)];
        let conflicts = plan(&inputs, &along("t")).unwrap().conflicts;
        assert_eq!(conflicts[0].kind, ConflictKind::Attribute);
        let said = combine(&inputs, &along("t")).unwrap_err().to_string();
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
    let mut other = with_units("b", 7.0, "minutes since 2000-01-01 00:00:00");
    other.root.arrays.get_mut("t").unwrap().attributes.insert("calendar", "noleap");
    let expected = [ConflictKind::Attribute, ConflictKind::Attribute];
    assert_eq!(kinds(&[a, other], &along("t")), expected);
}
