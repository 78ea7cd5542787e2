// SPDX-License-Identifier: MIT OR Apache-2.0
//! Section 0: edition, discipline and length of a message.

use chunkref_core::{Cursor, Truncated};

/// Octets of section 0 of an edition 2 message; edition 1 has 8.
pub(crate) const INDICATOR_BYTES: u64 = 16;

/// The first four octets of a message.
pub(crate) const SIGNATURE: [u8; 4] = *b"GRIB";

/// The last four octets of a message.
pub(crate) const END: [u8; 4] = *b"7777";

/// Least octets of a message that can be one: section 0 and the end section.
const LEAST_BYTES: u64 = 20;

/// Section 0.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, section 0; FM 92-IX edition 1, section 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Indicator {
    /// 1 or 2.
    pub(crate) edition: u8,
    /// Table 0.0; 0 in edition 1, which has none.
    pub(crate) discipline: u8,
    /// Bytes of the whole message.
    pub(crate) length: u64,
}

impl Indicator {
    /// Section 0 at the cursor, or `None` when no message that can be read begins here.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Option<Self>, Truncated> {
        if cursor.array()? != SIGNATURE {
            return Ok(None);
        }
        let (first, discipline, edition) = (cursor.u16_be()?, cursor.u8()?, cursor.u8()?);
        let indicator = match edition {
            1 => {
                let length = (u64::from(first) << 8) | u64::from(discipline);
                Self { edition, discipline: 0, length }
            }
            2 => Self { edition, discipline, length: cursor.u64_be()? },
            _ => return Ok(None),
        };
        Ok((indicator.length >= LEAST_BYTES).then_some(indicator))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Option<Indicator>, Truncated> {
        Indicator::parse(&mut Cursor::new(bytes, 0, "indicator section"))
    }

    #[test]
    fn both_editions() {
        let two = b"GRIB\xff\xff\x0a\x02\x00\x00\x00\x01\x00\x00\x00\x10";
        assert_eq!(
            parse(two),
            Ok(Some(Indicator { edition: 2, discipline: 10, length: (1 << 32) + 16 }))
        );
        let one = b"GRIB\x01\x02\x03\x01";
        assert_eq!(parse(one), Ok(Some(Indicator { edition: 1, discipline: 0, length: 0x10203 })));
    }

    #[test]
    fn what_is_no_message() {
        assert_eq!(parse(b"GRIC\x00\x00\x00\x02"), Ok(None));
        assert_eq!(parse(b"GRIB\x00\x00\x00\x03"), Ok(None), "edition 3");
        assert_eq!(parse(b"GRIB\x00\x00\x13\x01"), Ok(None), "19 bytes");
        assert_eq!(parse(b"GRIB\x00\x00\x00\x02\x00").unwrap_err().needed, 8);
    }
}
