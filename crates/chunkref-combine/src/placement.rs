// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the elements of each input lie in the result: runs along one axis, boxes of several.

use std::collections::{BTreeMap, HashSet};

use crate::analysis::for_each_place;

/// Boxes of places that are told apart at most.
const MOST_CELLS: u64 = 100_000_000;

/// No box.
const NONE: u32 = u32::MAX;

/// Elements that follow one another along an axis, in an input and in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Run {
    /// The first one in the input.
    pub(crate) own: u64,
    /// The first one in the result.
    pub(crate) start: u64,
    /// How many.
    pub(crate) length: u64,
}

impl Run {
    pub(crate) fn end(self) -> u64 {
        self.start.saturating_add(self.length)
    }

    /// Places of the result that these elements of an input, in their order, are at.
    pub(crate) fn of_places(places: &[u64]) -> Vec<Self> {
        let mut runs: Vec<Self> = Vec::new();
        for (own, &start) in (0..).zip(places) {
            match runs.last_mut() {
                Some(last) if last.end() == start => last.length += 1,
                _ => runs.push(Self { own, start, length: 1 }),
            }
        }
        runs
    }
}

/// A box of the result that one input fills: a run along each axis.
pub(crate) type Piece = Vec<Run>;

/// Boxes of which no two have a place in common.
#[derive(Debug, Default)]
pub(crate) struct Placement {
    /// Those of each input.
    pub(crate) pieces: Vec<Vec<Piece>>,
    /// Two inputs, or one and itself, that had places in common, the earlier one first, and one of the places.
    pub(crate) clashes: BTreeMap<(usize, usize), Vec<u64>>,
    /// Places that an input fills.
    pub(crate) covered: u64,
}

/// The boxes of an input whose runs along each axis are known.
pub(crate) fn boxes(runs: &[&[Run]]) -> Vec<Piece> {
    runs.iter().fold(vec![Piece::new()], |found, runs| {
        let longer = found.iter().flat_map(|piece| {
            runs.iter().map(move |&run| piece.iter().copied().chain([run]).collect())
        });
        longer.collect()
    })
}

/// Places boxes, each that of an input, in the order of the inputs. Where several have a place it is the first one's, or
/// with `last` the last one's. `None` when there are too many boxes to tell.
pub(crate) fn place(boxes: &[(usize, Piece)], inputs: usize, last: bool) -> Option<Placement> {
    let axes = boxes.first().map_or(0, |(_, piece)| piece.len());
    let cells = Cells::new(axes, boxes)?;
    let mut owners = vec![NONE; usize::try_from(cells.count).ok()?];
    let mut placement =
        Placement { pieces: vec![Vec::new(); inputs], clashes: BTreeMap::new(), covered: 0 };
    for (number, (input, piece)) in (0..NONE).zip(boxes) {
        for_each_place(&cells.ranges(piece), &mut |cell| {
            let Some(owner) = owners.get_mut(cells.number(cell)) else { return };
            match boxes.get(*owner as usize) {
                Some((other, _)) => {
                    let clash = placement.clashes.entry((*other, *input));
                    clash.or_insert_with(|| cells.place(cell));
                    if last {
                        *owner = number;
                    }
                }
                None => *owner = number,
            }
        });
    }
    for (number, (input, piece)) in (0..NONE).zip(boxes) {
        let Some(own) = placement.pieces.get_mut(*input) else { continue };
        let parts = if placement.clashes.is_empty() {
            vec![piece.clone()]
        } else {
            cells.parts(piece, &|cell| owners.get(cells.number(cell)) == Some(&number))
        };
        for part in parts {
            placement.covered = placement.covered.saturating_add(volume(&part));
            own.push(part);
        }
    }
    Some(placement)
}

/// Places in a box.
pub(crate) fn volume(piece: &[Run]) -> u64 {
    piece.iter().fold(1, |all: u64, run| all.saturating_mul(run.length))
}

