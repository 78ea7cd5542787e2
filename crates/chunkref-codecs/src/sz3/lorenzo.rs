// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers predicted from those one or two places before along all axes, block by block.

use std::ops::RangeInclusive;

use chunkref_core::{Cursor, DecodeContext, Steps};

use super::config::Config;
use super::huffman;
use super::number::Number;
use super::quantizer::Quantizer;
use crate::CodecError;

/// Numbers of a block along an axis, of which SZ3 takes 5 to 128.
const BLOCK: RangeInclusive<usize> = 4..=1 << 20;

/// How the blocks of a chunk were predicted.
struct Plan<T> {
    /// Elements of a block along an axis.
    block: usize,
    /// The predictors that blocks choose from.
    predictors: Vec<Predictor>,
    /// The predictor of each block.
    choices: Vec<usize>,
    quantizer: Quantizer<T>,
}

/// Where a block begins and ends along each axis of a chunk.
struct Block<'a> {
    begin: &'a [usize],
    end: &'a [usize],
    shape: &'a [usize],
}

/// A weighted sum of numbers before.
struct Predictor {
    /// Weights, and how many places before along each axis.
    terms: Vec<(i8, Vec<usize>)>,
}

/// The numbers of a chunk.
pub(super) fn decode<T: Number>(
    cursor: &mut Cursor<'_>,
    config: &Config,
    context: &DecodeContext<'_>,
) -> Result<Vec<T>, CodecError> {
    let mut plan = if config.shape.len() == 3 {
        Plan::<T>::read_cubes(cursor, config, context)?
    } else {
        Plan::<T>::read(cursor, config, context)?
    };
    let count = usize::try_from(config.count).unwrap_or(usize::MAX);
    plan.quantizer.read_indices(cursor, count, context)?;
    let mut numbers = vec![T::default(); count];
    let mut begin = vec![0; config.shape.len()];
    let mut steps = Steps::new(context.cancellation());
    for choice in std::mem::take(&mut plan.choices) {
        let predictor = plan
            .predictors
            .get(choice)
            .ok_or_else(|| CodecError::damaged("a block has a predictor that does not exist"))?;
        let end: Vec<usize> = begin
            .iter()
            .zip(&config.shape)
            .map(|(&begin, &length): (&usize, _)| begin.saturating_add(plan.block).min(length))
            .collect();
        let block = Block { begin: &begin, end: &end, shape: &config.shape };
        predictor.block(&block, &mut plan.quantizer, &mut numbers, &mut steps)?;
        advance(&mut begin, plan.block, &vec![0; config.shape.len()], &config.shape);
    }
    Ok(numbers)
}

/// The next place that is `step` on along the last axis and below `end`; `false` after the last.
fn advance(place: &mut [usize], step: usize, begin: &[usize], end: &[usize]) -> bool {
    place.iter_mut().zip(begin.iter().zip(end)).rev().any(|(place, (&begin, &end))| {
        *place = place.saturating_add(step);
        let inside = *place < end;
        if !inside {
            *place = begin;
        }
        inside
    })
}

/// Blocks of a chunk.
fn blocks(config: &Config, block: u32) -> Result<(usize, usize), CodecError> {
    let block = usize::try_from(block).unwrap_or(usize::MAX);
    if !BLOCK.contains(&block) {
        return Err(CodecError::Damaged(format!("its blocks have {block} numbers along an axis")));
    }
    let count = config.shape.iter().map(|length| length.div_ceil(block)).product();
    Ok((block, count))
}

