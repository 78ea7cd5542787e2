// SPDX-License-Identifier: MIT OR Apache-2.0
//! What parameters are called: ecCodes' labels, else those of gribberish's tables, else their numbers.

use std::panic::catch_unwind;

use gribberish::templates::product::parameters;

use super::eccodes::{self, label::Labels};

/// What a parameter is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// ecCodes' number, where it is known.
    pub(crate) param_id: Option<u32>,
    pub(crate) short_name: String,
    /// The name of the array.
    pub(crate) variable: String,
    pub(crate) long_name: String,
    pub(crate) units: String,
    /// CF standard name, where it is known.
    pub(crate) standard_name: Option<&'static str>,
    /// Where the names are from when ecCodes has none: `gribberish`, or `WMO` for long name and units alone.
    pub(crate) source: Option<&'static str>,
}

/// What ecCodes writes for a word that it does not have.
const NO_WORD: &str = "~";
const UNKNOWN: &str = "unknown";

/// A parameter of edition 2; `unknown_DISCIPLINE_CATEGORY_NUMBER` where no table has it.
pub(crate) fn edition2(centre: u16, code: (u8, u8, u8), labels: Labels) -> Parameter {
    let (discipline, category, number) = code;
    known(labels).or_else(|| gribberish(centre, code)).unwrap_or_else(|| {
        let name = format!("unknown_{discipline}_{category}_{number}");
        wmo(code, unknown(name, labels))
    })
}

/// A parameter of edition 1; `unknown_TABLE_NUMBER` where ecCodes does not have it. gribberish's tables of edition 1 are
/// not asked: they take the number for one of WMO's, whatever the table.
pub(crate) fn edition1(table: u8, number: u8, labels: Labels) -> Parameter {
    known(labels).unwrap_or_else(|| unknown(format!("unknown_{table}_{number}"), labels))
}

/// The number, which is 0 for none.
fn param_id(labels: Labels) -> Option<u32> {
    labels.param_id?.parse().ok().filter(|&number| number != 0)
}

fn known(labels: Labels) -> Option<Parameter> {
    let param_id = param_id(labels);
    let short_name = labels.short_name.filter(|name| !name.is_empty() && *name != UNKNOWN)?;
    // As ecCodes' `cfVarName`: a variable does not begin with a digit.
    let is_plain =
        short_name != NO_WORD && !short_name.starts_with(|first: char| first.is_ascii_digit());
    let variable = match (labels.cf_variable, param_id) {
        (Some(variable), _) => variable.to_owned(),
        (None, _) if is_plain => short_name.to_owned(),
        (None, Some(number)) => format!("p{number}"),
        (None, None) if short_name == NO_WORD => return None,
        (None, None) => format!("v{short_name}"),
    };
    Some(Parameter {
        param_id,
        short_name: short_name.to_owned(),
        variable: clean(&variable),
        long_name: labels.name.unwrap_or(UNKNOWN).to_owned(),
        units: labels.units.unwrap_or(UNKNOWN).to_owned(),
        standard_name: labels.cf_name.filter(|name| *name != UNKNOWN),
        source: None,
    })
}

/// One that ecCodes has no name for; of a few it has the number or the name of a variable.
fn unknown(name: String, labels: Labels) -> Parameter {
    Parameter {
        param_id: param_id(labels),
        short_name: name.clone(),
        variable: labels.cf_variable.map_or_else(|| name.clone(), clean),
        long_name: name,
        units: UNKNOWN.to_owned(),
        standard_name: None,
        source: None,
    }
}

/// With the long name and the units of WMO's code table, if it has the number.
fn wmo((discipline, category, number): (u8, u8, u8), parameter: Parameter) -> Parameter {
    let Some((name, units)) = eccodes::code(discipline, category, number) else { return parameter };
    let (long_name, units) = (name.to_owned(), units.to_owned());
    Parameter { long_name, units, source: Some("WMO"), ..parameter }
}

