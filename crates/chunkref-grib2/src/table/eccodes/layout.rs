// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the product templates of edition 2 have their keys.

use std::ops::Range;

use super::key::{Key, Keys, MISSING};

/// Parts that a section repeats at most: counts have one octet.
const MAX_PARTS: usize = 255;

/// Sets the keys that section 4 has, `section` from its own header on, and gives their octets. Those of a template that
/// ecCodes does not know are absent.
pub(crate) fn read(template: u16, section: &[u8], keys: &mut Keys) -> Vec<(Key, Range<usize>)> {
    let words = super::index().template(template).unwrap_or_default();
    // A key may be absent: one of a part that is not repeated, or behind the end of the section.
    words.split(' ').filter_map(|word| read_word(word, section, keys)).collect()
}

/// Whether a template has a key, in sections that are long enough.
pub(crate) fn has(template: u16, key: Key) -> bool {
    let words = super::index().template(template).unwrap_or_default();
    words.split(' ').any(|word| {
        word.as_bytes().first().is_some_and(|&letter| Key::from_letter(letter) == Some(key))
    })
}

/// One key: `KEY=VALUE` for what follows from the template, or `KEYoctet.octets`, `s` for a sign, `m` for octets that
/// can be missing, and `+KEYoctets` for each count that moves it, `!` where it is within the part that is counted.
fn read_word(word: &str, section: &[u8], keys: &mut Keys) -> Option<(Key, Range<usize>)> {
    let key = Key::from_letter(*word.as_bytes().first()?)?;
    let rest = word.get(1..)?;
    if let Some(value) = rest.strip_prefix('=') {
        keys.set(key, value.parse::<i64>().ok()?);
        return None;
    }
    let mut parts = rest.split('+');
    let (place, octets) = parts.next()?.split_once('.')?;
    let (mut place, mut step) = (place.parse::<usize>().ok()?, 0);
    for part in parts {
        let count = keys.get(Key::from_letter(*part.as_bytes().first()?)?)?;
        let count = usize::try_from(count).ok()?;
        let stride = part.get(1..)?;
        if stride.ends_with('!') && count == 0 {
            return None;
        }
        step = stride.trim_end_matches('!').parse().ok()?;
        place = place.checked_add(count.checked_mul(step)?)?;
    }
    let length = usize::from(octets.as_bytes().first()?.checked_sub(b'0')?);
    let octets_of = place..place.checked_add(length)?;
    let bytes = section.get(octets_of.clone())?;
    keys.set(key, number(bytes, octets.contains('s'), octets.contains('m')));
    if key == Key::TypeOfStatisticalProcessing {
        // The last was read; those before it lie as far apart as one part is long.
        let count = usize::try_from(keys.get(Key::NumberOfTimeRanges)?).ok()?.min(MAX_PARTS);
        let first = place.checked_sub(step.checked_mul(count.checked_sub(1)?)?)?;
        let places = (0..count).map(|part| first.saturating_add(step.saturating_mul(part)));
        keys.processes = places.filter_map(|place| section.get(place).copied()).collect();
    }
    Some((key, octets_of))
}

/// A whole number of up to four octets.
fn number(bytes: &[u8], has_sign: bool, can_be_missing: bool) -> i64 {
    if can_be_missing && bytes.iter().all(|&byte| byte == u8::MAX) {
        return MISSING;
    }
    let value = bytes.iter().fold(0_i64, |value, &byte| (value << 8) | i64::from(byte));
    let bits = u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_mul(8).saturating_sub(1);
    let sign = 1_i64.checked_shl(bits).unwrap_or(i64::MIN);
    if has_sign && value & sign != 0 { (value & !sign).saturating_neg() } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A maximum over a minimum, 2 m above ground, template 4.8 with two time ranges.
    fn section() -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 70, 4, 0, 0, 0, 8, 0, 0, 2, 0, 96, 0, 0, 0, 1, 0, 0, 0, 6];
        bytes.extend([103, 0x81, 0, 0, 0, 2, 255, 255, 255, 255, 255, 255]);
        bytes.extend([7, 232, 1, 1, 0, 0, 0, 2, 0, 0, 0, 0]);
        bytes.extend([2, 2, 1, 0, 0, 0, 24, 255, 0, 0, 0, 0]);
        bytes.extend([3, 2, 1, 0, 0, 0, 6, 255, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn keys_are_in_their_octets() {
        let mut keys = Keys::new();
        read(8, &section(), &mut keys);
        assert_eq!(keys.get(Key::TypeOfFirstFixedSurface), Some(103));
        assert_eq!(keys.get(Key::ScaleFactorOfFirstFixedSurface), Some(-1));
        assert_eq!(keys.get(Key::ScaledValueOfFirstFixedSurface), Some(2));
        assert_eq!(keys.get(Key::ScaledValueOfSecondFixedSurface), Some(MISSING));
        assert_eq!(keys.get(Key::TypeOfSecondFixedSurface), Some(255));
        // The last time range, and all.
        assert_eq!(keys.get(Key::LengthOfTimeRange), Some(6));
        assert_eq!(keys.get(Key::TypeOfStatisticalProcessing), Some(3));
        assert_eq!(keys.processes, [2, 3]);
        assert_eq!(keys.get(Key::IsChemical), None);
        assert!(has(8, Key::ForecastTime) && !has(8, Key::PercentileValue));
    }

    #[test]
    fn what_is_cut_off_is_absent() {
        let bytes = section();
        for end in 0..bytes.len() {
            let mut keys = Keys::new();
            read(8, &bytes[..end], &mut keys);
            assert_eq!(keys.get(Key::LengthOfTimeRange).is_some(), end >= 65, "{end}");
        }
        let mut keys = Keys::new();
        read(60_000, &bytes, &mut keys);
        assert_eq!(keys, Keys::new());
    }
}
