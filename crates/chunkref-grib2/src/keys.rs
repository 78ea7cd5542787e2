// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keys of a field that its labels depend on, from the octets of its sections.

use std::ops::Range;

use crate::message::FieldSections;
use crate::section::identification::Identification;
use crate::table::eccodes::key::{Key, Keys, MISSING};
use crate::table::eccodes::{label, layout};

/// ECMWF, as centre or subcentre.
pub(crate) const ECMWF: u16 = 98;

/// Grid template of unstructured grids.
const UNSTRUCTURED: u16 = 101;

/// The keys of a field of edition 2, and the octets of section 4 that have them.
///
/// Spec: WMO FM 92-XIV GRIB edition 2; for the local section, ecCodes' `grib2/section.2.def`, `grib2/mars_labeling.def`
/// and `grib2/local.destine.climate-dt.def`.
pub(crate) fn edition2(
    sections: &FieldSections,
    identification: &Identification,
) -> (Keys, Vec<(Key, Range<usize>)>) {
    let (mut keys, mut places) = (Keys::new(), Vec::new());
    let status = identification.production_status;
    keys.set(Key::SubCentre, identification.sub_centre);
    keys.set(Key::TablesVersion, identification.tables_version);
    keys.set(Key::LocalTablesVersion, identification.local_tables_version);
    keys.set(Key::ProductionStatusOfProcessedData, status);
    if let Some(local) = &sections.local {
        let is_of_ecmwf = identification.centre == ECMWF || identification.sub_centre == ECMWF;
        // Octets 6 and 7 are the number of a local definition, but for the data sets of several centres.
        let class = two(&local.bytes, 5).filter(|&number| number != 0).and(two(&local.bytes, 7));
        if let Some(class) = class.filter(|_| is_of_ecmwf && !matches!(status, 4 | 5 | 8..=17)) {
            keys.set(Key::MarsClass, class);
        }
        let generation = local.bytes.get(13).filter(|_| two(&local.bytes, 7) == Some(1));
        if let Some(&generation) = generation.filter(|_| matches!(status, 12 | 13)) {
            keys.set(Key::Generation, generation);
        }
    }
    if let Some(template) = two(&sections.grid.bytes, 12) {
        keys.set(Key::GridDefinitionTemplateNumber, template);
        if let Some(&number) = sections.grid.bytes.get(18).filter(|_| template == UNSTRUCTURED) {
            keys.set(Key::NumberOfGridInReference, number);
        }
    }
    let product = &sections.product.bytes;
    if let Some(count) = two(product, 5) {
        keys.set(Key::NV, count);
    }
    if let Some(template) = two(product, 7) {
        places = layout::read(template, product, &mut keys);
    }
    label::derive(&mut keys);
    (keys, places)
}

/// The keys of a field of edition 1: kind of level, the two octets after it, and the time range.
///
/// Definition: ecCodes' `grib1/section.1.def`.
pub(crate) fn edition1(kind: u8, level: [u8; 2], time_range: u8) -> Keys {
    let mut keys = Keys::new();
    let present = |octets: u16, missing: u16| {
        if octets == missing { MISSING } else { i64::from(octets) }
    };
    let [first, second] = level;
    let whole = present(u16::from_be_bytes(level), u16::MAX);
    let (top, bottom) = if is_layer(kind) {
        (present(first.into(), 0xff), present(second.into(), 0xff))
    } else {
        (whole, whole)
    };
    keys.set(Key::IndicatorOfTypeOfLevel, kind);
    keys.set(Key::Level, top);
    keys.set(Key::TopLevel, top);
    keys.set(Key::BottomLevel, bottom);
    keys.set(Key::TimeRangeIndicator, time_range);
    keys.set(Key::StepType, matches!(time_range, 2 | 4));
    keys
}

/// Whether the two octets of a level of edition 1 are the bounds of a layer.
///
/// Spec: WMO FM 92-IX GRIB edition 1, table 3.
pub(crate) fn is_layer(kind: u8) -> bool {
    matches!(kind, 101 | 104 | 106 | 108 | 110 | 112 | 114 | 116 | 120 | 121 | 128 | 141)
}

/// A number of two octets.
fn two(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_edition_1() {
        let layer = edition1(112, [7, 28], 0);
        assert_eq!((layer.get(Key::TopLevel), layer.get(Key::BottomLevel)), (Some(7), Some(28)));
        let single = edition1(100, [3, 82], 4);
        assert_eq!((single.get(Key::Level), single.get(Key::StepType)), (Some(850), Some(1)));
        assert_eq!(edition1(202, [255, 255], 0).get(Key::Level), Some(MISSING));
    }

    #[test]
    fn octets_that_are_not_there() {
        assert_eq!(two(&[1, 2, 3], 1), Some(0x0203));
        assert_eq!(two(&[1, 2, 3], 2), None);
    }
}
