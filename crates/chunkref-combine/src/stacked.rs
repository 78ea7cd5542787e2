// SPDX-License-Identifier: MIT OR Apache-2.0
//! The dimensions that a variable depends on although it has them in no input.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::analysis::for_each_place;
use crate::aspect::Holder;
use crate::axis::Axis;
use crate::placement::{self, Piece, volume};
use crate::variable::{Setting, equal};

/// Most places and most elements of one input that are compared.
const MOST_COMPARED: u64 = 1 << 16;
/// Most bytes at all places of one input that are compared.
const MOST_COMPARED_BYTES: u64 = 16 << 20;
/// Most places of all inputs that are compared.
const MOST_PLACES: usize = 1 << 20;

impl Setting<'_> {
    /// The axes that a variable which lies along none of them has to be stacked along: those that it depends on.
    /// What `is_single` has nothing to differ from, and is taken to depend on a dimension that the input does not know.
    pub(crate) fn stacked(
        &self,
        path: &str,
        holders: &[Holder<'_>],
        along: &[String],
        all: bool,
        is_single: bool,
    ) -> Vec<String> {
        let mut needed: Vec<&Axis> =
            self.axes.iter().filter(|axis| !along.contains(&axis.name)).collect();
        let (first, others) = holders.split_first().map_or((None, holders), |(a, b)| (Some(a), b));
        let one = |first| others.iter().all(|other| equal(self.inputs, first, other));
        if !all && along.is_empty() && !others.is_empty() && first.is_some_and(one) {
            return Vec::new();
        }
        if !all {
            let candidates = needed.clone();
            for candidate in candidates {
                if is_single && candidate.is_new {
                    continue;
                }
                let others: Vec<usize> = (0..)
                    .zip(self.axes)
                    .filter(|(_, axis)| axis.name != candidate.name)
                    .filter(|(_, axis)| {
                        along.contains(&axis.name)
                            || needed.iter().any(|known| known.name == axis.name)
                    })
                    .map(|(place, _)| place)
                    .collect();
                let mut groups: BTreeMap<BTreeSet<Piece>, &Holder<'_>> = BTreeMap::new();
                let mut compared = false;
                let same = holders.iter().all(|holder| {
                    let pieces = self.pieces.get(holder.input).into_iter().flatten();
                    let place = pieces.map(|piece| {
                        others.iter().filter_map(|&axis| piece.get(axis).copied()).collect()
                    });
                    let first = groups.entry(place.collect()).or_insert(holder);
                    let one = first.input == holder.input;
                    compared |= !one || self.has_several(holder, candidate);
                    one || equal(self.inputs, first, holder)
                });
                // Where no two inputs differ in their place along it alone, nothing says that values do not depend on it.
                let unseen = !compared
                    && holders.len() > 1
                    && candidate.length > 1
                    && !others.is_empty()
                    && !self.are_bounds(path);
                // Where inputs have only some places in common, nothing says that they are equal there.
                let inputs: Vec<usize> = groups.values().map(|holder| holder.input).collect();
                let apart = || {
                    let all = self.axes.len();
                    placement::along(self.pieces, &inputs, &others, all)
                        .is_some_and(|placement| placement.clashes.keys().all(|(a, b)| a == b))
                };
                let fits =
                    || (same && (groups.len() < 2 || apart())) || self.agree(holders, &others);
                if !unseen && fits() {
                    needed.retain(|axis| axis.name != candidate.name);
                }
            }
        }
        needed.into_iter().map(|axis| axis.name.clone()).collect()
    }

    /// Whether an input has several places along an axis: what it keeps once for all of them does not depend on it.
    fn has_several(&self, holder: &Holder<'_>, axis: &Axis) -> bool {
        let Some(at) = self.axes.iter().position(|own| own.name == axis.name) else { return false };
        let pieces = self.pieces.get(holder.input).into_iter().flatten();
        let runs: BTreeSet<_> =
            pieces.filter_map(|piece| piece.get(at)).map(|run| (run.start, run.length)).collect();
        runs.len() > 1 || runs.iter().any(|&(_, length)| length > 1)
    }

    /// Whether inputs have the same values wherever they have places along some axes in common, whether each has a
    /// dimension for these or keeps one value for all of them. `false` where that cannot be told without reading.
    fn agree(&self, holders: &[Holder<'_>], axes: &[usize]) -> bool {
        let mut known: BTreeMap<Vec<u64>, Rc<Vec<u8>>> = BTreeMap::new();
        holders.iter().all(|holder| {
            let Some(own) = self.by_place(holder, axes) else { return false };
            let pieces = self.pieces.get(holder.input).into_iter().flatten();
            let parts: BTreeSet<Piece> = pieces
                .map(|piece| axes.iter().filter_map(|&axis| piece.get(axis).copied()).collect())
                .collect();
            let places = parts.iter().map(|part| volume(part)).fold(0, u64::saturating_add);
            let longest = own.values.values().map(|values| values.len()).max().unwrap_or_default();
            places <= MOST_COMPARED
                && places.saturating_mul(longest as u64) <= MOST_COMPARED_BYTES
                && known.len() <= MOST_PLACES
                && parts.iter().all(|part| {
                    let ranges: Vec<_> = part.iter().map(|run| (run.start, run.length)).collect();
                    let mut same = true;
                    for_each_place(&ranges, &mut |place| {
                        let of_own = part.iter().zip(place).zip(&own.has).filter(|(_, has)| **has);
                        let index: Vec<u64> =
                            of_own.map(|((run, at), _)| run.own + (at - run.start)).collect();
                        let Some(values) = own.values.get(&index) else {
                            same = false;
                            return;
                        };
                        match known.entry(place.to_vec()) {
                            Entry::Vacant(entry) => {
                                entry.insert(Rc::clone(values));
                            }
                            Entry::Occupied(entry) => same &= entry.get() == values,
                        }
                    });
                    same
                })
        })
    }

    /// The values of an input at each of its places along some axes.
    fn by_place(&self, holder: &Holder<'_>, axes: &[usize]) -> Option<ByPlace> {
        let array = holder.array;
        let bytes = array.plain_values()?;
        let element = usize::try_from(array.dtype.length_bytes()?).ok().filter(|&all| all > 0)?;
        if (bytes.len() / element) as u64 > MOST_COMPARED {
            return None;
        }
        let names = axes.iter().map(|&axis| self.axes.get(axis).map(|axis| axis.name.as_str()));
        let order: Vec<Option<usize>> = names
            .map(|name| array.dimensions.iter().position(|own| Some(own.as_str()) == name))
            .collect();
        let mut values: BTreeMap<Vec<u64>, Vec<u8>> = BTreeMap::new();
        let all: Vec<(u64, u64)> = array.shape.iter().map(|&length| (0, length)).collect();
        let mut elements = bytes.chunks_exact(element);
        for_each_place(&all, &mut |place| {
            let index = order.iter().flatten().filter_map(|&axis| place.get(axis).copied());
            let bytes = elements.next().unwrap_or_default();
            values.entry(index.collect()).or_default().extend_from_slice(bytes);
        });
        let values = values.into_iter().map(|(place, values)| (place, Rc::new(values))).collect();
        Some(ByPlace { has: order.iter().map(Option::is_some).collect(), values })
    }
}

/// An input's values along some axes.
struct ByPlace {
    /// Whether it has a dimension for each of the axes.
    has: Vec<bool>,
    /// By the places along those that it has, all others together.
    values: BTreeMap<Vec<u64>, Rc<Vec<u8>>>,
}
