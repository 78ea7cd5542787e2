// SPDX-License-Identifier: MIT OR Apache-2.0
//! A manifest as serde sees it: its columns as bytes, checked when they come back.
//!
//! Numbers are little-endian, one after another, so that millions of references are copied and not parsed.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{INLINE, MISSING, Manifest, Rows, chunk_count};

#[derive(Serialize, Deserialize)]
pub(super) struct Columns {
    grid_shape: Vec<u64>,
    /// The chunk numbers of a sparse manifest.
    numbers: Option<Bytes>,
    sources: Bytes,
    offsets: Bytes,
    lengths: Bytes,
    inline: Bytes,
}

impl From<Manifest> for Columns {
    fn from(manifest: Manifest) -> Self {
        let numbers = match &manifest.rows {
            Rows::Dense => None,
            Rows::Sparse(numbers) => Some(bytes_of(numbers)),
        };
        Self {
            numbers,
            sources: manifest.sources.iter().flat_map(|value| value.to_le_bytes()).collect(),
            offsets: bytes_of(&manifest.offsets),
            lengths: bytes_of(&manifest.lengths),
            inline: manifest.inline,
            grid_shape: manifest.grid_shape,
        }
    }
}

impl TryFrom<Columns> for Manifest {
    type Error = String;

    fn try_from(columns: Columns) -> Result<Self, String> {
        let sources: Vec<u32> = numbers_of(&columns.sources, u32::from_le_bytes, "sources")?;
        let offsets = numbers_of(&columns.offsets, u64::from_le_bytes, "offsets")?;
        let lengths = numbers_of(&columns.lengths, u64::from_le_bytes, "lengths")?;
        let count = chunk_count(&columns.grid_shape)
            .ok_or_else(|| format!("a grid of {:?} chunks is too large", columns.grid_shape))?;
        let rows = match &columns.numbers {
            None => Rows::Dense,
            Some(bytes) => {
                let numbers: Vec<u64> = numbers_of(bytes, u64::from_le_bytes, "numbers")?;
                let ascending = numbers.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
                if !ascending || numbers.last().is_some_and(|&last| last >= count) {
                    return Err("chunk numbers are not ascending, or outside the grid".to_owned());
                }
                Rows::Sparse(numbers)
            }
        };
        let expected = match &rows {
            Rows::Dense => count,
            Rows::Sparse(numbers) => numbers.len() as u64,
        };
        if [sources.len(), offsets.len(), lengths.len()].iter().any(|&n| n as u64 != expected) {
            return Err(format!("the columns are not all {expected} rows long"));
        }
        let within = |row: usize| {
            let (Some(&offset), Some(&length)) = (offsets.get(row), lengths.get(row)) else {
                return false;
            };
            offset.checked_add(length).is_some_and(|end| end <= columns.inline.len() as u64)
        };
        let mut inline = (0..sources.len()).filter(|&row| sources.get(row) == Some(&INLINE));
        if !inline.all(within) {
            return Err("inline bytes lie outside the arena".to_owned());
        }
        let present = sources.iter().filter(|&&source| source != MISSING).count() as u64;
        let (grid_shape, inline) = (columns.grid_shape, columns.inline);
        Ok(Self { grid_shape, rows, sources, offsets, lengths, inline, present })
    }
}

fn bytes_of(values: &[u64]) -> Bytes {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn numbers_of<T, const N: usize>(
    bytes: &Bytes,
    number: fn([u8; N]) -> T,
    what: &str,
) -> Result<Vec<T>, String> {
    let (whole, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(format!("the column of {what} ends within a number"));
    }
    Ok(whole.iter().map(|&bytes| number(bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChunkRef, ManifestBuilder, SourceId};

    fn manifest(places: &[u64]) -> Manifest {
        let mut builder = ManifestBuilder::new([4, 3]).unwrap();
        for &place in places {
            let reference = match place % 2 {
                0 => ChunkRef::Virtual { source: SourceId(7), offset: place << 40, length: 9 },
                _ => ChunkRef::Inline(vec![5; usize::try_from(place).unwrap()].into()),
            };
            builder.push(&[place / 3, place % 3], reference).unwrap();
        }
        builder.finish().unwrap()
    }

    #[test]
    fn columns_come_back_as_they_were() {
        let every: Vec<u64> = (0..12).collect();
        for places in [&[][..], &[5], &[0, 3, 4, 5, 6, 7, 8, 11], &every] {
            let manifest = manifest(places);
            let text = serde_json::to_string(&manifest).unwrap();
            assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest);
        }
    }

    #[test]
    fn damaged_columns_are_refused() {
        let damage = |change: fn(&mut Columns)| {
            let mut columns = Columns::from(manifest(&[2, 5]));
            change(&mut columns);
            Manifest::try_from(columns).unwrap_err()
        };
        assert!(damage(|c| c.numbers = None).contains("12 rows"));
        assert!(damage(|c| c.numbers = Some(bytes_of(&[5, 2]))).contains("ascending"));
        assert!(damage(|c| c.numbers = Some(bytes_of(&[2, 12]))).contains("outside the grid"));
        assert!(damage(|c| c.offsets = c.offsets.slice(1..)).contains("within a number"));
        assert!(damage(|c| c.lengths = c.lengths.slice(8..)).contains("2 rows"));
        assert!(damage(|c| c.inline = Bytes::new()).contains("arena"));
        assert!(damage(|c| c.grid_shape = vec![u64::MAX, 3]).contains("too large"));
    }
}
