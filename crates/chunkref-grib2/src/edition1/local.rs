// SPDX-License-Identifier: MIT OR Apache-2.0
//! ECMWF's local definitions of edition 1, from octet 41 of section 1 on.
//!
//! Definition: ecCodes' `grib1/local.98.NUMBER.def` and `grib1/mars_labeling.def`.

use std::ops::Range;

use crate::field::Threshold;
use crate::section::{SignMagnitude, decimal};
use crate::variant;

/// Place of the definition's number, and of the type of field in it, counted from 0.
const DEFINITION: usize = 40;
const TYPE: usize = 42;

/// Types of members: control and perturbed forecasts.
const MEMBERS: [u8; 2] = [10, 11];

/// What a local definition says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Local {
    pub(super) number: Option<u16>,
    /// Members of the ensemble.
    pub(super) total: Option<u16>,
    pub(super) threshold: Option<Threshold>,
    pub(super) variant: String,
}

/// Where a definition has the number of a member, and how many members there are.
struct Places {
    number: Range<usize>,
    total: Option<Range<usize>>,
    /// Whether every field is of an ensemble. Else a 0 of 0 members is none.
    is_ensemble: bool,
}

impl Local {
    /// Of a section 1 of ECMWF's, from its length on.
    pub(super) fn of_ecmwf(section: &[u8]) -> Self {
        let octet = |place: usize| section.get(place).copied();
        let (Some(definition), Some(mars_type)) = (octet(DEFINITION), octet(TYPE)) else {
            return Self::default();
        };
        let count = |range: Range<usize>| {
            let octets = section.get(range)?;
            Some(octets.iter().fold(0, |value, &octet| value << 8 | u16::from(octet)))
        };
        let qualifier = qualifier(definition).and_then(|range| section.get(range));
        let mut local = Self {
            variant: variant::ecmwf1(mars_type, definition, qualifier.unwrap_or_default()),
            ..Self::default()
        };
        if definition == PROBABILITIES {
            local.threshold = threshold(section);
        } else if let Some(places) = places(definition) {
            let number = count(places.number);
            local.total = places.total.and_then(count).filter(|&total| total > 0);
            let is_member = places.is_ensemble
                || MEMBERS.contains(&mars_type)
                || local.total.is_some()
                || number.is_some_and(|number| number > 0);
            local.number = number.filter(|_| is_member);
        }
        local
    }
}

fn places(definition: u8) -> Option<Places> {
    let (number, total, is_ensemble) = match definition {
        1 | 2 | 7 | 10 | 13 | 14 | 19 | 27..=32 | 36 | 37 | 40 | 50 | 218 => {
            (49..50, Some(50..51), false)
        }
        18 | 26 => (49..50, Some(50..51), true),
        17 | 25 | 39 | 49 | 244 | 245 => (49..50, None, false),
        12 | 16 => (49..51, Some(62..64), true),
        15 => (49..51, Some(55..57), true),
        23 => (49..51, Some(80..82), true),
        192 => (63..64, Some(64..65), false),
        _ => return None,
    };
    Some(Places { number, total, is_ensemble })
}

/// Octets that tell fields of a definition apart: direction and frequency of waves, channel, quantile, iteration,
/// satellite.
fn qualifier(definition: u8) -> Option<Range<usize>> {
    match definition {
        13 | 19 => Some(51..53),
        14 | 37 => Some(51..52),
        20 | 38 => Some(49..50),
        24 => Some(49..55),
        _ => None,
    }
}

/// The definition of probabilities, and where it has the scale and the limits of the event.
const PROBABILITIES: u8 = 5;
const SCALE: usize = 51;
const LIMITS: Range<usize> = 52..57;

fn threshold(section: &[u8]) -> Option<Threshold> {
    let scale = section.get(SCALE)?.signed();
    let &[kind, a, b, c, d] = section.get(LIMITS)? else { return None };
    let limit = |octets| decimal(u16::from_be_bytes(octets).signed(), scale);
    let (lower, upper) = (limit([a, b]), limit([c, d]));
    Some(((kind != 2).then_some(lower), (kind != 1).then_some(upper)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(definition: u8, mars_type: u8, octets: &[(usize, u8)]) -> Vec<u8> {
        let mut bytes = vec![0; 100];
        bytes[DEFINITION] = definition;
        bytes[TYPE] = mars_type;
        for &(place, octet) in octets {
            bytes[place] = octet;
        }
        bytes
    }

    #[test]
    fn members_are_where_definitions_have_them() {
        let number = |definition, mars_type, octets: &[(usize, u8)]| {
            let local = Local::of_ecmwf(&section(definition, mars_type, octets));
            (local.number, local.total)
        };
        assert_eq!(number(1, 9, &[]), (None, None));
        assert_eq!(number(1, 10, &[]), (Some(0), None));
        assert_eq!(number(1, 11, &[(49, 7), (50, 51)]), (Some(7), Some(51)));
        // Two octets.
        assert_eq!(number(15, 9, &[]), (Some(0), None));
        assert_eq!(number(15, 9, &[(49, 1), (50, 2), (56, 51)]), (Some(258), Some(51)));
        assert_eq!(number(3, 9, &[(49, 7)]), (None, None));
        assert_eq!(Local::of_ecmwf(&section(1, 11, &[])[..41]), Local::default());
    }

    #[test]
    fn what_is_no_member_is_told_apart() {
        let variant = |definition, mars_type, octets: &[(usize, u8)]| {
            Local::of_ecmwf(&section(definition, mars_type, octets)).variant
        };
        assert_eq!(variant(1, 17, &[]), "mean");
        assert_ne!(variant(14, 9, &[(51, 1)]), variant(14, 9, &[(51, 2)]));
        let event = section(5, 16, &[(51, 1), (52, 1), (54, 50)]);
        let local = Local::of_ecmwf(&event);
        assert_eq!((local.variant.as_str(), local.threshold), ("prob", Some((Some(5.0), None))));
        assert_eq!(local.number, None);
    }
}
