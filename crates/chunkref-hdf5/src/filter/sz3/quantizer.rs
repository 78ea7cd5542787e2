// SPDX-License-Identifier: MIT OR Apache-2.0
//! From predictions to numbers: an index for each says how many times the error bound it is off, or that the number is
//! stored as it is.

use std::vec::IntoIter;

use chunkref_core::Cursor;

use super::huffman;
use super::number::Number;
use crate::filter::Fault;

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
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Fault> {
        let _kind = cursor.u8()?;
        let bound = f64::from_bits(cursor.u64_le()?);
        let radius = cursor.u32_le()?.cast_signed();
        let length = cursor.u64_le()?.checked_mul(size_of::<T>() as u64).ok_or_else(Fault::end)?;
        let numbers = cursor.bytes_u64(length)?.chunks_exact(size_of::<T>());
        let stored = numbers.map(T::read).collect::<Result<Vec<T>, Fault>>()?.into_iter();
        Ok(Self { bound, radius, stored, indices: Vec::new().into_iter() })
    }

    /// Reads the indices of `count` numbers.
    pub(super) fn read_indices(
        &mut self,
        cursor: &mut Cursor<'_>,
        count: usize,
    ) -> Result<(), Fault> {
        self.indices = huffman::symbols(cursor, count)?.into_iter();
        Ok(())
    }

    /// The next number, which was predicted within `bound`.
    pub(super) fn next(&mut self, prediction: T, bound: f64) -> Result<T, Fault> {
        match self.indices.next().ok_or_else(Fault::end)? {
            0 => self.stored.next().ok_or_else(Fault::end),
            index => {
                let steps = index.wrapping_sub(self.radius).wrapping_mul(2);
                Ok(prediction.corrected(steps, bound))
            }
        }
    }
}