/// A parameter as gribberish names it: with NCEP's abbreviation, in small letters.
fn gribberish(centre: u16, code: (u8, u8, u8)) -> Option<Parameter> {
    let (discipline, category, number) = code;
    if !is_of_its_tables(centre, code) {
        return None;
    }
    // The tables are another's code: a fault in it costs the name, not the scan.
    let find =
        |number| catch_unwind(|| parameters::parameter(discipline, category, number)).ok()?;
    let found = find(number)?;
    let short_name = clean(&found.abbrev).to_lowercase();
    if matches!(short_name.as_str(), "" | "-" | "missing" | "unknown" | "reserved") {
        return None;
    }
    let (long_name, units) = match eccodes::code(discipline, category, number) {
        // Some of their names are of other parameters than WMO's.
        Some((name, units)) if letters(without_remark(name)) == letters(&found.name) => {
            (name.to_owned(), units.to_owned())
        }
        // A number that the tables do not have gets the name of the last one, as 255 does.
        None if is_local(code)
            && find(NO_NUMBER).is_none_or(|last| last.abbrev != found.abbrev) =>
        {
            (found.name.clone(), units(&found.unit))
        }
        _ => return None,
    };
    let starts_with_digit = short_name.starts_with(|first: char| first.is_ascii_digit());
    Some(Parameter {
        param_id: None,
        variable: if starts_with_digit { format!("v{short_name}") } else { short_name.clone() },
        short_name,
        long_name,
        units,
        standard_name: None,
        source: Some("gribberish"),
    })
}

/// Missing, as the number of a parameter.
const NO_NUMBER: u8 = 255;

/// A name without what stands in brackets at its end.
fn without_remark(name: &str) -> &str {
    name.split_once(" (").map_or(name, |(name, _)| name)
}

