// SPDX-License-Identifier: MIT OR Apache-2.0
//! CF times brought to one epoch and unit, where that loses nothing, with all that is counted as they are.
//!
//! Spec: CF Conventions 1.11, sections 4.4, 7.1 and 7.4.

mod calendar;
mod date_text;
mod family;
mod instant;
mod move_times;
mod units;

pub(crate) use calendar::Calendar;
pub(crate) use date_text::{count_of_date, date_of_count, date_of_text};
pub(crate) use family::harmonise;

pub(crate) use units::Units;
pub use units::are_since;

use crate::value::{Float, Value};
use instant::Instant;

/// A time in CF units as `YYYY-MM-DDThh:mm:ss`, to the nearest second. `None` for units and calendars that are not computed,
/// and outside the years 1 to 9999.
#[must_use]
pub fn date_of(value: f64, units: &str, calendar: &str) -> Option<String> {
    let calendar = Calendar::of(calendar)?;
    let units = Units::parse(units, calendar)?;
    let since = Instant::of(&Value::Float(Float::new(value)), units.unit, false)?;
    let nanoseconds = since.later_by(units.epoch)?.nanoseconds;
    let seconds = nanoseconds.checked_add(500_000_000)?.div_euclid(1_000_000_000);
    let (year, month, day) = calendar.date(i64::try_from(seconds.div_euclid(86_400)).ok()?)?;
    let second = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_every_calendar() {
        let date = |value, units, calendar| date_of(value, units, calendar);
        for (value, units, calendar, expected) in [
            (0.0, "seconds since 2000-01-01 12:00:00", "standard", "2000-01-01T12:00:00"),
            (-0.5, "days since 2000-03-01", "proleptic_gregorian", "2000-02-29T12:00:00"),
            (59.0, "days since 1900-01-01", "gregorian", "1900-03-01T00:00:00"),
            (365.0, "days since 2000-01-01", "noleap", "2001-01-01T00:00:00"),
            (59.0, "days since 2001-01-01", "all_leap", "2001-02-29T00:00:00"),
            (359.0, "days since 2001-01-01", "360_day", "2001-12-30T00:00:00"),
            (23.999_999_9, "hours since 9999-12-30", "standard", "9999-12-31T00:00:00"),
            (0.0, "hours since 0001-01-01", "proleptic_gregorian", "0001-01-01T00:00:00"),
            (59.0, "days since 1900-01-01", "julian", "1900-02-29T00:00:00"),
            (-1.0, "days since 1582-10-15", "standard", "1582-10-04T00:00:00"),
            (730_487.0, "days since 0001-01-01", "standard", "2001-01-01T00:00:00"),
        ] {
            assert_eq!(
                date(value, units, calendar).as_deref(),
                Some(expected),
                "{units} {calendar}"
            );
        }
        for (value, units, calendar) in [
            (0.0, "months since 2000-01-01", "standard"),
            (0.0, "days since 2000-01-01", "martian"),
            (-1.0, "days since 0001-01-01", "proleptic_gregorian"),
            (1e300, "days since 2000-01-01", "standard"),
            (f64::NEG_INFINITY, "days since 2000-01-01", "standard"),
        ] {
            assert_eq!(date(value, units, calendar), None, "{value} {units} {calendar}");
        }
    }
}
