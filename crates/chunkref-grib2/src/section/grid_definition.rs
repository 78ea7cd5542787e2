// SPDX-License-Identifier: MIT OR Apache-2.0
//! Section 3: where the points are.

use chunkref_core::{Cursor, Limits, Truncated};

use super::{SignMagnitude, decimal};
use crate::error::{Grib2Error, Result};

/// Missing, of four octets.
const MISSING: u32 = u32::MAX;

/// Flags of the scanning mode.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, flag table 3.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ScanningMode(pub(crate) u8);

impl ScanningMode {
    /// Points of a row go west.
    pub(crate) fn i_negative(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Rows go north.
    pub(crate) fn j_positive(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Neighbours in the data are neighbours in a column.
    pub(crate) fn j_consecutive(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// Every second row goes the other way.
    pub(crate) fn alternating(self) -> bool {
        self.0 & 0x10 != 0
    }
}

/// The pole of a rotated grid, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rotation {
    pub(crate) south_pole_latitude: f64,
    pub(crate) south_pole_longitude: f64,
    pub(crate) angle: f64,
}

/// A grid of latitudes and longitudes, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LatLon {
    pub(crate) first_latitude: f64,
    pub(crate) first_longitude: f64,
    pub(crate) last_latitude: f64,
    pub(crate) last_longitude: f64,
    pub(crate) i_increment: Option<f64>,
    pub(crate) j_increment: Option<f64>,
    /// Parallels between a pole and the equator, of Gaussian grids.
    pub(crate) gaussian: Option<u32>,
    pub(crate) rotation: Option<Rotation>,
}

/// A grid on a map, in degrees and metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Projected {
    pub(crate) first_latitude: f64,
    pub(crate) first_longitude: f64,
    /// Last point, of Mercator grids.
    pub(crate) last: Option<(f64, f64)>,
    /// Latitude at which distances are true.
    pub(crate) true_latitude: f64,
    /// Meridian that is parallel to the y-axis.
    pub(crate) orientation: f64,
    pub(crate) dx: f64,
    pub(crate) dy: f64,
    /// Flag table 3.5.
    pub(crate) centre_flags: u8,
    /// Latitudes of intersection, of conic projections.
    pub(crate) intersections: Option<(f64, f64)>,
    /// Latitude and longitude of the southern pole, of conic projections.
    pub(crate) south_pole: Option<(f64, f64)>,
}

/// What the template says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Template {
    LatLon(LatLon),
    Mercator(Projected),
    PolarStereographic(Projected),
    Lambert(Projected),
    Albers(Projected),
    LambertAzimuthal(Projected),
    SpaceView,
    /// Pentagonal resolution parameters J, K and M.
    SphericalHarmonics {
        j: u32,
        k: u32,
        m: u32,
    },
    /// Number of the grid, of its reference, and its UUID.
    Unstructured {
        number: u32,
        reference: u8,
        uuid: [u8; 16],
    },
    Other,
}

/// Section 3.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, section 3, templates 3.0, 3.1, 3.10, 3.20, 3.30, 3.31, 3.40, 3.41, 3.50, 3.90,
/// 3.101 and 3.140.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GridDefinition {
    /// Number of the template.
    pub(crate) number: u16,
    /// Data points.
    pub(crate) count: u32,
    /// Points of a row, where all rows have as many.
    pub(crate) nx: Option<u32>,
    /// Points of a column, where all columns have as many; rows, of reduced grids.
    pub(crate) ny: Option<u32>,
    pub(crate) scanning: ScanningMode,
    /// Flag table 3.3: resolution and components of vectors.
    pub(crate) flags: u8,
    /// Radius of a spherical earth, in metres, where the section says it is one.
    pub(crate) radius: Option<f64>,
    pub(crate) template: Template,
    /// Points of each row, of reduced grids.
    pub(crate) row_lengths: Vec<u32>,
}

