// SPDX-License-Identifier: MIT OR Apache-2.0
//! CF times brought to the first input's epoch and unit, where that loses nothing.
//!
//! Spec: CF Conventions 1.11, section 4.4.

use std::collections::BTreeMap;

use chunkref_model::{Array, AttributeValue, Attributes, ByteOrder, DataType};

use crate::input::Input;
use crate::value::{Value, values};

/// `UNIT since DATE` in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Units {
    /// Microseconds of one unit.
    unit: i128,
    /// Microseconds from year 0 of the calendar to the epoch.
    epoch: i128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calendar {
    /// The mixed calendar, of which only the days since 1582-10-15 are computed here.
    Standard,
    ProlepticGregorian,
    NoLeap,
    AllLeap,
    Days360,
}

const DAY: i128 = 86_400_000_000;

impl Calendar {
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "standard" | "gregorian" => Self::Standard,
            "proleptic_gregorian" => Self::ProlepticGregorian,
            "noleap" | "365_day" => Self::NoLeap,
            "all_leap" | "366_day" => Self::AllLeap,
            "360_day" => Self::Days360,
            _ => return None,
        })
    }

    fn days(self, year: i64, month: i64, day: i64) -> Option<i64> {
        const BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
        let index = usize::try_from(month.checked_sub(1)?).ok()?;
        let (before, next) = (*BEFORE.get(index)?, *BEFORE.get(index + 1)?);
        let leap = match self {
            Self::Days360 => {
                return (1..=30).contains(&day).then_some(year * 360 + (month - 1) * 30 + day - 1);
            }
            Self::NoLeap => false,
            Self::AllLeap => true,
            _ => (year % 4 == 0 && year % 100 != 0) || year % 400 == 0,
        };
        let longest = next - before + i64::from(leap && month == 2);
        if !(1..=longest).contains(&day) {
            return None;
        }
        if self == Self::Standard && (year, month, day) < (1582, 10, 15) {
            return None;
        }
        let of_year = before + i64::from(leap && month > 2) + day - 1;
        let leaps = match self {
            Self::NoLeap => 0,
            Self::AllLeap => year,
            _ => {
                let last = year - 1;
                last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400)
            }
        };
        Some(year * 365 + leaps + of_year)
    }
}

impl Units {
    /// Microseconds from year 0 to `number` units after the epoch.
    pub(crate) fn instant(&self, number: i128) -> i128 {
        number.saturating_mul(self.unit).saturating_add(self.epoch)
    }

    /// Microseconds of one unit.
    pub(crate) fn length(&self) -> i128 {
        self.unit
    }

    pub(crate) fn parse(text: &str, calendar: Calendar) -> Option<Self> {
        let (unit, rest) = text.trim().split_once(char::is_whitespace)?;
        let (since, epoch) = rest.trim_start().split_once(char::is_whitespace)?;
        if !since.eq_ignore_ascii_case("since") {
            return None;
        }
        let unit = match unit.to_ascii_lowercase().as_str() {
            "microsecond" | "microseconds" | "microsec" | "microsecs" => 1,
            "millisecond" | "milliseconds" | "millisec" | "millisecs" | "msec" | "msecs" | "ms" => {
                1000
            }
            "second" | "seconds" | "sec" | "secs" | "s" => 1_000_000,
            "minute" | "minutes" | "min" | "mins" => 60_000_000,
            "hour" | "hours" | "hr" | "hrs" | "h" => 3_600_000_000,
            "day" | "days" | "d" => DAY,
            _ => return None,
        };
        Some(Self { unit, epoch: epoch_of(epoch.trim(), calendar)? })
    }
}

