// SPDX-License-Identifier: MIT OR Apache-2.0
//! Units of time: `UNIT since DATE`.
//!
//! Spec: CF Conventions 1.11, section 4.4.

use super::calendar::Calendar;

/// Nanoseconds of a day.
pub(crate) const DAY: i128 = 86_400_000_000_000;

/// `UNIT since DATE` in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Units {
    /// Nanoseconds of one unit.
    pub(crate) unit: i128,
    /// Nanoseconds from day 0 of the calendar to the epoch.
    pub(crate) epoch: i128,
}

impl Units {
    /// Units in words; `None` when they are no units of time of a fixed length, or have no date of the calendar.
    pub(crate) fn parse(text: &str, calendar: Calendar) -> Option<Self> {
        let (unit, epoch) = parts(text)?;
        Some(Self { unit: unit_of(unit)?, epoch: epoch_of(epoch, calendar)? })
    }

    /// The nanoseconds of one unit, without looking at the date.
    pub(crate) fn unit_in(text: &str) -> Option<i128> {
        unit_of(parts(text)?.0)
    }

    /// The same date with another unit, in words.
    pub(crate) fn with_unit(text: &str, unit: &str) -> Option<String> {
        Some(format!("{unit} since {}", parts(text)?.1))
    }
}

/// The unit, and the date.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (unit, rest) = text.trim().split_once(char::is_whitespace)?;
    let (since, epoch) = rest.trim_start().split_once(char::is_whitespace)?;
    since.eq_ignore_ascii_case("since").then_some((unit, epoch.trim()))
}

/// Whether units count from a date, in any case of letters: `hours since 2000-01-01`.
///
/// ```
/// assert!(chunkref_combine::are_since("Days Since 1990-01-01"));
/// assert!(!chunkref_combine::are_since("days"));
/// ```
#[must_use]
pub fn are_since(units: &str) -> bool {
    parts(units).is_some()
}

fn unit_of(name: &str) -> Option<i128> {
    Some(match name.to_ascii_lowercase().as_str() {
        "nanosecond" | "nanoseconds" | "nanosec" | "nanosecs" => 1,
        "microsecond" | "microseconds" | "microsec" | "microsecs" => 1000,
        "millisecond" | "milliseconds" | "millisec" | "millisecs" | "msec" | "msecs" | "ms" => {
            1_000_000
        }
        "second" | "seconds" | "sec" | "secs" | "s" => 1_000_000_000,
        "minute" | "minutes" | "min" | "mins" => 60_000_000_000,
        "hour" | "hours" | "hr" | "hrs" | "h" => 3_600_000_000_000,
        "day" | "days" | "d" => DAY,
        _ => return None,
    })
}

/// `YYYY-MM-DD`, with `hh:mm:ss.f` behind a space or `T`, and `Z`, `UTC` or `+hh:mm` behind that, in nanoseconds.
pub(crate) fn epoch_of(text: &str, calendar: Calendar) -> Option<i128> {
    let (date, rest) = match text.split_once(['T', ' ']) {
        Some((date, rest)) => (date, rest.trim()),
        None => (text, ""),
    };
    let numbers: Option<Vec<i64>> = date.split('-').map(|part| part.parse().ok()).collect();
    let [year, month, day] = numbers?[..] else { return None };
    // What is far from any date is none.
    if year > 1_000_000 {
        return None;
    }
    let rest = rest.trim_end_matches("UTC").trim_end_matches(['Z', 'z']).trim_end();
    let (time, zone) = match rest.rfind(['+', '-']) {
        Some(place) => (rest.get(..place)?.trim_end(), Some(rest.get(place..)?)),
        None => (rest, None),
    };
    let offset = match zone {
        None => 0,
        Some(zone) => {
            let (sign, zone) = zone.split_at_checked(1)?;
            let (hours, minutes) = zone.split_once(':').unwrap_or((zone, "0"));
            let hours = hours.parse::<u8>().ok().filter(|hours| *hours < 24)?;
            let minutes = i128::from(hours) * 60 + i128::from(minutes.parse::<u8>().ok()?);
            if sign == "-" { -minutes } else { minutes }
        }
    };
    let mut parts = time.split(':');
    let mut whole = |most: u8| -> Option<i128> {
        match parts.next() {
            None | Some("") => Some(0),
            Some(part) => part.parse::<u8>().ok().filter(|value| *value <= most).map(Into::into),
        }
    };
    let (hour, minute) = (whole(23)?, whole(59)?);
    let seconds = parts.next().unwrap_or("0");
    if parts.next().is_some() {
        return None;
    }
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: i128 = format!("{fraction:0<9}").parse().ok()?;
    let second: i128 = second.parse::<u8>().ok().filter(|second| *second < 60)?.into();
    let days = i128::from(calendar.days(year, month, day)?);
    Some(days * DAY + ((hour * 60 + minute - offset) * 60 + second) * 1_000_000_000 + nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Option<Units> {
        Units::parse(text, Calendar::Standard)
    }

    #[test]
    fn epochs_in_their_spellings() {
        let epoch = units("seconds since 2000-01-01 12:00:00").unwrap();
        for same in [
            "seconds since 2000-01-01T12:00:00Z",
            "seconds since 2000-1-1 12:0:0.0 UTC",
            "s since 2000-01-01 13:30:00 +01:30",
            "sec since 2000-01-01 10:00:00 -2",
            "Seconds Since 2000-01-01 12:00:00",
        ] {
            assert_eq!(units(same), Some(epoch), "{same}");
        }
        let next = units("seconds since 2000-01-02 12:00").unwrap();
        assert_eq!(next.epoch - epoch.epoch, DAY);
        for wrong in [
            "months since 2000-01-01",
            "seconds",
            "K",
            "days since 2001-02-29",
            "days since 1582-10-10",
            "days since 2000-01-01 25:00",
            "days since 2000-01-01 00:00:00.0000000001",
        ] {
            assert_eq!(units(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn another_unit_keeps_the_date() {
        let text = "days since 1990-02-03T06:00:00Z";
        let hours = Units::with_unit(text, "hours").unwrap();
        assert_eq!(hours, "hours since 1990-02-03T06:00:00Z");
        assert_eq!(units(&hours).unwrap().epoch, units(text).unwrap().epoch);
        assert_eq!(Units::unit_in(&hours), Some(3_600_000_000_000));
    }
}