impl GridDefinition {
    /// The octets after length and number.
    pub(crate) fn parse(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<Self> {
        let start = cursor.offset();
        // Source of the grid definition.
        cursor.skip(1)?;
        let (count, list_bytes) = (cursor.u32_be()?, usize::from(cursor.u8()?));
        // What the list means.
        cursor.skip(1)?;
        let number = cursor.u16_be()?;
        let mut grid = Self {
            number,
            count,
            nx: None,
            ny: None,
            scanning: ScanningMode(0),
            flags: 0,
            radius: None,
            template: Template::Other,
            row_lengths: Vec::new(),
        };
        match number {
            0 | 1 | 40 | 41 => grid.lat_lon(cursor)?,
            10 => grid.mercator(cursor)?,
            20 | 30 | 31 => grid.polar_or_conic(cursor)?,
            50 => {
                let (j, k, m) = (cursor.u32_be()?, cursor.u32_be()?, cursor.u32_be()?);
                grid.template = Template::SphericalHarmonics { j, k, m };
            }
            90 => grid.space_view(cursor)?,
            101 => {
                // Shape of the earth.
                cursor.skip(1)?;
                let number = u32::from_be_bytes([0, cursor.u8()?, cursor.u8()?, cursor.u8()?]);
                let (reference, uuid) = (cursor.u8()?, cursor.array()?);
                grid.template = Template::Unstructured { number, reference, uuid };
            }
            140 => grid.lambert_azimuthal(cursor)?,
            _ => {}
        }
        grid.check("grid definition section", start, limits)?;
        if list_bytes > 0 && grid.nx.is_none() {
            let rows = grid.ny.unwrap_or(0);
            for _ in 0..rows {
                let bytes = cursor.bytes(list_bytes)?;
                let length =
                    bytes.iter().fold(0_u32, |value, &byte| (value << 8) | u32::from(byte));
                grid.row_lengths.push(length);
            }
        }
        Ok(grid)
    }

    /// Checks what is counted by numbers of the section alone.
    pub(crate) fn check(
        &self,
        structure: &'static str,
        offset: u64,
        limits: &Limits,
    ) -> Result<()> {
        let check = |what, count: u32, limit| {
            Grib2Error::check_limit(structure, offset, what, count.into(), limit)
        };
        check("points", self.count, ("grid_points", limits.grid_points))?;
        // Axes are computed of grids that have rows and columns of one length; of others, rows may be listed.
        let is_counted = matches!(self.template, Template::LatLon(_) | Template::Mercator(_));
        for count in
            [self.nx, self.ny].into_iter().flatten().filter(|_| is_counted || self.nx.is_none())
        {
            check("points of a row or column", count, ("axis_values", limits.axis_values))?;
        }
        Ok(())
    }

    /// Whether rows and columns are of one length each and hold all points: the shape is (ny, nx).
    pub(crate) fn shape(&self) -> Option<(u32, u32)> {
        let (nx, ny) = (self.nx?, self.ny?);
        (nx > 0 && nx.checked_mul(ny) == Some(self.count)).then_some((ny, nx))
    }

    fn earth(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        let shape = cursor.u8()?;
        let (factor, value) = (cursor.u8()?, cursor.u32_be()?);
        cursor.skip(10)?;
        self.radius = match shape {
            0 => Some(6_367_470.0),
            1 => Some(decimal(value.signed(), factor.signed())),
            6 => Some(6_371_229.0),
            8 => Some(6_371_200.0),
            _ => None,
        };
        Ok(())
    }

    fn counts(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        let present = |count| (count != MISSING).then_some(count);
        self.nx = present(cursor.u32_be()?);
        self.ny = present(cursor.u32_be()?);
        Ok(())
    }

    fn lat_lon(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        self.earth(cursor)?;
        self.counts(cursor)?;
        let (basic, subdivisions) = (cursor.u32_be()?, cursor.u32_be()?);
        let unit = if basic == 0 || basic == MISSING || subdivisions == 0 || subdivisions == MISSING
        {
            Unit::MICRO
        } else {
            Unit { numerator: f64::from(basic), denominator: f64::from(subdivisions) }
        };
        let first_latitude = unit.degrees(cursor.u32_be()?);
        let first_longitude = unit.degrees(cursor.u32_be()?);
        self.flags = cursor.u8()?;
        let last_latitude = unit.degrees(cursor.u32_be()?);
        let last_longitude = unit.degrees(cursor.u32_be()?);
        let increment = |value| (value != MISSING).then(|| unit.degrees(value));
        let i_increment = increment(cursor.u32_be()?);
        let last = cursor.u32_be()?;
        let is_gaussian = matches!(self.number, 40 | 41);
        let (j_increment, gaussian) =
            if is_gaussian { (None, Some(last)) } else { (increment(last), None) };
        self.scanning = ScanningMode(cursor.u8()?);
        let rotation = if matches!(self.number, 1 | 41) {
            let south_pole_latitude = Unit::MICRO.degrees(cursor.u32_be()?);
            let south_pole_longitude = Unit::MICRO.degrees(cursor.u32_be()?);
            let angle = f64::from(f32::from_bits(cursor.u32_be()?));
            Some(Rotation { south_pole_latitude, south_pole_longitude, angle })
        } else {
            None
        };
        self.template = Template::LatLon(LatLon {
            first_latitude,
            first_longitude,
            last_latitude,
            last_longitude,
            i_increment,
            j_increment,
            gaussian,
            rotation,
        });
        Ok(())
    }

    fn mercator(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        self.earth(cursor)?;
        self.counts(cursor)?;
        let first_latitude = Unit::MICRO.degrees(cursor.u32_be()?);
        let first_longitude = Unit::MICRO.degrees(cursor.u32_be()?);
        self.flags = cursor.u8()?;
        let true_latitude = Unit::MICRO.degrees(cursor.u32_be()?);
        let last =
            Some((Unit::MICRO.degrees(cursor.u32_be()?), Unit::MICRO.degrees(cursor.u32_be()?)));
        self.scanning = ScanningMode(cursor.u8()?);
        let orientation = Unit::MICRO.degrees(cursor.u32_be()?);
        let (dx, dy) = (millimetres(cursor.u32_be()?), millimetres(cursor.u32_be()?));
        self.template = Template::Mercator(Projected {
            first_latitude,
            first_longitude,
            last,
            true_latitude,
            orientation,
            dx,
            dy,
            centre_flags: 0,
            intersections: None,
            south_pole: None,
        });
        Ok(())
    }

    fn polar_or_conic(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        self.earth(cursor)?;
        self.counts(cursor)?;
        let first_latitude = Unit::MICRO.degrees(cursor.u32_be()?);
        let first_longitude = Unit::MICRO.degrees(cursor.u32_be()?);
        self.flags = cursor.u8()?;
        let true_latitude = Unit::MICRO.degrees(cursor.u32_be()?);
        let orientation = Unit::MICRO.degrees(cursor.u32_be()?);
        let (dx, dy) = (millimetres(cursor.u32_be()?), millimetres(cursor.u32_be()?));
        let centre_flags = cursor.u8()?;
        self.scanning = ScanningMode(cursor.u8()?);
        let mut pair = || -> Result<_, Truncated> {
            Ok((Unit::MICRO.degrees(cursor.u32_be()?), Unit::MICRO.degrees(cursor.u32_be()?)))
        };
        let conic = self.number != 20;
        let (intersections, south_pole) =
            if conic { (Some(pair()?), Some(pair()?)) } else { (None, None) };
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
            south_pole,
        };
        self.template = match self.number {
            20 => Template::PolarStereographic(projected),
            30 => Template::Lambert(projected),
            _ => Template::Albers(projected),
        };
        Ok(())
    }

