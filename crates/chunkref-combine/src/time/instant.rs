// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers of times as whole nanoseconds, and back.
//!
//! Integers and the binary fractions of floating-point numbers are multiplied as integers, so nothing is rounded but the
//! result: to the nearest nanosecond, which is the finest time that readers tell apart.

use crate::value::Value;

/// Half a microsecond, which is the finest time of the CF conventions' readers: a number whose last digit is coarser may be
/// off by that.
const MOST_SLACK: i128 = 500;
/// Bits that a number of 32 bits has less than one of 64.
const UNUSED_BITS: i32 = 29;
/// Zeros at the end of a number of 64 bits that uses but few of 32.
const FEW_BITS: u32 = 34;

/// A time as a number has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant {
    /// Nanoseconds since the epoch that the number counts from.
    pub(crate) nanoseconds: i128,
    /// By how many nanoseconds another time may be off and is still the same number, when it is counted back.
    slack: i128,
}

impl Instant {
    /// The time of a number of units of so many nanoseconds; `None` for what is no number, not finite, or far from any date.
    /// `narrow` numbers were rounded to 32 bits.
    pub(crate) fn of(value: &Value, unit: i128, narrow: bool) -> Option<Self> {
        match value {
            Value::Int(value) => Some(Self { nanoseconds: value.checked_mul(unit)?, slack: 0 }),
            Value::Float(value) => {
                let (mantissa, exponent) = parts(value.get())?;
                let nanoseconds = shifted(mantissa.checked_mul(unit)?, exponent)?;
                let digit = exponent + if narrow { UNUSED_BITS } else { 0 };
                let slack = if mantissa == 0 { 0 } else { shifted(unit, digit - 1)? };
                let slack = slack.min(MOST_SLACK);
                Some(Self { nanoseconds: rounded(nanoseconds, slack), slack })
            }
            Value::Bytes(_) => None,
        }
    }

    /// The same time from another epoch, which is so many nanoseconds earlier.
    pub(crate) fn later_by(self, distance: i128) -> Option<Self> {
        Some(Self { nanoseconds: self.nanoseconds.checked_add(distance)?, ..self })
    }

    /// The whole number of units, when it is one: to the nanosecond, or as exactly as the number was.
    pub(crate) fn whole(self, unit: i128) -> Option<i128> {
        let half = unit.checked_div(2)?;
        let count = self.nanoseconds.checked_add(half)?.div_euclid(unit);
        self.is(count.checked_mul(unit)?).then_some(count)
    }

    /// The number of units of 64 bits that is nearest, when it is the same time.
    #[expect(
        clippy::cast_precision_loss,
        reason = "its neighbours are tried, and all are compared"
    )]
    pub(crate) fn float(self, unit: i128) -> Option<f64> {
        let near = self.nanoseconds as f64 / unit as f64;
        let off = |value: &f64| {
            let (mantissa, exponent) = parts(*value)?;
            let back = shifted(mantissa.checked_mul(unit)?, exponent)?;
            Some((back, back.checked_sub(self.nanoseconds)?.checked_abs()?))
        };
        let candidates = [near, near.next_up(), near.next_down()];
        let best =
            candidates.into_iter().min_by_key(|value| off(value).map_or(i128::MAX, |it| it.1))?;
        off(&best).filter(|(back, _)| self.is(*back)).map(|_| best)
    }

    /// Whether another number of nanoseconds is the same time.
    pub(crate) fn is(self, nanoseconds: i128) -> bool {
        nanoseconds
            .checked_sub(self.nanoseconds)
            .and_then(i128::checked_abs)
            .is_some_and(|off| off <= self.slack)
    }
}

/// The time that a number stands for: a third of a day has no end in binary digits, and is meant as 8 hours. The whole
/// millisecond, or else microsecond, that is nearer than the last digit tells, and what a sum before it may have lost.
fn rounded(nanoseconds: i128, slack: i128) -> i128 {
    let slack = slack + slack / 4 + slack.signum();
    let near = |unit: i128| {
        let count = (nanoseconds + unit / 2).div_euclid(unit);
        Some(count * unit).filter(|near| (near - nanoseconds).abs() <= slack)
    };
    near(1_000_000).or_else(|| near(1_000)).unwrap_or(nanoseconds)
}

