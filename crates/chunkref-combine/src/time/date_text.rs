// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dates as texts, such as those in names of files, and as counts of numpy's units.

use super::calendar::Calendar;
use super::units::{DAY, epoch_of};

/// Years that ten digits in a row are taken for: no count of seconds of these days looks like one.
const YEARS_WITH_HOURS: std::ops::Range<i64> = 1800..2200;

/// A date as nanoseconds since 1970 of the Gregorian calendar: `YYYY-MM-DD` with a time behind it or not, `YYYY-MM`, `YYYY`,
/// `YYYYMMDD`, `YYYYDDD` (the day of the year), `YYYYMMDDhh`, or `YYYYMMDD` with `hh`, `hhmm` or `hhmmss` behind `T`, `_`, `-`
/// or a space. Longer rows of digits have several meanings, and are none.
pub(crate) fn date_of_text(text: &str) -> Option<i128> {
    let text = text.trim();
    let gregorian = Calendar::ProlepticGregorian;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (front, rest) = text.split_at_checked(digits)?;
    let part = |range: std::ops::Range<usize>| front.get(range);
    let days = |year: &str, month: &str, day: &str| {
        let number = |text: &str| text.parse::<i64>().ok();
        gregorian.days(number(year)?, number(month)?, number(day)?)
    };
    let origin = i128::from(gregorian.days(1970, 1, 1)?) * DAY;
    let since = match (digits, rest) {
        (4, "") => i128::from(days(front, "1", "1")?) * DAY,
        (4, rest) if rest.len() == 3 && rest.starts_with('-') => {
            i128::from(days(front, rest.get(1..)?, "1")?) * DAY
        }
        (4, _) => epoch_of(text, gregorian)?,
        (7, "") => {
            let year: i64 = part(0..4)?.parse().ok()?;
            let day: i64 = part(4..7)?.parse().ok()?;
            let first = gregorian.days(year, 1, 1)?;
            let next = gregorian.days(year + 1, 1, 1)?;
            let found = first + day - 1;
            (day > 0 && found < next).then_some(i128::from(found) * DAY)?
        }
        (10, "") => {
            let year: i64 = part(0..4)?.parse().ok()?;
            if !YEARS_WITH_HOURS.contains(&year) {
                return None;
            }
            let date = days(part(0..4)?, part(4..6)?, part(6..8)?)?;
            i128::from(date) * DAY + clock(part(8..10)?)?
        }
        (8, _) => {
            let date = i128::from(days(part(0..4)?, part(4..6)?, part(6..8)?)?) * DAY;
            match rest.strip_prefix(['T', '_', '-', ' ']) {
                Some(time) => date + clock(time)?,
                None if rest.is_empty() => date,
                None => return None,
            }
        }
        _ => return None,
    };
    since.checked_sub(origin)
}

/// `hh`, `hhmm` or `hhmmss`, in nanoseconds.
fn clock(text: &str) -> Option<i128> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    if !matches!(text.len(), 2 | 4 | 6) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |place: usize| match text.get(place..place + 2) {
        None => Some(0),
        Some(digits) => digits.parse::<i128>().ok(),
    };
    let (hour, minute, second) = (number(0)?, number(2)?, number(4)?);
    let sound = hour < 24 && minute < 60 && second < 60;
    sound.then_some(((hour * 60 + minute) * 60 + second) * 1_000_000_000)
}

/// Nanoseconds since 1970 as a count of one of numpy's units; `None` when it is no whole number of them.
pub(crate) fn count_of_date(nanoseconds: i128, unit: &str) -> Option<i64> {
    let (factor, name) = split(unit)?;
    let months = |of: i64| {
        let day = i64::try_from(nanoseconds.div_euclid(DAY)).ok()?;
        let first = Calendar::ProlepticGregorian.days(1970, 1, 1)?;
        let (year, month, day) = Calendar::ProlepticGregorian.date(first.checked_add(day)?)?;
        let count = (year - 1970) * 12 + month - 1;
        let whole = nanoseconds.rem_euclid(DAY) == 0 && day == 1 && count.rem_euclid(of) == 0;
        whole.then_some(count.div_euclid(of))
    };
    let count = match name {
        "Y" => i128::from(months(12)?),
        "M" => i128::from(months(1)?),
        name => {
            let unit = nanoseconds_of(name)?;
            (nanoseconds.rem_euclid(unit) == 0).then_some(nanoseconds.div_euclid(unit))?
        }
    };
    let whole = count.rem_euclid(factor) == 0;
    whole.then(|| i64::try_from(count.div_euclid(factor)).ok()).flatten()
}