    fn lambert_azimuthal(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        self.earth(cursor)?;
        self.counts(cursor)?;
        let first_latitude = Unit::MICRO.degrees(cursor.u32_be()?);
        let first_longitude = Unit::MICRO.degrees(cursor.u32_be()?);
        let true_latitude = Unit::MICRO.degrees(cursor.u32_be()?);
        let orientation = Unit::MICRO.degrees(cursor.u32_be()?);
        self.flags = cursor.u8()?;
        let (dx, dy) = (millimetres(cursor.u32_be()?), millimetres(cursor.u32_be()?));
        self.scanning = ScanningMode(cursor.u8()?);
        self.template = Template::LambertAzimuthal(Projected {
            first_latitude,
            first_longitude,
            last: None,
            true_latitude,
            orientation,
            dx,
            dy,
            centre_flags: 0,
            intersections: None,
            south_pole: None,
        });
        Ok(())
    }

    fn space_view(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        self.earth(cursor)?;
        self.counts(cursor)?;
        // Latitude and longitude of the point under the satellite.
        cursor.skip(8)?;
        self.flags = cursor.u8()?;
        // Apparent diameter of the earth, its centre in the image.
        cursor.skip(16)?;
        self.scanning = ScanningMode(cursor.u8()?);
        self.template = Template::SpaceView;
        Ok(())
    }
}

