// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hypercubes: fields of one variable by time, step, member, percentile and level.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::field::Field;

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

/// Lower and upper limit of an event.
pub(crate) type Limits = (Option<Ordered>, Option<Ordered>);

/// The coordinates of a cube, each ascending and without repetition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Axes {
    pub(crate) type_of_level: String,
    pub(crate) levels: Vec<Level>,
    pub(crate) times: Vec<i64>,
    pub(crate) steps: Vec<i64>,
    pub(crate) numbers: Vec<Option<u16>>,
    pub(crate) percentiles: Vec<Option<u8>>,
    pub(crate) thresholds: Vec<Option<Limits>>,
    /// Where the intervals begin that end at the steps; empty for values at a time.
    pub(crate) starts: Starts,
    /// Number of the grid within the file.
    pub(crate) grid: usize,
}

/// Starts of intervals, in seconds after the reference time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Starts {
    /// Values at a time.
    None,
    /// One for each step.
    Steps(Vec<i64>),
    /// One for each time and step; `None` where there is no field.
    Times(Vec<Option<i64>>),
}

/// A hypercube.
#[derive(Debug)]
pub(crate) struct Cube<'a> {
    pub(crate) axes: Axes,
    pub(crate) variable: String,
    pub(crate) step_type: String,
    /// What the values are of, in words; part of each name.
    pub(crate) variant: String,
    /// What tells it from others that would have the same name, in words that can be part of one: codes, kinds of surfaces
    /// and events, grid, members, interval, and which of several with the same coordinates.
    pub(crate) marks: [String; 6],
    pub(crate) fields: Vec<&'a Field>,
}

/// What the fields of one cube have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    variable: String,
    step_type: String,
    type_of_level: String,
    variant: String,
    edition: u8,
    code: (u8, u8, u8),
    kinds: [u8; 3],
    grid: usize,
    is_member: bool,
}

/// Place of a field in a cube.
type Place = (i64, i64, Option<u16>, Option<u8>, Option<Limits>, Level);

/// Sorts fields into cubes. Every field is in one: those that repeat the coordinates of another are in a further cube.
pub(crate) fn cubes(fields: &[Field]) -> Vec<Cube<'_>> {
    let grids = number_grids(fields);
    let mut groups: BTreeMap<Key, Vec<&Field>> = BTreeMap::new();
    for field in fields {
        let key = Key {
            variable: field.parameter.variable.clone(),
            step_type: field.step_type.clone(),
            type_of_level: field.type_of_level.clone(),
            variant: field.variant.clone(),
            edition: field.edition,
            code: field.code,
            kinds: field.kinds,
            grid: grids.get(&Arc::as_ptr(&field.grid)).copied().unwrap_or_default(),
            is_member: field.number.is_some(),
        };
        groups.entry(key).or_default().push(field);
    }
    let mut cubes = Vec::new();
    for (key, fields) in groups {
        for ((interval, copy), fields) in by_interval(fields) {
            let (axes, marks) = (axes(&key, &fields), marks(&key, interval, copy, &fields));
            let Key { variable, step_type, variant, .. } = key.clone();
            cubes.push(Cube { axes, variable, step_type, variant, marks, fields });
        }
    }
    cubes
}

/// What tells a cube from others, in words.
fn marks(key: &Key, interval: String, copy: usize, fields: &[&Field]) -> [String; 6] {
    let (discipline, category, number) = key.code;
    let code = match key.edition {
        1 => format!("t{category}p{number}"),
        _ => format!("c{discipline}p{category}p{number}"),
    };
    let kinds: Vec<_> =
        key.kinds.iter().filter(|kind| **kind != u8::MAX).map(ToString::to_string).collect();
    let grid = fields.first().map(|field| match field.grid.shape() {
        Some((ny, nx)) => format!("{nx}x{ny}"),
        None => format!("{}points", field.grid.count),
    });
    let members = if key.is_member { "members".to_owned() } else { String::new() };
    let copy = if copy == 0 { String::new() } else { copy.saturating_add(1).to_string() };
    [code, kinds.join("_"), grid.unwrap_or_default(), members, interval, copy]
}

impl Cube<'_> {
    /// Indices of a field on the axes time, step, number, percentile, threshold and level.
    pub(crate) fn indices(&self, field: &Field) -> Option<[u64; 6]> {
        let find = |found: Result<usize, usize>| found.ok().map(|index| index as u64);
        let axes = &self.axes;
        Some([
            find(axes.times.binary_search(&field.time))?,
            find(axes.steps.binary_search(&field.step))?,
            find(axes.numbers.binary_search(&field.number))?,
            find(axes.percentiles.binary_search(&field.percentile))?,
            find(axes.thresholds.binary_search(&limits(field)))?,
            find(axes.levels.binary_search(&level(field)))?,
        ])
    }

    /// `base` with what the values are of.
    pub(crate) fn name(&self, base: &str) -> String {
        if self.variant.is_empty() { base.to_owned() } else { format!("{base}_{}", self.variant) }
    }
}

