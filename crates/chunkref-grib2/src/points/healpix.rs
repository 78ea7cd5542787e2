// SPDX-License-Identifier: MIT OR Apache-2.0
//! `HEALPix`: twelve quadrangles of equal area, each with as many pixels along its sides.
//!
//! Spec: Górski et al. 2005, Astrophysical Journal 622, 759, sections 4.1 and 5.3, equations 2 to 9.

use chunkref_core::{Cancelled, Steps};

use super::Place;
use crate::section::grid_definition::GridDefinition;
use crate::section::grid_template::Healpix;

/// Most pixels along a side: the number of all has 32 bits.
const MOST_SIDE: u32 = 1 << 14;

/// Columns of the quadrangles, in eighths of the equator, from the northern row on.
const COLUMNS: [u32; 12] = [1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7];

/// Rings from the north pole to the southern corner of the quadrangles of each row, in pixels along a side.
const ROWS: [u32; 3] = [2, 3, 4];

pub(super) fn visit(
    grid: &GridDefinition,
    template: &Healpix,
    steps: &mut Steps<'_>,
    take: &mut dyn FnMut(Place),
) -> Result<bool, Cancelled> {
    let side = template.side;
    let is_whole = (1..=MOST_SIDE).contains(&side)
        && side.checked_mul(side).and_then(|square| square.checked_mul(12)) == Some(grid.count);
    let is_plain = is_plain(grid, template);
    match (template.ordering, is_whole && is_plain) {
        (0, true) => rings(side, steps, take)?,
        (1, true) if side.is_power_of_two() => nested(side, grid.count, steps, take)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Whether points are the centres of pixels, from the north on, and eastward from the middle of the first quadrangle.
pub(crate) fn is_plain(grid: &GridDefinition, template: &Healpix) -> bool {
    (template.first_longitude - 45.0).abs() < 1e-7
        && matches!(template.position, 4 | 255)
        && grid.scanning.0 & 0xc0 == 0
}

/// Ring by ring.
fn rings(side: u32, steps: &mut Steps<'_>, take: &mut dyn FnMut(Place)) -> Result<(), Cancelled> {
    for number in 1..side.saturating_mul(4) {
        let ring = Ring::new(side, number);
        steps.take(usize::try_from(ring.pixels).unwrap_or(usize::MAX))?;
        for pixel in 0..ring.pixels {
            take(ring.place(f64::from(pixel) + ring.start));
        }
    }
    Ok(())
}

/// Along the quadrants of the quadrants of each quadrangle: the digits of a number, in base 4, lead there.
fn nested(
    side: u32,
    count: u32,
    steps: &mut Steps<'_>,
    take: &mut dyn FnMut(Place),
) -> Result<(), Cancelled> {
    let square = side.saturating_mul(side);
    for pixel in 0..count {
        steps.take(1)?;
        let face = pixel.checked_div(square).unwrap_or_default();
        let within = pixel.checked_rem(square).unwrap_or_default();
        let (x, y) = (every_second_bit(within), every_second_bit(within >> 1));
        let row = usize::try_from(face / 4).ok().and_then(|row| ROWS.get(row));
        let column = usize::try_from(face).ok().and_then(|face| COLUMNS.get(face));
        let (Some(row), Some(column)) = (row, column) else { break };
        let number = row.saturating_mul(side).saturating_sub(x).saturating_sub(y).saturating_sub(1);
        let ring = Ring::new(side, number);
        // Half pixels east of the middle of the quadrangle.
        let east = (f64::from(x) - f64::from(y)) / 2.0;
        let middle = f64::from(*column) * f64::from(ring.pixels) / 8.0;
        take(ring.place(middle + east));
    }
    Ok(())
}

fn every_second_bit(bits: u32) -> u32 {
    (0..16).fold(0, |found, place| found | (bits >> place & (1 << place)))
}

/// The pixels of one latitude.
struct Ring {
    latitude: f64,
    pixels: u32,
    /// Pixels from longitude 0 to the centre of the first one.
    start: f64,
}

impl Ring {
    /// The ring of a number from 1 on, from the north.
    fn new(side: u32, number: u32) -> Self {
        let from_pole = number.min(side.saturating_mul(4).saturating_sub(number));
        let (n, ring) = (f64::from(side), f64::from(from_pole));
        let (sine_of_latitude, length) = if from_pole < side {
            (1.0 - ring * ring / (3.0 * n * n), from_pole)
        } else {
            (4.0 / 3.0 - 2.0 * ring / (3.0 * n), side)
        };
        let latitude = sine_of_latitude.asin().to_degrees();
        let latitude = if number > side.saturating_mul(2) { -latitude } else { latitude };
        // In the belt every second ring begins at longitude 0.
        let shifted = from_pole < side || number.saturating_sub(side).is_multiple_of(2);
        let start = if shifted { 0.5 } else { 0.0 };
        Self { latitude, pixels: length.saturating_mul(4), start }
    }

    fn place(&self, pixels: f64) -> Place {
        let longitude = super::within_circle(pixels * 360.0 / f64::from(self.pixels));
        Place { latitude: self.latitude, longitude }
    }
}
