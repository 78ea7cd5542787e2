// SPDX-License-Identifier: MIT OR Apache-2.0
//! Section 2 of edition 1: where the points are.

use chunkref_core::{Cursor, Limits, Truncated};

use super::length24;
use crate::error::{Grib2Error, Result};
use crate::points::reduced;
use crate::section::earth::Earth;
use crate::section::grid_definition::{GridDefinition, ScanningMode, present};
use crate::section::grid_template::{LatLon, Projected, Rotation, SpaceView, Template};
use crate::section::{SignMagnitude, decimal};

/// Flag of table 7: the earth is an ellipsoid.
const OBLATE: u8 = 0x40;

/// Angles are in thousandths of a degree.
const PRECISION: f64 = 1e-3;

/// The octets of the section. Templates get the numbers that they have in edition 2.
///
/// Spec: WMO FM 92-IX GRIB edition 1, section 2.
pub(crate) fn parse(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<GridDefinition> {
    let start = cursor.offset();
    let length = length24(cursor)?;
    let (vertical, list_place, kind) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let mut grid = GridDefinition::new(0, 0);
    grid.earth = Some(Earth::SPHERE);
    match kind {
        0 | 4 | 10 | 14 | 20 | 24 | 30 | 34 => lat_lon(cursor, kind, &mut grid)?,
        1 => mercator(cursor, &mut grid)?,
        3 | 5 | 8 => polar_or_conic(cursor, kind, &mut grid)?,
        90 => space_view(cursor, &mut grid)?,
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
    let rows = grid.ny.unwrap_or(0);
    let limit = ("axis_values", limits.axis_values);
    Grib2Error::check_limit("grid description section", start, "rows", rows.into(), limit)?;
    for _ in 0..rows {
        grid.row_lengths.push(u32::from(cursor.u16_be()?));
    }
    let rows = &grid.row_lengths;
    grid.count = match &grid.template {
        Template::LatLon(template) if template.gaussian.is_some() => {
            let count = reduced::count(template, PRECISION, rows);
            u32::try_from(count).unwrap_or(u32::MAX)
        }
        _ => rows.iter().fold(0, |sum: u32, &row| sum.saturating_add(row)),
    };
    Ok(grid)
}

fn lat_lon(cursor: &mut Cursor<'_>, kind: u8, grid: &mut GridDefinition) -> Result<(), Truncated> {
    // Plain, rotated, stretched, or both; of latitudes and longitudes or Gaussian.
    grid.number = match kind {
        0 => 0,
        4 => 40,
        10 => 1,
        14 => 41,
        20 => 2,
        24 => 42,
        30 => 3,
        _ => 43,
    };
    counts(cursor, grid)?;
    let (first_latitude, first_longitude) = (degrees(cursor)?, degrees(cursor)?);
    flags(cursor, grid)?;
    let (last_latitude, last_longitude) = (degrees(cursor)?, degrees(cursor)?);
    let (di, dj) = (cursor.u16_be()?, cursor.u16_be()?);
    grid.scanning = scanning(cursor)?;
    cursor.skip(4)?;
    let rotation = if matches!(kind, 10 | 14 | 30 | 34) {
        let (south_pole_latitude, south_pole_longitude) = (degrees(cursor)?, degrees(cursor)?);
        let angle = ibm_float(cursor.u32_be()?);
        Some(Rotation { south_pole_latitude, south_pole_longitude, angle })
    } else {
        None
    };
    let increment = |value: u16| present(value, u16::MAX).map(|value| f64::from(value) / 1e3);
    let is_gaussian = matches!(kind, 4 | 14 | 24 | 34);
    grid.template = Template::LatLon(LatLon {
        first_latitude,
        first_longitude,
        last_latitude,
        last_longitude,
        i_increment: increment(di),
        j_increment: increment(dj).filter(|_| !is_gaussian),
        gaussian: is_gaussian.then_some(u32::from(dj)),
        rotation,
        stretched: matches!(kind, 20 | 24 | 30 | 34),
    });
    Ok(())
}

fn mercator(cursor: &mut Cursor<'_>, grid: &mut GridDefinition) -> Result<(), Truncated> {
    counts(cursor, grid)?;
    let (first_latitude, first_longitude) = (degrees(cursor)?, degrees(cursor)?);
    flags(cursor, grid)?;
    // Last latitude and longitude, which the distances give.
    cursor.skip(6)?;
    let true_latitude = degrees(cursor)?;
    cursor.skip(1)?;
    grid.scanning = scanning(cursor)?;
    let (dx, dy) = (metres(cursor)?, metres(cursor)?);
    grid.number = 10;
    grid.template = Template::Mercator(Projected {
        first_latitude,
        first_longitude,
        true_latitude,
        orientation: 0.0,
        dx,
        dy,
        centre_flags: 0,
        intersections: None,
        south_pole: None,
    });
    Ok(())
}

/// A grid on a map: Lambert conformal (3), polar stereographic (5), or Albers (8).
fn polar_or_conic(
    cursor: &mut Cursor<'_>,
    kind: u8,
    grid: &mut GridDefinition,
) -> Result<(), Truncated> {
    counts(cursor, grid)?;
    let (first_latitude, first_longitude) = (degrees(cursor)?, degrees(cursor)?);
    flags(cursor, grid)?;
    let orientation = degrees(cursor)?;
    let (dx, dy) = (metres(cursor)?, metres(cursor)?);
    let centre_flags = cursor.u8()?;
    grid.scanning = scanning(cursor)?;
    let is_conic = kind != 5;
    let intersections = if is_conic { Some((degrees(cursor)?, degrees(cursor)?)) } else { None };
    let true_latitude = intersections.map_or(60.0, |(first, _)| first);
    let projected = Projected {
        first_latitude,
        first_longitude,
        true_latitude,
        orientation,
        dx,
        dy,
        centre_flags,
        intersections,
        south_pole: None,
    };
    (grid.number, grid.template) = match kind {
        3 => (30, Template::Lambert(projected)),
        5 => (20, Template::PolarStereographic(projected)),
        _ => (31, Template::Albers(projected)),
    };
    Ok(())
}

fn space_view(cursor: &mut Cursor<'_>, grid: &mut GridDefinition) -> Result<(), Truncated> {
    counts(cursor, grid)?;
    let (latitude, longitude) = (degrees(cursor)?, degrees(cursor)?);
    flags(cursor, grid)?;
    let diameter = (long(cursor)?, long(cursor)?);
    let centre = (f64::from(cursor.u16_be()?), f64::from(cursor.u16_be()?));
    grid.scanning = scanning(cursor)?;
    let orientation = f64::from(long(cursor)?) / 1e3;
    let distance = present(long(cursor)?, 0x00ff_ffff).map(|value| f64::from(value) / 1e6);
    let sector = (u32::from(cursor.u16_be()?), u32::from(cursor.u16_be()?));
    grid.number = 90;
    grid.template = Template::SpaceView(SpaceView {
        latitude,
        longitude,
        diameter,
        centre,
        orientation,
        distance,
        sector,
    });
    Ok(())
}

fn counts(cursor: &mut Cursor<'_>, grid: &mut GridDefinition) -> Result<(), Truncated> {
    let mut count =
        || -> Result<_, Truncated> { Ok(present(cursor.u16_be()?, u16::MAX).map(u32::from)) };
    (grid.nx, grid.ny) = (count()?, count()?);
    Ok(())
}

/// Flags of edition 1 at the places where edition 2 has them, and the shape of the earth, which is one of them.
fn flags(cursor: &mut Cursor<'_>, grid: &mut GridDefinition) -> Result<(), Truncated> {
    let flags = cursor.u8()?;
    let increments = if flags & 0x80 == 0 { 0 } else { 0x30 };
    grid.flags = increments | (flags & 0x08);
    if flags & OBLATE != 0 {
        grid.earth = Some(Earth::IAU_1965);
    }
    Ok(())
}

/// Edition 1 has no alternating rows.
fn scanning(cursor: &mut Cursor<'_>) -> Result<ScanningMode, Truncated> {
    Ok(ScanningMode(cursor.u8()? & 0xe0))
}

fn degrees(cursor: &mut Cursor<'_>) -> Result<f64, Truncated> {
    let [a, b, c] = cursor.array()?;
    // The sign is the highest of 24 bits.
    let value = u32::from_be_bytes([a & 0x80, a & 0x7f, b, c]).signed();
    Ok(decimal(value, 3))
}

fn long(cursor: &mut Cursor<'_>) -> Result<u32, Truncated> {
    let [a, b, c] = cursor.array()?;
    Ok(u32::from_be_bytes([0, a, b, c]))
}

fn metres(cursor: &mut Cursor<'_>) -> Result<f64, Truncated> {
    long(cursor).map(f64::from)
}

/// A float of IBM's System/360: a sign, seven bits for a power of 16, and a fraction.
fn ibm_float(bits: u32) -> f64 {
    let exponent = i32::try_from(bits >> 24 & 0x7f).unwrap_or_default().saturating_sub(64);
    let value = f64::from(bits & 0x00ff_ffff) / f64::from(1 << 24) * 16_f64.powi(exponent);
    if bits >> 31 == 0 { value } else { -value }
}
