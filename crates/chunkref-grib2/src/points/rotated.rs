// SPDX-License-Identifier: MIT OR Apache-2.0
//! Latitudes and longitudes around another pole.

use super::Place;
use crate::section::grid_template::Rotation;

/// A turned net of latitudes and longitudes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rotated {
    rotation: Rotation,
    /// Places are rounded as ecCodes does.
    rounds: bool,
}

impl Rotated {
    pub(super) fn new(rotation: Rotation) -> Self {
        Self { rotation, rounds: true }
    }

    /// The net whose equator and meridian cross at a place.
    pub(super) fn around((latitude, longitude): (f64, f64)) -> Self {
        let rotation = Rotation {
            south_pole_latitude: latitude - 90.0,
            south_pole_longitude: longitude,
            angle: 0.0,
        };
        Self { rotation, rounds: false }
    }

    /// The place of a latitude and a longitude of the net.
    pub(super) fn inverse(&self, longitude: f64, latitude: f64) -> Place {
        let Rotation { south_pole_latitude, south_pole_longitude, angle } = self.rotation;
        let (tilt_sin, tilt_cos) = (-(90.0 + south_pole_latitude)).to_radians().sin_cos();
        let ((sin, cos), (lon_sin, lon_cos)) =
            (latitude.to_radians().sin_cos(), longitude.to_radians().sin_cos());
        let x = tilt_cos * lon_cos * cos + tilt_sin * sin;
        let y = lon_sin * cos;
        let z = -tilt_sin * lon_cos * cos + tilt_cos * sin;
        let latitude = z.clamp(-1.0, 1.0).asin().to_degrees();
        let (pole_sin, pole_cos) = south_pole_longitude.to_radians().sin_cos();
        let (east, north) = (x * pole_sin + y * pole_cos, x * pole_cos - y * pole_sin);
        let longitude = east.atan2(north).to_degrees();
        if !self.rounds {
            return Place { latitude, longitude };
        }
        Place { latitude: rounded(latitude), longitude: rounded(longitude) - angle }
    }

    /// Longitude and latitude in the net of a place.
    pub(super) fn forward(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        let Rotation { south_pole_latitude, south_pole_longitude, .. } = self.rotation;
        let (tilt_sin, tilt_cos) = (90.0 + south_pole_latitude).to_radians().sin_cos();
        let (sin, cos) = latitude.to_radians().sin_cos();
        let (lon_sin, lon_cos) = (longitude - south_pole_longitude).to_radians().sin_cos();
        let x = tilt_cos * lon_cos * cos + tilt_sin * sin;
        let z = -tilt_sin * lon_cos * cos + tilt_cos * sin;
        let y = lon_sin * cos;
        (y.atan2(x).to_degrees(), z.clamp(-1.0, 1.0).asin().to_degrees())
    }
}

/// ecCodes rounds to a millionth of a degree in single precision, which is good for eight of them: readers that have it
/// get the same numbers.
fn rounded(degrees: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "ecCodes' own precision")]
    let millionths = (degrees * 1e6) as f32;
    f64::from(millionths.round()) / 1e6
}
