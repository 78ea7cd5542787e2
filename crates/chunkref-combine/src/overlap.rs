// SPDX-License-Identifier: MIT OR Apache-2.0
//! Inputs that lie on one another: what each has there that the others lack.

use std::collections::{BTreeMap, BTreeSet};

use chunkref_core::{CombineOptions, Duplicates, Missing};
use chunkref_model::Array;

use crate::holes;
use crate::input::Input;
use crate::placement::{Piece, Placement, place};

/// Inputs, and the boxes that they would fill.
pub(crate) struct Overlap<'a> {
    pub(crate) inputs: &'a [Input<'a>],
    /// Those of each input.
    pub(crate) boxes: Vec<Vec<Piece>>,
    /// The dimensions that inputs follow one another along.
    pub(crate) names: &'a [&'a str],
    pub(crate) options: &'a CombineOptions,
}

/// The variables that have all dimensions themselves.
#[derive(Default)]
pub(crate) struct Variables {
    /// The boxes of each input, by path.
    pub(crate) pieces: BTreeMap<String, Vec<Vec<Piece>>>,
    /// Inputs that lie on one another, the earlier one first, and one of the places.
    pub(crate) clashes: BTreeMap<(usize, usize), Vec<u64>>,
}

impl Overlap<'_> {
    /// All boxes, each with its input.
    pub(crate) fn list(&self) -> Vec<(usize, Piece)> {
        let numbered = self.boxes.iter().enumerate();
        numbered
            .flat_map(|(number, own)| own.iter().map(move |one| (number, one.clone())))
            .collect()
    }

    /// Takes out the places where cubes among the inputs have nothing in any variable: they had no input there. `false` where
    /// there is one dimension, along which a cube has something at each place.
    pub(crate) fn leave_holes(&mut self, placement: &Placement) -> bool {
        if self.names.len() < 2 {
            return false;
        }
        for number in clashing(placement) {
            let (Some(input), true) = (self.inputs.get(number), self.is_cube(number)) else {
                continue;
            };
            if let Some(own) = self.boxes.get_mut(number) {
                *own = holes::without(std::mem::take(own), &input.dataset, self.names);
            }
        }
        true
    }

    /// Places the variables by themselves. Inputs that have none in common are no duplicates of one another. `None` when
    /// there are too many places to tell.
    pub(crate) fn variables(&self, placement: &Placement) -> Option<Variables> {
        let mut found = Variables::default();
        if placement.clashes.is_empty() {
            return Some(found);
        }
        let last = self.options.duplicates == Duplicates::Last;
        let heals = self.options.duplicates == Duplicates::Error || self.options.merge;
        let clashing = clashing(placement);
        for (path, holders) in self.along_all() {
            let mut boxes = Vec::new();
            for (number, array) in holders {
                let mut own = self.boxes.get(number).cloned().unwrap_or_default();
                if heals && self.is_cube(number) && clashing.contains(&number) {
                    own = holes::without_those_of(own, std::iter::once(array), self.names);
                }
                boxes.extend(own.into_iter().map(|piece| (number, piece)));
            }
            let placed = place(&boxes, self.inputs.len(), last)?;
            for (pair, at) in placed.clashes {
                found.clashes.entry(pair).or_insert(at);
            }
            found.pieces.insert(path, placed.pieces);
        }
        for (&pair, at) in &placement.clashes {
            if !self.are_apart(pair, &found) {
                found.clashes.entry(pair).or_insert_with(|| at.clone());
            }
        }
        Some(found)
    }

    /// Whether an input is of several files, so that what it has nothing for may be what no file was there for. In one
    /// file, and where cubes have no holes, a chunk that is not there says that there are no data.
    fn is_cube(&self, number: usize) -> bool {
        self.options.missing == Missing::Fill
            && self.inputs.get(number).is_some_and(|input| input.dataset.sources().len() > 1)
    }

    /// The variables that have all dimensions in all inputs that have them, but for coordinates.
    fn along_all(&self) -> BTreeMap<String, Vec<(usize, &Array)>> {
        let mut found: BTreeMap<String, Vec<(usize, &Array)>> = BTreeMap::new();
        for (number, input) in self.inputs.iter().enumerate() {
            for (path, array) in input.dataset.arrays() {
                found.entry(path).or_default().push((number, array));
            }
        }
        found.retain(|path, holders| {
            let is_coordinate = self.names.contains(&path.rsplit('/').next().unwrap_or(path));
            !is_coordinate && holders.iter().all(|(_, array)| self.has_all(array))
        });
        found
    }

    fn has_all(&self, array: &Array) -> bool {
        self.names.iter().all(|name| array.dimensions.iter().any(|own| own == name))
    }

    /// Whether two inputs have no data in common: each has variables along all dimensions, and what both have is among these
    /// without a clash, or along none.
    fn are_apart(&self, (one, other): (usize, usize), found: &Variables) -> bool {
        if one == other || found.clashes.contains_key(&(one, other)) {
            return false;
        }
        let (Some(a), Some(b)) = (self.inputs.get(one), self.inputs.get(other)) else {
            return false;
        };
        let has =
            |input: &Input<'_>| found.pieces.keys().any(|path| input.dataset.array(path).is_some());
        has(a)
            && has(b)
            && a.dataset.arrays().into_iter().all(|(path, array)| {
                let Some(twin) = b.dataset.array(&path) else { return true };
                let is_coordinate = self.names.contains(&path.rsplit('/').next().unwrap_or(&path));
                is_coordinate
                    || found.pieces.contains_key(&path)
                    || !(self.has_all(array) || self.has_all(twin))
            })
    }
}

/// The inputs that lie on another one.
fn clashing(placement: &Placement) -> BTreeSet<usize> {
    placement.clashes.keys().flat_map(|&(one, other)| [one, other]).collect()
}
