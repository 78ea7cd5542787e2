// SPDX-License-Identifier: MIT OR Apache-2.0
//! The coordinates of one dimension in every input.

use std::borrow::Cow;

use chunkref_core::{
    CombineError, CombineErrorKind, ConcatDimension, Conflict, ConflictKind, CoordinateSource,
    Resolution, Side,
};
use chunkref_model::{Array, AttributeValue, Attributes, ChunkGrid, DataType, Manifest};
use regex::Regex;

use crate::input::Input;
use crate::scalar::{Scalar, encode};
use crate::text::{characters_of, text_length, wider};
use crate::value::values;
use crate::variable::SKIP_FILE;
use crate::words;

/// The coordinates of one dimension.
#[derive(Debug)]
pub(crate) struct Coordinates {
    /// Path of the variable in the result.
    pub(crate) path: String,
    /// Path of the first input's array that they come from.
    pub(crate) source: Option<String>,
    /// Type and attributes of the variable.
    pub(crate) template: Array,
    /// Each input's values.
    pub(crate) bytes: Vec<Vec<u8>>,
}

/// Finds the coordinates. `lengths` are those of the inputs along the dimension, where they have it. `None` when the
/// dimension has none and needs none, or when a conflict says why there are none.
pub(crate) fn coordinates(
    dimension: &ConcatDimension,
    inputs: &[Input<'_>],
    lengths: &[Option<u64>],
    conflicts: &mut Vec<Conflict>,
) -> Result<Option<Coordinates>, CombineError> {
    let name = &dimension.name;
    match &dimension.coordinates {
        // Times are since 1970 already, where that is asked for.
        CoordinateSource::Data(source) | CoordinateSource::Cf(source) => {
            let found = of_arrays(name, source, inputs, lengths, conflicts);
            Ok(found.filter(|_| is_one_type(name, source, inputs, conflicts)))
        }
        CoordinateSource::Index => {
            total(name, lengths)?;
            let mut next: i64 = 0;
            let numbers = lengths.iter().map(|length| {
                let length = i64::try_from(length.unwrap_or(1)).unwrap_or(i64::MAX);
                let numbers = (next..next.saturating_add(length)).map(Scalar::Int).collect();
                next = next.saturating_add(length);
                numbers
            });
            of_scalars(dimension, inputs, &numbers.collect::<Vec<_>>()).map(Some)
        }
        CoordinateSource::Values(texts) => {
            if let [text] = texts.as_slice()
                && lengths.iter().all(|length| length.unwrap_or(1) == 1)
            {
                let constant = vec![vec![Scalar::of_text(text)]; inputs.len()];
                return of_scalars(dimension, inputs, &constant).map(Some);
            }
            let needed = total(name, lengths)?;
            if needed != texts.len() as u64 {
                let message = format!(
                    "the list of coordinates of {name} has {} values, and the inputs have {needed} places along it",
                    texts.len()
                );
                return Err(CombineError::new(CombineErrorKind::InvalidOption, message));
            }
            let mut texts = texts.iter().map(|text| Scalar::of_text(text));
            let numbers = lengths.iter().map(|length| {
                let length = usize::try_from(length.unwrap_or(1)).unwrap_or(usize::MAX);
                texts.by_ref().take(length).collect()
            });
            of_scalars(dimension, inputs, &numbers.collect::<Vec<_>>()).map(Some)
        }
        source => {
            let pattern = match source {
                CoordinateSource::Pattern(pattern) => {
                    Some(Regex::new(pattern).map_err(|error| {
                        let message = format!("the pattern for {name} is not one: {error}");
                        CombineError::new(CombineErrorKind::InvalidOption, message)
                    })?)
                }
                _ => None,
            };
            let found = of_elsewhere(name, source, pattern.as_ref(), inputs, lengths, conflicts);
            found.map(|scalars| of_scalars(dimension, inputs, &scalars)).transpose()
        }
    }
}

/// Places along a dimension whose coordinates are made up: a length costs nothing to claim, and each place costs memory.
const MOST_MADE_UP: u64 = 1 << 21;

/// Places of all inputs along a dimension.
fn total(name: &str, lengths: &[Option<u64>]) -> Result<u64, CombineError> {
    let sum = |sum: u64, length: &Option<u64>| sum.checked_add(length.unwrap_or(1));
    let total = lengths.iter().try_fold(0, sum).filter(|&total| total <= MOST_MADE_UP);
    total.ok_or_else(|| CombineError::new(CombineErrorKind::Unsupported, format!(
            "the inputs have more than {MOST_MADE_UP} places along {name}: take coordinates that are in the files"
        )))
}

/// The array that coordinates come from: the source that is asked for, and where an input lacks that, the one that has
/// them already.
pub(crate) fn array_of<'i>(
    name: &str,
    source: &str,
    input: &'i Input<'_>,
) -> Option<(String, &'i Array)> {
    let along = || along(name, input);
    if name == source {
        along().or_else(|| input.find(source))
    } else {
        input.find(source).or_else(along)
    }
}

