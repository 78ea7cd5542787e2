// SPDX-License-Identifier: MIT OR Apache-2.0
//! Short names, names of variables and CF standard names of common parameters, as ecCodes has them.
//!
//! They depend on level and statistical process, so that the same parameter 2 m above ground has a name of its own. The
//! differential test holds each to ecCodes.

use super::ecmwf_parameter;
use super::parameter::ParameterKey;

/// A common parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Common {
    pub(crate) param_id: u32,
    pub(crate) short_name: &'static str,
    pub(crate) variable: &'static str,
    pub(crate) standard_name: Option<&'static str>,
    pub(crate) units: &'static str,
    pub(crate) name: &'static str,
}

/// Discipline, category, number; type of level and level, empty and NaN for any; step type; number, short name, variable,
/// standard name, empty for none, units and name.
pub(crate) type Row = (u8, u8, u8, Word, f64, Word, u32, Word, Word, Word, Word, Word);

pub(crate) type Word = &'static str;

pub(crate) const ANY: f64 = f64::NAN;
pub(crate) const AGL: &str = "heightAboveGround";

/// The first row that fits counts.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    (0, 0, 0, AGL, 2.0, "max", 237_167, "max_2t", "mx2t", "air_temperature", "K", "Time-maximum 2 metre temperature"),
    (0, 0, 0, AGL, 2.0, "min", 238_167, "min_2t", "mn2t", "air_temperature", "K", "Time-minimum 2 metre temperature"),
    (0, 0, 0, AGL, 2.0, "instant", 167, "2t", "t2m", "air_temperature", "K", "2 metre temperature"),
    (0, 0, 0, AGL, 2.0, "avg", 228_004, "avg_2t", "avg_2t", "air_temperature", "K", "Time-mean 2 metre temperature"),
    (0, 0, 0, "", ANY, "instant", 130, "t", "t", "air_temperature", "K", "Temperature"),
    (0, 0, 2, "", ANY, "instant", 3, "pt", "pt", "", "K", "Potential temperature"),
    (0, 0, 6, AGL, 2.0, "instant", 168, "2d", "d2m", "", "K", "2 metre dewpoint temperature"),
    (0, 0, 6, "", ANY, "instant", 3_017, "dpt", "dpt", "", "K", "Dew point temperature"),
    (0, 0, 4, AGL, 2.0, "max", 3_015, "tmax", "tmax", "", "K", "Maximum temperature"),
    (0, 0, 5, AGL, 2.0, "min", 3_016, "tmin", "tmin", "", "K", "Minimum temperature"),
    (0, 0, 5, "surface", ANY, "min", 3_016, "tmin", "tmin", "", "K", "Minimum temperature"),
    (0, 0, 10, "surface", ANY, "avg", 235_034, "avg_slhtf", "avg_slhtf", "", "W m**-2", "Time-mean surface latent heat flux"),
    (0, 0, 11, "surface", ANY, "avg", 235_033, "avg_ishf", "avg_ishf", "", "W m**-2", "Time-mean surface sensible heat flux"),
    (0, 0, 21, AGL, 2.0, "instant", 260_255, "aptmp", "aptmp", "", "K", "Apparent temperature"),
    (0, 1, 0, AGL, 2.0, "instant", 174_096, "2sh", "sh2", "specific_humidity", "kg kg**-1", "2 metre specific humidity"),
    (0, 1, 0, "", ANY, "instant", 133, "q", "q", "specific_humidity", "kg kg**-1", "Specific humidity"),
    (0, 1, 1, AGL, 2.0, "instant", 260_242, "2r", "r2", "relative_humidity", "%", "2 metre relative humidity"),
    (0, 1, 1, "", ANY, "instant", 157, "r", "r", "relative_humidity", "%", "Relative humidity"),
    (0, 1, 3, "atmosphereSingleLayer", ANY, "instant", 3_054, "pwat", "pwat", "", "kg m**-2", "Precipitable water"),
    (0, 1, 3, "entireAtmosphere", ANY, "instant", 3_054, "pwat", "pwat", "", "kg m**-2", "Precipitable water"),
    (0, 1, 8, "surface", ANY, "accum", 228_228, "tp", "tp", "", "kg m**-2", "Total Precipitation"),
    (0, 1, 10, "surface", ANY, "accum", 3_063, "acpcp", "acpcp", "lwe_thickness_of_convective_precipitation_amount", "kg m**-2", "Convective precipitation (water)"),
    (0, 1, 11, "surface", ANY, "instant", 3_066, "sde", "sde", "lwe_thickness_of_surface_snow_amount", "m", "Snow depth"),
    (0, 1, 13, "surface", ANY, "instant", 260_056, "sdwe", "sdwe", "", "kg m**-2", "Water equivalent of accumulated snow depth (deprecated)"),
    (0, 1, 22, "", ANY, "instant", 260_018, "clwmr", "clwmr", "", "kg kg**-1", "Cloud mixing ratio"),
    (0, 1, 192, "surface", ANY, "instant", 260_029, "crain", "crain", "", "(Code table 4.222)", "Categorical rain"),
    (0, 1, 193, "surface", ANY, "instant", 260_030, "cfrzr", "cfrzr", "", "(Code table 4.222)", "Categorical freezing rain"),
    (0, 1, 193, "surface", ANY, "avg", 260_030, "cfrzr", "cfrzr", "", "(Code table 4.222)", "Categorical freezing rain"),
    (0, 1, 194, "surface", ANY, "instant", 260_031, "cicep", "cicep", "", "(Code table 4.222)", "Categorical ice pellets"),
    (0, 1, 195, "surface", ANY, "instant", 260_032, "csnow", "csnow", "", "(Code table 4.222)", "Categorical snow"),
    (0, 1, 196, "surface", ANY, "instant", 260_033, "cpr", "cpr", "", "kg m**-2 s**-1", "Convective precipitation rate"),
    (0, 1, 196, "surface", ANY, "avg", 260_033, "cpr", "cpr", "", "kg m**-2 s**-1", "Convective precipitation rate"),
    (0, 1, 37, "surface", ANY, "instant", 260_033, "cpr", "cpr", "", "kg m**-2 s**-1", "Convective precipitation rate"),
    (0, 1, 7, "surface", ANY, "instant", 3_059, "prate", "prate", "", "kg m**-2 s**-1", "Precipitation rate"),
    (0, 1, 7, "surface", ANY, "avg", 3_059, "prate", "prate", "", "kg m**-2 s**-1", "Precipitation rate"),
    (0, 2, 2, AGL, 10.0, "instant", 165, "10u", "u10", "eastward_wind", "m s**-1", "10 metre U wind component"),
    (0, 2, 3, AGL, 10.0, "instant", 166, "10v", "v10", "northward_wind", "m s**-1", "10 metre V wind component"),
    (0, 2, 2, AGL, 80.0, "instant", 131, "u", "u", "eastward_wind", "m s**-1", "U component of wind"),
    (0, 2, 3, AGL, 80.0, "instant", 132, "v", "v", "northward_wind", "m s**-1", "V component of wind"),
    (0, 2, 2, AGL, 100.0, "instant", 131, "u", "u100", "eastward_wind", "m s**-1", "U component of wind"),
    (0, 2, 3, AGL, 100.0, "instant", 132, "v", "v100", "northward_wind", "m s**-1", "V component of wind"),
    (0, 2, 2, "", ANY, "instant", 131, "u", "u", "eastward_wind", "m s**-1", "U component of wind"),
    (0, 2, 3, "", ANY, "instant", 132, "v", "v", "northward_wind", "m s**-1", "V component of wind"),
    (0, 2, 8, "", ANY, "instant", 135, "w", "w", "lagrangian_tendency_of_air_pressure", "Pa s**-1", "Vertical velocity"),
    (0, 2, 9, "", ANY, "instant", 260_238, "wz", "wz", "", "m s**-1", "Geometric vertical velocity"),
    (0, 2, 10, "", ANY, "instant", 3_041, "absv", "absv", "", "s**-1", "Absolute vorticity"),
    (0, 2, 1, AGL, 10.0, "instant", 207, "10si", "si10", "", "m s**-1", "10 metre wind speed"),
    (0, 2, 1, "", ANY, "instant", 10, "ws", "ws", "", "m s**-1", "Wind speed"),
    (0, 2, 0, "", ANY, "instant", 3_031, "wdir", "wdir", "", "Degree true", "Wind direction"),
    (0, 2, 12, "", ANY, "instant", 138, "vo", "vo", "atmosphere_relative_vorticity", "s**-1", "Vorticity (relative)"),
    (0, 2, 13, "", ANY, "instant", 155, "d", "d", "divergence_of_wind", "s**-1", "Divergence"),
    (0, 2, 22, "surface", ANY, "instant", 260_065, "gust", "gust", "", "m s**-1", "Wind speed (gust)"),
    (0, 3, 0, "surface", ANY, "instant", 134, "sp", "sp", "surface_air_pressure", "Pa", "Surface pressure"),
    (0, 3, 0, "cloudBase", ANY, "instant", 231_045, "pcdb", "pcdb", "", "Pa", "Pressure at cloud base"),
    (0, 3, 0, "tropopause", ANY, "instant", 228_045, "trpp", "trpp", "", "Pa", "Tropopause pressure"),
    (0, 3, 0, "cloudTop", ANY, "instant", 54, "pres", "pres", "", "Pa", "Pressure"),
    (0, 3, 0, "maxWind", ANY, "instant", 54, "pres", "pres", "", "Pa", "Pressure"),
    (0, 3, 0, "meanSea", ANY, "instant", 151, "msl", "msl", "air_pressure_at_mean_sea_level", "Pa", "Mean sea level pressure"),
    (0, 3, 1, "meanSea", ANY, "instant", 260_074, "prmsl", "prmsl", "", "Pa", "Pressure reduced to MSL"),
    (0, 3, 5, "surface", ANY, "instant", 228_002, "orog", "orog", "geopotential_height", "m", "Orography"),
    (0, 3, 5, "", ANY, "instant", 156, "gh", "gh", "geopotential_height", "gpm", "Geopotential height"),
    (0, 3, 4, "", ANY, "instant", 129, "z", "z", "geopotential", "m**2 s**-2", "Geopotential"),
    (0, 3, 192, "meanSea", ANY, "instant", 260_317, "mslet", "mslet", "", "Pa", "MSLP (Eta model reduction)"),
    (0, 4, 7, "surface", ANY, "instant", 260_087, "sdswrf", "sdswrf", "", "W m**-2", "Surface downward short-wave radiation flux"),
    (0, 4, 192, "surface", ANY, "instant", 260_087, "sdswrf", "sdswrf", "", "W m**-2", "Surface downward short-wave radiation flux"),
    (0, 4, 192, "surface", ANY, "avg", 260_087, "sdswrf", "sdswrf", "", "W m**-2", "Surface downward short-wave radiation flux"),
    (0, 5, 192, "surface", ANY, "instant", 260_097, "sdlwrf", "sdlwrf", "", "W m**-2", "Surface downward long-wave radiation flux"),
    (0, 4, 193, "surface", ANY, "avg", 260_088, "suswrf", "suswrf", "", "W m**-2", "Surface upward short-wave radiation flux"),
    (0, 4, 200, "surface", ANY, "avg", 260_346, "vbdsf", "vbdsf", "", "W m**-2", "Visible Beam Downward Solar Flux"),
    (0, 5, 193, "nominalTop", ANY, "avg", 260_098, "sulwrf", "sulwrf", "", "W m**-2", "Surface upward long-wave radiation flux"),
    (0, 6, 1, "atmosphere", ANY, "instant", 228_164, "tcc", "tcc", "", "%", "Total Cloud Cover"),
    (0, 6, 1, "atmosphere", ANY, "avg", 228_164, "tcc", "tcc", "", "%", "Total Cloud Cover"),
    (0, 7, 0, "pressureFromGroundLayer", ANY, "instant", 3_024, "pli", "pli", "", "K", "Parcel lifted index (to 500 hPa)"),
    (0, 7, 6, "mostUnstableParcel", ANY, "instant", 228_235, "mucape", "mucape", "", "J kg**-1", "Most-unstable CAPE"),
    (0, 7, 6, "", ANY, "instant", 59, "cape", "cape", "", "J kg**-1", "Convective available potential energy"),
    (0, 7, 7, "", ANY, "instant", 228_001, "cin", "cin", "", "J kg**-1", "Convective inhibition"),
    (0, 7, 8, "heightAboveGroundLayer", ANY, "instant", 260_125, "hlcy", "hlcy", "", "m**2 s**-2", "Storm relative helicity"),
    (0, 7, 193, "pressureFromGroundLayer", ANY, "instant", 260_128, "4lftx", "lftx4", "", "K", "Best (4-layer) lifted index"),
    (0, 13, 193, "sigma", ANY, "avg", 260_375, "pmtf", "pmtf", "", "(10**-6 g) m**-3", "Particulate matter (fine)"),
    (0, 14, 0, "", ANY, "instant", 260_130, "tozne", "tozne", "", "DU", "Total ozone"),
    (0, 14, 192, "", ANY, "instant", 260_131, "o3mr", "o3mr", "", "kg kg**-1", "Ozone mixing ratio"),
    (0, 14, 193, "sigma", ANY, "avg", 260_379, "ozcon", "ozcon", "", "ppb", "Ozone Concentration (PPB)"),
    (0, 16, 196, "atmosphere", ANY, "instant", 260_390, "refc", "refc", "", "dB", "Maximum/Composite radar reflectivity"),
    (0, 16, 195, "", ANY, "instant", 260_389, "refd", "refd", "", "dB", "Derived radar reflectivity"),
    (0, 19, 0, "surface", ANY, "instant", 3_020, "vis", "vis", "", "m", "Visibility"),
    (0, 19, 1, "surface", ANY, "instant", 260_509, "al", "al", "surface_albedo", "%", "Forecast albedo"),
    (2, 0, 0, "surface", ANY, "instant", 172, "lsm", "lsm", "land_binary_mask", "(0 - 1)", "Land-sea mask"),
    (2, 0, 2, "depthBelowLandLayer", ANY, "instant", 228_139, "st", "st", "", "K", "Soil temperature"),
    (2, 0, 192, "depthBelowLandLayer", ANY, "instant", 260_185, "soilw", "soilw", "", "Proportion", "Volumetric soil moisture content"),
    (2, 0, 1, "surface", ANY, "instant", 244, "fsr", "fsr", "", "m", "Forecast surface roughness"),
    (10, 0, 3, "surface", ANY, "instant", 140_229, "swh", "swh", "", "m", "Significant height of combined wind waves and swell"),
    (10, 0, 4, "surface", ANY, "instant", 260_232, "wvdir", "wvdir", "", "Degree true", "Direction of wind waves"),
    (10, 0, 5, "surface", ANY, "instant", 140_234, "shww", "shww", "", "m", "Significant height of wind waves"),
    (10, 0, 6, "surface", ANY, "instant", 140_236, "mpww", "mpww", "", "s", "Mean period of wind waves"),
    (10, 0, 7, "surface", ANY, "instant", 3_104, "swdir", "swdir", "", "Degree true", "Direction of swell waves"),
    (10, 0, 8, "surface", ANY, "instant", 140_237, "shts", "shts", "", "m", "Significant height of total swell"),
    (10, 0, 9, "surface", ANY, "instant", 140_239, "mpts", "mpts", "", "s", "Mean period of total swell"),
    (10, 0, 7, "orderedSequenceData", ANY, "instant", 3_104, "swdir", "swdir", "", "Degree true", "Direction of swell waves"),
    (10, 0, 8, "orderedSequenceData", ANY, "instant", 140_237, "shts", "shts", "", "m", "Significant height of total swell"),
    (10, 0, 9, "orderedSequenceData", ANY, "instant", 140_239, "mpts", "mpts", "", "s", "Mean period of total swell"),
    (10, 0, 10, "surface", ANY, "instant", 260_233, "dirpw", "dirpw", "", "Degree true", "Primary wave direction"),
    (10, 0, 11, "surface", ANY, "instant", 260_234, "perpw", "perpw", "", "s", "Primary wave mean period"),
    (10, 2, 0, "surface", ANY, "instant", 31, "ci", "siconc", "sea_ice_area_fraction", "(0 - 1)", "Sea ice area fraction"),
];

