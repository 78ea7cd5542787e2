// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of different lengths: reduced grids.
//!
//! Rows of reduced Gaussian grids are listed whole; of a part of the globe, the message has the points between its first
//! and its last longitude.

use chunkref_core::{Cancelled, Steps};

use super::axes;
use super::rotated::Rotated;
use super::{Place, within_circle};
use crate::section::grid_definition::GridDefinition;
use crate::section::grid_template::LatLon;

/// By which coded longitudes may miss the point that they mean, in parts of the distance of two points.
const SLACK: f64 = 1e-7;

/// The longitudes between which rows have points, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Extent {
    Circle,
    Part { west: f64, east: f64 },
}

/// Points that the rows of a reduced Gaussian grid have between its longitudes.
pub(crate) fn count(template: &LatLon, precision: f64, row_lengths: &[u32]) -> u64 {
    let extent = Extent::new(template, precision, row_lengths);
    let points = row_lengths.iter().map(|&length| u64::from(extent.row(length).1));
    points.fold(0, u64::saturating_add)
}

impl Extent {
    /// The whole circle where the last point is at most one distance of points from its end.
    fn new(template: &LatLon, precision: f64, row_lengths: &[u32]) -> Self {
        let longest = row_lengths.iter().copied().max().unwrap_or_default();
        let west = within_circle(template.first_longitude);
        let span = within_circle(template.last_longitude - template.first_longitude);
        let last = 360.0 - 360.0 / f64::from(longest.max(1));
        if west <= precision && span >= last - precision {
            return Self::Circle;
        }
        Self::Part { west, east: west + span }
    }

    /// Number of the first point of a row that begins at longitude 0, and how many there are.
    fn row(self, length: u32) -> (f64, u32) {
        let Self::Part { west, east } = self else { return (0.0, length) };
        let points = f64::from(length) / 360.0;
        let first = (west * points - SLACK).ceil();
        let last = (east * points + SLACK).floor();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most the length, and at least 0"
        )]
        let count = (last - first + 1.0).clamp(0.0, f64::from(length)) as u32;
        (first, count)
    }
}

pub(super) fn visit(
    grid: &GridDefinition,
    template: &LatLon,
    steps: &mut Steps<'_>,
    take: &mut dyn FnMut(Place),
) -> Result<bool, Cancelled> {
    let rows = &grid.row_lengths;
    let is_plain = !template.stretched && grid.scanning.0 & 0xb0 == 0 && !rows.is_empty();
    if !is_plain {
        return Ok(false);
    }
    let rotated = template.rotation.map(Rotated::new);
    let mut place = |latitude: f64, longitude: f64| {
        take(match &rotated {
            Some(net) => net.inverse(longitude, latitude),
            None => Place { latitude, longitude },
        });
    };
    match template.gaussian {
        Some(parallels) => gaussian(grid, template, parallels, steps, &mut place),
        None => regular(grid, template, steps, &mut place),
    }
}

fn gaussian(
    grid: &GridDefinition,
    template: &LatLon,
    parallels: u32,
    steps: &mut Steps<'_>,
    place: &mut dyn FnMut(f64, f64),
) -> Result<bool, Cancelled> {
    let rows = &grid.row_lengths;
    let ny = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let Some(latitudes) = axes::gaussian(grid, template, parallels, ny) else { return Ok(false) };
    // Angles of edition 1 are rounded to a thousandth.
    let fitting = [1e-6, 1e-3]
        .into_iter()
        .find(|&precision| count(template, precision, rows) == u64::from(grid.count));
    let Some(precision) = fitting else { return Ok(false) };
    let extent = Extent::new(template, precision, rows);
    for (&length, &latitude) in rows.iter().zip(&latitudes) {
        let (first, points) = extent.row(length);
        steps.take(usize::try_from(points).unwrap_or(usize::MAX).max(1))?;
        for point in 0..points {
            let longitude = (first + f64::from(point)) * 360.0 / f64::from(length);
            place(latitude, within_circle(longitude));
        }
    }
    Ok(true)
}

/// Rows that are as far from each other.
fn regular(
    grid: &GridDefinition,
    template: &LatLon,
    steps: &mut Steps<'_>,
    place: &mut dyn FnMut(f64, f64),
) -> Result<bool, Cancelled> {
    let rows = &grid.row_lengths;
    let points = rows.iter().map(|&length| u64::from(length)).fold(0, u64::saturating_add);
    let ny = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    if points != u64::from(grid.count) {
        return Ok(false);
    }
    let latitudes = axes::latitudes(grid, template, ny);
    let longest = rows.iter().copied().max().unwrap_or_default().max(1);
    let (first, last) = (template.first_longitude, template.last_longitude);
    let span = if last < first { last + 360.0 - first } else { last - first };
    // Rows go around the globe where the longest one does.
    let is_circle = 360.0 - (last - first).abs() < 720.0 / f64::from(longest);
    for (&length, &latitude) in rows.iter().zip(&latitudes) {
        steps.take(usize::try_from(length).unwrap_or(usize::MAX).max(1))?;
        let step = if is_circle {
            360.0 / f64::from(length)
        } else {
            span / f64::from(length.saturating_sub(1).max(1))
        };
        for point in 0..length {
            place(latitude, first + f64::from(point) * step);
        }
    }
    Ok(true)
}