/// A time in CF units as `YYYY-MM-DDThh:mm:ss`, to the nearest second. `None` for units and calendars that are not computed,
/// and outside the years 1 to 9999; of the mixed calendar also before it was Gregorian.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "what is far from any date is no date"
)]
pub fn date_of(value: f64, units: &str, calendar: &str) -> Option<String> {
    let calendar = Calendar::of(calendar)?;
    let units = Units::parse(units, calendar)?;
    let since = (value * units.unit as f64).round() as i128;
    let seconds = since.checked_add(units.epoch)?.checked_add(500_000)?.div_euclid(1_000_000);
    let day = i64::try_from(seconds.div_euclid(86_400)).ok()?;
    let second = seconds.rem_euclid(86_400);
    // At most a few years early, because no year is longer.
    let mut year = day.div_euclid(366);
    if !(0..10_000).contains(&year) {
        return None;
    }
    while calendar.days(year + 1, 1, 1)? <= day {
        year += 1;
    }
    let begins = |month: i64| calendar.days(year, month, 1).filter(|&first| first <= day);
    let (month, first) = (1..=12).rev().find_map(|month| Some((month, begins(month)?)))?;
    let of_month = day - first + 1;
    calendar.days(year, month, of_month).filter(|_| (1..10_000).contains(&year))?;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    Some(format!("{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}"))
}

/// `YYYY-MM-DD`, with `hh:mm:ss.f` behind a space or `T`, and `Z`, `UTC` or `+hh:mm` behind that.
fn epoch_of(text: &str, calendar: Calendar) -> Option<i128> {
    let (date, rest) = match text.split_once(['T', ' ']) {
        Some((date, rest)) => (date, rest.trim()),
        None => (text, ""),
    };
    let numbers: Option<Vec<i64>> = date.split('-').map(|part| part.parse().ok()).collect();
    let [year, month, day] = numbers?[..] else { return None };
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
    if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros: i128 = format!("{fraction:0<6}").parse().ok()?;
    let second: i128 = second.parse::<u8>().ok().filter(|second| *second < 60)?.into();
    let days = i128::from(calendar.days(year, month, day)?);
    Some(days * DAY + ((hour * 60 + minute - offset) * 60 + second) * 1_000_000 + micros)
}

fn text<'a>(array: &'a Array, name: &str) -> Option<&'a str> {
    match array.attributes.get(name)? {
        AttributeValue::Text(text) => Some(text),
        _ => None,
    }
}

fn calendar(array: &Array) -> &str {
    text(array, "calendar").unwrap_or("standard")
}

fn is_gregorian(calendar: &str) -> bool {
    matches!(Calendar::of(calendar), Some(Calendar::Standard | Calendar::ProlepticGregorian))
}

/// Fails for times before the mixed calendar was Gregorian.
fn check_since_reform(array: &Array, units: &str) -> Result<(), String> {
    let units = Units::parse(units, Calendar::Standard).ok_or_else(String::new)?;
    let reform = Calendar::Standard.days(1582, 10, 15).map_or(0, i128::from) * DAY;
    let plain = array.plain_values().unwrap_or_default();
    let fills = fill_values(array);
    for value in values(&array.dtype, &plain).unwrap_or_default() {
        let since = match &value {
            value if fills.contains(value) => continue,
            Value::Int(value) => value.saturating_mul(units.unit),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "only its sign, far from any limit, matters"
            )]
            Value::Float(value) => (value.get() * units.unit as f64) as i128,
            Value::Bytes(_) => continue,
        };
        if since.saturating_add(units.epoch) < reform {
            return Err("before 1582-10-15 the calendars count differently".to_owned());
        }
    }
    Ok(())
}

fn is_time(array: &Array) -> bool {
    text(array, "units").is_some_and(|units| units.to_ascii_lowercase().contains(" since "))
}

