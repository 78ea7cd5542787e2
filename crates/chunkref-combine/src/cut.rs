// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chunks without codecs cut into smaller ones along an axis, as ranges of their bytes.
//!
//! A chunk in C order whose axes before the one that is cut are one element thick lies along that axis in its bytes, so a
//! part of it is a range of them.

use chunkref_model::{Array, ChunkGrid, ChunkRef, ManifestBuilder, WHOLE_OBJECT};

/// Most chunks that an array may have once it is cut.
pub(crate) const MOST_CHUNKS: u64 = 1 << 24;

/// What is cut: the name of the dimension, and elements per chunk along it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) dimension: String,
    pub(crate) chunk: u64,
}

/// Whether the chunks of an array can be cut along a dimension.
pub(crate) fn can_cut(array: &Array, dimension: &str) -> bool {
    let Some(axis) = array.dimensions.iter().position(|name| name == dimension) else {
        return false;
    };
    let chunk_shape = array.chunk_grid.chunk_shape();
    let thin = chunk_shape.iter().take(axis).all(|&length| length == 1);
    let (Some(step), Some(&chunk)) = (step_bytes(array, axis), chunk_shape.get(axis)) else {
        return false;
    };
    if !thin || !array.codecs.is_empty() || step == 0 {
        return false;
    }
    let Some(bytes) = chunk.checked_mul(step) else { return false };
    let mut whole = true;
    array.manifest.visit(&mut |_, reference| {
        whole &= match reference {
            ChunkRef::Virtual { length, .. } => length != WHOLE_OBJECT && length >= bytes,
            ChunkRef::Inline(stored) => stored.len() as u64 >= bytes,
            ChunkRef::Missing => true,
        };
    });
    whole
}

/// Bytes of one step along an axis within a chunk.
fn step_bytes(array: &Array, axis: usize) -> Option<u64> {
    let inner = array.chunk_grid.chunk_shape().iter().skip(axis.checked_add(1)?);
    inner.copied().try_fold(array.dtype.length_bytes()?, u64::checked_mul)
}

/// The array with smaller chunks along a dimension, whose chunks they fill evenly. `None` where [`can_cut`] is false, and
/// where there would be too many.
pub(crate) fn cut(array: &Array, cut: &Cut) -> Option<Array> {
    let axis = array.dimensions.iter().position(|name| *name == cut.dimension)?;
    let mut chunk_shape = array.chunk_grid.chunk_shape().to_vec();
    let slot = chunk_shape.get_mut(axis)?;
    let parts = slot.checked_div(cut.chunk)?;
    if parts == 1 {
        return Some(array.clone());
    }
    *slot = cut.chunk;
    let bytes = step_bytes(array, axis)?.checked_mul(cut.chunk)?;
    let chunk_grid = ChunkGrid::regular(chunk_shape);
    let grid_shape = chunk_grid.grid_shape(&array.shape);
    let most = *grid_shape.get(axis)?;
    let mut builder = ManifestBuilder::new(grid_shape).ok()?;
    let mut sound = true;
    array.manifest.visit(&mut |chunk_indices, reference| {
        let mut place = chunk_indices.to_vec();
        let first = chunk_indices.get(axis).copied().unwrap_or_default().saturating_mul(parts);
        for part in 0..parts {
            let index = first.saturating_add(part);
            if index >= most {
                break;
            }
            if let Some(slot) = place.get_mut(axis) {
                *slot = index;
            }
            let reference = part_of(&reference, part.saturating_mul(bytes), bytes);
            sound &= reference.is_some_and(|reference| builder.push(&place, reference).is_ok());
        }
    });
    let manifest = builder.finish().ok().filter(|_| sound)?;
    Some(Array { chunk_grid, manifest, ..array.clone() })
}

/// A range of the bytes of a chunk, where it has them.
fn part_of(reference: &ChunkRef, start: u64, bytes: u64) -> Option<ChunkRef> {
    match reference {
        ChunkRef::Virtual { source, offset, length } => (length.checked_sub(start)? >= bytes)
            .then_some(ChunkRef::Virtual {
                source: *source,
                offset: offset.checked_add(start)?,
                length: bytes,
            }),
        ChunkRef::Inline(stored) => {
            let start = usize::try_from(start).ok()?;
            let end = start.checked_add(usize::try_from(bytes).ok()?)?;
            (end <= stored.len()).then(|| ChunkRef::Inline(stored.slice(start..end)))
        }
        ChunkRef::Missing => Some(ChunkRef::Missing),
    }
}

/// The greatest common divisor; that with 0 is the other number.
pub(crate) fn gcd(a: u64, b: u64) -> u64 {
    match a.checked_rem(b) {
        None => a,
        Some(rest) => gcd(b, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::data;
    use chunkref_model::Dataset;

    fn array(shape: &[u64], chunk_shape: &[u64]) -> Array {
        let mut dataset = Dataset::new();
        let names = ["t", "y", "x"];
        let mut array = data(
            &mut dataset,
            "s3://b/a",
            names.get(..shape.len()).unwrap(),
            shape,
            chunk_shape,
            0,
        );
        array.codecs.clear();
        // Each chunk as long as it is: the test's are 100 bytes long.
        let mut builder = ManifestBuilder::new(array.manifest.grid_shape()).unwrap();
        let bytes = chunk_shape.iter().product::<u64>() * 2;
        array.manifest.visit(&mut |place, reference| {
            if let ChunkRef::Virtual { source, offset, .. } = reference {
                let reference = ChunkRef::Virtual { source, offset: offset * 10, length: bytes };
                builder.push(place, reference).unwrap();
            }
        });
        array.manifest = builder.finish().unwrap();
        array
    }

    #[test]
    fn parts_are_ranges_of_bytes() {
        let whole = array(&[7, 4], &[6, 4]);
        assert!(can_cut(&whole, "t"));
        assert!(!can_cut(&whole, "y"), "6 rows lie between its parts");
        let parts = cut(&whole, &Cut { dimension: "t".to_owned(), chunk: 2 }).unwrap();
        assert_eq!(parts.manifest.grid_shape(), [4, 1]);
        let places: Vec<_> = (0..4)
            .map(|index| match parts.manifest.get(&[index, 0]) {
                ChunkRef::Virtual { offset, length, .. } => (offset, length),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(places, [(0, 16), (16, 16), (32, 16), (1000, 16)]);
    }

    #[test]
    fn what_is_encoded_or_short_is_not_cut() {
        let mut encoded = array(&[6, 4], &[6, 4]);
        encoded.codecs.push(chunkref_model::Codec::new("zlib"));
        assert!(!can_cut(&encoded, "t"));
        let mut short = array(&[6, 4], &[6, 4]);
        let mut builder = ManifestBuilder::new([1, 1]).unwrap();
        builder.push(&[0, 0], ChunkRef::Inline(bytes::Bytes::from_static(&[0; 40]))).unwrap();
        short.manifest = builder.finish().unwrap();
        assert!(!can_cut(&short, "t"));
        assert_eq!(cut(&short, &Cut { dimension: "t".to_owned(), chunk: 2 }), None);
        assert!(!can_cut(&array(&[6], &[6]), "x"));
    }

    #[test]
    fn divisors() {
        assert_eq!([gcd(31, 28), gcd(12, 18), gcd(0, 5), gcd(5, 0)], [1, 6, 5, 5]);
    }
}
