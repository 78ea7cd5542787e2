// SPDX-License-Identifier: MIT OR Apache-2.0
//! `BloscLZ`, the coder that Blosc brings.

use chunkref_core::{Cursor, DecodeContext};

use crate::CodecError;
use crate::output::Output;

/// Distances from here on have two bytes of their own.
const FAR_DISTANCE: usize = 8191;

/// Decodes a stream.
pub(crate) fn decode(bytes: &[u8], context: &DecodeContext<'_>) -> Result<Vec<u8>, CodecError> {
    let mut cursor = Cursor::new(bytes, 0, "BloscLZ stream");
    let mut output = Output::new(context);
    let mut control = usize::from(cursor.u8()?) & 31;
    loop {
        if control < 32 {
            output.extend(cursor.bytes(control.saturating_add(1))?)?;
        } else {
            let mut length = (control >> 5).saturating_sub(1);
            if length == 6 {
                loop {
                    let more = cursor.u8()?;
                    length = length.saturating_add(more.into());
                    if more != 255 {
                        break;
                    }
                }
            }
            let (high, low) = (control & 31, usize::from(cursor.u8()?));
            let distance = if high == 31 && low == 255 {
                usize::from(cursor.u16_be()?).saturating_add(FAR_DISTANCE)
            } else {
                high << 8 | low
            };
            output.repeat(distance.saturating_add(1), length.saturating_add(3))?;
        }
        if cursor.remaining() == 0 {
            return Ok(output.into_bytes());
        }
        control = cursor.u8()?.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_ends;

    fn up_to(bytes: &[u8], most: usize) -> Result<Vec<u8>, CodecError> {
        decode(bytes, &DecodeContext::up_to(most))
    }

    #[test]
    fn near_far_and_long_copies() {
        // Two literals; 3 + 1 from 2 back; 9 + 255 + 1 from 1 back.
        let stream = [1, 7, 8, 0x40, 1, 0xe0, 255, 1, 0];
        let decoded = up_to(&stream, 271).unwrap();
        assert_eq!(decoded[..6], [7, 8, 7, 8, 7, 8]);
        assert_eq!((decoded.len(), &decoded[6..]), (271, &[8; 265][..]));
        assert!(up_to(&stream, 270).is_err());
        assert!(up_to(&[], 10).is_err() && up_to(&[0, 7, 0x20, 1], 10).is_err());
        // A far copy: 8192 + 1 back from byte 8200.
        let mut far = vec![1, 7, 8, 0xe0];
        far.extend([255; 32]);
        far.extend([29, 1]); // 9 + 32 * 255 + 29 = 8198 from 2 back
        far.extend([0x3f, 255, 0, 1]); // three from 8191 + 1 + 1 back
        let decoded = up_to(&far, 9000).unwrap();
        assert_eq!(decoded.len(), 8203);
        assert_eq!(decoded[8200..], decoded[7..10]);
    }

    #[test]
    fn long_streams_end_with_the_work() {
        // A literal, and one copy of 9 + 4200 * 255 + 1 bytes.
        let stream = [&[0, 7, 0xe0][..], &[255; 4200], &[0, 0]].concat();
        assert_ends(1 << 20, |context| decode(&stream, &context.with_max_bytes(usize::MAX)));
    }
}
