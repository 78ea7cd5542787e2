// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the steps of a source belong in a cube, by the coordinates of both.
//!
//! This is not how cubes are made: coordinates are compared by what they mean, one source at a time.

use std::collections::{BTreeMap, HashMap, HashSet};

use chunkref_combine::element::{Element, Places, elements};
use chunkref_core::{CombineOptions, ConcatDimension, CoordinateSource};
use chunkref_model::dataset::join_path;
use chunkref_model::{Array, AttributeValue, DataType, Dataset};
use chunkref_read::{Open, ReadError, read_arrays};
use regex::Regex;

use super::structure::is_partial;

/// Most bytes of coordinates, and of other values that are compared.
const MOST_BYTES: u64 = 64 << 20;

/// The coordinates of a cube along one dimension, as they are looked for.
struct AxisPlaces<'a> {
    dimension: &'a ConcatDimension,
    /// The group of the coordinates.
    group: String,
    dtype: DataType,
    places: Places,
}

/// The coordinates of a cube by dimension.
pub(super) struct Axes<'a> {
    /// Because groups may have dimensions of one name for themselves, there may be several of a dimension.
    dimensions: Vec<AxisPlaces<'a>>,
    /// Dimensions whose coordinates say nothing of a source, and why.
    pub(super) unknown: Vec<String>,
    /// Coordinates along dimensions of the combination that are not all there.
    pub(super) partial: Vec<String>,
}

/// Where each step of a source is along each dimension; `None` for one that the cube does not have.
#[derive(Debug, Default)]
pub(super) struct Placement {
    /// By dimension and group.
    places: BTreeMap<(String, String), Vec<Option<u64>>>,
}

impl Placement {
    /// The places of the steps along a dimension of the array at `path`, where they are known.
    pub(super) fn along(&self, dimension: &str, path: &str) -> Option<&[Option<u64>]> {
        let mut group = parent(path);
        loop {
            let known = self.places.get(&(dimension.to_owned(), group.to_owned()));
            if known.is_some() || group.is_empty() {
                return known.map(Vec::as_slice);
            }
            group = parent(group);
        }
    }

    /// Whether the source has no step along some dimension.
    pub(super) fn is_empty(&self) -> bool {
        self.places.values().any(Vec::is_empty)
    }

    /// The places that the source has, by dimension and group.
    pub(super) fn taken(&self) -> impl Iterator<Item = (&(String, String), u64)> {
        self.places.iter().flat_map(|(key, places)| {
            places.iter().copied().flatten().map(move |place| (key, place))
        })
    }

    /// The first step that the cube has no place for.
    pub(super) fn lost(&self) -> Option<(&str, usize)> {
        self.places.iter().find_map(|((dimension, _), places)| {
            Some((dimension.as_str(), places.iter().position(Option::is_none)?))
        })
    }
}

impl<'a> Axes<'a> {
    /// What no source has, in words: the first step along each dimension, of those that are not among `taken`.
    pub(super) fn vacant(&self, taken: &HashMap<(String, String), HashSet<u64>>) -> Vec<String> {
        let axes = self.dimensions.iter().filter_map(|axis| {
            let AxisPlaces { dimension, group, places, .. } = axis;
            let name = last(&dimension.name);
            let own = taken.get(&(name.to_owned(), group.clone()));
            let is_vacant = |place: &u64| own.is_none_or(|own| !own.contains(place));
            let first = (0..places.len()).find(is_vacant)?;
            let count = (0..places.len()).filter(is_vacant).count();
            Some(format!("step {first} along {name} ({count} of {})", places.len()))
        });
        axes.collect()
    }

    /// The axes of the dimensions that the cube was combined along.
    pub(super) async fn of(
        cube: &Dataset,
        options: &'a CombineOptions,
        objects: &dyn Open,
    ) -> Result<Self, ReadError> {
        let mut axes = Self { dimensions: Vec::new(), unknown: Vec::new(), partial: Vec::new() };
        for dimension in &options.concat_dimensions {
            let name = &dimension.name;
            let numbered = matches!(
                dimension.coordinates,
                CoordinateSource::Index | CoordinateSource::Values(_)
            );
            if numbered {
                axes.unknown.push(format!("{name} (its coordinates number the inputs)"));
                continue;
            }
            let paths = along(cube, name);
            if paths.is_empty() {
                axes.unknown.push(format!("{name} (it has no coordinates)"));
            }
            for path in paths {
                if cube.array(&path).is_some_and(is_partial) {
                    axes.partial.push(path.clone());
                }
                let array = known(cube, &path, objects).await?;
                let found = array.and_then(|array| Some((elements(&array, None)?, array.dtype)));
                match found {
                    Some((found, dtype)) => {
                        let (group, places) = (parent(&path).to_owned(), Places::new(&found));
                        axes.dimensions.push(AxisPlaces { dimension, group, dtype, places });
                    }
                    None => axes.unknown.push(format!("{path} (it cannot be compared)")),
                }
            }
        }
        Ok(axes)
    }

