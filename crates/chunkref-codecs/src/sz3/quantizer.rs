// SPDX-License-Identifier: MIT OR Apache-2.0
//! From predictions to numbers: an index for each says how many times the error bound it is off, or that the number is
//! stored as it is.

use std::vec::IntoIter;

use chunkref_core::{Cursor, DecodeContext, Steps};

use super::huffman;
use super::number::Number;
use crate::CodecError;

/// What was off by how much.
#[derive(Debug)]
pub(super) struct Quantizer<T> {
    /// The error bound of the stream.
    pub(super) bound: f64,
    radius: i32,
    stored: IntoIter<T>,
    indices: IntoIter<i32>,
}

impl<T: Number> Quantizer<T> {
    /// Reads a byte, the error bound, the index of a right prediction, and the numbers that were not predicted.
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        context: &DecodeContext<'_>,
    ) -> Result<Self, CodecError> {
        let _kind = cursor.u8()?;
        let bound = f64::from_bits(cursor.u64_le()?);
        let radius = cursor.u32_le()?.cast_signed();
        let length = cursor
            .u64_le()?
            .checked_mul(size_of::<T>() as u64)
            .ok_or_else(CodecError::ended_early)?;
        let (mut stored, mut steps) = (Vec::new(), Steps::new(context.cancellation()));
        for bytes in cursor.bytes_u64(length)?.chunks_exact(size_of::<T>()) {
            steps.take(1)?;
            stored.push(T::read(bytes)?);
        }
        let stored = stored.into_iter();
        Ok(Self { bound, radius, stored, indices: Vec::new().into_iter() })
    }

    /// Reads the indices of `count` numbers.
    pub(super) fn read_indices(
        &mut self,
        cursor: &mut Cursor<'_>,
        count: usize,
        context: &DecodeContext<'_>,
    ) -> Result<(), CodecError> {
        self.indices = huffman::symbols(cursor, count, context)?.into_iter();
        Ok(())
    }

    /// The next number, which was predicted within `bound`.
    pub(super) fn next(&mut self, prediction: T, bound: f64) -> Result<T, CodecError> {
        match self.indices.next().ok_or_else(CodecError::ended_early)? {
            0 => self.stored.next().ok_or_else(CodecError::ended_early),
            index => {
                let steps = index.wrapping_sub(self.radius).wrapping_mul(2);
                Ok(prediction.corrected(steps, bound))
            }
        }
    }
}
