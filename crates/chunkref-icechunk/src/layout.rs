// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the references of an array are cut into manifests.

use std::ops::Range;

use chunkref_model::Manifest;
use icechunk::config::{ManifestSplitCondition, ManifestSplitDim, ManifestSplitDimCondition};

/// References per manifest: a reader loads one to read a chunk, some 9 bytes each.
pub(crate) const MANIFEST_REFERENCES: u64 = 100_000;

/// Manifests per array; of grids with more chunks than fill them, the manifests become larger.
const MOST_MANIFESTS: u64 = 8192;

/// Boxes of a chunk grid, each of which is a range of chunk numbers in C order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    grid_shape: Vec<u64>,
    /// The axis that is cut; those before it are cut into single indices, those after it are whole.
    axis: usize,
    /// Indices of that axis in a box.
    width: u64,
}

impl Layout {
    /// `None` when one manifest holds all of it.
    pub(crate) fn of(grid_shape: &[u64]) -> Option<Self> {
        let count = grid_shape.iter().fold(1_u64, |product, &n| product.saturating_mul(n));
        if count <= MANIFEST_REFERENCES {
            return None;
        }
        let wanted = MANIFEST_REFERENCES.max(count.div_ceil(MOST_MANIFESTS));
        let mut inner = 1_u64;
        for (axis, &length) in grid_shape.iter().enumerate().rev() {
            let larger = inner.saturating_mul(length);
            if larger > wanted {
                let width = wanted.checked_div(inner).unwrap_or(1).max(1);
                return Some(Self { grid_shape: grid_shape.to_vec(), axis, width });
            }
            inner = larger;
        }
        None
    }

    /// The rule that makes the library cut the array at `path` so.
    pub(crate) fn rule(&self, path: &str) -> (ManifestSplitCondition, Vec<ManifestSplitDim>) {
        let mut regex = String::from("^");
        for letter in path.chars() {
            if letter.is_ascii_punctuation() && letter != '/' && letter != '_' {
                regex.push('\\');
            }
            regex.push(letter);
        }
        regex.push('$');
        let dims = (0..self.grid_shape.len()).map(|axis| ManifestSplitDim {
            condition: ManifestSplitDimCondition::Axis(axis),
            num_chunks: match axis.cmp(&self.axis) {
                std::cmp::Ordering::Less => 1,
                std::cmp::Ordering::Equal => u32::try_from(self.width).unwrap_or(u32::MAX),
                std::cmp::Ordering::Greater => u32::MAX,
            },
        });
        (ManifestSplitCondition::PathMatches { regex }, dims.collect())
    }

    /// The chunk numbers of the box that has chunk `number`.
    fn range(&self, number: u64) -> Range<u64> {
        let (outer, rest) = self.grid_shape.split_at(self.axis.min(self.grid_shape.len()));
        debug_assert_eq!(outer.len(), self.axis);
        let (length, inner) = rest.split_first().unwrap_or((&1, &[]));
        let inner = inner.iter().fold(1_u64, |product, &n| product.saturating_mul(n)).max(1);
        let row = length.saturating_mul(inner).max(1);
        let width = self.width.saturating_mul(inner).max(1);
        let within = number.checked_rem(row).unwrap_or_default();
        let start = number.saturating_sub(within.checked_rem(width).unwrap_or_default());
        let row_start = number.saturating_sub(within);
        start..start.saturating_add(width).min(row_start.saturating_add(row))
    }
}

/// The ranges of chunk numbers that have a chunk, one for each manifest.
pub(crate) fn ranges(manifest: &Manifest) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    let Some(layout) = Layout::of(manifest.grid_shape()) else {
        ranges.push(0..u64::MAX);
        return ranges;
    };
    manifest.visit_numbers(0..u64::MAX, &mut |number, _| {
        if ranges.last().is_none_or(|last| !last.contains(&number)) {
            ranges.push(layout.range(number));
        }
    });
    ranges
}

#[cfg(test)]
mod tests {
    use chunkref_model::{ChunkRef, ManifestBuilder, SourceId};

    use super::*;

    #[test]
    fn small_grids_have_one_manifest() {
        for grid in [&[][..], &[100_000], &[10, 100, 100], &[5, 0]] {
            assert_eq!(Layout::of(grid), None, "{grid:?}");
        }
    }

    #[test]
    fn boxes_cover_the_grid_once_in_order() {
        for grid in [&[1_000_003][..], &[30, 400, 500], &[7, 3, 300_001], &[200_000, 2]] {
            let layout = Layout::of(grid).unwrap();
            let count: u64 = grid.iter().product();
            let mut next = 0;
            let mut boxes = 0;
            while next < count {
                let range = layout.range(next);
                assert_eq!(range.start, next, "{grid:?}");
                assert_eq!(layout.range(range.end - 1), range);
                assert!(range.end - range.start <= MANIFEST_REFERENCES);
                next = range.end;
                boxes += 1;
            }
            assert_eq!(next, count);
            // The library cuts in the same places.
            let (_, dims) = layout.rule("/a");
            let cuts: u64 = grid
                .iter()
                .zip(&dims)
                .map(|(&length, dim)| length.div_ceil(u64::from(dim.num_chunks)))
                .product();
            assert_eq!(cuts, boxes, "{grid:?}");
        }
    }

    #[test]
    fn huge_sparse_grids_have_few_manifests() {
        let mut builder = ManifestBuilder::new([1 << 30, 1 << 20]).unwrap();
        for row in [0, 1, 1 << 29] {
            let reference = ChunkRef::Virtual { source: SourceId(0), offset: 1, length: 1 };
            builder.push(&[row, 5], reference).unwrap();
        }
        assert_eq!(ranges(&builder.finish().unwrap()).len(), 2);
        let (_, dims) = Layout::of(&[1 << 30, 1 << 20]).unwrap().rule("/a");
        assert_eq!((1_u64 << 30).div_ceil(u64::from(dims[0].num_chunks)), 8192);
    }

    #[test]
    fn names_are_no_patterns() {
        let (condition, _) = Layout::of(&[1 << 20]).unwrap().rule("/a.b/c(1)é");
        let expected = r"^/a\.b/c\(1\)é$".to_owned();
        assert_eq!(condition, ManifestSplitCondition::PathMatches { regex: expected });
    }
}
