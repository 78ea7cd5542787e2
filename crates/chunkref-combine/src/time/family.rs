// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which times are counted alike: a variable in all inputs, and the variables that hold its bounds.

use std::collections::{BTreeMap, HashMap};

use chunkref_core::{CombineOptions, CoordinateSource};
use chunkref_model::{Array, AttributeValue};

use super::move_times::{Outcome, settle};
use super::units::are_since;
use crate::input::Input;

/// What became of times.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// Why the times of a variable could not be brought to one epoch, by path.
    pub(crate) reasons: BTreeMap<String, String>,
}

/// One array of times, and what its numbers mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) input: usize,
    pub(super) path: String,
    /// Its own units, or those of the variable whose bounds it holds.
    pub(super) units: String,
    /// The name of its calendar.
    pub(super) calendar: String,
}

/// Times that are counted alike.
#[derive(Debug, Default)]
pub(super) struct Family {
    /// The variable, and behind it those that hold its bounds.
    pub(super) members: Vec<Vec<Place>>,
    /// Whether they are to be counted since 1970.
    pub(super) since_1970: bool,
}

/// The text of an attribute.
pub(super) fn text<'a>(array: &'a Array, name: &str) -> Option<&'a str> {
    match array.attributes.get(name)? {
        AttributeValue::Text(text) => Some(text),
        _ => None,
    }
}

fn is_time(array: &Array) -> bool {
    text(array, "units").is_some_and(are_since)
}

/// Brings the times of every input to the units of the first one that has them, or to finer ones where those would lose
/// something. What cannot be brought there stays as it is, and is a conflict later.
pub(crate) fn harmonise(inputs: &mut [Input<'_>], options: &CombineOptions) -> Times {
    let mut times = Times::default();
    for family in families(inputs, options, &mut times.reasons) {
        let Outcome { changes, reasons } = settle(inputs, &family);
        for (path, reason) in reasons {
            times.reasons.entry(path).or_insert(reason);
        }
        for (input, path, array) in changes {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if let Some(input) = inputs.get_mut(input) {
                input.dataset.to_mut().group_mut(parent).arrays.insert(name.to_owned(), array);
            }
        }
    }
    times
}

fn families(
    inputs: &[Input<'_>],
    options: &CombineOptions,
    reasons: &mut BTreeMap<String, String>,
) -> Vec<Family> {
    // The family of each key, and the member of each key in it: keys are paths, or dimensions.
    let mut families: Vec<Family> = Vec::new();
    let mut known: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    // The family of each variable of an input, with its units and calendar.
    let mut variables: HashMap<(usize, String), (usize, Place)> = HashMap::new();
    // Paths that hold bounds in some input are bounds in all of them, whether or not each says so.
    let mut held: BTreeMap<String, String> = BTreeMap::new();
    for (path, parent) in inputs.iter().flat_map(bounds_of) {
        held.entry(path).or_insert(parent);
    }
    for (place, input) in inputs.iter().enumerate() {
        let roles = roles(input, options, reasons);
        for (path, array) in input.dataset.arrays() {
            if !is_time(array) || (held.contains_key(&path) && !roles.contains_key(&path)) {
                continue;
            }
            let (key, since_1970) = match roles.get(&path) {
                Some((dimension, since_1970)) => (format!("/{dimension}"), *since_1970),
                None => (path.clone(), false),
            };
            let found = Place {
                input: place,
                path: path.clone(),
                units: text(array, "units").unwrap_or_default().to_owned(),
                calendar: text(array, "calendar").unwrap_or("standard").to_owned(),
            };
            let (family, member) = *known.entry(key).or_insert_with(|| {
                families.push(Family { members: vec![Vec::new()], since_1970 });
                (families.len() - 1, 0)
            });
            variables.insert((place, path), (family, found.clone()));
            push(&mut families, family, member, found);
        }
    }
    for (place, input) in inputs.iter().enumerate() {
        for (path, parent) in &held {
            let variable = variables.get(&(place, parent.clone()));
            let (Some((parent, variable)), Some(array)) = (variable, input.dataset.array(path))
            else {
                continue;
            };
            let (family, member) = *known.entry(path.clone()).or_insert_with(|| {
                if let Some(family) = families.get_mut(*parent) {
                    family.members.push(Vec::new());
                }
                let members = families.get(*parent).map_or(0, |family| family.members.len());
                (*parent, members.saturating_sub(1))
            });
            let units = text(array, "units").filter(|units| are_since(units));
            let calendar = text(array, "calendar");
            let found = Place {
                input: place,
                path: path.clone(),
                units: units.unwrap_or(&variable.units).to_owned(),
                calendar: calendar.unwrap_or(&variable.calendar).to_owned(),
            };
            push(&mut families, family, member, found);
        }
    }
    families
}

fn push(families: &mut [Family], family: usize, member: usize, place: Place) {
    if let Some(places) = families.get_mut(family).and_then(|own| own.members.get_mut(member)) {
        places.push(place);
    }
}

/// The paths that hold the bounds of times, each with the path of the variable.
fn bounds_of(input: &Input<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (path, array) in input.dataset.arrays() {
        if !is_time(array) {
            continue;
        }
        for attribute in ["bounds", "climatology"] {
            let Some(name) = text(array, attribute) else { continue };
            let bounds = match path.rsplit_once('/') {
                Some((group, _)) => format!("{group}/{name}"),
                None => name.to_owned(),
            };
            if bounds != path && input.dataset.array(&bounds).is_some() {
                found.entry(bounds).or_insert_with(|| path.clone());
            }
        }
    }
    found
}

/// The arrays that coordinates of dimensions come from, each with the dimension and whether it is counted since 1970.
fn roles(
    input: &Input<'_>,
    options: &CombineOptions,
    reasons: &mut BTreeMap<String, String>,
) -> BTreeMap<String, (String, bool)> {
    let mut roles = BTreeMap::new();
    for dimension in &options.concat_dimensions {
        let (source, since_1970) = match &dimension.coordinates {
            CoordinateSource::Data(source) => (source, false),
            CoordinateSource::Cf(source) => (source, true),
            _ => continue,
        };
        let along = input
            .find(&dimension.name)
            .filter(|(_, array)| array.dimensions == [dimension.name.as_str()]);
        for (path, array) in along.into_iter().chain(input.find(source)) {
            if since_1970 && !is_time(array) {
                let reason = "it has no units such as days since a date".to_owned();
                reasons.insert(path.clone(), reason);
            }
            roles.entry(path).or_insert_with(|| (dimension.name.clone(), since_1970));
        }
    }
    roles
}
