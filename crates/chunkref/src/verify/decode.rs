// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chunks that are read through their references and decoded.

use std::collections::BTreeSet;

use bytes::Bytes;
use chunkref_core::{Codecs, DecodeError};
use chunkref_model::{Array, ChunkRef, Dataset, SourceId};
use chunkref_read::{Bounds, Open, Wanted, can_decode, decode, fetch};

use super::{Check, Cube, Failure, Sample, chunk_bytes};

/// Stored bytes that are read at a time.
const BATCH_BYTES: u64 = 64 << 20;

/// A chunk that was chosen.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) array: usize,
    pub(super) chunk_indices: Vec<u64>,
    pub(super) source: SourceId,
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Chosen {
    fn reference(&self) -> ChunkRef {
        ChunkRef::Virtual { source: self.source, offset: self.offset, length: self.length }
    }
}

/// The chunks of a sample: of each array its share, evenly spread over its grid and so over its files.
pub(super) fn sample(cube: &Cube<'_>, sample: Sample) -> Vec<Chosen> {
    let mut chosen = Vec::new();
    let mut left = match sample {
        Sample::None => return chosen,
        Sample::Some(count) => count.get() as u64,
        Sample::All => u64::MAX,
    };
    // Arrays with few chunks leave their share to the others.
    let mut arrays: Vec<(usize, u64)> = cube
        .arrays
        .iter()
        .enumerate()
        .map(|(number, (_, array))| (number, virtual_chunks(array)))
        .filter(|(_, chunks)| *chunks > 0)
        .collect();
    arrays.sort_by_key(|&(_, chunks)| chunks);
    let mut rest = arrays.len() as u64;
    for (number, chunks) in arrays {
        let share = chunks.min(left.div_ceil(rest.max(1)));
        (rest, left) = (rest.saturating_sub(1), left.saturating_sub(share));
        let Some((_, array)) = cube.arrays.get(number) else { continue };
        let (mut seen, mut taken) = (0_u64, 0_u64);
        array.manifest.visit(&mut |chunk_indices, reference| {
            let ChunkRef::Virtual { source, offset, length } = reference else { return };
            // The one in the middle of each of `share` equal parts.
            let middle =
                (u128::from(taken) * 2 + 1) * u128::from(chunks) / (u128::from(share.max(1)) * 2);
            if taken < share && u128::from(seen) == middle {
                taken = taken.saturating_add(1);
                let chunk_indices = chunk_indices.to_vec();
                chosen.push(Chosen { array: number, chunk_indices, source, offset, length });
            }
            seen = seen.saturating_add(1);
        });
    }
    chosen
}

fn virtual_chunks(array: &Array) -> u64 {
    let mut chunks = 0_u64;
    array.manifest.visit(&mut |_, reference| {
        chunks = chunks.saturating_add(u64::from(matches!(reference, ChunkRef::Virtual { .. })));
    });
    chunks
}

/// Every inline chunk decodes.
pub(super) fn inline(cube: &Cube<'_>, bounds: &Bounds) -> Check {
    let mut check = Check::new("inline", "chunks");
    let mut unknown = Unknown::default();
    for (path, array) in &cube.arrays {
        let known = can_decode(&codecs(array));
        array.manifest.visit(&mut |chunk_indices, reference| {
            let ChunkRef::Inline(bytes) = &reference else { return };
            if check.ended.is_some() {
                return;
            }
            if !known {
                unknown.add(format!("no decoder of {}", names(array)));
                return;
            }
            let outcome = decoded(array, bytes.clone(), bounds).map(drop);
            let failure = |reason| cube.failure(path, chunk_indices, &reference, reason);
            settle(&mut check, &mut unknown, outcome, failure);
        });
    }
    unknown.note(&mut check);
    check
}

