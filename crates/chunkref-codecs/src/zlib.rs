// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zlib streams: numcodecs' `zlib`, HDF5's filter 1 (deflate).

use std::io::Write;

use chunkref_core::DecodeContext;
use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::CodecError;
use crate::library::{Input, fault, read_to_end};

/// The level of zlib itself, where none is given.
pub const DEFAULT_LEVEL: u32 = 6;

/// Decodes a stream. Bytes behind it do not count.
///
/// # Errors
/// [`CodecError`] for a stream that is damaged or too long, and for work that was ended.
pub fn decode(bytes: &[u8], context: &DecodeContext<'_>) -> Result<Vec<u8>, CodecError> {
    read_to_end(ZlibDecoder::new(Input::new(bytes, context)), context)
}

/// A stream of `bytes`, compressed at a level from 0 to 9.
///
/// # Errors
/// [`CodecError`] when the compressor fails.
pub fn encode(bytes: &[u8], level: u32) -> Result<Vec<u8>, CodecError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level.min(9)));
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_err(|error| fault(&error, &DecodeContext::up_to(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_ends;

    #[test]
    fn streams_are_undone_up_to_their_end() {
        let data: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let stored = encode(&data, DEFAULT_LEVEL).unwrap();
        let decode = |bytes: &[u8], most| decode(bytes, &DecodeContext::up_to(most));
        assert_eq!(decode(&stored, 1000).unwrap(), data);
        assert_eq!(decode(&[&stored[..], b"more"].concat(), 1000).unwrap(), data);
        assert!(decode(&stored, 999).unwrap_err().to_string().contains("more than 999 bytes"));
        assert!((0..stored.len()).all(|end| decode(&stored[..end], 1000).is_err()));
    }

    #[test]
    fn long_streams_end_with_the_work() {
        let stored = encode(&vec![0; 1 << 20], 1).unwrap();
        assert!(stored.len() < 1 << 13);
        assert_ends(1 << 20, |context| decode(&stored, context));
    }

    #[test]
    fn empty_blocks_end_with_the_work() {
        // Stored blocks of no bytes, five bytes each, which make no output.
        let stored = [&[0x78, 0x01][..], &[0, 0, 0, 0xff, 0xff].repeat(1 << 18)].concat();
        let ended = crate::testing::Ended::after(4);
        let outcome = decode(&stored, &ended.context(100));
        assert!(matches!(outcome, Err(CodecError::Cancelled(_))));
        assert!(decode(&stored, &DecodeContext::up_to(100)).is_err());
    }
}
