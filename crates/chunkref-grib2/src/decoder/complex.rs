// SPDX-License-Identifier: MIT OR Apache-2.0
//! Complex packing: groups of numbers, each with a reference, a width and a length of its own, of the values or of their
//! differences.

use chunkref_core::{Cursor, DecodeError, Steps, Truncated};

use super::bits::Bits;
use super::simple::Packing;
use super::values::{Scale, Values, blocks};

/// What section 5 says of the groups, behind the head.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, templates 5.2 and 5.3.
#[derive(Debug)]
struct Groups {
    missing: Missing,
    count: u32,
    width_reference: u32,
    width_bits: u32,
    length_reference: u32,
    length_increment: u32,
    last_length: u32,
    length_bits: u32,
    /// Order of the differences, and octets of each number that they start from.
    differences: Option<(u8, u32)>,
}

/// Which of the largest numbers of a group, or references of a group of no width, stand for values that are missing.
///
/// Spec: code table 5.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Never,
    Largest,
    LargestTwo,
}

impl Missing {
    /// The least number of so many bits that is one; no number is larger than the largest.
    fn least(self, bits: u32) -> i64 {
        let numbers = 1_i64.checked_shl(bits).unwrap_or(0);
        match self {
            Self::Never => i64::MAX,
            Self::Largest => numbers.wrapping_sub(1),
            Self::LargestTwo => numbers.wrapping_sub(2),
        }
    }
}

impl Groups {
    fn parse(cursor: &mut Cursor<'_>, template: u16) -> Result<Self, DecodeError> {
        let mut parse = || -> Result<_, Truncated> {
            // Type of values, splitting method.
            cursor.skip(2)?;
            let missing = cursor.u8()?;
            // What missing values are replaced with: numbers that say nothing of how they are stored.
            cursor.skip(8)?;
            let groups = Self {
                missing: match missing {
                    1 => Missing::Largest,
                    2 => Missing::LargestTwo,
                    _ => Missing::Never,
                },
                count: cursor.u32_be()?,
                width_reference: cursor.u8()?.into(),
                width_bits: cursor.u8()?.into(),
                length_reference: cursor.u32_be()?,
                length_increment: cursor.u8()?.into(),
                last_length: cursor.u32_be()?,
                length_bits: cursor.u8()?.into(),
                differences: None,
            };
            let differences = match template {
                3 => Some((cursor.u8()?, cursor.u8()?.into())),
                _ => None,
            };
            Ok((missing, Self { differences, ..groups }))
        };
        let (missing, groups) = parse().map_err(super::cut)?;
        if missing > 2 {
            let reason = format!("missing values of kind {missing} are not unpacked here");
            return Err(DecodeError::Unsupported(reason));
        }
        Ok(groups)
    }

    fn check(&self, values: usize) -> Result<(), DecodeError> {
        if let Some((order, octets)) = self.differences
            && !(matches!(order, 0..=2) && matches!(octets, 1..=7) || order == 0)
        {
            let reason = format!(
                "spatial differences of order {order} in {octets} octets are not unpacked here"
            );
            return Err(DecodeError::Unsupported(reason));
        }
        if usize::try_from(self.count).is_ok_and(|count| count > values) {
            let reason = format!("it has {} groups of {values} values", self.count);
            return Err(DecodeError::Damaged(reason));
        }
        if self.length_bits > 32 || self.width_bits > 32 {
            return Err(DecodeError::damaged("its groups are described by more than 32 bits"));
        }
        Ok(())
    }
}

