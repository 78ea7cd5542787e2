// SPDX-License-Identifier: MIT OR Apache-2.0
//! Labels of a field: which lists ecCodes asks in which order.
//!
//! First the folder of the centre and that of WMO together, then that of ECMWF and WMO's, then, for edition 2, those
//! of codes that are no longer written. A data set of several centres, such as TIGGE, has a folder of its own in place
//! of the centre's. Definitions: `grib1/section.1.def`, `grib2/section.1.def`, `section.4.def` and `parameters.def`.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::concept::{self, best};
use super::key::{Key, Keys, MISSING};
use super::{PARAMETERS, index, line};

/// What ecCodes calls a parameter; `None` for what it has no word for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Labels {
    /// The number of a parameter in ECMWF's database.
    pub(crate) param_id: Option<&'static str>,
    pub(crate) short_name: Option<&'static str>,
    pub(crate) name: Option<&'static str>,
    /// In the spelling of UDUNITS.
    pub(crate) units: Option<&'static str>,
    /// CF standard name.
    pub(crate) cf_name: Option<&'static str>,
    /// Name of a variable, where it is not the short name.
    pub(crate) cf_variable: Option<&'static str>,
}

/// Lists that count as one, and which version of them.
#[derive(Debug, Clone)]
struct Stage {
    lists: [Option<char>; 2],
    version: char,
}

impl Stage {
    /// Names of the lines of this stage for a kind of concept and the codes that it is looked up by.
    fn lines(&self, kind: char, codes: &str) -> Vec<String> {
        self.lists.iter().flatten().map(|list| format!("{list}{kind}{codes}")).collect()
    }