impl<T: Number> Plan<T> {
    /// Of one, two and four axes: lengths of the axes and of blocks, a byte for each predictor, and if there are two, which
    /// of them blocks chose.
    fn read(
        cursor: &mut Cursor<'_>,
        config: &Config,
        context: &DecodeContext<'_>,
    ) -> Result<Self, CodecError> {
        for &length in &config.shape {
            if cursor.u64_le()? != length as u64 {
                return Err(CodecError::damaged(
                    "it says the lengths of its axes twice, and not alike",
                ));
            }
        }
        let (block, count) = blocks(config, cursor.u32_le()?)?;
        let axes: Vec<usize> = (0..config.shape.len()).collect();
        let rank = axes.len();
        let mut predictors = Vec::new();
        if config.one_layer {
            predictors.push(Predictor::one_layer(&axes, rank));
        }
        if config.two_layers && rank < 4 {
            predictors.push(Predictor::two_layers(&axes, rank));
        } else if config.two_layers {
            // SZ3 has none with two layers for four axes.
            predictors.push(Predictor::one_layer(&axes, rank));
        }
        cursor.skip(predictors.len())?;
        let choices = match predictors.len() {
            0 => return Err(CodecError::damaged("it has no predictor")),
            1 => vec![0; count],
            _ => {
                if cursor.u64_le()? != count as u64 {
                    return Err(CodecError::damaged("its blocks are not as many as its choices"));
                }
                choices(cursor, count, context)?
            }
        };
        Ok(Self { block, predictors, choices, quantizer: Quantizer::read(cursor, context)? })
    }

    /// Of three axes: parameters, among them the length of blocks and how many axes predictions go along, and which
    /// predictor blocks chose: 0 one layer, 1 regression, 2 two layers.
    fn read_cubes(
        cursor: &mut Cursor<'_>,
        config: &Config,
        context: &DecodeContext<'_>,
    ) -> Result<Self, CodecError> {
        let (block, count) = blocks(config, cursor.u32_le()?)?;
        let (one, two): (&[usize], &[usize]) = match cursor.u32_le()? {
            3 => (&[0, 1, 2], &[0, 1, 2]),
            2 => (&[0, 2], &[2, 0]),
            1 => (&[2], &[2]),
            other => return Err(CodecError::Damaged(format!("its predictions have {other} axes"))),
        };
        // Which predictors there are, layers, capacity, error bounds of regression, and the error bound.
        cursor.skip(44)?;
        if cursor.u8()? != 0 {
            return Err(CodecError::unsupported("prediction by a mean value"));
        }
        cursor.skip(size_of::<T>())?;
        if cursor.u64_le()? != 0 {
            return Err(CodecError::unsupported("prediction by regression"));
        }
        let predictors = vec![
            Predictor::one_layer(one, 3),
            Predictor { terms: Vec::new() },
            Predictor::two_layers(two, 3),
        ];
        let choices = choices(cursor, count, context)?;
        if choices.contains(&1) {
            return Err(CodecError::damaged("a block has a regression of which there is none"));
        }
        Ok(Self { block, predictors, choices, quantizer: Quantizer::read(cursor, context)? })
    }
}

