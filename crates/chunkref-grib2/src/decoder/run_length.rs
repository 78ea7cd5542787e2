// SPDX-License-Identifier: MIT OR Apache-2.0
//! Run length packing: a level of a list, and how many points have it.

use chunkref_core::{Cursor, DecodeError, Steps};

use super::bits::Bits;
use super::values::{Values, to_float};
use crate::section::SignMagnitude;

/// Spec: WMO FM 92-XIV GRIB edition 2, templates 5.200 and 7.200.
pub(super) fn unpack(
    section: &mut Cursor<'_>,
    data: &[u8],
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    let mut head = || Ok((section.u8()?, section.u16_be()?, section.u16_be()?, section.u8()?));
    let (bits, most, count, decimal) = head().map_err(super::cut)?;
    let (bits, most) = (u32::from(bits), i64::from(most));
    let levels = section.bytes(usize::from(count).saturating_mul(2)).map_err(super::cut)?;
    if !matches!(bits, 1..=32) {
        return Err(DecodeError::Unsupported(format!("runs of {bits} bits are not unpacked here")));
    }
    let width = usize::try_from(bits).unwrap_or(usize::MAX);
    let numbers = data.len().saturating_mul(8).checked_div(width).unwrap_or(0);
    if numbers == 0 || most == 0 {
        return values.fill_rest(f64::NAN, steps);
    }
    // Numbers above the highest level are digits of a length, in this base.
    let base = 1_i64.checked_shl(bits).unwrap_or(0).saturating_sub(1).saturating_sub(most);
    if most > i64::from(count) || base <= 0 {
        let reason = format!("its runs have {count} levels, {most} of them in {bits} bits");
        return Err(DecodeError::Damaged(reason));
    }
    let scale = super::values::Scale::new(0.0, 0, decimal.signed());
    let level = |number: i64| {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        let level = levels.as_chunks::<2>().0.get(at)?;
        Some(scale.in_units(to_float(u16::from_be_bytes(*level).into())))
    };
    let mut bit = Bits::new(data);
    let mut next = Some(bit.take(bits));
    let mut left = numbers.saturating_sub(1);
    while let Some(number) = next.take() {
        let (mut length, mut factor) = (1_i64, 1_i64);
        while left > 0 {
            steps.take(1)?;
            left = left.saturating_sub(1);
            let digit = bit.take(bits);
            if digit <= most {
                next = Some(digit);
                break;
            }
            let digit = digit.saturating_sub(most).saturating_sub(1);
            length = length.saturating_add(factor.saturating_mul(digit));
            factor = factor.saturating_mul(base);
        }
        let length = usize::try_from(length).ok().filter(|length| *length <= values.left());
        let length = length.ok_or_else(|| DecodeError::damaged("its runs have more values"))?;
        if number > most {
            return Err(DecodeError::damaged("its data begin with the length of a run"));
        }
        values.fill(level(number).unwrap_or(f64::NAN), length, steps)?;
    }
    Ok(())
}