    fn best(&self, kind: char, codes: &str, keys: &Keys) -> Option<&'static str> {
        best(&self.lines(kind, codes), self.version, keys)
    }

    /// The best of each label.
    fn labels(&self, codes: &str, keys: &Keys) -> Labels {
        let mut found: [Option<(usize, &'static str)>; 6] = [None; 6];
        for name in self.lines('p', codes) {
            for entry in concept::matches(&name, self.version, keys) {
                let number = format!("{:0>4}", entry.value);
                let labels = line(PARAMETERS, &number).unwrap_or_default();
                for (place, label) in found.iter_mut().zip(labels.split('\t')) {
                    let is_better =
                        place.is_none_or(|(conditions, _)| entry.conditions >= conditions);
                    if !label.is_empty() && is_better {
                        *place = Some((entry.conditions, label));
                    }
                }
            }
        }
        let [param_id, short_name, name, units, cf_name, cf_variable] = found.map(|label| {
            let label = label?.1;
            Some(if label == "\"\"" { "" } else { label })
        });
        Labels { param_id, short_name, name, units, cf_name, cf_variable }
    }
}

impl Labels {
    /// These labels, and of those that are not there others', unless they have another short name: then they are another
    /// quantity's.
    /// ecCodes looks for each alone, and finds standard names of ECMWF's local numbers for those of other centres.
    fn or(self, others: impl FnOnce() -> Self) -> Self {
        if self.short_name.is_some() && self.cf_name.is_some() && self.param_id.is_some() {
            return self;
        }
        let others = others();
        if self.short_name.is_some() && self.short_name != others.short_name {
            return self;
        }
        Self {
            param_id: self.param_id.or(others.param_id),
            short_name: self.short_name.or(others.short_name),
            name: self.name.or(others.name),
            units: self.units.or(others.units),
            cf_name: self.cf_name.or(others.cf_name),
            cf_variable: self.cf_variable.or(others.cf_variable),
        }
    }
}

/// What is kept of earlier fields, most of which have the labels of another: kind of level and labels by what they depend on.
type Known = HashMap<(u8, u16, (u8, u8, u8)), HashMap<Keys, Names>>;

/// Name of the kind of level, and labels.
pub(crate) type Names = (Option<&'static str>, Labels);

/// Entries of [`Known`] at the most; a full one is emptied.
const MOST_KNOWN: usize = 1 << 12;

/// What is known of a field of an edition and a centre with these codes and keys, or else what `find` finds.
fn known(
    edition: u8,
    centre: u16,
    code: (u8, u8, u8),
    keys: &Keys,
    find: impl FnOnce() -> Names,
) -> Names {
    static KNOWN: LazyLock<Mutex<(usize, Known)>> = LazyLock::new(Mutex::default);
    let asked_for = keys.of_conditions();
    let mut locked = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let (count, known) = &mut *locked;
    let of_code = (edition, centre, code);
    if let Some(names) = known.get(&of_code).and_then(|known| known.get(&asked_for)) {
        return *names;
    }
    if *count >= MOST_KNOWN {
        (*count, *known) = (0, Known::new());
    }
    let names = find();
    known.entry(of_code).or_default().insert(asked_for, names);
    *count = count.saturating_add(1);
    names
}

/// The names of a message of edition 1: by kind of level, table and number.
pub(crate) fn names1(centre: u16, kind: u8, table: u8, number: u8, keys: &Keys) -> Names {
    known(1, centre, (kind, table, number), keys, || {
        (level1(centre, kind, keys), edition1(centre, table, number, keys))
    })
}

/// The names of a message of edition 2: by discipline, category and number.
pub(crate) fn names2(centre: u16, code: (u8, u8, u8), keys: &Keys) -> Names {
    known(2, centre, code, keys, || {
        let lists = Lists::new(centre, keys);
        (lists.level(keys), lists.labels(code, keys))
    })
}

/// The lists for messages of edition 1 of a centre, in the order in which they are asked.
fn stages1(centre: u16) -> [Stage; 2] {
    let own = index().centre(1, centre).map(|(name, _)| format!("grib1/localConcepts/{name}"));
    let list = |folder: &str| index().list(folder);
    let (own, ecmwf, all) =
        (own.as_deref().and_then(list), list("grib1/localConcepts/ecmf"), list("grib1"));
    [own, ecmwf].map(|own| Stage { lists: [own, all], version: 'd' })
}

/// The labels of a message of edition 1 by its table and number.
fn edition1(centre: u16, table: u8, number: u8, keys: &Keys) -> Labels {
    let codes = format!("{table:02x}{number:02x}");
    let [own, ecmwf] = stages1(centre);
    own.labels(&codes, keys).or(|| ecmwf.labels(&codes, keys))
}

/// The name of the kind of level of a message of edition 1.
fn level1(centre: u16, kind: u8, keys: &Keys) -> Option<&'static str> {
    let codes = format!("{kind:02x}");
    stages1(centre).iter().find_map(|stage| stage.best('l', &codes, keys))
}

/// The lists for messages of edition 2.
#[derive(Debug)]
struct Lists {
    stages: [Stage; 3],
}

/// Versions of the lists of edition 2: as they are, before ECMWF's migration, with constituents apart, and of old codes.
const NOW: char = 'd';
const BEFORE: char = 'l';
const CONSTITUENTS: char = 'c';
const OLD: char = 'g';

/// The last version of WMO's tables before the migration.
///
/// Definition: `tablesVersionMTG2Switch` in `grib2/section.1.def`.
const LAST_BEFORE: i64 = 33;

/// Classes of data whose constituents are apart: mc, cr, gg and a5.
///
/// Definition: ecCodes' accessor `mtg2_switch_default`.
const CONSTITUENT_CLASSES: [i64; 4] = [19, 36, 44, 55];

impl Lists {
    /// The lists that ecCodes asks for a message with these keys.
    fn new(centre: u16, keys: &Keys) -> Self {
        let list = |folder: &str| index().list(folder);
        let all = list("grib2");
        let first = |lists| Stage { lists, version: NOW };
        let dataset = first([all, None]).best('d', "", keys);
        // A data set's entries count behind WMO's, a centre's before them.
        let lists = if let Some(dataset) = dataset {
            [all, list(&format!("grib2/localConcepts/{dataset}"))]
        } else {
            let own =
                index().centre(2, centre).map(|(name, _)| format!("grib2/localConcepts/{name}"));
            [own.as_deref().and_then(list), all]
        };
        let version = version(&first(lists), keys);
        let ecmwf = [list("grib2/localConcepts/ecmf"), all];
        let stages = [
            Stage { lists, version },
            Stage { lists: ecmwf, version },
            Stage { lists: ecmwf, version: OLD },
        ];
        Self { stages }
    }

    /// The labels of a message by discipline, category and number.
    fn labels(&self, (discipline, category, number): (u8, u8, u8), keys: &Keys) -> Labels {
        let codes = format!("{discipline:02x}{category:02x}{number:02x}");
        let [own, ecmwf, old] = &self.stages;
        let first = own.labels(&codes, keys);
        let rest = || ecmwf.labels(&codes, keys).or(|| old.labels(&codes, keys));
        // Names of variables are not looked for in ECMWF's folder.
        Labels { cf_variable: first.cf_variable, ..first.or(rest) }
    }

    /// The name of the kind of level.
    fn level(&self, keys: &Keys) -> Option<&'static str> {
        let kind = keys.get(Key::TypeOfFirstFixedSurface)?;
        let stage = Stage { version: NOW, ..self.stages.first()?.clone() };
        stage.best('l', &format!("{kind:02x}"), keys)
    }
}

