// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gzip files: numcodecs' and Zarr's `gzip`.

use std::io::Write;

use chunkref_core::DecodeContext;
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::CodecError;
use crate::library::{Input, fault, read_to_end};

/// Decodes all members of a file.
///
/// # Errors
/// [`CodecError`] for a member that is damaged, for too many bytes, and for work that was ended.
pub fn decode(bytes: &[u8], context: &DecodeContext<'_>) -> Result<Vec<u8>, CodecError> {
    read_to_end(MultiGzDecoder::new(Input::new(bytes, context)), context)
}

/// A file of one member, compressed at a level from 0 to 9.
///
/// # Errors
/// [`CodecError`] when the compressor fails.
pub fn encode(bytes: &[u8], level: u32) -> Result<Vec<u8>, CodecError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level.min(9)));
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_err(|error| fault(&error, &DecodeContext::up_to(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Ended, assert_ends};

    #[test]
    fn members_follow_one_another() {
        let stored = encode(b"abc", 6).unwrap();
        let twice = stored.repeat(2);
        assert_eq!(decode(&twice, &DecodeContext::up_to(6)).unwrap(), b"abcabc");
        assert!(decode(&twice, &DecodeContext::up_to(5)).is_err());
        let whole = |end: usize| decode(&twice[..end], &DecodeContext::up_to(6));
        assert!((1..twice.len()).all(|end| end == stored.len() || whole(end).is_err()));
    }

    #[test]
    fn long_files_end_with_the_work() {
        let stored = encode(&vec![0; 1 << 20], 1).unwrap();
        assert_ends(1 << 20, |context| decode(&stored, context));
        // Members that hold nothing make no output.
        let nothing = encode(&[], 6).unwrap().repeat(1 << 15);
        let ended = Ended::after(4);
        assert!(matches!(decode(&nothing, &ended.context(100)), Err(CodecError::Cancelled(_))));
        assert_eq!(decode(&nothing, &DecodeContext::up_to(100)), Ok(Vec::new()));
    }
}
