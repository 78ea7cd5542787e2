// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages of edition 1: one field each, whose sections have lengths of three octets and no numbers.

use std::sync::Arc;

use bytes::Bytes;
use chunkref_core::{Cursor, Limits, Truncated};
use md5::Digest;

use crate::calendar::DateTime;
use crate::error::{Grib2Error, Result};
use crate::field::{Bits, Field};
use crate::keys;
use crate::section::grid_definition::GridDefinition;
use crate::section::product_definition::TimeUnit;
use crate::table::eccodes::label;
use crate::table::{parameter, template};

pub(crate) mod grid;
mod local;

use local::Local;

/// ECMWF, as a centre of edition 1.
const ECMWF: u8 = 98;

/// Octets of section 0.
pub(crate) const INDICATOR_BYTES: u64 = 8;

/// Octets of the length of a section.
pub(crate) const LENGTH_BYTES: u64 = 3;

/// Flag of section 1: section 2 is there.
const HAS_GRID: u8 = 0x80;

/// Octets of a message of edition 1, from the start of its section 1 on: sections 1 and 2 are wanted whole.
///
/// Spec: WMO FM 92-IX GRIB edition 1, sections 1 and 2.
pub(crate) fn parse(offset: u64, length: u64, bytes: &Bytes, limits: &Limits) -> Result<Field> {
    let start = offset.saturating_add(INDICATOR_BYTES);
    let mut cursor = Cursor::new(bytes, start, "product definition section");
    let product_length = length24(&mut cursor)?;
    let (table, centre) = (cursor.u8()?, cursor.u8()?);
    // Process, number of the grid and flags.
    cursor.skip(3)?;
    let (number, level_kind, first, second) =
        (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let (year, month, day, hour, minute) =
        (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let (unit, p1, p2, range) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let unit = time_unit(unit);
    // Fields averaged, and those missing.
    cursor.skip(3)?;
    let (century, sub_centre) = (cursor.u8()?, cursor.u8()?);
    let year =
        u16::from(century).saturating_sub(1).saturating_mul(100).saturating_add(u16::from(year));
    let date = DateTime { year, month, day, hour, minute, second: 0 };
    let time = date.epoch_seconds().ok_or_else(|| {
        Grib2Error::inconsistent(
            "product definition section",
            start,
            format!("{date:?} is no date"),
        )
    })?;
    let grid = grid(bytes, start, limits)?;
    let grid_digest = digest(bytes, start)?;
    let keys = keys::edition1(level_kind, [first, second], range);
    let (name, labels) = label::names1(centre.into(), level_kind, table, number, &keys);
    let (type_of_level, level, bottom) = level(name, level_kind, [first, second]);
    let parameter = parameter::edition1(table, number, labels);
    let step_type = template::step_type1(range, centre, &parameter.short_name);
    let after = |count| unit.add(time, count).unwrap_or(time).saturating_sub(time);
    let (begin, end) = time_range(range, [p1, p2]);
    let (step_start, step) = (after(begin), after(end));
    let section = bytes.get(..usize::try_from(product_length).unwrap_or(usize::MAX));
    let local = match section.filter(|_| centre == ECMWF) {
        Some(section) => Local::of_ecmwf(section),
        None => Local::default(),
    };
    Ok(Field {
        offset,
        length,
        part: 0,
        edition: 1,
        code: (0, table, number),
        centre: u16::from(centre),
        sub_centre: u16::from(sub_centre),
        parameter,
        type_of_level,
        level,
        bottom,
        step_type,
        time,
        step_start,
        step,
        number: local.number,
        total_number: local.total,
        percentile: None,
        threshold: local.threshold,
        variant: local.variant,
        kinds: [level_kind, u8::MAX, u8::MAX],
        data_type: if step == 0 { "an" } else { "fc" }.to_owned(),
        coordinate_values: 0,
        grid_type: template::grid_type(&grid),
        grid: Arc::new(grid),
        grid_digest,
        product_template: 0,
        bits: Bits::Message,
    })
}

/// Section 2 of a message, whose octets are given from the start of its section 1 on; `start` is the place of that.
pub(crate) fn grid(bytes: &[u8], start: u64, limits: &Limits) -> Result<GridDefinition> {
    let section = "grid description section";
    let Some((section2, place)) = section2(bytes, start)? else {
        let number = bytes.get(6).copied().unwrap_or_default();
        let what = format!("grid {number} of the centre's list, without a section 2,");
        return Err(Grib2Error::unsupported(section, start, what));
    };
    let grid = grid::parse(&mut Cursor::new(section2, place, section), limits)?;
    grid.check(section, place, limits)?;
    Ok(grid)
}

/// Section 2 of a message and its place, where it has one.
fn section2(bytes: &[u8], start: u64) -> Result<Option<(&[u8], u64)>, Truncated> {
    let length = length24(&mut Cursor::new(bytes, start, "product definition section"))?;
    if !has_grid(bytes) {
        return Ok(None);
    }
    let begin = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(Some((bytes.get(begin..).unwrap_or_default(), start.saturating_add(length))))
}

/// MD5 of section 2.
fn digest(bytes: &[u8], start: u64) -> Result<[u8; 16]> {
    let (section, place) = section2(bytes, start)?.unwrap_or_default();
    let mut cursor = Cursor::new(section, place, "grid description section");
    let length = length24(&mut cursor)?;
    let whole = Cursor::new(section, place, "grid description section").bytes_u64(length)?;
    Ok(md5::Md5::digest(whole).into())
}

/// Whether the section 1 that `bytes` begin with says that a section 2 follows.
pub(crate) fn has_grid(bytes: &[u8]) -> bool {
    bytes.get(7).is_some_and(|flags| flags & HAS_GRID != 0)
}

/// The unit of a time, which edition 2 has by other numbers: quarters and halves of an hour.
///
/// Spec: WMO FM 92-IX GRIB edition 1, table 4.
fn time_unit(unit: u8) -> TimeUnit {
    match unit {
        13 => TimeUnit(14),
        14 => TimeUnit(15),
        other => TimeUnit(other),
    }
}

/// Start and end of what the values are of, in units after the reference time; the same for values at a time.
///
/// Spec: WMO FM 92-IX GRIB edition 1, table 5.
fn time_range(range: u8, [p1, p2]: [u8; 2]) -> (i64, i64) {
    let (first, second) = (i64::from(p1), i64::from(p2));
    match range {
        2..=5 | 118..=122 | 128..=140 => (first, second),
        6 => (first.saturating_neg(), second.saturating_neg()),
        7 => (first.saturating_neg(), second),
        10 => {
            let whole = i64::from(u16::from_be_bytes([p1, p2]));
            (whole, whole)
        }
        _ => (first, first),
    }
}

pub(crate) fn length24(cursor: &mut Cursor<'_>) -> Result<u64, Truncated> {
    let [a, b, c] = cursor.array()?;
    Ok(u64::from(u32::from_be_bytes([0, a, b, c])))
}

/// Type of level, level, and the second level of a layer. `unknown_KIND` where ecCodes has no name.
///
/// Spec: WMO FM 92-IX GRIB edition 1, table 3.
fn level(name: Option<&str>, kind: u8, level: [u8; 2]) -> (String, f64, Option<f64>) {
    let name = name.map_or_else(|| format!("unknown_{kind}"), str::to_owned);
    let [first, second] = level.map(f64::from);
    match kind {
        // Surfaces that have no level, whatever the octets are.
        1..=9 | 102 | 200 | 201 => (name, 0.0, None),
        _ if keys::is_layer(kind) => (name, first, Some(second)),
        _ => (name, f64::from(u16::from_be_bytes(level)), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::grid_template::Template;

    /// Sections 1 and 2 of a 2 m temperature on 3 by 2 points, six hours ahead.
    fn sections() -> Vec<u8> {
        let mut bytes = vec![0, 0, 28, 128, 98, 145, 255, 0x80, 167, 105, 0, 2];
        bytes.extend([19, 3, 1, 12, 0, 1, 6, 0, 0, 0, 0, 0, 21, 0, 0, 0]);
        bytes.extend([0, 0, 32, 0, 255, 0, 0, 3, 0, 2]);
        // 60 N 10 W to 59 N 8 W by 1 degree.
        bytes.extend([0, 0xea, 0x60, 0x80, 0x27, 0x10, 0x80]);
        bytes.extend([0, 0xe6, 0x78, 0x80, 0x1f, 0x40, 3, 0xe8, 3, 0xe8, 0]);
        bytes.extend([0; 4]);
        bytes
    }

    #[test]
    fn a_field_of_edition_1() {
        let field = parse(0, 100, &Bytes::from(sections()), &Limits::default()).unwrap();
        assert_eq!(
            (field.parameter.short_name.as_str(), field.parameter.variable.as_str()),
            ("2t", "t2m")
        );
        assert_eq!((field.type_of_level.as_str(), field.level), ("heightAboveGround", 2.0));
        assert_eq!((field.time, field.step), (1_551_441_600, 6 * 3600));
        assert_eq!(field.grid.shape(), Some((2, 3)));
        let Template::LatLon(grid) = &field.grid.template else { panic!("{:?}", field.grid) };
        assert_eq!((grid.first_longitude, grid.last_latitude), (-10.0, 59.0));
    }

    #[test]
    fn units_of_time_have_numbers_of_their_own() {
        let step = |unit| {
            let mut bytes = sections();
            bytes[17] = unit;
            parse(0, 100, &Bytes::from(bytes), &Limits::default()).unwrap().step
        };
        assert_eq!(
            [step(0), step(1), step(13), step(14), step(254)],
            [360, 21_600, 5400, 10_800, 6]
        );
    }

    #[test]
    fn what_is_cut_off_or_not_there_is_an_error() {
        let bytes = sections();
        for end in 0..bytes.len() - 4 {
            assert!(
                parse(0, 100, &Bytes::copy_from_slice(&bytes[..end]), &Limits::default()).is_err(),
                "{end}"
            );
        }
        let mut without_grid = bytes;
        without_grid[7] = 0;
        let error =
            parse(0, 100, &Bytes::from(without_grid), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("grid 255 of the centre's list"), "{error}");
    }
}
