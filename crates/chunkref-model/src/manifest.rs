// SPDX-License-Identifier: MIT OR Apache-2.0
//! The chunk references of one array, in columns.
//!
//! A reference costs 20 bytes (source `u32`, offset `u64`, length `u64`), 28 where the manifest is sparse; inline bytes
//! lie together in one arena. There is no `String` and no map entry per chunk.

mod assembler;
pub mod bulk;
mod columns;

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{ChunkRef, SourceId};

pub use assembler::{ManifestAssembler, ManifestPiece};

const MISSING: u32 = u32::MAX;
const INLINE: u32 = u32::MAX - 1;

/// Why chunk references do not make a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The grid has more chunks than 64 bits count.
    #[error("a chunk grid of {grid_shape:?} chunks has more than 2^64 chunks")]
    GridTooLarge {
        /// Chunks along each axis.
        grid_shape: Vec<u64>,
    },
    /// A chunk lies outside the grid.
    #[error("chunk {chunk_indices:?} lies outside the chunk grid {grid_shape:?}")]
    OutsideGrid {
        /// Place in the grid.
        chunk_indices: Vec<u64>,
        /// Chunks along each axis.
        grid_shape: Vec<u64>,
    },
    /// Two references for one chunk.
    #[error("chunk {chunk_indices:?} has two references")]
    Duplicate {
        /// Place in the grid.
        chunk_indices: Vec<u64>,
    },
    /// A source index that the format reserves.
    #[error("source {0} is not a valid source index")]
    ReservedSource(u32),
    /// A source index that the table of sources does not have.
    #[error("source {0} is not in the table of sources")]
    UnknownSource(u32),
}

/// Which chunk a row of the columns is of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rows {
    /// Row n is chunk n (C order); one row per chunk of the grid.
    Dense,
    /// The chunk numbers (C order), ascending.
    Sparse(Vec<u64>),
}

/// All chunk references of one array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "columns::Columns", try_from = "columns::Columns")]
pub struct Manifest {
    grid_shape: Vec<u64>,
    rows: Rows,
    sources: Vec<u32>,
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    inline: Bytes,
    present: u64,
}

impl Manifest {
    /// A manifest without any chunk.
    #[must_use]
    pub fn empty(grid_shape: impl Into<Vec<u64>>) -> Self {
        Self {
            grid_shape: grid_shape.into(),
            rows: Rows::Sparse(Vec::new()),
            sources: Vec::new(),
            offsets: Vec::new(),
            lengths: Vec::new(),
            inline: Bytes::new(),
            present: 0,
        }
    }

    /// Chunks along each axis.
    #[must_use]
    pub fn grid_shape(&self) -> &[u64] {
        &self.grid_shape
    }

    /// Chunks that are not missing.
    #[must_use]
    pub fn present(&self) -> u64 {
        self.present
    }

