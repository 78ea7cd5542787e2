// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where values go, how packed numbers become values, and which points of the grid have one.

use std::mem;

use chunkref_core::{DecodeContext, DecodeError, Steps};

/// Bytes of a value.
const VALUE_BYTES: usize = 8;

/// Values that are written between two questions whether the work is still wanted.
const BLOCK: usize = Steps::BETWEEN;

/// The lengths of blocks that make `count` values together.
pub(super) fn blocks(count: usize) -> impl Iterator<Item = usize> {
    let rest = count % BLOCK;
    let whole = std::iter::repeat_n(BLOCK, count.checked_div(BLOCK).unwrap_or(0));
    whole.chain((rest > 0).then_some(rest))
}

/// Values yet to be written, as 64-bit floats in little-endian order.
#[derive(Debug)]
pub(super) struct Values<'a>(&'a mut [[u8; VALUE_BYTES]]);

impl Values<'_> {
    /// How many are not written yet.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    /// Writes the next value.
    #[inline]
    pub(super) fn push(&mut self, value: f64) -> Result<(), DecodeError> {
        let Some((place, rest)) = mem::take(&mut self.0).split_first_mut() else {
            return Err(DecodeError::damaged("its data hold too many values"));
        };
        *place = value.to_le_bytes();
        self.0 = rest;
        Ok(())
    }

    /// Writes a value of each item, as long as there is room. Nobody asks whether they are wanted: they are few, such as
    /// one of the [`blocks`].
    #[inline]
    pub(super) fn extend(&mut self, values: impl ExactSizeIterator<Item = f64>) {
        let count = values.len().min(self.0.len());
        let (here, rest) = mem::take(&mut self.0).split_at_mut(count);
        for (place, value) in here.iter_mut().zip(values) {
            *place = value.to_le_bytes();
        }
        self.0 = rest;
    }

    /// Writes the same value to the next `count` places.
    pub(super) fn fill(
        &mut self,
        value: f64,
        count: usize,
        steps: &mut Steps<'_>,
    ) -> Result<(), DecodeError> {
        for block in blocks(count) {
            steps.take(block)?;
            self.extend(std::iter::repeat_n(value, block));
        }
        Ok(())
    }

    /// Writes the same value to all places that are left.
    pub(super) fn fill_rest(
        &mut self,
        value: f64,
        steps: &mut Steps<'_>,
    ) -> Result<(), DecodeError> {
        self.fill(value, self.left(), steps)
    }
}

/// How packed numbers become values: `(reference + number * binary) * decimal`.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, regulation 92.9.4.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) reference: f64,
    binary: f64,
    decimal: f64,
}

impl Scale {
    /// Of a reference value and the exponents of 2 and of 10, the latter with the opposite sign.
    pub(super) fn new(reference: f64, binary: i64, decimal: i64) -> Self {
        let decimal = decimal.saturating_neg();
        Self { reference, binary: power(2.0, binary), decimal: power(10.0, decimal) }
    }

    /// The value of a packed number, rounded where ecCodes rounds it.
    #[inline]
    pub(super) fn value(&self, number: i64) -> f64 {
        self.of(to_float(number))
    }

    /// The same of a whole number in floating point.
    #[inline]
    pub(super) fn of(&self, number: f64) -> f64 {
        (number * self.binary + self.reference) * self.decimal
    }

    /// A value of spherical harmonics: the same sum, with the factors in another order.
    #[inline]
    pub(super) fn coefficient(&self, number: i64, factor: f64) -> f64 {
        self.decimal * (to_float(number) * self.binary + self.reference) * factor
    }

    /// A number that is stored without reference value.
    pub(super) fn in_units(&self, number: f64) -> f64 {
        number * self.decimal
    }
}

/// Rounded as the processor does.
#[expect(clippy::cast_precision_loss, reason = "numbers of more than 53 bits are rounded")]
#[inline]
pub(super) fn to_float(number: i64) -> f64 {
    number as f64
}

/// A power by one step at a time, each of them rounded: a library's `powi` has other last bits than ecCodes.
fn power(base: f64, exponent: i64) -> f64 {
    let mut power = 1.0;
    // Exponents have 16 bits, and powers are 0 or infinite much sooner.
    for _ in 0..exponent.unsigned_abs().min(1 << 15) {
        power = if exponent < 0 { power / base } else { power * base };
    }
    power
}

/// A number of IBM's, which edition 1 has: `mantissa * 16^(exponent - 70)`.
///
/// Spec: WMO FM 92-IX GRIB edition 1, regulation 92.6.4.
pub(super) fn ibm(bits: u32) -> f64 {
    let (exponent, mantissa) = (bits >> 24 & 0x7f, bits & 0x00ff_ffff);
    if exponent == 0 && mantissa <= 1 {
        return 0.0;
    }
    let exponent = i64::from(exponent).saturating_sub(70).saturating_mul(4);
    let value = f64::from(mantissa) * power(2.0, exponent);
    if bits >> 31 == 0 { value } else { -value }
}

