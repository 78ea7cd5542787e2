// SPDX-License-Identifier: MIT OR Apache-2.0
//! What references say, held against each other and against the lengths of their objects.

use std::collections::BTreeMap;

use chunkref_model::provenance::{Contents, Recorded};
use chunkref_model::{Array, ChunkRef, SourceId, WHOLE_OBJECT};
use chunkref_read::are_messages;

use super::{Check, Cube, Failure, chunk_bytes};

/// Most references whose places are compared over all arrays.
const MOST_COMPARED: u64 = 20_000_000;

/// Every reference lies inside its object, and one without codecs has the length of a chunk.
pub(super) fn inside(cube: &Cube<'_>) -> Check {
    let mut check = Check::new("inside", "references");
    for (path, array) in &cube.arrays {
        let plain = chunk_bytes(array).filter(|_| array.codecs.is_empty());
        array.manifest.visit(&mut |chunk_indices, reference| {
            let ChunkRef::Virtual { source, offset, length } = reference else { return };
            check.count(1);
            if let Some(reason) = fault(cube.length(source), offset, length, plain) {
                check.fail(cube.failure(path, chunk_indices, &reference, reason));
            }
        });
    }
    check
}

/// A dimension has one length in all arrays of a group, or no reader makes a dataset of them.
pub(super) fn dimensions(cube: &Cube<'_>) -> Check {
    let mut check = Check::new("dimensions", "arrays");
    let mut known: BTreeMap<(&str, &str), (u64, &str)> = BTreeMap::new();
    for (path, array) in &cube.arrays {
        check.count(1);
        let group = path.rsplit_once('/').map_or("", |(group, _)| group);
        for (name, &length) in array.dimensions.iter().zip(&array.shape) {
            let &mut (other, by) = known.entry((group, name)).or_insert((length, path));
            if other != length {
                let reason =
                    format!("its dimension {name} has length {length}, and that of {by} {other}");
                let array = Some(path.clone());
                check.fail(Failure { array, reason, ..Failure::default() });
                break;
            }
        }
    }
    check
}

fn fault(object: Option<u64>, offset: u64, length: u64, plain: Option<u64>) -> Option<String> {
    let whole = length == WHOLE_OBJECT;
    let length = match object {
        Some(object) if whole => object.saturating_sub(offset),
        _ => length,
    };
    if let Some(object) = object
        && offset.checked_add(length).is_none_or(|end| end > object)
    {
        return Some(format!("it reaches beyond its object of {object} bytes"));
    }
    if length == 0 {
        return Some("it has no bytes".to_owned());
    }
    match plain {
        Some(plain) if plain != length && !(whole && object.is_none()) => {
            Some(format!("it has {length} bytes, and a chunk without codecs has {plain}"))
        }
        _ => None,
    }
}

/// A reference by its place in an object.
#[derive(Clone, Copy)]
struct Place {
    start: u64,
    end: u64,
    array: usize,
    number: u64,
}

/// No two references take part of each other's bytes. That the same bytes are named twice is no fault: links, grids and
/// virtual datasets do it.
pub(super) fn overlaps(cube: &Cube<'_>) -> Check {
    let mut check = Check::new("overlaps", "references");
    let all: u64 = cube.arrays.iter().map(|(_, array)| array.manifest.present()).sum();
    if all <= MOST_COMPARED {
        let arrays: Vec<usize> = (0..cube.arrays.len()).collect();
        compare(cube, &arrays, &mut check);
        return check;
    }
    check.notes.push(format!(
        "with more than {MOST_COMPARED} references, those of each array were compared among themselves only"
    ));
    for array in 0..cube.arrays.len() {
        compare(cube, &[array], &mut check);
    }
    check
}

fn compare(cube: &Cube<'_>, arrays: &[usize], check: &mut Check) {
    let mut places: BTreeMap<SourceId, Vec<Place>> = BTreeMap::new();
    for &number in arrays {
        let Some((_, array)) = cube.arrays.get(number) else { continue };
        let all = 0..array.manifest.count().unwrap_or(u64::MAX);
        array.manifest.visit_numbers(all, &mut |chunk, reference| {
            if let ChunkRef::Virtual { source, offset, length } = reference
                && length != WHOLE_OBJECT
            {
                let end = offset.saturating_add(length);
                let place = Place { start: offset, end, array: number, number: chunk };
                places.entry(source).or_default().push(place);
            }
        });
    }
    let (mut same, mut example, mut unknown) = (0_u64, None, 0_u64);
    for (source, mut places) in places {
        check.count(places.len() as u64);
        places.sort_unstable_by_key(|place| (place.start, place.end));
        let mut reached: Option<Place> = None;
        for place in places {
            if let Some(before) = reached.filter(|before| place.start < before.end) {
                if (place.start, place.end) == (before.start, before.end) {
                    if place.array == before.array {
                        same = same.saturating_add(1);
                        example = example.or(Some((before, place)));
                    }
                } else {
                    match is_message(cube, before) {
                        Some(true) => {}
                        Some(false) => check.fail(overlap(cube, source, before, place)),
                        None => unknown = unknown.saturating_add(1),
                    }
                }
            }
            if reached.is_none_or(|before| before.end < place.end || before.start == place.start) {
                reached = Some(place);
            }
        }
    }
    if unknown > 0 {
        check.notes.push(format!(
            "{unknown} chunks overlap others that this build has no decoder of, which may hold them"
        ));
    }
    if let Some((one, other)) = example {
        let name = |place: Place| describe(cube, place).1;
        let path = cube.arrays.get(one.array).map_or("", |(path, _)| path);
        check.notes.push(format!(
            "{same} chunks read the same bytes as another chunk of their array, such as {:?} and {:?} of {path:?}",
            name(one),
            name(other)
        ));
    }
}

