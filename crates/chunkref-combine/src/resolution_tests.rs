// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each resolution that is offered gives a right cube, or leads to another conflict than the one that it is for.

use std::collections::BTreeSet;

use chunkref_core::{
    CombineError, CombineErrorKind, CombineOptions, Conflict, ConflictKind, Duplicates, Missing,
    OnConflict, Resolution,
};
use chunkref_model::{Array, Codec, DataType, Dataset, FillValue};

use crate::combine;
use crate::testing::{LITTLE, data, elements, ints, plain, scene, series};
use crate::value::values;

fn along(name: &str) -> CombineOptions {
    CombineOptions::default().with_concat_dimensions([name])
}

fn scenes(path: &str, change: impl FnOnce(&mut Array)) -> Vec<Dataset> {
    let mut second = scene("b", 120.0);
    change(second.root.arrays.get_mut(path).unwrap());
    vec![scene("a", 60.0), second, scene("c", 180.0)]
}

fn other_grid(shape: &[u64], chunk_shape: &[u64]) -> Vec<Dataset> {
    let mut second = scene("b", 120.0);
    let mut array = data(&mut second, "s3://bucket/b.nc", &["y", "x"], shape, chunk_shape, 1000);
    array.attributes.insert("units", "K");
    second.root.arrays.insert("sst".to_owned(), array);
    vec![scene("a", 60.0), second, scene("c", 180.0)]
}

/// Scenes of two members at two times, without the last one.
fn grid() -> Vec<Dataset> {
    let mut inputs = Vec::new();
    for (number, (time, member)) in [(0.0, 1), (0.0, 2), (60.0, 1)].into_iter().enumerate() {
        let mut dataset = scene(&format!("f{number}"), time);
        dataset.root.arrays.remove("mean");
        dataset.root.arrays.insert("member".to_owned(), ints(&[], &[member]));
        inputs.push(dataset);
    }
    inputs
}

fn without(path: &str) -> Vec<Dataset> {
    let mut inputs = [("a", 60.0), ("b", 120.0), ("c", 180.0)].map(|(name, at)| scene(name, at));
    inputs[1].root.arrays.remove(path);
    inputs.into()
}

/// Inputs with a conflict of each kind.
fn cases() -> Vec<(ConflictKind, CombineOptions, Vec<Dataset>)> {
    let t = || along("t");
    let text = |array: &mut Array| {
        let attributes = array.attributes.clone();
        let dtype = DataType::FixedString { length: 1 };
        *array = Array { attributes, ..plain(dtype, &[], &[], vec![b'x']) };
    };
    let no_fill = |mut inputs: Vec<Dataset>| {
        for input in &mut inputs {
            if let Some(array) = input.root.arrays.get_mut("sst") {
                array.fill_value = None;
            }
        }
        inputs
    };
    let mixed = [("a", 60.0), ("c", 180.0), ("b", 120.0)].map(|(name, at)| scene(name, at));
    let twice = [("a", 60.0), ("b", 60.0), ("c", 180.0)].map(|(name, at)| scene(name, at));
    vec![
        (
            ConflictKind::DataType,
            t(),
            scenes("sst", |array| {
                array.dtype = DataType::Float { length: 4, order: LITTLE };
            }),
        ),
        (ConflictKind::DataType, t(), scenes("t", text)),
        (
            ConflictKind::Codecs,
            t(),
            scenes("sst", |array| {
                array.codecs.insert(0, Codec::new("shuffle").with("elementsize", 2));
            }),
        ),
        (
            ConflictKind::FillValue,
            t(),
            scenes("sst", |array| {
                array.fill_value = Some(FillValue::Int(7));
            }),
        ),
        (ConflictKind::Dimensions, t(), scenes("sst", |array| array.dimensions.reverse())),
        (ConflictKind::Shape, t(), other_grid(&[6, 6], &[2, 3])),
        (ConflictKind::ChunkShape, t(), other_grid(&[4, 6], &[2, 6])),
        (
            ConflictKind::Attribute,
            t(),
            scenes("sst", |array| {
                array.attributes.insert("scale_factor", "0.1");
            }),
        ),
        (
            ConflictKind::Attribute,
            t(),
            scenes("t", |array| {
                array.attributes.insert("units", "fortnights since 2000-01-01");
            }),
        ),
        (
            ConflictKind::Coordinates,
            t(),
            scenes("x", |array| {
                *array = ints(&["x"], &[0, 1, 2, 3, 4, 6]);
            }),
        ),
        (ConflictKind::NoCoordinates, t(), without("t")),
        (ConflictKind::Duplicate, t(), twice.to_vec()),
        (ConflictKind::Duplicate, along("time"), vec![series("a", 0, 4, 2), series("b", 2, 4, 2)]),
        (ConflictKind::Unordered, t(), mixed.to_vec()),
        (ConflictKind::MissingVariable, t(), without("sst")),
        (
            ConflictKind::MissingCombination,
            along("t").with_concat_dimensions(["t", "member"]),
            grid(),
        ),
        (ConflictKind::NoFillValue, t().with_missing(Missing::Fill), no_fill(without("sst"))),
        (
            ConflictKind::PartialChunks,
            along("time"),
            vec![series("a", 0, 3, 2), series("b", 3, 4, 2), series("c", 7, 2, 2)],
        ),
        (
            ConflictKind::PartialChunks,
            along("time").with_duplicates(Duplicates::Last),
            vec![series("a", 0, 4, 2), series("b", 3, 5, 2)],
        ),
    ]
}

