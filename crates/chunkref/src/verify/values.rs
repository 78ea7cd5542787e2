// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of sampled chunks held against what another library reads in their place of the source.

use std::ops::Range;

use chunkref_core::ValueReaderEntry;
use chunkref_model::{Array, ChunkRef};
use chunkref_read::{Open, Values, read_region};
use chunkref_store::Location;

use super::against::Pair;
use super::decode::Chosen;
use super::{Check, Cube};

/// Most bytes of a chunk's values.
const MOST_BYTES: u64 = 1 << 30;

/// Says which formats' values no second library reads.
pub(super) fn note(check: &mut Check) {
    if ValueReaderEntry::linked().next().is_none() {
        check.notes.push("this build has no second library that reads values".to_owned());
    }
}

/// Whether a second library reads values of a format.
pub(super) fn are_read(format: &str) -> bool {
    ValueReaderEntry::linked().any(|entry| entry.format == format)
}

/// Compares the sampled chunks of one array in one source of this machine, as each library reads them that is linked in
/// for its format.
pub(super) async fn compare(
    cube: &Cube<'_>,
    objects: &dyn Open,
    sample: &[Chosen],
    pair: &Pair<'_>,
    check: &mut Check,
) {
    let location = Location::parse(&cube.url(pair.source)).ok();
    let path = location.as_ref().and_then(Location::local_path);
    let (Some(path), Some((name, array))) = (path, cube.arrays.get(pair.number)) else {
        return;
    };
    if array.dtype != pair.own.dtype {
        return;
    }
    let own = |chosen: &&Chosen| chosen.array == pair.number && chosen.source == pair.source;
    for entry in ValueReaderEntry::linked().filter(|entry| entry.format == pair.format) {
        for chosen in sample.iter().filter(own) {
            let place = pair.expected.get(&chosen.chunk_indices);
            let Some((region, there)) =
                place.and_then(|place| regions(array, pair.own, &chosen.chunk_indices, place))
            else {
                continue;
            };
            let library = entry.library;
            let expected = match (entry.read)(path, pair.own_path, &there, &array.dtype) {
                Ok(Some(expected)) => expected,
                Ok(None) => continue,
                Err(error) => {
                    let note =
                        format!("{library} does not read {name:?} of {}: {error}", path.display());
                    if !check.notes.contains(&note) {
                        check.notes.push(note);
                    }
                    continue;
                }
            };
            check.count(1);
            let reason = match read_region(cube.dataset, objects, name, &region, MOST_BYTES).await {
                Ok(Values::Fixed(found)) if found == expected => continue,
                Ok(_) => format!("its values are not those that {library} reads in {there:?}"),
                Err(error) => error.to_string(),
            };
            let (source, offset, length) = (chosen.source, chosen.offset, chosen.length);
            let reference = ChunkRef::Virtual { source, offset, length };
            check.fail(cube.failure(name, &chosen.chunk_indices, &reference, reason));
        }
    }
}

type Region = Vec<Range<u64>>;

/// Where a chunk of the cube is in the cube, and in the source; as far as both arrays reach.
fn regions(cube: &Array, own: &Array, indices: &[u64], place: &[u64]) -> Option<(Region, Region)> {
    let lacking = cube.shape.len().checked_sub(own.shape.len())?;
    let chunk = cube.chunk_grid.chunk_shape();
    let (mut region, mut there) = (Vec::new(), Vec::new());
    for (axis, ((&index, &chunk), &length)) in
        indices.iter().zip(chunk).zip(&cube.shape).enumerate()
    {
        let start = index.checked_mul(chunk)?;
        let end = start.checked_add(chunk)?.min(length);
        let Some(along) = axis.checked_sub(lacking) else {
            region.push(start..end);
            continue;
        };
        // The grids differ where chunks were cut; then places of chunks say nothing of elements.
        if own.chunk_grid.chunk_shape().get(along) != Some(&chunk) {
            return None;
        }
        let own_start = place.get(along)?.checked_mul(chunk)?;
        let own_end = own_start.checked_add(chunk)?.min(*own.shape.get(along)?);
        let count = end.checked_sub(start)?.min(own_end.checked_sub(own_start)?);
        region.push(start..start.checked_add(count)?);
        there.push(own_start..own_start.checked_add(count)?);
    }
    // Axes that only the cube has are of one place for each source.
    let single = region.iter().take(lacking).all(|range| range.end - range.start == 1);
    single.then_some((region, there))
}
