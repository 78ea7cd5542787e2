// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sections of a message, one module each.

pub(crate) mod bitmap;
pub(crate) mod earth;
pub(crate) mod grid_definition;
pub(crate) mod grid_template;
pub(crate) mod identification;
pub(crate) mod indicator;
pub(crate) mod product_definition;
pub(crate) mod statistics;

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::table::eccodes::key::{Key, Keys, MISSING};

/// Octets of a section's length and number.
pub(crate) const HEADER_BYTES: u64 = 5;

/// One section of a message. Of sections 2, 6 and 7 `bytes` holds the first octets only.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// 1 to 7.
    pub(crate) number: u8,
    /// Bytes from the start of the file.
    pub(crate) offset: u64,
    /// Bytes, with the section's own header.
    pub(crate) length: u64,
    /// What was read of it, from its start on.
    pub(crate) bytes: Bytes,
}

impl Section {
    /// The octets after length and number.
    pub(crate) fn body(&self, structure: &'static str) -> Cursor<'_> {
        let mut cursor = Cursor::new(&self.bytes, self.offset, structure);
        // A section is only made of its whole header.
        let _ = cursor.skip(5);
        cursor
    }
}

/// A signed number as GRIB writes it: the highest bit is the sign of the others.
pub(crate) trait SignMagnitude {
    /// The number.
    fn signed(self) -> i64;
}

impl SignMagnitude for u8 {
    fn signed(self) -> i64 {
        sign_magnitude(u64::from(self), 0x80)
    }
}

impl SignMagnitude for u16 {
    fn signed(self) -> i64 {
        sign_magnitude(u64::from(self), 0x8000)
    }
}

impl SignMagnitude for u32 {
    fn signed(self) -> i64 {
        sign_magnitude(u64::from(self), 0x8000_0000)
    }
}

fn sign_magnitude(value: u64, sign: u64) -> i64 {
    let magnitude = i64::try_from(value & sign.wrapping_sub(1)).unwrap_or(i64::MAX);
    if value & sign == 0 { magnitude } else { magnitude.saturating_neg() }
}

/// A decimal number as GRIB writes it: a scale factor and a scaled value, `None` when either is missing.
pub(crate) fn scaled(factor: u8, value: u32) -> Option<f64> {
    let is_there = factor != u8::MAX && value != u32::MAX;
    is_there.then(|| decimal(value.signed(), factor.signed()))
}

/// A decimal number from its keys, `None` when either is missing or not there.
pub(crate) fn scaled_value(keys: &Keys, factor: Key, value: Key) -> Option<f64> {
    let present = |key| keys.get(key).filter(|&value| value != MISSING);
    Some(decimal(present(value)?, present(factor)?))
}

/// `value / 10^factor`, exact where a double can be.
///
/// Spec: WMO FM 92, regulation 92.1.12.
pub(crate) fn decimal(value: i64, factor: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the values have 32 bits")]
    let value = value as f64;
    let power = 10_f64.powi(i32::try_from(factor.unsigned_abs()).unwrap_or(i32::MAX));
    // A division by a whole power gives the nearest double; a multiplication by 0.1 would not.
    if factor >= 0 { value / power } else { value * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_scales() {
        assert_eq!(0x81_u8.signed(), -1);
        assert_eq!(0x8000_0005_u32.signed(), -5);
        assert_eq!(7_u16.signed(), 7);
        assert_eq!((decimal(4, 1), decimal(5, -2), decimal(-3, 0)), (0.4, 500.0, -3.0));
        assert_eq!(
            (scaled(0x82, 5), scaled(255, 3), scaled(0, u32::MAX)),
            (Some(500.0), None, None)
        );
        let (factor, value) = (Key::ScaleFactorOfLowerLimit, Key::ScaledValueOfLowerLimit);
        let mut keys = Keys::new();
        keys.set(value, 3);
        assert_eq!(scaled_value(&keys, factor, value), None);
        keys.set(factor, 1);
        assert_eq!(scaled_value(&keys, factor, value), Some(0.3));
        keys.set(value, MISSING);
        assert_eq!(scaled_value(&keys, factor, value), None);
    }
}
