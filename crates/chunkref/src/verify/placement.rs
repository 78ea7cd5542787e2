// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the steps of a source belong in a cube, by the coordinates of both.
//!
//! This is not how cubes are made: coordinates are compared by what they mean, one source at a time.

use std::collections::BTreeMap;

use chunkref_combine::element::{Element, Places, elements};
use chunkref_core::{CombineOptions, ConcatDimension, CoordinateSource};
use chunkref_model::{Array, AttributeValue, Dataset};
use chunkref_read::{Open, ReadError, read_arrays};
use regex::Regex;

/// Most bytes of coordinates, and of other values that are compared.
const MOST_BYTES: u64 = 64 << 20;

/// The coordinates of a cube by dimension, as they are looked for.
pub(super) struct Axes<'a> {
    dimensions: Vec<(&'a ConcatDimension, Places)>,
    /// Dimensions whose coordinates say nothing of a source, and why.
    pub(super) unknown: Vec<String>,
}

/// Where each step of a source is along each dimension; `None` for one that the cube does not have.
#[derive(Debug, Default)]
pub(super) struct Placement {
    places: BTreeMap<String, Vec<Option<u64>>>,
}

impl Placement {
    /// The places of the steps along a dimension, where they are known.
    pub(super) fn along(&self, dimension: &str) -> Option<&[Option<u64>]> {
        self.places.get(dimension).map(Vec::as_slice)
    }

    /// The first step that the cube has no place for.
    pub(super) fn lost(&self) -> Option<(&str, usize)> {
        self.places.iter().find_map(|(dimension, places)| {
            Some((dimension.as_str(), places.iter().position(Option::is_none)?))
        })
    }
}

impl<'a> Axes<'a> {
    /// The axes of the dimensions that the cube was combined along.
    pub(super) async fn of(
        cube: &Dataset,
        options: &'a CombineOptions,
        objects: &dyn Open,
    ) -> Result<Self, ReadError> {
        let mut axes = Self { dimensions: Vec::new(), unknown: Vec::new() };
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
            let Some(path) = along(cube, name) else {
                axes.unknown.push(format!("{name} (it has no coordinates)"));
                continue;
            };
            match known(cube, &path, objects).await?.and_then(|array| elements(&array, None)) {
                Some(found) => axes.dimensions.push((dimension, Places::new(&found))),
                None => axes.unknown.push(format!("{name} (its coordinates cannot be compared)")),
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
        for (dimension, places) in &self.dimensions {
            if let Some(steps) = steps(dimension, scan, url, objects).await? {
                let found = steps.iter().map(|step| places.find(step)).collect();
                placement.places.insert(dimension.name.clone(), found);
            }
        }
        Ok(placement)
    }
}

/// The coordinates of one source along a dimension.
async fn steps(
    dimension: &ConcatDimension,
    scan: &Dataset,
    url: &str,
    objects: &dyn Open,
) -> Result<Option<Vec<Element>>, ReadError> {
    let name = &dimension.name;
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
            let Some(path) = find(scan, source).or_else(|| along(scan, name)) else {
                return Ok(None);
            };
            let array = known(scan, &path, objects).await?;
            return Ok(array.and_then(|array| elements(&array, None)));
        }
        _ => None,
    };
    Ok(scalar.and_then(|value| Some(vec![of_attribute(&value)?])))
}

fn of_attribute(value: &AttributeValue) -> Option<Element> {
    Some(match value {
        AttributeValue::Int(number) => Element::Int((*number).into()),
        AttributeValue::UInt(number) => Element::Int((*number).into()),
        AttributeValue::Float(number) => Element::of_text(&number.to_string()),
        AttributeValue::Text(text) => Element::of_text(text),
        AttributeValue::List(values) => match values.as_slice() {
            [only] => return of_attribute(only),
            _ => return None,
        },
        _ => return None,
    })
}

/// The array of a dimension's own coordinates.
fn along(dataset: &Dataset, dimension: &str) -> Option<String> {
    let own = |(path, array): &(String, &Array)| {
        last(path) == dimension && array.dimensions == [dimension]
    };
    dataset.arrays().into_iter().find(own).map(|(path, _)| path)
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

/// The variable whose bounds an array holds.
pub(super) fn owner<'d>(dataset: &'d Dataset, path: &str) -> Option<&'d Array> {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let group = dataset.group(parent)?;
    group.arrays.values().find(|array| {
        ["bounds", "climatology"].iter().any(|attribute| {
            matches!(array.attributes.get(attribute), Some(AttributeValue::Text(text)) if text == name)
        })
    })
}