/// The array that has the coordinates of the dimension already: along it, of one axis.
fn along<'i>(name: &str, input: &'i Input<'_>) -> Option<(String, &'i Array)> {
    input.find(name).filter(|(_, array)| array.dimensions == [name])
}

/// Nothing gives the coordinates of some of `all` inputs.
pub(crate) fn missing(name: &str, message: String, inputs: Vec<usize>, all: usize) -> Conflict {
    let mut resolutions = vec![Resolution::Concat { dimension: name.to_owned() }];
    if inputs.len() < all {
        resolutions.push(SKIP_FILE);
    }
    let says = if inputs.len() < all { "these inputs" } else { "all inputs" };
    Conflict::new(ConflictKind::NoCoordinates, name, message)
        .with_sides([Side { says: says.to_owned(), inputs }])
        .with_resolutions(resolutions)
}

fn of_arrays(
    name: &str,
    source: &str,
    inputs: &[Input<'_>],
    lengths: &[Option<u64>],
    conflicts: &mut Vec<Conflict>,
) -> Option<Coordinates> {
    let found: Vec<_> = inputs.iter().map(|input| array_of(name, source, input)).collect();
    if found.iter().all(Option::is_none) && lengths.iter().all(Option::is_some) && name == source {
        return None;
    }
    let lacking: Vec<_> =
        (0..).zip(&found).filter(|(_, found)| found.is_none()).map(|(place, _)| place).collect();
    if !lacking.is_empty() {
        let message = format!("there is no array {source} with its coordinates");
        conflicts.push(missing(name, message, lacking, inputs.len()));
        return None;
    }
    // Characters are text, whose last dimension counts them.
    let found = found.into_iter().flatten().map(|(path, array)| {
        let text = (array.dimensions.last().is_some_and(|last| last != name))
            .then(|| characters_of(array))
            .flatten();
        (path, text.map_or(Cow::Borrowed(array), Cow::Owned))
    });
    let found: Vec<_> = found.collect();
    let (path, first) = found.first()?;
    let texts = found.iter().map(|(_, array)| text_length(array));
    let longest = texts.collect::<Option<Vec<_>>>().and_then(|lengths| lengths.into_iter().max());
    let (mut bytes, mut unread, mut unfit) = (Vec::new(), Vec::new(), Vec::new());
    for (place, ((_, array), length)) in found.iter().zip(lengths).enumerate() {
        let plain = longest.map_or_else(|| array.plain_values(), |length| wider(array, length));
        let Some(plain) = plain else {
            unread.push(place);
            continue;
        };
        let count = array.shape.iter().fold(1, |count: u64, &length| count.saturating_mul(length));
        if count != length.unwrap_or(1) || (count != 1 && array.dimensions != [name]) {
            unfit.push((place, count, &array.dimensions, length.unwrap_or(1)));
        }
        bytes.push(plain);
    }
    if !unread.is_empty() {
        let message = format!(
            "the values of {path} are not in the references as they are: they have to be read first"
        );
        conflicts.push(missing(name, message, unread, inputs.len()));
        return None;
    }
    if let Some((_, count, dimensions, length)) = unfit.first() {
        let message = format!(
            "{path} has {count} values with the dimensions ({}), and the input has {length} along {name}",
            dimensions.join(", ")
        );
        let places = unfit.iter().map(|(place, ..)| *place).collect();
        conflicts.push(missing(name, message, places, inputs.len()));
        return None;
    }
    let source = Some(path.clone());
    let group = path.rsplit_once('/').map(|(group, _)| group);
    let path = group.map_or_else(|| name.to_owned(), |group| format!("{group}/{name}"));
    let mut template = first.clone().into_owned();
    if let Some(length) = longest {
        template = Array { dtype: DataType::FixedString { length }, fill_value: None, ..template };
    }
    Some(Coordinates { path, source, template, bytes })
}

/// Whether coordinates have one type, without which they have no order; a conflict says so otherwise.
fn is_one_type(
    name: &str,
    source: &str,
    inputs: &[Input<'_>],
    conflicts: &mut Vec<Conflict>,
) -> bool {
    let found: Vec<_> = inputs.iter().filter_map(|input| array_of(name, source, input)).collect();
    let Some((path, first)) = found.first() else { return true };
    let is_text = |array: &Array| text_length(array).is_some();
    let like = found
        .iter()
        .map(|(_, array)| array.dtype == first.dtype || (is_text(array) && is_text(first)));
    let like: Vec<_> = like.collect();
    if like.contains(&false) {
        let side = |same: bool| {
            let inputs = (0..).zip(&like).filter(|(_, like)| **like == same).map(|(at, _)| at);
            let says = if same { "the type of the first input" } else { "another type" };
            Side { says: says.to_owned(), inputs: inputs.collect() }
        };
        let message = "the coordinates have different element types";
        conflicts.push(
            Conflict::new(ConflictKind::DataType, path, message)
                .with_sides([side(true), side(false)])
                .with_resolutions([SKIP_FILE]),
        );
        return false;
    }
    true
}

fn of_elsewhere(
    name: &str,
    source: &CoordinateSource,
    pattern: Option<&Regex>,
    inputs: &[Input<'_>],
    lengths: &[Option<u64>],
    conflicts: &mut Vec<Conflict>,
) -> Option<Vec<Vec<Scalar>>> {
    let mut scalars = Vec::new();
    let mut lacking = Vec::new();
    for (place, (input, length)) in inputs.iter().zip(lengths).enumerate() {
        let known = along(name, input).and_then(|(_, array)| {
            let values = values(&array.dtype, &array.plain_values()?)?;
            let elements = values.iter().map(|value| Scalar::of_element(value, &array.dtype));
            elements.collect::<Option<Vec<_>>>()
        });
        let own = || match source {
            CoordinateSource::Attribute(attribute) => {
                Scalar::of_attribute(input.dataset.root.attributes.get(attribute)?)
            }
            CoordinateSource::VariableAttribute { variable, name } => {
                Scalar::of_attribute(input.find(variable)?.1.attributes.get(name)?)
            }
            _ => {
                let captures = pattern?.captures(input.location()?)?;
                let found = captures.get(1).or_else(|| captures.get(0))?;
                Some(Scalar::of_text(found.as_str()))
            }
        };
        // What is made of several files may have been combined before, and then nothing of it says what each file's was.
        let several = input.dataset.sources().len() > 1;
        let own = || own().map(|scalar| vec![scalar]);
        match if several { known.or_else(own) } else { own() } {
            Some(values) if values.len() as u64 == length.unwrap_or(1) => scalars.push(values),
            _ => lacking.push(place),
        }
    }
    if !lacking.is_empty() {
        let what = match source {
            CoordinateSource::Attribute(attribute) => format!("the attribute {attribute}"),
            CoordinateSource::VariableAttribute { variable, name } => {
                format!("the attribute {name} of {variable}")
            }
            CoordinateSource::Pattern(pattern) => format!("the pattern {pattern}"),
            _ => "this source".to_owned(),
        };
        let message = format!("{what} does not give one coordinate for each place along it");
        conflicts.push(missing(name, message, lacking, inputs.len()));
        return None;
    }
    Some(scalars)
}

fn of_scalars(
    dimension: &ConcatDimension,
    inputs: &[Input<'_>],
    scalars: &[Vec<Scalar>],
) -> Result<Coordinates, CombineError> {
    let name = &dimension.name;
    let encoded = encode(scalars, dimension.dtype.as_ref());
    let (dtype, bytes) = encoded.map_err(|value| {
        let is_it = |own: &&Vec<Scalar>| own.iter().any(|scalar| scalar.text() == value);
        let input = scalars.iter().position(|own| is_it(&own)).and_then(|at| inputs.get(at));
        let of = input.map(|input| format!(" of {}", input.label)).unwrap_or_default();
        let wanted = dimension.dtype.as_ref().map(words::dtype).unwrap_or_default();
        let message = format!(
            "the coordinate {value:?}{of} along {name} is no {wanted}, the type that is asked for: ask for another type, or take the coordinates from elsewhere"
        );
        CombineError::new(CombineErrorKind::InvalidOption, message)
    })?;
    let known = inputs.first().and_then(|input| along(name, input));
    let path = known.as_ref().map_or_else(|| name.clone(), |(path, _)| path.clone());
    let mut attributes = known.map(|(_, array)| array.attributes.clone()).unwrap_or_default();
    // What was said of packed values or times does not hold for others.
    for name in ["scale_factor", "add_offset", "units", "calendar", "bounds", "_FillValue"] {
        attributes.remove(name);
    }
    Ok(Coordinates { path, source: None, template: template(dtype, attributes), bytes })
}

fn template(dtype: DataType, attributes: Attributes) -> Array {
    Array {
        shape: vec![0],
        dimensions: vec![String::new()],
        dtype,
        fill_value: None,
        chunk_grid: ChunkGrid::regular([1]),
        codecs: Vec::new(),
        attributes,
        manifest: Manifest::empty([0]),
    }
}

/// The text of an attribute.
pub(crate) fn has_text(array: &Array, name: &str) -> bool {
    matches!(array.attributes.get(name), Some(AttributeValue::Text(_)))
}
