// SPDX-License-Identifier: MIT OR Apache-2.0
//! Short names, names of variables and CF standard names of common parameters, as ecCodes has them.
//!
//! They depend on level and statistical process, so that the same parameter 2 m above ground has a name of its own. The
//! differential test holds each to ecCodes.

use super::parameter::ParameterKey;

/// A common parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Common {
    pub(crate) param_id: u32,
    pub(crate) short_name: &'static str,
    pub(crate) variable: &'static str,
    pub(crate) standard_name: Option<&'static str>,
}

/// Discipline, category, number; type of level and level, empty and NaN for any; step type, empty for any; number,
/// short name, variable and standard name, empty for none.
type Row =
    (u8, u8, u8, &'static str, f64, &'static str, u32, &'static str, &'static str, &'static str);

const ANY: f64 = f64::NAN;
const AGL: &str = "heightAboveGround";

/// The first row that fits counts.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    (0, 0, 0, AGL, 2.0, "max", 237_167, "mx2t", "mx2t", ""),
    (0, 0, 0, AGL, 2.0, "min", 237_168, "mn2t", "mn2t", ""),
    (0, 0, 0, AGL, 2.0, "instant", 167, "2t", "t2m", "air_temperature"),
    (0, 0, 0, "", ANY, "instant", 130, "t", "t", "air_temperature"),
    (0, 0, 2, "", ANY, "instant", 3, "pt", "pt", "air_potential_temperature"),
    (0, 0, 6, AGL, 2.0, "instant", 168, "2d", "d2m", "dew_point_temperature"),
    (0, 1, 0, AGL, 2.0, "instant", 174_096, "2sh", "sh2", "specific_humidity"),
    (0, 1, 0, "", ANY, "instant", 133, "q", "q", "specific_humidity"),
    (0, 1, 1, AGL, 2.0, "instant", 260_242, "2r", "r2", "relative_humidity"),
    (0, 1, 1, "", ANY, "instant", 157, "r", "r", "relative_humidity"),
    (0, 2, 2, AGL, 10.0, "instant", 165, "10u", "u10", "eastward_wind"),
    (0, 2, 3, AGL, 10.0, "instant", 166, "10v", "v10", "northward_wind"),
    (0, 2, 2, AGL, 100.0, "instant", 228_246, "100u", "u100", "eastward_wind"),
    (0, 2, 3, AGL, 100.0, "instant", 228_247, "100v", "v100", "northward_wind"),
    (0, 2, 2, "", ANY, "instant", 131, "u", "u", "eastward_wind"),
    (0, 2, 3, "", ANY, "instant", 132, "v", "v", "northward_wind"),
    (0, 2, 8, "", ANY, "instant", 135, "w", "w", "lagrangian_tendency_of_air_pressure"),
    (0, 3, 0, "surface", ANY, "instant", 134, "sp", "sp", "surface_air_pressure"),
    (0, 3, 1, "meanSea", ANY, "instant", 260_074, "prmsl", "prmsl", "air_pressure_at_mean_sea_level"),
    (0, 3, 5, "surface", ANY, "instant", 228_002, "orog", "orog", "surface_altitude"),
    (0, 3, 5, "", ANY, "instant", 156, "gh", "gh", "geopotential_height"),
];

/// The common parameter that `key` is, if it is one.
pub(crate) fn find(key: ParameterKey<'_>) -> Option<Common> {
    ROWS.iter()
        .find(|row| {
            let (discipline, category, number, type_of_level, level, step_type, ..) = **row;
            (discipline, category, number) == (key.discipline, key.category, key.number)
                && (type_of_level.is_empty() || type_of_level == key.type_of_level)
                && (level.is_nan() || Some(level) == key.level)
                && (step_type.is_empty() || step_type == key.step_type)
        })
        .map(|&(.., param_id, short_name, variable, standard_name)| Common {
            param_id,
            short_name,
            variable,
            standard_name: (!standard_name.is_empty()).then_some(standard_name),
        })
}

/// The name of a variable whose short name begins with digits: `2t` becomes `t2m`, `100u` becomes `u100`.
pub(crate) fn letter_first(short_name: &str) -> String {
    let letters = short_name.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let digits = short_name.strip_suffix(letters).unwrap_or_default();
    let unit = if digits == "2" && matches!(letters, "t" | "d") { "m" } else { "" };
    if letters.is_empty() { format!("v{digits}") } else { format!("{letters}{digits}{unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_go_behind() {
        assert_eq!(letter_first("2t"), "t2m");
        assert_eq!(letter_first("100u"), "u100");
        assert_eq!(letter_first("12"), "v12");
    }
}