/// Unit of angles: degrees times numerator over denominator.
#[derive(Debug, Clone, Copy)]
struct Unit {
    numerator: f64,
    denominator: f64,
}

impl Unit {
    const MICRO: Self = Self { numerator: 1.0, denominator: 1e6 };

    fn degrees(self, value: u32) -> f64 {
        decimal(value.signed(), 0) * self.numerator / self.denominator
    }
}

fn millimetres(value: u32) -> f64 {
    f64::from(value) / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<GridDefinition> {
        let mut cursor = Cursor::new(bytes, 37, "grid definition section");
        GridDefinition::parse(&mut cursor, &Limits::default())
    }

    fn long(values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_be_bytes()).collect()
    }

    fn head(count: u32, list_bytes: u8, template: u8) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(count.to_be_bytes());
        bytes.extend([list_bytes, u8::from(list_bytes > 0), 0, template]);
        // A sphere of 6,371,229 m.
        bytes.push(6);
        bytes.extend([255; 15]);
        bytes
    }

    #[test]
    fn a_regular_grid() {
        let mut bytes = head(6, 0, 0);
        bytes.extend(long(&[3, 2, 0, MISSING, 90_000_000, 0]));
        bytes.push(48);
        bytes.extend(long(&[(1 << 31) + 90_000_000, 240_000_000, 120_000_000, 180_000_000]));
        bytes.push(0x40);
        let grid = parse(&bytes).unwrap();
        assert_eq!(grid.shape(), Some((2, 3)));
        assert!(grid.scanning.j_positive() && !grid.scanning.i_negative());
        assert_eq!(grid.radius, Some(6_371_229.0));
        let Template::LatLon(found) = grid.template else { panic!("{:?}", grid.template) };
        assert_eq!((found.first_latitude, found.last_latitude), (90.0, -90.0));
        assert_eq!(found.i_increment, Some(120.0));
        assert!(parse(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn a_reduced_gaussian_grid_has_rows_of_its_own() {
        let mut bytes = head(10, 2, 40);
        bytes.extend(long(&[MISSING, 2, 0, MISSING, 45_000_000, 0]));
        bytes.push(0);
        bytes.extend(long(&[(1 << 31) + 45_000_000, 300_000_000, MISSING, 1]));
        bytes.push(0);
        bytes.extend([0, 4, 0, 6]);
        let grid = parse(&bytes).unwrap();
        assert_eq!(grid.shape(), None);
        assert_eq!(grid.row_lengths, [4, 6]);
    }

    #[test]
    fn a_grid_that_is_not_known_keeps_its_count() {
        let grid = parse(&head(77, 0, 140)[..9]);
        assert!(grid.is_err(), "the template is cut off");
        let grid = parse(&[0, 0, 0, 0, 77, 0, 0, 0x80, 1]).unwrap();
        assert_eq!((grid.count, grid.template), (77, Template::Other));
    }
}
