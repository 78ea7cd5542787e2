// SPDX-License-Identifier: MIT OR Apache-2.0
//! The values of a message of edition 1.

use chunkref_core::{Cursor, DecodeContext, DecodeError, Limits, Steps, Truncated};

use super::bits::Bits;
use super::second_order::{Extended, Marked, Rows, Start, Width};
use super::simple::{self, Packing};
use super::spectral::{self, Complex, Floats};
use super::values::{Bitmap, Scale, Values, ibm, to_float, written};
use super::{cut, fault, row_lengths};
use crate::edition1::{INDICATOR_BYTES, grid, has_grid, length24};
use crate::section::SignMagnitude;
use crate::section::grid_definition::GridDefinition;
use crate::section::grid_template::Template;

/// Flags of section 4, and of its octet 14: how values are packed.
///
/// Spec: WMO FM 92-IX GRIB edition 1, code table 11; the rest are ECMWF's.
const SPECTRAL: u8 = 0x80;
const COMPLEX: u8 = 0x40;
const INTEGERS: u8 = 0x20;
const MORE_FLAGS: u8 = 0x10;
const MATRIX: u8 = 0x40;
const SECONDARY_BITMAP: u8 = 0x20;
const DIFFERENT_WIDTHS: u8 = 0x10;
const EXTENDED: u8 = 0x08;
const BOUSTROPHEDONIC: u8 = 0x04;
const ORDER: u8 = 0x03;

/// What sections 1 to 4 say of the values.
#[derive(Debug)]
struct Message<'a> {
    grid: GridDefinition,
    bitmap: Option<Bitmap<'a>>,
    flags: u8,
    /// Whether section 4 says that no point has a value.
    is_empty: bool,
    scale: Scale,
    /// Section 4 behind the reference value.
    section: Cursor<'a>,
    /// Bits at its end that mean nothing.
    unused: usize,
}

impl<'a> Message<'a> {
    fn parse(stored: &'a [u8]) -> Result<Self, DecodeError> {
        let mut cursor = Cursor::new(stored, 0, "message of edition 1");
        cursor.bytes(4).map_err(cut)?;
        let claimed = length24(&mut cursor).map_err(cut)?;
        cursor.skip(1).map_err(cut)?;
        let head = section(&mut cursor)?;
        if !has_grid(head) {
            return Err(DecodeError::unsupported("its grid is not in the message"));
        }
        // Section 1 has at least 28 octets.
        let mut product = Cursor::new(head, INDICATOR_BYTES, "section 1");
        product.skip(26).map_err(cut)?;
        let decimal = product.u16_be().map_err(cut)?.signed();
        let mut grid = Cursor::new(section(&mut cursor)?, 0, "section 2");
        let grid = grid::parse(&mut grid, &Limits::default()).map_err(|error| fault(&error))?;
        let points = usize::try_from(grid.count).unwrap_or(usize::MAX);
        let bitmap = match head.get(7) {
            Some(flags) if flags & 0x40 != 0 => Some(bitmap(section(&mut cursor)?, points)?),
            _ => None,
        };
        let mut section = data_section(&mut cursor, claimed)?;
        let mut parse = || Ok((section.u8()?, section.u16_be()?, section.u32_be()?));
        let (flags, binary, reference) = parse().map_err(cut)?;
        Ok(Self {
            grid,
            bitmap,
            is_empty: binary == u16::MAX,
            scale: Scale::new(ibm(reference), binary.signed(), decimal),
            flags: flags & 0xf0,
            section,
            unused: usize::from(flags & 0x0f),
        })
    }
}

/// The next section, with its length.
fn section<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], DecodeError> {
    let length = length24(&mut cursor.clone()).map_err(cut)?;
    if length < 4 {
        return Err(DecodeError::damaged("it has a section of no length"));
    }
    cursor.bytes_u64(length).map_err(cut)
}

/// Section 3.
fn bitmap(section: &[u8], points: usize) -> Result<Bitmap<'_>, DecodeError> {
    let mut cursor = Cursor::new(section, 0, "section 3");
    // Length, and unused bits at the end.
    cursor.skip(4).map_err(cut)?;
    match cursor.u16_be().map_err(cut)? {
        0 => Bitmap::new(cursor.rest(), points),
        number => {
            let reason = format!("its bit map is number {number} of the centre's list");
            Err(DecodeError::Unsupported(reason))
        }
    }
}

