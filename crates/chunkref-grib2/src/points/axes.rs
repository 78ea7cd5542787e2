// SPDX-License-Identifier: MIT OR Apache-2.0
//! Latitudes of rows and longitudes of columns, of grids that have such.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use super::conformal::Eccentricity;
use super::{signed, spread};
use crate::section::grid_definition::GridDefinition;
use crate::section::grid_template::{LatLon, Projected, Template};

/// Rows of a Gaussian grid from pole to pole at the most: 300 m apart.
const MOST_ROWS: u32 = 1 << 16;

/// Rows next to a pole whose latitudes are not found by the expansion for those between, and rows of grids that are
/// found without it.
const POLAR_ROWS: u32 = 8;
const FEW_ROWS: u32 = 64;

/// Whether latitude depends on the row alone and longitude on the column alone.
pub(crate) fn has_axes(grid: &GridDefinition) -> bool {
    let is_kind = match &grid.template {
        Template::LatLon(template) => template.rotation.is_none() && !template.stretched,
        // Rows at an angle to the equator have no latitude.
        Template::Mercator(template) => template.orientation == 0.0 && grid.earth.is_some(),
        _ => false,
    };
    is_kind && grid.shape().is_some()
}

/// Latitudes of the rows and longitudes of the columns, in degrees, in the order of the data; `None` where
/// [`has_axes`] is not so, or where they are not told.
pub(crate) fn axes(grid: &GridDefinition) -> Option<(Vec<f64>, Vec<f64>)> {
    if !has_axes(grid) {
        return None;
    }
    match &grid.template {
        Template::LatLon(template) => angles(grid, template),
        Template::Mercator(template) => mercator(grid, template),
        _ => None,
    }
}

/// Latitudes and longitudes that the section tells, which may be those around another pole.
pub(super) fn angles(grid: &GridDefinition, template: &LatLon) -> Option<(Vec<f64>, Vec<f64>)> {
    let (ny, nx) = grid.shape()?;
    let latitudes = match template.gaussian {
        Some(parallels) => gaussian(grid, template, parallels, ny)?,
        None => latitudes(grid, template, ny),
    };
    Some((latitudes, longitudes(grid, template, nx)))
}

/// Distance of neighbours from the ends, which are exact where increments are rounded.
fn step(first: f64, last: f64, count: u32) -> f64 {
    if count > 1 { (last - first) / f64::from(count.saturating_sub(1)) } else { 0.0 }
}

/// Flag of table 3.3: the increment along a column is given.
const J_INCREMENT_GIVEN: u8 = 0x10;

/// ecCodes counts latitudes by the increment where it is given, and longitudes from end to end: so do these.
pub(super) fn latitudes(grid: &GridDefinition, template: &LatLon, ny: u32) -> Vec<f64> {
    let (first, last) = (template.first_latitude, template.last_latitude);
    let given = template
        .j_increment
        .filter(|&increment| grid.flags & J_INCREMENT_GIVEN != 0 && increment > 0.0);
    let step = match given {
        Some(increment) if grid.scanning.j_positive() => increment,
        Some(increment) => -increment,
        None => step(first, last, ny),
    };
    let mut latitudes = spread(first, step, ny);
    // The end is exact where increments are rounded.
    if let Some(end) = latitudes.last_mut().filter(|end| (**end - last).abs() < step.abs() / 2.0) {
        *end = last;
    }
    latitudes
}

/// Longitudes go up, or down where rows go west, from the first to the last: a grid from 180 to 179 begins at -180, as in
/// ecCodes. First and last are a circle apart where they are equal.
fn longitudes(grid: &GridDefinition, template: &LatLon, nx: u32) -> Vec<f64> {
    let (mut first, mut last) = (template.first_longitude, template.last_longitude);
    if nx < 2 {
        return spread(first, 0.0, nx);
    }
    // As many whole circles as it takes.
    let circles = |angle: f64| 360.0 * ((angle / 360.0).floor() + 1.0).max(0.0);
    if grid.scanning.i_negative() {
        last -= circles(last - first);
    } else {
        first -= circles(first - last);
        // The end is within the circle, as far as ecCodes sees to that.
        let beyond = 360.0 * ((last - 360.0) / 360.0).ceil().max(0.0);
        (first, last) = (first - beyond, last - beyond);
    }
    let mut longitudes = spread(first, step(first, last, nx), nx);
    if let Some(end) = longitudes.last_mut() {
        *end = last;
    }
    longitudes
}

