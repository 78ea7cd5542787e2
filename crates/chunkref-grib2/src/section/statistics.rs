// SPDX-License-Identifier: MIT OR Apache-2.0
//! The statistical processing that templates 4.8 to 4.14 and their kin end with.

use chunkref_core::{Cursor, Truncated};

use super::product_definition::TimeUnit;
use crate::calendar::DateTime;

/// Time over which values are a mean, a sum, an extreme …
///
/// Spec: WMO FM 92-XIV GRIB edition 2, template 4.8, octets 35 to 58.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statistics {
    /// End of the overall interval.
    pub(crate) end: DateTime,
    /// Table 4.10: mean, accumulation, maximum …
    pub(crate) process: u8,
    /// Table 4.4.
    pub(crate) unit: TimeUnit,
    /// Length of that range, in units.
    pub(crate) length: u32,
    /// Time ranges that the template has.
    pub(crate) ranges: u8,
}

impl Statistics {
    /// The octets from the end of the overall interval on. Of several ranges the first is the outermost, and is kept.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let (end, ranges) = (DateTime::parse(cursor)?, cursor.u8()?);
        // Values that are missing in the process.
        cursor.skip(4)?;
        let process = cursor.u8()?;
        // How the fields that were processed lie in time.
        cursor.skip(1)?;
        let (unit, length) = (TimeUnit(cursor.u8()?), cursor.u32_be()?);
        Ok(Self { end, process, unit, length, ranges })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_range_is_kept() {
        let bytes = [
            0x07, 0xe4, 7, 28, 18, 0, 0, // end
            1, // ranges
            0, 0, 0, 0, // missing
            1, // accumulation
            2, // increment
            1, // hours
            0, 0, 0, 6, // length
            255, 0, 0, 0, 0,
        ];
        let statistics = Statistics::parse(&mut Cursor::new(&bytes, 0, "section 4")).unwrap();
        assert_eq!((statistics.process, statistics.length, statistics.ranges), (1, 6, 1));
        assert_eq!(statistics.end.hour, 18);
        assert_eq!(statistics.unit, TimeUnit(1));
        assert!(Statistics::parse(&mut Cursor::new(&bytes[..18], 0, "section 4")).is_err());
    }
}
