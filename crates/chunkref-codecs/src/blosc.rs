// SPDX-License-Identifier: MIT OR Apache-2.0
//! Blosc: blocks that are shuffled, cut into streams and compressed, as numcodecs' and Zarr's `blosc` and HDF5's filter
//! 32001 have them.
//!
//! Little-endian: version, version of the compressor, flags, element length (one byte each), `u32` decoded bytes, bytes
//! of a block, and all stored bytes; then the place of every block, unless the chunk is stored as it is.
//!
//! A stream of LZ4 or Snappy is decoded by one call of a library, which cannot be ended in between.

use chunkref_core::{Cursor, DecodeContext, Steps};

use crate::{CodecError, bitshuffle, blosclz, lz4, shuffle, zlib, zstd};

/// Format versions that are known.
const VERSIONS: [u8; 2] = [1, 2];
const HEADER_LENGTH: usize = 16;
/// Flags: shuffled by byte, not compressed, shuffled by bit, not cut into streams.
const SHUFFLED: u8 = 1;
const STORED: u8 = 2;
const BIT_SHUFFLED: u8 = 4;
const UNCUT: u8 = 16;
/// Blocks are cut into as many streams as elements have bytes, up to this, when each has so many bytes.
const MAX_STREAMS: usize = 16;
const MIN_STREAM_LENGTH: usize = 128;

/// What a chunk's header says.
#[derive(Debug, Clone, Copy)]
struct Header {
    flags: u8,
    element_length: usize,
    total: usize,
    block_length: usize,
}

impl Header {
    fn parse(cursor: &mut Cursor<'_>, context: &DecodeContext<'_>) -> Result<Self, CodecError> {
        let version = cursor.u8()?;
        cursor.skip(1)?;
        if !VERSIONS.contains(&version) {
            return Err(CodecError::Unsupported(format!("Blosc's format version {version}")));
        }
        let (flags, element_length) = (cursor.u8()?, usize::from(cursor.u8()?));
        let total = CodecError::check_length(cursor.u32_le()?.into(), context)?;
        let block_length = usize::try_from(cursor.u32_le()?).unwrap_or(usize::MAX);
        cursor.skip(4)?;
        if total > 0 && (block_length == 0 || element_length == 0) {
            return Err(CodecError::damaged("its blocks or elements have no bytes"));
        }
        Ok(Self { flags, element_length, total, block_length })
    }

    /// Streams that a block of `length` bytes is cut into.
    fn streams(self, length: usize) -> usize {
        let uncut = self.flags & UNCUT != 0
            || length < self.block_length
            || self.element_length > MAX_STREAMS
            || length.checked_div(self.element_length).unwrap_or(0) < MIN_STREAM_LENGTH;
        if uncut { 1 } else { self.element_length }
    }
}

/// Decodes a chunk.
///
/// # Errors
/// [`CodecError`] for bytes that are damaged, for too many of them, and for work that was ended.
pub fn decode(bytes: &[u8], context: &DecodeContext<'_>) -> Result<Vec<u8>, CodecError> {
    let mut cursor = Cursor::new(bytes, 0, "Blosc chunk");
    let header = Header::parse(&mut cursor, context)?;
    if header.flags & STORED != 0 {
        return Ok(cursor.bytes(header.total)?.to_vec());
    }
    // Of sound blocks none lies in another, so that all of them take no more than there is.
    let mut left = bytes.len();
    let mut output = Vec::new();
    while let length = header.total.saturating_sub(output.len()).min(header.block_length)
        && length > 0
    {
        let start = usize::try_from(cursor.u32_le()?).unwrap_or(usize::MAX);
        let stored = bytes.get(start.max(HEADER_LENGTH)..).ok_or_else(CodecError::ended_early)?;
        output.extend(decode_block(stored, header, &mut left, &context.with_max_bytes(length))?);
    }
    Ok(output)
}

