// SPDX-License-Identifier: MIT OR Apache-2.0
//! Places of a cube where none of its variables has anything: combinations of coordinates that had no input when it was made.
//! An input that comes later may have them.

use chunkref_model::array_values::element_bytes;
use chunkref_model::{Array, Dataset};

use crate::analysis::for_each_place;
use crate::placement::{Piece, Run};

/// Most places of one input that are told apart.
const MOST_PLACES: u64 = 1 << 24;

/// A box of an input's own places: the first along each axis, and how many.
type Filled = Vec<(u64, u64)>;

/// Pieces of an input without its holes: places where none of its variables has anything.
pub(crate) fn without(pieces: Vec<Piece>, dataset: &Dataset, axes: &[&str]) -> Vec<Piece> {
    let arrays = dataset.arrays();
    without_those_of(pieces, arrays.iter().map(|(_, array)| *array), axes)
}

/// Pieces of an input without places where none of some of its arrays has anything.
pub(crate) fn without_those_of<'a>(
    pieces: Vec<Piece>,
    arrays: impl Iterator<Item = &'a Array>,
    axes: &[&str],
) -> Vec<Piece> {
    let Some(filled) = filled(arrays, axes) else { return pieces };
    let both = pieces.iter().flat_map(|piece| filled.iter().filter_map(|own| common(piece, own)));
    both.collect()
}

fn common(piece: &[Run], filled: &[(u64, u64)]) -> Option<Piece> {
    let runs = piece.iter().zip(filled).map(|(run, &(first, count))| {
        let own = run.own.max(first);
        let end = run.own.saturating_add(run.length).min(first.saturating_add(count));
        let length = end.checked_sub(own).filter(|&length| length > 0)?;
        Some(Run { own, start: run.start + (own - run.own), length })
    });
    runs.collect()
}

/// The boxes of places with something in a variable that has all axes. `None` where that is each place, or none, or cannot
/// be told.
fn filled<'a>(arrays: impl Iterator<Item = &'a Array>, axes: &[&str]) -> Option<Vec<Filled>> {
    let mut found: Option<(Vec<u64>, Vec<bool>)> = None;
    for array in arrays {
        let Some(order) = order(array, axes) else { continue };
        let lengths: Vec<u64> =
            order.iter().filter_map(|&axis| array.shape.get(axis)).copied().collect();
        if found.is_none() {
            let count = lengths.iter().copied().try_fold(1, u64::checked_mul);
            let count = count.filter(|&count| count <= MOST_PLACES)?;
            found = Some((lengths.clone(), vec![false; usize::try_from(count).ok()?]));
        }
        let (shape, marks) = found.as_mut()?;
        if *shape != lengths || !mark(array, &order, &lengths, marks) {
            return None;
        }
    }
    let (shape, marks) = found?;
    (marks.contains(&true) && marks.contains(&false)).then(|| boxes(&shape, &marks))
}

/// Where an array has the axes, if it has all of them.
fn order(array: &Array, axes: &[&str]) -> Option<Vec<usize>> {
    let place = |axis: &&str| array.dimensions.iter().position(|name| name == axis);
    axes.iter().map(place).collect()
}

/// Marks the places where the array has a chunk, or an element that is not its fill value. `false` where that cannot be told.
fn mark(array: &Array, order: &[usize], lengths: &[u64], marks: &mut [bool]) -> bool {
    let number = |place: &[u64]| {
        let flat = place.iter().zip(lengths).fold(0, |flat, (index, length)| flat * length + index);
        usize::try_from(flat).unwrap_or(usize::MAX)
    };
    if array.is_plain() {
        let Some(element) =
            array.dtype.length_bytes().and_then(|length| usize::try_from(length).ok())
        else {
            return false;
        };
        let fill = element_bytes(&array.dtype, array.fill_value.as_ref());
        let (Some(values), Some(fill), true) = (array.plain_values(), fill, element > 0) else {
            return false;
        };
        let all: Vec<(u64, u64)> = array.shape.iter().map(|&length| (0, length)).collect();
        let mut elements = values.chunks_exact(element);
        for_each_place(&all, &mut |place| {
            if elements.next().is_some_and(|value| value != &*fill) {
                let place: Vec<u64> =
                    order.iter().filter_map(|&axis| place.get(axis)).copied().collect();
                if let Some(mark) = marks.get_mut(number(&place)) {
                    *mark = true;
                }
            }
        });
        return true;
    }
    array.manifest.visit(&mut |chunk_indices, _| {
        let ranges = order.iter().zip(lengths).filter_map(|(&axis, &length)| {
            let chunk = *array.chunk_grid.chunk_shape().get(axis)?;
            let first = chunk_indices.get(axis)?.checked_mul(chunk)?;
            Some((first, chunk.min(length.saturating_sub(first))))
        });
        for_each_place(&ranges.collect::<Vec<_>>(), &mut |place| {
            if let Some(mark) = marks.get_mut(number(place)) {
                *mark = true;
            }
        });
    });
    true
}

/// Boxes of all marked places: runs along the last axis, one place along the others.
fn boxes(shape: &[u64], marks: &[bool]) -> Vec<Filled> {
    let Some((&last, rest)) = shape.split_last() else { return Vec::new() };
    let lines: Vec<(u64, u64)> = rest.iter().map(|&length| (0, length)).collect();
    let length = usize::try_from(last).unwrap_or(usize::MAX);
    let mut rows = marks.chunks(length.max(1));
    let mut found: Vec<Filled> = Vec::new();
    for_each_place(&lines, &mut |place| {
        let mut run: Option<(u64, u64)> = None;
        let row = rows.next().unwrap_or_default().iter().copied().chain([false]);
        for (index, is_filled) in (0..).zip(row) {
            match (&mut run, is_filled) {
                (Some((_, count)), true) => *count += 1,
                (None, true) => run = Some((index, 1)),
                (Some(own), false) => {
                    found.push(place.iter().map(|&index| (index, 1)).chain([*own]).collect());
                    run = None;
                }
                (None, false) => {}
            }
        }
    });
    found
}