/// The predictors of `count` blocks.
fn choices(
    cursor: &mut Cursor<'_>,
    count: usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<usize>, CodecError> {
    let symbols = huffman::symbols(cursor, count, context)?;
    Ok(symbols.into_iter().map(|symbol| usize::try_from(symbol).unwrap_or(usize::MAX)).collect())
}

impl Predictor {
    /// From the corners of a cube one place long, along `axes` of `rank`.
    fn one_layer(axes: &[usize], rank: usize) -> Self {
        let mut terms = Self::combinations(axes, rank, &[1, -1]);
        if axes.len() == 3 {
            terms.sort_by_key(|(_, back)| back.iter().sum::<usize>());
        }
        Self::signed(terms, true)
    }

    /// From the places of a cube two places long, along `axes` of `rank`.
    fn two_layers(axes: &[usize], rank: usize) -> Self {
        Self::signed(Self::combinations(axes, rank, &[-1, 2, -1]), axes.len().is_multiple_of(2))
    }

    fn signed(mut terms: Vec<(i8, Vec<usize>)>, turn: bool) -> Self {
        if turn {
            for (weight, _) in &mut terms {
                *weight = weight.saturating_neg();
            }
        }
        Self { terms }
    }

    /// All combinations of places before but the first, the last of `axes` fastest, with the product of their weights.
    fn combinations(axes: &[usize], rank: usize, weights: &[i8]) -> Vec<(i8, Vec<usize>)> {
        let mut terms = vec![(1_i8, vec![0; rank])];
        for &axis in axes {
            let longer = terms.iter().flat_map(|(weight, back)| {
                weights.iter().enumerate().map(move |(steps, factor)| {
                    let mut back = back.clone();
                    if let Some(place) = back.get_mut(axis) {
                        *place = steps;
                    }
                    (weight.saturating_mul(*factor), back)
                })
            });
            terms = longer.collect();
        }
        terms.remove(0);
        terms
    }

    /// The numbers of a block.
    fn block<T: Number>(
        &self,
        &Block { begin, end, shape }: &Block<'_>,
        quantizer: &mut Quantizer<T>,
        numbers: &mut [T],
        steps: &mut Steps<'_>,
    ) -> Result<(), CodecError> {
        let mut place = begin.to_vec();
        let bound = quantizer.bound;
        loop {
            steps.take(1)?;
            let number = quantizer.next(self.predict(&place, shape, numbers), bound)?;
            let at = offset(place.iter().copied(), shape);
            if let Some(target) = numbers.get_mut(at) {
                *target = number;
            }
            if !advance(&mut place, 1, begin, end) {
                return Ok(());
            }
        }
    }

    /// What is before the first place of an axis counts as 0.
    fn predict<T: Number>(&self, place: &[usize], shape: &[usize], numbers: &[T]) -> T {
        T::sum(self.terms.iter().map(|(weight, back)| {
            let inside = place.iter().zip(back).all(|(place, back)| place >= back);
            let before = place.iter().zip(back).map(|(place, back)| place.saturating_sub(*back));
            let number = if inside { numbers.get(offset(before, shape)) } else { None };
            (*weight, number.copied().unwrap_or_default())
        }))
    }
}

/// Where a place is among all numbers.
fn offset(place: impl Iterator<Item = usize>, shape: &[usize]) -> usize {
    place.zip(shape).fold(0, |offset: usize, (place, &length)| {
        offset.saturating_mul(length).saturating_add(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(predictor: &Predictor) -> Vec<i8> {
        predictor.terms.iter().map(|&(weight, _)| weight).collect()
    }

    #[test]
    fn predictors_have_the_weights_of_lorenzo() {
        assert_eq!(weights(&Predictor::one_layer(&[0], 1)), [1]);
        assert_eq!(weights(&Predictor::two_layers(&[0], 1)), [2, -1]);
        let plane = Predictor::one_layer(&[0, 1], 2);
        assert_eq!(plane.terms, [(1, vec![0, 1]), (1, vec![1, 0]), (-1, vec![1, 1])]);
        assert_eq!(weights(&Predictor::two_layers(&[0, 1], 2)), [2, -1, 2, -4, 2, -1, 2, -1]);
        let cube = Predictor::one_layer(&[0, 1, 2], 3);
        assert_eq!(weights(&cube), [1, 1, 1, -1, -1, -1, 1]);
        assert_eq!(cube.terms[2].1, [1, 0, 0]);
        assert_eq!(weights(&Predictor::two_layers(&[0, 1, 2], 3))[..5], [2, -1, 2, -4, 2]);
        assert_eq!(
            weights(&Predictor::one_layer(&[0, 1, 2, 3], 4)),
            [1, 1, -1, 1, -1, -1, 1, 1, -1, -1, 1, -1, 1, 1, -1]
        );
        let turned = Predictor::two_layers(&[2, 0], 3);
        assert_eq!(turned.terms[0], (2, vec![1, 0, 0]));
    }
}