/// Whether a chunk is a message of its own, which holds what smaller references in it are: fields, or grids. `None` when
/// this build has no decoder of it and cannot know.
fn is_message(cube: &Cube<'_>, place: Place) -> Option<bool> {
    cube.arrays.get(place.array).and_then(|(_, array)| are_messages(&array.codecs))
}

fn describe<'a>(cube: &'a Cube<'_>, place: Place) -> (&'a str, Vec<u64>) {
    cube.arrays.get(place.array).map_or(("", Vec::new()), |(path, array)| {
        (path.as_str(), array.manifest.chunk_indices(place.number))
    })
}

fn overlap(cube: &Cube<'_>, source: SourceId, before: Place, place: Place) -> Failure {
    let (path, chunk_indices) = describe(cube, place);
    let (other, other_indices) = describe(cube, before);
    let length = place.end.saturating_sub(place.start);
    let reference = ChunkRef::Virtual { source, offset: place.start, length };
    let reason = format!(
        "its bytes overlap those of chunk {other_indices:?} of {other:?}, which are {} to {}",
        before.start, before.end
    );
    cube.failure(path, &chunk_indices, &reference, reason)
}

/// Every array has the references that it had when the set was written.
pub(super) fn complete(cube: &Cube<'_>) -> Check {
    let mut check = Check::new("complete", "arrays");
    let mut partial = Vec::new();
    for (path, array) in &cube.arrays {
        let Some(known) = cube.recorded.and_then(|recorded| recorded.contents(path)) else {
            if is_partial(array) {
                partial.push(path.as_str());
            }
            continue;
        };
        check.count(1);
        let found = Contents::of(&array.manifest);
        let failure = |reason| {
            let array = Some(path.clone());
            Failure { array, reason, ..Failure::default() }
        };
        if known.references != found.references {
            let gap = first_gap(array);
            let reason = format!(
                "it has {} references, and had {} when it was written{}",
                found.references,
                known.references,
                gap.as_ref().map_or_else(String::new, |gap| format!(
                    "; the first missing chunk is {gap:?}"
                ))
            );
            check.fail(Failure { chunk: gap, ..failure(reason) });
        } else if known.inline_crc32 != found.inline_crc32 {
            let reason = "the bytes of its inline chunks are not those that were written";
            check.fail(Failure { chunk: first_inline(array), ..failure(reason.to_owned()) });
        }
    }
    let there = |path: &str| cube.arrays.iter().any(|(own, _)| own == path);
    let written = cube.recorded.into_iter().flat_map(Recorded::paths);
    for path in written.filter(|path| !there(path)) {
        check.count(1);
        let reason = "it was in the set when that was written, and is not there now".to_owned();
        check.fail(Failure { array: Some(path.to_owned()), reason, ..Failure::default() });
    }
    if let Some(made) = cube.recorded.map(|recorded| &recorded.provenance) {
        if !made.is_complete() {
            let note = "the set was made by an earlier release, which left out what a source failed to give and did not record it: only making it again shows whether it is whole";
            check.notes.push(note.to_owned());
        } else if made.skipped_count() > 0 {
            let kinds: Vec<_> =
                made.skipped.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            check.notes.push(format!(
                "what references cannot say of the sources is not in the set, by kind: {}",
                kinds.join(", ")
            ));
        }
    }
    if !partial.is_empty() {
        let (count, most) = (partial.len(), 5);
        partial.truncate(most);
        check.notes.push(format!(
            "{count} arrays have missing chunks, which read as fill, and the set does not say whether they ever were there: {}{}",
            partial.join(", "),
            if count > most { ", …" } else { "" }
        ));
    }
    check
}

pub(super) fn is_partial(array: &Array) -> bool {
    array.manifest.count().is_some_and(|count| array.manifest.present() < count)
}

/// The first chunk without a reference behind which, or before which, there is one.
fn first_gap(array: &Array) -> Option<Vec<u64>> {
    let count = array.manifest.count()?;
    let mut next = 0_u64;
    let mut gap = None;
    array.manifest.visit_numbers(0..count, &mut |number, _| {
        if gap.is_none() && number != next {
            gap = Some(next);
        }
        next = number.saturating_add(1);
    });
    gap.or((next < count).then_some(next)).map(|number| array.manifest.chunk_indices(number))
}

fn first_inline(array: &Array) -> Option<Vec<u64>> {
    let mut first = None;
    array.manifest.visit(&mut |chunk_indices, reference| {
        if first.is_none() && matches!(reference, ChunkRef::Inline(_)) {
            first = Some(chunk_indices.to_vec());
        }
    });
    first
}
