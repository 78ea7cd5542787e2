// SPDX-License-Identifier: MIT OR Apache-2.0
//! LZF: the bare stream of liblzf, without its length, as HDF5's filter 32000 (which h5py brings) and imagecodecs' `lzf`
//! have it.

use chunkref_core::{Cursor, DecodeContext};

use crate::CodecError;
use crate::output::Output;

/// Literals that one control byte announces at the most.
const MAX_LITERALS: usize = 32;

/// Decodes a stream.
///
/// # Errors
/// [`CodecError`] for bytes that are damaged, for too many of them, and for work that was ended.
pub fn decode(bytes: &[u8], context: &DecodeContext<'_>) -> Result<Vec<u8>, CodecError> {
    let mut cursor = Cursor::new(bytes, 0, "lzf stream");
    let mut output = Output::new(context);
    while cursor.remaining() > 0 {
        let control = usize::from(cursor.u8()?);
        if control < MAX_LITERALS {
            output.extend(cursor.bytes(control.saturating_add(1))?)?;
            continue;
        }
        let mut length = control >> 5;
        if length == 7 {
            length = length.saturating_add(cursor.u8()?.into());
        }
        let distance = ((control & 0x1f) << 8 | usize::from(cursor.u8()?)).saturating_add(1);
        output.repeat(distance, length.saturating_add(2))?;
    }
    Ok(output.into_bytes())
}

/// A stream of `bytes`, of literals alone.
#[must_use]
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    for literals in bytes.chunks(MAX_LITERALS) {
        output.push(u8::try_from(literals.len().saturating_sub(1)).unwrap_or_default());
        output.extend_from_slice(literals);
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_ends, hex};

    fn up_to(bytes: &[u8], most: usize) -> Result<Vec<u8>, CodecError> {
        decode(bytes, &DecodeContext::up_to(most))
    }

    #[test]
    fn a_stream_of_h5py() {
        // h5py 3.16: 40 values of <i4, n // 3.
        let stream = hex(
            "010000e001000001200ac0030002200bc0030003200bc0030004200bc0030005200bc0030006200bc0030007200bc0030008200bc0030009200bc003000a200bc003000b200bc003000c200bc003030d000000",
        );
        let data: Vec<u8> = (0..40_i32).flat_map(|n| (n / 3).to_le_bytes()).collect();
        assert_eq!(up_to(&stream, 160).unwrap(), data);
        assert!(up_to(&stream, 159).is_err());
        assert!(up_to(&stream[..stream.len() - 1], 160).is_err());
    }

    #[test]
    fn what_is_encoded_decodes() {
        let data: Vec<u8> = (0..=255).collect();
        assert_eq!(up_to(&encode(&data), 256).unwrap(), data);
        assert!(up_to(&encode(&[]), 0).unwrap().is_empty());
    }

    #[test]
    fn a_copy_from_before_the_start_is_an_error() {
        assert!(up_to(&[0, 7, 0x20, 1], 100).is_err());
        assert_eq!(up_to(&[0, 7, 0x20, 0], 100).unwrap(), [7; 4]);
    }

    #[test]
    fn long_streams_end_with_the_work() {
        // A literal, then copies of 264 bytes.
        let stream = [&[0, 7][..], &[0xe0, 255, 0].repeat(4000)].concat();
        assert_ends(1 << 20, |context| decode(&stream, &context.with_max_bytes(usize::MAX)));
    }
}
