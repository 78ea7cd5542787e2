// SPDX-License-Identifier: MIT OR Apache-2.0
//! Templates of section 3: the kinds of grids.

use chunkref_core::{Cursor, Truncated};

use super::grid_definition::{GridDefinition, ScanningMode, present};
use super::{SignMagnitude, decimal};

/// Missing, of four octets.
const MISSING: u32 = u32::MAX;

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
    /// Points lie closer around one pole than around the other: they are not where the angles are.
    pub(crate) stretched: bool,
}

/// A grid on a map, in degrees and metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Projected {
    pub(crate) first_latitude: f64,
    pub(crate) first_longitude: f64,
    /// Latitude at which distances are true.
    pub(crate) true_latitude: f64,
    /// Meridian that is parallel to the y-axis; of Mercator grids, the angle of the rows to the equator.
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

/// A grid on a transverse Mercator map, in degrees and metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TransverseMercator {
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    /// Scale at the reference point.
    pub(crate) scale: f64,
    /// False easting and northing.
    pub(crate) origin: (f64, f64),
    pub(crate) first: (f64, f64),
    pub(crate) step: (f64, f64),
}

/// What a satellite sees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SpaceView {
    /// The point under the satellite, in degrees.
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    /// Apparent diameter of the earth, in grid lengths.
    pub(crate) diameter: (u32, u32),
    /// The point under the satellite, in grid lengths.
    pub(crate) centre: (f64, f64),
    /// Angle of the columns to the meridian of the point under the satellite.
    pub(crate) orientation: f64,
    /// Distance of the camera from the earth's centre in radii of the equator; `None` where it is infinite.
    pub(crate) distance: Option<f64>,
    /// Where the sector begins within the image.
    pub(crate) sector: (u32, u32),
}

/// NCEP's rotated grids: the first point, and the one that the equator and the meridian of the rotated grid cross at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Centred {
    pub(crate) first: (f64, f64),
    pub(crate) centre: (f64, f64),
    pub(crate) i_increment: f64,
    pub(crate) j_increment: f64,
    /// Every second row lies half a step to the side.
    pub(crate) staggered: bool,
}

/// Pixels of equal area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Healpix {
    pub(crate) side: u32,
    pub(crate) first_longitude: f64,
    /// Code table 3.8: 4 for the centres of pixels.
    pub(crate) position: u8,
    /// Code table 3.12: 0 along rings, 1 along quadrants of quadrants.
    pub(crate) ordering: u8,
}

/// What the template says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Template {
    LatLon(LatLon),
    Mercator(Projected),
    TransverseMercator(TransverseMercator),
    PolarStereographic(Projected),
    Lambert(Projected),
    Albers(Projected),
    LambertAzimuthal(Projected),
    SpaceView(SpaceView),
    Centred(Centred),
    Healpix(Healpix),
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

/// Templates that have no numbers of columns and rows in octets 31 to 38.
const WITHOUT_ROWS: [u16; 14] = [50, 51, 52, 53, 61, 62, 63, 100, 101, 120, 150, 1000, 1100, 1200];

impl GridDefinition {
    /// The octets from 15 on.
    pub(super) fn template(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        match self.number {
            50 => {
                let (j, k, m) = (cursor.u32_be()?, cursor.u32_be()?, cursor.u32_be()?);
                self.template = Template::SphericalHarmonics { j, k, m };
            }
            101 => {
                // Shape of the earth.
                cursor.skip(1)?;
                let number = u32::from_be_bytes([0, cursor.u8()?, cursor.u8()?, cursor.u8()?]);
                let (reference, uuid) = (cursor.u8()?, cursor.array()?);
                self.template = Template::Unstructured { number, reference, uuid };
            }
            150 => self.healpix(cursor)?,
            number if WITHOUT_ROWS.contains(&number) => {}
            0..=3 | 40..=43 => self.lat_lon(cursor)?,
            10 => self.mercator(cursor)?,
            12 => self.transverse_mercator(cursor)?,
            20 | 30 | 31 => self.polar_or_conic(cursor)?,
            90 => self.space_view(cursor)?,
            140 => self.lambert_azimuthal(cursor)?,
            // Other centres may mean something else by these numbers.
            32768 | 32769 => self.guess(cursor, Self::centred),
            _ => self.guess(cursor, Self::counts),
        }
        Ok(())
    }

    /// Takes what a template says that this may be, where the numbers of rows and columns fit that of all points.
    fn guess(
        &mut self,
        cursor: &mut Cursor<'_>,
        parse: fn(&mut Self, &mut Cursor<'_>) -> Result<(), Truncated>,
    ) {
        let mut guessed = self.clone();
        if parse(&mut guessed, &mut cursor.clone()).is_ok() && guessed.shape().is_some() {
            *self = guessed;
        }
    }

    fn counts(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        self.earth = super::earth::Earth::parse(cursor)?;
        self.nx = present(cursor.u32_be()?, MISSING);
        self.ny = present(cursor.u32_be()?, MISSING);
        Ok(())
    }

    fn lat_lon(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        self.counts(cursor)?;
        let (basic, subdivisions) = (cursor.u32_be()?, cursor.u32_be()?);
        let unit = if basic == 0 || basic == MISSING || subdivisions == 0 || subdivisions == MISSING
        {
            Unit::MICRO
        } else {
            Unit { numerator: f64::from(basic), denominator: f64::from(subdivisions) }
        };
        let (first_latitude, first_longitude) = unit.pair(cursor)?;
        self.flags = cursor.u8()?;
        let (last_latitude, last_longitude) = unit.pair(cursor)?;
        let increment = |value| (value != MISSING).then(|| unit.degrees(value));
        let i_increment = increment(cursor.u32_be()?);
        let last = cursor.u32_be()?;
        let is_gaussian = matches!(self.number, 40..=43);
        let (j_increment, gaussian) =
            if is_gaussian { (None, Some(last)) } else { (increment(last), None) };
        self.scanning = ScanningMode(cursor.u8()?);
        let rotation = if matches!(self.number, 1 | 3 | 41 | 43) {
            let (south_pole_latitude, south_pole_longitude) = Unit::MICRO.pair(cursor)?;
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
            stretched: matches!(self.number, 2 | 3 | 42 | 43),
        });
        Ok(())
    }

