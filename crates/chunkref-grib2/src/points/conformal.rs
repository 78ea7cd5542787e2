// SPDX-License-Identifier: MIT OR Apache-2.0
//! Maps that keep angles: Lambert's conformal cone, and the polar stereographic plane.
//!
//! Spec: Snyder, Map Projections – A Working Manual, chapters 15 and 21. Spheres are ellipsoids without eccentricity.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

use super::{Place, within_circle};
use crate::section::earth::Earth;

/// Rounds of the iteration for a latitude; each gains two to three digits on the earth.
const ROUNDS: u32 = 15;

/// Angles that are smaller, in radians, are none.
const SMALL: f64 = 1e-10;

/// The eccentricity of the earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Eccentricity(f64);

impl Eccentricity {
    pub(super) fn new(earth: Earth) -> Self {
        Self(earth.eccentricity_squared().sqrt())
    }

    /// Radius of a parallel, of an ellipsoid whose major axis is 1: equation 14-15.
    pub(super) fn m(self, latitude: f64) -> f64 {
        let (sin, cos) = latitude.sin_cos();
        cos / (1.0 - self.0 * self.0 * sin * sin).sqrt()
    }

    fn factor(self, latitude: f64) -> f64 {
        let sine = self.0 * latitude.sin();
        ((1.0 - sine) / (1.0 + sine)).powf(self.0 / 2.0)
    }

    /// Half the tangent of the conformal distance from the pole: equation 15-9.
    pub(super) fn t(self, latitude: f64) -> f64 {
        (FRAC_PI_4 - latitude / 2.0).tan() / self.factor(latitude)
    }

    /// The latitude of a `t`: equation 7-9.
    pub(super) fn latitude(self, t: f64) -> f64 {
        let mut latitude = FRAC_PI_2 - 2.0 * t.atan();
        if self.0 == 0.0 {
            return latitude;
        }
        for _ in 0..ROUNDS {
            let next = FRAC_PI_2 - 2.0 * (t * self.factor(latitude)).atan();
            let change = (next - latitude).abs();
            latitude = next;
            if change < 1e-14 {
                break;
            }
        }
        latitude
    }
}

/// An angle of at most half a circle.
pub(super) fn half_circle(angle: f64) -> f64 {
    if angle.abs() <= PI { angle } else { (angle + PI).rem_euclid(TAU) - PI }
}

pub(super) fn place(latitude: f64, longitude: f64) -> Place {
    Place { latitude: latitude.to_degrees(), longitude: within_circle(longitude.to_degrees()) }
}

/// A cone that cuts the earth at two parallels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lambert {
    eccentricity: Eccentricity,
    meridian: f64,
    n: f64,
    /// Distances from the tip of the cone are this times a power of `t`.
    scale: f64,
    /// Distance of the origin from the tip.
    origin: f64,
}

impl Lambert {
    /// In degrees: both parallels, the meridian that is straight, and the latitude of the origin.
    pub(super) fn new(
        earth: Earth,
        (first, second): (f64, f64),
        meridian: f64,
        origin: f64,
    ) -> Option<Self> {
        let eccentricity = Eccentricity::new(earth);
        let (first, second) = (first.to_radians(), second.to_radians());
        // A cone that cuts the same parallels north and south is a cylinder.
        if (first + second).abs() < SMALL {
            return None;
        }
        let n = if (first - second).abs() < SMALL {
            first.sin()
        } else {
            (eccentricity.m(first) / eccentricity.m(second)).ln()
                / (eccentricity.t(first) / eccentricity.t(second)).ln()
        };
        let scale = earth.major * eccentricity.m(first) / (n * eccentricity.t(first).powf(n));
        let origin = scale * eccentricity.t(origin.to_radians()).powf(n);
        let known = n.is_finite() && n != 0.0 && scale.is_finite() && scale != 0.0;
        let meridian = meridian.to_radians();
        // At the pole that the cone does not have, nothing is left of places on it.
        (known && origin.abs() < 1e10).then_some(Self { eccentricity, meridian, n, scale, origin })
    }

    pub(super) fn forward(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        let distance = self.scale * self.eccentricity.t(latitude.to_radians()).powf(self.n);
        let (sin, cos) = (self.n * half_circle(longitude.to_radians() - self.meridian)).sin_cos();
        (distance * sin, self.origin - distance * cos)
    }

    pub(super) fn inverse(&self, x: f64, y: f64) -> Place {
        let sign = self.n.signum();
        let (x, y) = (sign * x, sign * (self.origin - y));
        let distance = x.hypot(y);
        let t = (distance / self.scale.abs()).powf(1.0 / self.n);
        place(self.eccentricity.latitude(t), x.atan2(y) / self.n + self.meridian)
    }
}

/// The plane at a pole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Polar {
    eccentricity: Eccentricity,
    /// 1 at the north pole, -1 at the south pole.
    sign: f64,
    meridian: f64,
    /// Distances from the pole are this times `t`.
    scale: f64,
}

impl Polar {
    /// In degrees: the parallel where lengths are true, and the meridian that points down from the north pole, or up
    /// from the south pole.
    pub(super) fn new(earth: Earth, is_south: bool, parallel: f64, meridian: f64) -> Option<Self> {
        let eccentricity = Eccentricity::new(earth);
        let parallel = parallel.abs().to_radians();
        let scale = if (parallel - FRAC_PI_2).abs() > SMALL {
            earth.major * eccentricity.m(parallel) / eccentricity.t(parallel)
        } else {
            let e = eccentricity.0;
            2.0 * earth.major / ((1.0 + e).powf(1.0 + e) * (1.0 - e).powf(1.0 - e)).sqrt()
        };
        let sign = if is_south { -1.0 } else { 1.0 };
        let meridian = meridian.to_radians();
        (scale.is_finite() && scale > 0.0).then_some(Self { eccentricity, sign, meridian, scale })
    }

    pub(super) fn forward(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        let distance = self.scale * self.eccentricity.t(self.sign * latitude.to_radians());
        let (sin, cos) = (longitude.to_radians() - self.meridian).sin_cos();
        (distance * sin, -self.sign * distance * cos)
    }

    pub(super) fn inverse(&self, x: f64, y: f64) -> Place {
        let latitude = self.eccentricity.latitude(x.hypot(y) / self.scale);
        place(self.sign * latitude, x.atan2(-self.sign * y) + self.meridian)
    }
}
