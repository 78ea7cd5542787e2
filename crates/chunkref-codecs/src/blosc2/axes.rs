// SPDX-License-Identifier: MIT OR Apache-2.0
//! The layer `b2nd`: chunks in blocks along several axes, and their elements put in C order.

use chunkref_core::{Cursor, DecodeContext, Steps};

use crate::CodecError;

/// Axes that Blosc2 has at the most.
const MAX_AXES: u8 = 16;

/// The shapes of a chunk and its blocks.
#[derive(Debug)]
pub(super) struct Axes {
    chunk_shape: Vec<u64>,
    block_shape: Vec<u64>,
}

impl Axes {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, CodecError> {
        cursor.skip(2)?; // a list, the version
        let rank = cursor.u8()?;
        if rank == 0 || rank > MAX_AXES {
            return Err(CodecError::Unsupported(format!("Blosc2 with {rank} axes")));
        }
        let shape = numbers(cursor, rank, true)?;
        let chunk_shape = numbers(cursor, rank, false)?;
        let block_shape = numbers(cursor, rank, false)?;
        if shape != chunk_shape {
            return Err(CodecError::unsupported("Blosc2 with several chunks along axes"));
        }
        if block_shape.contains(&0) {
            return Err(CodecError::damaged("its blocks have no elements"));
        }
        Ok(Self { chunk_shape, block_shape })
    }

    /// The elements of `data`, which has whole blocks one after another.
    pub(super) fn in_order(
        &self,
        data: &[u8],
        element_length: usize,
        context: &DecodeContext<'_>,
    ) -> Result<Vec<u8>, CodecError> {
        let bytes = |shape: &[u64]| {
            let length = shape.iter().try_fold(element_length as u64, |all, &n| all.checked_mul(n));
            CodecError::check_length(length.unwrap_or(u64::MAX), &DecodeContext::up_to(usize::MAX))
        };
        let total = CodecError::check_length(bytes(&self.chunk_shape)? as u64, context)?;
        let block_length = bytes(&self.block_shape)?;
        let blocks = self.chunk_shape.iter().zip(&self.block_shape);
        let grid: Vec<u64> = blocks.map(|(&chunk, &block)| chunk.div_ceil(block.max(1))).collect();
        let count = grid.iter().try_fold(1_u64, |all, &n| all.checked_mul(n)).unwrap_or(u64::MAX);
        if (block_length as u64).checked_mul(count) != Some(data.len() as u64) || block_length == 0
        {
            return Err(CodecError::damaged("its blocks do not fill its chunk"));
        }
        let mut output = vec![0; total];
        let mut steps = Steps::new(context.cancellation());
        let mut at = vec![0_u64; grid.len()];
        for block in data.chunks_exact(block_length) {
            let start: Vec<u64> =
                at.iter().zip(&self.block_shape).map(|(&at, &n)| at.saturating_mul(n)).collect();
            self.place_block(block, &start, element_length, &mut output, &mut steps)?;
            advance(&mut at, &grid);
        }
        Ok(output)
    }

    /// Copies the part of a block that lies within the chunk, row by row.
    fn place_block(
        &self,
        block: &[u8],
        start: &[u64],
        element: usize,
        output: &mut [u8],
        steps: &mut Steps<'_>,
    ) -> Result<(), CodecError> {
        let Some((&row_block, outer)) = self.block_shape.split_last() else { return Ok(()) };
        let (row_length, row_start) =
            (self.chunk_shape.last().copied().unwrap_or(0), start.last().copied().unwrap_or(0));
        let row = row_length.saturating_sub(row_start).min(row_block);
        let bytes =
            |count: u64| usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(element);
        let mut position = vec![0_u64; outer.len()];
        for source in block.chunks_exact(bytes(row_block).max(1)) {
            steps.take(source.len())?;
            let mut axes = position.iter().zip(start).zip(&self.chunk_shape);
            let place = axes.try_fold(0_u64, |sum, ((&at, &from), &length)| {
                let index = at.saturating_add(from);
                (index < length).then(|| sum.saturating_mul(length).saturating_add(index))
            });
            if let Some(place) = place {
                let to = bytes(place.saturating_mul(row_length).saturating_add(row_start));
                let target = output.get_mut(to..to.saturating_add(bytes(row)));
                if let (Some(target), Some(source)) = (target, source.get(..bytes(row))) {
                    target.copy_from_slice(source);
                }
            }
            advance(&mut position, outer);
        }
        Ok(())
    }
}

/// The next place of a grid, in C order, and the first one after the last.
fn advance(place: &mut [u64], shape: &[u64]) {
    for (index, &length) in place.iter_mut().zip(shape).rev() {
        *index = index.saturating_add(1);
        if *index < length {
            break;
        }
        *index = 0;
    }
}

/// A list of numbers of 64 or of 32 bits, each with its type before it.
fn numbers(cursor: &mut Cursor<'_>, rank: u8, wide: bool) -> Result<Vec<u64>, CodecError> {
    cursor.skip(1)?;
    (0..rank)
        .map(|_| {
            cursor.skip(1)?;
            Ok(if wide { cursor.u64_be()? } else { cursor.u32_be()?.into() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_ends;

    #[test]
    fn blocks_become_rows() {
        // 3 x 3 in blocks of 2 x 2, whose elements past the edge are 9.
        let axes = Axes { chunk_shape: vec![3, 3], block_shape: vec![2, 2] };
        let in_order =
            |data: &[u8], element, most| axes.in_order(data, element, &DecodeContext::up_to(most));
        let data = [0, 1, 3, 4, 2, 9, 5, 9, 6, 7, 9, 9, 8, 9, 9, 9];
        assert_eq!(in_order(&data, 1, 9).unwrap(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(in_order(&data[..15], 1, 9).is_err());
        assert!(in_order(&data, 1, 8).is_err());
        assert!(in_order(&[], 0, 9).is_err());
    }

    #[test]
    fn long_chunks_end_with_the_work() {
        let data = vec![0; 1 << 20];
        // One block, blocks of an element, and rows of one.
        for block_shape in [[1 << 10, 1 << 10], [1, 1], [1 << 10, 1]] {
            let axes = Axes { chunk_shape: vec![1 << 10; 2], block_shape: block_shape.to_vec() };
            assert_ends(1 << 20, |context| axes.in_order(&data, 1, context));
        }
    }

    #[test]
    fn shapes_are_checked() {
        let layer = |rank: u8, shape: u8, chunk: u8, block: u8| {
            let mut bytes = vec![0x97, 0, rank, 0x91, 0xd3, 0, 0, 0, 0, 0, 0, 0, shape, 0x91, 0xd2];
            bytes.extend([0, 0, 0, chunk, 0x91, 0xd2, 0, 0, 0, block]);
            Axes::parse(&mut Cursor::new(&bytes, 0, "layer"))
        };
        assert_eq!(layer(1, 7, 7, 4).unwrap().block_shape, [4]);
        assert!(layer(1, 7, 6, 4).is_err() && layer(1, 7, 7, 0).is_err());
        assert!(layer(0, 7, 7, 4).is_err() && layer(2, 7, 7, 4).is_err());
    }
}
