// SPDX-License-Identifier: MIT OR Apache-2.0
//! Times, and what is counted as they are, in cubes.

use chunkref_core::{CombineOptions, ConcatDimension, ConflictKind, CoordinateSource, OnConflict};
use chunkref_model::{Array, AttributeValue, ByteOrder, DataType, Dataset, FillValue};

use crate::testing::{data, floats, ints, plain};
use crate::value::{as_float, values};
use crate::{combine, date_of, plan};

const DAYS: &str = "days since 2000-01-01";
const FEBRUARY: &str = "days since 2000-02-01";

fn along(name: &str) -> CombineOptions {
    CombineOptions::default().with_concat_dimensions([name])
}

fn cf(name: &str, source: &str) -> CombineOptions {
    let source = CoordinateSource::Cf(source.to_owned());
    CombineOptions::default().with_concat(ConcatDimension::new(name).with_coordinates(source))
}

/// A file of times; more is put into it by the test.
fn file(units: &str, times: &[f64]) -> Dataset {
    let mut dataset = Dataset::new();
    let mut time = floats(&["time"], times);
    for (name, text) in [("units", units), ("axis", "T"), ("long_name", "valid time")] {
        time.attributes.insert(name, text);
    }
    dataset.root.arrays.insert("time".to_owned(), time);
    dataset
}

fn change(dataset: &mut Dataset, path: &str, change: impl FnOnce(&mut Array)) {
    change(dataset.root.arrays.get_mut(path).unwrap());
}

/// Pairs of times along `time`.
fn pairs(times: &[f64]) -> Array {
    let flat = times.iter().flat_map(|time| [time - 0.5, time + 0.5]);
    let bytes = flat.flat_map(f64::to_le_bytes).collect();
    let dtype = DataType::Float { length: 8, order: ByteOrder::Little };
    plain(dtype, &["time", "nv"], &[times.len() as u64, 2], bytes)
}

fn numbers(dataset: &Dataset, path: &str) -> Vec<f64> {
    let array = dataset.array(path).unwrap();
    let found = values(&array.dtype, &array.plain_values().unwrap()).unwrap();
    found.iter().map(|value| as_float(value).unwrap()).collect()
}

/// The dates of an array, in the units of another one.
fn dates(dataset: &Dataset, path: &str, with_units: &str) -> Vec<String> {
    let of = &dataset.array(with_units).unwrap().attributes;
    let text = |name: &str| match of.get(name) {
        Some(AttributeValue::Text(text)) => text.clone(),
        _ => "standard".to_owned(),
    };
    let (units, calendar) = (text("units"), text("calendar"));
    numbers(dataset, path).iter().map(|&time| date_of(time, &units, &calendar).unwrap()).collect()
}