/// Whether numbers were rounded to 32 bits, whatever they are written in: all of them fit there, and some fill it.
pub(crate) fn are_narrow<'a>(numbers: impl IntoIterator<Item = &'a Value>) -> bool {
    let mut full = false;
    for number in numbers {
        let Value::Float(number) = number else { return false };
        let value = number.get();
        #[expect(clippy::cast_possible_truncation, reason = "compared with what it was")]
        if f64::from(value as f32).to_bits() != value.to_bits() {
            return false;
        }
        full |= parts(value).is_some_and(|(mantissa, _)| mantissa.trailing_zeros() < FEW_BITS);
    }
    full
}

/// A finite number as a whole number times a power of two.
fn parts(value: f64) -> Option<(i128, i32)> {
    if !value.is_finite() {
        return None;
    }
    let bits = value.to_bits();
    let exponent = i32::try_from(bits >> 52 & 0x7ff).ok()?;
    let fraction = i128::from(bits & ((1 << 52) - 1));
    let (mantissa, exponent) = match exponent {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, exponent - 1075),
    };
    Some((if value < 0.0 { -mantissa } else { mantissa }, exponent))
}

/// `value` times a power of two, to the nearest whole number.
fn shifted(value: i128, exponent: i32) -> Option<i128> {
    if let Ok(up) = u32::try_from(exponent) {
        let factor = 1_i128.checked_shl(up).filter(|factor| *factor > 0)?;
        return value.checked_mul(factor);
    }
    let down = exponent.unsigned_abs();
    if down > 126 {
        return Some(0);
    }
    Some(value.checked_add(1 << (down - 1))? >> down)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Float;

    const HOUR: i128 = 3_600_000_000_000;
    const DAY: i128 = 24 * HOUR;

    fn float(value: f64, unit: i128) -> Instant {
        Instant::of(&Value::Float(Float::new(value)), unit, false).unwrap()
    }

    #[test]
    fn numbers_are_counted_in_other_units() {
        let eighteen = Instant::of(&Value::Int(18), HOUR, false).unwrap();
        assert_eq!((eighteen.float(DAY), eighteen.whole(DAY)), (Some(0.75), None));
        assert_eq!(float(0.75, DAY).whole(HOUR), Some(18));
        assert_eq!(float(-0.25, DAY).whole(HOUR), Some(-6));
        let later = float(1_040_379.0, HOUR);
        assert_eq!(later.float(DAY), Some(43_349.125));
        for hour in 0..24_i32 {
            let time = float(18_262.0 + f64::from(hour) / 24.0, DAY);
            assert_eq!(time.nanoseconds, 18_262 * DAY + i128::from(hour) * HOUR);
        }
        // A twelfth of a day is no binary fraction, and two hours all the same.
        assert_eq!(float(2.0 / 24.0, DAY).whole(HOUR), Some(2));
        assert_eq!(float(2.0 / 24.0, DAY).later_by(DAY / 2).unwrap().whole(HOUR), Some(14));
    }

    #[test]
    fn what_would_lose_is_refused() {
        // A tenth of a day in a number that has no room for its digits.
        let tenth = float(0.1, DAY).later_by(366 * DAY).unwrap();
        assert_eq!(tenth.float(DAY), None);
        assert_eq!(tenth.whole(HOUR), None);
        assert_eq!(tenth.whole(60_000_000_000), Some(366 * 1440 + 144));
        // Days since 1900 are only exact to some hundred nanoseconds.
        let coarse = float(36_524.1, DAY);
        assert_eq!(coarse.whole(1_000_000_000), Some(36_524 * 86_400 + 8640));
        // Of a number of 32 bits the nearest microsecond is taken, and not the nearest minute.
        let single = Value::Float(Float::new(f64::from(384.05_f32)));
        assert!(are_narrow([&single]));
        assert!(!are_narrow([&single, &Value::Float(Float::new(0.1))]));
        assert!(!are_narrow([&Value::Float(Float::new(0.5))]) && !are_narrow([&Value::Int(7)]));
        let single = Instant::of(&single, HOUR, true).unwrap();
        assert_eq!(single.whole(60_000_000_000), None);
        assert_eq!(single.whole(1000), Some(1_382_579_956_055));
        assert_eq!(float(0.000_000_000_3, 1_000_000_000).nanoseconds, 0);
        for wild in [f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(Instant::of(&Value::Float(Float::new(wild)), DAY, false), None);
        }
        assert_eq!(Instant::of(&Value::Int(i128::MAX), DAY, false), None);
        assert_eq!(float(5e-324, DAY).nanoseconds, 0);
    }
}