fn level(field: &Field) -> Level {
    (Ordered(field.level), field.bottom.map(Ordered))
}

fn limits(field: &Field) -> Option<Limits> {
    field.threshold.map(|(lower, upper)| (lower.map(Ordered), upper.map(Ordered)))
}

fn place(field: &Field) -> Place {
    (field.time, field.step, field.number, field.percentile, limits(field), level(field))
}

fn axes(key: &Key, fields: &[&Field]) -> Axes {
    fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
        values.collect::<BTreeSet<_>>().into_iter().collect()
    }
    let times = sorted(fields.iter().map(|field| field.time));
    let steps = sorted(fields.iter().map(|field| field.step));
    Axes {
        type_of_level: key.type_of_level.clone(),
        levels: sorted(fields.iter().map(|field| level(field))),
        numbers: sorted(fields.iter().map(|field| field.number)),
        percentiles: sorted(fields.iter().map(|field| field.percentile)),
        thresholds: sorted(fields.iter().map(|field| limits(field))),
        starts: starts(&times, &steps, fields),
        times,
        steps,
        grid: key.grid,
    }
}

/// Starts of the intervals of `fields`, of which those of one time and step have one.
fn starts(times: &[i64], steps: &[i64], fields: &[&Field]) -> Starts {
    if fields.iter().all(|field| field.window().is_none()) {
        return Starts::None;
    }
    let mut by_step = BTreeMap::new();
    let is_one = fields
        .iter()
        .all(|field| *by_step.entry(field.step).or_insert(field.step_start) == field.step_start);
    if is_one {
        return Starts::Steps(by_step.into_values().collect());
    }
    let by_time: BTreeMap<_, _> =
        fields.iter().map(|field| ((field.time, field.step), field.step_start)).collect();
    let all = times.iter().flat_map(|time| steps.iter().map(|step| (*time, *step)));
    Starts::Times(all.map(|place| by_time.get(&place).copied()).collect())
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

/// Fields in lists of which none has two fields at one place, by words for the interval, and by their number where fields
/// repeat the coordinates and the interval of others.
///
/// Of fields whose intervals end at one step, such as the sum of the last three hours and that since the start of the
/// forecast, the one of the shortest interval has no word: so the sums of a forecast's files are one variable,
/// whose intervals its bounds tell.
fn by_interval(fields: Vec<&Field>) -> BTreeMap<(String, usize), Vec<&Field>> {
    let mut places: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
    for (index, field) in fields.iter().enumerate() {
        places.entry(place(field)).or_default().push(index);
    }
    let mut words: Vec<(String, usize)> = vec![(String::new(), 0); fields.len()];
    let mut lists = BTreeMap::new();
    for indices in places.values() {
        name_intervals(&fields, indices, &mut words);
    }
    let mut first_start: HashMap<_, i64> = HashMap::new();
    let mut taken: BTreeSet<(String, usize, Place)> = BTreeSet::new();
    for (field, (mut word, mut copy)) in fields.into_iter().zip(words) {
        // Levels and members of one step have one interval, or they are apart.
        let step = (word.clone(), copy, field.time, field.step);
        if *first_start.entry(step).or_insert(field.step_start) != field.step_start {
            word = interval(field);
        }
        while !taken.insert((word.clone(), copy, place(field))) {
            copy = copy.saturating_add(1);
        }
        lists.entry((word, copy)).or_insert_with(Vec::new).push(field);
    }
    lists
}

/// Words and numbers for the fields of one place.
fn name_intervals(fields: &[&Field], indices: &[usize], words: &mut [(String, usize)]) {
    let mut sorted: Vec<_> =
        indices.iter().filter_map(|&index| Some((fields.get(index)?, index))).collect();
    sorted.sort_by_key(|(field, index)| (field.window(), *index));
    let mut copies: HashMap<String, usize> = HashMap::new();
    for (place, (field, index)) in sorted.into_iter().enumerate() {
        let word = if place == 0 { String::new() } else { interval(field) };
        let copy = copies.entry(word.clone()).or_insert(0);
        if let Some(slot) = words.get_mut(index) {
            *slot = (word, *copy);
        }
        *copy = copy.saturating_add(1);
    }
}

/// The interval of a field in a word: since the start of the forecast, or as many hours.
fn interval(field: &Field) -> String {
    match field.window() {
        None => String::new(),
        Some(_) if field.step_start == 0 => "sinceStart".to_owned(),
        Some(window) if window.rem_euclid(3600) == 0 => format!("{}h", window.div_euclid(3600)),
        Some(window) => format!("{}min", window.div_euclid(60)),
    }
}

/// A name for each of `cubes`, which share `base`: `base` and those marks in which they differ.
pub(crate) fn distinct_names(base: &str, cubes: &[&Cube<'_>]) -> Vec<String> {
    let differs: Vec<bool> = (0..6)
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
