// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dates as GRIB writes them, and seconds since 1970.

use chunkref_core::{Cursor, Truncated};

const SECONDS_PER_DAY: i64 = 86_400;

/// A date and time in the proleptic Gregorian calendar, as it is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateTime {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
}

impl DateTime {
    /// Seven octets: year, month, day, hour, minute, second.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self {
            year: cursor.u16_be()?,
            month: cursor.u8()?,
            day: cursor.u8()?,
            hour: cursor.u8()?,
            minute: cursor.u8()?,
            second: cursor.u8()?,
        })
    }

    /// Seconds since 1970-01-01, or `None` when there is no such date.
    pub(crate) fn epoch_seconds(self) -> Option<i64> {
        // 65535 is a missing year.
        let sound = self.year <= 9999
            && (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
            && self.hour <= 24
            && self.minute <= 60
            && self.second <= 60;
        if !sound {
            return None;
        }
        // Years that begin in March, so that the leap day is the last of them.
        let month = i64::from(self.month);
        let year = i64::from(self.year).saturating_sub(i64::from(month <= 2));
        let shifted = if month > 2 { month.saturating_sub(3) } else { month.saturating_add(9) };
        let day_of_year = shifted.saturating_mul(153).saturating_add(2).div_euclid(5);
        let days = year
            .saturating_mul(365)
            .saturating_add(year.div_euclid(4))
            .saturating_sub(year.div_euclid(100))
            .saturating_add(year.div_euclid(400))
            .saturating_add(day_of_year)
            .saturating_add(i64::from(self.day))
            .saturating_sub(719_469);
        let seconds = i64::from(self.hour)
            .saturating_mul(3600)
            .saturating_add(i64::from(self.minute).saturating_mul(60))
            .saturating_add(i64::from(self.second));
        Some(days.saturating_mul(SECONDS_PER_DAY).saturating_add(seconds))
    }
}

/// Seconds since 1970 moved by months of the calendar, the day kept where the month has it.
pub(crate) fn add_months(epoch: i64, months: i64) -> i64 {
    let (year, month, day) = date(epoch.div_euclid(SECONDS_PER_DAY));
    let count =
        year.saturating_mul(12).saturating_add(month.saturating_sub(1)).saturating_add(months);
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12).saturating_add(1));
    let moved = |day: i64| {
        let small = |value| u8::try_from(value).ok();
        let date = DateTime {
            year: u16::try_from(year).ok()?,
            month: small(month)?,
            day: small(day)?,
            hour: 0,
            minute: 0,
            second: 0,
        };
        // A day that the month does not have lands in the next one.
        let start = date.epoch_seconds()?;
        let (_, found, _) = self::date(start.div_euclid(SECONDS_PER_DAY));
        (found == month).then_some(start)
    };
    (0..4)
        .find_map(|back| moved(day.saturating_sub(back)))
        .map_or(epoch, |start| start.saturating_add(epoch.rem_euclid(SECONDS_PER_DAY)))
}

/// Year, month and day of a day since 1970.
fn date(day: i64) -> (i64, i64, i64) {
    let shifted = day.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = of_era
        .saturating_sub(of_era.div_euclid(1460))
        .saturating_add(of_era.div_euclid(36_524))
        .saturating_sub(of_era.div_euclid(146_096))
        .div_euclid(365);
    let of_year = of_era
        .saturating_sub(year_of_era.saturating_mul(365))
        .saturating_sub(year_of_era.div_euclid(4))
        .saturating_add(year_of_era.div_euclid(100));
    let shifted_month = of_year.saturating_mul(5).saturating_add(2).div_euclid(153);
    let first = shifted_month.saturating_mul(153).saturating_add(2).div_euclid(5);
    let month = if shifted_month < 10 {
        shifted_month.saturating_add(3)
    } else {
        shifted_month.saturating_sub(9)
    };
    let year =
        era.saturating_mul(400).saturating_add(year_of_era).saturating_add(i64::from(month <= 2));
    (year, month, of_year.saturating_sub(first).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: u16, month: u8, day: u8) -> i64 {
        DateTime { year, month, day, hour: 0, minute: 0, second: 0 }.epoch_seconds().unwrap()
    }

    #[test]
    fn days_of_both_sides_of_leap_days_and_of_1970() {
        assert_eq!(at(1970, 1, 1), 0);
        assert_eq!(at(1969, 12, 31), -86_400);
        assert_eq!(at(2000, 2, 29) + 86_400, at(2000, 3, 1));
        assert_eq!(at(1900, 2, 28) + 86_400, at(1900, 3, 1));
        assert_eq!(at(2024, 3, 1), 1_709_251_200);
        for day in (-800_000..800_000).step_by(97) {
            let (year, month, day_of_month) = date(day);
            let Ok(year) = u16::try_from(year) else { continue };
            let (month, day_of_month) =
                (u8::try_from(month).unwrap(), u8::try_from(day_of_month).unwrap());
            assert_eq!(at(year, month, day_of_month), day * 86_400);
        }
    }

    #[test]
    fn months_keep_the_day_where_they_can() {
        assert_eq!(add_months(at(2023, 1, 31), 1), at(2023, 2, 28));
        assert_eq!(add_months(at(2023, 11, 15) + 60, 14), at(2025, 1, 15) + 60);
        assert_eq!(add_months(at(2023, 1, 1), -1), at(2022, 12, 1));
    }

    #[test]
    fn what_is_no_date_is_none() {
        let missing = DateTime { year: 65535, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
        assert_eq!(missing.epoch_seconds(), None);
        for (month, day) in [(0, 1), (13, 1), (1, 0), (1, 32)] {
            let date = DateTime { year: 2000, month, day, hour: 0, minute: 0, second: 0 };
            assert_eq!(date.epoch_seconds(), None);
        }
    }
}