fn decode_block(
    stored: &[u8],
    header: Header,
    left: &mut usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let mut cursor = Cursor::new(stored, 0, "Blosc block");
    let length = context.max_bytes();
    let streams = header.streams(length);
    let stream_length = length.checked_div(streams).unwrap_or(length);
    let mut block = Vec::new();
    for _ in 0..streams {
        context.cancellation().check()?;
        let stored = cursor.u32_le()?;
        let stored = cursor.bytes_u64(stored.into())?;
        take(left, stored)?;
        let before = block.len();
        if stored.len() == stream_length {
            block.extend_from_slice(stored);
        } else {
            block.extend(decode_stream(
                stored,
                header.flags >> 5,
                &context.with_max_bytes(stream_length),
            )?);
        }
        if block.len().saturating_sub(before) != stream_length {
            return Err(CodecError::Damaged(format!("a stream is not of {stream_length} bytes")));
        }
    }
    let element = header.element_length;
    if header.flags & SHUFFLED != 0 && element > 1 {
        block = shuffle::decode(&block, element, context)?;
    } else if header.flags & BIT_SHUFFLED != 0 && length >= element {
        let elements = length.checked_div(element).unwrap_or(0);
        if elements.is_multiple_of(8) {
            let (whole, rest) = block.split_at(elements.saturating_mul(element).min(length));
            let mut steps = Steps::new(context.cancellation());
            let gathered = bitshuffle::gather_elements(whole, element, &mut steps)?;
            block = [&gathered, rest].concat();
        }
    }
    Ok(block)
}

/// Takes a stream off the stored bytes that are left.
pub(crate) fn take(left: &mut usize, stream: &[u8]) -> Result<(), CodecError> {
    let overlap = || CodecError::damaged("its blocks lie in one another");
    *left = left.checked_sub(stream.len()).ok_or_else(overlap)?;
    Ok(())
}

/// Decodes a stream, which must be as long as the context allows.
pub(crate) fn decode_stream(
    stored: &[u8],
    compressor: u8,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    match compressor {
        0 => blosclz::decode(stored, context),
        1 => {
            let mut output = vec![0; context.max_bytes()];
            lz4::decode_block(stored, &mut output)?;
            Ok(output)
        }
        2 => {
            let claimed = snap::raw::decompress_len(stored).unwrap_or(0);
            CodecError::check_length(claimed as u64, context)?;
            let decoded = snap::raw::Decoder::new().decompress_vec(stored);
            decoded.map_err(|error| {
                CodecError::Damaged(format!("a Snappy stream is damaged: {error}"))
            })
        }
        3 => zlib::decode(stored, context),
        4 => zstd::decode(stored, context),
        other => Err(CodecError::Unsupported(format!("Blosc's compressor {other}"))),
    }
}

