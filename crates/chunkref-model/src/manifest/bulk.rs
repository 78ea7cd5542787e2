// SPDX-License-Identifier: MIT OR Apache-2.0
//! Columns of references taken over as they are.

use bytes::{Bytes, BytesMut};

use super::{INLINE, ManifestBuilder, ManifestError, chunk_number};
use crate::SourceId;

/// References in columns: of row n the place in the grid, the source, offset and length.
#[derive(Debug)]
pub struct Rows {
    /// As many numbers for each row as the grid has axes, of which there is one at least.
    pub indices: Vec<u64>,
    /// `None` for bytes of `inline`, which offset and length are of.
    pub source: fn(u32, &[SourceId]) -> Option<Option<SourceId>>,
    /// What `source` makes a source of.
    pub sources: Vec<u32>,
    /// First bytes.
    pub offsets: Vec<u64>,
    /// Bytes.
    pub lengths: Vec<u64>,
    /// The bytes of chunks that are not elsewhere.
    pub inline: Vec<u8>,
}

impl ManifestBuilder {
    /// Adds all rows to a builder that has none yet; columns are not copied.
    ///
    /// # Errors
    /// As [`ManifestBuilder::push`], and [`ManifestError::UnknownSource`].
    pub fn take(&mut self, rows: Rows, names: &[SourceId]) -> Result<(), ManifestError> {
        let Rows { mut indices, source, mut sources, offsets, lengths, inline } = rows;
        let axes = self.grid_shape.len().max(1);
        let count = indices.len() / axes;
        // Row n becomes number n, which never lies behind it.
        for row in 0..count {
            let start = row.saturating_mul(axes);
            let place = indices.get(start..start.saturating_add(axes)).unwrap_or_default();
            let number = chunk_number(&self.grid_shape, place).ok_or_else(|| {
                ManifestError::OutsideGrid {
                    chunk_indices: place.to_vec(),
                    grid_shape: self.grid_shape.clone(),
                }
            })?;
            if let Some(slot) = indices.get_mut(row) {
                *slot = number;
            }
        }
        indices.truncate(count);
        if axes > 1 {
            indices.shrink_to_fit();
        }
        for slot in &mut sources {
            *slot = match source(*slot, names) {
                None => return Err(ManifestError::UnknownSource(*slot)),
                Some(None) => INLINE,
                Some(Some(name)) if name.0 >= INLINE => {
                    return Err(ManifestError::ReservedSource(name.0));
                }
                Some(Some(name)) => name.0,
            };
        }
        self.numbers = indices;
        self.sources = sources;
        self.offsets = offsets;
        self.lengths = lengths;
        self.inline = BytesMut::from(Bytes::from(inline));
        Ok(())
    }
}