    /// Chunks in the grid, present or not; `None` when 64 bits do not hold it.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        chunk_count(&self.grid_shape)
    }

    /// Stored bytes of all present chunks of known length.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.sources
            .iter()
            .zip(&self.lengths)
            .filter(|&(&source, &length)| source != MISSING && length != crate::WHOLE_OBJECT)
            .fold(0, |sum: u64, (_, &length)| sum.saturating_add(length))
    }

    /// Whether no chunk lies in a source: all are inline or missing.
    #[must_use]
    pub fn is_inline(&self) -> bool {
        self.sources.iter().all(|&source| source >= INLINE)
    }

    /// Whether all references are to the first `count` sources.
    #[must_use]
    pub fn names_sources_below(&self, count: usize) -> bool {
        let known = |source: u32| usize::try_from(source).is_ok_and(|source| source < count);
        self.sources.iter().all(|&source| source >= INLINE || known(source))
    }

    /// Whether both have the same chunks: equal inline bytes, and equal ranges of sources that `same_source` takes for one.
    pub fn same_chunks(
        &self,
        other: &Self,
        same_source: &mut dyn FnMut(SourceId, SourceId) -> bool,
    ) -> bool {
        self.grid_shape == other.grid_shape
            && self.rows == other.rows
            && self.sources.len() == other.sources.len()
            && (0..self.sources.len()).all(|row| match (self.row(row), other.row(row)) {
                (
                    ChunkRef::Virtual { source: a, offset, length },
                    ChunkRef::Virtual { source: b, offset: other_offset, length: other_length },
                ) => offset == other_offset && length == other_length && same_source(a, b),
                (a, b) => a == b,
            })
    }

    /// The reference of the chunk at `chunk_indices`; places outside the grid are missing.
    #[must_use]
    pub fn get(&self, chunk_indices: &[u64]) -> ChunkRef {
        let Some(number) = chunk_number(&self.grid_shape, chunk_indices) else {
            return ChunkRef::Missing;
        };
        let row = match &self.rows {
            Rows::Dense => usize::try_from(number).ok(),
            Rows::Sparse(numbers) => numbers.binary_search(&number).ok(),
        };
        row.map_or(ChunkRef::Missing, |row| self.row(row))
    }

    /// Calls `visit` with the grid place and reference of every present chunk, in C order.
    pub fn visit(&self, visit: &mut dyn FnMut(&[u64], ChunkRef)) {
        let mut chunk_indices = vec![0; self.grid_shape.len()];
        for row in 0..self.sources.len() {
            let number = match &self.rows {
                Rows::Dense => row as u64,
                Rows::Sparse(numbers) => numbers.get(row).copied().unwrap_or_default(),
            };
            let reference = self.row(row);
            if reference != ChunkRef::Missing {
                chunk_indices_of(&self.grid_shape, number, &mut chunk_indices);
                visit(&chunk_indices, reference);
            }
        }
    }

    /// Calls `visit` with number (C order) and reference of every present chunk whose number is in `numbers`, in order.
    pub fn visit_numbers(&self, numbers: Range<u64>, visit: &mut dyn FnMut(u64, ChunkRef)) {
        let place = |number: u64| match &self.rows {
            Rows::Dense => usize::try_from(number).unwrap_or(usize::MAX).min(self.sources.len()),
            Rows::Sparse(known) => known.partition_point(|&known| known < number),
        };
        for row in place(numbers.start)..place(numbers.end) {
            let number = match &self.rows {
                Rows::Dense => row as u64,
                Rows::Sparse(known) => known.get(row).copied().unwrap_or_default(),
            };
            let reference = self.row(row);
            if reference != ChunkRef::Missing {
                visit(number, reference);
            }
        }
    }

    /// The place in the grid of the chunk with a number (C order).
    #[must_use]
    pub fn chunk_indices(&self, number: u64) -> Vec<u64> {
        let mut chunk_indices = vec![0; self.grid_shape.len()];
        chunk_indices_of(&self.grid_shape, number, &mut chunk_indices);
        chunk_indices
    }

    /// The number (C order) of the chunk at a place; `None` outside the grid.
    #[must_use]
    pub fn chunk_number(&self, chunk_indices: &[u64]) -> Option<u64> {
        chunk_number(&self.grid_shape, chunk_indices)
    }

    fn row(&self, row: usize) -> ChunkRef {
        let (Some(&source), Some(&offset), Some(&length)) =
            (self.sources.get(row), self.offsets.get(row), self.lengths.get(row))
        else {
            return ChunkRef::Missing;
        };
        match source {
            MISSING => ChunkRef::Missing,
            INLINE => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.inline.len());
                let end = start
                    .saturating_add(usize::try_from(length).unwrap_or(usize::MAX))
                    .min(self.inline.len());
                ChunkRef::Inline(self.inline.slice(start..end))
            }
            source => ChunkRef::Virtual { source: SourceId(source), offset, length },
        }
    }
}

/// Collects references in any order and makes a [`Manifest`].
#[derive(Debug)]
pub struct ManifestBuilder {
    grid_shape: Vec<u64>,
    numbers: Vec<u64>,
    sources: Vec<u32>,
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    inline: BytesMut,
}

impl ManifestBuilder {
    /// Starts a manifest for a grid of `grid_shape` chunks.
    ///
    /// # Errors
    /// [`ManifestError::GridTooLarge`] when the number of chunks does not fit 64 bits.
    pub fn new(grid_shape: impl Into<Vec<u64>>) -> Result<Self, ManifestError> {
        let grid_shape = grid_shape.into();
        if chunk_count(&grid_shape).is_none() {
            return Err(ManifestError::GridTooLarge { grid_shape });
        }
        Ok(Self {
            grid_shape,
            numbers: Vec::new(),
            sources: Vec::new(),
            offsets: Vec::new(),
            lengths: Vec::new(),
            inline: BytesMut::new(),
        })
    }

