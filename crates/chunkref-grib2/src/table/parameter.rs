// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names and units of parameters: gribberish's tables, and the short names that ecCodes gives the common ones.

use std::panic::catch_unwind;

use gribberish::grib1::parameters::get_parameter;
use gribberish::templates::product::parameters;

use super::short_name;

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
}

/// What tells parameters apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ParameterKey<'a> {
    pub(crate) centre: u16,
    pub(crate) discipline: u8,
    pub(crate) category: u8,
    pub(crate) number: u8,
    pub(crate) type_of_level: &'a str,
    pub(crate) level: Option<f64>,
    pub(crate) step_type: &'a str,
}

/// A parameter of edition 2; `unknown_DISCIPLINE_CATEGORY_NUMBER` where no table has it.
pub(crate) fn edition2(key: ParameterKey<'_>) -> Parameter {
    let (discipline, category, number) = (key.discipline, key.category, key.number);
    // The tables are another's code: a fault in it costs the name, not the scan.
    let found = catch_unwind(|| parameters::parameter(discipline, category, number));
    let table = found.ok().flatten().filter(|found| !is_placeholder(&found.abbrev));
    let table = table.filter(|_| !is_foreign(key));
    let common = short_name::find(key);
    let unknown = || format!("unknown_{discipline}_{category}_{number}");
    let abbreviation = table.as_ref().map(|table| clean(&table.abbrev));
    let short = match (&common, &abbreviation) {
        (Some(common), _) => common.short_name.to_owned(),
        (None, Some(abbreviation)) => abbreviation.to_lowercase(),
        (None, None) => unknown(),
    };
    Parameter {
        param_id: common.map(|common| common.param_id),
        variable: common.map_or_else(|| variable(&short), |common| common.variable.to_owned()),
        long_name: match (&common, &table) {
            (Some(common), _) => common.name.to_owned(),
            (None, Some(table)) => table.name.clone(),
            (None, None) => unknown(),
        },
        units: match (&common, &table) {
            (Some(common), _) => common.units.to_owned(),
            (None, Some(table)) => units(&table.unit),
            (None, None) => "unknown".to_owned(),
        },
        standard_name: common.and_then(|common| common.standard_name),
        short_name: short,
    }
}

/// A parameter of edition 1; `unknown_TABLE_NUMBER` where no table has it.
pub(crate) fn edition1(centre: u8, table: u8, number: u8) -> Parameter {
    let found = catch_unwind(|| get_parameter(centre, table, number)).ok().flatten();
    let unknown = || format!("unknown_{table}_{number}");
    let short =
        found.as_ref().map_or_else(unknown, |found| clean(found.abbreviation).to_lowercase());
    Parameter {
        param_id: None,
        variable: variable(&short),
        long_name: found.as_ref().map_or_else(unknown, |found| found.name.to_owned()),
        units: found.map_or_else(|| "unknown".to_owned(), |found| units(found.units)),
        standard_name: None,
        short_name: short,
    }
}

/// Whether a centre that gribberish's tables are not of has given the number a meaning of its own. Disciplines from 192 on
/// are not NCEP's either, but MRMS' (209), which no other centre writes.
fn is_foreign(key: ParameterKey<'_>) -> bool {
    let is_local =
        key.discipline < 192 && short_name::is_local(key.discipline, key.category, key.number);
    is_local && !short_name::is_of_noaa(key.centre)
}

/// The name of an array: it begins with a letter, as cfgrib's do.
fn variable(short_name: &str) -> String {
    if short_name.starts_with(|first: char| first.is_ascii_digit()) {
        short_name::letter_first(short_name)
    } else {
        short_name.to_owned()
    }
}

fn is_placeholder(abbreviation: &str) -> bool {
    matches!(abbreviation.to_ascii_lowercase().as_str(), "" | "missing" | "unknown" | "reserved")
}

/// An abbreviation that can be part of a path.
fn clean(abbreviation: &str) -> String {
    abbreviation
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || letter == '_' || letter == '-' {
                letter
            } else {
                '_'
            }
        })
        .collect()
}

/// Units with spaces between them, as CF writes them: the tables run them together.
fn units(text: &str) -> String {
    let text = text.trim();
    match text {
        "" => "1".to_owned(),
        "ms-1" => "m s-1".to_owned(),
        "Wm-2" => "W m-2".to_owned(),
        "kgm-2" => "kg m-2".to_owned(),
        "kgkg-1" => "kg kg-1".to_owned(),
        "kgm-2s-1" => "kg m-2 s-1".to_owned(),
        "Km-1" => "K m-1".to_owned(),
        "Pas-1" => "Pa s-1".to_owned(),
        "Jkg-1" => "J kg-1".to_owned(),
        "m2s-2" => "m2 s-2".to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(category: u8, number: u8, type_of_level: &str, level: f64) -> ParameterKey<'_> {
        let (discipline, level, step_type) = (0, Some(level), "instant");
        ParameterKey { centre: 7, discipline, category, number, type_of_level, level, step_type }
    }

    #[test]
    fn common_names_depend_on_the_level() {
        let aloft = edition2(key(0, 0, "isobaricInhPa", 500.0));
        assert_eq!((aloft.variable.as_str(), aloft.units.as_str()), ("t", "K"));
        assert_eq!(aloft.standard_name, Some("air_temperature"));
        let near = edition2(key(0, 0, "heightAboveGround", 2.0));
        assert_eq!((near.short_name.as_str(), near.variable.as_str()), ("2t", "t2m"));
    }

    #[test]
    fn numbers_of_other_centres_are_not_those_of_ncep() {
        let ncep = key(1, 192, "surface", 0.0);
        assert_eq!(edition2(ncep).short_name, "crain");
        let other = ParameterKey { centre: 98, ..ncep };
        assert_eq!(edition2(other).short_name, "unknown_0_1_192");
        let total = ParameterKey { number: 193, step_type: "accum", ..other };
        assert_eq!(
            (edition2(total).short_name, edition2(total).param_id),
            ("tp".to_owned(), Some(228))
        );
        assert_eq!(edition2(ParameterKey { centre: 54, ..total }).short_name, "unknown_0_1_193");
    }

    #[test]
    fn what_no_table_has_is_named_by_number() {
        let unknown = edition2(key(77, 3, "surface", 0.0));
        assert_eq!(
            (unknown.short_name.as_str(), unknown.units.as_str()),
            ("unknown_0_77_3", "unknown")
        );
        assert_eq!(edition1(200, 250, 251).short_name, "unknown_250_251");
    }
}