/// Roots of the Legendre polynomial of degree `2 parallels`, as latitudes from the first row on: `ny` of them are computed,
/// in steps that do not grow with their number.
pub(super) fn gaussian(
    grid: &GridDefinition,
    template: &LatLon,
    parallels: u32,
    ny: u32,
) -> Option<Vec<f64>> {
    let degree = parallels.checked_mul(2).filter(|&degree| degree > 0 && degree <= MOST_ROWS)?;
    let sign = if grid.scanning.j_positive() { -1.0 } else { 1.0 };
    // Rows are counted from the pole that they begin at.
    let wanted = sign * template.first_latitude;
    let place = (90.0 - wanted) / 180.0 * (f64::from(degree) + 0.5) - 0.75;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a row of at most 65,536, and the nearest one for what is none"
    )]
    let near = place.clamp(0.0, f64::from(degree.saturating_sub(1))).round() as u32;
    let first = (near.saturating_sub(1)..near.saturating_add(2))
        .filter(|&row| row < degree)
        .min_by(|&a, &b| {
            let distance = |row| (gaussian_latitude(degree, row) - wanted).abs();
            distance(a).total_cmp(&distance(b))
        })?;
    let end = first.checked_add(ny).filter(|&end| end <= degree)?;
    Some((first..end).map(|row| sign * gaussian_latitude(degree, row)).collect())
}

/// Latitude of one row of all `degree`, an even number, from the north.
fn gaussian_latitude(degree: u32, row: u32) -> f64 {
    let opposite = degree.saturating_sub(1).saturating_sub(row);
    if opposite < row {
        -gaussian_latitude(degree, opposite)
    } else if row < POLAR_ROWS || degree < FEW_ROWS {
        polar_root(degree, row)
    } else {
        inner_root(degree, row)
    }
}

/// By Newton's method on the polynomial's recurrence, which takes as many steps as its degree.
fn polar_root(degree: u32, row: u32) -> f64 {
    let count = f64::from(degree);
    let mut x = (PI * (f64::from(row) + 0.75) / (count + 0.5)).cos();
    for _ in 0..20 {
        let (mut before, mut value) = (1.0, x);
        for index in 2..=degree {
            let index = f64::from(index);
            (before, value) =
                (value, ((2.0 * index - 1.0) * x * value - (index - 1.0) * before) / index);
        }
        let slope = count * (before - x * value) / (1.0 - x * x);
        let change = value / slope;
        x -= change;
        if change.abs() < 1e-15 {
            break;
        }
    }
    x.asin().to_degrees()
}

/// By Newton's method on Stieltjes' expansion of the polynomial, whose terms fall below a double's precision from the
/// ninth row on.
///
/// Spec: DLMF 18.15.12, of which the factor that the terms have in common is left out.
fn inner_root(degree: u32, row: u32) -> f64 {
    let count = f64::from(degree) + 0.5;
    let mut theta = PI * (f64::from(row) + 0.75) / count;
    theta += theta.tan().recip() / (8.0 * count * count);
    for _ in 0..5 {
        let (sin, cos) = theta.sin_cos();
        let (mut s, mut c) = (count * theta - FRAC_PI_4).sin_cos();
        let (mut value, mut slope, mut factor) = (0.0, 0.0, 1.0);
        for term in 0..24_u32 {
            let term = f64::from(term);
            value += factor * c;
            slope -= factor * ((count + term) * s + term * cos / sin * c);
            let half = term + 0.5;
            factor *= half * half / ((term + 1.0) * (count + term + 1.0) * 2.0 * sin);
            // The angle of the next term is larger by theta, and smaller by a right angle.
            (s, c) = (s * sin - c * cos, c * sin + s * cos);
        }
        let change = value / slope;
        theta -= change;
        if change.abs() < 1e-15 {
            break;
        }
    }
    (FRAC_PI_2 - theta).to_degrees()
}

