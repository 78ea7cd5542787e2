// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of sampled chunks held against what libhdf5 reads in their place of the source.

#[cfg(not(feature = "libhdf5"))]
pub(super) use without::{compare, note};

#[cfg(feature = "libhdf5")]
pub(super) use with::{compare, note};

#[cfg(not(feature = "libhdf5"))]
mod without {
    use chunkref_read::Open;

    use super::super::against::Pair;
    use super::super::decode::Chosen;
    use super::super::{Check, Cube};

    pub(in super::super) fn note(check: &mut Check) {
        let note = "this build has no second library that reads values: one with the feature libhdf5 compares those of HDF5";
        check.notes.push(note.to_owned());
    }

    pub(in super::super) async fn compare(
        _: &Cube<'_>,
        _: &dyn Open,
        _: &[Chosen],
        _: &Pair<'_>,
        _: &mut Check,
    ) {
    }
}

#[cfg(feature = "libhdf5")]
mod with {
    use std::ops::Range;
    use std::path::Path;

    use chunkref_model::{Array, ChunkRef};
    use chunkref_read::{Open, Values, read_region};
    use chunkref_store::Location;

    use super::super::against::{Pair, Shift};
    use super::super::decode::Chosen;
    use super::super::{Check, Cube};

    /// Most bytes of a chunk's values.
    const MOST_BYTES: u64 = 1 << 30;
    /// How an HDF5 file begins, at 0 or at a power of two from 512 on.
    const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

    pub(in super::super) fn note(_: &mut Check) {}

    /// Compares the sampled chunks of one array in one source, when that is an HDF5 file of this machine.
    pub(in super::super) async fn compare(
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
        if !is_hdf5(path) || array.dtype != pair.own.dtype {
            return;
        }
        let own = |chosen: &&Chosen| chosen.array == pair.number && chosen.source == pair.source;
        for chosen in sample.iter().filter(own) {
            let Some((region, there)) =
                regions(array, pair.own, &chosen.chunk_indices, &pair.shift)
            else {
                continue;
            };
            let dtype = &array.dtype;
            let expected = match chunkref_hdf5::read_values(path, pair.own_path, &there, dtype) {
                Ok(Some(expected)) => expected,
                Ok(None) => continue,
                Err(error) => {
                    let note =
                        format!("libhdf5 does not read {name:?} of {}: {error}", path.display());
                    if !check.notes.contains(&note) {
                        check.notes.push(note);
                    }
                    continue;
                }
            };
            check.count(1);
            let reason = match read_region(cube.dataset, objects, name, &region, MOST_BYTES).await {
                Ok(Values::Fixed(found)) if found == expected => continue,
                Ok(_) => format!("its values are not those that libhdf5 reads in {there:?}"),
                Err(error) => error.to_string(),
            };
            let (source, offset, length) = (chosen.source, chosen.offset, chosen.length);
            let reference = ChunkRef::Virtual { source, offset, length };
            check.fail(cube.failure(name, &chosen.chunk_indices, &reference, reason));
        }
    }

    fn is_hdf5(path: &Path) -> bool {
        use std::io::{Read, Seek, SeekFrom};
        let Ok(mut file) = std::fs::File::open(path) else { return false };
        let Ok(length) = file.metadata().map(|metadata| metadata.len()) else { return false };
        let mut places = std::iter::once(0).chain((9..32).map(|power| 1_u64 << power));
        places.by_ref().take_while(|&place| place < length).any(|place| {
            let mut head = [0; 8];
            let read = file.seek(SeekFrom::Start(place)).and_then(|_| file.read_exact(&mut head));
            read.is_ok() && head == SIGNATURE
        })
    }

    type Region = Vec<Range<u64>>;

    /// Where a chunk of the cube is in the cube, and in the source; as far as both arrays reach.
    fn regions(
        cube: &Array,
        own: &Array,
        indices: &[u64],
        shift: &Shift,
    ) -> Option<(Region, Region)> {
        let (before, moved) = shift;
        let chunk = cube.chunk_grid.chunk_shape();
        let (mut region, mut there) = (Vec::new(), Vec::new());
        for (axis, ((&index, &chunk), &length)) in
            indices.iter().zip(chunk).zip(&cube.shape).enumerate()
        {
            let start = index.checked_mul(chunk)?;
            let end = start.checked_add(chunk)?.min(length);
            let Some(along) = axis.checked_sub(before.len()) else {
                region.push(start..end);
                continue;
            };
            // The grids differ where chunks were cut; then places of chunks say nothing of elements.
            if own.chunk_grid.chunk_shape().get(along) != Some(&chunk) {
                return None;
            }
            let place = u64::try_from(i128::from(index).checked_sub(*moved.get(along)?)?).ok()?;
            let own_start = place.checked_mul(chunk)?;
            let own_end = own_start.checked_add(chunk)?.min(*own.shape.get(along)?);
            let count = end.checked_sub(start)?.min(own_end.checked_sub(own_start)?);
            region.push(start..start.checked_add(count)?);
            there.push(own_start..own_start.checked_add(count)?);
        }
        // Axes that only the cube has are of one place for each source.
        let single = region.iter().take(before.len()).all(|range| range.end - range.start == 1);
        single.then_some((region, there))
    }
}
