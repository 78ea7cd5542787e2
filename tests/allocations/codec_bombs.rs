// SPDX-License-Identifier: MIT OR Apache-2.0
//! Small chunks of every codec that claim much: huge outputs, huge tables, runs without end. Whatever comes of them, it is
//! made within memory in proportion to what the chunk may have.

use allocation_counter::measure;
use chunkref::core::DecodeContext;
use chunkref_codecs::nbit::Parameters as Nbit;
use chunkref_codecs::scaleoffset::{Class, Parameters as ScaleOffset};
use chunkref_codecs::szip::Parameters as Szip;
use chunkref_codecs::zfp::Parameters as Zfp;
use chunkref_codecs::{
    CodecError, ElementType, bitshuffle, blosc2, nbit, scaleoffset, sz2, sz3, szip, zfp, zstd,
};

/// Bytes that the chunk may have.
const LENGTH: usize = 100_000;

/// Tables and buffers of the largest decoder.
const OVERHEAD: u64 = 8 << 20;

/// Times as much as comes out that a decoder may need in between: SZ has a code, a symbol and a node for each number.
const TIMES: u64 = 160;

/// Decodes a bomb: the outcome, which must not be longer than the chunk nor have taken much memory.
#[track_caller]
fn bounded(
    what: &str,
    stored: &[u8],
    decode: impl Fn(&[u8], &DecodeContext<'_>) -> Result<Vec<u8>, CodecError>,
) -> Result<usize, String> {
    assert!(stored.len() < 1 << 20, "{what}: a bomb is small");
    let mut outcome = None;
    let cost = measure(|| outcome = Some(decode(stored, &DecodeContext::up_to(LENGTH))));
    assert!(cost.bytes_max < TIMES * LENGTH as u64 + OVERHEAD, "{what}: {cost:?}");
    let length = outcome.unwrap().map(|decoded| decoded.len());
    assert!(length.as_ref().is_ok_and(|length| *length <= LENGTH) || length.is_err(), "{what}");
    length.map_err(|error| error.to_string())
}

#[track_caller]
fn refused(
    what: &str,
    stored: &[u8],
    decode: impl Fn(&[u8], &DecodeContext<'_>) -> Result<Vec<u8>, CodecError>,
) {
    let outcome = bounded(what, stored, decode);
    assert!(outcome.is_err(), "{what} gives {outcome:?} bytes");
}

const SMALL: u32 = 100_000;

#[test]
fn szip() {
    for [options, block, bits, line] in [[177, 32, 8, 4096], [141, 16, 32, 240], [177, 2, 64, 2]] {
        let parameters = Szip::new(options, block, bits, line).unwrap();
        let decode =
            |bytes: &[u8], context: &DecodeContext<'_>| szip::decode(bytes, &parameters, context);
        for claimed in [u32::MAX, SMALL + 1] {
            let claim = [&claimed.to_le_bytes()[..], &[0; 100]].concat();
            refused("a length", &claim, decode);
        }
        // Zeros: unary codes without an end. Ones: samples as they are, which end early.
        for byte in [0, 0x55, 0xff] {
            let endless = [&SMALL.to_le_bytes()[..], &[byte; 10_000]].concat();
            refused("endless codes", &endless, decode);
        }
    }
}

#[test]
fn scaleoffset_and_nbit() {
    for count in [u32::MAX, SMALL, SMALL / 4 + 1] {
        for class in [Class::Integer, Class::Float(300)] {
            let parameters = ScaleOffset::new(class, 4, count).unwrap();
            refused("numbers of no bits", &[0; 21], |bytes, context| {
                scaleoffset::decode(bytes, &parameters, context)
            });
        }
    }
    let parameters = ScaleOffset::new(Class::Integer, 4, SMALL / 4).unwrap();
    let decode = |bytes: &[u8], context: &DecodeContext<'_>| {
        scaleoffset::decode(bytes, &parameters, context)
    };
    assert_eq!(bounded("numbers of no bits that fit", &[0; 21], decode), Ok(LENGTH));
    let wide = [&u32::MAX.to_le_bytes()[..], &[255; 17]].concat();
    refused("numbers of 2^32 bits", &wide, decode);

    // Arrays in arrays, of 8 bytes in the end.
    let nested = [&[0, 0, u32::MAX][..], &[2, 1 << 31].repeat(31), &[4, 8]].concat();
    for (what, values) in [
        ("many elements", &[0, 0, u32::MAX, 4, 8][..]),
        ("large elements", &[0, 0, 1, 4, u32::MAX]),
        ("elements of no bits", &[0, 0, SMALL, 3, 2, 0]),
        ("many members", &[0, 0, 1, 3, 8, u32::MAX]),
        ("arrays in arrays", &nested),
    ] {
        refused(what, &[0; 64], |bytes, context| {
            nbit::decode(bytes, &Nbit::from_client_data(values)?, context)
        });
    }
    let fits = |bytes: &[u8], context: &DecodeContext<'_>| {
        nbit::decode(bytes, &Nbit::from_client_data(&[0, 0, SMALL / 2, 3, 2, 0])?, context)
    };
    assert_eq!(bounded("elements of no bits that fit", &[], fits), Ok(LENGTH));
}

