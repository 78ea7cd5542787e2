// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deflate, filter 1: a zlib stream.

use std::io::Write;

use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::Fault;

/// Undoes the filter.
pub(crate) fn decode(bytes: &[u8], room: usize) -> Result<Vec<u8>, Fault> {
    Fault::read_to_end(ZlibDecoder::new(bytes), room)
}

/// Applies the filter; `values` holds the level.
pub(crate) fn encode(bytes: &[u8], values: &[u32]) -> Result<Vec<u8>, Fault> {
    let level = Compression::new(values.first().copied().unwrap_or(6).min(9));
    let mut encoder = ZlibEncoder::new(Vec::new(), level);
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
