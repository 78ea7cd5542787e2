// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that is decided before anything is made.

use std::collections::{BTreeMap, BTreeSet};

use chunkref_core::{
    CombineError, CombineErrorKind, CombineOptions, ConcatDimension, Conflict, ConflictKind,
    CoordinateSource, Duplicates, Missing, OnConflict, Resolution, Side,
};
use chunkref_model::Array;

use crate::aspect::{self, Compared, Holder};
use crate::axis::Axis;
use crate::coordinates::{Coordinates, array_of, coordinates, missing};
use crate::input::Input;
use crate::overlap::Overlap;
use crate::placement::{Piece, boxes, place};
use crate::variable::{SKIP_FILE, Setting, Variable};
use crate::words::with_units;

/// What is decided.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    pub(crate) axes: Vec<Axis>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) conflicts: Vec<Conflict>,
    /// What the options wave through.
    pub(crate) notes: Vec<String>,
    /// The boxes of the result that each input fills, with a run along each axis.
    pub(crate) pieces: Vec<Vec<Piece>>,
    /// Those of variables along all axes where inputs lie on one another: an input may have what another one lacks.
    pub(crate) own_pieces: BTreeMap<String, Vec<Vec<Piece>>>,
    /// Variables that only inputs without a place have, and which of these has them; for the result to keep.
    pub(crate) of_empty: BTreeMap<String, usize>,
    /// Inputs of which no place is left, and an input that has one of them.
    pub(crate) superseded: BTreeMap<usize, usize>,
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
        let axis = Axis::of_values(&dimension.name, found, options.sort, conflicts);
        let is_new = lengths.iter().all(Option::is_none)
            && !matches!(
                dimension.coordinates,
                CoordinateSource::Data(_) | CoordinateSource::Cf(_)
            );
        analysis.axes.extend(axis.map(|axis| Axis { is_new, ..axis }));
    }
    let of_coordinates = |conflict: &Conflict| {
        !matches!(conflict.kind, ConflictKind::Unordered | ConflictKind::Duplicate)
    };
    if analysis.conflicts.iter().any(of_coordinates) {
        // Nothing is known of any place, so only what does not depend on places is looked at.
        analysis.conflicts.retain(of_coordinates);
        analysis.axes.clear();
        let roots = std::mem::take(&mut analysis.conflicts);
        analysis.kinds(&roots, inputs, options, skipped, time_reasons);
        analysis.wave_through(options);
        analysis.conflicts.splice(0..0, roots);
        return Ok(analysis);
    }
    analysis.places(inputs, options)?;
    analysis.variables(inputs, options, skipped, time_reasons);
    if analysis.conflicts.iter().any(|conflict| conflict.kind == ConflictKind::Unordered) {
        // In order, inputs may meet at edges of chunks.
        analysis.conflicts.retain(|conflict| conflict.kind != ConflictKind::PartialChunks);
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
        array_of(name, source, own).map(|(path, array)| (path, Holder { input, array }))
    });
    let (paths, holders): (Vec<_>, Vec<_>) = found.unzip();
    let Some(path) = paths.first() else { return };
    let reason = paths
        .iter()
        .zip(&holders)
        .find_map(|(path, holder)| time_reasons.get(path).map(|reason| (reason, holder.input)));
    // Calendars of other dates set inputs against each other, which is told as what it is.
    let calendar = |holder: &Holder<'_>| aspect::calendar(holder.array.attributes.get("calendar"));
    let (mut calendars, first) = (holders.iter().map(calendar), holders.first().map(calendar));
    let one = calendars.all(|own| Some(own) == first);
    if let (CoordinateSource::Cf(_), Some((reason, input)), true) =
        (&dimension.coordinates, reason, one)
    {
        let message = format!("the times in {source} are not brought to 1970: {reason}");
        conflicts.push(missing(name, message, vec![input], inputs.len()));
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
    let found = aspect::conflicts(&compared).into_iter().filter(|conflict| {
        !matches!(
            conflict.kind,
            ConflictKind::Dimensions | ConflictKind::Shape | ConflictKind::DataType
        )
    });
    // Without coordinates there is no dimension, and those of one input are not those of another.
    conflicts.extend(found.map(|conflict| conflict.with_resolutions([SKIP_FILE])));
}

