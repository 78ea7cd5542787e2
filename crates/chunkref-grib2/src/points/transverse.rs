// SPDX-License-Identifier: MIT OR Apache-2.0
//! The transverse Mercator map.
//!
//! Spec: Karney, Transverse Mercator with an accuracy of a few nanometers, equations 11 to 36: Krüger's series up to the
//! fourth power of the flattening, which is good for a millimetre within some thousands of kilometres of the meridian.

use super::Place;
use super::conformal::place;
use crate::section::earth::Earth;
use crate::section::grid_template::TransverseMercator;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Transverse {
    eccentricity: f64,
    meridian: f64,
    /// Radius of the circle that has the length of a meridian, with the scale.
    radius: f64,
    /// What `y` is at the equator.
    equator: f64,
    /// What `x` is at the meridian.
    east: f64,
    beta: [f64; 4],
}

impl Transverse {
    pub(super) fn new(earth: Earth, template: &TransverseMercator) -> Option<Self> {
        let e2 = earth.eccentricity_squared();
        let n = (earth.major - earth.minor) / (earth.major + earth.minor);
        let (n2, n3, n4) = (n * n, n.powi(3), n.powi(4));
        let circle = earth.major / (1.0 + n) * (1.0 + n2 / 4.0 + n4 / 64.0);
        let alpha = [
            n / 2.0 - 2.0 * n2 / 3.0 + 5.0 * n3 / 16.0 + 41.0 * n4 / 180.0,
            13.0 * n2 / 48.0 - 3.0 * n3 / 5.0 + 557.0 * n4 / 1440.0,
            61.0 * n3 / 240.0 - 103.0 * n4 / 140.0,
            49_561.0 * n4 / 161_280.0,
        ];
        let beta = [
            n / 2.0 - 2.0 * n2 / 3.0 + 37.0 * n3 / 96.0 - n4 / 360.0,
            n2 / 48.0 + n3 / 15.0 - 437.0 * n4 / 1440.0,
            17.0 * n3 / 480.0 - 37.0 * n4 / 840.0,
            4397.0 * n4 / 161_280.0,
        ];
        let eccentricity = e2.sqrt();
        let tangent = conformal_tangent(eccentricity, template.latitude.to_radians().tan());
        let angle = tangent.atan();
        let terms = alpha.iter().zip([2.0, 4.0, 6.0, 8.0]);
        let arc = angle + terms.map(|(term, times)| term * (times * angle).sin()).sum::<f64>();
        let radius = circle * template.scale;
        let (east, north) = template.origin;
        let equator = north - radius * arc;
        let meridian = template.longitude.to_radians();
        let is_possible = radius.is_finite() && radius > 0.0 && equator.is_finite();
        is_possible.then_some(Self { eccentricity, meridian, radius, equator, east, beta })
    }

    pub(super) fn inverse(&self, x: f64, y: f64) -> Place {
        let (xi, eta) = ((y - self.equator) / self.radius, (x - self.east) / self.radius);
        let (mut north, mut east) = (xi, eta);
        for (beta, times) in self.beta.iter().zip([2.0, 4.0, 6.0, 8.0]) {
            north -= beta * (times * xi).sin() * (times * eta).cosh();
            east -= beta * (times * xi).cos() * (times * eta).sinh();
        }
        let (sinh, cos) = (east.sinh(), north.cos());
        let wanted = north.sin() / sinh.hypot(cos);
        // Newton's method: equations 19 to 21.
        let e = self.eccentricity;
        let mut tangent = wanted / (1.0 - e * e);
        for _ in 0..6 {
            let now = conformal_tangent(e, tangent);
            let slope = (1.0 - e * e) * now.hypot(1.0) * tangent.hypot(1.0)
                / (1.0 + (1.0 - e * e) * tangent * tangent);
            let change = (wanted - now) / slope;
            tangent += change;
            if change.abs() <= 1e-15 * tangent.abs() {
                break;
            }
        }
        place(tangent.atan(), sinh.atan2(cos) + self.meridian)
    }
}

/// Tangent of the conformal latitude, by that of the latitude: equations 7 to 9.
fn conformal_tangent(e: f64, tangent: f64) -> f64 {
    let sigma = (e * (e * tangent / tangent.hypot(1.0)).atanh()).sinh();
    tangent * sigma.hypot(1.0) - sigma * tangent.hypot(1.0)
}