/// Section 4 behind its length, which long messages have in another place: their own length is in units of 120 octets, and
/// the octets for that of section 4 say how many of them are too many.
fn data_section<'a>(cursor: &mut Cursor<'a>, claimed: u64) -> Result<Cursor<'a>, DecodeError> {
    /// The flag of a long message, and its unit.
    const LONG: u64 = 0x80_0000;
    const UNIT: u64 = 120;
    let at = cursor.offset();
    let mut length = length24(cursor).map_err(cut)?;
    if claimed & LONG != 0 && length < UNIT {
        let units = claimed & LONG.saturating_sub(1);
        length = units.saturating_mul(UNIT).saturating_sub(length).saturating_sub(at);
    }
    cursor.slice(length.saturating_sub(3), "section 4").map_err(cut)
}

/// The values of all points, in scanning order.
///
/// Spec: WMO FM 92-IX GRIB edition 1, sections 1 to 4.
pub(super) fn decode(stored: &[u8], context: &DecodeContext<'_>) -> Result<Vec<u8>, DecodeError> {
    let message = Message::parse(stored)?;
    let count = usize::try_from(message.grid.count).unwrap_or(usize::MAX);
    let mut steps = Steps::new(context.cancellation());
    if message.is_empty {
        return written(count, context, |values| values.fill_rest(f64::NAN, &mut steps));
    }
    if message.flags & SPECTRAL != 0 {
        let Template::SphericalHarmonics { j, k, m } = message.grid.template else {
            return Err(DecodeError::damaged("its coefficients have no truncation"));
        };
        let count = spectral::coefficients([j, k, m])?;
        return written(count, context, |values| spectral(message, j, values, &mut steps));
    }
    let Message { grid, bitmap, flags, .. } = &message;
    let present = bitmap.map_or(count, |bitmap| bitmap.ones());
    let kind = if flags & COMPLEX == 0 { 0 } else { second_order_flags(&message.section)? };
    let there = written(present, context, |values| match (present, flags & !COMPLEX) {
        (0, _) => Ok(()),
        _ if flags & COMPLEX != 0 => second_order(&message, kind, values, &mut steps),
        (_, INTEGERS_AND_MORE) => floats(&message, values, &mut steps),
        (_, MORE_FLAGS) => {
            Err(DecodeError::unsupported("matrices of values are not unpacked here"))
        }
        _ => simple(&message, values, &mut steps),
    })?;
    let values = match bitmap {
        Some(bitmap) => bitmap.spread(&there, context)?,
        None => there,
    };
    let is_by_row = kind & (SECONDARY_BITMAP | EXTENDED) == 0;
    if kind & BOUSTROPHEDONIC != 0 && !is_by_row {
        return super::turn_rows(values, grid, context);
    }
    Ok(values)
}

/// Both flags together mean floating point to ecCodes.
const INTEGERS_AND_MORE: u8 = INTEGERS | MORE_FLAGS;

fn simple(
    message: &Message<'_>,
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    let mut section = message.section.clone();
    let bits = u32::from(section.u8().map_err(cut)?);
    let packing = Packing { scale: message.scale, bits };
    let data = section.rest();
    // ecCodes counts the values by these bits.
    let used = data.len().saturating_mul(8).saturating_sub(message.unused);
    if usize::try_from(bits).is_ok_and(|bits| values.left().saturating_mul(bits) > used) {
        let reason = format!("its data have {used} bits for {} values", values.left());
        return Err(DecodeError::Damaged(reason));
    }
    simple::unpack(&packing, data, values, steps)
}

fn floats(
    message: &Message<'_>,
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    let mut section = message.section.clone();
    // Bits, which the precision says too.
    section.skip(1).map_err(cut)?;
    simple::floats(section.u8().map_err(cut)?, section.rest(), values, steps)
}

/// Coefficients of spherical harmonics.
fn spectral(
    mut message: Message<'_>,
    truncation: u32,
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    let section = &mut message.section;
    let packing = Packing { scale: message.scale, bits: section.u8().map_err(cut)?.into() };
    match message.flags & !SPECTRAL {
        0 => {
            let first = ibm(section.u32_be().map_err(cut)?);
            spectral::simple(&packing, first, section.rest(), values, steps)
        }
        COMPLEX => {
            let mut parse = || {
                // Where the packed numbers begin.
                section.skip(2)?;
                let exponent = section.u16_be()?.signed();
                Ok((exponent, [section.u8()?, section.u8()?, section.u8()?].map(u32::from)))
            };
            let (exponent, subset) = parse().map_err(cut)?;
            let exponent = to_float(exponent) / 1e3;
            let floats = Floats::Ibm;
            let complex =
                Complex { packing, truncation, subset, floats, exponent, weighted_edge: true };
            complex.unpack(section.rest(), values, steps)
        }
        flags => {
            let reason = format!("coefficients with flags {flags:#04x} are not unpacked here");
            Err(DecodeError::Unsupported(reason))
        }
    }
}