fn text(dataset: &Dataset, path: &str, name: &str) -> Option<String> {
    match dataset.array(path).unwrap().attributes.get(name)? {
        AttributeValue::Text(text) => Some(text.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bounds_move_with_their_variable() {
    for attribute in ["bounds", "climatology"] {
        for own_units in [[false, false], [true, true], [true, false], [false, true]] {
            for options in [along("time"), cf("time", "time")] {
                let inputs = [DAYS, FEBRUARY].map(|units| {
                    let mut dataset = file(units, &[0.5, 1.5]);
                    change(&mut dataset, "time", |time| time.attributes.insert(attribute, "edges"));
                    let mut edges = pairs(&[0.5, 1.5]);
                    if own_units[usize::from(units == FEBRUARY)] {
                        edges.attributes.insert("units", units);
                    }
                    dataset.root.arrays.insert("edges".to_owned(), edges);
                    dataset
                });
                let cube = combine(&inputs, &options).unwrap().dataset;
                let days = |dates: Vec<String>| -> Vec<String> {
                    dates.iter().map(|date| date[5..13].to_owned()).collect()
                };
                let with_units = if own_units[0] { "edges" } else { "time" };
                assert_eq!(
                    days(dates(&cube, "edges", with_units)),
                    ["01-01T00", "01-02T00", "01-02T00", "01-03T00"]
                        .iter()
                        .chain(&["02-01T00", "02-02T00", "02-02T00", "02-03T00"])
                        .map(|&date| date.to_owned())
                        .collect::<Vec<_>>(),
                    "{attribute} {own_units:?} {options:?}"
                );
                assert_eq!(text(&cube, "edges", "units").is_some(), own_units[0]);
                let times = days(dates(&cube, "time", "time"));
                assert_eq!(times, ["01-01T12", "01-02T12", "02-01T12", "02-02T12"]);
                for (name, value) in
                    [(attribute, "edges"), ("axis", "T"), ("long_name", "valid time")]
                {
                    assert_eq!(text(&cube, "time", name).as_deref(), Some(value));
                }
            }
        }
    }
}

#[test]
fn bounds_that_cannot_be_moved_are_a_conflict() {
    let inputs = [DAYS, FEBRUARY].map(|units| {
        let mut dataset = file(units, &[0.5, 1.5]);
        change(&mut dataset, "time", |time| time.attributes.insert("bounds", "edges"));
        let edges = data(&mut dataset, units, &["time", "nv"], &[2, 2], &[1, 2], 7);
        dataset.root.arrays.insert("edges".to_owned(), edges);
        dataset
    });
    // Those without elements need not be known.
    let mut empty = inputs.clone();
    change(&mut empty[1], "time", |time| {
        *time = Array { attributes: time.attributes.clone(), ..floats(&["time"], &[]) };
    });
    change(&mut empty[1], "edges", |edges| edges.shape[0] = 0);
    combine(&empty, &along("time")).unwrap();
    // The bounds are named, and the times are brought together without them.
    for options in [along("time"), cf("time", "time")] {
        let conflicts = plan(&inputs, &options).unwrap().conflicts;
        let places: Vec<_> = conflicts.iter().map(|conflict| conflict.place.as_str()).collect();
        assert_eq!(places, ["edges"]);
        let message = &conflicts[0].message;
        assert!(message.contains("the times of edges are not in the references"), "{message}");
        let without = options.clone().with_on_conflict(OnConflict::SkipVariable);
        let cube = combine(&inputs, &without).unwrap().dataset;
        assert_eq!(dates(&cube, "time", "time")[3], "2000-02-02T12:00:00");
        let first = options.with_on_conflict(OnConflict::SkipFile);
        assert_eq!(combine(&inputs, &first).unwrap().dataset.array("time").unwrap().shape, [2]);
    }
    // Where all are in one unit they are right as they are, with that unit.
    let same = [inputs[0].clone(), {
        let mut later = inputs[0].clone();
        change(&mut later, "time", |time| {
            *time = Array { attributes: time.attributes.clone(), ..floats(&["time"], &[2.5, 3.5]) };
        });
        later
    }];
    let cube = combine(&same, &cf("time", "time")).unwrap().dataset;
    assert_eq!(text(&cube, "edges", "units").as_deref(), Some(DAYS));
    assert_eq!(text(&cube, "time", "units").as_deref(), Some("seconds since 1970-01-01T00:00:00"));
    assert_eq!(text(&combine(&same, &along("time")).unwrap().dataset, "edges", "units"), None);
}

#[test]
fn other_times_are_brought_together_too() {
    let inputs = [(DAYS, 0.0), (FEBRUARY, 0.0)].map(|(units, time)| {
        let mut dataset = file(units, &[time]);
        let mut scan = plain(
            DataType::Int { length: 4, order: ByteOrder::Little },
            &["time", "x"],
            &[1, 2],
            [0_i32, 36].into_iter().flat_map(i32::to_le_bytes).collect(),
        );
        scan.attributes.insert("units", units.replace("days", "hours"));
        let mut run = floats(&[], &[-1.0]);
        run.attributes.insert("units", units);
        for (name, array) in [("scan", scan), ("run", run)] {
            dataset.root.arrays.insert(name.to_owned(), array);
        }
        dataset
    });
    let cube = combine(&inputs, &along("time")).unwrap().dataset;
    let scans = ["2000-01-01T00", "2000-01-02T12", "2000-02-01T00", "2000-02-02T12"];
    let hours: Vec<String> =
        dates(&cube, "scan", "scan").iter().map(|date| date[..13].to_owned()).collect();
    assert_eq!(hours, scans);
    assert_eq!(cube.array("scan").unwrap().dtype, inputs[0].array("scan").unwrap().dtype);
    assert_eq!(numbers(&cube, "run"), [-1.0, 30.0]);
}

#[test]
fn packed_times_are_unpacked_where_epochs_differ() {
    let packed = |units: &str, scale: f64| {
        let mut dataset = file(units, &[]);
        let mut time = ints(&["time"], &[0, 6, -999]);
        time.fill_value = Some(FillValue::Int(-999));
        for (name, value) in [("scale_factor", scale), ("add_offset", 1.0)] {
            time.attributes.insert(name, AttributeValue::Float(value));
        }
        time.attributes.insert("units", units);
        dataset.root.arrays.insert("other".to_owned(), time);
        dataset
            .root
            .arrays
            .insert("time".to_owned(), file(units, &[0.0, 1.0, 2.0]).root.arrays["time"].clone());
        dataset
    };
    let cube =
        combine(&[packed(DAYS, 0.25), packed(FEBRUARY, 0.25)], &along("time")).unwrap().dataset;
    assert_eq!(numbers(&cube, "other"), [1.0, 2.5, -999.0, 32.0, 33.5, -999.0]);
    assert_eq!(cube.array("other").unwrap().attributes.get("scale_factor"), None);
    assert_eq!(cube.array("other").unwrap().fill_value, Some(FillValue::Float(-999.0)));
    // As they are where nothing differs.
    let mut later = packed(DAYS, 0.25);
    change(&mut later, "time", |time| {
        *time = Array { attributes: time.attributes.clone(), ..floats(&["time"], &[3.0, 4.0, 5.0]) }
    });
    let cube = combine(&[packed(DAYS, 0.25), later], &along("time")).unwrap().dataset;
    assert_eq!(numbers(&cube, "other"), [0.0, 6.0, -999.0, 0.0, 6.0, -999.0]);
    // A scale of 32 bits that is no binary fraction reads differently in 32 and in 64 bits.
    let tenth = f64::from(0.1_f32);
    let error =
        combine(&[packed(DAYS, tenth), packed(FEBRUARY, tenth)], &along("time")).unwrap_err();
    assert!(error.to_string().contains("not the same for all readers"), "{error}");
}

#[test]
fn a_time_does_not_become_a_missing_one() {
    let missing = |units: &str| {
        let mut dataset = file(units, &[0.0]);
        let mut other = ints(&["time"], &[0]);
        other.fill_value = Some(FillValue::Int(31));
        other.attributes.insert("units", units);
        dataset.root.arrays.insert("other".to_owned(), other);
        dataset
    };
    let cube = combine(&[missing(DAYS), missing(FEBRUARY)], &along("time")).unwrap().dataset;
    // 31 days are the fill value, so hours are taken.
    assert_eq!(numbers(&cube, "other"), [0.0, 744.0]);
    assert_eq!(dates(&cube, "other", "other"), ["2000-01-01T00:00:00", "2000-02-01T00:00:00"]);
}

#[test]
fn calendars() {
    let with = |units: &str, calendar: &str, times: &[f64]| {
        let mut dataset = file(units, times);
        change(&mut dataset, "time", |time| time.attributes.insert("calendar", calendar));
        dataset
    };
    for (a, b) in [
        ("noleap", "365_day"),
        ("366_day", "ALL_LEAP"),
        ("360_day", "360_DAY"),
        ("julian", "Julian"),
    ] {
        for options in [along("time"), cf("time", "time")] {
            let inputs = [with(DAYS, a, &[0.0, 59.0]), with("hours since 2000-04-01", b, &[0.0])];
            let cube = combine(&inputs, &options).unwrap().dataset;
            assert_eq!(dates(&cube, "time", "time")[2], "2000-04-01T00:00:00", "{a} {b}");
            assert_eq!(text(&cube, "time", "calendar").as_deref(), Some(a));
        }
    }
    // The mixed calendar and the Gregorian one are the same since 1582-10-15, whatever they count from.
    let inputs = [
        with("days since 0001-01-01", "standard", &[730_487.0]),
        with("days since 0001-01-01", "proleptic_gregorian", &[730_486.0]),
    ];
    let cube = combine(&inputs, &along("time")).unwrap().dataset;
    assert_eq!(dates(&cube, "time", "time"), ["2001-01-01T00:00:00", "2001-01-02T00:00:00"]);
    let inputs = [
        with("days since 0001-01-01", "standard", &[0.0]),
        with("days since 1000-01-01", "standard", &[0.0]),
    ];
    let cube = combine(&inputs, &along("time")).unwrap().dataset;
    assert_eq!(dates(&cube, "time", "time"), ["0001-01-01T00:00:00", "1000-01-01T00:00:00"]);
    let inputs = [
        with("days since 1000-01-01", "standard", &[0.0]),
        with("days since 1001-01-01", "proleptic_gregorian", &[0.0]),
    ];
    let error = combine(&inputs, &along("time")).unwrap_err().to_string();
    assert!(error.contains("before 1582-10-15 the calendars count differently"), "{error}");
    let inputs = [with(DAYS, "noleap", &[0.0]), with(FEBRUARY, "standard", &[0.0])];
    combine(&inputs, &along("time")).unwrap_err();
}

#[test]
fn bounds_of_members_are_the_same_in_other_units() {
    let member = |member: i32, month: usize| {
        let times = [[0.5, 1.5], [31.5, 32.5]][month];
        // Each file counts from a day of its own.
        let day = f64::from(member) + 1.0;
        let units = format!("days since 1999-12-{:02}", 31 - member);
        let own = times.map(|time| time + day);
        let mut dataset = file(&units, &own);
        change(&mut dataset, "time", |time| time.attributes.insert("bounds", "edges"));
        dataset.root.arrays.insert("edges".to_owned(), pairs(&own));
        dataset.root.arrays.insert("member".to_owned(), ints(&["member"], &[member]));
        dataset
    };
    let inputs = [member(0, 0), member(1, 0), member(0, 1), member(1, 1)];
    let cube =
        combine(&inputs, &CombineOptions::default().with_concat_dimensions(["time", "member"]))
            .unwrap()
            .dataset;
    assert_eq!(cube.array("edges").unwrap().dimensions, ["time", "nv"]);
    assert_eq!(numbers(&cube, "edges"), [1.0, 2.0, 2.0, 3.0, 32.0, 33.0, 33.0, 34.0]);
}

#[test]
fn numbers_of_other_types_are_written_in_the_widest() {
    let typed = |place: usize, dtype: DataType, fill: Option<FillValue>| {
        let mut dataset = file(DAYS, &[]);
        let time = [15397.5, 15398.5][place];
        let bytes = crate::value::encode(
            &dtype,
            &crate::value::Value::Float(crate::value::Float::new(
                if dtype.length_bytes() == Some(2) { time - 0.5 } else { time },
            )),
        );
        let mut array = plain(dtype, &["time"], &[1], bytes.unwrap());
        array.attributes.insert("units", DAYS);
        array.fill_value = fill;
        dataset.root.arrays.insert("time".to_owned(), array);
        dataset
    };
    let float = |length, order| DataType::Float { length, order };
    let (little, big) = (ByteOrder::Little, ByteOrder::Big);
    for (a, b, expected) in [
        (float(8, little), float(4, little), float(8, little)),
        (float(4, little), float(8, big), float(8, little)),
        (float(8, big), float(8, little), float(8, big)),
        (DataType::Int { length: 2, order: little }, float(4, little), float(4, little)),
    ] {
        for fill in [None, Some(FillValue::Float(-9.0))] {
            let first = match (&fill, &a) {
                (Some(_), DataType::Int { .. }) => Some(FillValue::Int(-9)),
                _ => fill.clone(),
            };
            let inputs = [typed(0, a.clone(), first), typed(1, b.clone(), fill.clone())];
            let cube = combine(&inputs, &along("time")).unwrap().dataset;
            let time = cube.array("time").unwrap();
            assert_eq!((&time.dtype, &time.fill_value), (&expected, &fill));
            assert_eq!(numbers(&cube, "time")[1..], [15398.5]);
        }
    }
    // What is not exact stays a conflict.
    let mut inputs = [file("1", &[0.5]), file("1", &[])];
    let dtype = DataType::Int { length: 8, order: little };
    let mut time = plain(dtype, &["time"], &[1], i64::MAX.to_le_bytes().to_vec());
    time.attributes.insert("units", "1");
    inputs[1].root.arrays.insert("time".to_owned(), time);
    assert_eq!(plan(&inputs, &along("time")).unwrap().conflicts[0].kind, ConflictKind::DataType);
}

#[test]
fn a_cube_goes_on_in_the_epoch_that_it_has() {
    let file = |units: &str, times: &[f64]| {
        let mut dataset = file(units, times);
        let time = dataset.root.arrays.remove("time").unwrap();
        dataset.root.arrays.insert("t".to_owned(), time);
        change(&mut dataset, "t", |t| t.dimensions = vec!["t".to_owned()]);
        dataset
    };
    let first =
        combine(&[file(DAYS, &[0.0]), file(FEBRUARY, &[0.0])], &cf("t", "t")).unwrap().dataset;
    let second =
        combine(&[first, file("hours since 2000-03-01", &[0.5])], &cf("t", "t")).unwrap().dataset;
    let whole = combine(
        &[file(DAYS, &[0.0]), file(FEBRUARY, &[0.0]), file("hours since 2000-03-01", &[0.5])],
        &cf("t", "t"),
    );
    assert_eq!(second, whole.unwrap().dataset);
    assert_eq!(text(&second, "t", "units").as_deref(), Some("seconds since 1970-01-01T00:00:00"));
    let error = combine(&[file("K", &[0.0]), file("K", &[1.0])], &cf("t", "t")).unwrap_err();
    assert!(error.to_string().contains("no units such as days since a date"), "{error}");
}
