// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the unit tests of several parsers need.

use chunkref_core::Limits;

use crate::context::Context;

/// 8-byte addresses and lengths, base 0.
pub(crate) fn context() -> Context {
    Context { size_of_offsets: 8, size_of_lengths: 8, base: 0, limits: Limits::default() }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
