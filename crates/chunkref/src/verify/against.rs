// SPDX-License-Identifier: MIT OR Apache-2.0
//! References held against a new scan of their sources: each names a chunk that is there, and all chunks of one source
//! are moved by the same way into the cube.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chunkref_core::{ScanError, ScanErrorKind, ScanOptions};
use chunkref_model::{Array, ChunkRef, Dataset, SourceId};
use chunkref_read::Open;
use chunkref_store::{AccessPolicy, Location, OpenOptions, Stores};

use super::decode::Chosen;
use super::{Check, Cube, Failure, values};

/// Scans the sources of the sampled chunks again, and compares all references to them.
pub(super) async fn sources(
    cube: &Cube<'_>,
    reading: (&Stores, &AccessPolicy),
    objects: &dyn Open,
    sample: &[Chosen],
    scanning: &ScanOptions,
) -> Vec<Check> {
    let mut check = Check::new("against-source", "chunks");
    let mut read = Check::new("values", "chunks");
    values::note(&mut read);
    let wanted: BTreeSet<SourceId> = sample
        .iter()
        .map(|chosen| chosen.source)
        .filter(|source| !cube.unsound.contains(source))
        .collect();
    let mut references = references(cube, &wanted);
    let scanned = wanted.len();
    let mut elsewhere = BTreeSet::new();
    for id in wanted {
        let url = cube.url(id);
        let (format, scan) = match scan(reading, &url, scanning).await {
            Ok(scanned) => scanned,
            Err(error) => {
                let reason = format!("it cannot be scanned again: {}", causes(&error));
                check.fail(Failure::of_source(url, reason));
                continue;
            }
        };
        let known = Known::of(&scan);
        for (number, chunks) in references.remove(&id).unwrap_or_default() {
            let Some((path, array)) = cube.arrays.get(number) else { continue };
            let own_path = Some(path).filter(|path| scan.array(path).is_some());
            let own_path = own_path.or_else(|| known.by_name(path));
            let Some((own_path, own)) = own_path.and_then(|path| Some((path, scan.array(path)?)))
            else {
                elsewhere.insert(path.as_str());
                continue;
            };
            let Some(shift) = compare(cube, id, (path, array), own, &chunks, &mut check) else {
                continue;
            };
            let pair = Pair { source: id, number, format, own_path, own, shift };
            values::compare(cube, objects, sample, &pair, &mut read).await;
        }
    }
    let options: Vec<_> =
        scanning.format_options.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let with = if options.is_empty() {
        "with default options".to_owned()
    } else {
        format!("with {}", options.join(", "))
    };
    check.notes.push(format!("{scanned} sources were scanned again, {with}"));
    if !elsewhere.is_empty() {
        let names: Vec<_> = elsewhere.into_iter().take(5).collect();
        check.notes.push(format!(
            "arrays that their sources do not have under that name were not compared, such as {}",
            names.join(", ")
        ));
    }
    vec![check, read]
}

/// An array of the cube beside that of one source.
pub(super) struct Pair<'a> {
    pub(super) source: SourceId,
    /// The array of the cube.
    pub(super) number: usize,
    /// The format of the source.
    pub(super) format: &'static str,
    pub(super) own_path: &'a str,
    pub(super) own: &'a Array,
    pub(super) shift: Shift,
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    text
}

async fn scan(
    (stores, policy): (&Stores, &AccessPolicy),
    url: &str,
    options: &ScanOptions,
) -> Result<(&'static str, Dataset), ScanError> {
    let failed = |error| ScanError::from_source(error, None);
    let location = Location::parse(url).map_err(failed)?;
    // Chunks that the references hold by their places must not become inline ones here.
    let options = crate::options_within(stores, options).with_inline_threshold(0);
    let opening = OpenOptions::default().with_allowed_outside(&options.allow_outside);
    let opened = stores.open_within(policy, &location, &opening).await.map_err(failed)?;
    let registry = crate::registry()
        .map_err(|error| ScanError::new(ScanErrorKind::InvalidOption, url, error))?;
    let entry = crate::choose(&registry, &opened.source, &options).await?;
    Ok((entry.name, entry.scan(&opened.source, &options).await?.dataset))
}

/// A chunk of the cube: its place in the grid, and offset and length in its source.
type Chunk = (Vec<u64>, u64, u64);

/// The chunks of the cube by source and array.
fn references(
    cube: &Cube<'_>,
    wanted: &BTreeSet<SourceId>,
) -> BTreeMap<SourceId, BTreeMap<usize, Vec<Chunk>>> {
    let mut all: BTreeMap<SourceId, BTreeMap<usize, Vec<Chunk>>> = BTreeMap::new();
    for (number, (_, array)) in cube.arrays.iter().enumerate() {
        array.manifest.visit(&mut |chunk_indices, reference| {
            if let ChunkRef::Virtual { source, offset, length } = reference
                && wanted.contains(&source)
            {
                let chunks = all.entry(source).or_default().entry(number).or_default();
                chunks.push((chunk_indices.to_vec(), offset, length));
            }
        });
    }
    all
}