/// A tree of Huffman codes that claims `count` nodes, as SZ writes it, with as many bytes as there are.
fn tree(count: u32, bytes: usize) -> Vec<u8> {
    [&count.to_be_bytes()[..], &[0; 4], &vec![0; bytes]].concat()
}

#[test]
fn sz2() {
    let shape = |count: u64| sz2::Parameters::new(ElementType::U8, [count]).unwrap();
    let stream = |flags: u8, count: u64, rest: &[u8]| {
        let mut stream = vec![2, 1, 12, flags, 0x42];
        stream.resize(18, 0);
        stream.push(101);
        stream.resize(32, 0);
        [&stream[..], &[1], &count.to_be_bytes(), rest].concat()
    };
    let fits = shape(LENGTH as u64);
    let decode = |bytes: &[u8], context: &DecodeContext<'_>| sz2::decode(bytes, &fits, context);
    for count in [LENGTH as u64 + 1, u64::MAX, 1 << 40] {
        refused("many numbers", &stream(0x40, count, &[0; 64]), |bytes, context| {
            sz2::decode(bytes, &shape(count), context)
        });
        refused("another count", &stream(0x40, count, &[0; 64]), decode);
    }
    // Most intervals, intervals, least number, precision, and lengths of codes and of numbers that are stored.
    let head = |codes: u64| [&[0; 24][..], &codes.to_be_bytes(), &[0; 16]].concat();
    for nodes in [1, 257, 65_537, u32::MAX] {
        let codes = tree(nodes, 1000);
        let rest = [head(codes.len() as u64), codes].concat();
        refused("a tree", &stream(0x40, LENGTH as u64, &rest), decode);
        refused("long codes", &stream(0x40, LENGTH as u64, &head(u64::MAX)), decode);
    }
    // What a coder makes of zeros: as much as a stream of so many numbers may have, and more.
    for (length, coder) in [(1 << 22, false), (64 << 20, false), (1 << 22, true)] {
        let zeros = vec![0; length];
        let packed = if coder {
            zstd::encode(&zeros)
        } else {
            chunkref_codecs::zlib::encode(&zeros, 6).unwrap()
        };
        refused("a packed stream", &packed, decode);
    }
    // Trees as large as a stream of so many numbers may have.
    let (large, nodes) = (vec![0; 5_000_000], 500_000_u32);
    let codes = [&nodes.to_be_bytes()[..], &[0; 4], &large].concat();
    let rest = [head(codes.len() as u64), codes].concat();
    let packed = chunkref_codecs::zlib::encode(&stream(0x40, LENGTH as u64, &rest), 6).unwrap();
    refused("a packed tree", &packed, decode);
}

#[test]
fn sz3() {
    let parameters = |count| sz3::Parameters::new(ElementType::U8, count);
    let chunk = |count: u64, claimed: u64, inner: &[u8], shape: &[u64], algorithm: u8| {
        let mut config = vec![u8::try_from(shape.len()).unwrap()];
        config.extend(shape.iter().flat_map(|length| length.to_le_bytes()));
        config.extend(count.to_le_bytes());
        config.push(algorithm);
        config.extend([0; 17]);
        config.extend([1, 0, 0, 0]);
        config.resize(config.len() + 25, 0);
        let length = u32::try_from(config.len()).unwrap().to_le_bytes();
        [&claimed.to_le_bytes()[..], &zstd::encode(inner), &config, &length].concat()
    };
    let fits = LENGTH as u64;
    let decode =
        |bytes: &[u8], context: &DecodeContext<'_>| sz3::decode(bytes, &parameters(fits), context);
    for algorithm in [0, 2] {
        for count in [fits + 1, u64::MAX] {
            let bomb = chunk(count, 100, &[0; 100], &[count], algorithm);
            refused("many numbers", &bomb, |bytes, context| {
                sz3::decode(bytes, &parameters(count), context)
            });
            refused("another count", &bomb, decode);
        }
        let long = chunk(fits, u64::MAX, &[0; 100], &[fits], algorithm);
        refused("a long stream", &long, decode);
        let zeros = vec![0; 4 << 20];
        for claimed in [zeros.len() as u64, 4 << 20, 100] {
            refused("zeros", &chunk(fits, claimed, &zeros, &[fits], algorithm), decode);
        }
        // The largest blocks and the smallest, a tree that claims more than there is.
        for block in [4_u32, 16, 128, 1 << 20] {
            let mut inner = [&fits.to_le_bytes()[..], &block.to_le_bytes()].concat();
            inner.extend([0; 8]);
            inner.extend([&[0; 13][..], &0_u64.to_le_bytes(), &[0; 4]].concat());
            inner.extend(tree(u32::MAX, 1 << 20));
            let bomb = chunk(fits, inner.len() as u64, &inner, &[fits], algorithm);
            refused("a tree", &bomb, decode);
        }
    }
}

