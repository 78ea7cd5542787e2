// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chunks that would become large: every decoder stops where the chunk must end, and makes no more room than that.

use std::io::Write;

use allocation_counter::measure;
use chunkref::core::DecodeContext;
use chunkref::model::Codec;
use chunkref::read::decode;

/// Bytes that the chunk has.
const LENGTH: usize = 100_000;

/// Tables and buffers of the largest decoder.
const OVERHEAD: u64 = 8 << 20;

/// What a bomb would become.
const LARGE: usize = 64 << 20;

/// The error of decoding, which must not take much memory.
#[track_caller]
fn refused(codec: Codec, stored: Vec<u8>) {
    let name = codec.name().to_owned();
    assert!(stored.len() < 8 << 20, "{name}: a bomb is small");
    let (codecs, stored) = ([codec], bytes::Bytes::from(stored));
    let mut outcome = None;
    let cost = measure(|| outcome = Some(decode(&codecs, stored, &DecodeContext::up_to(LENGTH))));
    let outcome = outcome.unwrap();
    assert!(outcome.is_err(), "{name} gives {} bytes", outcome.unwrap().len());
    assert!(cost.bytes_max < 4 * LENGTH as u64 + OVERHEAD, "{name}: {cost:?}");
}

fn zlib(length: usize) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![0; 1 << 20];
    (0..length >> 20).for_each(|_| encoder.write_all(&zeros).unwrap());
    encoder.finish().unwrap()
}

/// A frame of blocks that repeat one byte, four bytes for each 128 KiB.
fn zstd(length: usize) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    let blocks = length >> 17;
    for block in 0..blocks {
        let header = (1_u32 << 17) << 3 | 1 << 1 | u32::from(block + 1 == blocks);
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(7);
    }
    frame
}

/// A chunk of Blosc that claims `total` bytes, in one block whose streams a compressor made.
fn blosc(total: u32, compressor: u8, stream: &[u8]) -> Vec<u8> {
    let mut chunk = vec![2, 1, compressor << 5 | 16, 1];
    chunk.extend([total.to_le_bytes(), total.to_le_bytes(), 99_u32.to_le_bytes()].concat());
    chunk.extend(20_u32.to_le_bytes());
    chunk.extend(u32::try_from(stream.len()).unwrap().to_le_bytes());
    chunk.extend(stream);
    chunk
}

#[test]
fn no_decoder_gives_more_than_a_chunk() {
    let deflated = zlib(LARGE);
    refused(Codec::new("zlib"), deflated.clone());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&vec![0; 4 << 20]).unwrap();
    // Members one after another.
    refused(Codec::new("gzip"), gzip.finish().unwrap().repeat(16));
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&vec![0; 4 << 20]).unwrap();
    refused(Codec::new("bz2"), bzip2.finish().unwrap().repeat(16));
    refused(Codec::new("zstd"), zstd(1 << 30));
    let small = u32::try_from(LENGTH).unwrap();
    for total in [small, small + 1, u32::MAX] {
        refused(Codec::new("blosc"), blosc(total, 3, &deflated));
        refused(Codec::new("blosc"), blosc(total, 4, &zstd(1 << 30)));
        // Snappy's own claim of 4 GiB.
        refused(Codec::new("blosc"), blosc(total, 2, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0]));
    }
    // LZF: a literal, then copies of 264 bytes.
    let lzf = [&[0, 7][..], &[0xe0, 255, 0].repeat(LARGE / 264)].concat();
    refused(Codec::new("imagecodecs_lzf"), lzf);
    // LZ4: a frame that claims too much, and one whose only block holds more than it says.
    let lz4 = |total: u64, block: u32, stream: &[u8]| {
        let length = u32::try_from(stream.len()).unwrap();
        let head = [&total.to_be_bytes()[..], &block.to_be_bytes(), &length.to_be_bytes()];
        [head.concat(), stream.to_vec()].concat()
    };
    let long = [&[0x1f, 7, 1, 0][..], &vec![255; 300_000], &[0, 0]].concat();
    refused(Codec::new("imagecodecs_lz4h5"), lz4(u64::MAX, 1 << 20, &long));
    refused(Codec::new("imagecodecs_lz4h5"), lz4(LENGTH as u64, small, &long));
    let bitshuffle = Codec::new("imagecodecs_bitshuffle").with("itemsize", 4).with("blocksize", 0);
    refused(bitshuffle, vec![0; 3 * LENGTH]);
}

#[test]
fn a_chain_of_codecs_is_bounded_at_every_step() {
    // The step between may be longer than the chunk by what an encoder adds, and no more.
    let codecs = [Codec::new("zlib"), Codec::new("zlib")];
    let mut twice = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    twice.write_all(&zlib(LARGE)).unwrap();
    let stored = bytes::Bytes::from(twice.finish().unwrap());
    let mut outcome = None;
    let cost = measure(|| outcome = Some(decode(&codecs, stored, &DecodeContext::up_to(LENGTH))));
    assert!(outcome.unwrap().is_err());
    assert!(cost.bytes_max < 4 * LENGTH as u64 + OVERHEAD, "{cost:?}");
    // What does not shrink is longer encoded, and still decodes.
    let noise: Vec<u8> = (0..LENGTH as u64)
        .map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0])
        .collect();
    let encode = |data: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::none());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    };
    let stored = encode(&encode(&noise));
    assert_eq!(decode(&codecs, stored.into(), &DecodeContext::up_to(LENGTH)).unwrap(), noise);
}