/// The version of the lists: ecCodes' key `MTG2Switch`.
fn version(stage: &Stage, keys: &Keys) -> char {
    match stage.best('s', "", keys) {
        Some("0") => return BEFORE,
        Some("2") => return CONSTITUENTS,
        Some(_) => return NOW,
        None => {}
    }
    let by_tables = stage.best('t', "", keys).is_some_and(|value| value != "0");
    let class = keys.get(Key::MarsClass);
    match keys.get(Key::TablesVersion) {
        Some(tables) if by_tables && tables <= LAST_BEFORE => BEFORE,
        Some(_) if by_tables && class.is_some_and(|class| CONSTITUENT_CLASSES.contains(&class)) => {
            CONSTITUENTS
        }
        _ => NOW,
    }
}

/// Keys of edition 2 that ecCodes makes of others: units of pressure, kind of vertical coordinate, kind of step.
pub(crate) fn derive(keys: &mut Keys) {
    let get = |key: Key| keys.get(key);
    let is_pressure = get(Key::TypeOfFirstFixedSurface) == Some(100);
    let is_single = get(Key::TypeOfSecondFixedSurface) == Some(255);
    let (scale, value) =
        (get(Key::ScaleFactorOfFirstFixedSurface), get(Key::ScaledValueOfFirstFixedSurface));
    let in_pascals = match (scale, value) {
        (Some(scale), Some(value))
            if is_pressure && is_single && value != MISSING && scale != MISSING =>
        {
            // Less than a hectopascal. A zero with a scale factor stays as it is.
            if value == 0 { scale == 0 } else { crate::section::decimal(value, scale) < 100.0 }
        }
        _ => false,
    };
    let is_general = get(Key::TypeOfFirstFixedSurface) == Some(150);
    let has_one_process = matches!(get(Key::NumberOfTimeRanges), Some(1 | 2));
    let is_sum = has_one_process && get(Key::TypeOfStatisticalProcessing) == Some(1);
    keys.set(Key::PressureUnits, in_pascals);
    keys.set(Key::GenVertHeightCoords, is_general);
    keys.set(Key::StepType, is_sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sum over an interval at the surface.
    fn sum(local_tables: u8) -> Keys {
        let mut keys = Keys::new();
        keys.set(Key::LocalTablesVersion, local_tables);
        keys.set(Key::TablesVersion, 28);
        keys.set(Key::TypeOfFirstFixedSurface, 1);
        keys.set(Key::TypeOfSecondFixedSurface, 255);
        keys.set(Key::NumberOfTimeRanges, 1);
        keys.set(Key::TypeOfStatisticalProcessing, 1);
        derive(&mut keys);
        keys
    }

    #[test]
    fn local_numbers_are_those_of_their_centre() {
        let labels = |centre, keys: &Keys| Lists::new(centre, keys).labels((0, 1, 198), keys);
        let ecmwf = labels(98, &sum(1));
        assert_eq!(ecmwf.short_name, Some("sf"));
        assert_eq!(ecmwf.cf_name, Some("lwe_thickness_of_snowfall_amount"));
        let ncep = labels(7, &sum(1));
        assert_eq!((ncep.short_name, ncep.cf_name), (Some("minrh"), None));
    }

    #[test]
    fn labels_before_the_migration_are_those_of_their_time() {
        let mut keys = sum(0);
        keys.set(Key::TypeOfStatisticalProcessing, 0);
        let labels = |keys: &Keys| Lists::new(98, keys).labels((0, 2, 12), keys).short_name;
        let now = {
            keys.set(Key::TablesVersion, 35);
            labels(&keys)
        };
        assert_eq!(now, Some("avg_vo"));
        // A reanalysis of ECMWF's stays as it was.
        keys.set(Key::MarsClass, 23);
        assert_eq!(labels(&keys), Some("vo"));
    }

    #[test]
    fn edition_1() {
        let labels = edition1(98, 235, 33, &Keys::new());
        assert_eq!((labels.short_name, labels.units), (Some("avg_ishf"), Some("W m-2")));
        assert_eq!(edition1(7, 141, 33, &Keys::new()), Labels::default());
        assert_eq!(level1(98, 109, &Keys::new()), Some("hybrid"));
        assert_eq!(level1(98, 99, &Keys::new()), None);
    }

    #[test]
    fn pressures_below_a_hectopascal_are_in_pascals() {
        let level = |value: i64, scale: i64| {
            let mut keys = Keys::new();
            keys.set(Key::TypeOfFirstFixedSurface, 100);
            keys.set(Key::ScaledValueOfFirstFixedSurface, value);
            keys.set(Key::ScaleFactorOfFirstFixedSurface, scale);
            keys.set(Key::TypeOfSecondFixedSurface, 255);
            derive(&mut keys);
            Lists::new(7, &keys).level(&keys)
        };
        assert_eq!(level(50_000, 0), Some("isobaricInhPa"));
        assert_eq!(level(5, -2), Some("isobaricInhPa"));
        assert_eq!(level(50, 0), Some("isobaricInPa"));
        assert_eq!(level(5, 1), Some("isobaricInPa"));
    }
}