/// The boxes of some inputs along some of the axes: each input's without those that an earlier one has.
pub(crate) fn along(
    pieces: &[Vec<Piece>],
    inputs: &[usize],
    axes: &[usize],
    all: usize,
) -> Option<Placement> {
    if axes.len() == all {
        // No two of them have a place in common.
        let own = inputs.iter().map(|&input| pieces.get(input).cloned().unwrap_or_default());
        let pieces: Vec<Vec<Piece>> = own.collect();
        let covered = pieces.iter().flatten().map(|piece| volume(piece));
        let covered = covered.fold(0, u64::saturating_add);
        return Some(Placement { pieces, clashes: BTreeMap::new(), covered });
    }
    let mut found = Vec::new();
    let mut known = HashSet::new();
    for (number, &input) in inputs.iter().enumerate() {
        for piece in pieces.get(input).into_iter().flatten() {
            let part: Piece = axes.iter().filter_map(|&axis| piece.get(axis).copied()).collect();
            if known.insert((input, part.clone())) {
                found.push((number, part));
            }
        }
    }
    place(&found, inputs.len(), false)
}

/// The result cut along each axis wherever a box begins or ends, so that a cell lies in a box or outside of it.
struct Cells {
    breaks: Vec<Vec<u64>>,
    count: u64,
}

impl Cells {
    fn new(axes: usize, boxes: &[(usize, Piece)]) -> Option<Self> {
        let breaks = (0..axes).map(|axis| {
            let runs = boxes.iter().filter_map(|(_, piece)| piece.get(axis));
            let mut breaks: Vec<u64> = runs.flat_map(|run| [run.start, run.end()]).collect();
            breaks.sort_unstable();
            breaks.dedup();
            breaks
        });
        let breaks: Vec<_> = breaks.collect();
        let cells = |breaks: &Vec<u64>| breaks.len().saturating_sub(1) as u64;
        let count = breaks.iter().map(cells).try_fold(1, u64::checked_mul);
        let count = count.filter(|&count| count <= MOST_CELLS)?;
        Some(Self { breaks, count })
    }

    /// The cells of a box: the first one along each axis, and how many.
    fn ranges(&self, piece: &[Run]) -> Vec<(u64, u64)> {
        let ranges = self.breaks.iter().zip(piece).map(|(breaks, run)| {
            let first = breaks.partition_point(|&place| place < run.start) as u64;
            let end = breaks.partition_point(|&place| place < run.end()) as u64;
            (first, end - first)
        });
        ranges.collect()
    }

    fn number(&self, cell: &[u64]) -> usize {
        let number = self.breaks.iter().zip(cell).fold(0, |number, (breaks, index)| {
            number * breaks.len().saturating_sub(1) as u64 + index
        });
        usize::try_from(number).unwrap_or(usize::MAX)
    }

    fn at(&self, axis: usize, index: u64) -> u64 {
        let place = usize::try_from(index).ok();
        let breaks = self.breaks.get(axis);
        breaks.zip(place).and_then(|(breaks, place)| breaks.get(place)).copied().unwrap_or_default()
    }

    /// The first place of a cell.
    fn place(&self, cell: &[u64]) -> Vec<u64> {
        cell.iter().enumerate().map(|(axis, &index)| self.at(axis, index)).collect()
    }

