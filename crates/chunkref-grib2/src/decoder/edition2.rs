// SPDX-License-Identifier: MIT OR Apache-2.0
//! The values of a message of edition 2, which has one field.

use chunkref_core::{Cursor, DecodeContext, DecodeError, Limits, Steps};

use super::second_order::{Extended, Start};
use super::simple::{self, Packing};
use super::spectral::{self, Complex, Floats};
use super::values::{Bitmap, Scale, Values, to_float, written};
use super::{bits::Bits, complex, cut, fault, image, run_length};
use crate::section::SignMagnitude;
use crate::section::grid_definition::GridDefinition;
use crate::section::grid_template::Template;

/// Octets of section 0.
const INDICATOR_BYTES: usize = 16;
/// Octets of a section's length and number.
const HEADER_BYTES: usize = 5;

/// The bodies of a message's sections, as far as values depend on them.
#[derive(Debug, Clone, Copy)]
struct Sections<'a> {
    grid: &'a [u8],
    representation: &'a [u8],
    bitmap: &'a [u8],
    data: &'a [u8],
}

impl<'a> Sections<'a> {
    fn parse(stored: &'a [u8]) -> Result<Self, DecodeError> {
        let mut found: [Option<&[u8]>; 8] = [None; 8];
        let mut rest = stored.get(INDICATOR_BYTES..).unwrap_or_default();
        while let Some(head) = rest.first_chunk::<HEADER_BYTES>() {
            if head.starts_with(b"7777") {
                break;
            }
            let [a, b, c, d, number] = *head;
            let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
            let body = rest.get(HEADER_BYTES..length);
            let body = body.ok_or_else(|| DecodeError::damaged("its sections end early"))?;
            if let Some(place) = found.get_mut(usize::from(number))
                && matches!(number, 3 | 5 | 6 | 7)
                && place.replace(body).is_some()
            {
                let reason = "it holds several fields, which are not told apart here";
                return Err(DecodeError::unsupported(reason));
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        match found {
            [.., Some(grid), _, Some(representation), Some(bitmap), Some(data)] => {
                Ok(Self { grid, representation, bitmap, data })
            }
            _ => Err(DecodeError::damaged("it has not the sections 3, 5, 6 and 7 of one field")),
        }
    }

    /// Where the points are.
    fn grid(&self) -> Result<GridDefinition, DecodeError> {
        let mut cursor = Cursor::new(self.grid, 0, "grid definition section");
        GridDefinition::parse(&mut cursor, &Limits::default()).map_err(|error| fault(&error))
    }
}

/// The values of all points, in scanning order.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, sections 3, 5, 6 and 7.
pub(super) fn decode(stored: &[u8], context: &DecodeContext<'_>) -> Result<Vec<u8>, DecodeError> {
    let sections = Sections::parse(stored)?;
    let mut cursor = Cursor::new(sections.representation, 0, "section 5");
    let (packed, template) = (cursor.u32_be().map_err(cut)?, cursor.u16_be().map_err(cut)?);
    if matches!(template, 50 | 51) {
        return coefficients(&sections, template, &mut cursor, context);
    }
    let mut grid = Cursor::new(sections.grid, 0, "section 3");
    grid.skip(1).map_err(cut)?;
    let points = usize::try_from(grid.u32_be().map_err(cut)?).unwrap_or(usize::MAX);
    let bitmap = match sections.bitmap.split_first() {
        Some((255, _)) => None,
        Some((0, bits)) => Some(Bitmap::new(bits, points)?),
        Some((254, _)) => {
            let reason = "its bit map is that of the field before, which is not in the message";
            return Err(DecodeError::unsupported(reason));
        }
        _ => return Err(DecodeError::unsupported("its bit map is not in the message")),
    };
    let present = bitmap.map_or(points, |bitmap| bitmap.ones());
    if usize::try_from(packed) != Ok(present) {
        let reason = format!("{packed} values are packed where {present} points have one");
        return Err(DecodeError::Damaged(reason));
    }
    let there = written(present, context, |values| match present {
        0 => Ok(()),
        _ => unpack(template, &mut cursor, sections.data, points, values, context),
    })?;
    let values = match bitmap {
        Some(bitmap) => bitmap.spread(&there, context)?,
        None => there,
    };
    if template == 50_002 { boustrophedonic(&sections, values, context) } else { Ok(values) }
}

/// Unpacks values of grid points.
fn unpack(
    template: u16,
    section: &mut Cursor<'_>,
    data: &[u8],
    points: usize,
    values: &mut Values<'_>,
    context: &DecodeContext<'_>,
) -> Result<(), DecodeError> {
    let steps = &mut Steps::new(context.cancellation());
    match template {
        4 => return simple::floats(section.u8().map_err(cut)?, data, values, steps),
        200 => return run_length::unpack(section, data, values, steps),
        0 | 2 | 3 | 40 | 41 | 42 | 61 | 40_000 | 50_001 | 50_002 => {}
        _ => {
            let reason = format!("data representation template 5.{template} is not unpacked here");
            return Err(DecodeError::Unsupported(reason));
        }
    }
    let packing = packing(section)?;
    if matches!(template, 0 | 40 | 41 | 42 | 40_000) {
        // The type of the values before they were packed.
        section.skip(1).map_err(cut)?;
    }
    match template {
        0 => simple::unpack(&packing, data, values, steps),
        2 | 3 => complex::unpack(&packing, template, section, data, values, steps),
        41 => image::unpack_png(&packing, data, points, values, steps),
        42 => {
            let mut settings = || Ok((section.u8()?, section.u8()?, section.u16_be()?));
            let settings = settings().map_err(cut)?;
            simple::entropy_coded(&packing, settings, data, values, context)
        }
        61 => {
            let added = f32::from_bits(section.u32_be().map_err(cut)?);
            simple::logarithms(&packing, added.into(), data, values, steps)
        }
        50_001 | 50_002 => {
            let groups = second_order(template, section, data)?;
            groups.unpack(&packing.scale, values, steps)
        }
        _ => image::unpack_jpeg2000(&packing, data, points, values, steps),
    }
}

/// Reference value, scale factors and bits.
fn packing(section: &mut Cursor<'_>) -> Result<Packing, DecodeError> {
    let mut parse = || Ok((section.u32_be()?, section.u16_be()?, section.u16_be()?, section.u8()?));
    let (reference, binary, decimal, bits) = parse().map_err(cut)?;
    let reference = f32::from_bits(reference).into();
    let scale = Scale::new(reference, binary.signed(), decimal.signed());
    Ok(Packing { scale, bits: bits.into() })
}

/// ECMWF's templates 5.50001 and 5.50002: groups as edition 1 has them.
fn second_order<'a>(
    template: u16,
    section: &mut Cursor<'_>,
    data: &'a [u8],
) -> Result<Extended<'a>, DecodeError> {
    let mut parse = || {
        let first_bits = section.u8()?.into();
        let groups = section.u32_be()?;
        // Values in groups.
        section.skip(4)?;
        let (width_bits, length_bits) = (section.u8()?.into(), section.u8()?.into());
        // Flags, of the second of them.
        section.skip(usize::from(template == 50_002))?;
        let order = usize::from(section.u8()?);
        let start_bits = if order > 0 { section.u8()? } else { 0 };
        Ok((first_bits, groups, width_bits, length_bits, order, start_bits))
    };
    let (first_bits, groups, width_bits, length_bits, order, start_bits) = parse().map_err(cut)?;
    let start = match order {
        0 => Start::default(),
        _ => Start::parse(&mut Bits::new(section.rest()), order, start_bits.into())?,
    };
    let groups = usize::try_from(groups).unwrap_or(usize::MAX);
    Ok(Extended { groups, first_bits, width_bits, length_bits, start, data })
}

