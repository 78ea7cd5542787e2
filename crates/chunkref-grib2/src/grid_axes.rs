// SPDX-License-Identifier: MIT OR Apache-2.0
//! Latitudes of rows and longitudes of columns, of grids that have such.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use crate::section::grid_definition::{GridDefinition, LatLon, Projected, Template};

/// Rows of a Gaussian grid at the most: its latitudes are found by iteration.
const MOST_ROWS: u32 = 200_000;

/// Latitudes of the rows and longitudes of the columns, in degrees, in the order of the data.
pub(crate) fn axes(grid: &GridDefinition) -> Option<(Vec<f64>, Vec<f64>)> {
    let (ny, nx) = grid.shape()?;
    match &grid.template {
        Template::LatLon(template) if template.rotation.is_none() => {
            let latitudes = match template.gaussian {
                Some(parallels) => gaussian(grid, template, parallels, ny)?,
                None => latitudes(grid, template, ny),
            };
            Some((latitudes, longitudes(grid, template, nx)))
        }
        Template::Mercator(template) => mercator(grid, template, ny, nx),
        _ => None,
    }
}

fn spread(first: f64, step: f64, count: u32) -> Vec<f64> {
    (0..count).map(|index| first + f64::from(index) * step).collect()
}

/// Distance of neighbours from the ends, which are exact where increments are rounded.
fn step(first: f64, last: f64, count: u32) -> f64 {
    if count > 1 { (last - first) / f64::from(count.saturating_sub(1)) } else { 0.0 }
}

/// Flag of table 3.3: the increment along a column is given.
const J_INCREMENT_GIVEN: u8 = 0x10;

/// ecCodes counts latitudes by the increment where it is given, and longitudes from end to end: so do these.
fn latitudes(grid: &GridDefinition, template: &LatLon, ny: u32) -> Vec<f64> {
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

fn longitudes(grid: &GridDefinition, template: &LatLon, nx: u32) -> Vec<f64> {
    let (first, mut last) = (template.first_longitude, template.last_longitude);
    if grid.scanning.i_negative() {
        while last > first {
            last -= 360.0;
        }
    } else {
        while last < first {
            last += 360.0;
        }
    }
    let mut step = step(first, last, nx);
    if let Some(increment) = template.i_increment.filter(|_| step == 0.0) {
        step = if grid.scanning.i_negative() { -increment } else { increment };
    }
    spread(first, step, nx).into_iter().map(within_circle).collect()
}

/// A longitude of at least 0 and less than 360 degrees, but for those that begin below 0.
fn within_circle(longitude: f64) -> f64 {
    if longitude >= 360.0 { longitude - 360.0 } else { longitude }
}

/// Roots of the Legendre polynomial of degree `2 parallels`, as latitudes from the first row on.
fn gaussian(grid: &GridDefinition, template: &LatLon, parallels: u32, ny: u32) -> Option<Vec<f64>> {
    let degree = parallels.checked_mul(2).filter(|&degree| degree > 0 && degree <= MOST_ROWS)?;
    let mut all: Vec<f64> = (0..degree).map(|row| root(degree, row)).collect();
    if grid.scanning.j_positive() {
        all.reverse();
    }
    let first = all
        .iter()
        .enumerate()
        .min_by(|(_, a), (_, b)| {
            (**a - template.first_latitude).abs().total_cmp(&(**b - template.first_latitude).abs())
        })
        .map(|(index, _)| index)?;
    let count = usize::try_from(ny).ok()?;
    all.get(first..first.checked_add(count)?).map(<[f64]>::to_vec)
}

/// Latitude of one row of all, from the north, by Newton's method.
fn root(degree: u32, row: u32) -> f64 {
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

/// Spec: Snyder, Map Projections, equations 7-1 to 7-5 for the sphere.
fn mercator(
    grid: &GridDefinition,
    template: &Projected,
    ny: u32,
    nx: u32,
) -> Option<(Vec<f64>, Vec<f64>)> {
    let radius = grid.radius? * template.true_latitude.to_radians().cos();
    if radius <= 0.0 || template.orientation != 0.0 {
        return None;
    }
    let signed = |length: f64, positive: bool| if positive { length } else { -length };
    let first = (FRAC_PI_4 + template.first_latitude.to_radians() / 2.0).tan().ln();
    let dy = signed(template.dy, grid.scanning.j_positive()) / radius;
    let latitudes = spread(first, dy, ny)
        .into_iter()
        .map(|y| (2.0 * y.exp().atan() - FRAC_PI_2).to_degrees())
        .collect();
    let dx = (signed(template.dx, !grid.scanning.i_negative()) / radius).to_degrees();
    let longitudes =
        spread(template.first_longitude, dx, nx).into_iter().map(within_circle).collect();
    Some((latitudes, longitudes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::grid_definition::ScanningMode;

    fn grid(template: LatLon, ny: u32, nx: u32) -> GridDefinition {
        GridDefinition {
            number: 0,
            count: ny * nx,
            nx: Some(nx),
            ny: Some(ny),
            scanning: ScanningMode(0),
            flags: 0,
            radius: None,
            template: Template::LatLon(template),
            row_lengths: Vec::new(),
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
    };

    #[test]
    fn longitudes_go_round_the_globe() {
        let (latitudes, longitudes) = axes(&grid(GLOBE, 3, 4)).unwrap();
        assert_eq!(latitudes, [90.0, 0.0, -90.0]);
        assert_eq!(longitudes, [180.0, 270.0, 0.0, 90.0]);
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
}