    fn mercator(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        self.counts(cursor)?;
        let (first_latitude, first_longitude) = Unit::MICRO.pair(cursor)?;
        self.flags = cursor.u8()?;
        let true_latitude = Unit::MICRO.degrees(cursor.u32_be()?);
        // Last latitude and longitude, which the distances give.
        cursor.skip(8)?;
        self.scanning = ScanningMode(cursor.u8()?);
        let orientation = Unit::MICRO.degrees(cursor.u32_be()?);
        let (dx, dy) = (millimetres(cursor.u32_be()?), millimetres(cursor.u32_be()?));
        self.template = Template::Mercator(Projected {
            first_latitude,
            first_longitude,
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

    fn transverse_mercator(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        self.counts(cursor)?;
        let (latitude, longitude) = Unit::MICRO.pair(cursor)?;
        self.flags = cursor.u8()?;
        let scale = f64::from(f32::from_bits(cursor.u32_be()?));
        let mut place = || -> Result<_, Truncated> {
            Ok((decimal(cursor.u32_be()?.signed(), 2), decimal(cursor.u32_be()?.signed(), 2)))
        };
        let origin = place()?;
        self.scanning = ScanningMode(cursor.u8()?);
        let mut length = || -> Result<_, Truncated> { Ok(f64::from(cursor.u32_be()?) / 1e2) };
        let step = (length()?, length()?);
        let first = (decimal(cursor.u32_be()?.signed(), 2), decimal(cursor.u32_be()?.signed(), 2));
        self.template = Template::TransverseMercator(TransverseMercator {
            latitude,
            longitude,
            scale,
            origin,
            first,
            step,
        });
        Ok(())
    }

    fn polar_or_conic(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        self.counts(cursor)?;
        let (first_latitude, first_longitude) = Unit::MICRO.pair(cursor)?;
        self.flags = cursor.u8()?;
        let (true_latitude, orientation) = Unit::MICRO.pair(cursor)?;
        let (dx, dy) = (millimetres(cursor.u32_be()?), millimetres(cursor.u32_be()?));
        let centre_flags = cursor.u8()?;
        self.scanning = ScanningMode(cursor.u8()?);
        let conic = self.number != 20;
        let (intersections, south_pole) = if conic {
            (Some(Unit::MICRO.pair(cursor)?), Some(Unit::MICRO.pair(cursor)?))
        } else {
            (None, None)
        };
        let projected = Projected {
            first_latitude,
            first_longitude,
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
        self.counts(cursor)?;
        let (first_latitude, first_longitude) = Unit::MICRO.pair(cursor)?;
        let (true_latitude, orientation) = Unit::MICRO.pair(cursor)?;
        self.flags = cursor.u8()?;
        let (dx, dy) = (millimetres(cursor.u32_be()?), millimetres(cursor.u32_be()?));
        self.scanning = ScanningMode(cursor.u8()?);
        self.template = Template::LambertAzimuthal(Projected {
            first_latitude,
            first_longitude,
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
        self.counts(cursor)?;
        let (latitude, longitude) = Unit::MICRO.pair(cursor)?;
        self.flags = cursor.u8()?;
        let diameter = (cursor.u32_be()?, cursor.u32_be()?);
        let centre = (millimetres(cursor.u32_be()?), millimetres(cursor.u32_be()?));
        self.scanning = ScanningMode(cursor.u8()?);
        let orientation = Unit::MICRO.degrees(cursor.u32_be()?);
        let distance = cursor.u32_be()?;
        let sector = (cursor.u32_be()?, cursor.u32_be()?);
        let distance = (distance != MISSING).then(|| f64::from(distance) / 1e6);
        self.template = Template::SpaceView(SpaceView {
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

    fn centred(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        self.counts(cursor)?;
        // Basic angle and its parts.
        cursor.skip(8)?;
        let first = Unit::MICRO.pair(cursor)?;
        self.flags = cursor.u8()?;
        let centre = Unit::MICRO.pair(cursor)?;
        let (i_increment, j_increment) = Unit::MICRO.pair(cursor)?;
        self.scanning = ScanningMode(cursor.u8()?);
        let staggered = self.number == 32768;
        self.template =
            Template::Centred(Centred { first, centre, i_increment, j_increment, staggered });
        Ok(())
    }

    fn healpix(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
        self.earth = super::earth::Earth::parse(cursor)?;
        self.flags = cursor.u8()?;
        let side = cursor.u32_be()?;
        let first_longitude = Unit::MICRO.degrees(cursor.u32_be()?);
        let (position, ordering) = (cursor.u8()?, cursor.u8()?);
        self.scanning = ScanningMode(cursor.u8()?);
        self.template = Template::Healpix(Healpix { side, first_longitude, position, ordering });
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

    fn pair(self, cursor: &mut Cursor<'_>) -> Result<(f64, f64), Truncated> {
        Ok((self.degrees(cursor.u32_be()?), self.degrees(cursor.u32_be()?)))
    }
}

fn millimetres(value: u32) -> f64 {
    f64::from(value) / 1e3
}
