// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is at the start of an SZ stream, and what depends on it.
//!
//! Three bytes of version, one of flags, and the parameters of the compressor: 28 bytes, or 36 for doubles, whose least
//! and greatest number take more. Numbers are big-endian but where the compressor copied its memory.

use chunkref_core::{Cursor, DecodeContext, Steps};

use super::number::Number;
use crate::CodecError;
use crate::sz_huffman::Tree;

/// The oldest release whose streams SZ 2.1.12 reads.
const OLDEST: [u8; 3] = [2, 1, 8];

/// Identifier of SZ among the compressors of its library.
const SOLUTION: u8 = 101;

/// The mode that compresses time steps.
const TEMPORAL: u8 = 3;

/// The flags and parameters that decoding needs.
#[derive(Debug)]
pub(super) struct Header<'a> {
    flags: u8,
    parameters: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads version, flags and `length` bytes of parameters.
    pub(super) fn read(cursor: &mut Cursor<'a>, length: usize) -> Result<Self, CodecError> {
        let version @ [major, minor, revision] = cursor.array()?;
        if major != OLDEST[0] || version < OLDEST {
            let what = format!("streams of SZ {major}.{minor}.{revision}");
            return Err(CodecError::Unsupported(what));
        }
        let header = Self { flags: cursor.u8()?, parameters: cursor.bytes(length)? };
        match header.parameter(14) {
            SOLUTION => {}
            other => {
                return Err(CodecError::Unsupported(format!("streams of its compressor {other}")));
            }
        }
        if header.parameter(0) >> 2 & 3 == TEMPORAL {
            return Err(CodecError::unsupported("compression of time steps"));
        }
        Ok(header)
    }

    fn parameter(&self, place: usize) -> u8 {
        self.parameters.get(place).copied().unwrap_or_default()
    }

    fn flag(&self, bit: u8) -> bool {
        self.flags & bit != 0
    }

    /// Whether all numbers are the same.
    pub(super) fn is_constant(&self) -> bool {
        self.flag(0x01)
    }

    /// Whether parts can be decoded alone.
    pub(super) fn is_random_access(&self) -> bool {
        self.flag(0x02)
    }

    /// Whether decoded numbers are kept within those that were compressed.
    pub(super) fn is_clamped(&self) -> bool {
        self.flag(0x04)
    }

    /// Whether relative bounds are kept by factors, and not by logarithms.
    pub(super) fn has_factors(&self) -> bool {
        self.flag(0x08)
    }

    /// Whether the numbers are as they were.
    pub(super) fn is_lossless(&self) -> bool {
        self.flag(0x10)
    }

    /// Whether the error bound is relative to each number.
    pub(super) fn is_relative(&self) -> bool {
        self.flag(0x20)
    }

    /// Whether there are blocks, some of them predicted by regression.
    pub(super) fn has_regression(&self) -> bool {
        self.flag(0x80)
    }

    /// Whether the compressor ran on a big-endian machine.
    pub(super) fn is_big_endian(&self) -> bool {
        self.parameter(0) & 0x10 != 0
    }

    /// The least and the greatest of the numbers.
    pub(super) fn range<T: Number>(&self) -> Result<(T, T), CodecError> {
        let mut bytes = self.parameters.get(20..).unwrap_or_default().chunks(size_of::<T>());
        let mut next = || T::read(bytes.next().unwrap_or_default(), true);
        Ok((next()?, next()?))
    }

    /// A count of bytes or numbers: 4 bytes from a 32-bit machine, 8 from others.
    pub(super) fn size(&self, cursor: &mut Cursor<'_>) -> Result<u64, CodecError> {
        if self.flag(0x40) { Ok(cursor.u64_be()?) } else { Ok(cursor.u32_be()?.into()) }
    }

    /// A count in the compressor's own byte order.
    pub(super) fn native_size(&self, cursor: &mut Cursor<'_>) -> Result<u64, CodecError> {
        if self.is_big_endian() {
            return self.size(cursor);
        }
        Ok(cursor.uint_le(if self.flag(0x40) { 8 } else { 4 })?)
    }

    /// `count` numbers in the compressor's own byte order.
    pub(super) fn native_numbers<T: Number>(
        &self,
        cursor: &mut Cursor<'_>,
        count: u64,
        context: &DecodeContext<'_>,
    ) -> Result<Vec<T>, CodecError> {
        numbers(cursor, count, self.is_big_endian(), context)
    }

    /// Checks the count of numbers that follows.
    pub(super) fn check_count(
        &self,
        cursor: &mut Cursor<'_>,
        count: usize,
    ) -> Result<(), CodecError> {
        match self.size(cursor)? {
            stored if stored == count as u64 => Ok(()),
            stored => Err(CodecError::Damaged(format!("it has {stored} numbers, not {count}"))),
        }
    }
}

/// `count` numbers.
pub(super) fn numbers<T: Number>(
    cursor: &mut Cursor<'_>,
    count: u64,
    big_endian: bool,
    context: &DecodeContext<'_>,
) -> Result<Vec<T>, CodecError> {
    let length = count.checked_mul(size_of::<T>() as u64).ok_or_else(CodecError::ended_early)?;
    let mut steps = Steps::new(context.cancellation());
    let mut numbers = Vec::new();
    for bytes in cursor.bytes_u64(length)?.chunks_exact(size_of::<T>()) {
        steps.take(1)?;
        numbers.push(T::read(bytes, big_endian)?);
    }
    Ok(numbers)
}

/// The codes of `count` numbers: counts of nodes and intervals, the tree, and the Huffman codes.
pub(super) fn codes(
    bytes: &[u8],
    count: usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<i32>, CodecError> {
    let mut cursor = Cursor::new(bytes, 0, super::STRUCTURE);
    let nodes = cursor.u32_be()?;
    let _intervals = cursor.u32_be()?;
    Tree::read(&mut cursor, nodes, 0, context)?.decode(cursor.rest(), count, context)
}