/// What a user may do on a resolution: other options, or other inputs; nothing where it takes what only the user knows.
fn followed(
    resolution: &Resolution,
    conflict: &Conflict,
    options: &CombineOptions,
    inputs: &[Dataset],
) -> Vec<(CombineOptions, Vec<Dataset>)> {
    let inputs = inputs.to_vec();
    let options = options.clone();
    match resolution {
        Resolution::Sort => vec![(options.with_sort(true), inputs)],
        Resolution::Identical { variable } => {
            vec![(options.with_identical([variable]), inputs)]
        }
        Resolution::OnConflict(answer) => vec![(options.with_on_conflict(*answer), inputs)],
        Resolution::Duplicates => [Duplicates::First, Duplicates::Last]
            .map(|which| (options.clone().with_duplicates(which), inputs.clone()))
            .into(),
        Resolution::FillMissing => vec![(options.with_missing(Missing::Fill), inputs)],
        Resolution::LeaveOut => {
            let named: BTreeSet<usize> =
                conflict.sides.iter().flat_map(|side| side.inputs.iter().copied()).collect();
            let left = (0..).zip(inputs).filter(|(place, _)| !named.contains(place));
            let left: Vec<_> = left.map(|(_, input)| input).collect();
            if left.is_empty() { Vec::new() } else { vec![(options, left)] }
        }
        Resolution::Concat { .. } | Resolution::AnotherDimension => Vec::new(),
        other => panic!("no conflict is resolved by {other:?}"),
    }
}

/// Whether each element of big data is where its input has it: at the same coordinates.
fn assert_right(cube: &Dataset, inputs: &[Dataset], dimension: &str, case: &str) {
    let coordinates = |dataset: &Dataset| {
        let array = dataset.array(dimension).unwrap();
        values(&array.dtype, &array.plain_values().unwrap()).unwrap()
    };
    let whole = coordinates(cube);
    for path in ["sst", "temperature"] {
        let Some(array) = cube.array(path) else { continue };
        let axis = array.dimensions.iter().position(|name| name == dimension);
        for (place, says) in elements(cube, path) {
            if says == "missing" {
                continue;
            }
            let location = says.split(' ').next().unwrap();
            let input = inputs
                .iter()
                .find(|input| input.sources().iter().any(|source| source.location == location))
                .unwrap();
            let Some(axis) = axis else { continue };
            let at = &whole[usize::try_from(place[axis]).unwrap()];
            let own = coordinates(input).iter().position(|value| value == at);
            let own = own.unwrap_or_else(|| panic!("{case}: {location} is not at {at}"));
            let source = input.array(path).unwrap();
            let mut inside = place[place.len() - source.shape.len()..].to_vec();
            if source.dimensions.iter().any(|name| name == dimension) {
                inside[0] = own as u64;
            }
            assert_eq!(elements(input, path)[&inside], says, "{case}");
        }
    }
}

