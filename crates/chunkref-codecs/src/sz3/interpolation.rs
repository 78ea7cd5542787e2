// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers between numbers: level by level, each with half the steps of the one before, along one axis after the other.

use std::ops::RangeInclusive;

use chunkref_core::{Cursor, DecodeContext, Steps};

use super::config::Config;
use super::number::Number;
use super::quantizer::Quantizer;
use crate::CodecError;

/// Levels from this one on have a smaller error bound.
const COARSE: u32 = 3;

/// Steps of a block along an axis, of which SZ3 takes 32.
const BLOCK: RangeInclusive<usize> = 16..=1 << 20;

/// The numbers of a chunk.
pub(super) fn decode<T: Number>(
    cursor: &mut Cursor<'_>,
    config: &Config,
    context: &DecodeContext<'_>,
) -> Result<Vec<T>, CodecError> {
    for &length in &config.shape {
        if cursor.u64_le()? != length as u64 {
            return Err(CodecError::damaged(
                "it says the lengths of its axes twice, and not alike",
            ));
        }
    }
    let block = usize::try_from(cursor.u32_le()?).unwrap_or(usize::MAX);
    if !block.is_multiple_of(2) || !BLOCK.contains(&block) {
        return Err(CodecError::Damaged(format!("its blocks have {block} steps")));
    }
    let cubic = match cursor.u32_le()? {
        0 => false,
        1 => true,
        other => return Err(CodecError::Unsupported(format!("interpolation {other}"))),
    };
    let order = permutation(config.shape.len(), cursor.u32_le()?)?;
    let mut quantizer = Quantizer::read(cursor, context)?;
    let count = usize::try_from(config.count).unwrap_or(usize::MAX);
    quantizer.read_indices(cursor, count, context)?;
    let mut grid = Grid::new(&config.shape, order, cubic, quantizer, context);
    grid.numbers = vec![T::default(); count];
    let bound = grid.quantizer.bound;
    grid.recover(0, T::default(), bound)?;
    let longest = config.shape.iter().copied().max().unwrap_or(1);
    for level in (1..=longest.next_power_of_two().trailing_zeros()).rev() {
        grid.bound = if level >= COARSE { bound * 0.5 } else { bound };
        let step = 1_usize.checked_shl(level.saturating_sub(1)).unwrap_or(1);
        grid.level(step, step.saturating_mul(block))?;
    }
    Ok(grid.numbers)
}

/// Permutation `number` of the axes in the order of a dictionary.
fn permutation(rank: usize, number: u32) -> Result<Vec<usize>, CodecError> {
    let mut left: Vec<usize> = (0..rank).collect();
    let mut rest = usize::try_from(number).unwrap_or(usize::MAX);
    let mut order = Vec::new();
    while !left.is_empty() {
        let others: usize = (1..left.len()).product();
        let place = rest.checked_div(others).unwrap_or(0);
        rest = rest.checked_rem(others).unwrap_or(0);
        if place >= left.len() {
            return Err(CodecError::Damaged(format!("its axes have the order {number}")));
        }
        order.push(left.remove(place));
    }
    Ok(order)
}

/// What is being decoded.
struct Grid<'a, T> {
    numbers: Vec<T>,
    shape: Vec<usize>,
    /// Elements from one place of an axis to the next.
    strides: Vec<usize>,
    /// The axes in the order of interpolation.
    order: Vec<usize>,
    cubic: bool,
    quantizer: Quantizer<T>,
    /// The error bound of this level.
    bound: f64,
    steps: Steps<'a>,
}

impl<'a, T: Number> Grid<'a, T> {
    fn new(
        shape: &[usize],
        order: Vec<usize>,
        cubic: bool,
        quantizer: Quantizer<T>,
        context: &DecodeContext<'a>,
    ) -> Self {
        let mut stride = 1_usize;
        let mut strides: Vec<usize> = shape
            .iter()
            .rev()
            .map(|&length| {
                let longer = stride.saturating_mul(length);
                std::mem::replace(&mut stride, longer)
            })
            .collect();
        strides.reverse();
        let bound = quantizer.bound;
        let (numbers, shape) = (Vec::new(), shape.to_vec());
        let steps = Steps::new(context.cancellation());
        Self { numbers, shape, strides, order, cubic, quantizer, bound, steps }
    }

    /// All blocks of a level, the last axis fastest.
    fn level(&mut self, step: usize, block: usize) -> Result<(), CodecError> {
        let mut begin = vec![0; self.shape.len()];
        loop {
            self.steps.take(1)?;
            let end: Vec<usize> = begin
                .iter()
                .zip(&self.shape)
                .map(|(&begin, &length): (&usize, _)| {
                    begin.saturating_add(block).min(length.saturating_sub(1))
                })
                .collect();
            for turn in 0..self.order.len() {
                self.lines(&begin, &end, step, turn)?;
            }
            let mut axes = begin.iter_mut().zip(&self.shape).rev();
            let more = axes.any(|(begin, &length)| {
                *begin = begin.saturating_add(block);
                let inside = *begin < length;
                if !inside {
                    *begin = 0;
                }
                inside
            });
            if !more {
                return Ok(());
            }
        }
    }