    /// As few boxes as it takes for those cells of a box that are its own: along each axis, neighbours that are alike are
    /// not told apart.
    fn parts(&self, piece: &[Run], owned: &dyn Fn(&[u64]) -> bool) -> Vec<Piece> {
        let ranges = self.ranges(piece);
        let mut same: Vec<Vec<bool>> = ranges
            .iter()
            .map(|&(_, count)| vec![true; usize::try_from(count).unwrap_or(0)])
            .collect();
        let (mut any, mut all) = (false, true);
        for_each_place(&ranges, &mut |cell| {
            let own = owned(cell);
            (any, all) = (any || own, all && own);
            let mut before = cell.to_vec();
            for (axis, (range, same)) in ranges.iter().zip(&mut same).enumerate() {
                let Some(index) = before.get_mut(axis).filter(|index| **index > range.0) else {
                    continue;
                };
                let step = usize::try_from(*index - range.0).unwrap_or(usize::MAX);
                *index -= 1;
                let like = owned(&before) == own;
                if let Some(index) = before.get_mut(axis) {
                    *index += 1;
                }
                if let Some(same) = same.get_mut(step) {
                    *same &= like;
                }
            }
        });
        match (any, all) {
            (false, _) => return Vec::new(),
            (true, true) => return vec![piece.to_vec()],
            _ => {}
        }
        // Runs of cells that are alike, along each axis.
        let groups: Vec<Vec<(u64, u64)>> = ranges
            .iter()
            .zip(&same)
            .map(|(&(first, _), same)| {
                let mut groups: Vec<(u64, u64)> = Vec::new();
                for (index, &like) in (first..).zip(same) {
                    match groups.last_mut() {
                        Some((_, count)) if like => *count += 1,
                        _ => groups.push((index, 1)),
                    }
                }
                groups
            })
            .collect();
        let counts: Vec<(u64, u64)> =
            groups.iter().map(|groups| (0, groups.len() as u64)).collect();
        let mut parts = Vec::new();
        for_each_place(&counts, &mut |which| {
            let chosen: Vec<(u64, u64)> = groups
                .iter()
                .zip(which)
                .filter_map(|(groups, &which)| groups.get(usize::try_from(which).ok()?).copied())
                .collect();
            let first: Vec<u64> = chosen.iter().map(|&(first, _)| first).collect();
            if owned(&first) {
                let runs = chosen.iter().zip(piece).enumerate().map(|(axis, (group, run))| {
                    let (start, end) = (self.at(axis, group.0), self.at(axis, group.0 + group.1));
                    Run { own: run.own + (start - run.start), start, length: end - start }
                });
                parts.push(runs.collect());
            }
        });
        parts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn runs_of_places() {
        let run = |own, start, length| Run { own, start, length };
        assert_eq!(Run::of_places(&[4, 5, 0, 7]), [run(0, 4, 2), run(2, 0, 1), run(3, 7, 1)]);
        assert!(Run::of_places(&[]).is_empty());
    }

    prop_compose! {
        fn input()(
            first in prop::collection::vec(0..6_u64, 1..4),
            second in prop::collection::vec(0..3_u64, 1..3),
        ) -> [Vec<u64>; 2] {
            [first, second]
        }
    }

    proptest! {
        /// Each place is of the first input that has it, or of the last one, and of its element there.
        #[test]
        fn every_place_has_one_owner(inputs in prop::collection::vec(input(), 1..5), last: bool) {
            let mut found = Vec::new();
            let mut wanted = BTreeMap::new();
            for (number, [first, second]) in inputs.iter().enumerate() {
                let runs = [Run::of_places(first), Run::of_places(second)];
                let of_input = boxes(&[&runs[0], &runs[1]]);
                for piece in &of_input {
                    for a in 0..piece[0].length {
                        for b in 0..piece[1].length {
                            let place = [piece[0].start + a, piece[1].start + b];
                            let owner = (number, [piece[0].own + a, piece[1].own + b]);
                            if last {
                                wanted.insert(place, owner);
                            } else {
                                wanted.entry(place).or_insert(owner);
                            }
                        }
                    }
                }
                found.extend(of_input.into_iter().map(|piece| (number, piece)));
            }
            let placement = place(&found, inputs.len(), last).unwrap();
            let mut got = BTreeMap::new();
            for (number, pieces) in placement.pieces.iter().enumerate() {
                for piece in pieces {
                    for a in 0..piece[0].length {
                        for b in 0..piece[1].length {
                            let place = [piece[0].start + a, piece[1].start + b];
                            let owner = (number, [piece[0].own + a, piece[1].own + b]);
                            prop_assert!(got.insert(place, owner).is_none());
                        }
                    }
                }
            }
            prop_assert_eq!(placement.covered, got.len() as u64);
            prop_assert_eq!(got, wanted);
        }
    }
}
