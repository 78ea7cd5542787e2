// SPDX-License-Identifier: MIT OR Apache-2.0
//! Section 1: who made the message and when.

use chunkref_core::{Cursor, Truncated};

use crate::calendar::DateTime;

/// Section 1.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, section 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identification {
    /// Common code table C-11.
    pub(crate) centre: u16,
    /// Subcentre of the centre.
    pub(crate) sub_centre: u16,
    /// Table 1.0.
    pub(crate) tables_version: u8,
    /// Table 1.1; 0 where no local tables are used.
    pub(crate) local_tables_version: u8,
    /// Reference time of the data.
    pub(crate) reference_time: DateTime,
    /// Table 1.3: operational, research, TIGGE …
    pub(crate) production_status: u8,
    /// Table 1.4: analysis, forecast, control, perturbed …
    pub(crate) type_of_data: u8,
}

impl Identification {
    /// The octets after length and number.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let (centre, sub_centre) = (cursor.u16_be()?, cursor.u16_be()?);
        let (tables_version, local_tables_version) = (cursor.u8()?, cursor.u8()?);
        // Significance of the reference time.
        cursor.skip(1)?;
        let reference_time = DateTime::parse(cursor)?;
        let (production_status, type_of_data) = (cursor.u8()?, cursor.u8()?);
        Ok(Self {
            centre,
            sub_centre,
            tables_version,
            local_tables_version,
            reference_time,
            production_status,
            type_of_data,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_in_their_octets() {
        let bytes = [
            0, 7, // centre
            0, 2, // subcentre
            2, 1, // tables
            1, // significance: start of forecast
            0x07, 0xe4, 7, 28, 12, 30, 15, // 2020-07-28 12:30:15
            0, 3, // status, type: control forecast
        ];
        let section = Identification::parse(&mut Cursor::new(&bytes, 21, "section 1")).unwrap();
        assert_eq!((section.centre, section.sub_centre, section.tables_version), (7, 2, 2));
        assert_eq!(section.reference_time.epoch_seconds(), Some(1_595_939_415));
        assert_eq!((section.local_tables_version, section.production_status), (1, 0));
        assert_eq!(section.type_of_data, 3);
        assert!(Identification::parse(&mut Cursor::new(&bytes[..15], 21, "section 1")).is_err());
    }
}
