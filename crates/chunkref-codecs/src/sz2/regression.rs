// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chunks in blocks, each of which is predicted by a plane through it, or from the numbers next to each.

use std::vec::IntoIter;

use chunkref_core::{Cursor, DecodeContext, Steps};

use super::header::Header;
use super::lorenzo::Neighbours;
use super::number::Float;
use super::up_to_three;
use crate::CodecError;
use crate::bits::BitReader;
use crate::sz_huffman::Tree;

/// A part of an axis: where it begins, and how long it is.
type Part = (usize, usize);

/// What makes numbers of predictions.
struct Quantizer<T> {
    codes: IntoIter<i32>,
    /// The code of a right prediction.
    radius: i32,
    precision: T,
    /// Numbers that are stored as they are.
    stored: IntoIter<T>,
}

impl<T: Float> Quantizer<T> {
    fn code(&mut self) -> Result<i32, CodecError> {
        self.codes.next().ok_or_else(CodecError::ended_early)
    }

    fn number(&mut self, code: i32, prediction: T) -> Result<T, CodecError> {
        if code == 0 {
            return self.stored.next().ok_or_else(CodecError::ended_early);
        }
        Ok(T::correct(prediction, code, self.radius, self.precision))
    }
}

/// Reads the numbers of a chunk: length of blocks, precision, intervals, the tree; whether there is a number of its own
/// for the most frequent one, and that; a bit a block, whether it is without regression; the coefficients of the others;
/// numbers that are stored as they are, behind their count; and the codes.
pub(super) fn decode<T: Float>(
    cursor: &mut Cursor<'_>,
    header: &Header<'_>,
    shape: &[usize],
    count: usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<T>, CodecError> {
    let block = usize::try_from(cursor.u32_be()?).unwrap_or(usize::MAX);
    let axes = Axes::new(shape, block)?;
    let mut steps = Steps::new(context.cancellation());
    let precision = T::read(cursor.bytes(size_of::<T>())?, true)?;
    let radius = (cursor.u32_be()? >> 1).cast_signed();
    let tree = tree(cursor, context)?;
    let has_mean = cursor.u8()? != 0;
    let mean =
        header.native_numbers::<T>(cursor, 1, context)?.first().copied().filter(|_| has_mean);
    let blocks = axes.blocks();
    let mut bits = BitReader::new(cursor.bytes(blocks.div_ceil(8))?, context);
    let has_plane: Vec<bool> =
        (0..blocks).map(|_| bits.read(1).map(|bit| bit == 0)).collect::<Result<_, _>>()?;
    let planes = has_plane.iter().filter(|&&has_plane| has_plane).count();
    let mut coefficients = Vec::new();
    if planes > 0 {
        for _ in 0..=axes.rank {
            coefficients.push(coefficient(cursor, header, planes, context)?.into_iter());
        }
    }
    let stored = header.native_size(cursor)?;
    let stored = header.native_numbers::<T>(cursor, stored, context)?.into_iter();
    let codes = tree.decode(cursor.rest(), count, context)?.into_iter();
    let mut quantizer = Quantizer { codes, radius, precision, stored };
    let mut numbers = vec![T::default(); count];
    for (at, has_plane) in has_plane.into_iter().enumerate() {
        let parts = axes.parts(at);
        if has_plane {
            let next =
                coefficients.iter_mut().map(|row| row.next().ok_or_else(CodecError::ended_early));
            let slopes = next.collect::<Result<Vec<T>, CodecError>>()?;
            axes.each(parts, |index, _, place| {
                steps.take(1)?;
                let place = place.get(3_usize.saturating_sub(axes.rank)..).unwrap_or_default();
                let code = quantizer.code()?;
                set(&mut numbers, index, quantizer.number(code, T::regression(&slopes, place))?)
            })?;
        } else {
            axes.each(parts, |index, whole, _| {
                steps.take(1)?;
                let number = match (quantizer.code()?, mean) {
                    (code, Some(mean)) if code == radius => mean,
                    (code, mean) => {
                        // The code of the mean is in the middle.
                        let shifted = mean.is_some() && code != 0 && code < radius;
                        let code = if shifted { code.saturating_add(1) } else { code };
                        quantizer.number(code, axes.prediction(&numbers, index, whole))?
                    }
                };
                set(&mut numbers, index, number)
            })?;
        }
    }
    Ok(numbers)
}

/// A tree behind its length and its count of nodes.
fn tree(cursor: &mut Cursor<'_>, context: &DecodeContext<'_>) -> Result<Tree, CodecError> {
    let length = cursor.u32_be()?;
    let nodes = cursor.u32_be()?;
    let mut tree = cursor.slice(length.into(), super::STRUCTURE)?;
    Tree::read(&mut tree, nodes, 0, context)
}

/// A coefficient of each of `count` blocks: precision, the code of a right prediction, a tree, codes behind their length,
/// and coefficients that are stored as they are, behind their count. Each is predicted to be as the one before.
fn coefficient<T: Float>(
    cursor: &mut Cursor<'_>,
    header: &Header<'_>,
    count: usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<T>, CodecError> {
    let precision = T::read(cursor.bytes(size_of::<T>())?, true)?;
    let radius = cursor.u32_be()?.cast_signed();
    let tree = tree(cursor, context)?;
    let length = header.size(cursor)?;
    let codes = tree.decode(cursor.bytes_u64(length)?, count, context)?.into_iter();
    let stored = cursor.u32_be()?;
    let stored = header.native_numbers::<T>(cursor, stored.into(), context)?.into_iter();
    let mut quantizer = Quantizer { codes, radius, precision, stored };
    let mut last = T::default();
    let mut steps = Steps::new(context.cancellation());
    let next = (0..count).map(|_| {
        steps.take(1)?;
        let code = quantizer.code()?;
        last = quantizer.number(code, last)?;
        Ok(last)
    });
    next.collect()
}

fn set<T>(numbers: &mut [T], index: usize, number: T) -> Result<(), CodecError> {
    *numbers.get_mut(index).ok_or_else(CodecError::ended_early)? = number;
    Ok(())
}

/// The axes of a chunk, two or three, in parts as long as blocks or up to twice that. Two axes are three of which the
/// first has the length 1.
struct Axes {
    rank: usize,
    shape: [usize; 3],
    parts: [Vec<Part>; 3],
}

impl Axes {
    fn new(shape: &[usize], block: usize) -> Result<Self, CodecError> {
        let (rank, shape) = match *up_to_three(shape) {
            [rows, columns] => (2, [1, rows, columns]),
            [planes, rows, columns] => (3, [planes, rows, columns]),
            _ => return Err(CodecError::damaged("it has regression along one axis")),
        };
        if block == 0 {
            return Err(CodecError::damaged("its blocks are empty"));
        }
        Ok(Self { rank, shape, parts: shape.map(|length| parts(length, block)) })
    }

    /// Blocks of the chunk.
    fn blocks(&self) -> usize {
        self.parts.iter().fold(1, |count, parts| count.saturating_mul(parts.len()))
    }

    /// The parts of block `at`; the last axis is fastest.
    fn parts(&self, at: usize) -> [Part; 3] {
        let mut left = at;
        let mut taken = [(0, 0); 3];
        for (part, parts) in taken.iter_mut().zip(&self.parts).rev() {
            let at = left.checked_rem(parts.len()).unwrap_or(0);
            *part = parts.get(at).copied().unwrap_or_default();
            left = left.checked_div(parts.len()).unwrap_or(0);
        }
        taken
    }

    /// Does something for each number of a block, told its index, its place in the chunk, and that in the block.
    fn each(
        &self,
        [planes, rows, columns]: [Part; 3],
        mut action: impl FnMut(usize, [usize; 3], [usize; 3]) -> Result<(), CodecError>,
    ) -> Result<(), CodecError> {
        for plane in 0..planes.1 {
            for row in 0..rows.1 {
                for column in 0..columns.1 {
                    let whole = [
                        planes.0.saturating_add(plane),
                        rows.0.saturating_add(row),
                        columns.0.saturating_add(column),
                    ];
                    let index =
                        whole.iter().zip(self.shape).fold(0_usize, |index, (at, length)| {
                            index.saturating_mul(length).saturating_add(*at)
                        });
                    action(index, whole, [plane, row, column])?;
                }
            }
        }
        Ok(())
    }

    /// The prediction from the numbers next to one; what is before the first place of an axis counts as 0.
    fn prediction<T: Float>(&self, numbers: &[T], index: usize, place: [usize; 3]) -> T {
        let [_, rows, columns] = self.shape;
        let area = rows.saturating_mul(columns);
        let back = |steps: [usize; 3]| {
            let inside = place.iter().zip(steps).all(|(place, steps)| *place >= steps);
            let [planes, rows, one] = steps;
            let distance = planes
                .saturating_mul(area)
                .saturating_add(rows.saturating_mul(columns))
                .saturating_add(one);
            let at = index.checked_sub(distance).filter(|_| inside);
            at.and_then(|at| numbers.get(at)).copied().unwrap_or_default()
        };
        let sides = [[0, 0, 1], [0, 1, 0], [1, 0, 0]].map(back);
        let edges = [[0, 1, 1], [1, 0, 1], [1, 1, 0]].map(back);
        let corner = back([1, 1, 1]);
        T::predict(Neighbours::Seven { sides, edges, corner }).unwrap_or_default()
    }
}

/// The parts of an axis, the first of which take what is too much.
fn parts(length: usize, block: usize) -> Vec<Part> {
    let count = length.checked_div(block).unwrap_or(1).max(1);
    let short = length.checked_div(count).unwrap_or(0);
    let longer = length.checked_rem(count).unwrap_or(0);
    let mut begin = 0_usize;
    let next = (0..count).map(|at| {
        let length = short.saturating_add(usize::from(at < longer));
        let part = (begin, length);
        begin = begin.saturating_add(length);
        part
    });
    next.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_come_in_parts() {
        assert_eq!(parts(20, 6), [(0, 7), (7, 7), (14, 6)]);
        assert_eq!(parts(5, 6), [(0, 5)]);
        let axes = Axes::new(&[13, 7], 6).unwrap();
        assert_eq!((axes.blocks(), axes.rank), (2, 2));
        assert_eq!(axes.parts(1), [(0, 1), (7, 6), (0, 7)]);
        let axes = Axes::new(&[2, 6, 3, 12], 6).unwrap();
        assert_eq!((axes.blocks(), axes.rank), (4, 3));
        assert_eq!(axes.parts(3), [(6, 6), (0, 3), (6, 6)]);
        assert!(Axes::new(&[30], 6).is_err() && Axes::new(&[6, 6], 0).is_err());
    }

    #[test]
    fn nothing_before_the_first_place_counts() {
        let axes = Axes::new(&[2, 2, 2], 6).unwrap();
        let numbers = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
        let at = |index, place| axes.prediction::<f64>(&numbers, index, place).to_bits();
        assert_eq!(at(0, [0, 0, 0]), 0.0_f64.to_bits());
        assert_eq!(at(3, [0, 1, 1]), 5.0_f64.to_bits());
        assert_eq!(at(6, [1, 1, 0]), 19.0_f64.to_bits());
        assert_eq!(at(7, [1, 1, 1]), (64.0 + 32.0 + 8.0 - 16.0 - 4.0 - 2.0 + 1.0_f64).to_bits());
    }

    /// A tree of the symbols 0 and `symbol`, and how long it is.
    fn tree_bytes(symbol: u8, big_endian: bool) -> Vec<u8> {
        let mut tree = vec![0, 0, 0, 22, 0, 0, 0, 3, u8::from(big_endian), 1, 0, 0, 2, 0, 0];
        for number in [0, 0, u32::from(symbol)] {
            tree.extend(if big_endian { number.to_be_bytes() } else { number.to_le_bytes() });
        }
        tree.extend([0, 1, 1]);
        tree
    }

    /// A stream of 4 by 4 doubles in two blocks, the first a plane, as machines of either byte order write it.
    fn stream(big_endian: bool, wide: bool) -> Vec<u8> {
        let native =
            |number: f64| if big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
        let flags = if wide { 0xc0 } else { 0x80 };
        let mut bytes = vec![2, 1, 12, flags, if big_endian { 0x50 } else { 0x40 }];
        bytes.resize(18, 0);
        bytes.push(101);
        bytes.resize(40, 0);
        let size =
            |number: u8| vec![0, 0, 0, 0, 0, 0, 0, number].split_off(if wide { 0 } else { 4 });
        let mut native_size = size(2);
        if !big_endian {
            native_size.reverse();
        }
        // Blocks of 2 by 4 numbers, precision 1/4, 8 intervals.
        bytes.extend([0, 0, 0, 2].iter().chain(&0.25_f64.to_be_bytes()).chain(&[0, 0, 0, 8]));
        bytes.extend(tree_bytes(5, big_endian));
        bytes.push(0);
        bytes.extend(native(0.0));
        // Blocks 0 and 3 have planes.
        bytes.push(0b0110_0000);
        for coefficient in [1.0, 10.0, 100.0] {
            bytes.extend(1.0_f64.to_be_bytes().iter().chain(&[0, 0, 0, 4]));
            bytes.extend(tree_bytes(5, big_endian));
            bytes.extend(size(1));
            // The first is stored, the second two more.
            bytes.extend([0b0100_0000, 0, 0, 0, 1]);
            bytes.extend(native(coefficient));
        }
        bytes.extend(native_size);
        bytes.extend([native(-1.0), native(-2.0)].iter().flatten());
        bytes.extend([0b1101_1111, 0b1111_1110]);
        bytes
    }

    #[test]
    fn streams_of_machines_of_either_byte_order() {
        // Planes 1, 10, 100 and 3, 12, 102, neighbours between, all but two numbers 0.5 more than predicted.
        let expected = [
            [100.5, 110.5, 111.0, 111.5],
            [-1.0, 111.5, 112.5, 113.5],
            [-0.5, 112.5, 102.5, 114.5],
            [0.0, 113.5, 105.5, -2.0],
        ];
        for (big_endian, wide) in [(false, true), (false, false), (true, true), (true, false)] {
            let bytes = stream(big_endian, wide);
            let mut cursor = Cursor::new(&bytes, 0, "test");
            let header = Header::read(&mut cursor, 36).unwrap();
            let numbers =
                decode::<f64>(&mut cursor, &header, &[4, 4], 16, &DecodeContext::up_to(128))
                    .unwrap();
            assert_eq!(numbers, expected.concat(), "{big_endian} {wide}");
        }
    }
}
