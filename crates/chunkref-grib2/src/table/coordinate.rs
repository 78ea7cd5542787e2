// SPDX-License-Identifier: MIT OR Apache-2.0
//! Attributes of coordinates, as cfgrib has them.

use chunkref_core::model::Attributes;

type Entries = &'static [(&'static str, &'static str)];

const EPOCH: &str = "seconds since 1970-01-01T00:00:00";

/// The attributes of the coordinate `name`; none where cfgrib has none.
pub(crate) fn attributes(name: &str) -> Attributes {
    let entries: Entries = match name {
        "latitude" => {
            &[("units", "degrees_north"), ("standard_name", "latitude"), ("long_name", "latitude")]
        }
        "longitude" => {
            &[("units", "degrees_east"), ("standard_name", "longitude"), ("long_name", "longitude")]
        }
        "depthBelowLand" | "depthBelowLandLayer" => &[
            ("units", "m"),
            ("positive", "down"),
            ("long_name", "soil depth"),
            ("standard_name", "depth"),
        ],
        "hybrid" => &[
            ("units", "1"),
            ("positive", "down"),
            ("long_name", "hybrid level"),
            ("standard_name", "atmosphere_hybrid_sigma_pressure_coordinate"),
        ],
        "heightAboveGround" => &[
            ("units", "m"),
            ("positive", "up"),
            ("long_name", "height above the surface"),
            ("standard_name", "height"),
        ],
        "isobaricInhPa" => &[
            ("units", "hPa"),
            ("positive", "down"),
            ("stored_direction", "decreasing"),
            ("standard_name", "air_pressure"),
            ("long_name", "pressure"),
        ],
        "isobaricInPa" => &[
            ("units", "Pa"),
            ("positive", "down"),
            ("stored_direction", "decreasing"),
            ("standard_name", "air_pressure"),
            ("long_name", "pressure"),
        ],
        "isobaricLayer" => &[
            ("units", "Pa"),
            ("positive", "down"),
            ("standard_name", "air_pressure"),
            ("long_name", "pressure"),
        ],
        "number" => &[
            ("units", "1"),
            ("standard_name", "realization"),
            ("long_name", "ensemble member numerical id"),
        ],
        "step" => &[
            ("units", "hours"),
            ("standard_name", "forecast_period"),
            ("long_name", "time since forecast_reference_time"),
            ("dtype", "timedelta64[ns]"),
        ],
        "time" => &[
            ("units", EPOCH),
            ("calendar", "proleptic_gregorian"),
            ("standard_name", "forecast_reference_time"),
            ("long_name", "initial time of forecast"),
        ],
        "valid_time" => &[
            ("units", EPOCH),
            ("calendar", "proleptic_gregorian"),
            ("standard_name", "time"),
            ("long_name", "time"),
        ],
        "percentile" => &[("units", "%"), ("long_name", "percentile")],
        "threshold" => &[("long_name", "limit of the event")],
        "threshold_lower" => &[("long_name", "lower limit of the event")],
        "threshold_upper" => &[("long_name", "upper limit of the event")],
        _ => &[],
    };
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
}
