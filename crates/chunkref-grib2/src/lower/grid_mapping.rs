// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the map of a grid is: CF's grid mappings.
//!
//! Spec: CF-1.11, appendix F and section 5.6.

use chunkref_core::model::{AttributeValue, Attributes};

use crate::points::plane::is_south;
use crate::section::grid_definition::GridDefinition;
use crate::section::grid_template::{Centred, Projected, Rotation, SpaceView, Template};

/// Name of the variable that has the attributes.
pub(super) const NAME: &str = "crs";

/// The attributes of the mapping of a grid on a map, in an image or around another pole.
pub(super) fn attributes(grid: &GridDefinition) -> Option<Attributes> {
    let earth = grid.earth?;
    let mut attributes = match &grid.template {
        Template::Lambert(template) => conic("lambert_conformal_conic", template)?,
        Template::Albers(template) => conic("albers_conical_equal_area", template)?,
        Template::PolarStereographic(template) => polar(template),
        Template::LambertAzimuthal(template) => {
            let mut attributes = named("lambert_azimuthal_equal_area");
            set(&mut attributes, "longitude_of_projection_origin", template.orientation);
            set(&mut attributes, "latitude_of_projection_origin", template.true_latitude);
            attributes
        }
        Template::TransverseMercator(template) => {
            let mut attributes = named("transverse_mercator");
            set(&mut attributes, "scale_factor_at_central_meridian", template.scale);
            set(&mut attributes, "longitude_of_central_meridian", template.longitude);
            set(&mut attributes, "latitude_of_projection_origin", template.latitude);
            set(&mut attributes, "false_easting", template.origin.0);
            set(&mut attributes, "false_northing", template.origin.1);
            attributes
        }
        Template::SpaceView(template) => geostationary(template, earth.major)?,
        Template::LatLon(template) => rotated(template.rotation?)?,
        Template::Centred(template) => centred(template)?,
        _ => return None,
    };
    if earth.is_sphere() {
        set(&mut attributes, "earth_radius", earth.major);
    } else {
        set(&mut attributes, "semi_major_axis", earth.major);
        set(&mut attributes, "semi_minor_axis", earth.minor);
    }
    Some(attributes)
}

/// A place of a column or a row as it is written: without digits below those that sections tell, in which machines differ
/// by how they compute sines. A grid must be the same for all of them, or its files would not fit one another.
pub(super) fn rounded(grid: &GridDefinition, value: f64) -> f64 {
    let parts = match &grid.template {
        // As they are told.
        Template::LatLon(_) => return value,
        // Degrees, told in millionths.
        Template::Centred(_) => 1e9,
        // Radians: less than a millimetre from the orbit.
        Template::SpaceView(_) => 1e12,
        // Metres, told in thousandths; the first point is known to a tenth.
        _ => 1e3,
    };
    (value * parts).round() / parts
}

/// Attributes of the places of columns, `x`, or rows, `y`.
pub(super) fn axis(grid: &GridDefinition, name: &str) -> Attributes {
    let is_x = name == "x";
    let (standard_name, long_name, units) = match (&grid.template, is_x) {
        (Template::LatLon(_) | Template::Centred(_), true) => {
            ("grid_longitude", "longitude in rotated pole grid", "degrees")
        }
        (Template::LatLon(_) | Template::Centred(_), false) => {
            ("grid_latitude", "latitude in rotated pole grid", "degrees")
        }
        (Template::SpaceView(_), true) => {
            ("projection_x_angular_coordinate", "angle of view east of the centre", "radian")
        }
        (Template::SpaceView(_), false) => {
            ("projection_y_angular_coordinate", "angle of view north of the centre", "radian")
        }
        (_, true) => ("projection_x_coordinate", "x coordinate of projection", "m"),
        (_, false) => ("projection_y_coordinate", "y coordinate of projection", "m"),
    };
    let mut attributes = Attributes::new();
    attributes.insert("units", units);
    attributes.insert("standard_name", standard_name);
    attributes.insert("long_name", long_name);
    attributes.insert("axis", if is_x { "X" } else { "Y" });
    attributes
}

fn named(name: &str) -> Attributes {
    let mut attributes = Attributes::new();
    attributes.insert("grid_mapping_name", name);
    attributes
}

fn set(attributes: &mut Attributes, name: &str, value: f64) {
    attributes.insert(name, AttributeValue::Float(value));
}

fn conic(name: &str, template: &Projected) -> Option<Attributes> {
    let (first, second) = template.intersections?;
    let mut attributes = named(name);
    let parallels = [first, second].map(AttributeValue::Float).to_vec();
    let parallels = if first.total_cmp(&second).is_eq() {
        AttributeValue::Float(first)
    } else {
        AttributeValue::List(parallels)
    };
    attributes.insert("standard_parallel", parallels);
    set(&mut attributes, "longitude_of_central_meridian", template.orientation);
    set(&mut attributes, "latitude_of_projection_origin", template.true_latitude);
    Some(attributes)
}

fn polar(template: &Projected) -> Attributes {
    let sign = if is_south(template) { -1.0 } else { 1.0 };
    let mut attributes = named("polar_stereographic");
    set(&mut attributes, "latitude_of_projection_origin", sign * 90.0);
    set(&mut attributes, "straight_vertical_longitude_from_pole", template.orientation);
    set(&mut attributes, "standard_parallel", sign * template.true_latitude.abs());
    attributes
}

fn geostationary(template: &SpaceView, radius: f64) -> Option<Attributes> {
    let mut attributes = named("geostationary");
    set(&mut attributes, "latitude_of_projection_origin", template.latitude);
    set(&mut attributes, "longitude_of_projection_origin", template.longitude);
    set(&mut attributes, "perspective_point_height", (template.distance? - 1.0) * radius);
    attributes.insert("sweep_angle_axis", "y");
    Some(attributes)
}

/// No mapping of CF turns a grid about its own pole as the angle does.
fn rotated(rotation: Rotation) -> Option<Attributes> {
    let longitude = rotation.south_pole_longitude + 180.0;
    let mut attributes = named("rotated_latitude_longitude");
    set(&mut attributes, "grid_north_pole_latitude", -rotation.south_pole_latitude);
    set(&mut attributes, "grid_north_pole_longitude", longitude.rem_euclid(360.0));
    (rotation.angle == 0.0).then_some(attributes)
}

fn centred(template: &Centred) -> Option<Attributes> {
    let (latitude, longitude) = template.centre;
    rotated(Rotation {
        south_pole_latitude: latitude - 90.0,
        south_pole_longitude: longitude,
        angle: 0.0,
    })
}
