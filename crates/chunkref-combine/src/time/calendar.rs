// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calendars: the number of a day in each.
//!
//! Spec: CF Conventions 1.11, section 4.4.1.

/// A calendar, by one of its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calendar {
    /// The mixed calendar: Julian to 1582-10-04, Gregorian from the next day on, which is 1582-10-15.
    Standard,
    ProlepticGregorian,
    Julian,
    NoLeap,
    AllLeap,
    Days360,
}

/// The first day on which the mixed calendar is Gregorian.
const REFORM: (i64, i64, i64) = (1582, 10, 15);
/// The last day on which it is Julian.
const LAST_JULIAN: (i64, i64, i64) = (1582, 10, 4);
/// Days by which year 0 of the Julian calendar begins earlier than that of the Gregorian one.
const JULIAN_BEGINS: i64 = -2;
/// Days before each month of a common year.
const BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

impl Calendar {
    /// The calendar of a name, in any case of letters.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "standard" | "gregorian" => Self::Standard,
            "proleptic_gregorian" => Self::ProlepticGregorian,
            "julian" => Self::Julian,
            "noleap" | "365_day" => Self::NoLeap,
            "all_leap" | "366_day" => Self::AllLeap,
            "360_day" => Self::Days360,
            _ => return None,
        })
    }

    /// Its first name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::ProlepticGregorian => "proleptic_gregorian",
            Self::Julian => "julian",
            Self::NoLeap => "noleap",
            Self::AllLeap => "all_leap",
            Self::Days360 => "360_day",
        }
    }

    /// Whether its days since 1582-10-15 are those of the Gregorian calendar.
    pub(crate) fn is_gregorian(self) -> bool {
        matches!(self, Self::Standard | Self::ProlepticGregorian)
    }

    /// The first day on which the mixed calendar is Gregorian.
    pub(crate) fn reform() -> i64 {
        let (year, month, day) = REFORM;
        Self::ProlepticGregorian.days(year, month, day).unwrap_or_default()
    }

    /// Days from the beginning of year 0 to a date; the Julian, the mixed and the Gregorian calendar count from one day.
    /// `None` when the calendar has no such date. The Julian and the mixed one have no year 0.
    pub(crate) fn days(self, year: i64, month: i64, day: i64) -> Option<i64> {
        let index = usize::try_from(month.checked_sub(1)?).ok()?;
        let (before, next) = (*BEFORE.get(index)?, *BEFORE.get(index + 1)?);
        let fourth = year.rem_euclid(4) == 0;
        let leap = match self {
            Self::Days360 => {
                return (1..=30).contains(&day).then_some(year * 360 + (month - 1) * 30 + day - 1);
            }
            Self::Standard if (year, month, day) >= REFORM => {
                return Self::ProlepticGregorian.days(year, month, day);
            }
            Self::Standard if (year, month, day) <= LAST_JULIAN => {
                return Self::Julian.days(year, month, day);
            }
            Self::Standard => return None,
            Self::Julian if year < 1 => return None,
            Self::NoLeap => false,
            Self::AllLeap => true,
            Self::Julian => fourth,
            Self::ProlepticGregorian => {
                fourth && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
            }
        };
        let longest = next - before + i64::from(leap && month == 2);
        if !(1..=longest).contains(&day) {
            return None;
        }
        let of_year = before + i64::from(leap && month > 2) + day - 1;
        let last = year - 1;
        let leaps = match self {
            Self::AllLeap => year,
            Self::Julian => last.div_euclid(4) + JULIAN_BEGINS,
            Self::ProlepticGregorian => {
                last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400)
            }
            _ => 0,
        };
        Some(year * 365 + leaps + of_year)
    }

    /// Year, month and day of a number of days; `None` outside the years 1 to 9999.
    pub(crate) fn date(self, days: i64) -> Option<(i64, i64, i64)> {
        let calendar = match self {
            Self::Standard if days >= Self::reform() => Self::ProlepticGregorian,
            Self::Standard => Self::Julian,
            other => other,
        };
        // At most a few years early, because no year is longer.
        let mut year = days.div_euclid(366).max(1);
        if year >= 10_000 {
            return None;
        }
        while calendar.days(year + 1, 1, 1)? <= days {
            year += 1;
        }
        let begins = |month: i64| calendar.days(year, month, 1).filter(|&first| first <= days);
        let (month, first) = (1..=12).rev().find_map(|month| Some((month, begins(month)?)))?;
        (year < 10_000).then_some((year, month, days - first + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_synonyms_in_any_case() {
        for [a, b] in [
            ["standard", "Gregorian"],
            ["noleap", "365_day"],
            ["ALL_LEAP", "366_day"],
            ["360_day", "360_DAY"],
        ] {
            assert_eq!(Calendar::of(a), Calendar::of(b), "{a}");
            assert!(Calendar::of(a).is_some());
        }
        assert_eq!(Calendar::of("martian"), None);
    }

    #[test]
    fn calendars_differ_in_february() {
        let between = |calendar: Calendar| {
            calendar.days(1900, 3, 1).unwrap() - calendar.days(1900, 2, 28).unwrap()
        };
        assert_eq!(between(Calendar::Standard), 1);
        assert_eq!(between(Calendar::Julian), 2);
        assert_eq!(between(Calendar::NoLeap), 1);
        assert_eq!(between(Calendar::AllLeap), 2);
        assert_eq!(between(Calendar::Days360), 3);
        let days = |year| Calendar::ProlepticGregorian.days(year, 1, 1).unwrap();
        assert_eq!(days(2001) - days(1601), 146_097);
        assert_eq!(days(1970) - days(1900), 25_567);
    }

    #[test]
    fn the_mixed_calendar_leaves_ten_days_out() {
        let mixed = Calendar::Standard;
        assert_eq!(mixed.days(1582, 10, 15).unwrap() - mixed.days(1582, 10, 4).unwrap(), 1);
        for day in 5..15 {
            assert_eq!(mixed.days(1582, 10, day), None);
        }
        // 0001-01-01 of the Julian calendar is two days before that of the Gregorian one.
        let first = |calendar: Calendar| calendar.days(1, 1, 1).unwrap();
        assert_eq!(first(Calendar::ProlepticGregorian) - first(mixed), 2);
        assert_eq!(mixed.days(0, 1, 1), None);
        assert_eq!(Calendar::NoLeap.days(0, 1, 1), Some(0));
    }

    #[test]
    fn every_day_has_its_date() {
        for calendar in [
            Calendar::Standard,
            Calendar::ProlepticGregorian,
            Calendar::Julian,
            Calendar::NoLeap,
            Calendar::AllLeap,
            Calendar::Days360,
        ] {
            let first = calendar.days(1, 1, 1).unwrap();
            for day in (first..first + 800_000).step_by(7) {
                let (year, month, of_month) = calendar.date(day).unwrap();
                assert_eq!(calendar.days(year, month, of_month), Some(day), "{calendar:?}");
            }
            assert_eq!(calendar.date(first - 1), None);
        }
    }
}