/// Brings the times of every input to the units of the first one that has them. What cannot be brought there without
/// loss stays as it is, and is a conflict of units later; the answer says why, by path.
pub(crate) fn harmonise(inputs: &mut [Input<'_>]) -> BTreeMap<String, String> {
    let mut reasons = BTreeMap::new();
    let mut wanted: BTreeMap<String, (String, String)> = BTreeMap::new();
    for input in inputs {
        let mut changes = Vec::new();
        for (path, array) in input.dataset.arrays() {
            if !is_time(array) {
                continue;
            }
            let units = text(array, "units").unwrap_or_default();
            let Some((goal, goal_calendar)) = wanted.get(&path) else {
                wanted.insert(path, (units.to_owned(), calendar(array).to_owned()));
                continue;
            };
            let own_calendar = calendar(array);
            let same_calendar = Calendar::of(goal_calendar) == Calendar::of(own_calendar);
            if goal == units && same_calendar {
                continue;
            }
            // The two count alike since the mixed one is Gregorian, which is checked of each time.
            let gregorian = is_gregorian(goal_calendar) && is_gregorian(own_calendar);
            if !(same_calendar || gregorian) {
                continue;
            }
            // Bounds without units of their own are in those of the variable that they belong to.
            let mut paths = vec![path.clone()];
            if let Some(bounds) = text(array, "bounds") {
                let bounds = match path.rsplit_once('/') {
                    Some((group, _)) => format!("{group}/{bounds}"),
                    None => bounds.to_owned(),
                };
                if input.dataset.array(&bounds).is_some_and(|array| !is_time(array)) {
                    paths.push(bounds);
                }
            }
            let moved: Result<Vec<_>, String> = paths
                .into_iter()
                .map(|path| {
                    let part = input.dataset.array(&path).ok_or_else(String::new)?;
                    let strict = if same_calendar { goal_calendar } else { "standard" };
                    let array = rebased(part, units, goal, strict)?;
                    if !same_calendar {
                        check_since_reform(&array, goal)?;
                    }
                    Ok((path, array))
                })
                .collect();
            match moved {
                Ok(mut moved) => {
                    if let Some((_, array)) = moved.first_mut() {
                        array.attributes.insert("units", goal.as_str());
                        if !same_calendar {
                            array.attributes.insert("calendar", goal_calendar.as_str());
                        }
                    }
                    changes.extend(moved);
                }
                Err(reason) => {
                    reasons.entry(path).or_insert(reason);
                }
            }
        }
        for (path, array) in changes {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
            input.dataset.to_mut().group_mut(parent).arrays.insert(name.to_owned(), array);
        }
    }
    reasons
}

/// Values of each array since 1970, with the attributes that say so. An error is the place of an array, and the reason.
pub(crate) type Since1970 = Result<(Vec<Vec<u8>>, Attributes), (usize, String)>;

/// The times of arrays as 64-bit integers since 1970-01-01: seconds, or milliseconds or microseconds where seconds are not
/// exact.
pub(crate) fn since_1970(arrays: &[&Array]) -> Since1970 {
    let mut times = Vec::new();
    let mut name = "standard".to_owned();
    for (place, array) in arrays.iter().enumerate() {
        let own = calendar(array);
        if place == 0 {
            own.clone_into(&mut name);
        } else if Calendar::of(own) != Calendar::of(&name) {
            return Err((place, format!("its calendar is {own}, that of the first input {name}")));
        }
        times.push(microseconds(array).map_err(|reason| (place, reason))?);
    }
    let units = [("seconds", 1_000_000), ("milliseconds", 1000), ("microseconds", 1)];
    let exact = |unit: i128| times.iter().flatten().all(|time| time % unit == 0);
    let (unit, divisor) =
        units.into_iter().find(|(_, unit)| exact(*unit)).unwrap_or(("microseconds", 1));
    let mut bytes = Vec::new();
    for (place, times) in times.iter().enumerate() {
        let mut own = Vec::new();
        for time in times {
            let time = i64::try_from(time / divisor);
            own.extend(
                time.map_err(|_| (place, "a time beyond 64 bits".to_owned()))?.to_le_bytes(),
            );
        }
        bytes.push(own);
    }
    let mut attributes = Attributes::new();
    attributes.insert("units", format!("{unit} since 1970-01-01T00:00:00").as_str());
    attributes.insert("calendar", name.as_str());
    attributes.insert("standard_name", "time");
    Ok((bytes, attributes))
}

/// The times of an array in microseconds since 1970-01-01 of its calendar.
fn microseconds(array: &Array) -> Result<Vec<i128>, String> {
    let name = calendar(array);
    let own = Calendar::of(name)
        .ok_or_else(|| format!("times of the calendar {name} are not computed"))?;
    let units = text(array, "units").unwrap_or_default();
    let units =
        Units::parse(units, own).ok_or_else(|| format!("{units:?} is no epoch known here"))?;
    let origin = i128::from(own.days(1970, 1, 1).unwrap_or_default()) * DAY;
    if ["scale_factor", "add_offset"].iter().any(|name| array.attributes.get(name).is_some()) {
        return Err("packed times are not computed".to_owned());
    }
    let plain = array.plain_values().ok_or("they are not in the references as plain values")?;
    let found = values(&array.dtype, &plain).unwrap_or_default();
    let fills = fill_values(array);
    found
        .iter()
        .map(|value| {
            let lost = || format!("{value} is no whole number of microseconds");
            if fills.contains(value) {
                return Err("one of them is missing".to_owned());
            }
            let time = match value {
                Value::Int(value) => value.checked_mul(units.unit).ok_or_else(lost)?,
                Value::Float(value) => whole(value.get(), units.unit).ok_or_else(lost)?,
                Value::Bytes(_) => return Err("they are no numbers".to_owned()),
            };
            Ok(time + units.epoch - origin)
        })
        .collect()
}

/// A number of units in microseconds, when that is a whole number and exact.
fn whole(value: f64, unit: i128) -> Option<i128> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_precision_loss, reason = "units are below 2^53")]
    let scaled = value * unit as f64;
    #[expect(clippy::cast_precision_loss, reason = "units are below 2^53")]
    let back = scaled / unit as f64;
    let sound = scaled.fract() == 0.0 && scaled.abs() < EXACT && back.to_bits() == value.to_bits();
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
    sound.then_some(scaled as i128)
}

