// SPDX-License-Identifier: MIT OR Apache-2.0
//! Streams of integers.

use chunkref_core::{Cursor, DecodeContext};

use super::header::{self, Header};
use super::lorenzo::walk;
use super::number::Number;
use crate::CodecError;

/// Bytes of the compressor's parameters.
const PARAMETERS: usize = 28;

/// An integer of SZ.
pub(super) trait Integer: Number<Precision = f64> {
    /// The sum, modulo the range of the type.
    fn plus(self, other: Self) -> Self;
    /// The number with these least significant bits.
    fn cut(bits: u64) -> Self;
}

macro_rules! integer {
    ($($type:ty)*) => {$(
        impl Integer for $type {
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_possible_wrap,
                clippy::allow_attributes,
                trivial_numeric_casts,
                reason = "what it says"
            )]
            fn cut(bits: u64) -> Self {
                bits as Self
            }
        }
    )*};
}

integer!(u8 i8 u16 i16 u32 i32 u64 i64);

/// The numbers of a chunk. Behind the header is how many bytes of numbers are stored that were not predicted, and the
/// count of numbers; then most intervals and intervals, the least number, the precision, three lengths, codes, and the
/// numbers that were not predicted, less the least.
pub(super) fn decode<T: Integer>(
    bytes: &[u8],
    shape: &[usize],
    count: usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<T>, CodecError> {
    let mut cursor = Cursor::new(bytes, 0, super::STRUCTURE);
    let header = Header::read(&mut cursor, PARAMETERS)?;
    if header.is_lossless() {
        header.size(&mut cursor)?;
        return header::numbers(&mut cursor, count as u64, true, context);
    }
    if header.is_constant() {
        header.check_count(&mut cursor, count)?;
        return Ok(vec![T::read(cursor.bytes(size_of::<T>())?, true)?; count]);
    }
    let width = usize::from(cursor.u8()?);
    if !(1..=size_of::<T>()).contains(&width) {
        return Err(CodecError::Damaged(format!("it stores {width} bytes of a number")));
    }
    header.check_count(&mut cursor, count)?;
    cursor.skip(4)?;
    let radius = (cursor.u32_be()? >> 1).cast_signed();
    let least = T::cut(cursor.u64_be()?);
    let precision = f64::from_bits(cursor.u64_be()?);
    let (codes, _count) = (header.size(&mut cursor)?, header.size(&mut cursor)?);
    let exact = header.size(&mut cursor)?;
    let mut codes = header::codes(cursor.bytes_u64(codes)?, count, context)?.into_iter();
    let mut exact = cursor.bytes_u64(exact)?.chunks_exact(width);
    walk(shape, context, |before| {
        let code = codes.next().ok_or_else(CodecError::ended_early)?;
        match T::predict(before).filter(|_| code != 0) {
            None => {
                let bytes = exact.next().ok_or_else(CodecError::ended_early)?;
                let bits = bytes.iter().fold(0, |bits, &byte| bits << 8 | u64::from(byte));
                Ok(T::cut(bits).plus(least))
            }
            Some(prediction) => Ok(T::correct(prediction, code, radius, precision)),
        }
    })
}