/// Octet 14, the flags of second-order packing.
fn second_order_flags(section: &Cursor<'_>) -> Result<u8, DecodeError> {
    let mut section = section.clone();
    section.skip(3).map_err(cut)?;
    section.u8().map_err(cut)
}

/// Spec: WMO FM 92-IX GRIB edition 1, section 4, second-order packing; ecCodes' definitions of the extended kinds.
fn second_order(
    message: &Message<'_>,
    kind: u8,
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    let mut section = message.section.clone();
    let mut parse = || -> Result<_, Truncated> {
        let first_bits = u32::from(section.u8()?);
        // Places of the parts, of which the first is two octets before the flags.
        section.skip(5)?;
        let groups = usize::from(section.u16_be()?);
        // Values in groups.
        section.skip(2)?;
        // The third octet of the count of groups, which is another's by the standard.
        Ok((first_bits, groups.saturating_add(usize::from(section.u8()?).saturating_mul(1 << 16))))
    };
    let (first_bits, groups) = parse().map_err(cut)?;
    let scale = &message.scale;
    match kind & (MATRIX | SECONDARY_BITMAP | DIFFERENT_WIDTHS | EXTENDED) {
        DIFFERENT_AND_EXTENDED => {
            extended(&mut section, kind, first_bits, groups)?.unpack(scale, values, steps)
        }
        SECONDARY_BITMAP => {
            let width = Width::Constant(section.u8().map_err(cut)?);
            let marked = Marked { groups, first_bits, width, data: section.rest() };
            marked.unpack(scale, values, steps)
        }
        DIFFERENT_AND_BITMAP => {
            let width = Width::OfGroups(section.bytes(groups).map_err(cut)?);
            let marked = Marked { groups, first_bits, width, data: section.rest() };
            marked.unpack(scale, values, steps)
        }
        DIFFERENT_WIDTHS => {
            let widths = section.bytes(groups).map_err(cut)?;
            let rows = Rows { first_bits, widths, data: section.rest() };
            rows.unpack(present_of_rows(message), scale, values, steps)
        }
        flags => {
            let reason = format!("second-order packing with flags {flags:#04x}");
            Err(DecodeError::Unsupported(format!("{reason} is not unpacked here")))
        }
    }
}

/// Flags that come together.
const DIFFERENT_AND_EXTENDED: u8 = DIFFERENT_WIDTHS | EXTENDED;
const DIFFERENT_AND_BITMAP: u8 = DIFFERENT_WIDTHS | SECONDARY_BITMAP;

/// Octets 22 and more of the general extended kind.
fn extended<'a>(
    section: &mut Cursor<'a>,
    kind: u8,
    first_bits: u32,
    groups: usize,
) -> Result<Extended<'a>, DecodeError> {
    let order = usize::from(kind & ORDER);
    let mut parse = || {
        let (width_bits, length_bits) = (section.u8()?.into(), section.u8()?.into());
        // Where the lengths begin.
        section.skip(2)?;
        Ok((width_bits, length_bits, if order > 0 { section.u8()? } else { 0 }))
    };
    let (width_bits, length_bits, start_bits) = parse().map_err(cut)?;
    let mut start = Start::default();
    if order > 0 {
        let numbers = usize::from(start_bits).saturating_mul(order.saturating_add(1));
        let bytes = section.bytes(numbers.div_ceil(8)).map_err(cut)?;
        start = Start::parse(&mut Bits::new(bytes), order, start_bits.into())?;
    }
    Ok(Extended { groups, first_bits, width_bits, length_bits, start, data: section.rest() })
}

/// How many points of each row have a value.
fn present_of_rows<'a>(message: &'a Message<'_>) -> impl Iterator<Item = usize> + 'a {
    let mut present = message.bitmap.map(|bitmap| bitmap.present());
    row_lengths(&message.grid).map(move |length| match &mut present {
        Some(present) => present.by_ref().take(length).filter(|present| *present).count(),
        None => length,
    })
}
