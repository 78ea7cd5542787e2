// SPDX-License-Identifier: MIT OR Apache-2.0
//! Second-order packing: groups of numbers with a first-order value each. Edition 1 has several kinds of it; ECMWF has one of
//! them in edition 2 too.

use chunkref_core::{DecodeError, Steps};

use super::bits::Bits;
use super::values::{Bitmap, Scale, Values, blocks};

/// The most values that differences start from.
const MOST_STARTS: usize = 3;

/// Groups with lengths and widths, of differences of an order from 0 to 3: "general extended".
#[derive(Debug)]
pub(super) struct Extended<'a> {
    pub(super) groups: usize,
    pub(super) first_bits: u32,
    pub(super) width_bits: u32,
    pub(super) length_bits: u32,
    pub(super) start: Start,
    /// Widths, lengths and first-order values of all groups, each from a whole byte on, and their numbers behind them.
    pub(super) data: &'a [u8],
}

/// What differences start from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Start {
    pub(super) order: usize,
    values: [i64; MOST_STARTS],
    /// What is added to each difference.
    bias: i64,
}

impl Start {
    /// As many numbers as the order, at most 3, and the bias.
    pub(super) fn parse(
        bits: &mut Bits<'_>,
        order: usize,
        width: u32,
    ) -> Result<Self, DecodeError> {
        let mut start = Self { order, ..Self::default() };
        if order > MOST_STARTS || width > 57 {
            let reason = format!("differences of order {order} in {width} bits");
            return Err(DecodeError::Unsupported(format!("{reason} are not unpacked here")));
        }
        bits.check(order.saturating_add(1), width)?;
        for value in start.values.iter_mut().take(order) {
            *value = bits.take(width);
        }
        start.bias = bits.take_signed(width);
        Ok(start)
    }
}

impl Extended<'_> {
    pub(super) fn unpack(
        &self,
        scale: &Scale,
        values: &mut Values<'_>,
        steps: &mut Steps<'_>,
    ) -> Result<(), DecodeError> {
        check_bits(self.first_bits, 57)?;
        check_bits(self.width_bits.max(self.length_bits), 32)?;
        if self.groups > values.left() {
            let reason = format!("it has {} groups of {} values", self.groups, values.left());
            return Err(DecodeError::Damaged(reason));
        }
        let mut widths = Bits::new(self.data);
        let mut lengths = widths.behind(self.groups, self.width_bits)?;
        let mut firsts = lengths.behind(self.groups, self.length_bits)?;
        let mut numbers = firsts.behind(self.groups, self.first_bits)?;
        let mut sum = Sum::new(&self.start);
        for value in self.start.values.iter().take(self.start.order) {
            values.push(scale.value(*value))?;
        }
        for _ in 0..self.groups {
            let (width, length) = (widths.take(self.width_bits), lengths.take(self.length_bits));
            let first = firsts.take(self.first_bits);
            let length = fitting(length, values)?;
            let width = group_bits(width)?;
            numbers.check(length, width)?;
            steps.take(1)?;
            for block in blocks(length) {
                steps.take(block)?;
                values.extend((0..block).map(|_| {
                    let number = first.wrapping_add(numbers.take(width));
                    scale.value(sum.next(number))
                }));
            }
        }
        Ok(())
    }
}

/// The last number, and its last differences.
#[derive(Debug)]
struct Sum {
    order: usize,
    bias: i64,
    number: i64,
    first: i64,
    second: i64,
}

impl Sum {
    fn new(start: &Start) -> Self {
        let [a, b, c] = start.values;
        let (number, first, second) = match start.order {
            1 => (a, 0, 0),
            2 => (b, b.wrapping_sub(a), 0),
            _ => (c, c.wrapping_sub(b), c.wrapping_sub(b).wrapping_sub(b.wrapping_sub(a))),
        };
        Self { order: start.order, bias: start.bias, number, first, second }
    }

    /// The number that a stored one stands for. Damaged ones overflow, and nothing comes of it.
    #[inline]
    fn next(&mut self, stored: i64) -> i64 {
        let difference = stored.wrapping_add(self.bias);
        match self.order {
            0 => return stored,
            1 => self.number = self.number.wrapping_add(difference),
            2 => {
                self.first = self.first.wrapping_add(difference);
                self.number = self.number.wrapping_add(self.first);
            }
            _ => {
                self.second = self.second.wrapping_add(difference);
                self.first = self.first.wrapping_add(self.second);
                self.number = self.number.wrapping_add(self.first);
            }
        }
        self.number
    }
}