/// The array with its times counted in other units.
fn rebased(array: &Array, from: &str, to: &str, calendar: &str) -> Result<Array, String> {
    let calendar = Calendar::of(calendar)
        .ok_or_else(|| format!("times of the calendar {calendar} are not computed"))?;
    let parse = |text: &str| {
        Units::parse(text, calendar).ok_or_else(|| format!("{text:?} is no epoch known here"))
    };
    let (from, to) = (parse(from)?, parse(to)?);
    if ["scale_factor", "add_offset"].iter().any(|name| array.attributes.get(name).is_some()) {
        return Err("packed times are not brought to one epoch".to_owned());
    }
    let plain = array.plain_values().ok_or_else(|| {
        "the times are not in the references as plain values, so they cannot be changed".to_owned()
    })?;
    let fills: Vec<Value> = fill_values(array);
    let found = values(&array.dtype, &plain).unwrap_or_default();
    let element = plain.len().checked_div(found.len()).unwrap_or_default();
    let mut moved = Vec::new();
    for (value, bytes) in found.iter().zip(plain.chunks(element.max(1))) {
        if fills.contains(value) {
            moved.extend_from_slice(bytes);
            continue;
        }
        let lost = || format!("{value} in other units would not be exact");
        let changed = match value {
            Value::Int(value) => shift(*value, from, to).map(Value::Int).ok_or_else(lost)?,
            Value::Float(value) if value.get().is_nan() => {
                moved.extend_from_slice(bytes);
                continue;
            }
            Value::Float(value) => {
                let shifted = shift_float(value.get(), from, to).ok_or_else(lost)?;
                Value::Float(crate::value::Float::new(shifted))
            }
            Value::Bytes(_) => return Err("times that are no numbers are not changed".to_owned()),
        };
        let bytes = encode(&array.dtype, &changed).ok_or_else(lost)?;
        moved.extend_from_slice(&bytes);
    }
    Ok(array.clone().with_plain_values(moved.into()))
}

/// Values that mean that there is none.
fn fill_values(array: &Array) -> Vec<Value> {
    let fill = array
        .fill_value
        .as_ref()
        .and_then(|fill| chunkref_model::array_values::element_bytes(&array.dtype, Some(fill)));
    fill.and_then(|bytes| values(&array.dtype, &bytes)).unwrap_or_default()
}

fn shift(value: i128, from: Units, to: Units) -> Option<i128> {
    let time = value.checked_mul(from.unit)?.checked_add(from.epoch - to.epoch)?;
    (time % to.unit == 0).then(|| time / to.unit)
}

