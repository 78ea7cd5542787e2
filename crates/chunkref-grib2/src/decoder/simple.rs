// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that are packed one by one: as numbers of some bits, of an entropy coder, as logarithms or floating point.

use chunkref_codecs::aec;
use chunkref_core::{DecodeContext, DecodeError, Steps};

use super::bits::Bits;
use super::values::{Scale, Values};

/// The head that many templates have: reference value, scale factors and bits of a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packing {
    pub(super) scale: Scale,
    pub(super) bits: u32,
}

/// Spec: WMO FM 92-XIV GRIB edition 2, templates 5.0 and 7.0.
pub(super) fn unpack(
    packing: &Packing,
    data: &[u8],
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    match packing.bits {
        // As ecCodes does, which leaves the decimal scale factor aside.
        0 => values.fill_rest(packing.scale.reference, steps)?,
        bits @ 1..=57 => {
            Bits::new(data).unpack(values.left(), bits, &packing.scale, values, steps)?;
        }
        bits => {
            let reason = format!("values of {bits} bits are not unpacked here");
            return Err(DecodeError::Unsupported(reason));
        }
    }
    Ok(())
}

/// Numbers of CCSDS's entropy coder, with the settings of the template: flags, samples of a block, blocks of an interval.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, templates 5.42 and 7.42.
pub(super) fn entropy_coded(
    packing: &Packing,
    (flags, block, interval): (u8, u8, u16),
    data: &[u8],
    values: &mut Values<'_>,
    context: &DecodeContext<'_>,
) -> Result<(), DecodeError> {
    let Packing { scale, bits } = packing;
    if *bits == 0 {
        return values.fill_rest(scale.reference, &mut Steps::new(context.cancellation()));
    }
    let parameters = aec::Parameters::new(flags.into(), *bits, block.into(), interval.into())?;
    // ecCodes reads numbers with a sign as if they had none, in the whole bytes that libaec puts them into.
    let mask = match bits {
        1..=8 => 0xff,
        9..=16 => 0xffff,
        _ => u32::MAX,
    };
    aec::decode(data, values.left(), &parameters, context, |numbers| {
        values.extend(numbers.iter().map(|number| scale.value(i64::from(number & mask))));
    })?;
    Ok(())
}

/// Logarithms of the values and of a number that was added to them, which is 0 if they are all positive.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, template 5.61.
pub(super) fn logarithms(
    packing: &Packing,
    added: f64,
    data: &[u8],
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    let Packing { scale, bits } = packing;
    if *bits == 0 {
        return values.fill_rest(scale.reference.exp() - added, steps);
    }
    if *bits > 57 {
        let reason = format!("values of {bits} bits are not unpacked here");
        return Err(DecodeError::Unsupported(reason));
    }
    let mut numbers = Bits::new(data);
    numbers.check(values.left(), *bits)?;
    for _ in 0..values.left() {
        steps.take(1)?;
        values.push(scale.value(numbers.take(*bits)).exp() - added)?;
    }
    Ok(())
}

/// Values in floating point of 32 bits (1) or 64 (2).
///
/// Spec: WMO FM 92-XIV GRIB edition 2, templates 5.4 and 7.4, code table 5.7.
pub(super) fn floats(
    precision: u8,
    data: &[u8],
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    match precision {
        1 => {
            for block in data.as_chunks().0.chunks(Steps::BETWEEN) {
                steps.take(block.len())?;
                values.extend(block.iter().map(|value| f32::from_be_bytes(*value).into()));
            }
        }
        2 => {
            for block in data.as_chunks().0.chunks(Steps::BETWEEN) {
                steps.take(block.len())?;
                values.extend(block.iter().map(|value| f64::from_be_bytes(*value)));
            }
        }
        _ => {
            let reason = format!("floating point of kind {precision} is not unpacked here");
            return Err(DecodeError::Unsupported(reason));
        }
    }
    Ok(())
}