/// Spec: Snyder, Map Projections – A Working Manual, equations 7-6 to 7-9.
fn mercator(grid: &GridDefinition, template: &Projected) -> Option<(Vec<f64>, Vec<f64>)> {
    let ((ny, nx), earth) = (grid.shape()?, grid.earth?);
    let eccentricity = Eccentricity::new(earth);
    let radius = earth.major * eccentricity.m(template.true_latitude.to_radians());
    if radius <= 0.0 {
        return None;
    }
    let first = -eccentricity.t(template.first_latitude.to_radians()).ln();
    let dy = signed(template.dy, grid.scanning.j_positive()) / radius;
    let latitudes: Vec<_> = spread(first, dy, ny)
        .into_iter()
        .map(|y| eccentricity.latitude((-y).exp()).to_degrees())
        .collect();
    let dx = (signed(template.dx, !grid.scanning.i_negative()) / radius).to_degrees();
    let mut longitudes = spread(template.first_longitude, dx, nx);
    // They go on without a step: those past the circle begin below zero.
    let high = longitudes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if high > 360.0 {
        let circles = 360.0 * (high / 360.0).floor();
        for longitude in &mut longitudes {
            *longitude -= circles;
        }
    }
    latitudes.iter().all(|latitude| latitude.is_finite()).then_some((latitudes, longitudes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::grid_definition::ScanningMode;

    fn grid(template: LatLon, ny: u32, nx: u32) -> GridDefinition {
        GridDefinition {
            nx: Some(nx),
            ny: Some(ny),
            template: Template::LatLon(template),
            ..GridDefinition::new(0, ny * nx)
        }
    }

    const GLOBE: LatLon = LatLon {
        first_latitude: 90.0,
        first_longitude: 180.0,
        last_latitude: -90.0,
        last_longitude: 90.0,
        i_increment: Some(90.0),
        j_increment: Some(90.0),
        gaussian: None,
        rotation: None,
        stretched: false,
    };

    #[test]
    fn longitudes_go_round_the_globe() {
        let (latitudes, longitudes) = axes(&grid(GLOBE, 3, 4)).unwrap();
        assert_eq!(latitudes, [90.0, 0.0, -90.0]);
        assert_eq!(longitudes, [-180.0, -90.0, 0.0, 90.0]);
    }

    #[test]
    fn gaussian_latitudes_are_roots_of_legendre_polynomials() {
        let template = LatLon { first_latitude: 59.44, gaussian: Some(2), ..GLOBE };
        let (latitudes, _) = axes(&grid(template, 4, 4)).unwrap();
        // P4 has the roots ±0.8611363116 and ±0.3399810436.
        for (found, sine) in
            latitudes.iter().zip([0.861_136_311_594_053_f64, 0.339_981_043_584_856_3])
        {
            assert!((found - sine.asin().to_degrees()).abs() < 1e-12, "{found}");
        }
        assert!((latitudes[3] + latitudes[0]).abs() < 1e-12);
    }

    #[test]
    fn both_ways_to_gaussian_latitudes_give_the_same() {
        for degree in [64, 66, 160, 320, 2560, 20_000] {
            for row in (POLAR_ROWS..degree / 2).step_by(1 + degree as usize / 40) {
                let (one, other) = (polar_root(degree, row), inner_root(degree, row));
                // Near the poles the recurrence's sine says less than the expansion's angle.
                let bound = 2e-13 * f64::from(degree) / f64::from(row + 1);
                assert!((one - other).abs() < bound.max(1e-12), "{degree} {row}: {one} {other}");
            }
            let all: Vec<_> = (0..degree).map(|row| gaussian_latitude(degree, row)).collect();
            assert!(all.windows(2).all(|pair| pair[0] > pair[1]), "{degree}");
        }
    }

    #[test]
    fn gaussian_grids_begin_at_any_row_and_end_within_bounds() {
        let template = LatLon { first_latitude: -0.03, gaussian: Some(1280), ..GLOBE };
        let mut grid = grid(template, 3, 4);
        let (north, _) = axes(&grid).unwrap();
        assert!(north[0] < 0.0 && north[0] > -0.04 && north[2] < north[1], "{north:?}");
        grid.scanning = ScanningMode(0x40);
        let (south, _) = axes(&grid).unwrap();
        assert!(south[0] < 0.0 && south[1] > 0.0, "{south:?}");
        assert!((south[0] + south[1]).abs() < 1e-12, "{south:?}");
        for (parallels, first_latitude, rows) in [
            (2, 59.44, 5),
            (0, 0.0, 1),
            (u32::MAX, 0.0, 1),
            (1 << 31, 0.0, 1),
            (20_000, 1e300, 40_001),
            (2, f64::NAN, 5),
        ] {
            let template = LatLon { first_latitude, gaussian: Some(parallels), ..GLOBE };
            assert!(axes(&super::tests::grid(template, rows, 4)).is_none(), "{parallels}");
        }
    }

    #[test]
    fn longitudes_far_apart_end() {
        for (first, last) in [(2e15, 0.0), (9e18, -9e18), (0.0, -1e300), (-1e-300, 1e-300)] {
            for scanning in [0, 0x80] {
                let template = LatLon { first_longitude: first, last_longitude: last, ..GLOBE };
                let mut grid = grid(template, 3, 4);
                grid.scanning = ScanningMode(scanning);
                assert_eq!(axes(&grid).unwrap().1.len(), 4, "{first} {last}");
            }
        }
    }
}
