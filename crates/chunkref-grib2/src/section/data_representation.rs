// SPDX-License-Identifier: MIT OR Apache-2.0
//! Section 5: how the values are packed.

use chunkref_core::{Cursor, Truncated};

/// Section 5.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, section 5, table 5.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DataRepresentation {
    /// Values that are packed: the points that no bit map leaves out.
    pub(crate) count: u32,
    /// Data representation template.
    pub(crate) template: u16,
}

impl DataRepresentation {
    /// The octets after length and number.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { count: cursor.u32_be()?, template: cursor.u16_be()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_and_template() {
        let bytes = [0, 0, 1, 2, 0, 42];
        let section = DataRepresentation::parse(&mut Cursor::new(&bytes, 0, "section 5")).unwrap();
        assert_eq!(section, DataRepresentation { count: 258, template: 42 });
        assert!(DataRepresentation::parse(&mut Cursor::new(&bytes[..5], 0, "section 5")).is_err());
    }
}
