// SPDX-License-Identifier: MIT OR Apache-2.0
//! One manifest made of many, each moved to its place in the grid.
//!
//! Columns are copied in runs: along the first axis a part is one run, so joining manifests end to end costs what copying
//! their columns costs.

use bytes::BytesMut;

use super::{
    INLINE, MISSING, Manifest, ManifestError, Rows, chunk_count, chunk_indices_of, chunk_number,
    spread,
};
use crate::SourceId;

/// Rows of the columns that follow one another in the grid too.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Number of the first chunk in the grid (C order).
    number: u64,
    /// First row.
    row: usize,
    /// Rows.
    rows: usize,
}

/// A box of a manifest's chunks, and where it is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestPiece {
    /// Its first chunk in the manifest that it is part of.
    pub from: Vec<u64>,
    /// Chunks along each axis of that manifest.
    pub shape: Vec<u64>,
    /// Where its first chunk is put, along each axis of the larger grid.
    pub origin: Vec<u64>,
}

/// Puts manifests into one of a larger grid.
#[derive(Debug)]
pub struct ManifestAssembler {
    grid_shape: Vec<u64>,
    runs: Vec<Run>,
    sources: Vec<u32>,
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    inline: BytesMut,
}

impl ManifestAssembler {
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
            runs: Vec::new(),
            sources: Vec::new(),
            offsets: Vec::new(),
            lengths: Vec::new(),
            inline: BytesMut::new(),
        })
    }

    /// Puts all references of `part` at `origin`, in chunks. A part of fewer axes lies in the last ones, one chunk thick in
    /// those before. `sources` says what the part's sources are called here.
    ///
    /// # Errors
    /// [`ManifestError::OutsideGrid`] when the part reaches beyond the grid, [`ManifestError::UnknownSource`] for a
    /// source that `sources` does not name.
    pub fn place(
        &mut self,
        part: &Manifest,
        origin: &[u64],
        sources: &[SourceId],
    ) -> Result<(), ManifestError> {
        let whole = ManifestPiece {
            from: vec![0; part.grid_shape.len()],
            shape: part.grid_shape.clone(),
            origin: origin.to_vec(),
        };
        self.place_pieces(part, std::slice::from_ref(&whole), sources)
    }

    /// Puts pieces of `part` each at its own origin, as [`ManifestAssembler::place`] does with all of it.
    ///
    /// # Errors
    /// As [`ManifestAssembler::place`], and [`ManifestError::OutsideGrid`] when a piece reaches beyond the part.
    pub fn place_pieces(
        &mut self,
        part: &Manifest,
        pieces: &[ManifestPiece],
        sources: &[SourceId],
    ) -> Result<(), ManifestError> {
        let first = self.sources.len();
        for piece in pieces {
            self.place_piece(part, piece)?;
        }
        self.rename(first, part, sources)
    }

    fn place_piece(&mut self, part: &Manifest, piece: &ManifestPiece) -> Result<(), ManifestError> {
        let axes = self.grid_shape.len();
        let ManifestPiece { from, shape, origin } = piece;
        let within = |whole: &[u64], start: &[u64], own: &[u64]| {
            whole.len() == own.len()
                && start.len() == own.len()
                && whole.iter().zip(own).zip(start).all(|((&all, &own), &start)| {
                    start.checked_add(own).is_some_and(|end| end <= all)
                })
        };
        let outside = |start: &[u64], own: &[u64], grid_shape: &[u64]| ManifestError::OutsideGrid {
            chunk_indices: start.iter().zip(own).map(|(a, b)| a.saturating_add(*b)).collect(),
            grid_shape: grid_shape.to_vec(),
        };
        if !within(&part.grid_shape, from, shape) {
            return Err(outside(from, shape, &part.grid_shape));
        }
        let mut thick = vec![1; axes.saturating_sub(shape.len())];
        thick.extend_from_slice(shape);
        if !within(&self.grid_shape, origin, &thick) {
            return Err(outside(origin, &thick, &self.grid_shape));
        }
        // Axes from `whole` on are as long in the piece as in the part and in the grid, so one step of the axis before is
        // one run in both.
        let thin = axes - shape.len();
        let lengths = self.grid_shape.iter().skip(thin).zip(&part.grid_shape).zip(shape);
        let whole =
            lengths.rev().take_while(|((all, part), own)| all == own && part == own).count();
        let (outer, inner) = shape.split_at((shape.len() - whole).saturating_sub(1));
        let run: u64 = inner.iter().product();
        let steps: u64 = outer.iter().product();
        if run == 0 {
            return Ok(());
        }
        if let Rows::Sparse(numbers) = &part.rows
            && numbers.len() as u64 <= steps
        {
            self.place_sparse(part, numbers, piece);
            return Ok(());
        }
        let (mut step_of, mut place) = (vec![0; outer.len()], vec![0; axes]);
        for step in 0..steps {
            chunk_indices_of(outer, step, &mut step_of);
            let mut own = from.clone();
            own.iter_mut().zip(&step_of).for_each(|(index, step)| *index += step);
            place.copy_from_slice(origin);
            place.iter_mut().skip(thin).zip(&step_of).for_each(|(index, step)| *index += step);
            let own = chunk_number(&part.grid_shape, &own).unwrap_or_default();
            let number = chunk_number(&self.grid_shape, &place).unwrap_or_default();
            self.place_run(part, own, run, number);
        }
        Ok(())
    }

    /// Puts those chunks of a piece that its part has, one by one.
    fn place_sparse(&mut self, part: &Manifest, numbers: &[u64], piece: &ManifestPiece) {
        let thin = self.grid_shape.len() - piece.shape.len();
        let (mut own, mut place) = (vec![0; piece.shape.len()], piece.origin.clone());
        for (row, &number) in numbers.iter().enumerate() {
            chunk_indices_of(&part.grid_shape, number, &mut own);
            let bounds = own.iter().zip(&piece.from).zip(&piece.shape);
            if !bounds.clone().all(|((own, from), length)| own >= from && own - from < *length) {
                continue;
            }
            let moved = bounds.zip(piece.origin.iter().skip(thin));
            for (slot, (((own, from), _), start)) in place.iter_mut().skip(thin).zip(moved) {
                *slot = start + (own - from);
            }
            let number = chunk_number(&self.grid_shape, &place).unwrap_or_default();
            self.push_run(number, 1);
            self.append(part, row, row + 1);
        }
    }

    /// Puts `run` chunks of a part, from number `own` on, at the numbers from `number` on.
    fn place_run(&mut self, part: &Manifest, own: u64, run: u64, number: u64) {
        match &part.rows {
            Rows::Dense => {
                let row = usize::try_from(own).unwrap_or(usize::MAX);
                let rows = usize::try_from(run).unwrap_or(usize::MAX);
                self.push_run(number, rows);
                self.append(part, row, row.saturating_add(rows));
            }
            Rows::Sparse(numbers) => {
                let start = numbers.partition_point(|&known| known < own);
                let end = numbers.partition_point(|&known| known < own.saturating_add(run));
                for &known in numbers.get(start..end).unwrap_or_default() {
                    self.push_run(number + (known - own), 1);
                }
                self.append(part, start, end);
            }
        }
    }

    fn push_run(&mut self, number: u64, rows: usize) {
        let row = self.runs.last().map_or(0, |last| last.row + last.rows);
        match self.runs.last_mut() {
            Some(last) if last.number + last.rows as u64 == number => last.rows += rows,
            _ => self.runs.push(Run { number, row, rows }),
        }
    }

    fn append(&mut self, part: &Manifest, start: usize, end: usize) {
        self.sources.extend_from_slice(part.sources.get(start..end).unwrap_or_default());
        self.offsets.extend_from_slice(part.offsets.get(start..end).unwrap_or_default());
        self.lengths.extend_from_slice(part.lengths.get(start..end).unwrap_or_default());
    }

    /// Gives the rows from `first` on the sources and inline bytes of the whole.
    fn rename(
        &mut self,
        first: usize,
        part: &Manifest,
        sources: &[SourceId],
    ) -> Result<(), ManifestError> {
        let base = self.inline.len() as u64;
        self.inline.extend_from_slice(&part.inline);
        let rows = self.sources.iter_mut().zip(&mut self.offsets).skip(first);
        for (source, offset) in rows {
            match *source {
                MISSING => {}
                INLINE => *offset += base,
                known => {
                    let place = usize::try_from(known).unwrap_or(usize::MAX);
                    let renamed = sources.get(place).ok_or(ManifestError::UnknownSource(known))?;
                    if renamed.0 >= INLINE {
                        return Err(ManifestError::ReservedSource(renamed.0));
                    }
                    *source = renamed.0;
                }
            }
        }
        Ok(())
    }

    /// Makes the manifest: dense when at least half of the chunks are there.
    ///
    /// # Errors
    /// [`ManifestError::Duplicate`] when two parts lie on one another.
    pub fn finish(mut self) -> Result<Manifest, ManifestError> {
        self.runs.sort_by_key(|run| run.number);
        let clash = self.runs.windows(2).find_map(|pair| match pair {
            [a, b] if a.number + a.rows as u64 > b.number => Some(b.number),
            _ => None,
        });
        if let Some(number) = clash {
            let mut chunk_indices = vec![0; self.grid_shape.len()];
            chunk_indices_of(&self.grid_shape, number, &mut chunk_indices);
            return Err(ManifestError::Duplicate { chunk_indices });
        }
        let present = self.sources.iter().filter(|&&source| source != MISSING).count() as u64;
        let count = chunk_count(&self.grid_shape).unwrap_or(u64::MAX);
        let dense = present == count || present >= count.div_ceil(2);
        let in_order = matches!(self.runs.as_slice(), [run] if run.number == 0);
        if !(dense && in_order && self.sources.len() as u64 == count) {
            return Ok(self.rearranged(dense, present, count));
        }
        Ok(Manifest {
            grid_shape: self.grid_shape,
            rows: Rows::Dense,
            sources: self.sources,
            offsets: self.offsets,
            lengths: self.lengths,
            inline: self.inline.freeze(),
            present,
        })
    }

    fn rearranged(self, dense: bool, present: u64, count: u64) -> Manifest {
        let (mut numbers, mut rows) = (Vec::new(), Vec::new());
        for run in &self.runs {
            for step in 0..run.rows {
                if self.sources.get(run.row + step).is_some_and(|&source| source != MISSING) {
                    numbers.push(run.number + step as u64);
                    rows.push(run.row + step);
                }
            }
        }
        let mut manifest = Manifest {
            sources: super::pick(&rows, &self.sources),
            offsets: super::pick(&rows, &self.offsets),
            lengths: super::pick(&rows, &self.lengths),
            grid_shape: self.grid_shape,
            rows: Rows::Dense,
            inline: self.inline.freeze(),
            present,
        };
        match usize::try_from(count) {
            Ok(count) if dense => {
                manifest.sources = spread(&numbers, &manifest.sources, count, MISSING);
                manifest.offsets = spread(&numbers, &manifest.offsets, count, 0);
                manifest.lengths = spread(&numbers, &manifest.lengths, count, 0);
            }
            _ => manifest.rows = Rows::Sparse(numbers),
        }
        manifest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ChunkRef, ManifestBuilder};

    fn part(shape: &[u64], references: &[Option<u64>]) -> Manifest {
        let mut builder = ManifestBuilder::new(shape).unwrap();
        let mut indices = vec![0; shape.len()];
        for (number, reference) in references.iter().enumerate() {
            chunk_indices_of(shape, number as u64, &mut indices);
            let reference = match reference {
                None => continue,
                Some(bytes) if bytes % 3 == 0 => {
                    ChunkRef::Inline(bytes.to_le_bytes().to_vec().into())
                }
                Some(offset) => {
                    ChunkRef::Virtual { source: SourceId(0), offset: *offset, length: 9 }
                }
            };
            builder.push(&indices, reference).unwrap();
        }
        builder.finish().unwrap()
    }

    prop_compose! {
        fn parts()(
            axis in 0..3_usize,
            lengths in prop::collection::vec(0..4_u64, 1..4),
            others in (1..4_u64, 1..4_u64),
        )(
            parts in lengths.into_iter().map(|length| {
                let mut shape = vec![others.0, others.1];
                shape.insert(axis, length);
                let count = usize::try_from(shape.iter().product::<u64>()).unwrap();
                (Just(shape), prop::collection::vec(prop::option::weighted(0.7, 0..1000_u64), count))
            }).collect::<Vec<_>>(),
            axis in Just(axis),
        ) -> (usize, Vec<(Vec<u64>, Vec<Option<u64>>)>) {
            (axis, parts)
        }
    }

    proptest! {
        #[test]
        fn the_whole_has_every_reference_in_its_place((axis, parts) in parts()) {
            let mut shape = parts[0].0.clone();
            shape[axis] = parts.iter().map(|(shape, _)| shape[axis]).sum();
            let mut assembler = ManifestAssembler::new(shape.clone()).unwrap();
            let mut builder = ManifestBuilder::new(shape).unwrap();
            let mut origin = vec![0; 3];
            for (number, (shape, references)) in parts.iter().enumerate() {
                let part = part(shape, references);
                let name = SourceId(u32::try_from(number).unwrap() + 5);
                assembler.place(&part, &origin, &[name]).unwrap();
                part.visit(&mut |indices, reference| {
                    let place: Vec<_> = indices.iter().zip(&origin).map(|(a, b)| a + b).collect();
                    let reference = match reference {
                        ChunkRef::Virtual { offset, length, .. } => {
                            ChunkRef::Virtual { source: name, offset, length }
                        }
                        other => other,
                    };
                    builder.push(&place, reference).unwrap();
                });
                origin[axis] += shape[axis];
            }
            let (whole, expected) = (assembler.finish().unwrap(), builder.finish().unwrap());
            let collect = |manifest: &Manifest| {
                let mut all = Vec::new();
                manifest.visit(&mut |indices, reference| all.push((indices.to_vec(), reference)));
                all
            };
            prop_assert_eq!(collect(&whole), collect(&expected));
            prop_assert_eq!(whole.present(), expected.present());
            prop_assert_eq!(&whole.rows, &expected.rows);
        }
    }

    proptest! {
        /// A part that is cut along an axis and put elsewhere piece by piece, in another order of its pieces.
        #[test]
        fn pieces_are_put_where_they_belong((axis, parts) in parts(), at in 0..4_u64) {
            let (shape, references) = &parts[0];
            let part = part(shape, references);
            let at = at.min(shape[axis]);
            let piece = |from: u64, length: u64, to: u64| {
                let (mut start, mut own, mut origin) = (vec![0; 3], shape.clone(), vec![0; 3]);
                (start[axis], own[axis], origin[axis]) = (from, length, to);
                ManifestPiece { from: start, shape: own, origin }
            };
            let rest = shape[axis] - at;
            let mut assembler = ManifestAssembler::new(shape.clone()).unwrap();
            let pieces = [piece(0, at, rest), piece(at, rest, 0)];
            assembler.place_pieces(&part, &pieces, &[SourceId(0)]).unwrap();
            let turned = assembler.finish().unwrap();
            let mut count = 0;
            part.visit(&mut |indices, reference| {
                let mut place = indices.to_vec();
                place[axis] = if place[axis] < at { place[axis] + rest } else { place[axis] - at };
                assert_eq!(turned.get(&place), reference);
                count += 1;
            });
            prop_assert_eq!(turned.present(), part.present());
            prop_assert!(count >= turned.present());
        }
    }

    #[test]
    fn parts_of_fewer_axes_and_bad_places() {
        let plane = part(&[2], &[Some(1), Some(2)]);
        let mut assembler = ManifestAssembler::new([3, 2]).unwrap();
        assembler.place(&plane, &[2, 0], &[SourceId(7)]).unwrap();
        let outside = assembler.place(&plane, &[3, 0], &[SourceId(7)]);
        assert!(matches!(outside, Err(ManifestError::OutsideGrid { .. })));
        let unknown = assembler.place(&plane, &[0, 0], &[]);
        assert_eq!(unknown, Err(ManifestError::UnknownSource(0)));
        let mut assembler = ManifestAssembler::new([3, 2]).unwrap();
        assembler.place(&plane, &[2, 0], &[SourceId(7)]).unwrap();
        assembler.place(&plane, &[2, 0], &[SourceId(7)]).unwrap();
        assert_eq!(assembler.finish(), Err(ManifestError::Duplicate { chunk_indices: vec![2, 0] }));
        let mut assembler = ManifestAssembler::new([3, 2]).unwrap();
        assembler.place(&plane, &[2, 0], &[SourceId(7)]).unwrap();
        let placed = ChunkRef::Virtual { source: SourceId(7), offset: 2, length: 9 };
        assert_eq!(assembler.finish().unwrap().get(&[2, 1]), placed);
    }
}
