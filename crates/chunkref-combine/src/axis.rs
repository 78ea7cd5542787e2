// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where along a dimension each input lies.

use std::collections::{HashMap, HashSet};

use chunkref_core::{Conflict, ConflictKind, OnConflict, Resolution, Side};
use chunkref_model::{Array, Attributes};

use crate::coordinates::Coordinates;
use crate::placement::Run;
use crate::value::{Value, values};
use crate::words::with_units;

/// One dimension of the result along which inputs follow one another.
#[derive(Debug)]
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) length: u64,
    /// Where each input's elements are.
    pub(crate) runs: Vec<Vec<Run>>,
    /// Whether no input has the dimension, nor an array with its coordinates.
    pub(crate) is_new: bool,
    /// Path of the first input's array that coordinates come from.
    pub(crate) source: Option<String>,
    /// Path and description of the coordinate variable, with all values; dimensions may have none.
    pub(crate) variable: Option<(String, Array)>,
}

impl Axis {
    /// The axis of a dimension without coordinates: inputs follow one another in their order.
    pub(crate) fn counted(name: &str, lengths: &[u64]) -> Self {
        let mut start: u64 = 0;
        let runs = lengths.iter().map(|&length| {
            let run = Run { own: 0, start, length };
            start = start.saturating_add(length);
            if length == 0 { Vec::new() } else { vec![run] }
        });
        let runs = runs.collect();
        Self {
            name: name.to_owned(),
            length: start,
            runs,
            is_new: false,
            source: None,
            variable: None,
        }
    }

    /// The axis of a dimension with coordinates: equal values are one place.
    pub(crate) fn of_values(
        name: &str,
        coordinates: Coordinates,
        sort: bool,
        conflicts: &mut Vec<Conflict>,
    ) -> Option<Self> {
        let Coordinates { path, source, template, bytes } = coordinates;
        let keys: Option<Vec<Vec<Value>>> =
            bytes.iter().map(|bytes| values(&template.dtype, bytes)).collect();
        let keys = keys?;
        let element = usize::try_from(template.dtype.length_bytes()?).ok()?;
        conflicts.extend(without_value(name, &keys));
        let mut order: Vec<(&Value, &[u8], usize)> = Vec::new();
        let mut known: HashSet<&Value> = HashSet::new();
        for (input, (keys, bytes)) in keys.iter().zip(&bytes).enumerate() {
            for (key, bytes) in keys.iter().zip(bytes.chunks_exact(element)) {
                if known.insert(key) {
                    order.push((key, bytes, input));
                }
            }
        }
        if sort {
            let mut longer = keys.iter().filter(|keys| keys.len() > 1).peekable();
            let falls = |keys: &Vec<Value>| keys.is_sorted_by(|a, b| a > b);
            let falling = longer.peek().is_some() && longer.all(falls);
            order.sort_by(|a, b| if falling { b.0.cmp(a.0) } else { a.0.cmp(b.0) });
        } else if keys.iter().filter(|keys| !keys.is_empty()).count() > 1 {
            conflicts.extend(unordered(name, &order, &template.attributes));
        }
        let places: HashMap<&Value, u64> =
            order.iter().enumerate().map(|(place, (key, ..))| (*key, place as u64)).collect();
        let runs = keys.iter().map(|keys| {
            let places: Vec<u64> = keys.iter().filter_map(|key| places.get(key).copied()).collect();
            Run::of_places(&places)
        });
        let runs = runs.collect();
        let all: Vec<u8> = order.iter().flat_map(|(_, bytes, _)| bytes.iter().copied()).collect();
        let length = order.len() as u64;
        let last = path.rsplit('/').next().unwrap_or(name).to_owned();
        let array = Array { shape: vec![length], dimensions: vec![last], ..template };
        let variable = Some((path, array.with_plain_values(all.into())));
        Some(Self { name: name.to_owned(), length, runs, is_new: false, source, variable })
    }
}

/// Coordinates that are not-a-number: steps that have no place. What one input has once is in no other's way.
fn without_value(name: &str, keys: &[Vec<Value>]) -> Option<Conflict> {
    let is_nan = |key: &&Value| matches!(key, Value::Float(number) if number.get().is_nan());
    let counts = keys.iter().map(|keys| keys.iter().filter(is_nan).count());
    let counts: Vec<usize> = counts.collect();
    let count: usize = counts.iter().sum();
    if count < 2 {
        return None;
    }
    let inputs = counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(input, _)| input);
    let inputs: Vec<usize> = inputs.collect();
    let says = "not-a-number".to_owned();
    let resolutions = (inputs.len() < keys.len())
        .then_some(Resolution::OnConflict(OnConflict::SkipFile))
        .into_iter()
        .chain([Resolution::Concat { dimension: name.to_owned() }]);
    let message =
        format!("{count} steps have no coordinate, so that nothing says where they belong");
    let conflict = Conflict::new(ConflictKind::NoCoordinates, name, message);
    Some(conflict.with_sides([Side { says, inputs }]).with_resolutions(resolutions))
}

/// Coordinates that neither rise nor fall all along. Text has no order that matters.
fn unordered(
    name: &str,
    order: &[(&Value, &[u8], usize)],
    attributes: &Attributes,
) -> Option<Conflict> {
    if matches!(order.first(), Some((Value::Bytes(_), ..))) {
        return None;
    }
    let mut pairs = order.windows(2);
    let rising = matches!(order, [a, b, ..] if a.0 < b.0);
    let fault = pairs.find_map(|pair| match pair {
        [a, b] if (a.0 < b.0) != rising => Some([a, b]),
        _ => None,
    })?;
    let sides = fault.map(|(value, _, input)| Side {
        says: with_units(value, attributes),
        inputs: vec![*input],
    });
    let message =
        "coordinates neither rise nor fall from input to input; these two follow one another";
    let conflict = Conflict::new(ConflictKind::Unordered, name, message);
    Some(conflict.with_sides(sides).with_resolutions([Resolution::Sort]))
}
