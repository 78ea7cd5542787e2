// SPDX-License-Identifier: MIT OR Apache-2.0
//! Centres that make messages.

/// Number, ecCodes' abbreviation, description.
///
/// Spec: WMO common code table C-11.
const CENTRES: &[(u16, &str, &str)] = &[
    (0, "0", "WMO Secretariat"),
    (7, "kwbc", "US National Weather Service - NCEP"),
    (8, "kwbd", "US National Weather Service - NWSTG"),
    (9, "9", "US National Weather Service - Other"),
    (29, "dems", "New Delhi"),
    (34, "rjtd", "Japanese Meteorological Agency - Tokyo"),
    (54, "cwao", "Canadian Meteorological Service - Montreal"),
    (74, "egrr", "U.K. Met Office - Exeter"),
    (78, "edzw", "Offenbach"),
    (85, "lfpw", "French Weather Service - Toulouse"),
    (98, "ecmf", "European Centre for Medium-Range Weather Forecasts"),
    (161, "161", "US NOAA Office of Oceanic and Atmospheric Research"),
    (255, "255", "Not to be used"),
];

/// Abbreviation and description of a centre; its number where it is not known.
pub(crate) fn describe(centre: u16) -> (String, String) {
    match CENTRES.iter().find(|(number, ..)| *number == centre) {
        Some((_, abbreviation, description)) => {
            ((*abbreviation).to_owned(), (*description).to_owned())
        }
        None => (centre.to_string(), centre.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown() {
        assert_eq!(describe(98).0, "ecmf");
        assert_eq!(describe(999), ("999".to_owned(), "999".to_owned()));
    }
}