    /// Adds the reference of one chunk; [`ChunkRef::Missing`] adds nothing.
    ///
    /// # Errors
    /// [`ManifestError::OutsideGrid`] for a place outside the grid, [`ManifestError::ReservedSource`] for the two
    /// highest source indices.
    pub fn push(
        &mut self,
        chunk_indices: &[u64],
        reference: ChunkRef,
    ) -> Result<(), ManifestError> {
        let number = chunk_number(&self.grid_shape, chunk_indices).ok_or_else(|| {
            ManifestError::OutsideGrid {
                chunk_indices: chunk_indices.to_vec(),
                grid_shape: self.grid_shape.clone(),
            }
        })?;
        let (source, offset, length) = match reference {
            ChunkRef::Missing => return Ok(()),
            ChunkRef::Virtual { source, .. } if source.0 >= INLINE => {
                return Err(ManifestError::ReservedSource(source.0));
            }
            ChunkRef::Virtual { source, offset, length } => (source.0, offset, length),
            ChunkRef::Inline(bytes) => {
                let offset = self.inline.len() as u64;
                self.inline.extend_from_slice(&bytes);
                (INLINE, offset, bytes.len() as u64)
            }
        };
        self.numbers.push(number);
        self.sources.push(source);
        self.offsets.push(offset);
        self.lengths.push(length);
        Ok(())
    }

    /// How many references were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether none was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Sorts the references and makes the manifest: dense when at least half of the chunks are there.
    ///
    /// # Errors
    /// [`ManifestError::Duplicate`] when a chunk was added twice.
    pub fn finish(mut self) -> Result<Manifest, ManifestError> {
        if !self.numbers.is_sorted() {
            self.sort();
        }
        if let Some(number) = self.numbers.windows(2).find_map(|pair| match pair {
            [a, b] if a == b => Some(*a),
            _ => None,
        }) {
            let mut chunk_indices = vec![0; self.grid_shape.len()];
            chunk_indices_of(&self.grid_shape, number, &mut chunk_indices);
            return Err(ManifestError::Duplicate { chunk_indices });
        }
        let present = self.numbers.len() as u64;
        let count = chunk_count(&self.grid_shape).unwrap_or(u64::MAX);
        let mut manifest = Manifest {
            grid_shape: self.grid_shape,
            rows: Rows::Dense,
            sources: self.sources,
            offsets: self.offsets,
            lengths: self.lengths,
            inline: self.inline.freeze(),
            present,
        };
        if present == count {
            return Ok(manifest);
        }
        match usize::try_from(count) {
            Ok(count) if present >= count.div_ceil(2) as u64 => {
                manifest.sources = spread(&self.numbers, &manifest.sources, count, MISSING);
                manifest.offsets = spread(&self.numbers, &manifest.offsets, count, 0);
                manifest.lengths = spread(&self.numbers, &manifest.lengths, count, 0);
            }
            _ => manifest.rows = Rows::Sparse(self.numbers),
        }
        Ok(manifest)
    }

    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.numbers.len()).collect();
        order.sort_by_key(|&row| self.numbers.get(row).copied());
        self.sources = pick(&order, &self.sources);
        self.offsets = pick(&order, &self.offsets);
        self.lengths = pick(&order, &self.lengths);
        self.numbers = pick(&order, &self.numbers);
    }
}

fn pick<T: Copy>(order: &[usize], column: &[T]) -> Vec<T> {
    order.iter().filter_map(|&row| column.get(row).copied()).collect()
}

/// A column with one row per chunk, `absent` where there is none; `count` is at most twice the rows there are.
fn spread<T: Copy>(numbers: &[u64], column: &[T], count: usize, absent: T) -> Vec<T> {
    let mut dense = vec![absent; count];
    for (&number, &value) in numbers.iter().zip(column) {
        if let Some(slot) = usize::try_from(number).ok().and_then(|number| dense.get_mut(number)) {
            *slot = value;
        }
    }
    dense
}

/// The product of the grid's axes.
fn chunk_count(grid_shape: &[u64]) -> Option<u64> {
    if grid_shape.contains(&0) {
        return Some(0);
    }
    grid_shape.iter().try_fold(1_u64, |product, &length| product.checked_mul(length))
}

/// Number of a chunk in C order.
fn chunk_number(grid_shape: &[u64], chunk_indices: &[u64]) -> Option<u64> {
    if grid_shape.len() != chunk_indices.len() {
        return None;
    }
    grid_shape.iter().zip(chunk_indices).try_fold(0_u64, |number, (&length, &index)| {
        if index < length { number.checked_mul(length)?.checked_add(index) } else { None }
    })
}