/// A count of one of numpy's units as nanoseconds since 1970.
pub(crate) fn date_of_count(count: i64, unit: &str) -> Option<i128> {
    let (factor, name) = split(unit)?;
    let count = i128::from(count).checked_mul(factor)?;
    let months = match name {
        "Y" => count.checked_mul(12)?,
        "M" => count,
        name => return count.checked_mul(nanoseconds_of(name)?),
    };
    let year = i64::try_from(months.div_euclid(12)).ok()?.checked_add(1970)?;
    let month = i64::try_from(months.rem_euclid(12)).ok()? + 1;
    if !(-1_000_000..1_000_000).contains(&year) {
        return None;
    }
    let gregorian = Calendar::ProlepticGregorian;
    let days = gregorian.days(year, month, 1)?.checked_sub(gregorian.days(1970, 1, 1)?)?;
    Some(i128::from(days) * DAY)
}

fn split(unit: &str) -> Option<(i128, &str)> {
    let name = unit.trim_start_matches(|character: char| character.is_ascii_digit());
    let factor = unit.strip_suffix(name).filter(|factor| !factor.is_empty());
    let factor: i128 = factor.map_or(Ok(1), str::parse).ok()?;
    (factor > 0).then_some((factor, name))
}

fn nanoseconds_of(name: &str) -> Option<i128> {
    Some(match name {
        "W" => 7 * DAY,
        "D" => DAY,
        "h" => 3_600_000_000_000,
        "m" => 60_000_000_000,
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" => 1000,
        "ns" => 1,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        for (text, day, hours) in [
            ("1970-01-01", 0, 0),
            ("2019", 17_897, 0),
            ("2019-02", 17_928, 0),
            ("20190201", 17_928, 0),
            ("2019032", 17_928, 0),
            ("2019020106", 17_928, 6),
            ("20190201T0600", 17_928, 6),
            ("20190201_06", 17_928, 6),
            ("20190201-060000Z", 17_928, 6),
            ("2019-02-01T06:00:00", 17_928, 6),
            (" 2019-02-01 06:00 ", 17_928, 6),
            ("1969-12-31T23:00", -1, 23),
        ] {
            let expected = day * DAY + hours * 3_600_000_000_000;
            assert_eq!(date_of_text(text), Some(expected), "{text}");
        }
        for wrong in [
            "",
            "x",
            "201",
            "190201",
            "20191301",
            "2019366",
            "2019000",
            "1546300800",
            "20201011203022",
            "2019-02-30",
            "20190201x",
            "20190201T25",
            "20190201T600",
            "2019_02",
        ] {
            assert_eq!(date_of_text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn counts_of_units() {
        let date = date_of_text("2019-01-01").unwrap();
        for (unit, count) in [
            ("Y", 49),
            ("M", 588),
            ("D", 17_897),
            ("h", 429_528),
            ("s", 1_546_300_800),
            ("10ms", 154_630_080_000),
            ("ns", 1_546_300_800_000_000_000),
        ] {
            assert_eq!(count_of_date(date, unit), Some(count), "{unit}");
            assert_eq!(date_of_count(count, unit), Some(date), "{unit}");
        }
        assert_eq!(count_of_date(date, "W"), None);
        assert_eq!(count_of_date(date + 1, "us"), None);
        assert_eq!(count_of_date(date_of_text("2019-02-01").unwrap(), "Y"), None);
        assert_eq!(count_of_date(date, "25s"), Some(61_852_032));
        assert_eq!((count_of_date(date, "fortnight"), count_of_date(date, "0s")), (None, None));
    }
}
