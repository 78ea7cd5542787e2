// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows and columns on a map, in an image or around another pole.

use super::axes;
use super::conformal::{Lambert, Polar};
use super::equal_area::{Albers, Azimuthal};
use super::rotated::Rotated;
use super::space_view::Geostationary;
use super::transverse::Transverse;
use super::{Place, signed, spread};
use crate::section::grid_definition::GridDefinition;
use crate::section::grid_template::{Projected, Template};

/// Flag of table 3.5: the south pole is on the plane.
const SOUTH: u8 = 0x80;

/// Flag of table 3.5: the projection is bi-polar.
const BIPOLAR: u8 = 0x40;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Projection {
    Lambert(Lambert),
    Polar(Polar),
    Azimuthal(Azimuthal),
    Albers(Albers),
    Transverse(Transverse),
    Geostationary(Geostationary),
    Rotated(Rotated),
}

/// A grid whose points are where a row and a column cross.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plane {
    /// Places of the columns, in the order of the data: in metres; radians of an image; degrees around another pole.
    pub(crate) xs: Vec<f64>,
    /// Places of the rows.
    pub(crate) ys: Vec<f64>,
    projection: Projection,
}

impl Plane {
    /// `None` for grids that are no such plane, or where too little is told.
    pub(crate) fn new(grid: &GridDefinition) -> Option<Self> {
        let shape = grid.shape()?;
        let earth = grid.earth;
        let (projection, (xs, ys)) = match &grid.template {
            Template::Lambert(template) if template.centre_flags & BIPOLAR == 0 => {
                let parallels = template.intersections?;
                let cone =
                    Lambert::new(earth?, parallels, template.orientation, template.true_latitude)?;
                let first = cone.forward(template.first_latitude, template.first_longitude);
                (Projection::Lambert(cone), steps(grid, template, first, shape))
            }
            Template::Albers(template) if template.centre_flags & BIPOLAR == 0 => {
                let parallels = template.intersections?;
                let cone =
                    Albers::new(earth?, parallels, template.orientation, template.true_latitude)?;
                let first = cone.forward(template.first_latitude, template.first_longitude);
                (Projection::Albers(cone), steps(grid, template, first, shape))
            }
            Template::PolarStereographic(template) => {
                let (parallel, meridian) = (template.true_latitude, template.orientation);
                let plane = Polar::new(earth?, is_south(template), parallel, meridian)?;
                let first = plane.forward(template.first_latitude, template.first_longitude);
                (Projection::Polar(plane), steps(grid, template, first, shape))
            }
            Template::LambertAzimuthal(template) => {
                let plane = Azimuthal::new(earth?, template.true_latitude, template.orientation)?;
                let first = plane.forward(template.first_latitude, template.first_longitude);
                (Projection::Azimuthal(plane), steps(grid, template, first, shape))
            }
            Template::TransverseMercator(template) => {
                let plane = Transverse::new(earth?, template)?;
                let step = template.step;
                (Projection::Transverse(plane), spaced(grid, template.first, step, shape))
            }
            Template::SpaceView(template) => {
                let view = Geostationary::new(earth?, template)?;
                (Projection::Geostationary(view), view.angles(template, grid.scanning, shape)?)
            }
            Template::LatLon(template) if !template.stretched => {
                let (ys, xs) = axes::angles(grid, template)?;
                (Projection::Rotated(Rotated::new(template.rotation?)), (xs, ys))
            }
            Template::Centred(template) if !template.staggered => {
                let net = Rotated::around(template.centre);
                let first = net.forward(template.first.0, template.first.1);
                let step = (template.i_increment, template.j_increment);
                (Projection::Rotated(net), spaced(grid, first, step, shape))
            }
            _ => return None,
        };
        let is_finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        (is_finite(&xs) && is_finite(&ys)).then_some(Self { xs, ys, projection })
    }

    pub(crate) fn place(&self, x: f64, y: f64) -> Place {
        match &self.projection {
            Projection::Lambert(projection) => projection.inverse(x, y),
            Projection::Polar(projection) => projection.inverse(x, y),
            Projection::Azimuthal(projection) => projection.inverse(x, y),
            Projection::Albers(projection) => projection.inverse(x, y),
            Projection::Transverse(projection) => projection.inverse(x, y),
            Projection::Geostationary(projection) => projection.inverse(x, y),
            Projection::Rotated(projection) => projection.inverse(x, y),
        }
    }
}

/// Whether the south pole is in the middle of a polar stereographic plane: its flag, or the hemisphere of the parallel.
pub(crate) fn is_south(template: &Projected) -> bool {
    template.centre_flags & SOUTH != 0 || template.true_latitude < 0.0
}

fn steps(
    grid: &GridDefinition,
    template: &Projected,
    first: (f64, f64),
    shape: (u32, u32),
) -> (Vec<f64>, Vec<f64>) {
    spaced(grid, first, (template.dx, template.dy), shape)
}

/// Places of columns and rows, from those of the first point on.
fn spaced(
    grid: &GridDefinition,
    first: (f64, f64),
    step: (f64, f64),
    (ny, nx): (u32, u32),
) -> (Vec<f64>, Vec<f64>) {
    (
        spread(first.0, signed(step.0, !grid.scanning.i_negative()), nx),
        spread(first.1, signed(step.1, grid.scanning.j_positive()), ny),
    )
}
