// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zstandard: numcodecs' and Zarr's `zstd`, HDF5's filter 32015. One frame is a chunk.

use std::io::Read;

use chunkref_core::{Cursor, DecodeContext};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::CodecError;
use crate::library::{Input, fault, read_to_end};

/// What a frame begins with.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Bits of the frame header descriptor.
const SINGLE_SEGMENT: u8 = 0x20;
/// The exponent of the shortest window.
const MIN_WINDOW_LOG: u32 = 10;
/// Blocks are not longer than this, nor than the window: no window is made shorter.
const MAX_BLOCK_BYTES: usize = 128 << 10;

/// Decodes a frame. Bytes behind it do not count.
///
/// # Errors
/// [`CodecError`] for a frame that is damaged or too long, and for work that was ended.
pub fn decode(bytes: &[u8], context: &DecodeContext<'_>) -> Result<Vec<u8>, CodecError> {
    let (head, rest) = head(bytes, context)?;
    let input = head.chain(Input::new(rest, context));
    let most = longest_window(context).saturating_add(1) as u64;
    let decoder = StreamingDecoder::new_with_max_window_size(input, most)
        .map_err(|error| fault(&error, context))?;
    read_to_end(decoder, context)
}

/// A frame of `bytes`.
#[must_use]
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// The length of the longest window that makes a difference to what may come out: a power of two.
fn longest_window(context: &DecodeContext<'_>) -> usize {
    let most = context.max_bytes().max(MAX_BLOCK_BYTES);
    most.checked_next_power_of_two().unwrap_or(1 << (usize::BITS - 1))
}

/// The first bytes of a frame, and those behind. A decoder makes room for the window that they claim, of up to 4 TB, so
/// that is made as short as what may come out. Spec: RFC 8878, 3.1.1.1.
fn head<'a>(
    bytes: &'a [u8],
    context: &DecodeContext<'_>,
) -> Result<([u8; 6], &'a [u8]), CodecError> {
    let mut cursor = Cursor::new(bytes, 0, "Zstandard frame");
    let mut head: [u8; 6] = cursor.array()?;
    let rest = cursor.rest();
    let [m, a, g, i, descriptor, window] = &mut head;
    if [*m, *a, *g, *i] != MAGIC {
        return Err(CodecError::damaged("it does not begin as a frame of Zstandard does"));
    }
    if *descriptor & SINGLE_SEGMENT == 0 {
        let longest = longest_window(context).trailing_zeros().saturating_sub(MIN_WINDOW_LOG);
        if u32::from(*window >> 3) >= longest {
            *window = u8::try_from(longest).unwrap_or(u8::MAX >> 3) << 3;
        }
    }
    Ok((head, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Ended, assert_ends, hex};

    fn up_to(bytes: &[u8], most: usize) -> Result<Vec<u8>, CodecError> {
        decode(bytes, &DecodeContext::up_to(most))
    }

    #[test]
    fn a_frame_of_hdf5plugin() {
        // hdf5plugin 7.1, level 3: 40 values of <i4, n // 3.
        let frame = hex(
            "28b52ffd20a06d01009000000102030405060708090a0b0c0d0000000d00c00830070c0346803960183002cc01c38011606e67d806da",
        );
        let data: Vec<u8> = (0..40_i32).flat_map(|n| (n / 3).to_le_bytes()).collect();
        assert_eq!(up_to(&frame, 160).unwrap(), data);
        assert!(up_to(&frame, 159).is_err());
        assert!((0..frame.len()).all(|end| up_to(&frame[..end], 160).is_err()));
        assert_eq!(up_to(&encode(&data), 160).unwrap(), data);
        assert!(up_to(b"some other bytes", 160).is_err());
    }

    /// A frame with this window descriptor, of blocks that repeat one byte `length` times.
    fn repeats(window: u8, lengths: &[u32]) -> Vec<u8> {
        let mut frame = [&MAGIC[..], &[0, window]].concat();
        for (number, length) in lengths.iter().enumerate() {
            let last = u32::from(number + 1 == lengths.len());
            let header = length << 3 | 1 << 1 | last;
            frame.extend(&header.to_le_bytes()[..3]);
            frame.push(7);
        }
        frame
    }

    #[test]
    fn windows_are_as_long_as_they_need_be() {
        // Windows of 1 KiB, 1 MiB, 2 MiB, 128 MiB and 3.75 TiB.
        for window in [0, 10 << 3, 11 << 3, 17 << 3, 0xff] {
            let frame = repeats(window, &[1000, 500]);
            assert_eq!(up_to(&frame, 1500).unwrap(), vec![7; 1500], "{window}");
            assert!(up_to(&frame, 1499).is_err(), "{window}");
        }
        let most = |window: u8, most: usize| {
            let frame = repeats(window, &[1]);
            head(&frame, &DecodeContext::up_to(most)).unwrap().0[5]
        };
        assert_eq!((most(0xff, 100), most(6 << 3 | 1, 100)), (7 << 3, 6 << 3 | 1));
        assert_eq!((most(0xff, 1 << 20), most(0xff, (1 << 20) + 1)), (10 << 3, 11 << 3));
        assert_eq!((most(10 << 3 | 3, 1 << 20), most(0xff, usize::MAX)), (10 << 3, 0xff));
    }

    #[test]
    fn long_frames_end_with_the_work() {
        let frame = repeats(10 << 3, &[1 << 17; 8]);
        assert_ends(1 << 20, |context| decode(&frame, context));
        // Blocks of no bytes make no output.
        let frame = repeats(10 << 3, &vec![0; 1 << 17]);
        let ended = Ended::after(4);
        assert!(matches!(decode(&frame, &ended.context(100)), Err(CodecError::Cancelled(_))));
        assert_eq!(up_to(&frame, 100), Ok(Vec::new()));
    }
}