/// Exact, or not at all: whole numbers as integers, others only by whole units, and only where the way back leads to the
/// same number.
fn shift_float(value: f64, from: Units, to: Units) -> Option<f64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        let shifted = shift(value as i128, from, to);
        if let Some(shifted) = shifted {
            #[expect(clippy::cast_precision_loss, reason = "checked just below")]
            let result = shifted as f64;
            return (result.abs() < EXACT).then_some(result);
        }
    }
    let distance = from.epoch - to.epoch;
    if from.unit != to.unit || distance % to.unit != 0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "checked just below")]
    let distance = (distance / to.unit) as f64;
    let moved = value + distance;
    let exact = |a: f64, b: f64| a.to_bits() == b.to_bits();
    let there_and_back = exact(moved - distance, value) && exact(moved - value, distance);
    (distance.abs() < EXACT && there_and_back).then_some(moved)
}

fn encode(dtype: &DataType, value: &Value) -> Option<Vec<u8>> {
    let ordered = |little: &[u8], order: &ByteOrder| {
        let mut bytes = little.to_vec();
        if *order == ByteOrder::Big {
            bytes.reverse();
        }
        Some(bytes)
    };
    let encoded = match (dtype, value) {
        (
            DataType::Int { length, order } | DataType::UInt { length, order },
            Value::Int(number),
        ) => ordered(number.to_le_bytes().get(..usize::from(*length))?, order),
        (DataType::Float { length: 8, order }, Value::Float(number)) => {
            ordered(&number.get().to_le_bytes(), order)
        }
        #[expect(clippy::cast_possible_truncation, reason = "read back and compared below")]
        (DataType::Float { length: 4, order }, Value::Float(number)) => {
            ordered(&(number.get() as f32).to_le_bytes(), order)
        }
        _ => None,
    }?;
    (values(dtype, &encoded)?.first() == Some(value)).then_some(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Option<Units> {
        Units::parse(text, Calendar::Standard)
    }

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
            (-200_000.0, "days since 2000-01-01", "standard"),
        ] {
            assert_eq!(date(value, units, calendar), None, "{value} {units} {calendar}");
        }
        // A day's date is that day.
        for day in (0..200_000).step_by(3) {
            let text = date(f64::from(day), "days since 1600-01-01", "standard").unwrap();
            let back = epoch_of(&text, Calendar::Standard).unwrap();
            let start = epoch_of("1600-01-01", Calendar::Standard).unwrap();
            assert_eq!(back - start, i128::from(day) * DAY, "{text}");
        }
    }

    #[test]
    fn epochs_in_their_spellings() {
        let epoch = units("seconds since 2000-01-01 12:00:00").unwrap();
        for same in [
            "seconds since 2000-01-01T12:00:00Z",
            "seconds since 2000-1-1 12:0:0.0 UTC",
            "s since 2000-01-01 13:30:00 +01:30",
            "sec since 2000-01-01 10:00:00 -2",
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
            "days since 1500-01-01",
            "days since 2000-01-01 25:00",
            "days since 2000-01-01 00:00:00.0000001",
        ] {
            assert_eq!(units(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn calendars_differ_in_february() {
        let between = |calendar: Calendar| {
            calendar.days(2000, 3, 1).unwrap() - calendar.days(2000, 2, 28).unwrap()
        };
        assert_eq!(between(Calendar::Standard), 2);
        assert_eq!(between(Calendar::NoLeap), 1);
        assert_eq!(between(Calendar::AllLeap), 2);
        assert_eq!(between(Calendar::Days360), 3);
        let days = |year| Calendar::ProlepticGregorian.days(year, 1, 1).unwrap();
        assert_eq!(days(2001) - days(1601), 146_097);
        assert_eq!(days(1970) - days(1900), 25_567);
    }

    #[test]
    fn what_would_lose_is_refused() {
        let day = units("days since 2000-01-01").unwrap();
        let hour = units("hours since 2000-01-02").unwrap();
        assert_eq!(shift(2, day, hour), Some(24));
        assert_eq!(shift(25, hour, day), None);
        assert_eq!(shift_float(0.5, day, units("days since 1999-12-31").unwrap()), Some(1.5));
        assert_eq!(shift_float(0.1, day, units("days since 1999-01-01").unwrap()), None);
        assert_eq!(shift_float(0.5, day, hour), None);
    }
}
