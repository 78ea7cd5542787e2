// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the lines of index sidecars say of messages.
//!
//! Formats: wgrib2's inventory (`NUMBER:OFFSET:d=DATE:VARIABLE:LEVEL:TIME:MORE…:`), and the JSON lines of ECMWF's
//! open data, whose keys are those of MARS.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::calendar::DateTime;

/// Seconds after the reference time that values are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// One time.
    At(i64),
    /// From one time to another.
    Between(i64, i64),
    /// A time, or an interval that ends there.
    Until(i64),
}

/// What a line says of the field of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// All that the line says but for reference time and step.
    pub(crate) what: String,
    /// Reference time, in seconds since 1970.
    pub(crate) time: i64,
    pub(crate) span: Span,
}

/// A message that a sidecar lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) offset: u64,
    /// Bytes of the message, where the sidecar tells them.
    pub(crate) length: Option<u64>,
    /// `None` where no line can be made out, or several lines are about the message.
    pub(crate) said: Option<Said>,
}

/// Messages that the lines of a sidecar list, by their offsets; lines that list none are left out.
pub(crate) fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Listed> {
    let mut listed: BTreeMap<u64, Listed> = BTreeMap::new();
    for message in lines.filter_map(line) {
        let same = listed.entry(message.offset);
        // A message of several fields has several lines.
        same.and_modify(|known| known.said = None).or_insert(message);
    }
    listed.into_values().collect()
}

fn line(line: &str) -> Option<Listed> {
    let line = line.trim();
    if line.starts_with('{') {
        let Value::Object(keys) = serde_json::from_str(line).ok()? else { return None };
        let number = |name: &str| keys.get(name).and_then(Value::as_u64);
        let (offset, length) = (number("_offset")?, number("_length"));
        return Some(Listed { offset, length, said: mars(&keys) });
    }
    let mut words = line.split(':').skip(1);
    let offset = words.next()?.trim().parse().ok()?;
    Some(Listed { offset, length: None, said: wgrib2(words) })
}

/// The words of wgrib2 behind the offset.
fn wgrib2<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Said> {
    let time = date(words.next()?.strip_prefix("d=")?)?;
    let (variable, level, step) = (words.next()?, words.next()?, words.next()?);
    let (kind, span) = wgrib2_span(step)?;
    let mut what = format!("{variable}:{level}:{kind}");
    for word in words.filter(|word| !word.is_empty()) {
        what.push(':');
        what.push_str(word);
    }
    Some(Said { what, time, span })
}

/// `anl`, `3 hour fcst` or `0-3 hour acc fcst`: the words without the times, and the times.
fn wgrib2_span(step: &str) -> Option<(&str, Span)> {
    if step == "anl" {
        return Some((step, Span::At(0)));
    }
    let (count, rest) = step.split_once(' ')?;
    let (unit, kind) = rest.split_once(' ')?;
    let seconds = |count: &str| {
        let unit = match unit {
            "sec" => 1,
            "min" => 60,
            "hour" => 3600,
            "day" => 86_400,
            _ => return None,
        };
        count.parse::<u32>().ok().and_then(|count| i64::from(count).checked_mul(unit))
    };
    match count.split_once('-') {
        None if kind == "fcst" => Some((kind, Span::At(seconds(count)?))),
        None => None,
        Some((begin, end)) => Some((kind, Span::Between(seconds(begin)?, seconds(end)?))),
    }
}

/// The keys of a line of ECMWF's.
fn mars(keys: &Map<String, Value>) -> Option<Said> {
    let text = |name: &str| match keys.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let (day, clock) = (text("date")?, text("time")?);
    let time = date(&format!("{day}{clock:0>4}"))?;
    let hours = |hours: &str| {
        hours.parse::<u32>().ok().and_then(|hours| i64::from(hours).checked_mul(3600))
    };
    let step = text("step")?;
    let span = match step.split_once('-') {
        Some((begin, end)) => Span::Between(hours(begin)?, hours(end)?),
        None => Span::Until(hours(&step)?),
    };
    let told = keys.iter().filter(|(name, _)| {
        !matches!(name.as_str(), "date" | "time" | "step" | "_offset" | "_length")
    });
    // The keys of a map are in their order, whatever it was in the line.
    let told: BTreeMap<_, _> = told.collect();
    let what = told.into_iter().map(|(name, value)| format!("{name}={value}"));
    Some(Said { what: what.collect::<Vec<_>>().join(","), time, span })
}

/// A date of 10, 12 or 14 digits, in seconds since 1970.
fn date(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) || !matches!(digits.len(), 10 | 12 | 14)
    {
        return None;
    }
    let part = |from: usize| match digits.get(from..from.saturating_add(2)) {
        Some(part) => part.parse::<u8>().ok(),
        None => Some(0),
    };
    DateTime {
        year: digits.get(..4)?.parse().ok()?,
        month: part(4)?,
        day: part(6)?,
        hour: part(8)?,
        minute: part(10)?,
        second: part(12)?,
    }
    .epoch_seconds()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<Said> {
        line(text).unwrap().said
    }

    #[test]
    fn lines_of_wgrib2() {
        let all = said("7:339:d=2020072806:TMP:2 m above ground:3 hour fcst:ENS=+1:").unwrap();
        assert_eq!(all.what, "TMP:2 m above ground:fcst:ENS=+1");
        assert_eq!((all.time, all.span), (1_595_916_000, Span::At(10_800)));
        let span = |step: &str| said(&format!("1:0:d=2020072806:APCP:surface:{step}:"));
        let sum = span("0-1 day acc fcst").unwrap();
        assert_eq!(
            (sum.what.as_str(), sum.span),
            ("APCP:surface:acc fcst", Span::Between(0, 86_400))
        );
        assert_eq!(span("anl").unwrap().span, Span::At(0));
        for other in
            ["", "3 hour", "x hour fcst", "3 month fcst", "0-x hour acc fcst", "3 hour acc fcst"]
        {
            assert_eq!(span(other), None, "{other}");
        }
        assert_eq!(said("1:0:d=2020:TMP:surface:anl:"), None);
        assert_eq!(said("1:0"), None);
        assert_eq!(line("x:y"), None);
    }

    #[test]
    fn lines_of_ecmwf() {
        let text = r#"{"param": "2t", "levtype": "sfc", "date": "20240301", "time": "0600", "step": "24", "_offset": 5, "_length": 9}"#;
        let message = line(text).unwrap();
        assert_eq!((message.offset, message.length), (5, Some(9)));
        let said = message.said.unwrap();
        assert_eq!(said.what, r#"levtype="sfc",param="2t""#);
        assert_eq!((said.time, said.span), (1_709_272_800, Span::Until(86_400)));
        assert_eq!(line(r#"{"_offset": 5, "step": "1"}"#).unwrap().said, None);
    }

    #[test]
    fn a_message_of_several_lines_says_nothing() {
        let text = "1:0:d=2020072806:A:b:anl:\n2.1:50:d=2020072806:U:b:anl:\n2.2:50:d=2020072806:V:b:anl:\nx";
        let listed = parse(text.lines());
        assert_eq!(listed.len(), 2);
        assert!(listed[0].said.is_some() && listed[1].said.is_none());
    }
}
