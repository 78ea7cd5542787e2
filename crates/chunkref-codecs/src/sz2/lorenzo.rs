// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way through a chunk on which numbers are predicted from those next to them that came before.

use chunkref_core::{DecodeContext, Steps};

use crate::CodecError;

/// The numbers before one, along one axis after the other, then those along two, then three.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Neighbours<T> {
    /// There is none.
    None,
    /// On a line.
    One(T),
    /// On a line, nearest first.
    Two(T, T),
    /// At the corners of a square.
    Three(T, T, T),
    /// At the corners of a cube.
    Seven { sides: [T; 3], edges: [T; 3], corner: T },
}

/// The numbers of a chunk, each of which `next` gives when told its neighbours. All axes are longer than 1; the first of
/// four does not take part.
pub(super) fn walk<T: Copy>(
    shape: &[usize],
    context: &DecodeContext<'_>,
    mut next: impl FnMut(Neighbours<T>) -> Result<T, CodecError>,
) -> Result<Vec<T>, CodecError> {
    let axis = |back: usize| shape.iter().rev().nth(back).copied().unwrap_or(1);
    let (columns, rows, planes, cubes) = (axis(0), axis(1), axis(2), axis(3));
    let area = columns.saturating_mul(rows);
    let along_one = shape.len() == 1;
    let mut steps = Steps::new(context.cancellation());
    let mut numbers = Vec::new();
    for _ in 0..cubes {
        for place in 0..planes.saturating_mul(area) {
            let (plane, row, column) = (
                place.checked_div(area).unwrap_or(0) > 0,
                place.checked_rem(area).unwrap_or(0) >= columns,
                place.checked_rem(columns).unwrap_or(0),
            );
            steps.take(1)?;
            let before = neighbours(&numbers, (plane, row, column), (area, columns), along_one);
            let number = next(before.ok_or_else(CodecError::ended_early)?)?;
            numbers.push(number);
        }
    }
    Ok(numbers)
}

/// The neighbours of the number after `numbers`; whether planes and rows are before it, and how many columns; `area` and
/// `columns` lie between planes and rows.
fn neighbours<T: Copy>(
    numbers: &[T],
    (plane, row, column): (bool, bool, usize),
    (area, columns): (usize, usize),
    along_one: bool,
) -> Option<Neighbours<T>> {
    let back = |distances: [usize; 3]| {
        let distance = distances.iter().fold(0_usize, |sum, &part| sum.saturating_add(part));
        numbers.len().checked_sub(distance).and_then(|at| numbers.get(at).copied())
    };
    let square = |one: usize, other: usize| {
        Some(Neighbours::Three(back([one, 0, 0])?, back([other, 0, 0])?, back([one, other, 0])?))
    };
    match (plane, row, column) {
        (false, false, 0) => Some(Neighbours::None),
        (false, false, 2..) if !along_one => {
            Some(Neighbours::Two(back([1, 0, 0])?, back([2, 0, 0])?))
        }
        (false, false, _) => Some(Neighbours::One(back([1, 0, 0])?)),
        (false, true, 0) => Some(Neighbours::One(back([columns, 0, 0])?)),
        (true, false, 0) => Some(Neighbours::One(back([area, 0, 0])?)),
        (false, true, _) => square(1, columns),
        (true, false, _) => square(1, area),
        (true, true, 0) => square(columns, area),
        (true, true, _) => Some(Neighbours::Seven {
            sides: [back([1, 0, 0])?, back([columns, 0, 0])?, back([area, 0, 0])?],
            edges: [back([1, columns, 0])?, back([area, columns, 0])?, back([1, area, 0])?],
            corner: back([1, columns, area])?,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The neighbours of all numbers, which are their own places.
    fn places(shape: &[usize]) -> Vec<Neighbours<usize>> {
        let mut all = Vec::new();
        let numbers = walk(shape, &DecodeContext::up_to(0), |before| {
            all.push(before);
            Ok(all.len() - 1)
        });
        assert_eq!(numbers.unwrap().len(), shape.iter().product::<usize>());
        all
    }

    #[test]
    fn neighbours_along_up_to_three_axes() {
        use Neighbours::{None, One, Seven, Three, Two};
        assert_eq!(places(&[4]), [None, One(0), One(1), One(2)]);
        let plane = [None, One(0), Two(1, 0), One(0), Three(3, 1, 0), Three(4, 2, 1)];
        assert_eq!(places(&[2, 3]), plane);
        let cube = places(&[2, 2, 3]);
        assert_eq!(cube[..6], plane);
        assert_eq!(cube[6..10], [One(0), Three(6, 1, 0), Three(7, 2, 1), Three(6, 3, 0)]);
        assert_eq!(cube[11], Seven { sides: [10, 8, 5], edges: [7, 2, 4], corner: 1 });
        let four = places(&[2, 2, 2, 3]);
        assert_eq!(four[..12], cube);
        assert_eq!((four[12], four[14], four[15]), (None, Two(13, 12), One(12)));
    }

    #[test]
    fn faults_end_the_way() {
        let mut left = 5;
        let result = walk(&[usize::MAX, 9], &DecodeContext::up_to(0), |_| {
            left -= 1;
            if left > 0 { Ok(0) } else { Err(CodecError::ended_early()) }
        });
        assert!(result.is_err() && left == 0);
    }
}
