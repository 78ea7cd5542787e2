// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages of edition 1: one field each, whose sections have lengths of three octets and no numbers.

use std::sync::Arc;

use bytes::Bytes;
use chunkref_core::{Cursor, Limits, Truncated};

use crate::calendar::DateTime;
use crate::error::{Grib2Error, Result};
use crate::field::{Bits, Field};
use crate::keys;
use crate::section::SignMagnitude;
use crate::section::grid_definition::{
    GridDefinition, LatLon, Projected, Rotation, ScanningMode, Template,
};
use crate::section::product_definition::TimeUnit;
use crate::table::eccodes::label;
use crate::table::{parameter, template};

/// Octets of section 0.
pub(crate) const INDICATOR_BYTES: u64 = 8;

/// Octets of the length of a section.
pub(crate) const LENGTH_BYTES: u64 = 3;

/// Flag of section 1: section 2 is there.
const HAS_GRID: u8 = 0x80;

/// Radius of the earth that edition 1 means, in metres.
const RADIUS: f64 = 6_367_470.0;

/// Octets of a message of edition 1, from the start of its section 1 on: sections 1 and 2 are wanted whole.
///
/// Spec: WMO FM 92-IX GRIB edition 1, sections 1 and 2.
pub(crate) fn parse(offset: u64, length: u64, bytes: &Bytes, limits: &Limits) -> Result<Field> {
    let start = offset.saturating_add(INDICATOR_BYTES);
    let mut cursor = Cursor::new(bytes, start, "product definition section");
    let product_length = length24(&mut cursor)?;
    let (table, centre, _process, grid_number, flags) =
        (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let (number, level_kind, first, second) =
        (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let (year, month, day, hour, minute) =
        (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let (unit, p1, p2, range) = (TimeUnit(cursor.u8()?), cursor.u8()?, cursor.u8()?, cursor.u8()?);
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
    let (step_type, begin, end) = match range {
        2 => ("instant", p1, p2),
        3 => ("avg", p1, p2),
        4 => ("accum", p1, p2),
        5 => ("diff", p1, p2),
        _ => ("instant", p1, p1),
    };
    let count = |count: u8| {
        if range == 10 { i64::from(u16::from_be_bytes([p1, p2])) } else { i64::from(count) }
    };
    let after = |count| unit.add(time, count).unwrap_or(time).saturating_sub(time);
    let (step_start, step) = (after(count(begin)), after(count(end)));
    let grid = if flags & HAS_GRID == 0 {
        let what = format!("grid {grid_number} of the centre's list, without a section 2,");
        return Err(Grib2Error::unsupported("grid description section", start, what));
    } else {
        let begin = usize::try_from(product_length).unwrap_or(usize::MAX);
        let section = bytes.get(begin..).unwrap_or_default();
        let start = start.saturating_add(product_length);
        let grid = parse_grid(&mut Cursor::new(section, start, "grid description section"))?;
        grid.check("grid description section", start, limits)?;
        grid
    };
    let keys = keys::edition1(level_kind, [first, second], range);
    let (name, labels) = label::names1(centre.into(), level_kind, table, number, &keys);
    let (type_of_level, level, bottom) = level(name, level_kind, [first, second]);
    let parameter = parameter::edition1(table, number, labels);
    // The ensemble member, in the local part that ECMWF puts behind octet 40.
    let member = (centre == 98).then(|| member(bytes)).flatten();
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
        step_type: step_type.to_owned(),
        time,
        step_start,
        step,
        number: member.map(|(number, _)| number),
        total_number: member.map(|(_, total)| total),
        percentile: None,
        variant: String::new(),
        data_type: if step == 0 { "an" } else { "fc" }.to_owned(),
        coordinate_values: 0,
        grid_type: template::grid_type(&grid),
        grid: Arc::new(grid),
        product_template: 0,
        bits: Bits::Message,
    })
}

/// Whether the section 1 that `bytes` begin with says that a section 2 follows.
pub(crate) fn has_grid(bytes: &[u8]) -> bool {
    bytes.get(7).is_some_and(|flags| flags & HAS_GRID != 0)
}

/// Member and members of the ensemble, of ECMWF's local definition 1.
fn member(bytes: &Bytes) -> Option<(u8, u8)> {
    let definition = *bytes.get(40)?;
    let (number, total) = (*bytes.get(49)?, *bytes.get(50)?);
    (definition == 1 && total > 0).then_some((number, total))
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

/// Section 2.
fn parse_grid(cursor: &mut Cursor<'_>) -> Result<GridDefinition> {
    let start = cursor.offset();
    let length = length24(cursor)?;
    let (vertical, list_place, kind) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let mut grid = GridDefinition {
        number: 0,
        count: 0,
        nx: None,
        ny: None,
        scanning: ScanningMode(0),
        flags: 0,
        radius: Some(RADIUS),
        template: Template::Other,
        row_lengths: Vec::new(),
    };
    match kind {
        0 | 4 | 10 | 14 => {
            grid.number = match kind {
                0 => 0,
                4 => 40,
                10 => 1,
                _ => 41,
            };
            (grid.nx, grid.ny) = (present_count(cursor.u16_be()?), present_count(cursor.u16_be()?));
            let (first_latitude, first_longitude) = (degrees(cursor)?, degrees(cursor)?);
            grid.flags = flags(cursor.u8()?);
            let (last_latitude, last_longitude) = (degrees(cursor)?, degrees(cursor)?);
            let (di, dj) = (cursor.u16_be()?, cursor.u16_be()?);
            grid.scanning = ScanningMode(cursor.u8()?);
            cursor.skip(4)?;
            let is_rotated = matches!(kind, 10 | 14);
            let rotation = if is_rotated {
                let (south_pole_latitude, south_pole_longitude) =
                    (degrees(cursor)?, degrees(cursor)?);
                Some(Rotation { south_pole_latitude, south_pole_longitude, angle: 0.0 })
            } else {
                None
            };
            let increment = |value: u16| (value != u16::MAX).then(|| f64::from(value) / 1e3);
            let is_gaussian = matches!(kind, 4 | 14);
            grid.template = Template::LatLon(LatLon {
                first_latitude,
                first_longitude,
                last_latitude,
                last_longitude,
                i_increment: increment(di),
                j_increment: increment(dj).filter(|_| !is_gaussian),
                gaussian: is_gaussian.then_some(u32::from(dj)),
                rotation,
            });
        }
        3 | 5 => projected(cursor, kind, &mut grid)?,
        50 => {
            let (j, k, m) = (cursor.u16_be()?, cursor.u16_be()?, cursor.u16_be()?);
            grid.number = 50;
            grid.template = Template::SphericalHarmonics { j: j.into(), k: k.into(), m: m.into() };
            let terms =
                u32::from(j).saturating_add(1).saturating_mul(u32::from(j).saturating_add(2));
            grid.count = terms;
            return Ok(grid);
        }
        other => {
            let what = format!("a grid of type {other}");
            return Err(Grib2Error::unsupported("grid description section", start, what));
        }
    }
    if let (Some(nx), Some(ny)) = (grid.nx, grid.ny) {
        grid.count = nx.saturating_mul(ny);
        return Ok(grid);
    }
    // The rows of a reduced grid are listed behind the vertical coordinates.
    let place = u64::from(list_place)
        .saturating_sub(1)
        .saturating_add(u64::from(vertical).saturating_mul(4));
    let here = cursor.offset().saturating_sub(start);
    if list_place == u8::MAX || place < here || place > length {
        let reason = "a reduced grid has no list of its rows";
        return Err(Grib2Error::inconsistent("grid description section", start, reason));
    }
    cursor.bytes_u64(place.saturating_sub(here))?;
    for _ in 0..grid.ny.unwrap_or(0) {
        grid.row_lengths.push(u32::from(cursor.u16_be()?));
    }
    grid.count = grid.row_lengths.iter().fold(0, |sum: u32, &row| sum.saturating_add(row));
    Ok(grid)
}

/// A grid on a map: Lambert conformal (3) or polar stereographic (5).
fn projected(cursor: &mut Cursor<'_>, kind: u8, grid: &mut GridDefinition) -> Result<()> {
    (grid.nx, grid.ny) = (present_count(cursor.u16_be()?), present_count(cursor.u16_be()?));
    let (first_latitude, first_longitude) = (degrees(cursor)?, degrees(cursor)?);
    grid.flags = flags(cursor.u8()?);
    let orientation = degrees(cursor)?;
    let (dx, dy) = (metres(cursor)?, metres(cursor)?);
    let centre_flags = cursor.u8()?;
    grid.scanning = ScanningMode(cursor.u8()?);
    let intersections = if kind == 3 { Some((degrees(cursor)?, degrees(cursor)?)) } else { None };
    let true_latitude = intersections.map_or(60.0, |(first, _)| first);
    let projected = Projected {
        first_latitude,
        first_longitude,
        last: None,
        true_latitude,
        orientation,
        dx,
        dy,
        centre_flags,
        intersections,
        south_pole: None,
    };
    (grid.number, grid.template) = if kind == 3 {
        (30, Template::Lambert(projected))
    } else {
        (20, Template::PolarStereographic(projected))
    };
    Ok(())
}

fn present_count(count: u16) -> Option<u32> {
    (count != u16::MAX).then_some(u32::from(count))
}

/// Flags of edition 1 at the places where edition 2 has them.
fn flags(flags: u8) -> u8 {
    let increments = if flags & 0x80 == 0 { 0 } else { 0x30 };
    increments | (flags & 0x08)
}

fn degrees(cursor: &mut Cursor<'_>) -> Result<f64, Truncated> {
    let [a, b, c] = cursor.array()?;
    // The sign is the highest of 24 bits.
    let value = u32::from_be_bytes([a & 0x80, a & 0x7f, b, c]).signed();
    Ok(crate::section::decimal(value, 3))
}

fn metres(cursor: &mut Cursor<'_>) -> Result<f64, Truncated> {
    let [a, b, c] = cursor.array()?;
    Ok(f64::from(u32::from_be_bytes([0, a, b, c])))
}

#[cfg(test)]
mod tests {
    use super::*;

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