/// The bytes of `count` values, which `unpack` writes: all of them, or it is an error.
pub(super) fn written(
    count: usize,
    context: &DecodeContext<'_>,
    unpack: impl FnOnce(&mut Values<'_>) -> Result<(), DecodeError>,
) -> Result<Vec<u8>, DecodeError> {
    let mut written = vec![0; byte_count(count, context)?];
    let mut values = Values(written.as_chunks_mut().0);
    unpack(&mut values)?;
    match values.left() {
        0 => Ok(written),
        left => {
            let found = count.saturating_sub(left);
            Err(DecodeError::Damaged(format!("its data hold {found} of {count} values")))
        }
    }
}

/// The bytes of so many values, if the chunk may have them.
fn byte_count(count: usize, context: &DecodeContext<'_>) -> Result<usize, DecodeError> {
    let bytes = count.checked_mul(VALUE_BYTES).filter(|bytes| *bytes <= context.max_bytes());
    bytes.ok_or_else(|| {
        DecodeError::Damaged(format!("it has {count} grid points, more than the chunk"))
    })
}

/// A bit map: which points of a grid have a value. The highest bit of a byte comes first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bitmap<'a> {
    bits: &'a [u8],
    points: usize,
    ones: usize,
}

impl<'a> Bitmap<'a> {
    /// Of bits for `points` points and some more.
    pub(super) fn new(bits: &'a [u8], points: usize) -> Result<Self, DecodeError> {
        let early = || DecodeError::damaged("its bit map ends early");
        let bits = bits.get(..points.div_ceil(8)).ok_or_else(early)?;
        let mut ones = 0_usize;
        for byte in bits {
            ones = ones.saturating_add(usize::try_from(byte.count_ones()).unwrap_or(0));
        }
        // Bits behind the last point mean nothing.
        if let (Some(last), rest @ 1..) = (bits.last(), points % 8) {
            let behind = (last << rest).count_ones();
            ones = ones.saturating_sub(usize::try_from(behind).unwrap_or(0));
        }
        Ok(Self { bits, points, ones })
    }

    /// Points that have a value.
    pub(super) fn ones(&self) -> usize {
        self.ones
    }

    /// Whether each point has a value.
    pub(super) fn present(&self) -> impl Iterator<Item = bool> + use<'a> {
        let bits = self.bits.iter().flat_map(|byte| (0..8).map(move |bit| byte << bit & 0x80 != 0));
        bits.take(self.points)
    }

    /// Values of all points, from those that are there: the others are NaN.
    pub(super) fn spread(
        &self,
        there: &[u8],
        context: &DecodeContext<'_>,
    ) -> Result<Vec<u8>, DecodeError> {
        let mut steps = Steps::new(context.cancellation());
        let mut all = vec![0; byte_count(self.points, context)?];
        let mut there = there.chunks_exact(VALUE_BYTES);
        for (byte, places) in self.bits.iter().zip(all.chunks_mut(VALUE_BYTES * 8)) {
            steps.take(8)?;
            for (bit, place) in places.chunks_exact_mut(VALUE_BYTES).enumerate() {
                let is_there = byte << bit & 0x80 != 0;
                match if is_there { there.next() } else { None } {
                    Some(value) => place.copy_from_slice(value),
                    None => place.copy_from_slice(&f64::NAN.to_le_bytes()),
                }
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(found: f64, value: f64) {
        assert_eq!(found.to_bits(), value.to_bits(), "{found} for {value}");
    }

    #[test]
    fn numbers_of_ibm() {
        same(ibm(0), 0.0);
        same(ibm(0x4110_0000), 1.0);
        same(ibm(0xc276_a000), -118.625);
        same(ibm(0x8000_0001), 0.0);
        same(ibm(0x4601_0203), 66_051.0);
    }

    #[test]
    fn powers_are_rounded_step_by_step() {
        same(power(10.0, 3), 1000.0);
        same(power(2.0, -1074), f64::from_bits(1));
        same(power(10.0, -32_768), 0.0);
        same(Scale::new(0.0, 0, 6).value(1), 1.0 / 10.0 / 10.0 / 10.0 / 10.0 / 10.0 / 10.0);
    }

    #[test]
    fn bits_behind_the_last_point_mean_nothing() {
        let bitmap = Bitmap::new(&[0b1010_0000, 0b1111_1111, 7], 10).unwrap();
        assert_eq!(bitmap.ones(), 4);
        assert_eq!(bitmap.present().filter(|present| *present).count(), 4);
        let there: Vec<u8> =
            [1.0, 2.0, 3.0, 4.0_f64].iter().flat_map(|v| v.to_le_bytes()).collect();
        let all = bitmap.spread(&there, &DecodeContext::up_to(80)).unwrap();
        let all: Vec<String> = all
            .chunks(8)
            .map(|value| f64::from_le_bytes(value.try_into().unwrap()).to_string())
            .collect();
        assert_eq!(all.join(" "), "1 NaN 2 NaN NaN NaN NaN NaN 3 4");
        assert!(bitmap.spread(&there, &DecodeContext::up_to(79)).is_err());
        assert!(Bitmap::new(&[0], 9).is_err());
    }

    #[test]
    fn too_few_and_too_many_values_are_errors() {
        let context = DecodeContext::up_to(16);
        let error = |count, pushed| {
            let outcome =
                written(count, &context, |values| (0..pushed).try_for_each(|_| values.push(1.0)));
            outcome.unwrap_err().to_string()
        };
        assert!(error(2, 1).contains("1 of 2 values"));
        assert!(error(2, 3).contains("too many"));
        assert!(error(3, 3).contains("more than the chunk"));
    }
}