/// Whether two conflicts set the same inputs against each other.
fn same_sides(a: &Conflict, b: &Conflict) -> bool {
    let inputs = |conflict: &Conflict| {
        conflict.sides.iter().map(|side| side.inputs.clone()).collect::<BTreeSet<_>>()
    };
    inputs(a) == inputs(b)
}

/// Whether what two inputs both have is of the same lengths along all other dimensions.
fn same_lengths(
    one: Option<&Input<'_>>,
    other: Option<&Input<'_>>,
    options: &CombineOptions,
) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return true };
    let lengths = |array: &Array| {
        let axes = array.dimensions.iter().zip(&array.shape);
        let own = axes.filter(|(name, _)| {
            !options.concat_dimensions.iter().any(|dimension| dimension.name == **name)
        });
        own.map(|(name, length)| (name.clone(), *length)).collect::<BTreeMap<_, _>>()
    };
    one.dataset.arrays().into_iter().all(|(path, array)| {
        other.dataset.array(&path).is_none_or(|twin| lengths(array) == lengths(twin))
    })
}

impl Analysis {
    /// Finds the places of each input, inputs that lie on one another, and places where there is none.
    fn places(
        &mut self,
        inputs: &[Input<'_>],
        options: &CombineOptions,
    ) -> Result<(), CombineError> {
        let too_many = || {
            let message = "there are too many combinations of coordinates";
            CombineError::new(CombineErrorKind::Unsupported, message)
        };
        let all = self.axes.iter().try_fold(1_u64, |all, axis| all.checked_mul(axis.length));
        let all = all.ok_or_else(too_many)?;
        let names: Vec<&str> = self.axes.iter().map(|axis| axis.name.as_str()).collect();
        let of_input = |input: usize| {
            let runs = self.axes.iter().filter_map(|axis| axis.runs.get(input));
            boxes(&runs.map(Vec::as_slice).collect::<Vec<_>>())
        };
        let own = (0..inputs.len()).map(of_input).collect();
        let mut overlap = Overlap { inputs, boxes: own, names: &names, options };
        let last = options.duplicates == Duplicates::Last;
        let mut placement = place(&overlap.list(), inputs.len(), last).ok_or_else(too_many)?;
        let covered = placement.covered;
        if !placement.clashes.is_empty() {
            if overlap.leave_holes(&placement) {
                placement = place(&overlap.list(), inputs.len(), last).ok_or_else(too_many)?;
            }
            let variables = overlap.variables(&placement).ok_or_else(too_many)?;
            self.own_pieces = variables.pieces;
            let clashes = variables.clashes;
            if !clashes.is_empty() {
                self.duplicates(&clashes, options);
            }
            let settled = options.duplicates != Duplicates::Error;
            let of_input = |pieces: &Vec<Vec<Piece>>, input: usize| {
                pieces.get(input).is_none_or(Vec::is_empty)
            };
            let own_pieces = &self.own_pieces;
            let is_empty = |input: usize| {
                of_input(&placement.pieces, input)
                    && own_pieces.values().all(|pieces| of_input(pieces, input))
            };
            let pairs = clashes.keys().flat_map(|&(one, other)| {
                [(one, other), (other, one)].into_iter().filter(|&(input, _)| is_empty(input))
            });
            // Inputs of other lengths are no duplicates, whatever their coordinates: that is a conflict.
            let mut pairs: Vec<_> = pairs
                .filter(|&(input, other)| {
                    settled && same_lengths(inputs.get(input), inputs.get(other), options)
                })
                .collect();
            pairs.sort_by_key(|&(_, other)| is_empty(other));
            for (input, other) in pairs {
                self.superseded.entry(input).or_insert(other);
            }
        }
        let gaps = all.saturating_sub(covered);
        self.pieces = placement.pieces;
        if gaps > 0 && options.missing == Missing::Error {
            let message = format!("{gaps} of {all} combinations of coordinates have no input");
            let kind = ConflictKind::MissingCombination;
            let conflict = Conflict::new(kind, self.names(), message);
            self.conflicts.push(conflict.with_resolutions([Resolution::FillMissing]));
        }
        Ok(())
    }

    /// A conflict of inputs at one place, or a note of what becomes of them.
    fn duplicates(
        &mut self,
        clashes: &BTreeMap<(usize, usize), Vec<u64>>,
        options: &CombineOptions,
    ) {
        let kept = match options.duplicates {
            Duplicates::First => "the first",
            Duplicates::Last => "the last",
            _ => {
                let sides = clashes.iter().map(|(&(earlier, later), place)| Side {
                    says: format!("at {}", self.at(place)),
                    inputs: if earlier == later { vec![earlier] } else { vec![earlier, later] },
                });
                let message = "inputs have the same coordinates";
                let conflict = Conflict::new(ConflictKind::Duplicate, self.names(), message)
                    .with_sides(sides)
                    .with_resolutions([Resolution::Duplicates]);
                self.conflicts.push(conflict);
                return;
            }
        };
        let first = clashes.values().next().map(|place| self.at(place)).unwrap_or_default();
        let pairs = clashes.len();
        self.notes.push(format!(
            "{}: where inputs have the same coordinates, {kept} one is taken ({pairs} pairs of inputs, at {first} for example)",
            self.names()
        ));
    }

    fn names(&self) -> String {
        self.axes.iter().map(|axis| axis.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// A place in words.
    fn at(&self, place: &[u64]) -> String {
        let words = self.axes.iter().zip(place).map(|(axis, &place)| {
            let value = axis.variable.as_ref().and_then(|(_, array)| {
                let values = crate::value::values(&array.dtype, &array.plain_values()?)?;
                let value = values.get(usize::try_from(place).ok()?)?;
                Some(with_units(value, &array.attributes))
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
        let paths = paths(inputs);
        let (axes, pieces, own_pieces) = (&*self.axes, &*self.pieces, &self.own_pieces);
        let setting = Setting { inputs, axes, pieces, own_pieces, options, time_reasons };
        for path in paths {
            if !skipped.contains(&path) && !coordinates.contains(path.as_str()) {
                self.variables.extend(setting.variable(&path, &mut self.conflicts));
            }
        }
    }

    /// Finds variables that are not the same kind of thing in all inputs, where nothing is known of places. What differs
    /// as the coordinates do is not told again.
    fn kinds(
        &mut self,
        roots: &[Conflict],
        inputs: &[Input<'_>],
        options: &CombineOptions,
        skipped: &BTreeSet<String>,
        time_reasons: &BTreeMap<String, String>,
    ) {
        let own_pieces = &BTreeMap::new();
        let setting = Setting { inputs, axes: &[], pieces: &[], own_pieces, options, time_reasons };
        for path in paths(inputs).into_iter().filter(|path| !skipped.contains(path)) {
            if roots.iter().any(|root| root.place == path) {
                continue;
            }
            let found = setting.kinds(&path);
            self.conflicts.extend(found.into_iter().filter(|conflict| {
                conflict.kind != ConflictKind::Attribute
                    || !roots.iter().any(|root| same_sides(root, conflict))
            }));
            // So that it can be left out.
            self.variables.push(Variable::of(&path));
        }
    }

    /// Keeps the variables that only inputs without a place have and that need none; says which of them are lost.
    pub(crate) fn keep_of_empty(
        &mut self,
        inputs: &[Input<'_>],
        empty: &[Input<'_>],
        options: &CombineOptions,
        skipped: &BTreeSet<String>,
    ) {
        let mut lost = BTreeSet::new();
        for (place, input) in empty.iter().enumerate() {
            for (path, array) in input.dataset.arrays() {
                if skipped.contains(&path)
                    || inputs.iter().any(|input| input.dataset.array(&path).is_some())
                {
                    continue;
                }
                let mut names = options.concat_dimensions.iter().map(|dimension| &dimension.name);
                if names.any(|name| array.dimensions.contains(name)) {
                    lost.insert(path);
                } else {
                    self.of_empty.entry(path).or_insert(place);
                }
            }
        }
        for path in lost {
            self.notes.push(format!(
                "{path} is left out: only inputs have it that have no place in the result"
            ));
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
}

/// The paths of all arrays.
fn paths(inputs: &[Input<'_>]) -> BTreeSet<String> {
    inputs.iter().flat_map(|input| input.dataset.arrays()).map(|(path, _)| path).collect()
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
