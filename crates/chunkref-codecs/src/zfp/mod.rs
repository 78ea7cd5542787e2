// SPDX-License-Identifier: MIT OR Apache-2.0
//! ZFP, HDF5's filter 32013: blocks of four numbers along each of one to four axes, transformed and stored by bit planes.
//!
//! A chunk is the stream of its blocks, the fastest axis first,
//! with bits from the low end of each byte.

mod block;
mod header;
mod order;
mod stream;

use chunkref_core::{DecodeContext, Steps};

use crate::CodecError;
use block::{Block, Word};
use header::{Header, Scalar};
use stream::Bits;

/// Numbers of a block along an axis.
const SIDE: usize = 4;

/// What the numbers of a chunk are, how many there are along each axis, and how they are coded.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameters(Header);

impl Parameters {
    /// From the client data of HDF5's filter: a word of versions, and a ZFP header in the words behind it, in the byte
    /// order of the machine that wrote it. The elements have that order too.
    ///
    /// # Errors
    /// [`CodecError`] for other headers.
    pub fn from_client_data(values: &[u32]) -> Result<Self, CodecError> {
        Header::new(values).map(Self)
    }
}

/// Decodes a chunk.
///
/// # Errors
/// [`CodecError`] for bytes that are damaged, for too many of them, and for work that was ended.
pub fn decode(
    bytes: &[u8],
    parameters: &Parameters,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let header = &parameters.0;
    CodecError::check_length(header.bytes(), context)?;
    match header.scalar {
        Scalar::Int32 | Scalar::Float32 => field::<i32>(bytes, header, context),
        Scalar::Int64 | Scalar::Float64 => field::<i64>(bytes, header, context),
    }
}

/// All elements of a chunk whose length has been checked.
fn field<W: Word>(
    bytes: &[u8],
    header: &Header,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let mut steps = Steps::new(context.cancellation());
    let mut output = vec![0; usize::try_from(header.bytes()).unwrap_or(0)];
    let shape = header.axes();
    let starts = |axis: usize| (0..shape.get(axis).copied().unwrap_or(1)).step_by(SIDE);
    let mut bits = Bits::new(bytes);
    let mut block = Block::<W>::new(header);
    for w in starts(3) {
        for z in starts(2) {
            for y in starts(1) {
                for x in starts(0) {
                    steps.take(block.words().len())?;
                    block.decode(&mut bits)?;
                    scatter(block.words(), [x, y, z, w], shape, header.big_endian, &mut output);
                }
            }
        }
    }
    Ok(output)
}

