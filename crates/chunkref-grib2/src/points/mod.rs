// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the points of a grid are.
//!
//! | module | grids |
//! |---|---|
//! | `axes` | rows of one latitude and columns of one longitude, also around another pole |
//! | `plane`, `conformal`, `equal_area`, `transverse`, `space_view`, `rotated` | rows and columns on a map, in an image or around another pole |
//! | `reduced`, `healpix` | rows of different lengths; pixels of equal area |
//!
//! `message` decodes the coordinates of a message.

pub(crate) mod axes;
mod conformal;
mod equal_area;
pub(crate) mod healpix;
pub(crate) mod message;
pub(crate) mod plane;
pub(crate) mod reduced;
mod rotated;
mod space_view;
#[cfg(test)]
mod tests;
mod transverse;

use chunkref_core::{Cancelled, Steps};

use crate::section::grid_definition::GridDefinition;
use crate::section::grid_template::Template;
use plane::Plane;

/// A place on the earth, in degrees; NaN for what is not on the earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
}

/// Hands the place of each point to `take`, in the order of the values; `false` where places are not known, and then
/// `take` is not called.
pub(crate) fn visit(
    grid: &GridDefinition,
    steps: &mut Steps<'_>,
    take: &mut dyn FnMut(Place),
) -> Result<bool, Cancelled> {
    if let Some((latitudes, longitudes)) = axes::axes(grid) {
        in_order(grid, &latitudes, &longitudes, steps, &mut |&latitude, &longitude| {
            take(Place { latitude, longitude });
        })?;
        return Ok(true);
    }
    if let Some(plane) = Plane::new(grid) {
        in_order(grid, &plane.ys, &plane.xs, steps, &mut |&y, &x| take(plane.place(x, y)))?;
        return Ok(true);
    }
    match &grid.template {
        Template::LatLon(template) => reduced::visit(grid, template, steps, take),
        Template::Healpix(template) => healpix::visit(grid, template, steps, take),
        _ => Ok(false),
    }
}

/// Hands row and column of each point to `take`, in the order that the scanning mode tells.
fn in_order(
    grid: &GridDefinition,
    rows: &[f64],
    columns: &[f64],
    steps: &mut Steps<'_>,
    take: &mut dyn FnMut(&f64, &f64),
) -> Result<(), Cancelled> {
    let scanning = grid.scanning;
    let (outer, inner) = if scanning.j_consecutive() { (columns, rows) } else { (rows, columns) };
    let mut pair = |a: &f64, b: &f64| {
        if scanning.j_consecutive() { take(b, a) } else { take(a, b) }
    };
    for (index, a) in outer.iter().enumerate() {
        steps.take(inner.len())?;
        if scanning.alternating() && index % 2 == 1 {
            for b in inner.iter().rev() {
                pair(a, b);
            }
        } else {
            for b in inner {
                pair(a, b);
            }
        }
    }
    Ok(())
}

/// A longitude of at least 0 and less than 360 degrees.
fn within_circle(longitude: f64) -> f64 {
    let within = longitude.rem_euclid(360.0);
    // What is a little less than 0 rounds to 360.
    if within >= 360.0 { 0.0 } else { within }
}

/// Values from `first` on, `count` of them.
fn spread(first: f64, step: f64, count: u32) -> Vec<f64> {
    (0..count).map(|index| first + f64::from(index) * step).collect()
}

fn signed(length: f64, positive: bool) -> f64 {
    if positive { length } else { -length }
}