/// Values with every second row turned round, where the flags of template 5.50002 say that it is stored so.
fn boustrophedonic(
    sections: &Sections<'_>,
    values: Vec<u8>,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, DecodeError> {
    /// Behind count and template, the head and what describes groups.
    const FLAGS_AT: usize = 26;
    if sections.representation.get(FLAGS_AT).is_none_or(|flags| flags & 0x80 == 0) {
        return Ok(values);
    }
    super::turn_rows(values, &sections.grid()?, context)
}

/// Coefficients of spherical harmonics.
fn coefficients(
    sections: &Sections<'_>,
    template: u16,
    section: &mut Cursor<'_>,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, DecodeError> {
    let Template::SphericalHarmonics { j, k, m } = sections.grid()?.template else {
        return Err(DecodeError::damaged("its coefficients have no truncation"));
    };
    if sections.bitmap.first() != Some(&255) {
        let reason = "a bit map of spherical harmonics is not unpacked here";
        return Err(DecodeError::unsupported(reason));
    }
    let count = spectral::coefficients([j, k, m])?;
    let packing = packing(section)?;
    let steps = &mut Steps::new(context.cancellation());
    if template == 50 {
        let first = f32::from_bits(section.u32_be().map_err(cut)?).into();
        return written(count, context, |values| {
            spectral::simple(&packing, first, sections.data, values, steps)
        });
    }
    let mut parse = || {
        let exponent = section.u32_be()?.signed();
        let subset = [section.u16_be()?, section.u16_be()?, section.u16_be()?].map(u32::from);
        // Values that are not packed.
        section.skip(4)?;
        Ok((exponent, subset, section.u8()?))
    };
    let (exponent, subset, precision) = parse().map_err(cut)?;
    let floats = match precision {
        1 => Floats::Single,
        2 => Floats::Double,
        _ => {
            let reason = format!("floating point of kind {precision} is not unpacked here");
            return Err(DecodeError::Unsupported(reason));
        }
    };
    let exponent = to_float(exponent) / 1e6;
    let truncation = j;
    let complex = Complex { packing, truncation, subset, floats, exponent, weighted_edge: false };
    written(count, context, |values| complex.unpack(sections.data, values, steps))
}
