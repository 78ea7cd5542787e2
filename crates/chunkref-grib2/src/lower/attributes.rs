// SPDX-License-Identifier: MIT OR Apache-2.0
//! Attributes of groups and arrays, as cfgrib and kerchunk have them.

use chunkref_core::model::{AttributeValue, Attributes};

use super::budget::Budget;
use super::grid_mapping;
use crate::cube::Cube;
use crate::error::Result;
use crate::field::Field;
use crate::section::grid_definition::GridDefinition;
use crate::section::grid_template::{Projected, Template};
use crate::table::{eccodes, template};

/// Attributes of the group that holds `fields`, of which `field` is one.
pub(crate) fn group(field: &Field) -> Attributes {
    let (abbreviation, description) = eccodes::centre(field.edition, field.centre);
    let mut attributes = Attributes::new();
    attributes.insert("GRIB_edition", AttributeValue::UInt(u64::from(field.edition)));
    attributes.insert("GRIB_centre", abbreviation);
    attributes.insert("GRIB_centreDescription", description.as_str());
    attributes.insert("GRIB_subCentre", AttributeValue::UInt(u64::from(field.sub_centre)));
    attributes.insert("institution", description);
    attributes
}

/// Attributes of the array of `cube`, of whose fields `field` is the first.
pub(crate) fn variable(
    cube: &Cube<'_>,
    field: &Field,
    budget: &mut Budget<'_>,
) -> Result<Attributes> {
    // The rows of a reduced grid are listed.
    budget.take_bytes((field.grid.row_lengths.len() as u64).saturating_mul(8))?;
    let uint = |value: u32| AttributeValue::UInt(u64::from(value));
    let parameter = &field.parameter;
    let mut attributes = Attributes::new();
    if let Some(number) = parameter.param_id {
        attributes.insert("GRIB_paramId", uint(number));
    }
    attributes.insert("GRIB_dataType", field.data_type.as_str());
    attributes.insert("GRIB_numberOfPoints", uint(field.grid.count));
    attributes.insert("GRIB_typeOfLevel", field.type_of_level.as_str());
    // Hours, as the coordinate `step` is in.
    attributes.insert("GRIB_stepUnits", uint(1));
    attributes.insert("GRIB_stepType", field.step_type.as_str());
    attributes.insert("GRIB_gridType", field.grid_type);
    attributes.insert("GRIB_uvRelativeToGrid", uint(u32::from(field.grid.flags & 0x08 != 0)));
    if let Some(source) = parameter.source {
        attributes.insert("GRIB_nameSource", source);
    }
    attributes.insert("GRIB_shortName", parameter.short_name.as_str());
    attributes.insert("GRIB_units", parameter.units.as_str());
    attributes.insert("GRIB_name", parameter.long_name.as_str());
    if let Some(name) = parameter.standard_name {
        attributes.insert("GRIB_cfName", name);
    }
    attributes.insert("GRIB_cfVarName", parameter.variable.as_str());
    if let Some(total) = field.total_number {
        attributes.insert("GRIB_totalNumber", uint(u32::from(total)));
    }
    attributes.insert("GRIB_missingValue", missing_value(field.edition));
    if let Some(description) = template::grid_description(field.grid.number, field.edition) {
        attributes.insert("GRIB_gridDefinitionDescription", description);
    }
    attributes.insert("GRIB_NV", uint(u32::from(field.coordinate_values)));
    let (discipline, category, number) = field.code;
    attributes.insert("GRIB_discipline", uint(u32::from(discipline)));
    attributes.insert("GRIB_parameterCategory", uint(u32::from(category)));
    attributes.insert("GRIB_parameterNumber", uint(u32::from(number)));
    if !cube.variant.is_empty() {
        attributes.insert("GRIB_variant", variant(cube));
    }
    grid(&field.grid, &mut attributes);
    if budget.geography(&field.grid)?.plane.is_some() {
        attributes.insert("grid_mapping", grid_mapping::NAME);
    }
    attributes.insert("long_name", parameter.long_name.as_str());
    attributes.insert("units", parameter.units.as_str());
    if let Some(name) = parameter.standard_name {
        attributes.insert("standard_name", name);
    }
    Ok(attributes)
}

/// What the values of a cube are of, with the limits of the event where there is one.
fn variant(cube: &Cube<'_>) -> String {
    let limits = match cube.axes.thresholds.as_slice() {
        [Some((Some(lower), Some(upper)))] => format!("{}And{}", lower.0, upper.0),
        [Some((Some(limit), None) | (None, Some(limit)))] => limit.0.to_string(),
        _ => String::new(),
    };
    // Which of the two limits it is tell the coordinates.
    let words = cube.variant.replace("AboveLower", "Above").replace("BelowUpper", "Below");
    format!("{words}{limits}")
}

/// What ecCodes' key `missingValue` is unless a program sets it. Values that are missing read as NaN: both codecs see to that.
fn missing_value(edition: u8) -> AttributeValue {
    if edition == 1 {
        AttributeValue::UInt(9999)
    } else {
        AttributeValue::Float(f64::from(f32::MAX))
    }
}

