// SPDX-License-Identifier: MIT OR Apache-2.0
//! The references of one array into one source, beside those of the source itself.

use std::collections::{HashMap, HashSet};

use chunkref_model::array_values::element_bytes;
use chunkref_model::{Array, ChunkRef, Dataset, SourceId};
use chunkref_read::{Open, read_region};

use super::placement::{Placement, last};
use super::{Check, Cube, Failure};

/// Most bytes of a chunk's values.
const MOST_BYTES: u64 = 1 << 30;

/// A chunk of the cube: its place in the grid, and offset and length in its source.
pub(super) type Chunk = (Vec<u64>, u64, u64);

/// The places of the chunks of a source, by offset and length.
type Ranges = HashMap<(u64, u64), Vec<u64>>;

/// Whether a chunk of the cube and one of a source hold the same values.
pub(super) async fn same_values(
    (cube, path, cell): (&Dataset, &str, &[u64]),
    (scan, own_path, place): (&Dataset, &str, &[u64]),
    objects: &dyn Open,
) -> bool {
    let region = |dataset: &Dataset, path: &str, place: &[u64]| {
        let array = dataset.array(path)?;
        let chunks = array.chunk_grid.chunk_shape().iter().zip(&array.shape);
        let ranges = place.iter().zip(chunks).map(|(&index, (&chunk, &length))| {
            let start = index.checked_mul(chunk)?;
            Some(start..start.checked_add(chunk)?.min(length))
        });
        ranges.collect::<Option<Vec<_>>>()
    };
    let regions = (region(cube, path, cell), region(scan, own_path, place));
    let (Some(there), Some(here)) = regions else { return false };
    let there = read_region(cube, objects, path, &there, MOST_BYTES).await;
    let here = read_region(scan, objects, own_path, &here, MOST_BYTES).await;
    matches!((there, here), (Ok(there), Ok(here)) if there == here)
}

/// An array of the cube beside that of one source, and where that belongs.
pub(super) struct Beside<'a> {
    pub(super) cube: &'a Cube<'a>,
    pub(super) id: SourceId,
    pub(super) path: &'a str,
    pub(super) array: &'a Array,
    pub(super) own: &'a Array,
    pub(super) placement: &'a Placement,
    /// Whether the source has several steps along dimensions that its array lacks, so that one chunk is in several places.
    pub(super) repeated: bool,
}

/// A chunk of the source that one of the cube is, or is a part of.
struct Found<'a> {
    /// Its place in the source.
    place: &'a [u64],
    /// Bytes of it that lie before the part.
    before: u64,
}

/// What came of one array beside that of one source.
pub(super) struct Compared {
    /// How chunks are moved along axes whose places are not computed, where some chunk says so.
    pub(super) usual: Option<Shift>,
    /// Chunks in places that are not theirs by the coordinates of the source.
    pub(super) misplaced: Vec<(Vec<u64>, Failure)>,
    /// Chunks of the cube that another source gives, with the chunk of this one that belongs there.
    pub(super) others: Vec<(Vec<u64>, Vec<u64>)>,
}

/// How chunks are moved along axes whose places are not computed, axis by axis.
pub(super) type Shift = Vec<i128>;

