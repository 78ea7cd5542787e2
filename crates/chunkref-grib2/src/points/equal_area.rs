// SPDX-License-Identifier: MIT OR Apache-2.0
//! Maps that keep areas: Lambert's azimuthal plane, and Albers' cone.
//!
//! Spec: Snyder, Map Projections – A Working Manual, chapters 14 and 24. Spheres are ellipsoids without eccentricity.

use super::Place;
use super::conformal::{Eccentricity, half_circle, place};
use crate::section::earth::Earth;

/// The sphere that has the area of the earth.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Authalic {
    e2: f64,
    /// `q` at the pole.
    pole: f64,
}

impl Authalic {
    fn new(earth: Earth) -> Self {
        let e2 = earth.eccentricity_squared();
        Self { e2, pole: q(e2, 1.0) }
    }

    /// Sine of the latitude on the sphere.
    fn sine(self, latitude: f64) -> f64 {
        (q(self.e2, latitude.sin()) / self.pole).clamp(-1.0, 1.0)
    }

    /// The latitude of one on the sphere, by its sine: equation 3-18.
    fn latitude(self, sine: f64) -> f64 {
        let (e2, e4) = (self.e2, self.e2 * self.e2);
        let e6 = e4 * e2;
        let beta = sine.clamp(-1.0, 1.0).asin();
        beta + (e2 / 3.0 + 31.0 * e4 / 180.0 + 517.0 * e6 / 5040.0) * (2.0 * beta).sin()
            + (23.0 * e4 / 360.0 + 251.0 * e6 / 3780.0) * (4.0 * beta).sin()
            + 761.0 * e6 / 45360.0 * (6.0 * beta).sin()
    }
}

/// Equation 3-12.
fn q(e2: f64, sine: f64) -> f64 {
    let e = e2.sqrt();
    if e == 0.0 {
        return 2.0 * sine;
    }
    let part = ((1.0 - e * sine) / (1.0 + e * sine)).ln() / (2.0 * e);
    (1.0 - e2) * (sine / (1.0 - e2 * sine * sine) - part)
}

/// A plane that touches the earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Azimuthal {
    authalic: Authalic,
    meridian: f64,
    /// Sine and cosine of the origin on the sphere of equal area.
    centre: (f64, f64),
    radius: f64,
    /// By which lengths along rows and columns differ from those of the sphere.
    stretch: f64,
}

impl Azimuthal {
    /// In degrees: latitude and longitude of the origin.
    pub(super) fn new(earth: Earth, latitude: f64, longitude: f64) -> Option<Self> {
        let authalic = Authalic::new(earth);
        let latitude = latitude.to_radians();
        let sine = authalic.sine(latitude);
        let cosine = (1.0 - sine * sine).sqrt();
        let radius = earth.major * (authalic.pole / 2.0).sqrt();
        let stretch = if cosine < 1e-10 {
            1.0
        } else {
            earth.major * Eccentricity::new(earth).m(latitude) / (radius * cosine)
        };
        let meridian = longitude.to_radians();
        let is_possible = latitude.abs() < 1.6 && stretch.is_finite() && stretch > 0.0;
        let centre = (sine, cosine);
        is_possible.then_some(Self { authalic, meridian, centre, radius, stretch })
    }

    pub(super) fn forward(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        let sine = self.authalic.sine(latitude.to_radians());
        let cosine = (1.0 - sine * sine).sqrt();
        let (s, c) = (longitude.to_radians() - self.meridian).sin_cos();
        let (centre_sine, centre_cosine) = self.centre;
        let height = 1.0 + centre_sine * sine + centre_cosine * cosine * c;
        let scale = self.radius * (2.0 / height).sqrt();
        let y = scale * (centre_cosine * sine - centre_sine * cosine * c);
        (scale * self.stretch * cosine * s, y / self.stretch)
    }

    pub(super) fn inverse(&self, x: f64, y: f64) -> Place {
        let (x, y) = (x / self.stretch, y * self.stretch);
        let distance = x.hypot(y);
        let half = distance / (2.0 * self.radius);
        // Beyond the point on the other side of the earth.
        if half > 1.0 {
            return Place { latitude: f64::NAN, longitude: f64::NAN };
        }
        let (sin, cos) = (2.0 * half.asin()).sin_cos();
        let (centre_sine, centre_cosine) = self.centre;
        let (east, north) = if distance == 0.0 { (0.0, 0.0) } else { (x / distance, y / distance) };
        let sine = cos * centre_sine + north * sin * centre_cosine;
        let longitude =
            (east * sin).atan2(centre_cosine * cos - north * centre_sine * sin) + self.meridian;
        place(self.authalic.latitude(sine), longitude)
    }
}

/// A cone that cuts the earth at two parallels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Albers {
    authalic: Authalic,
    meridian: f64,
    n: f64,
    c: f64,
    major: f64,
    /// Distance of the origin from the tip.
    origin: f64,
}

impl Albers {
    /// In degrees: both parallels, the meridian that is straight, and the latitude of the origin.
    pub(super) fn new(
        earth: Earth,
        (first, second): (f64, f64),
        meridian: f64,
        origin: f64,
    ) -> Option<Self> {
        let (authalic, eccentricity) = (Authalic::new(earth), Eccentricity::new(earth));
        let (first, second) = (first.to_radians(), second.to_radians());
        let q = |latitude: f64| authalic.sine(latitude) * authalic.pole;
        let m = |latitude: f64| eccentricity.m(latitude).powi(2);
        let n = if (first - second).abs() < 1e-10 {
            first.sin()
        } else {
            (m(first) - m(second)) / (q(second) - q(first))
        };
        let c = m(first) + n * q(first);
        let meridian = meridian.to_radians();
        let cone = Self { authalic, meridian, n, c, major: earth.major, origin: 0.0 };
        let origin = cone.distance(origin.to_radians());
        // A cone that cuts the same parallels north and south is a cylinder.
        (n.abs() > 1e-10 && origin.is_finite()).then_some(Self { origin, ..cone })
    }

    fn distance(&self, latitude: f64) -> f64 {
        let q = self.authalic.sine(latitude) * self.authalic.pole;
        self.major * (self.c - self.n * q).max(0.0).sqrt() / self.n
    }

    pub(super) fn forward(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        let distance = self.distance(latitude.to_radians());
        let (sin, cos) = (self.n * half_circle(longitude.to_radians() - self.meridian)).sin_cos();
        (distance * sin, self.origin - distance * cos)
    }

    pub(super) fn inverse(&self, x: f64, y: f64) -> Place {
        let sign = self.n.signum();
        let (x, y) = (sign * x, sign * (self.origin - y));
        let distance = x.hypot(y) * self.n / self.major;
        let sine = (self.c - distance * distance) / self.n / self.authalic.pole;
        if sine.abs() > 1.0 + 1e-9 {
            return Place { latitude: f64::NAN, longitude: f64::NAN };
        }
        place(self.authalic.latitude(sine), x.atan2(y) / self.n + self.meridian)
    }
}
