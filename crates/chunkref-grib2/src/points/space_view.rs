// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a satellite above the equator sees.
//!
//! Spec: CGMS 03, LRIT/HRIT Global Specification, 4.4.3.2: the image is swept along its columns' axis.

use super::{Place, signed, spread, within_circle};
use crate::section::earth::Earth;
use crate::section::grid_definition::ScanningMode;
use crate::section::grid_template::SpaceView;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Geostationary {
    /// Longitude of the point under the satellite, in degrees.
    longitude: f64,
    /// Distance from the earth's centre, in radii of the equator.
    distance: f64,
    /// Square of the axes' ratio.
    ratio: f64,
}

impl Geostationary {
    /// None for views of infinite distance, from elsewhere than above the equator, and for images that are turned.
    pub(super) fn new(earth: Earth, template: &SpaceView) -> Option<Self> {
        let distance = template.distance.filter(|&distance| distance > 1.0)?;
        let is_plain = template.latitude == 0.0 && template.orientation == 0.0;
        let ratio = earth.major / earth.minor;
        let longitude = template.longitude;
        is_plain.then_some(Self { longitude, distance, ratio: ratio * ratio })
    }

    /// Angles of columns and rows to the line to the earth's centre, in radians.
    pub(super) fn angles(
        &self,
        template: &SpaceView,
        scanning: ScanningMode,
        (ny, nx): (u32, u32),
    ) -> Option<(Vec<f64>, Vec<f64>)> {
        let (across, down) = template.diameter;
        if across == 0 || down == 0 {
            return None;
        }
        let size = 2.0 * self.distance.recip().asin();
        let step = signed(size / f64::from(across), !scanning.i_negative());
        let first = -(template.centre.0 - f64::from(template.sector.0)) * step;
        let columns = spread(first, step, nx);
        let step = signed(size / f64::from(down) / self.ratio.sqrt(), scanning.j_positive());
        let first = -(template.centre.1 - f64::from(template.sector.1)) * step;
        Some((columns, spread(first, step, ny)))
    }

    pub(super) fn inverse(&self, x: f64, y: f64) -> Place {
        let ((sin_x, cos_x), (sin_y, cos_y)) = (x.sin_cos(), y.sin_cos());
        let ahead = self.distance * cos_x * cos_y;
        let flat = 1.0 + (self.ratio - 1.0) * sin_y * sin_y;
        let root = ahead * ahead - flat * (self.distance * self.distance - 1.0);
        // Beside the earth.
        if root <= 0.0 {
            return Place { latitude: f64::NAN, longitude: f64::NAN };
        }
        let length = (ahead - root.sqrt()) / flat;
        let down = self.distance - length * cos_x * cos_y;
        let (east, north) = (length * sin_x * cos_y, length * sin_y);
        let latitude = (self.ratio * north / down.hypot(east)).atan().to_degrees();
        let longitude = within_circle(east.atan2(down).to_degrees() + self.longitude);
        Place { latitude, longitude }
    }
}