/// Spec: WMO FM 92-XIV GRIB edition 2, templates 7.2 and 7.3, data template notes; regulation 92.9.4.
pub(super) fn unpack(
    packing: &Packing,
    template: u16,
    section: &mut Cursor<'_>,
    data: &[u8],
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    let groups = Groups::parse(section, template)?;
    if groups.count == 0 {
        // Fields of one value, as NCEP writes them: ecCodes leaves the decimal scale factor aside.
        return values.fill_rest(packing.scale.reference, steps);
    }
    groups.check(values.left())?;
    if packing.bits > 32 {
        let reason = format!("values of {} bits are not unpacked here", packing.bits);
        return Err(DecodeError::Unsupported(reason));
    }
    let count = usize::try_from(groups.count).unwrap_or(usize::MAX);
    let mut bits = Bits::new(data);
    let start = Start::parse(&mut bits, groups.differences)?;
    let references = bits;
    let widths = references.behind(count, packing.bits)?;
    let lengths = widths.behind(count, groups.width_bits)?;
    let numbers = lengths.behind(count, groups.length_bits)?;
    let mut sink = Sink { start, scale: packing.scale, values, missing: groups.missing, numbers };
    let (mut references, mut widths, mut lengths) = (references, widths, lengths);
    for group in 1..=groups.count {
        steps.take(1)?;
        let reference = references.take(packing.bits);
        let width = widths.take(groups.width_bits).saturating_add(groups.width_reference.into());
        let length = match lengths.take(groups.length_bits) {
            _ if group == groups.count => groups.last_length.into(),
            length => length
                .saturating_mul(groups.length_increment.into())
                .saturating_add(groups.length_reference.into()),
        };
        let width = u32::try_from(width).ok().filter(|width| *width <= 32).ok_or_else(|| {
            DecodeError::Damaged(format!("a group of it has values of {width} bits"))
        })?;
        let left = sink.values.left();
        let length = usize::try_from(length).ok().filter(|length| *length <= left);
        let length = length.ok_or_else(|| DecodeError::damaged("its groups have more values"))?;
        for block in blocks(length) {
            steps.take(block)?;
            sink.group(reference, (width, packing.bits), block)?;
        }
    }
    Ok(())
}

/// What differences start from.
#[derive(Debug)]
struct Start {
    order: u8,
    /// The first values, which are stored as they are.
    first: [i64; 2],
    /// What is added to each difference.
    least: i64,
    /// Values that were seen, up to the order.
    seen: u8,
    last: i64,
    before_last: i64,
}

impl Start {
    /// The numbers at the start of the data.
    fn parse(bits: &mut Bits<'_>, differences: Option<(u8, u32)>) -> Result<Self, DecodeError> {
        let mut start =
            Self { order: 0, first: [0; 2], least: 0, seen: 0, last: 0, before_last: 0 };
        let Some((order @ 1..=2, octets)) = differences else { return Ok(start) };
        let width = octets.saturating_mul(8);
        bits.check(usize::from(order).saturating_add(1), width)?;
        for first in start.first.iter_mut().take(order.into()) {
            *first = bits.take(width);
        }
        start.least = bits.take_signed(width);
        Ok(Self { order, ..start })
    }

    /// The next number that is not missing, of the number that is stored for it.
    #[inline]
    fn next(&mut self, stored: i64) -> i64 {
        if self.order == 0 {
            return stored;
        }
        let number = if self.seen < self.order {
            let first = self.first.get(usize::from(self.seen)).copied();
            self.seen = self.seen.saturating_add(1);
            first.unwrap_or_default()
        } else {
            // Damaged numbers overflow, and nothing comes of it.
            let difference = stored.wrapping_add(self.least);
            if self.order == 1 {
                self.last.wrapping_add(difference)
            } else {
                let twice = self.last.wrapping_add(self.last);
                difference.wrapping_add(twice).wrapping_sub(self.before_last)
            }
        };
        self.before_last = self.last;
        self.last = number;
        number
    }
}

/// Where the numbers of groups become values.
struct Sink<'a, 'v, 'w> {
    start: Start,
    scale: Scale,
    values: &'w mut Values<'v>,
    missing: Missing,
    numbers: Bits<'a>,
}

impl Sink<'_, '_, '_> {
    /// A part of a group, of `length` values.
    fn group(
        &mut self,
        reference: i64,
        (width, reference_bits): (u32, u32),
        length: usize,
    ) -> Result<(), DecodeError> {
        let Self { start, scale, values, missing, numbers } = self;
        numbers.check(length, width)?;
        let is_plain = start.order == 0;
        let least = missing.least(if width == 0 { reference_bits } else { width });
        if width == 0 && reference >= least {
            values.extend(std::iter::repeat_n(f64::NAN, length));
        } else if width == 0 && is_plain {
            values.extend(std::iter::repeat_n(scale.value(reference), length));
        } else if is_plain && *missing == Missing::Never {
            let stored = (0..length).map(|_| reference.wrapping_add(numbers.take(width)));
            values.extend(stored.map(|stored| scale.value(stored)));
        } else {
            let is_there = |number| width == 0 || number < least;
            values.extend((0..length).map(|_| match numbers.take(width) {
                number if is_there(number) => {
                    scale.value(start.next(reference.wrapping_add(number)))
                }
                _ => f64::NAN,
            }));
        }
        Ok(())
    }
}
