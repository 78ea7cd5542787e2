// SPDX-License-Identifier: MIT OR Apache-2.0
//! Streams of floats.

use chunkref_core::{Cursor, DecodeContext, Steps};

use super::exact::Exact;
use super::header::{self, Header};
use super::lorenzo::walk;
use super::number::Float;
use super::regression;
use super::relative::{Factors, Relative};
use super::up_to_three;
use crate::CodecError;

/// The numbers of a chunk.
pub(super) fn decode<T: Float>(
    bytes: &[u8],
    shape: &[usize],
    count: usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<T>, CodecError> {
    let mut cursor = Cursor::new(bytes, 0, super::STRUCTURE);
    let header = Header::read(&mut cursor, T::PARAMETERS)?;
    header.check_count(&mut cursor, count)?;
    let mut numbers = if header.is_lossless() {
        header::numbers(&mut cursor, count as u64, true, context)?
    } else if header.is_constant() {
        vec![T::read(cursor.bytes(size_of::<T>())?, true)?; count]
    } else if header.is_random_access() {
        return Err(CodecError::unsupported("random access"));
    } else if header.has_regression() {
        regression::decode(&mut cursor, &header, shape, count, context)?
    } else {
        predicted(&mut cursor, &header, shape, count, context)?
    };
    if header.is_clamped() {
        let (least, greatest) = header.range::<T>()?;
        let mut steps = Steps::new(context.cancellation());
        for number in &mut numbers {
            steps.take(1)?;
            if *number < least {
                *number = least;
            } else if *number > greatest {
                *number = greatest;
            }
        }
    }
    Ok(numbers)
}

/// Numbers predicted from those before. Most intervals; what relative bounds need; intervals, median, and how many bits of
/// numbers are stored; precision; three lengths; codes, signs, and the rows of numbers that were not predicted.
fn predicted<T: Float>(
    cursor: &mut Cursor<'_>,
    header: &Header<'_>,
    shape: &[usize],
    count: usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<T>, CodecError> {
    let number = |cursor: &mut Cursor<'_>| T::read(cursor.bytes(size_of::<T>())?, true);
    cursor.skip(4)?;
    let mut signs = 0;
    if header.is_relative() {
        // An exponent, and the length of segments, of former releases.
        cursor.skip(1)?;
        header.size(cursor)?;
        signs = cursor.u32_be()?;
    }
    let radius = (cursor.u32_be()? >> 1).cast_signed();
    let median = number(cursor)?;
    let length = cursor.u8()?;
    let [plus_bits, _longest_code] =
        if header.is_relative() && header.has_factors() { cursor.array()? } else { [0; 2] };
    let precision = f64::from_bits(cursor.u64_be()?);
    let (codes, exact, bytes) = (header.size(cursor)?, header.size(cursor)?, header.size(cursor)?);
    let threshold = if header.is_relative() { number(cursor)? } else { T::default() };
    let codes = header::codes(cursor.bytes_u64(codes)?, count, context)?;
    let relative = Relative { threshold, signs: cursor.bytes_u64(signs.into())? };
    let rows = [cursor.bytes_u64(exact.div_ceil(4))?, cursor.bytes_u64(bytes)?, cursor.rest()];
    let mut exact = Exact::new(rows, length, median, context)?;
    let shape = if header.is_relative() { &up_to_three(shape) } else { shape };
    if header.is_relative() && header.has_factors() {
        let factors = Factors { radius, precision, plus_bits };
        return relative.numbers_of_sizes(factors.sizes(shape, codes, exact, context)?, context);
    }
    if shape.len() > 3 && size_of::<T>() == 4 {
        // SZ 2.1 takes another code for that of a right prediction than it wrote.
        return Err(CodecError::unsupported(
            "floats of 4 bytes along four axes without regression",
        ));
    }
    let mut codes = codes.into_iter();
    let numbers = walk(shape, context, |before| {
        let code = codes.next().ok_or_else(CodecError::ended_early)?;
        match T::predict(before).filter(|_| code != 0) {
            None => exact.next(),
            Some(prediction) => Ok(T::correct(prediction, code, radius, T::from_f64(precision))),
        }
    })?;
    if header.is_relative() {
        relative.numbers_of_logarithms(numbers, context)
    } else {
        Ok(numbers)
    }
}
