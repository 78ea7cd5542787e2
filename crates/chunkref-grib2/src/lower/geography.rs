// SPDX-License-Identifier: MIT OR Apache-2.0
//! Coordinates of the points of a grid: in the references, but for latitudes and longitudes that each point has its own
//! of, which the codec decodes from a message.

use super::arrays::{self, FLOAT, INT};
use super::budget::{Budget, Geography};
use super::coordinates::Named;
use super::grid_mapping;
use crate::error::Result;
use crate::field::Field;
use crate::points::healpix;
use crate::points::plane::is_south;
use crate::section::earth::Earth;
use crate::section::grid_definition::GridDefinition;
use crate::section::grid_template::{LatLon, Template};
use crate::table::coordinate;

/// The digest of the grid section, as ecCodes' key of that name: points of messages that agree in it are the same.
pub(crate) const DIGEST: &str = "GRIB_md5GridSection";

/// Latitude and longitude of the grid of `field`: of rows and columns where it has such, else of each point, decoded from
/// the message. Places of rows and columns on a map, and what the map is, where there is one. None for what lies on no
/// grid of points.
pub(super) fn coordinates(field: &Field, budget: &mut Budget<'_>) -> Result<Named> {
    let geography = budget.geography(&field.grid)?;
    let mut named = Vec::new();
    if let Some((latitudes, longitudes)) = &geography.axes {
        for (name, values) in [("latitude", latitudes), ("longitude", longitudes)] {
            let attributes = coordinate::attributes(name);
            let (shape, bytes) = (vec![values.len() as u64], arrays::float_bytes(values));
            let array = arrays::inline(budget, shape, &[name], FLOAT, bytes, attributes)?;
            named.push((name.to_owned(), array));
        }
        return Ok(named);
    }
    match decoded(&field.grid, &geography) {
        Decoded::Same => named.extend(of_points(field, budget)?),
        Decoded::None => {}
        Decoded::Other(reason) => budget.leave_out(field, reason),
    }
    named.extend(on_map(field, &geography, budget)?);
    Ok(named)
}

/// Places of rows and columns on a map, and the map.
fn on_map(field: &Field, geography: &Geography, budget: &mut Budget<'_>) -> Result<Named> {
    let mut named = Vec::new();
    let Some(plane) = &geography.plane else { return Ok(named) };
    let Some(mapping) = grid_mapping::attributes(&field.grid) else { return Ok(named) };
    for (name, values) in [("y", &plane.ys), ("x", &plane.xs)] {
        let attributes = grid_mapping::axis(&field.grid, name);
        let values: Vec<_> =
            values.iter().map(|&value| grid_mapping::rounded(&field.grid, value)).collect();
        let (shape, bytes) = (vec![values.len() as u64], arrays::float_bytes(&values));
        let array = arrays::inline(budget, shape, &[name], FLOAT, bytes, attributes)?;
        named.push((name.to_owned(), array));
    }
    let bytes = arrays::int_bytes(&[0]);
    let array = arrays::inline(budget, Vec::new(), &[], INT, bytes, mapping)?;
    named.push((grid_mapping::NAME.to_owned(), array));
    Ok(named)
}

/// References to the message, whose codec gives latitudes and longitudes.
fn of_points(field: &Field, budget: &mut Budget<'_>) -> Result<Named> {
    let (shape, dimensions) = field.shape();
    let mut named = Vec::new();
    for name in ["latitude", "longitude"] {
        let reference = (vec![0; shape.len()], arrays::reference(budget.source, field));
        let codec = budget.decoder.coordinate(name);
        let mut attributes = coordinate::attributes(name);
        attributes.insert(DIGEST, format!("{:032x}", u128::from_be_bytes(field.grid_digest)));
        let array = arrays::chunked(
            budget,
            (shape.clone(), shape.clone()),
            &dimensions,
            (FLOAT, None),
            vec![codec],
            attributes,
            vec![reference],
        )?;
        named.push((name.to_owned(), array));
    }
    Ok(named)
}

/// What ecCodes, whose codec reads the references, gives for the points of a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decoded {
    /// Their places, in the order of the values.
    Same,
    /// Nothing, for the message does not tell where they are.
    None,
    /// Nothing, or other places, which would be paired with the values.
    Other(&'static str),
}

const ORDER: &str = "the scanning mode of the grid has rows or columns in an order that ecCodes' latitudes and longitudes are not in: readers would pair them with the wrong values";
const ABSENT: &str =
    "ecCodes, whose codec reads the references, does not compute them for this kind of grid";

fn decoded(grid: &GridDefinition, geography: &Geography) -> Decoded {
    let scanning = grid.scanning;
    let is_known = |known: bool| if known { Decoded::Same } else { Decoded::Other(ABSENT) };
    let is_sphere = grid.earth.is_some_and(Earth::is_sphere);
    match grid.template {
        Template::SphericalHarmonics { .. } | Template::Unstructured { .. } => {
            return Decoded::None;
        }
        Template::Other if grid.shape().is_none() => return Decoded::None,
        _ => {}
    }
    if scanning.alternating() {
        return Decoded::Other(ORDER);
    }
    // It has them from the south-west on, or the north-west, whatever the scanning mode.
    let is_northward = scanning.0 & 0xe0 == 0x40;
    let is_southward = scanning.0 & 0xe0 == 0;
    match &grid.template {
        Template::LatLon(template) => of_angles(grid, template, is_southward),
        Template::Lambert(_) | Template::PolarStereographic(_) if !is_northward => {
            Decoded::Other(ORDER)
        }
        Template::PolarStereographic(template) => {
            // It goes by the sign of the latitude alone.
            let is_plain = is_south(template) == (template.true_latitude < 0.0);
            is_known(is_sphere && is_plain && geography.plane.is_some())
        }
        Template::LambertAzimuthal(_) if !is_sphere && scanning.j_consecutive() => {
            Decoded::Other(ORDER)
        }
        // Around a pole of an ellipsoid it divides by nearly nothing.
        Template::LambertAzimuthal(template) => {
            let is_regular = is_sphere || template.true_latitude.abs() < 89.999;
            is_known(is_regular && geography.plane.is_some())
        }
        Template::SpaceView(_) if !is_southward => Decoded::Other(ORDER),
        Template::Lambert(_) | Template::SpaceView(_) => is_known(geography.plane.is_some()),
        Template::Healpix(template) => {
            let is_plain = healpix::is_plain(grid, template);
            is_known(is_plain && is_sphere && template.ordering <= 1)
        }
        _ => is_known(false),
    }
}

fn of_angles(grid: &GridDefinition, template: &LatLon, is_southward: bool) -> Decoded {
    if template.stretched {
        return Decoded::Other("where the points of a stretched grid are is not computed");
    }
    match (grid.shape(), template.rotation, template.gaussian) {
        (Some(_), Some(_), Some(_)) => Decoded::Other(
            "ecCodes, whose codec reads the references, gives latitudes and longitudes around the rotated pole for Gaussian grids",
        ),
        (None, ..) if grid.row_lengths.is_empty() => Decoded::None,
        (None, ..) if !is_southward => Decoded::Other(ORDER),
        _ => Decoded::Same,
    }
}