fn grid(grid: &GridDefinition, attributes: &mut Attributes) {
    let uint = |value: u32| AttributeValue::UInt(u64::from(value));
    let flag = |value: bool| AttributeValue::UInt(u64::from(value));
    let float = AttributeValue::Float;
    let mut set = |name: &str, value: AttributeValue| attributes.insert(name, value);
    // cfgrib takes the keys Ni and Nj of Gaussian grids, and Nx and Ny of all others.
    let names = if grid.number == 40 { ["GRIB_Ni", "GRIB_Nj"] } else { ["GRIB_Nx", "GRIB_Ny"] };
    for (name, count) in names.into_iter().zip([grid.nx, grid.ny]) {
        if let Some(count) = count {
            set(name, uint(count));
        }
    }
    set("GRIB_iScansNegatively", flag(grid.scanning.i_negative()));
    set("GRIB_jScansPositively", flag(grid.scanning.j_positive()));
    set("GRIB_jPointsAreConsecutive", flag(grid.scanning.j_consecutive()));
    if grid.scanning.alternating() {
        set("GRIB_alternativeRowScanning", flag(true));
    }
    match &grid.template {
        Template::LatLon(template) => {
            set("GRIB_latitudeOfFirstGridPointInDegrees", float(template.first_latitude));
            set("GRIB_longitudeOfFirstGridPointInDegrees", float(template.first_longitude));
            set("GRIB_latitudeOfLastGridPointInDegrees", float(template.last_latitude));
            set("GRIB_longitudeOfLastGridPointInDegrees", float(template.last_longitude));
            if let Some(increment) = template.i_increment {
                set("GRIB_iDirectionIncrementInDegrees", float(increment));
            }
            if let Some(increment) = template.j_increment {
                set("GRIB_jDirectionIncrementInDegrees", float(increment));
            }
            if let Some(parallels) = template.gaussian {
                set("GRIB_N", uint(parallels));
            }
            if !grid.row_lengths.is_empty() {
                let lengths = grid.row_lengths.iter().map(|&length| uint(length)).collect();
                set("GRIB_pl", AttributeValue::List(lengths));
            }
            if let Some(rotation) = &template.rotation {
                set("GRIB_latitudeOfSouthernPoleInDegrees", float(rotation.south_pole_latitude));
                set("GRIB_longitudeOfSouthernPoleInDegrees", float(rotation.south_pole_longitude));
                set("GRIB_angleOfRotationInDegrees", float(rotation.angle));
            }
        }
        Template::Mercator(template)
        | Template::PolarStereographic(template)
        | Template::Lambert(template)
        | Template::Albers(template)
        | Template::LambertAzimuthal(template) => {
            let is_mercator = matches!(grid.template, Template::Mercator(_));
            projected(template, is_mercator, &mut set);
        }
        Template::TransverseMercator(template) => {
            set("GRIB_latitudeOfReferencePointInDegrees", float(template.latitude));
            set("GRIB_longitudeOfReferencePointInDegrees", float(template.longitude));
            set("GRIB_scaleFactorAtReferencePoint", float(template.scale));
            set("GRIB_DiInMetres", float(template.step.0));
            set("GRIB_DjInMetres", float(template.step.1));
        }
        Template::SpaceView(template) => {
            set("GRIB_latitudeOfSubSatellitePointInDegrees", float(template.latitude));
            set("GRIB_longitudeOfSubSatellitePointInDegrees", float(template.longitude));
            set("GRIB_orientationOfTheGridInDegrees", float(template.orientation));
        }
        Template::Centred(template) => {
            set("GRIB_latitudeOfFirstGridPointInDegrees", float(template.first.0));
            set("GRIB_longitudeOfFirstGridPointInDegrees", float(template.first.1));
            set("GRIB_centreLatitudeInDegrees", float(template.centre.0));
            set("GRIB_centreLongitudeInDegrees", float(template.centre.1));
        }
        Template::Healpix(template) => {
            set("GRIB_Nside", uint(template.side));
            if let Some(order) = ["ring", "nested"].get(usize::from(template.ordering)) {
                set("GRIB_orderingConvention", (*order).into());
            }
        }
        Template::SphericalHarmonics { j, k, m } => {
            set("GRIB_J", uint(*j));
            set("GRIB_K", uint(*k));
            set("GRIB_M", uint(*m));
        }
        Template::Unstructured { number, reference, uuid } => {
            set("GRIB_numberOfGridUsed", uint(*number));
            set("GRIB_numberOfGridInReference", uint(u32::from(*reference)));
            let hex = format!("{:032x}", u128::from_be_bytes(*uuid));
            set("GRIB_uuidOfHGrid", hex.into());
        }
        Template::Other => {}
    }
}

fn projected(template: &Projected, is_mercator: bool, set: &mut impl FnMut(&str, AttributeValue)) {
    let float = AttributeValue::Float;
    set("GRIB_latitudeOfFirstGridPointInDegrees", float(template.first_latitude));
    set("GRIB_longitudeOfFirstGridPointInDegrees", float(template.first_longitude));
    set("GRIB_LaDInDegrees", float(template.true_latitude));
    set("GRIB_DxInMetres", float(template.dx));
    set("GRIB_DyInMetres", float(template.dy));
    if !is_mercator {
        set("GRIB_LoVInDegrees", float(template.orientation));
    }
    if let Some((first, second)) = template.intersections {
        set("GRIB_Latin1InDegrees", float(first));
        set("GRIB_Latin2InDegrees", float(second));
    }
    if let Some((latitude, longitude)) = template.south_pole {
        set("GRIB_latitudeOfSouthernPoleInDegrees", float(latitude));
        set("GRIB_longitudeOfSouthernPoleInDegrees", float(longitude));
    }
    if template.centre_flags & 0x80 != 0 {
        set("GRIB_projectionCentreFlag", AttributeValue::UInt(u64::from(template.centre_flags)));
    }
}