impl Beside<'_> {
    /// Compares the references of one array into one source with the source's own.
    /// `claimed` are the cells that other sources have, where one of several at one place counts.
    pub(super) fn compare(
        &self,
        chunks: &[Chunk],
        claimed: Option<&mut HashSet<Vec<u64>>>,
        check: &mut Check,
    ) -> Compared {
        let (mut misplaced, mut others) = (Vec::new(), Vec::new());
        let (mut places, mut ranges) = (Ranges::new(), Vec::new());
        self.own.manifest.visit(&mut |chunk_indices, reference| {
            if let ChunkRef::Virtual { offset, length, .. } = reference {
                places.insert((offset, length), chunk_indices.to_vec());
                ranges.push((offset, offset.saturating_add(length), chunk_indices.to_vec()));
            }
        });
        ranges.sort_unstable();
        let Some(lacking) = self.array.shape.len().checked_sub(self.own.shape.len()) else {
            for chunk in chunks {
                let reason = format!(
                    "its array has {} axes, and that of the source {}",
                    self.array.shape.len(),
                    self.own.shape.len()
                );
                check.fail(self.failure(chunk, reason));
            }
            return Compared { usual: None, misplaced, others };
        };
        let mut shifts: Vec<(&Chunk, &[u64], Shift)> = Vec::new();
        let mut votes: HashMap<Shift, u64> = HashMap::new();
        for chunk in chunks {
            check.count(1);
            let found = match self.find(chunk, &places, &ranges) {
                Ok(found) => found,
                Err(reason) => {
                    check.fail(self.failure(chunk, reason));
                    continue;
                }
            };
            if let Some(shift) = self.shift(lacking, chunk, &found) {
                let voices = votes.entry(shift.clone()).or_default();
                *voices = voices.saturating_add(1);
                shifts.push((chunk, found.place, shift));
            } else {
                let reason = format!(
                    "it is chunk {:?} of the source, whose coordinates are those of another place",
                    found.place
                );
                misplaced.push((chunk.0.clone(), self.failure(chunk, reason)));
            }
        }
        // The first of those with most voices, so that the outcome does not depend on the order of a table.
        let most = votes.values().copied().max().unwrap_or_default();
        let usual = shifts.iter().find(|(.., shift)| votes.get(shift) == Some(&most));
        let usual = usual.map(|(.., shift)| shift.clone());
        for (chunk, place, shift) in &shifts {
            if Some(shift) != usual.as_ref() {
                let reason = format!(
                    "it is chunk {place:?} of the source, which is not the one that belongs here by the others of that source"
                );
                check.fail(self.failure(chunk, reason));
            }
        }
        let taken = claimed.map(|claimed| self.claim(lacking, usual.as_ref(), claimed));
        self.lost(lacking, usual.as_ref(), &taken.unwrap_or_default(), &mut others, check);
        Compared { usual, misplaced, others }
    }

    fn failure(&self, (indices, offset, length): &Chunk, reason: String) -> Failure {
        let reference = ChunkRef::Virtual { source: self.id, offset: *offset, length: *length };
        self.cube.failure(self.path, indices, &reference, reason)
    }

    /// The chunk of the source that has these bytes.
    fn find<'r>(
        &self,
        (_, offset, length): &Chunk,
        places: &'r Ranges,
        ranges: &'r [(u64, u64, Vec<u64>)],
    ) -> Result<Found<'r>, String> {
        if let Some(place) = places.get(&(*offset, *length)) {
            return Ok(Found { place, before: 0 });
        }
        let end = offset.saturating_add(*length);
        let before = ranges.partition_point(|(start, ..)| start <= offset);
        let around = before.checked_sub(1).and_then(|place| ranges.get(place));
        let name = last(self.path);
        match around {
            // A part of an uncompressed chunk, as combining cuts them.
            Some((start, reach, place)) if end <= *reach && self.own.codecs.is_empty() => {
                Ok(Found { place, before: offset.saturating_sub(*start) })
            }
            Some((start, reach, _)) if offset < reach => Err(format!(
                "the source has no such chunk of {name:?}: the one here is bytes {start} to {reach}"
            )),
            _ => Err(format!("the source has no chunk of {name:?} there")),
        }
    }

    /// How a chunk is moved along the axes whose places are not computed; `None` when it is not where it belongs along
    /// the others.
    fn shift(
        &self,
        lacking: usize,
        (indices, _, length): &Chunk,
        found: &Found<'_>,
    ) -> Option<Shift> {
        let mut shift = Shift::new();
        for (axis, (name, &index)) in self.array.dimensions.iter().zip(indices).enumerate() {
            let chunk = *self.array.chunk_grid.chunk_shape().get(axis)?;
            let places = self.placement.along(name, self.path);
            let Some(own_axis) = axis.checked_sub(lacking) else {
                match places {
                    Some(places) if !places.contains(&Some(index.saturating_mul(chunk))) => {
                        return None;
                    }
                    Some(_) => {}
                    None if self.repeated => {}
                    None => shift.push(index.into()),
                }
                continue;
            };
            let own_index = *found.place.get(own_axis)?;
            let own_chunk = *self.own.chunk_grid.chunk_shape().get(own_axis)?;
            let inside = if own_chunk == chunk {
                0
            } else {
                // Cut along this axis: steps of the chunk that lie before the part.
                found.before.checked_mul(chunk)?.checked_div(*length)?
            };
            let step = own_index.checked_mul(own_chunk)?.checked_add(inside)?;
            match places {
                Some(places) => {
                    let place = places.get(usize::try_from(step).ok()?).copied().flatten()?;
                    if place != index.saturating_mul(chunk) {
                        return None;
                    }
                }
                None => {
                    shift.push(i128::from(index.saturating_mul(chunk)).saturating_sub(step.into()));
                }
            }
        }
        Some(shift)
    }

    /// Chunks of the source that the cube has no reference to, where they belong; and missing chunks of the source that
    /// read as another value in the cube.
    fn lost(
        &self,
        lacking: usize,
        usual: Option<&Shift>,
        taken: &HashSet<Vec<u64>>,
        others: &mut Vec<(Vec<u64>, Vec<u64>)>,
        check: &mut Check,
    ) {
        // Without a chunk that says so, axes that are not computed are taken to be those of the source.
        let own = self.own.dimensions.iter().zip(&self.own.shape).collect::<Vec<_>>();
        let guessed = self.array.dimensions.iter().zip(&self.array.shape).all(|(name, length)| {
            self.placement.along(name, self.path).is_some() || own.contains(&(name, length))
        });
        if usual.is_none() && !guessed {
            return;
        }
        let mut there = 0_u64;
        self.own.manifest.visit(&mut |chunk_indices, reference| {
            there = there.saturating_add(1);
            let ChunkRef::Virtual { offset, length, .. } = reference else { return };
            for cell in self.cells(lacking, chunk_indices, usual) {
                if self.array.manifest.chunk_number(&cell).is_none() || taken.contains(&cell) {
                    continue;
                }
                match self.array.manifest.get(&cell) {
                    ChunkRef::Missing => {
                        let reason = "the source has this chunk, and there is no reference to it";
                        check.fail(self.failure(&(cell, offset, length), reason.to_owned()));
                    }
                    ChunkRef::Virtual { source, .. } if source != self.id => {
                        others.push((cell, chunk_indices.to_vec()));
                    }
                    _ => {}
                }
            }
        });
        let chunks = self.own.manifest.count().unwrap_or_default();
        let fill = |array: &Array| element_bytes(&array.dtype, array.fill_value.as_ref());
        let fills_differ = self.own.fill_value != self.array.fill_value
            && (fill(self.own) != fill(self.array) || self.own.dtype != self.array.dtype);
        if fills_differ && there < chunks {
            self.filled_otherwise(lacking, usual, chunks, check);
        }
    }

    /// The chunk of the source that belongs in each cell of the cube.
    pub(super) fn expected(&self, usual: Option<&Shift>) -> HashMap<Vec<u64>, Vec<u64>> {
        let mut expected = HashMap::new();
        let Some(lacking) = self.array.shape.len().checked_sub(self.own.shape.len()) else {
            return expected;
        };
        for number in 0..self.own.manifest.count().unwrap_or_default() {
            let place = self.own.manifest.chunk_indices(number);
            for cell in self.cells(lacking, &place, usual) {
                expected.insert(cell, place.clone());
            }
        }
        expected
    }

    /// Takes the cells of the source, and says which of them another one had before.
    fn claim(
        &self,
        lacking: usize,
        usual: Option<&Shift>,
        claimed: &mut HashSet<Vec<u64>>,
    ) -> HashSet<Vec<u64>> {
        let chunks = self.own.manifest.count().unwrap_or_default();
        let cells = (0..chunks).flat_map(|number| {
            self.cells(lacking, &self.own.manifest.chunk_indices(number), usual)
        });
        let own: HashSet<Vec<u64>> = cells.collect();
        let taken = own.intersection(claimed).cloned().collect();
        claimed.extend(own);
        taken
    }

    /// The first chunk that neither the source nor the cube has, where both read as another value.
    fn filled_otherwise(
        &self,
        lacking: usize,
        usual: Option<&Shift>,
        chunks: u64,
        check: &mut Check,
    ) {
        for number in 0..chunks {
            let chunk_indices = self.own.manifest.chunk_indices(number);
            if self.own.manifest.get(&chunk_indices) != ChunkRef::Missing {
                continue;
            }
            for cell in self.cells(lacking, &chunk_indices, usual) {
                let inside = self.array.manifest.chunk_number(&cell).is_some();
                if inside && self.array.manifest.get(&cell) == ChunkRef::Missing {
                    let reason = format!(
                        "chunk {chunk_indices:?} of the source is missing and reads as {:?}, and here as {:?}",
                        self.own.fill_value, self.array.fill_value
                    );
                    let failure = self.cube.failure(self.path, &cell, &ChunkRef::Missing, reason);
                    check.fail(Failure { url: Some(self.cube.url(self.id)), ..failure });
                    return;
                }
            }
        }
    }

    /// The chunks of the cube that a chunk of the source fills.
    fn cells(&self, lacking: usize, chunk_indices: &[u64], usual: Option<&Shift>) -> Vec<Vec<u64>> {
        let mut cells: Vec<Vec<u64>> = vec![Vec::new()];
        // Axes that are not computed are those whose names have no places, or that the source has not by that name.
        let mut moved = usual.into_iter().flatten();
        for (axis, name) in self.array.dimensions.iter().enumerate() {
            let chunk = self.array.chunk_grid.chunk_shape().get(axis).copied().unwrap_or(1).max(1);
            let own = axis.checked_sub(lacking).and_then(|axis| {
                let own_chunk = *self.own.chunk_grid.chunk_shape().get(axis)?;
                let start = chunk_indices.get(axis)?.checked_mul(own_chunk)?;
                let end = start.checked_add(own_chunk)?.min(*self.own.shape.get(axis)?);
                Some((start, end))
            });
            let mut along: Vec<u64> = match (self.placement.along(name, self.path), own) {
                (Some(places), None) => places.iter().copied().flatten().collect(),
                (Some(places), Some((start, end))) => (start..end)
                    .filter_map(|step| places.get(usize::try_from(step).ok()?).copied().flatten())
                    .map(|place| place / chunk)
                    .collect(),
                (None, own) => {
                    let moved = moved.next().copied().unwrap_or_default();
                    let (start, end) = own.unwrap_or((0, 1));
                    let to = |step: u64| u64::try_from(i128::from(step).saturating_add(moved)).ok();
                    match (to(start), to(end.saturating_sub(1))) {
                        (Some(start), Some(end)) => (start / chunk..=end / chunk).collect(),
                        _ => Vec::new(),
                    }
                }
            };
            along.dedup();
            cells = cells
                .iter()
                .flat_map(|cell| {
                    along.iter().map(move |&place| cell.iter().copied().chain([place]).collect())
                })
                .collect();
        }
        cells
    }
}
