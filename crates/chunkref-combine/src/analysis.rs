// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that is decided before anything is made.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chunkref_core::{
    CombineError, CombineErrorKind, CombineOptions, ConcatDimension, Conflict, ConflictKind,
    CoordinateSource, Missing, OnConflict, Resolution, Side,
};

use crate::aspect::{self, Compared, Holder};
use crate::axis::Axis;
use crate::coordinates::{Coordinates, coordinates, missing};
use crate::input::Input;
use crate::variable::{Setting, Variable};

/// Combinations of coordinates that are looked at.
const MOST_PLACES: u64 = 100_000_000;

/// What is decided.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    pub(crate) axes: Vec<Axis>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) conflicts: Vec<Conflict>,
    /// What the options wave through.
    pub(crate) notes: Vec<String>,
    /// Whether some combination of coordinates has no input.
    pub(crate) gaps: bool,
    /// Inputs at one place, the earlier one first.
    pub(crate) duplicates: BTreeSet<(usize, usize)>,
}

/// Decides about everything but the variables at the paths in `skipped`.
pub(crate) fn analyse(
    inputs: &[Input<'_>],
    options: &CombineOptions,
    skipped: &BTreeSet<String>,
    time_reasons: &BTreeMap<String, String>,
) -> Result<Analysis, CombineError> {
    let mut analysis = Analysis::default();
    for dimension in &options.concat_dimensions {
        let lengths = lengths(dimension, inputs)?;
        let conflicts = &mut analysis.conflicts;
        let before = conflicts.len();
        check_coordinate(dimension, inputs, time_reasons, conflicts);
        if conflicts.len() > before {
            // Without one meaning, what their order is and which are equal cannot be told.
            continue;
        }
        let Some(found) = coordinates(dimension, inputs, &lengths, conflicts)? else {
            if conflicts.len() == before {
                analysis.axes.push(counted(dimension, options, &lengths)?);
            }
            continue;
        };
        let Coordinates { ref path, ref template, .. } = found;
        if template.dtype.length_bytes().is_none_or(|length| length == 0) {
            let message = format!("the coordinates in {path} are of a type that has no order");
            return Err(CombineError::new(CombineErrorKind::Unsupported, message));
        }
        analysis.axes.extend(Axis::of_values(&dimension.name, found, options.sort, conflicts));
    }
    if analysis.axes.len() == options.concat_dimensions.len() {
        analysis.places(inputs.len(), options)?;
        analysis.variables(inputs, options, skipped, time_reasons);
    }
    analysis.wave_through(options);
    Ok(analysis)
}

pub(crate) fn lengths(
    dimension: &ConcatDimension,
    inputs: &[Input<'_>],
) -> Result<Vec<Option<u64>>, CombineError> {
    let name = &dimension.name;
    let lengths = inputs.iter().map(|input| {
        input.length(name).map_err(|[one, other]| {
            let message = format!(
                "in {} the dimension {name} has different lengths in {one} and {other}",
                input.label
            );
            CombineError::new(CombineErrorKind::Unsupported, message)
        })
    });
    lengths.collect()
}

fn counted(
    dimension: &ConcatDimension,
    options: &CombineOptions,
    lengths: &[Option<u64>],
) -> Result<Axis, CombineError> {
    if options.concat_dimensions.len() > 1 {
        let message = format!(
            "the dimension {} has no coordinates, which several dimensions need",
            dimension.name
        );
        let resolution = Resolution::Concat { dimension: dimension.name.clone() };
        let error = CombineError::new(CombineErrorKind::Unsupported, message);
        return Err(error.with_resolution(resolution));
    }
    let lengths: Vec<_> = lengths.iter().map(|length| length.unwrap_or(1)).collect();
    Ok(Axis::counted(&dimension.name, &lengths))
}

/// The array that coordinates come from has to mean the same in all inputs.
fn check_coordinate(
    dimension: &ConcatDimension,
    inputs: &[Input<'_>],
    time_reasons: &BTreeMap<String, String>,
    conflicts: &mut Vec<Conflict>,
) {
    let (CoordinateSource::Data(source) | CoordinateSource::Cf(source)) = &dimension.coordinates
    else {
        return;
    };
    let name = &dimension.name;
    let found = inputs.iter().enumerate().filter_map(|(input, own)| {
        let along = own.find(name).filter(|(_, array)| array.dimensions == [name.as_str()]);
        along.or_else(|| own.find(source)).map(|(path, array)| (path, Holder { input, array }))
    });
    let (paths, holders): (Vec<_>, Vec<_>) = found.unzip();
    let Some(path) = paths.first() else { return };
    let reason = paths
        .iter()
        .zip(&holders)
        .find_map(|(path, holder)| time_reasons.get(path).map(|reason| (reason, holder.input)));
    if let (CoordinateSource::Cf(_), Some((reason, input))) = (&dimension.coordinates, reason) {
        let message = format!("the times in {source} are not brought to 1970: {reason}");
        conflicts.push(missing(name, message, vec![input]));
        return;
    }
    let compared = Compared {
        path,
        holders: &holders,
        along: std::slice::from_ref(name),
        cut: None,
        plain: true,
        time_reason: time_reasons.get(path),
    };
    // One value may lie along any axis, and a difference of types is told where values are compared.
    conflicts.extend(aspect::conflicts(&compared).into_iter().filter(|conflict| {
        !matches!(
            conflict.kind,
            ConflictKind::Dimensions | ConflictKind::Shape | ConflictKind::DataType
        )
    }));
}

impl Analysis {
    /// Finds inputs that lie on one another, and places where there is none.
    fn places(&mut self, inputs: usize, options: &CombineOptions) -> Result<(), CombineError> {
        let all = self.axes.iter().try_fold(1_u64, |all, axis| all.checked_mul(axis.length));
        let all = all.filter(|&all| all <= MOST_PLACES).ok_or_else(|| {
            CombineError::new(
                CombineErrorKind::Unsupported,
                format!("there are more than {MOST_PLACES} combinations of coordinates"),
            )
        })?;
        let mut taken: HashMap<Vec<u64>, usize> = HashMap::new();
        let mut clashes: BTreeMap<(usize, usize), String> = BTreeMap::new();
        let single = match self.axes.as_slice() {
            [axis] => Some(axis),
            _ => None,
        };
        if let Some(axis) = single {
            for (pair, place) in overlaps(&axis.ranges) {
                clashes.insert(pair, self.at(&[place]));
            }
        }
        let inputs = if single.is_some() { 0 } else { inputs };
        for input in 0..inputs {
            let ranges: Vec<(u64, u64)> =
                self.axes.iter().filter_map(|axis| axis.ranges.get(input).copied()).collect();
            for_each_place(&ranges, &mut |place| match taken.get(place) {
                Some(&earlier) => {
                    clashes.entry((earlier, input)).or_insert_with(|| self.at(place));
                }
                None => {
                    taken.insert(place.to_vec(), input);
                }
            });
        }
        if !clashes.is_empty() {
            let sides = clashes.iter().map(|(&(earlier, later), at)| Side {
                says: format!("at {at}"),
                inputs: vec![earlier, later],
            });
            let message = "inputs have the same coordinates";
            let conflict = Conflict::new(ConflictKind::Duplicate, self.names(), message)
                .with_sides(sides)
                .with_resolutions([Resolution::Duplicates]);
            self.duplicates = clashes.into_keys().collect();
            self.conflicts.push(conflict);
        }
        // Along one axis every place is that of an input.
        let gaps = if single.is_some() { 0 } else { all.saturating_sub(taken.len() as u64) };
        self.gaps = gaps > 0;
        if self.gaps && options.missing == Missing::Error {
            let message = format!("{gaps} of {all} combinations of coordinates have no input");
            let kind = ConflictKind::MissingCombination;
            let conflict = Conflict::new(kind, self.names(), message);
            self.conflicts.push(conflict.with_resolutions([Resolution::FillMissing]));
        }
        Ok(())
    }

    fn names(&self) -> String {
        self.axes.iter().map(|axis| axis.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// A place in words.
    fn at(&self, place: &[u64]) -> String {
        let words = self.axes.iter().zip(place).map(|(axis, &place)| {
            let value = axis.variable.as_ref().and_then(|(_, array)| {
                let values = crate::value::values(&array.dtype, &array.plain_values()?)?;
                values.get(usize::try_from(place).ok()?).map(ToString::to_string)
            });
            format!("{} {}", axis.name, value.unwrap_or_else(|| place.to_string()))
        });
        words.collect::<Vec<_>>().join(", ")
    }

    fn variables(
        &mut self,
        inputs: &[Input<'_>],
        options: &CombineOptions,
        skipped: &BTreeSet<String>,
        time_reasons: &BTreeMap<String, String>,
    ) {
        let coordinates: BTreeSet<&str> = self
            .axes
            .iter()
            .filter_map(|axis| axis.variable.as_ref().map(|(path, _)| path.as_str()))
            .collect();
        let mut paths = BTreeSet::new();
        for input in inputs {
            paths.extend(input.dataset.arrays().into_iter().map(|(path, _)| path));
        }
        let setting = Setting { inputs, axes: &self.axes, options, time_reasons, gaps: self.gaps };
        for path in paths {
            if !skipped.contains(&path) && !coordinates.contains(path.as_str()) {
                self.variables.extend(setting.variable(&path, &mut self.conflicts));
            }
        }
    }

    /// Takes the first input's for all where that changes no value, when the options say so.
    fn wave_through(&mut self, options: &CombineOptions) {
        if options.on_conflict != OnConflict::First {
            return;
        }
        let first = Resolution::OnConflict(OnConflict::First);
        let waved = |conflict: &Conflict| conflict.resolutions.contains(&first);
        for conflict in self.conflicts.iter().filter(|conflict| waved(conflict)) {
            let says = conflict.sides.first().map_or("", |side| side.says.as_str());
            self.notes.push(format!(
                "{}: {}, and the first input's is taken for all: {says}",
                conflict.place, conflict.message
            ));
        }
        self.conflicts.retain(|conflict| !waved(conflict));
    }

    /// Whether all places of one input are another's too.
    pub(crate) fn within(&self, inner: usize, outer: usize) -> bool {
        self.axes.iter().all(|axis| match (axis.ranges.get(inner), axis.ranges.get(outer)) {
            (Some(&(start, length)), Some(&(outer_start, outer_length))) => {
                start >= outer_start && start + length <= outer_start + outer_length
            }
            _ => false,
        })
    }
}

/// Inputs of one axis that lie on one another, the earlier input first, each with a place that both have.
fn overlaps(ranges: &[(u64, u64)]) -> Vec<((usize, usize), u64)> {
    let mut order: Vec<usize> = (0..ranges.len()).collect();
    order.sort_by_key(|&input| ranges.get(input).map(|range| range.0));
    let mut found = Vec::new();
    let mut reach: Option<(u64, usize)> = None;
    for input in order {
        let Some(&(start, length)) = ranges.get(input).filter(|range| range.1 > 0) else {
            continue;
        };
        match reach {
            Some((end, other)) if start < end => {
                found.push(((input.min(other), input.max(other)), start));
                if start + length > end {
                    reach = Some((start + length, input));
                }
            }
            _ => reach = Some((start + length, input)),
        }
    }
    found
}

/// Calls `visit` with every place of a box.
pub(crate) fn for_each_place(ranges: &[(u64, u64)], visit: &mut dyn FnMut(&[u64])) {
    if ranges.iter().any(|&(_, length)| length == 0) {
        return;
    }
    let mut place: Vec<u64> = ranges.iter().map(|&(start, _)| start).collect();
    loop {
        visit(&place);
        let mut axes = place.iter_mut().zip(ranges).rev();
        let stepped = axes.any(|(index, &(start, length))| {
            if *index + 1 < start + length {
                *index += 1;
                return true;
            }
            *index = start;
            false
        });
        if !stepped {
            return;
        }
    }
}
