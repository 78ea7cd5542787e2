// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shape of the earth.

use chunkref_core::{Cursor, Truncated};

use super::scaled;

/// The earth as an ellipsoid of rotation, or as a sphere when both axes are equal; in metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Earth {
    /// Radius at the equator.
    pub(crate) major: f64,
    /// Distance of a pole from the centre.
    pub(crate) minor: f64,
}

impl Earth {
    /// The sphere of edition 1, and of shape 0 of edition 2.
    pub(crate) const SPHERE: Self = Self { major: 6_367_470.0, minor: 6_367_470.0 };

    /// The ellipsoid of the IAU of 1965, the only one of edition 1.
    pub(crate) const IAU_1965: Self = Self { major: 6_378_160.0, minor: 6_356_775.0 };

    /// The shape, and the axes where the shape leaves them open; `None` for a shape that is not known or impossible.
    ///
    /// Spec: WMO FM 92-XIV GRIB edition 2, code table 3.2.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Option<Self>, Truncated> {
        let shape = cursor.u8()?;
        let mut length = || -> Result<_, Truncated> { Ok(scaled(cursor.u8()?, cursor.u32_be()?)) };
        let (radius, major, minor) = (length()?, length()?, length()?);
        let axes = |unit: f64| Some(Self { major: major? * unit, minor: minor? * unit });
        let found = match shape {
            0 => Some(Self::SPHERE),
            1 => radius.map(Self::sphere),
            2 => Some(Self::IAU_1965),
            // Kilometres.
            3 => axes(1e3),
            4 | 5 => Some(Self { major: 6_378_137.0, minor: 6_356_752.314 }),
            6 => Some(Self::sphere(6_371_229.0)),
            7 => axes(1.0),
            8 => Some(Self::sphere(6_371_200.0)),
            9 => Some(Self { major: 6_377_563.396, minor: 6_356_256.909 }),
            _ => None,
        };
        Ok(found.filter(|earth| {
            earth.minor > 0.0 && earth.minor <= earth.major && earth.major.is_finite()
        }))
    }

    fn sphere(radius: f64) -> Self {
        Self { major: radius, minor: radius }
    }

    pub(crate) fn is_sphere(self) -> bool {
        self.eccentricity_squared() == 0.0
    }

    pub(crate) fn eccentricity_squared(self) -> f64 {
        let ratio = self.minor / self.major;
        1.0 - ratio * ratio
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_and_axes() {
        let parse = |shape: u8, lengths: [(u8, u32); 3]| {
            let mut bytes = vec![shape];
            for (factor, value) in lengths {
                bytes.push(factor);
                bytes.extend(value.to_be_bytes());
            }
            Earth::parse(&mut Cursor::new(&bytes, 0, "grid definition section")).unwrap()
        };
        let none = (255, u32::MAX);
        let axes = |earth: Option<Earth>| earth.map(|earth| (earth.major, earth.minor));
        let sphere = Some((6_371_229.0, 6_371_229.0));
        assert_eq!(axes(parse(6, [none; 3])), sphere);
        assert_eq!(axes(parse(1, [(1, 63_712_290), none, none])), sphere);
        let kilometres = parse(3, [none, (3, 6_378_137), (3, 6_356_752)]).unwrap();
        assert_eq!(axes(Some(kilometres)), Some((6_378_137.0, 6_356_752.0)));
        assert!(!kilometres.is_sphere() && Earth::SPHERE.is_sphere());
        for earth in [
            parse(1, [none; 3]),
            parse(1, [(0, 0), none, none]),
            parse(7, [none, (0, 5), (0, 6)]),
            parse(7, [none, (0, 5), (0, (1 << 31) + 5)]),
            parse(77, [none; 3]),
        ] {
            assert_eq!(earth, None);
        }
    }
}