/// A chunk of `bytes` that is not compressed, with elements of so many bytes, or of one where that is no length.
///
/// # Errors
/// [`CodecError`] for more than 2 GiB.
pub fn encode(bytes: &[u8], element_length: u32) -> Result<Vec<u8>, CodecError> {
    let too_long = || CodecError::unsupported("a chunk of more than 2 GiB");
    let length = i32::try_from(bytes.len()).map_err(|_| too_long())?;
    let stored = i32::try_from(HEADER_LENGTH)
        .ok()
        .and_then(|header| length.checked_add(header))
        .ok_or_else(too_long)?;
    let element_length = u8::try_from(element_length).unwrap_or(1).max(1);
    let start = [2, 1, STORED, element_length];
    let lengths = [length, length.max(1), stored].map(i32::to_le_bytes).concat();
    Ok([&start[..], &lengths, bytes].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_ends, hex};

    fn up_to(bytes: &[u8], most: usize) -> Result<Vec<u8>, CodecError> {
        decode(bytes, &DecodeContext::up_to(most))
    }

    /// 200 values of <i4, n // 3.
    fn data() -> Vec<u8> {
        (0..200_i32).flat_map(|n| (n / 3).to_le_bytes()).collect()
    }

    #[test]
    fn chunks_of_hdf5plugin() {
        // hdf5plugin 7.1, level 5.
        for (name, stored) in [
            (
                "blosclz, shuffled",
                "0201010420030000200300001001000014000000c80000000000000101010202020303030404040505050606060707070808080909090a0a0a0b0b0b0c0c0c0d0d0d0e0e0e0f0f0f1010101111111212121313131414141515151616161717171818181919191a1a1a1b1b1b1c1c1c1d1d1d1e1e1e1f1f1f2020202121212222222323232424242525252626262727272828282929292a2a2a2b2b2b2c2c2c2d2d2d2e2e2e2f2f2f3030303131313232323333333434343535353636363737373838383939393a3a3a3b3b3b3c3c3c3d3d3d3e3e3e3f3f3f40404041414142420c0000002300000000e0b803020000000c0000002300000000e0b803020000000c0000002300000000e0b80302000000",
            ),
            (
                "lz4",
                "020120042003000020030000c5020000140000004900000017000100170104001702040017030400170404001705040017060400170704001708040017090400170a0400170b0400170c0400170d0400170e0400170f0400801000000010000000c8000000100000001100000011000000110000001200000012000000120000001300000013000000130000001400000014000000140000001500000015000000150000001600000016000000160000001700000017000000170000001800000018000000180000001900000019000000190000001a0000001a0000001a0000001b0000001b0000001b0000001c0000001c0000001c0000001d0000001d0000001d0000001e0000001e0000001e0000001f0000001f0000001f00000020000000200000002000000021000000c800000021000000210000002200000022000000220000002300000023000000230000002400000024000000240000002500000025000000250000002600000026000000260000002700000027000000270000002800000028000000280000002900000029000000290000002a0000002a0000002a0000002b0000002b0000002b0000002c0000002c0000002c0000002d0000002d0000002d0000002e0000002e0000002e0000002f0000002f0000002f000000300000003000000030000000310000003100000031000000c80000003200000032000000320000003300000033000000330000003400000034000000340000003500000035000000350000003600000036000000360000003700000037000000370000003800000038000000380000003900000039000000390000003a0000003a0000003a0000003b0000003b0000003b0000003c0000003c0000003c0000003d0000003d0000003d0000003e0000003e0000003e0000003f0000003f0000003f0000004000000040000000400000004100000041000000410000004200000042000000",
            ),
            (
                "lz4hc, shuffled by bit",
                "02012404200300002003000081000000140000003c0000003f388ee30300033fc00ffc0300033f00f0ff0300036f000000ffffff060002031c00050d00080c00091f000e19000a25000f140000600000000000000b0000001f000100af5000000000000b0000001f000100af5000000000000b0000001f000100af500000000000",
            ),
            (
                "zlib, shuffled",
                "020161042003000020030000fd00000014000000b5000000785e05c185018200000030ba4b5a4052ba4352caff8f7203000004410882601846100445510cc3701c27088224498aa2689a66188665598ee3789e1704e1f17888a22849922ccb8aa2a8aaaa699aaeebcfe7d3300cd3342dcb7abd5eb66d3b8ee3baaee779beef0741f07ebfc3308ca2288ee32449d234cdb22ccff3a228cab2acaaaaaeeba669dab6edbaaeeffb61183e9fcf388ed334cdf3bc2ccbbaaedbb67dbfdf7ddf8fe338cff3baaefbbe7fbf3faf3419a80c000000785e6360181e000000c800010c000000785e6360181e000000c800010c000000785e6360181e000000c80001",
            ),
            (
                "zstd, shuffled",
                "020191042003000020030000f400000014000000dc00000028b52ffd602002950600940c0000000101010202020303030404040505050606060707070808080909090a0a0a0b0b0b0c0c0c0d0d0d0e0e0e0f0f0f1010101111111212121313131414141515151616161717171818181919191a1a1a1b1b1b1c1c1c1d1d1d1e1e1e1f1f1f2020202121212222222323232424242525252626262727272828282929292a2a2a2b2b2b2c2c2c2d2d2d2e2e2e2f2f2f3030303131313232323333333434343535353636363737373838383939393a3a3a3b3b3b3c3c3c3d3d3d3e3e3e3f3f3f4040404141414242000100492a159002",
            ),
        ] {
            let stored = hex(stored);
            assert_eq!(up_to(&stored, 800).unwrap(), data(), "{name}");
            assert!(up_to(&stored, 799).is_err(), "{name}");
            let cut = |end: usize| up_to(&stored[..end], 800).is_err();
            assert!((0..stored.len()).all(cut), "{name}");
        }
    }

    #[test]
    fn what_is_encoded_decodes() {
        let stored = encode(&data(), 4).unwrap();
        assert_eq!(up_to(&stored, 800).unwrap(), data());
    }

    #[test]
    fn one_stream_is_no_two_blocks() {
        // Blocks of 4 bytes in streams that zlib makes of them; the second block's place is that of the first.
        let stream = zlib::encode(b"abcd", 6).unwrap();
        let chunk = |second: u32| {
            let mut chunk = vec![2, 1, 3 << 5 | UNCUT, 1, 8, 0, 0, 0, 4, 0, 0, 0, 99, 0, 0, 0];
            chunk.extend([24_u32.to_le_bytes(), second.to_le_bytes()].concat());
            for _ in 0..2 {
                chunk.extend(u32::try_from(stream.len()).unwrap().to_le_bytes());
                chunk.extend(&*stream);
            }
            up_to(&chunk, 8)
        };
        let second = 24 + 4 + u32::try_from(stream.len()).unwrap();
        assert_eq!(chunk(second).unwrap(), b"abcdabcd");
        let mut long = vec![2, 1, 3 << 5 | UNCUT, 1, 0, 1, 0, 0, 1, 0, 0, 0, 99, 0, 0, 0];
        long.extend(1040_u32.to_le_bytes().repeat(256));
        long.extend(u32::try_from(stream.len()).unwrap().to_le_bytes());
        long.extend(&*zlib::encode(b"a", 6).unwrap());
        long.extend([0; 20]);
        let error = up_to(&long, 256).unwrap_err().to_string();
        assert!(error.contains("in one another"), "{error}");
    }

    #[test]
    fn claims_are_checked() {
        let mut chunk = encode(&data(), 0).unwrap();
        chunk[0] = 9; // version
        assert!(matches!(up_to(&chunk, 800), Err(CodecError::Unsupported(_))));
        let no_blocks = [2, 1, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0];
        assert!(up_to(&no_blocks, 800).is_err());
        let snappy = |stream: &[u8]| {
            let mut chunk = vec![2, 1, 2 << 5 | UNCUT, 1, 4, 0, 0, 0, 4, 0, 0, 0, 30, 0, 0, 0];
            chunk.extend([20, 0, 0, 0, u8::try_from(stream.len()).unwrap(), 0, 0, 0]);
            chunk.extend(stream);
            up_to(&chunk, 800)
        };
        assert_eq!(snappy(&[4, 0, b'x', 10, 1, 0]).unwrap_or_default(), b"xxxx");
        assert!(snappy(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0]).is_err());
    }

    /// A chunk of 1 MiB in blocks of `block` bytes, each of which is this stream.
    fn long(block: u32, flags: u8, element_length: u8, stream: &[u8]) -> Vec<u8> {
        let total = 1_u32 << 20;
        let mut chunk = vec![2, 1, flags, element_length];
        chunk.extend([total, block, 99].map(u32::to_le_bytes).concat());
        let (blocks, length) = (total / block, u32::try_from(stream.len()).unwrap());
        for number in 0..blocks {
            let start = 16 + 4 * blocks + number * (length + 4);
            chunk.extend(start.to_le_bytes());
        }
        for _ in 0..blocks {
            chunk.extend(length.to_le_bytes());
            chunk.extend(stream);
        }
        chunk
    }

    #[test]
    fn long_chunks_end_with_the_work() {
        let zeros = |length: u32| vec![0; usize::try_from(length).unwrap()];
        for block in [1 << 20, 1 << 14] {
            let zlib = zlib::encode(&zeros(block), 1).unwrap();
            let zstd = zstd::encode(&zeros(block));
            let snappy = snap::raw::Encoder::new().compress_vec(&zeros(block)).unwrap();
            for (compressor, stream) in [(3, zlib), (4, zstd), (2, snappy)] {
                for (shuffled, element) in [(SHUFFLED, 4), (BIT_SHUFFLED, 4)] {
                    let flags = compressor << 5 | UNCUT | shuffled;
                    let chunk = long(block, flags, element, &stream);
                    assert_ends(1 << 20, |context| decode(&chunk, context));
                }
            }
        }
    }
}