/// Reads the chosen chunks and decodes them.
pub(super) async fn chunks(cube: &Cube<'_>, objects: &dyn Open, chosen: &[Chosen]) -> Check {
    let mut check = Check::new("decode", "chunks");
    let mut unknown = Unknown::default();
    let mut left_out = 0_u64;
    let wanted: Vec<&Chosen> = chosen
        .iter()
        .filter(|chosen| {
            let Some((_, array)) = cube.arrays.get(chosen.array) else { return false };
            let known = can_decode(&codecs(array));
            if !known {
                unknown.add(format!("no decoder of {}", names(array)));
            }
            let sound = !cube.unsound.contains(&chosen.source);
            left_out = left_out.saturating_add(u64::from(known && !sound));
            known && sound
        })
        .collect();
    let mut rest = wanted.as_slice();
    while !rest.is_empty() {
        let mut bytes = 0_u64;
        let count = rest.iter().take_while(|chosen| {
            let first = bytes == 0;
            bytes = bytes.saturating_add(chosen.length.min(BATCH_BYTES)).max(1);
            first || bytes <= BATCH_BYTES
        });
        let (batch, later) = rest.split_at(count.count().max(1).min(rest.len()));
        rest = later;
        let read = read(cube.dataset, objects, batch).await;
        // As the time to read, the time to decode is that of each batch.
        let bounds = objects.bounds();
        for (chosen, stored) in read {
            let Some((path, array)) = cube.arrays.get(chosen.array) else { continue };
            let outcome = match stored {
                Ok(stored) => decoded(array, stored, &bounds).map(drop),
                Err(reason) => Err(DecodeError::Damaged(reason)),
            };
            let (chunk_indices, reference) = (&chosen.chunk_indices, chosen.reference());
            let failure = |reason| cube.failure(path, chunk_indices, &reference, reason);
            settle(&mut check, &mut unknown, outcome, failure);
            if check.ended.is_some() {
                rest = &[];
                break;
            }
        }
    }
    unknown.note(&mut check);
    if left_out > 0 {
        check.unchecked = check.unchecked.saturating_add(left_out);
        check.notes.push(format!("{left_out} chunks of sources that failed above were not read"));
    }
    check
}

/// Chunks that this build cannot decode: whether they are right is not known.
#[derive(Debug, Default)]
struct Unknown {
    chunks: u64,
    reasons: BTreeSet<String>,
}

impl Unknown {
    fn add(&mut self, reason: String) {
        self.chunks = self.chunks.saturating_add(1);
        self.reasons.insert(reason);
    }

    fn note(&self, check: &mut Check) {
        if self.chunks == 0 {
            return;
        }
        check.unchecked = check.unchecked.saturating_add(self.chunks);
        let reasons: Vec<_> = self.reasons.iter().map(String::as_str).collect();
        let reasons = reasons.join("; ");
        check.notes.push(match (self.chunks, check.checked) {
            (1, 0) => {
                format!("the one chunk was not decoded, because this build cannot: {reasons}")
            }
            (all, 0) => {
                format!(
                    "none of the {all} chunks was decoded, because this build cannot: {reasons}"
                )
            }
            (some, checked) => format!(
                "{some} of {} chunks were not decoded, because this build cannot: {reasons}",
                some.saturating_add(checked)
            ),
        });
    }
}

/// Counts a chunk that was decoded, and what came of it.
fn settle(
    check: &mut Check,
    unknown: &mut Unknown,
    outcome: Result<(), DecodeError>,
    failure: impl FnOnce(String) -> Failure,
) {
    match outcome {
        Ok(()) => check.count(1),
        Err(DecodeError::Cancelled(cancelled)) => check.ended = Some(cancelled),
        Err(DecodeError::Damaged(reason)) => {
            check.fail(failure(reason));
            check.count(1);
        }
        Err(other) => unknown.add(other.to_string()),
    }
}

/// Codecs that cannot be told apart, where there are such: no chunk is decoded then, whatever its codec.
pub(super) fn colliding() -> Option<Check> {
    let error = Codecs::linked().err()?;
    let mut check = Check::new("codecs", "programs");
    check.count(1);
    check.fail(Failure { reason: error.to_string(), ..Failure::default() });
    Some(check)
}