    /// All lines of a block along the axis whose turn it is. Along axes that had their turn, lines are `step` apart, along
    /// the others twice that; the first place of a block belongs to the block before, if there is one.
    fn lines(
        &mut self,
        begin: &[usize],
        end: &[usize],
        step: usize,
        turn: usize,
    ) -> Result<(), CodecError> {
        let pick = |all: &[usize], axis: usize| all.get(axis).copied().unwrap_or(0);
        let along = pick(&self.order, turn);
        // Axis, first place, last place and distance of the lines, the slowest first.
        let mut others = Vec::new();
        for (number, &axis) in self.order.iter().enumerate() {
            let apart = if number < turn { step } else { step.saturating_mul(2) };
            let first = pick(begin, axis);
            let first = if first > 0 { first.saturating_add(apart) } else { 0 };
            if number != turn {
                if first > pick(end, axis) {
                    return Ok(());
                }
                others.push((axis, first, pick(end, axis), apart));
            }
        }
        let mut places: Vec<usize> = others.iter().map(|&(_, first, _, _)| first).collect();
        let stride = pick(&self.strides, along);
        let length = pick(end, along).saturating_sub(pick(begin, along));
        let count = length.checked_div(step).unwrap_or(0).saturating_add(1);
        loop {
            self.steps.take(1)?;
            let start = others
                .iter()
                .zip(&places)
                .map(|(&(axis, ..), &place)| place.saturating_mul(pick(&self.strides, axis)))
                .fold(pick(begin, along).saturating_mul(stride), usize::saturating_add);
            self.line(start, stride.saturating_mul(step), count)?;
            let mut axes = places.iter_mut().zip(&others).rev();
            let more = axes.any(|(place, &(_, first, last, apart))| {
                *place = place.saturating_add(apart);
                let inside = *place <= last;
                if !inside {
                    *place = first;
                }
                inside
            });
            if !more {
                return Ok(());
            }
        }
    }

    /// Every other number of a line of `count` numbers that are `stride` elements apart.
    fn line(&mut self, start: usize, stride: usize, count: usize) -> Result<(), CodecError> {
        if count <= 1 {
            return Ok(());
        }
        let place = |number: usize| start.saturating_add(number.saturating_mul(stride));
        let last = count.saturating_sub(1);
        let even = count.is_multiple_of(2);
        if !self.cubic || count < 5 {
            for number in (1..last).step_by(2) {
                let at = place(number);
                let [a, b] = [number.saturating_sub(1), number.saturating_add(1)]
                    .map(|number| self.get(place(number)));
                self.recover(at, T::weighted([(1, a), (1, b)], 2), self.bound)?;
            }
            if even {
                let before = self.get(place(last.saturating_sub(1)));
                let prediction = if count < 4 {
                    before
                } else {
                    T::beyond(self.get(place(last.saturating_sub(3))), before)
                };
                self.recover(place(last), prediction, self.bound)?;
            }
            return Ok(());
        }
        let mut number = 3_usize;
        while number.saturating_add(3) < count {
            let near = |back: usize, forth: usize| {
                place(number.saturating_sub(back).saturating_add(forth))
            };
            let [a, b, c, d] =
                [near(3, 0), near(1, 0), near(0, 1), near(0, 3)].map(|at| self.get(at));
            let prediction = T::weighted([(-1, a), (9, b), (9, c), (-1, d)], 16);
            self.recover(place(number), prediction, self.bound)?;
            number = number.saturating_add(2);
        }
        let [a, b, c] = [0, 2, 4].map(|number| self.get(place(number)));
        self.recover(place(1), T::weighted([(3, a), (6, b), (-1, c)], 8), self.bound)?;
        let [a, b, c] =
            [number.saturating_sub(3), number.saturating_sub(1), number.saturating_add(1)]
                .map(|number| self.get(place(number)));
        self.recover(place(number), T::weighted([(-1, a), (6, b), (3, c)], 8), self.bound)?;
        if even {
            let [a, b, c] = [5, 3, 1].map(|back: usize| self.get(place(last.saturating_sub(back))));
            let prediction = T::weighted([(3, a), (-10, b), (15, c)], 8);
            self.recover(place(last), prediction, self.bound)?;
        }
        Ok(())
    }

    fn get(&self, place: usize) -> T {
        self.numbers.get(place).copied().unwrap_or_default()
    }

    /// The number at `place` from its prediction.
    fn recover(&mut self, place: usize, prediction: T, bound: f64) -> Result<(), CodecError> {
        self.steps.take(1)?;
        let number = self.quantizer.next(prediction, bound)?;
        if let Some(target) = self.numbers.get_mut(place) {
            *target = number;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutations_come_in_the_order_of_a_dictionary() {
        let all: Vec<_> = (0..6).map(|number| permutation(3, number).unwrap()).collect();
        assert_eq!(all[0], [0, 1, 2]);
        assert_eq!(all[3], [1, 2, 0]);
        assert!(all.is_sorted() && all[5] == [2, 1, 0]);
        assert!(permutation(3, 6).is_err() && permutation(1, 1).is_err());
        assert_eq!(permutation(1, 0).unwrap(), [0]);
    }
}