/// The letters and digits of a name, in small letters: gribberish writes some names without spaces.
fn letters(name: &str) -> String {
    let is_letter = |letter: &char| letter.is_ascii_alphanumeric();
    name.chars().filter(is_letter).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Centres of NOAA, which share the numbers that NCEP gives on its own.
const NOAA: [u16; 4] = [7, 8, 9, 161];

/// The discipline of MRMS, which no other centre writes.
const MRMS: u8 = 209;

/// Whether gribberish's tables, NCEP's and those of MRMS, are those of the centre for these numbers.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, tables 0.0, 4.1 and 4.2: 192 to 254 are for local use.
fn is_of_its_tables(centre: u16, code: (u8, u8, u8)) -> bool {
    !is_local(code) || code.0 == MRMS || (code.0 < 192 && NOAA.contains(&centre))
}

/// Whether each centre gives the numbers a meaning of its own.
fn is_local((discipline, category, number): (u8, u8, u8)) -> bool {
    [discipline, category, number].into_iter().any(|code| (192..255).contains(&code))
}

/// A name that can be part of a path.
fn clean(name: &str) -> String {
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    name.chars().map(|letter| if is_safe(letter) { letter } else { '_' }).collect()
}

/// gribberish's units in words that UDUNITS reads; it runs them together.
#[rustfmt::skip]
const UNITS: &[(&str, &str)] = &[
    ("0.001/s", "1e-3 s-1"), ("Jkg-1", "J kg-1"), ("Km-1", "K m-1"), ("Km2kg-1s-1", "K m2 kg-1 s-1"),
    ("Ks-1", "K s-1"), ("Nm-2", "N m-2"), ("Nm-2s", "N m-2 s"), ("Pas-1", "Pa s-1"), ("Wm-1sr-1", "W m-1 sr-1"),
    ("Wm-2", "W m-2"), ("Wm-3sr-1", "W m-3 sr-1"), ("degree True", "degree"), ("degrees", "degree"),
    ("flashes/km^2/min", "km-2 min-1"), ("gm-2", "g m-2"), ("kgkg-1", "kg kg-1"), ("kgkg-1s-1", "kg kg-1 s-1"),
    ("kgm-1", "kg m-1"), ("kgm-2", "kg m-2"), ("kgm-2s-1", "kg m-2 s-1"), ("kgm-3", "kg m-3"), ("m MSL", "m"),
    ("m2s-1", "m2 s-1"), ("m2s-2", "m2 s-2"), ("m3m-3", "m3 m-3"), ("mm/hr", "mm h-1"), ("ms-1", "m s-1"),
    ("pa", "Pa"), ("pas-1", "Pa s-1"),
];

/// Words of its units for numbers without a dimension.
const NO_DIMENSION: &[&str] = &[
    "",
    "-",
    "bool",
    "flag",
    "fraction",
    "index",
    "integer",
    "nondim",
    "numeric",
    "porportion",
    "proportion",
];

/// Units as the rest of the tables has them.
fn units(text: &str) -> String {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    if NO_DIMENSION.contains(&lower.as_str())
        || lower.contains("table")
        || lower.starts_with("log10")
    {
        return "1".to_owned();
    }
    UNITS
        .iter()
        .find(|(run_together, _)| *run_together == text)
        .map_or(text, |(_, units)| units)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Labels = Labels {
        param_id: None,
        short_name: None,
        name: None,
        units: None,
        cf_name: None,
        cf_variable: None,
    };

    #[test]
    fn numbers_of_other_centres_are_not_those_of_ncep() {
        let ncep = edition2(7, (0, 1, 192), NONE);
        assert_eq!(ncep.source, Some("gribberish"), "{ncep:?}");
        let other = edition2(54, (0, 1, 192), NONE);
        assert_eq!((other.short_name.as_str(), other.source), ("unknown_0_1_192", None));
    }

    #[test]
    fn abbreviations_of_wmo_s_parameters_have_its_names() {
        let total = edition2(54, (0, 1, 8), NONE);
        assert_eq!((total.short_name.as_str(), total.source), ("apcp", Some("gribberish")));
        assert_eq!(
            (total.long_name.as_str(), total.units.as_str()),
            ("Total precipitation", "kg m-2")
        );
    }

    #[test]
    fn names_of_other_parameters_are_not_taken() {
        // gribberish has the abbreviation of a vorticity, and that of rip currents for what it does not list.
        let stream = edition2(7, (0, 2, 4), NONE);
        assert_eq!(
            (stream.short_name.as_str(), stream.long_name.as_str()),
            ("unknown_0_2_4", "Stream function")
        );
        assert_eq!((stream.units.as_str(), stream.source), ("m2 s-1", Some("WMO")));
        assert_eq!(edition2(7, (10, 1, 5), NONE).short_name, "unknown_10_1_5");
        assert_eq!(edition2(7, (0, 77, 3), NONE), unknown("unknown_0_77_3".to_owned(), NONE));
    }

    #[test]
    fn units_are_those_of_udunits() {
        assert_eq!(
            ["kgm-2s-1", "Numeric", "code table 4.201", "K"].map(units),
            ["kg m-2 s-1", "1", "1", "K"]
        );
    }

    #[test]
    fn variables_begin_with_a_letter() {
        let labels = Labels { param_id: Some("79"), short_name: Some("~"), ..NONE };
        assert_eq!(edition1(128, 79, labels).variable, "p79");
        let labels = Labels { param_id: Some("0"), short_name: Some("~"), ..NONE };
        assert_eq!(edition1(128, 79, labels).variable, "unknown_128_79");
        let labels = Labels {
            param_id: Some("167"),
            short_name: Some("2t"),
            cf_variable: Some("t2m"),
            ..NONE
        };
        assert_eq!(
            (edition1(128, 167, labels).variable, edition1(128, 167, labels).short_name),
            ("t2m".to_owned(), "2t".to_owned())
        );
        let labels = Labels { param_id: Some("1"), short_name: Some("RRC-MM10 (a/b)"), ..NONE };
        assert_eq!(edition1(1, 1, labels).variable, "RRC-MM10__a_b_");
    }
}
