// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long it takes to decode chunks of 256 MiB, and how long after a deadline decoding one ends. To be run in release.

use std::time::{Duration, Instant};

use chunkref_codecs::{CodecError, ElementType, blosc, lz4, sz3, szip, zlib, zstd};
use chunkref_core::{Cancellation, DecodeContext};

/// Bytes of a chunk.
const LENGTH: u32 = 256 << 20;

/// A chunk, and its decoder.
type Case = (&'static str, Vec<u8>, fn(&[u8], &DecodeContext<'_>) -> Result<Vec<u8>, CodecError>);

/// A chunk of Blosc in blocks of `block` bytes that all are the same stream.
fn blosc_chunk(block: u32, flags: u8, stream: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(stream.len()).ok()?;
    let blocks = LENGTH.checked_div(block)?;
    let mut chunk = vec![2, 1, flags | 16, 4];
    chunk.extend([LENGTH, block, 99].map(u32::to_le_bytes).concat());
    for number in 0..blocks {
        let start = blocks.checked_mul(4)?.checked_add(16)?;
        let place = length.checked_add(4)?.checked_mul(number)?.checked_add(start)?;
        chunk.extend(place.to_le_bytes());
    }
    chunk.extend([&length.to_le_bytes(), stream].concat().repeat(usize::try_from(blocks).ok()?));
    Some(chunk)
}

/// A chunk of SZ3 along one axis by interpolation, of 32-bit integers whose codes are all in the middle.
fn sz3_chunk(count: u64) -> Vec<u8> {
    let mut inner = count.to_le_bytes().to_vec();
    inner.extend([32_u32, 1, 0].map(u32::to_le_bytes).concat());
    inner.push(0);
    inner.extend(1_f64.to_le_bytes().iter().chain(&4_u32.to_le_bytes()).chain(&[0; 8]));
    inner.extend([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1]);
    inner.extend([0; 8]);
    let mut config = [&[1][..], &count.to_le_bytes(), &count.to_le_bytes(), &[2]].concat();
    config.extend([&[0; 17][..], &[1, 0, 0, 0], &[0; 25]].concat());
    let head = (inner.len() as u64).to_le_bytes();
    let length = u32::try_from(config.len()).unwrap_or_default().to_le_bytes();
    [&head[..], &zstd::encode(&inner), &config, &length].concat()
}

fn cases() -> Result<Vec<Case>, CodecError> {
    let length = usize::try_from(LENGTH).unwrap_or(usize::MAX);
    let numbers: Vec<u8> = (0..LENGTH / 4).flat_map(|n| (n / 7 % 5000).to_le_bytes()).collect();
    let block: Vec<u8> = numbers.iter().copied().take(1 << 18).collect();
    let stream = zlib::encode(&block, 6)?;
    let blosc = blosc_chunk(1 << 18, 3 << 5 | 1, &stream).unwrap_or_default();
    let parameters = szip::Parameters::new(169, 32, 32, 4096)?;
    let szip = szip::encode(&numbers, &parameters)?;
    // One block of LZ4: a literal, and a copy of it up to five literals at the end.
    let copies = length.saturating_sub(25);
    let mut block = vec![0x1f, 7, 1, 0];
    block.resize(block.len().saturating_add(copies / 255), 255);
    block.push(u8::try_from(copies % 255).unwrap_or_default());
    block.extend([0x50, 7, 7, 7, 7, 7]);
    let stored = u32::try_from(block.len()).unwrap_or_default().to_be_bytes();
    let lz4 = [&(length as u64).to_be_bytes()[..], &LENGTH.to_be_bytes(), &stored, &block].concat();
    Ok(vec![
        ("zlib", zlib::encode(&numbers, 6)?, zlib::decode),
        ("blosc, zlib in blocks of 256 KiB", blosc, blosc::decode),
        ("sz3, interpolation", sz3_chunk(u64::from(LENGTH / 4)), |bytes, context| {
            let parameters = sz3::Parameters::new(ElementType::I32, u64::from(LENGTH / 4));
            sz3::decode(bytes, &parameters, context)
        }),
        ("szip", szip, |bytes, context| {
            szip::decode(bytes, &szip::Parameters::new(169, 32, 32, 4096)?, context)
        }),
        ("lz4, in one block", lz4, lz4::decode),
    ])
}

#[expect(clippy::print_stdout, reason = "what the program is for")]
fn main() -> Result<(), CodecError> {
    let length = usize::try_from(LENGTH).unwrap_or(usize::MAX);
    for (what, stored, decode) in cases()? {
        let begin = Instant::now();
        let whole = decode(&stored, &DecodeContext::up_to(length))?.len();
        let time = begin.elapsed();
        let deadline = (time / 3).min(Duration::from_millis(500));
        let cancellation = Cancellation::never().within(Some(deadline));
        let begin = Instant::now();
        let outcome = decode(&stored, &DecodeContext::new(length, &cancellation));
        let late = begin.elapsed().saturating_sub(deadline);
        let ended = matches!(outcome, Err(CodecError::Cancelled(_)));
        println!(
            "{what}: {whole} bytes in {time:.2?}; with a deadline of {deadline:.2?} {} {late:.2?} after it",
            if ended { "ended" } else { "NOT ended, done" },
        );
    }
    Ok(())
}
