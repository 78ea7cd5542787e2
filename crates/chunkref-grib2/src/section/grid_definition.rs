// SPDX-License-Identifier: MIT OR Apache-2.0
//! Section 3: where the points are.

use chunkref_core::{Cursor, Limits};

use super::earth::Earth;
use super::grid_template::Template;
use crate::error::{Grib2Error, Result};

/// Flags of the scanning mode.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, flag table 3.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ScanningMode(pub(crate) u8);

impl ScanningMode {
    /// Points of a row go west.
    pub(crate) fn i_negative(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Rows go north.
    pub(crate) fn j_positive(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Neighbours in the data are neighbours in a column.
    pub(crate) fn j_consecutive(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// Every second row goes the other way.
    pub(crate) fn alternating(self) -> bool {
        self.0 & 0x10 != 0
    }
}

/// Section 3.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, section 3, templates 3.0 to 3.3, 3.10, 3.12, 3.20, 3.30, 3.31, 3.40 to 3.43,
/// 3.50, 3.90, 3.101, 3.140 and 3.150; NCEP's templates 3.32768 and 3.32769.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GridDefinition {
    /// Number of the template.
    pub(crate) number: u16,
    /// Data points.
    pub(crate) count: u32,
    /// Points of a row, where all rows have as many.
    pub(crate) nx: Option<u32>,
    /// Points of a column, where all columns have as many; rows, of reduced grids.
    pub(crate) ny: Option<u32>,
    pub(crate) scanning: ScanningMode,
    /// Flag table 3.3: resolution and components of vectors.
    pub(crate) flags: u8,
    /// Shape of the earth, where the section tells one that is known.
    pub(crate) earth: Option<Earth>,
    pub(crate) template: Template,
    /// Points of each row, of reduced grids.
    pub(crate) row_lengths: Vec<u32>,
}

impl GridDefinition {
    /// A grid of which only the number of its template is known.
    pub(crate) fn new(number: u16, count: u32) -> Self {
        Self {
            number,
            count,
            nx: None,
            ny: None,
            scanning: ScanningMode(0),
            flags: 0,
            earth: None,
            template: Template::Other,
            row_lengths: Vec::new(),
        }
    }

    /// The octets after length and number.
    pub(crate) fn parse(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<Self> {
        let start = cursor.offset();
        // Source of the grid definition.
        cursor.skip(1)?;
        let (count, list_bytes) = (cursor.u32_be()?, usize::from(cursor.u8()?));
        // What the list means.
        cursor.skip(1)?;
        let mut grid = Self::new(cursor.u16_be()?, count);
        grid.template(cursor)?;
        grid.check("grid definition section", start, limits)?;
        if list_bytes > 0 && grid.nx.is_none() {
            let rows = grid.ny.unwrap_or(0);
            if let Template::LatLon(template) = &grid.template
                && template.stretched
            {
                // Factor and pole of stretching.
                cursor.skip(12)?;
            }
            for _ in 0..rows {
                let bytes = cursor.bytes(list_bytes)?;
                let length =
                    bytes.iter().fold(0_u32, |value, &byte| (value << 8) | u32::from(byte));
                grid.row_lengths.push(length);
            }
        }
        Ok(grid)
    }

    /// Checks what is counted by numbers of the section alone.
    pub(crate) fn check(
        &self,
        structure: &'static str,
        offset: u64,
        limits: &Limits,
    ) -> Result<()> {
        let check = |what, count: u32, limit| {
            Grib2Error::check_limit(structure, offset, what, count.into(), limit)
        };
        check("points", self.count, ("grid_points", limits.grid_points))?;
        // Axes are computed, and rows may be listed.
        for count in [self.nx, self.ny].into_iter().flatten() {
            check("points of a row or column", count, ("axis_values", limits.axis_values))?;
        }
        Ok(())
    }

    /// Rows and columns, where they are of one length each and hold all points.
    pub(crate) fn shape(&self) -> Option<(u32, u32)> {
        let (nx, ny) = (self.nx?, self.ny?);
        (nx > 0 && nx.checked_mul(ny) == Some(self.count)).then_some((ny, nx))
    }
}

/// A value that is not the one that stands for none.
pub(crate) fn present<T: PartialEq + Copy>(value: T, missing: T) -> Option<T> {
    (value != missing).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Missing, of four octets.
    const MISSING: u32 = u32::MAX;

    fn parse(bytes: &[u8]) -> Result<GridDefinition> {
        let mut cursor = Cursor::new(bytes, 37, "grid definition section");
        GridDefinition::parse(&mut cursor, &Limits::default())
    }

    fn long(values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_be_bytes()).collect()
    }

    fn head(count: u32, list_bytes: u8, template: u8) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(count.to_be_bytes());
        bytes.extend([list_bytes, u8::from(list_bytes > 0), 0, template]);
        // A sphere of 6,371,229 m.
        bytes.push(6);
        bytes.extend([255; 15]);
        bytes
    }

    #[test]
    fn a_regular_grid() {
        let mut bytes = head(6, 0, 0);
        bytes.extend(long(&[3, 2, 0, MISSING, 90_000_000, 0]));
        bytes.push(48);
        bytes.extend(long(&[(1 << 31) + 90_000_000, 240_000_000, 120_000_000, 180_000_000]));
        bytes.push(0x40);
        let grid = parse(&bytes).unwrap();
        assert_eq!(grid.shape(), Some((2, 3)));
        assert!(grid.scanning.j_positive() && !grid.scanning.i_negative());
        assert_eq!(grid.earth.map(|earth| earth.major), Some(6_371_229.0));
        let Template::LatLon(found) = grid.template else { panic!("{:?}", grid.template) };
        assert_eq!((found.first_latitude, found.last_latitude), (90.0, -90.0));
        assert_eq!(found.i_increment, Some(120.0));
        assert!(parse(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn a_reduced_gaussian_grid_has_rows_of_its_own() {
        let mut bytes = head(10, 2, 40);
        bytes.extend(long(&[MISSING, 2, 0, MISSING, 45_000_000, 0]));
        bytes.push(0);
        bytes.extend(long(&[(1 << 31) + 45_000_000, 300_000_000, MISSING, 1]));
        bytes.push(0);
        bytes.extend([0, 4, 0, 6]);
        let grid = parse(&bytes).unwrap();
        assert_eq!(grid.shape(), None);
        assert_eq!(grid.row_lengths, [4, 6]);
    }

    #[test]
    fn a_grid_that_is_not_known_keeps_its_count() {
        let grid = parse(&head(77, 0, 140)[..9]);
        assert!(grid.is_err(), "the template is cut off");
        let grid = parse(&[0, 0, 0, 0, 77, 0, 0, 0x80, 1]).unwrap();
        assert_eq!((grid.count, grid.template), (77, Template::Other));
    }
}