/// Stores the numbers of the block that begins at `start`, but for those behind the ends of the axes.
fn scatter<W: Word>(
    words: &[W],
    start: [usize; 4],
    shape: [usize; 4],
    big_endian: bool,
    output: &mut [u8],
) {
    for (number, word) in words.iter().enumerate() {
        let (mut rest, mut step, mut place, mut inside) = (number, 1_usize, 0_usize, true);
        for (first, length) in start.into_iter().zip(shape) {
            let at = first.saturating_add(rest % SIDE);
            inside &= at < length;
            place = place.saturating_add(at.saturating_mul(step));
            step = step.saturating_mul(length);
            rest /= SIDE;
        }
        let begin = place.saturating_mul(size_of::<W>());
        let end = begin.saturating_add(size_of::<W>());
        if inside && let Some(target) = output.get_mut(begin..end) {
            word.write(big_endian, target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::testing::assert_ends;

    fn decode(bytes: &[u8], values: &[u32], most: usize) -> Result<Vec<u8>, CodecError> {
        let parameters = Parameters::from_client_data(values)?;
        super::decode(bytes, &parameters, &DecodeContext::up_to(most))
    }

    const FLOATS: (&[u32], &[u8]) = (
        &[269_504_785, 91_252_346, 536_870_982, 2_161_115_136],
        &[
            9, 113, 40, 140, 66, 100, 162, 2, 137, 160, 64, 33, 0, 16, 1, 0, 144, 16, 135, 192, 40,
            68, 36, 34, 80, 8, 8, 20, 2, 0, 17, 0, 0,
        ],
    );
    const INTEGERS: (&[u32], &[u8]) = (
        &[269_504_785, 91_252_346, 81, 2_281_701_376],
        &[63, 0, 0, 0, 0, 0, 0, 0, 114, 3, 207, 15, 0, 0, 0, 0, 0, 0, 144, 14, 96, 140, 14],
    );
    const CUBE: (&[u32], &[u8]) = (
        &[269_504_785, 91_252_346, 1_048_600, 401_604_640],
        &[
            0, 0, 56, 64, 0, 6, 80, 224, 0, 74, 4, 64, 8, 0, 32, 64, 0, 0, 8, 32, 192, 0, 148, 24,
            0, 16, 6, 64, 32, 0, 66, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ],
    );

    #[test]
    fn chunks_of_hdf5plugin() {
        let floats: Vec<u8> =
            (0..15_u8).flat_map(|number| (f32::from(number) * 1.25).to_le_bytes()).collect();
        assert_eq!(decode(FLOATS.1, FLOATS.0, 60).unwrap(), floats);
        let integers: Vec<u8> =
            (0..6_i64).flat_map(|number| (number.pow(3) - 7).to_le_bytes()).collect();
        assert_eq!(decode(INTEGERS.1, INTEGERS.0, 48).unwrap(), integers);
        let cube: Vec<u8> = (0..12_i32).flat_map(|number| (number * 1000).to_le_bytes()).collect();
        assert_eq!(decode(CUBE.1, CUBE.0, 48).unwrap(), cube);
    }

    #[test]
    fn the_elements_have_the_order_of_the_header() {
        let (values, bytes) = INTEGERS;
        let swapped: Vec<u32> = values.iter().map(|word| word.swap_bytes()).collect();
        let mut little = decode(bytes, values, 48).unwrap();
        little.chunks_mut(8).for_each(<[u8]>::reverse);
        assert_eq!(decode(bytes, &swapped, 48).unwrap(), little);
    }

    #[test]
    fn damage_is_found_or_bounded() {
        for (values, bytes) in [FLOATS, INTEGERS, CUBE] {
            let length = usize::try_from(Header::new(values).unwrap().bytes()).unwrap();
            assert!(decode(bytes, values, length - 1).is_err());
            for end in 0..bytes.len() / 2 {
                assert!(decode(&bytes[..end], values, length).is_err(), "{end}");
            }
            for bit in 0..bytes.len() * 8 {
                let mut damaged = bytes.to_vec();
                damaged[bit / 8] ^= 1 << (bit % 8);
                if let Ok(decoded) = decode(&damaged, values, length) {
                    assert_eq!(decoded.len(), length);
                }
            }
            // Of the bits of the header, 32 stand for versions.
            for bit in 32..values.len() * 32 {
                let mut damaged = values.to_vec();
                damaged[bit / 32] ^= 1 << (bit % 32);
                if let Ok(decoded) = decode(bytes, &damaged, 4 * length) {
                    assert!(decoded.len() <= 4 * length);
                }
            }
        }
    }

    #[test]
    fn long_chunks_end_with_the_work() {
        // Blocks of floats that are all zero take a bit each: the header of FLOATS along one axis of 2^18.
        let count = (1_u64 << 18) - 1;
        let header = 2 | count << 4;
        let mode: u64 = 4095 | 99 << 27 | 20 << 42 | 16485 << 49;
        let bits = u128::from(header) | u128::from(mode) << 52;
        let words = bits.to_le_bytes();
        let mut values = vec![0, u32::from_le_bytes([b'z', b'f', b'p', 5])];
        values.extend(words.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())));
        let parameters = Parameters::from_client_data(&values).unwrap();
        let stored = vec![0; 1 << 13];
        assert_ends(1 << 20, |context| super::decode(&stored, &parameters, context));
    }
}
