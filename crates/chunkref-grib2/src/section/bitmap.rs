// SPDX-License-Identifier: MIT OR Apache-2.0
//! Section 6: which points have values.

use chunkref_core::{Cursor, Truncated};

/// Section 6. The bits themselves are of no interest to a scan.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, section 6, table 6.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bitmap {
    /// The bits follow.
    Here,
    /// A bit map of the centre, by its number.
    Predefined(u8),
    /// The bit map of the field before it in the same message.
    Previous,
    /// Every point has a value.
    None,
}

impl Bitmap {
    /// The octet after length and number.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(match cursor.u8()? {
            0 => Self::Here,
            254 => Self::Previous,
            255 => Self::None,
            number => Self::Predefined(number),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indicators() {
        let parse = |byte| Bitmap::parse(&mut Cursor::new(&[byte], 0, "bit-map section")).unwrap();
        assert_eq!(parse(0), Bitmap::Here);
        assert_eq!(parse(7), Bitmap::Predefined(7));
        assert_eq!(parse(254), Bitmap::Previous);
        assert_eq!(parse(255), Bitmap::None);
    }
}