/// The stored bytes of chunks.
async fn read<'a>(
    dataset: &Dataset,
    objects: &dyn Open,
    batch: &[&'a Chosen],
) -> Vec<(&'a Chosen, Result<Bytes, String>)> {
    let (mut known, mut wanted, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
    for chosen in batch {
        match dataset.source(chosen.source) {
            Some(source) => {
                known.push(*chosen);
                wanted.push(Wanted { source, offset: chosen.offset, length: chosen.length });
            }
            None => outcomes.push((*chosen, Err("there is no such source".to_owned()))),
        }
    }
    for fetched in fetch(objects, &wanted).await {
        let chosen = fetched.places.iter().filter_map(|&place| known.get(place).copied());
        match fetched.outcome {
            Ok(stored) => outcomes.extend(chosen.zip(stored).map(|(chosen, stored)| {
                (chosen, stored.ok_or_else(|| "it reaches beyond its object".to_owned()))
            })),
            Err(error) => outcomes.extend(chosen.map(|chosen| (chosen, Err(error.to_string())))),
        }
    }
    outcomes
}

/// The codecs behind the one that makes bytes of elements of variable length.
fn codecs(array: &Array) -> Vec<chunkref_model::Codec> {
    let variable = array.dtype.length_bytes().is_none();
    let codecs =
        array.codecs.iter().filter(|codec| !(variable && codec.name().starts_with("vlen-")));
    codecs.cloned().collect()
}

fn names(array: &Array) -> String {
    let names: Vec<_> = codecs(array).iter().map(|codec| codec.name().to_owned()).collect();
    names.join(" + ")
}

/// The values of a stored chunk, which must be all of them.
pub(super) fn decoded(array: &Array, stored: Bytes, bounds: &Bounds) -> Result<Bytes, DecodeError> {
    bounds.cancellation.check()?;
    let codecs = codecs(array);
    let Some(needed) = chunk_bytes(array) else {
        let most = usize::try_from(bounds.decoded_chunk_bytes).unwrap_or(usize::MAX);
        let bytes = decode(&codecs, stored, &bounds.context(most))?;
        check_variable(array, &bytes)?;
        return Ok(bytes);
    };
    if let Some(reason) = bounds.refusal(&codecs, needed) {
        return Err(DecodeError::Damaged(reason));
    }
    let too_large = |_| DecodeError::unsupported("its chunks do not fit in memory");
    let needed = usize::try_from(needed).map_err(too_large)?;
    let bytes = decode(&codecs, stored, &bounds.context(needed))?;
    if bytes.len() == needed {
        Ok(bytes)
    } else {
        let found = bytes.len();
        Err(DecodeError::Damaged(format!(
            "it decodes to {found} bytes, and its shape needs {needed}"
        )))
    }
}

/// Elements of variable length: their number, and of each its length and bytes; numbers of 32 bits, lowest byte first.
fn check_variable(array: &Array, bytes: &Bytes) -> Result<(), DecodeError> {
    let short = || DecodeError::damaged("its elements end early");
    let (count, mut rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
    let count = u32::from_le_bytes(*count);
    let mut shape = array.chunk_grid.chunk_shape().iter();
    let elements =
        shape.try_fold(1_u64, |all, &length| all.checked_mul(length)).unwrap_or(u64::MAX);
    if u64::from(count) != elements {
        let reason = format!("it has {count} elements, and its shape needs {elements}");
        return Err(DecodeError::Damaged(reason));
    }
    for _ in 0..count {
        let (length, behind) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        rest = behind.get(length..).ok_or_else(short)?;
    }
    Ok(())
}

impl Failure {
    /// A fault of an object as a whole.
    pub(super) fn of_source(url: String, reason: String) -> Self {
        Self { url: Some(url), reason, ..Self::default() }
    }
}