/// Groups whose first values a secondary bit map marks.
#[derive(Debug)]
pub(super) struct Marked<'a> {
    pub(super) groups: usize,
    pub(super) first_bits: u32,
    pub(super) width: Width<'a>,
    /// The secondary bit map, first-order values and numbers, each from a whole byte on.
    pub(super) data: &'a [u8],
}

/// Bits of the numbers of a group.
#[derive(Debug)]
pub(super) enum Width<'a> {
    /// The same in all groups.
    Constant(u8),
    /// Of each group.
    OfGroups(&'a [u8]),
}

impl Marked<'_> {
    pub(super) fn unpack(
        &self,
        scale: &Scale,
        values: &mut Values<'_>,
        steps: &mut Steps<'_>,
    ) -> Result<(), DecodeError> {
        check_bits(self.first_bits, 57)?;
        let count = values.left();
        let marks = Bitmap::new(self.data, count)?;
        let mut firsts = Bits::new(self.data).behind(count, 1)?;
        let mut numbers = firsts.behind(self.groups, self.first_bits)?;
        // ecCodes takes 0 where the first group has no mark, or there are more marks than groups, if widths are constant.
        let (mut first, mut width, mut group) = (0, 0, 0_usize);
        if let Width::Constant(bits) = self.width {
            width = group_bits(bits.into())?;
        }
        for (at, is_marked) in marks.present().enumerate() {
            steps.take(1)?;
            if is_marked {
                first = if group < self.groups { firsts.take(self.first_bits) } else { 0 };
                if let Width::OfGroups(widths) = self.width {
                    let bits = widths.get(group).copied();
                    let bits = bits.ok_or_else(|| DecodeError::damaged("its groups end early"))?;
                    width = group_bits(bits.into())?;
                }
                group = group.saturating_add(1);
            } else if at == 0 && matches!(self.width, Width::OfGroups(_)) {
                return Err(DecodeError::damaged("its first value is in no group"));
            }
            numbers.check(1, width)?;
            values.push(scale.value(first.wrapping_add(numbers.take(width))))?;
        }
        Ok(())
    }
}

/// Groups that are the rows of the grid.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    pub(super) first_bits: u32,
    /// Bits of the numbers of each row.
    pub(super) widths: &'a [u8],
    /// First-order values and numbers, each from a whole byte on.
    pub(super) data: &'a [u8],
}

impl Rows<'_> {
    /// Values of rows of so many each.
    pub(super) fn unpack(
        &self,
        rows: impl Iterator<Item = usize>,
        scale: &Scale,
        values: &mut Values<'_>,
        steps: &mut Steps<'_>,
    ) -> Result<(), DecodeError> {
        check_bits(self.first_bits, 57)?;
        let mut firsts = Bits::new(self.data);
        let mut numbers = firsts.behind(self.widths.len(), self.first_bits)?;
        for (width, length) in self.widths.iter().zip(rows) {
            steps.take(1)?;
            let first = firsts.take(self.first_bits);
            let width = group_bits((*width).into())?;
            numbers.check(length, width)?;
            for block in blocks(length) {
                steps.take(block)?;
                values.extend(
                    (0..block).map(|_| scale.value(first.wrapping_add(numbers.take(width)))),
                );
            }
        }
        Ok(())
    }
}

fn check_bits(bits: u32, most: u32) -> Result<(), DecodeError> {
    if bits > most {
        let reason = format!("second-order packing in {bits} bits is not unpacked here");
        return Err(DecodeError::Unsupported(reason));
    }
    Ok(())
}

/// The bits of a group's numbers.
fn group_bits(width: i64) -> Result<u32, DecodeError> {
    u32::try_from(width)
        .ok()
        .filter(|width| *width <= 57)
        .ok_or_else(|| DecodeError::Damaged(format!("a group of it has values of {width} bits")))
}

/// The length of a group, if there is room for it.
fn fitting(length: i64, values: &Values<'_>) -> Result<usize, DecodeError> {
    let length = usize::try_from(length).ok().filter(|length| *length <= values.left());
    length.ok_or_else(|| DecodeError::damaged("its groups have more values"))
}
