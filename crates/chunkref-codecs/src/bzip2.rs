// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bzip2: numcodecs' `bz2`, HDF5's filter 307.

use std::io::Write;

use bzip2::Compression;
use bzip2::bufread::{BzDecoder, MultiBzDecoder};
use bzip2::write::BzEncoder;
use chunkref_core::DecodeContext;

use crate::CodecError;
use crate::library::{Input, fault, read_to_end};

/// Which of the streams that follow one another are a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// The first one; bytes behind it do not count. This is what HDF5's filter reads.
    First,
    /// All of them. This is what numcodecs reads.
    All,
}

/// The level of bzip2 itself, where none is given.
pub const DEFAULT_LEVEL: u32 = 9;

/// Decodes streams.
///
/// # Errors
/// [`CodecError`] for a stream that is damaged, for too many bytes, and for work that was ended.
pub fn decode(
    bytes: &[u8],
    streams: Streams,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let input = Input::new(bytes, context);
    match streams {
        Streams::First => read_to_end(BzDecoder::new(input), context),
        Streams::All => read_to_end(MultiBzDecoder::new(input), context),
    }
}

/// One stream of `bytes`; the level, from 1 to 9, is the length of its blocks in units of 100,000 bytes.
///
/// # Errors
/// [`CodecError`] when the compressor fails.
pub fn encode(bytes: &[u8], level: u32) -> Result<Vec<u8>, CodecError> {
    let mut encoder = BzEncoder::new(Vec::new(), Compression::new(level.clamp(1, 9)));
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_err(|error| fault(&error, &DecodeContext::up_to(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Ended, assert_ends, hex};

    #[test]
    fn a_stream_of_hdf5plugin() {
        // hdf5plugin 7.1: 40 values of <i4, n // 3.
        let stream = hex(
            "425a6839314159265359de548650000001c0007ffe200031000004521a007a1a356ccb770e5d198dbc7af9911098443e2ee48a70a121bca90ca0",
        );
        let data: Vec<u8> = (0..40_i32).flat_map(|n| (n / 3).to_le_bytes()).collect();
        let first = |bytes: &[u8], most| decode(bytes, Streams::First, &DecodeContext::up_to(most));
        assert_eq!(first(&stream, 160).unwrap(), data);
        assert!(first(&stream, 159).is_err());
        assert!((0..stream.len()).all(|end| first(&stream[..end], 160).is_err()));
        assert_eq!(first(&encode(&data, 9).unwrap(), 160).unwrap(), data);
        let all = |bytes: &[u8], most| decode(bytes, Streams::All, &DecodeContext::up_to(most));
        assert_eq!(first(&stream.repeat(2), 320).unwrap(), data);
        assert_eq!(all(&stream.repeat(2), 320).unwrap(), data.repeat(2));
        assert!(all(&stream.repeat(2), 319).is_err());
    }

    #[test]
    fn long_streams_end_with_the_work() {
        let stored = encode(&vec![0; 1 << 20], 1).unwrap();
        for streams in [Streams::First, Streams::All] {
            assert_ends(1 << 20, |context| decode(&stored, streams, context));
        }
        // Streams that hold nothing make no output.
        let nothing = encode(&[], 9).unwrap().repeat(1 << 15);
        let ended = Ended::after(4);
        let outcome = decode(&nothing, Streams::All, &ended.context(100));
        assert!(matches!(outcome, Err(CodecError::Cancelled(_))), "{outcome:?}");
    }
}