    /// Where the steps of a source are.
    pub(super) async fn place(
        &self,
        scan: &Dataset,
        url: &str,
        objects: &dyn Open,
    ) -> Result<Placement, ReadError> {
        let mut placement = Placement::default();
        for axis in &self.dimensions {
            if let Some(steps) = steps(axis, scan, url, objects).await? {
                let found = steps.iter().map(|step| axis.places.find(step)).collect();
                let key = (last(&axis.dimension.name).to_owned(), axis.group.clone());
                placement.places.insert(key, found);
            }
        }
        Ok(placement)
    }
}

/// The coordinates of one source along a dimension.
async fn steps(
    axis: &AxisPlaces<'_>,
    scan: &Dataset,
    url: &str,
    objects: &dyn Open,
) -> Result<Option<Vec<Element>>, ReadError> {
    let AxisPlaces { dimension, group, dtype, .. } = axis;
    let name = &dimension.name;
    if scan.group(group).is_none() {
        return Ok(None);
    }
    let scalar = match &dimension.coordinates {
        CoordinateSource::Attribute(attribute) => scan.root.attributes.get(attribute).cloned(),
        CoordinateSource::VariableAttribute { variable, name } => {
            find(scan, variable).and_then(|path| scan.array(&path)?.attributes.get(name).cloned())
        }
        CoordinateSource::Pattern(pattern) => Regex::new(pattern).ok().and_then(|pattern| {
            let captures = pattern.captures(url)?;
            let found = captures.get(1).or_else(|| captures.get(0))?;
            Some(AttributeValue::Text(found.as_str().to_owned()))
        }),
        CoordinateSource::Data(source) | CoordinateSource::Cf(source) => {
            let own = join_path(group, last(source));
            let own = Some(own).filter(|path| !group.is_empty() && scan.array(path).is_some());
            let found = own.or_else(|| find(scan, source));
            let Some(path) = found.or_else(|| along(scan, name).into_iter().next()) else {
                return Ok(None);
            };
            let array = known(scan, &path, objects).await?;
            return Ok(array.and_then(|array| elements(&joined(array), None)));
        }
        _ => None,
    };
    Ok(scalar.and_then(|value| Some(vec![of_attribute(&value, dtype)?])))
}

/// Characters along a last axis as texts.
fn joined(array: Array) -> Array {
    let length = match (&array.dtype, array.shape.split_last()) {
        (DataType::FixedString { length: 1 }, Some((&length, rest))) if !rest.is_empty() => length,
        _ => return array,
    };
    let Some(values) = array.plain_values() else { return array };
    let mut joined = array;
    joined.dtype = DataType::FixedString { length };
    joined.shape.pop();
    joined.dimensions.pop();
    joined.with_plain_values(values.into())
}

fn of_attribute(value: &AttributeValue, dtype: &DataType) -> Option<Element> {
    Some(match value {
        AttributeValue::Int(number) => Element::Int((*number).into()),
        AttributeValue::UInt(number) => Element::Int((*number).into()),
        AttributeValue::Float(number) => Element::of_text_in(&number.to_string(), dtype),
        AttributeValue::Text(text) => Element::of_text_in(text, dtype),
        AttributeValue::List(values) => match values.as_slice() {
            [only] => return of_attribute(only, dtype),
            _ => return None,
        },
        _ => return None,
    })
}

/// The arrays of a dimension's own coordinates.
fn along(dataset: &Dataset, dimension: &str) -> Vec<String> {
    let name = last(dimension);
    let own = |(path, array): &(String, &Array)| last(path) == name && array.dimensions == [name];
    dataset.arrays().into_iter().filter(own).map(|(path, _)| path).collect()
}

pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn find(dataset: &Dataset, name: &str) -> Option<String> {
    if dataset.array(name).is_some() {
        return Some(name.to_owned());
    }
    dataset.arrays().into_iter().map(|(path, _)| path).find(|path| last(path) == name)
}

/// The name of an array.
pub(super) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// An array with its values; `None` where they are too many, or of no fixed length.
pub(super) async fn known(
    dataset: &Dataset,
    path: &str,
    objects: &dyn Open,
) -> Result<Option<Array>, ReadError> {
    let Some(array) = dataset.array(path) else { return Ok(None) };
    if array.is_plain() {
        return Ok(Some(array.clone()));
    }
    let fixed = array.dtype.length_bytes().is_some_and(|length| length > 0);
    if !fixed || array.logical_bytes().is_none_or(|bytes| bytes > MOST_BYTES) {
        return Ok(None);
    }
    let paths = [path.to_owned()];
    let read = read_arrays(dataset, &paths, MOST_BYTES, objects).await?;
    Ok(read.into_iter().next().map(|values| array.clone().with_plain_values(values)))
}

/// The variable whose bounds an array holds, and its name.
pub(super) fn owner<'d>(dataset: &'d Dataset, path: &str) -> Option<(&'d str, &'d Array)> {
    let group = dataset.group(parent(path))?;
    let mut arrays = group.arrays.iter().map(|(name, array)| (name.as_str(), array));
    arrays.find(|(_, array)| {
        ["bounds", "climatology"].iter().any(|attribute| {
            matches!(array.attributes.get(attribute), Some(AttributeValue::Text(text)) if text == last(path))
        })
    })
}