/// Where the chunks of a source are.
struct Known {
    /// Arrays by the last part of their path, where only one has it.
    names: HashMap<String, Option<String>>,
}

impl Known {
    fn of(scan: &Dataset) -> Self {
        let mut names: HashMap<String, Option<String>> = HashMap::new();
        for (path, _) in scan.arrays() {
            let name = last(&path).to_owned();
            names.entry(name).and_modify(|known| *known = None).or_insert(Some(path));
        }
        Self { names }
    }

    fn by_name(&self, path: &str) -> Option<&String> {
        self.names.get(last(path))?.as_ref()
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// How far a chunk of a source is moved into the cube, and where along the axes that the cube has before.
pub(super) type Shift = (Vec<u64>, Vec<i128>);

fn shift(cube: &[u64], own: &[u64]) -> Option<Shift> {
    let (before, along) = cube.split_at_checked(cube.len().checked_sub(own.len())?)?;
    let moved = along.iter().zip(own).map(|(&to, &from)| i128::from(to) - i128::from(from));
    Some((before.to_vec(), moved.collect()))
}

/// Compares the references of one array into one source with the source's own; how most of them are moved.
fn compare(
    cube: &Cube<'_>,
    id: SourceId,
    (path, array): (&str, &Array),
    own: &Array,
    chunks: &[Chunk],
    check: &mut Check,
) -> Option<Shift> {
    let mut places: HashMap<(u64, u64), Vec<u64>> = HashMap::new();
    let mut ranges = Vec::new();
    own.manifest.visit(&mut |chunk_indices, reference| {
        if let ChunkRef::Virtual { offset, length, .. } = reference {
            places.insert((offset, length), chunk_indices.to_vec());
            ranges.push((offset, offset.saturating_add(length)));
        }
    });
    ranges.sort_unstable();
    let mut shifts: Vec<(&Chunk, &Vec<u64>, Shift)> = Vec::new();
    let mut votes: HashMap<Shift, u64> = HashMap::new();
    for chunk in chunks {
        check.count(1);
        let (indices, offset, length) = chunk;
        let fail = |reason: String| {
            let reference = ChunkRef::Virtual { source: id, offset: *offset, length: *length };
            cube.failure(path, indices, &reference, reason)
        };
        if let Some(place) = places.get(&(*offset, *length)) {
            let Some(shift) = shift(indices, place) else {
                let reason = format!(
                    "its array has {} axes, and that of the source {}",
                    array.shape.len(),
                    own.shape.len()
                );
                check.fail(fail(reason));
                continue;
            };
            let voices = votes.entry(shift.clone()).or_default();
            *voices = voices.saturating_add(1);
            shifts.push((chunk, place, shift));
            continue;
        }
        let end = offset.saturating_add(*length);
        let before = ranges.partition_point(|(start, _)| start <= offset);
        let around = before.checked_sub(1).and_then(|place| ranges.get(place));
        match around {
            // A part of an uncompressed chunk, as combining cuts them.
            Some((_, reach)) if end <= *reach && own.codecs.is_empty() => {}
            Some((start, reach)) if offset < reach => check.fail(fail(format!(
                "the source has no such chunk of {:?}: the one here is bytes {start} to {reach}",
                last(path)
            ))),
            _ => check.fail(fail(format!("the source has no chunk of {:?} there", last(path)))),
        }
    }
    // The first of those with most voices, so that the outcome does not depend on the order of a table.
    let most = votes.values().copied().max().unwrap_or_default();
    let usual = shifts.iter().find(|(.., shift)| votes.get(shift) == Some(&most));
    let usual = usual.map(|(.., shift)| shift.clone())?;
    for ((indices, offset, length), place, shift) in &shifts {
        if *shift == usual {
            continue;
        }
        let reference = ChunkRef::Virtual { source: id, offset: *offset, length: *length };
        let reason = format!(
            "it is chunk {place:?} of the source, which is not the one that belongs here by the others of that source"
        );
        check.fail(cube.failure(path, indices, &reference, reason));
    }
    lost(cube, id, (path, array), own, &usual, check);
    Some(usual)
}

/// Chunks of the source that the cube has no reference to, where they belong.
fn lost(
    cube: &Cube<'_>,
    id: SourceId,
    (path, array): (&str, &Array),
    own: &Array,
    (before, moved): &Shift,
    check: &mut Check,
) {
    own.manifest.visit(&mut |chunk_indices, reference| {
        let ChunkRef::Virtual { offset, length, .. } = reference else { return };
        let along = chunk_indices.iter().zip(moved);
        let along =
            along.map(|(&own, &moved)| u64::try_from(i128::from(own).saturating_add(moved)).ok());
        let place =
            before.iter().map(|&index| Some(index)).chain(along).collect::<Option<Vec<_>>>();
        let Some(place) = place.filter(|place| array.manifest.chunk_number(place).is_some()) else {
            return;
        };
        if array.manifest.get(&place) == ChunkRef::Missing {
            let there = ChunkRef::Virtual { source: id, offset, length };
            let reason = "the source has this chunk, and there is no reference to it";
            check.fail(cube.failure(path, &place, &there, reason));
        }
    });
}