/// The common parameter that `key` is, if it is one.
pub(crate) fn find(key: ParameterKey<'_>) -> Option<Common> {
    let own: &[Row] =
        if key.centre == ecmwf_parameter::CENTRE { ecmwf_parameter::ROWS } else { &[] };
    // A row of a centre's own numbers is no other centre's; those of WMO are everyone's.
    let common = ROWS.iter().filter(|row| !is_local(row.0, row.1, row.2) || is_of_noaa(key.centre));
    let last = ecmwf_parameter::ROWS.iter().filter(|row| !is_local(row.0, row.1, row.2));
    own.iter()
        .chain(common)
        .chain(last)
        .find(|row| {
            let (discipline, category, number, type_of_level, level, step_type, ..) = **row;
            (discipline, category, number) == (key.discipline, key.category, key.number)
                && (type_of_level.is_empty() || type_of_level == key.type_of_level)
                && (level.is_nan() || Some(level) == key.level)
                && step_type == key.step_type
        })
        .map(|&(.., param_id, short_name, variable, standard_name, units, name)| Common {
            param_id,
            short_name,
            variable,
            standard_name: (!standard_name.is_empty()).then_some(standard_name),
            units,
            name,
        })
}

/// Centres of NOAA, which share the numbers that NCEP gives on its own.
const NOAA: [u16; 4] = [7, 8, 9, 161];

/// Whether a centre writes the numbers that NCEP gives.
pub(crate) fn is_of_noaa(centre: u16) -> bool {
    NOAA.contains(&centre)
}

/// Whether each centre gives the number a meaning of its own.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, tables 0.0, 4.1 and 4.2: 192 to 254 are for local use.
pub(crate) fn is_local(discipline: u8, category: u8, number: u8) -> bool {
    [discipline, category, number].into_iter().any(|code| (192..255).contains(&code))
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
