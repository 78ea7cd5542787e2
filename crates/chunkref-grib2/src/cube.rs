// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hypercubes: fields of one variable by time, step, member, percentile and level.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::field::{Field, hours};

/// A number with an order and an identity: NaN equals NaN.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ordered(pub(crate) f64);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// A level, or the two that bound a layer.
pub(crate) type Level = (Ordered, Option<Ordered>);

/// The coordinates of a cube, each ascending and without repetition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Axes {
    pub(crate) type_of_level: String,
    pub(crate) levels: Vec<Level>,
    pub(crate) times: Vec<i64>,
    pub(crate) steps: Vec<i64>,
    pub(crate) numbers: Vec<Option<u8>>,
    pub(crate) percentiles: Vec<Option<u8>>,
    /// Number of the grid within the file.
    pub(crate) grid: usize,
}

/// A hypercube.
#[derive(Debug)]
pub(crate) struct Cube<'a> {
    pub(crate) axes: Axes,
    pub(crate) variable: String,
    pub(crate) step_type: String,
    /// What tells it from others of the same variable, step type and level type, in words that can be part of a name:
    /// interval, variant, grid, and which of several with the same coordinates.
    pub(crate) marks: [String; 4],
    pub(crate) fields: Vec<&'a Field>,
}

/// What the fields of one cube have in common.
type Key = (String, String, String, usize, String, String);

/// Place of a field in a cube.
type Place = (i64, i64, Option<u8>, Option<u8>, Level);

/// Sorts fields into cubes. Every field is in one: those that repeat the coordinates of another are in a further cube.
pub(crate) fn cubes(fields: &[Field]) -> Vec<Cube<'_>> {
    let grids = number_grids(fields);
    let intervals = intervals(fields);
    let mut groups: BTreeMap<Key, Vec<&Field>> = BTreeMap::new();
    for (field, interval) in fields.iter().zip(intervals) {
        let grid = grids.get(&Arc::as_ptr(&field.grid)).copied().unwrap_or_default();
        let key = (
            field.parameter.variable.clone(),
            field.step_type.clone(),
            field.type_of_level.clone(),
            grid,
            interval,
            field.variant.clone(),
        );
        groups.entry(key).or_default().push(field);
    }
    let mut cubes = Vec::new();
    for ((variable, step_type, type_of_level, grid, interval, variant), fields) in groups {
        for (copy, fields) in without_repetition(fields).into_iter().enumerate() {
            let mark = |number: usize| {
                if number == 0 { String::new() } else { number.saturating_add(1).to_string() }
            };
            let grid_mark = if grid == 0 { String::new() } else { format!("grid{}", mark(grid)) };
            cubes.push(Cube {
                axes: axes(type_of_level.clone(), grid, &fields),
                variable: variable.clone(),
                step_type: step_type.clone(),
                marks: [interval.clone(), variant.clone(), grid_mark, mark(copy)],
                fields,
            });
        }
    }
    cubes
}

impl Cube<'_> {
    /// Indices of a field on the axes time, step, number, percentile and level.
    pub(crate) fn indices(&self, field: &Field) -> Option<[u64; 5]> {
        let find = |found: Result<usize, usize>| found.ok().map(|index| index as u64);
        Some([
            find(self.axes.times.binary_search(&field.time))?,
            find(self.axes.steps.binary_search(&field.step))?,
            find(self.axes.numbers.binary_search(&field.number))?,
            find(self.axes.percentiles.binary_search(&field.percentile))?,
            find(self.axes.levels.binary_search(&level(field)))?,
        ])
    }
}

fn level(field: &Field) -> Level {
    (Ordered(field.level), field.bottom.map(Ordered))
}

fn place(field: &Field) -> Place {
    (field.time, field.step, field.number, field.percentile, level(field))
}

fn axes(type_of_level: String, grid: usize, fields: &[&Field]) -> Axes {
    fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
        values.collect::<BTreeSet<_>>().into_iter().collect()
    }
    Axes {
        type_of_level,
        levels: sorted(fields.iter().map(|field| level(field))),
        times: sorted(fields.iter().map(|field| field.time)),
        steps: sorted(fields.iter().map(|field| field.step)),
        numbers: sorted(fields.iter().map(|field| field.number)),
        percentiles: sorted(fields.iter().map(|field| field.percentile)),
        grid,
    }
}

/// Grids by their first appearance.
fn number_grids(
    fields: &[Field],
) -> HashMap<*const crate::section::grid_definition::GridDefinition, usize> {
    let mut numbers = HashMap::new();
    for field in fields {
        let next = numbers.len();
        numbers.entry(Arc::as_ptr(&field.grid)).or_insert(next);
    }
    numbers
}

/// The interval of each field in words; empty where the step says it: no interval, or one from the reference time on
/// whose end moves.
fn intervals(fields: &[Field]) -> Vec<String> {
    // Lengths of intervals that begin later than the reference time: they are what fields from its start on belong to,
    // when they are as long.
    let name = |field: &Field| {
        (field.parameter.variable.clone(), field.step_type.clone(), field.type_of_level.clone())
    };
    let mut rolling: BTreeSet<_> = BTreeSet::new();
    for field in fields.iter().filter(|field| field.step_start != 0) {
        rolling.insert((name(field), field.window()));
    }
    fields
        .iter()
        .map(|field| {
            let window = field.window();
            if window == 0 || (field.step_start == 0 && !rolling.contains(&(name(field), window))) {
                String::new()
            } else {
                format!("{}h", hours(window))
            }
        })
        .collect()
}

/// Fields in as few lists as give none of them two fields at one place, each in the order of the file.
fn without_repetition(fields: Vec<&Field>) -> Vec<Vec<&Field>> {
    let mut seen: HashMap<_, usize> = HashMap::new();
    let mut lists: Vec<Vec<&Field>> = Vec::new();
    for field in fields {
        let (time, step, number, percentile, (first, second)) = place(field);
        let bits = (first.0.to_bits(), second.map(|second| second.0.to_bits()));
        let copy = seen.entry((time, step, number, percentile, bits)).or_default();
        match lists.get_mut(*copy) {
            Some(list) => list.push(field),
            None => lists.push(vec![field]),
        }
        *copy = copy.saturating_add(1);
    }
    lists
}

/// A name for each of `cubes`, which share `base`: `base` and those marks in which they differ.
pub(crate) fn distinct_names(base: &str, cubes: &[&Cube<'_>]) -> Vec<String> {
    let differs: Vec<bool> = (0..4)
        .map(|index| {
            let marks: BTreeSet<_> =
                cubes.iter().filter_map(|cube| cube.marks.get(index)).collect();
            marks.len() > 1
        })
        .collect();
    cubes
        .iter()
        .map(|cube| {
            let marks = cube.marks.iter().zip(&differs);
            let words = marks.filter(|(mark, differs)| **differs && !mark.is_empty());
            std::iter::once(base)
                .chain(words.map(|(mark, _)| mark.as_str()))
                .collect::<Vec<_>>()
                .join("_")
        })
        .collect()
}
