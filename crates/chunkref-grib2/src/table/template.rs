// SPDX-License-Identifier: MIT OR Apache-2.0
//! Words for templates and code tables, as ecCodes has them.

use crate::field::INSTANT;
use crate::section::grid_definition::GridDefinition;

/// ECMWF, as a centre of edition 1.
const ECMWF: u8 = 98;

/// ecCodes' `gridType`.
pub(crate) fn grid_type(grid: &GridDefinition) -> &'static str {
    let is_reduced = grid.nx.is_none();
    match (grid.number, is_reduced) {
        (0, false) => "regular_ll",
        (0, true) => "reduced_ll",
        (1, _) => "rotated_ll",
        (2, _) => "stretched_ll",
        (3, _) => "stretched_rotated_ll",
        (4, _) => "varres_ll",
        (5, _) => "varres_rotated_ll",
        (10, _) => "mercator",
        (12, _) => "transverse_mercator",
        (13, _) => "mercator_lam",
        (20, _) => "polar_stereographic",
        (23, _) => "polar_stereographic_lam",
        (30, _) => "lambert",
        (31, _) => "albers",
        (33, _) => "lambert_lam",
        (40, false) => "regular_gg",
        (40, true) => "reduced_gg",
        (41, false) => "rotated_gg",
        (41, true) => "reduced_rotated_gg",
        (42, false) => "stretched_gg",
        (42, true) => "reduced_stretched_gg",
        (43, false) => "stretched_rotated_gg",
        (43, true) => "reduced_stretched_rotated_gg",
        (50, _) => "sh",
        (51, _) => "rotated_sh",
        (52, _) => "stretched_sh",
        (53, _) => "stretched_rotated_sh",
        (61, _) => "mercator_bf",
        (62, _) => "polar_stereographic_bf",
        (63, _) => "lambert_bf",
        (90, _) => "space_view",
        (100, _) => "triangular_grid",
        (101, _) => "unstructured_grid",
        (110, _) => "equatorial_azimuthal_equidistant",
        (120, _) => "azimuth_range",
        (130, _) => "irregular_latlon",
        (140, _) => "lambert_azimuthal_equal_area",
        (150, _) => "healpix",
        (1000, _) => "cross_section",
        (1100, _) => "Hovmoller",
        (1200, _) => "time_section",
        (32769, _) => "ncep_32769",
        _ => "unknown",
    }
}

/// ecCodes' `gridDefinitionDescription`; none for templates that it has no words for.
pub(crate) fn grid_description(number: u16, edition: u8) -> Option<&'static str> {
    Some(match (edition, number) {
        (1, 0) => "Latitude/Longitude Grid",
        (1, _) => return None,
        (_, 0) => "Latitude/longitude",
        (_, 1) => "Rotated latitude/longitude",
        (_, 10) => "Mercator",
        (_, 20) => "Polar stereographic",
        (_, 30) => "Lambert Conformal",
        (_, 31) => "Albers equal-area",
        (_, 40) => "Gaussian latitude/longitude",
        (_, 41) => "Rotated Gaussian latitude/longitude",
        (_, 50) => "Spherical harmonic coefficients",
        (_, 90) => "Space view perspective orthographic",
        (_, 140) => "Lambert azimuthal equal area projection",
        _ => return None,
    })
}

/// ecCodes' `stepType` of statistical processes, the outermost first: of one or two the last counts. Its word for more is
/// `multiple steps`. `unknown_PROCESS` for a process that it has no word for.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, table 4.10.
pub(crate) fn step_type(processes: &[u8], is_interval: bool) -> String {
    let name = match processes {
        _ if !is_interval => INSTANT,
        [] | [.., 255] => INSTANT,
        [_, _, _, ..] => "multiple_steps",
        [.., process] => match process {
            0 => "avg",
            1 => "accum",
            2 => "max",
            3 => "min",
            4 => "diff",
            5 => "rms",
            6 => "sd",
            7 => "cov",
            8 => "sdiff",
            9 => "ratio",
            10 => "stdanom",
            11 => "sum",
            100 => "severity",
            101 => "mode",
            102 => "index",
            other => return format!("unknown_{other}"),
        },
    };
    name.to_owned()
}

/// ecCodes' `stepType` of a time range of edition 1. ecCodes does not say of range 2, which has no process, whether it is
/// of maxima or minima: the name of the parameter does.
///
/// Spec: WMO FM 92-IX GRIB edition 1, table 5. Definition: ecCodes' `grib1/stepType.def` and those of its centres.
pub(crate) fn step_type1(range: u8, centre: u8, short_name: &str) -> String {
    let name = match range {
        0 | 1 | 10 | 14 => INSTANT,
        2 | 118 if short_name.starts_with("mn") || short_name.contains("min") => "min",
        2 if centre == ECMWF || short_name.starts_with("mx") || short_name.contains("max") => "max",
        3 | 6 | 7 => "avg",
        2 | 4 => "accum",
        5 => "diff",
        113 => "avgfc",
        118 => "max",
        119 => "min",
        120 => "rms",
        121 => "sd",
        122 => "cov",
        123 => "avgua",
        124 => "avgia",
        128 => "avgas",
        129 => "varas",
        130 => "avgad",
        131 => "varad",
        132 => "varins",
        133 => "avgid",
        other => return format!("unknown_{other}"),
    };
    name.to_owned()
}

/// ecCodes' `dataType`.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, table 1.4.
pub(crate) fn data_type(code: u8) -> String {
    let name = match code {
        0 => "an",
        1 => "fc",
        2 => "af",
        3 => "cf",
        4 => "pf",
        5 => "cp",
        6 => "sa",
        7 => "ra",
        8 => "ep",
        other => return other.to_string(),
    };
    name.to_owned()
}

/// A derived forecast in a word.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, table 4.7.
pub(crate) fn derived(code: u8) -> String {
    let name = match code {
        0 => "mean",
        1 => "weightedMean",
        2 => "sd",
        3 => "sdNormalized",
        4 => "spread",
        5 => "largeAnomalyIndex",
        6 => "clusterMean",
        7 => "interquartileRange",
        8 => "min",
        9 => "max",
        other => return format!("derived_{other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_without_a_word_keep_their_number() {
        assert_eq!(step_type(&[1], true), "accum");
        assert_eq!(step_type(&[2, 3], true), "min");
        assert_eq!(step_type(&[200], true), "unknown_200");
        assert_eq!(
            (step_type(&[1], false), step_type(&[255], true)),
            (INSTANT.into(), INSTANT.into())
        );
        assert_eq!(step_type1(114, 7, "t"), "unknown_114");
        assert_eq!([step_type1(2, 98, "mn2t"), step_type1(2, 98, "10fg")], ["min", "max"]);
        assert_eq!(data_type(192), "192");
        assert_eq!(derived(77), "derived_77");
    }
}