/// The reverse of [`chunk_number`].
fn chunk_indices_of(grid_shape: &[u64], mut number: u64, chunk_indices: &mut [u64]) {
    for (index, &length) in chunk_indices.iter_mut().zip(grid_shape).rev() {
        let length = length.max(1);
        *index = number % length;
        number /= length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> ChunkRef {
        ChunkRef::Virtual { source: SourceId(0), offset, length: 10 }
    }

    fn collect(manifest: &Manifest) -> Vec<(Vec<u64>, ChunkRef)> {
        let mut all = Vec::new();
        manifest.visit(&mut |indices, reference| all.push((indices.to_vec(), reference)));
        all
    }

    #[test]
    fn any_order_of_pushes_gives_c_order() {
        let mut builder = ManifestBuilder::new([2, 3]).unwrap();
        for (indices, offset) in
            [([1, 2], 60), ([0, 0], 10), ([0, 1], 20), ([1, 0], 40), ([0, 2], 30), ([1, 1], 50)]
        {
            builder.push(&indices, at(offset)).unwrap();
        }
        let manifest = builder.finish().unwrap();
        let offsets: Vec<_> = collect(&manifest)
            .into_iter()
            .map(|(_, reference)| match reference {
                ChunkRef::Virtual { offset, .. } => offset,
                _ => 0,
            })
            .collect();
        assert_eq!(offsets, [10, 20, 30, 40, 50, 60]);
        assert_eq!(manifest.stored_bytes(), 60);
    }

    #[test]
    fn sparse_and_half_full_grids_keep_missing_chunks_missing() {
        let mut sparse = ManifestBuilder::new([1 << 40]).unwrap();
        sparse.push(&[1 << 39], at(7)).unwrap();
        let sparse = sparse.finish().unwrap();
        assert_eq!(sparse.get(&[1 << 39]), at(7));
        assert_eq!(sparse.get(&[0]), ChunkRef::Missing);
        assert_eq!(sparse.get(&[1 << 41]), ChunkRef::Missing);

        let mut half = ManifestBuilder::new([4]).unwrap();
        half.push(&[3], ChunkRef::Inline(Bytes::from_static(b"abc"))).unwrap();
        half.push(&[0], at(1)).unwrap();
        let half = half.finish().unwrap();
        assert_eq!(half.present(), 2);
        assert_eq!(half.get(&[1]), ChunkRef::Missing);
        assert_eq!(half.get(&[3]), ChunkRef::Inline(Bytes::from_static(b"abc")));
        assert_eq!(collect(&half).len(), 2);
    }

    #[test]
    fn a_range_of_numbers_is_visited_alone() {
        let visited = |manifest: &Manifest, numbers| {
            let mut all = Vec::new();
            manifest.visit_numbers(numbers, &mut |number, _| all.push(number));
            all
        };
        let mut dense = ManifestBuilder::new([2, 3]).unwrap();
        let mut sparse = ManifestBuilder::new([100, 3]).unwrap();
        for indices in [[0, 0], [0, 1], [1, 0], [1, 2]] {
            dense.push(&indices, at(1)).unwrap();
            sparse.push(&indices, at(1)).unwrap();
        }
        for manifest in [dense.finish().unwrap(), sparse.finish().unwrap()] {
            assert_eq!(visited(&manifest, 0..u64::MAX), [0, 1, 3, 5]);
            assert_eq!(visited(&manifest, 1..5), [1, 3]);
            assert_eq!(visited(&manifest, 2..3), [0; 0]);
            assert_eq!(manifest.chunk_indices(5), [1, 2]);
            assert_eq!(manifest.chunk_number(&[1, 2]), Some(5));
        }
    }

    #[test]
    fn a_scalar_has_one_chunk() {
        let mut builder = ManifestBuilder::new([]).unwrap();
        builder.push(&[], at(8)).unwrap();
        let manifest = builder.finish().unwrap();
        assert_eq!(manifest.count(), Some(1));
        assert_eq!(collect(&manifest), [(vec![], at(8))]);
    }

    #[test]
    fn bad_places_are_errors() {
        let mut builder = ManifestBuilder::new([2, 2]).unwrap();
        assert!(matches!(builder.push(&[2, 0], at(0)), Err(ManifestError::OutsideGrid { .. })));
        assert!(matches!(builder.push(&[0], at(0)), Err(ManifestError::OutsideGrid { .. })));
        builder.push(&[1, 1], at(0)).unwrap();
        builder.push(&[1, 1], at(1)).unwrap();
        assert_eq!(builder.finish(), Err(ManifestError::Duplicate { chunk_indices: vec![1, 1] }));
        assert!(matches!(
            ManifestBuilder::new([1 << 40, 1 << 40]),
            Err(ManifestError::GridTooLarge { .. })
        ));
        assert!(ManifestBuilder::new([1 << 40, 1 << 40, 0]).is_ok());
    }
}