#[test]
fn zfp() {
    // Along one to four axes of the greatest length: 2^48 elements each.
    for rank in 1..=4_u64 {
        for scalar in 0..4_u64 {
            let header = scalar | (rank - 1) << 2 | ((1 << 48) - 1) << 4;
            let mode: u64 = 2176;
            let bits = u128::from(header) | u128::from(mode) << 52;
            let mut values = vec![0, u32::from_le_bytes(*b"zfp\x05")];
            let words = bits.to_le_bytes();
            values.extend(words.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())));
            refused("long axes", &[0; 64], |bytes, context| {
                zfp::decode(bytes, &Zfp::from_client_data(&values)?, context)
            });
        }
    }
}

#[test]
fn zstd_windows() {
    // Windows of 1 KiB to 3.75 TiB, and a block that says that it repeats a byte 128 KiB times.
    for window in [0, 10 << 3, 16 << 3, 17 << 3, 0xff] {
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, window, 3, 0, 0x10, 7];
        refused("a window", &frame, zstd::decode);
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, window, 3, 8, 0, 7];
        assert_eq!(bounded("a window", &frame, zstd::decode), Ok(256), "{window}");
    }
    // One segment of 2^63 bytes.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
    frame.extend((1_u64 << 63).to_le_bytes());
    frame.extend([3, 8, 0, 7]);
    refused("a segment", &frame, zstd::decode);
}

#[test]
fn blosc2() {
    // A frame of 100 zeros of <i4, as hdf5plugin 7.1 writes it, which has no chunks.
    let sound = "9ea862326672616d6500d200000061cf00000000000000aca412005003d30000000000000190d30000000000000000d200000004d200000190d200000190d10000d10001c2d8060000000000010000000000000000000093cd0007de0000dc000005010708080000000800000028000000000000000001000000000000000000000000000000000081940193cd0006de0000dc0000ce00000023d80000000000000000000000000000000000";
    let sound: Vec<u8> = (0..sound.len() / 2)
        .map(|at| u8::from_str_radix(&sound[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let frame = |total: u64, chunk: u32| {
        let mut frame = sound.clone();
        frame[30..38].copy_from_slice(&total.to_be_bytes());
        frame[58..62].copy_from_slice(&chunk.to_be_bytes());
        frame
    };
    for (total, chunk) in [
        (u64::MAX, 400),
        (u64::MAX, 1),
        (u64::from(SMALL), 1),
        (u64::from(SMALL) * 8, u32::MAX),
        (u64::from(SMALL) * 1000, u32::MAX),
    ] {
        refused("a length", &frame(total, chunk), blosc2::decode);
    }
    assert_eq!(bounded("zeros", &frame(400, 400), blosc2::decode).ok(), Some(400));
}

#[test]
fn bitshuffle() {
    for compressor in [bitshuffle::Compressor::Lz4, bitshuffle::Compressor::Zstd] {
        let parameters = bitshuffle::Parameters::new(4, 0, compressor).unwrap();
        let decode = |bytes: &[u8], context: &DecodeContext<'_>| {
            bitshuffle::decode(bytes, &parameters, context)
        };
        let chunk = |total: u64, block: u32, stored: &[u8]| {
            let length = u32::try_from(stored.len()).unwrap().to_be_bytes();
            [&total.to_be_bytes()[..], &block.to_be_bytes(), &length, stored].concat()
        };
        let zeros = zstd::encode(&vec![0; 64 << 20]);
        for (total, block) in [(u64::MAX, 8192), (u64::from(SMALL), u32::MAX - 31), (8192, 8192)] {
            refused("a length", &chunk(total, block, &[0; 100]), decode);
            refused("zeros", &chunk(total, block, &zeros), decode);
        }
    }
}