#[test]
fn each_resolution_gives_a_right_cube_or_another_conflict() {
    let mut seen = BTreeSet::new();
    for (number, (kind, options, inputs)) in cases().into_iter().enumerate() {
        let dimension = options.concat_dimensions[0].name.clone();
        let error = combine(&inputs, &options).unwrap_err();
        let conflict = error.conflicts.iter().find(|conflict| conflict.kind == kind);
        let conflict = conflict.unwrap_or_else(|| panic!("case {number}: {kind:?} in {error}"));
        assert!(!conflict.resolutions.is_empty(), "{kind:?}");
        seen.insert(kind);
        for resolution in &conflict.resolutions {
            for (options, left) in followed(resolution, conflict, &options, &inputs) {
                let case = format!("case {number}, {kind:?} of {}: {resolution}", conflict.place);
                match combine(&left, &options) {
                    Ok(cube) => assert_right(&cube.dataset, &inputs, &dimension, &case),
                    Err(CombineError { kind: CombineErrorKind::Mismatch, conflicts, .. }) => {
                        let same = |other: &Conflict| {
                            (other.kind, &other.place, &other.message)
                                == (conflict.kind, &conflict.place, &conflict.message)
                        };
                        assert!(!conflicts.iter().any(same), "{case} changes nothing");
                    }
                    Err(error) => panic!("{case}: {error}"),
                }
            }
        }
    }
    let all = [
        ConflictKind::DataType,
        ConflictKind::Codecs,
        ConflictKind::ChunkShape,
        ConflictKind::FillValue,
        ConflictKind::Dimensions,
        ConflictKind::Shape,
        ConflictKind::Attribute,
        ConflictKind::Coordinates,
        ConflictKind::NoCoordinates,
        ConflictKind::Duplicate,
        ConflictKind::Unordered,
        ConflictKind::MissingVariable,
        ConflictKind::MissingCombination,
        ConflictKind::NoFillValue,
        ConflictKind::PartialChunks,
    ];
    assert_eq!(seen, BTreeSet::from(all));
}

/// What one way of leaving out does not resolve, both together do; going from one to the other would bring the first
/// conflict back.
#[test]
fn files_and_variables_are_left_out_together() {
    // The second has other units, which a file is left out for; what has a dimension twice is no file's fault.
    let mut inputs = scenes("sst", |array| array.attributes.insert("units", "degC"));
    for input in &mut inputs {
        let values = ints(&[], &[1]);
        let twice = Array { dimensions: vec!["t".to_owned(); 2], shape: vec![1, 1], ..values };
        let twice = twice.with_plain_values(vec![1, 0, 0, 0].into());
        input.root.arrays.insert("covariance".to_owned(), twice);
    }
    let offered = |answer: OnConflict| {
        let error = combine(&inputs, &along("t").with_on_conflict(answer)).unwrap_err();
        let all = error.conflicts.into_iter().flat_map(|conflict| conflict.resolutions);
        all.filter_map(|resolution| match resolution {
            Resolution::OnConflict(answer) => Some(answer),
            _ => None,
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(offered(OnConflict::SkipFile), [OnConflict::Skip]);
    let left = combine(&inputs, &along("t").with_on_conflict(OnConflict::Skip)).unwrap();
    assert!(left.dataset.array("covariance").is_none());
    assert_eq!((left.left_out, left.notes.len()), (vec![1], 2));
}
