// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which chunks of a grid are there, in no more cells than an eye can tell apart.

use std::ops::Range;

use chunkref::{ChunkRef, Manifest};

/// Most cells along an axis; their square is the most cells.
const MOST: u64 = 64;

/// Chunks of a part of a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Share {
    /// Whose bytes are in a source.
    pub(super) virtual_chunks: u64,
    /// Whose bytes are in the references.
    pub(super) inline: u64,
    /// All.
    pub(super) all: u64,
}

impl Share {
    /// Chunks that are not there.
    pub(super) fn missing(self) -> u64 {
        self.all.saturating_sub(self.virtual_chunks).saturating_sub(self.inline)
    }

    /// Whether all are of one kind.
    fn is_uniform(self) -> bool {
        [self.virtual_chunks, self.inline, self.missing()].contains(&self.all)
    }

    /// Whether two parts look alike.
    fn is_like(self, other: Self) -> bool {
        let kind = |share: Self| {
            [share.virtual_chunks, share.inline, share.missing()].map(|count| count == share.all)
        };
        self == other || (self.is_uniform() && other.is_uniform() && kind(self) == kind(other))
    }

    fn add(&mut self, other: Self) {
        self.virtual_chunks = self.virtual_chunks.saturating_add(other.virtual_chunks);
        self.inline = self.inline.saturating_add(other.inline);
        self.all = self.all.saturating_add(other.all);
    }
}

/// How the chunks are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One axis of more than one chunk, in lines as text is read.
    Lines {
        /// Chunks.
        chunks: u64,
    },
    /// The first axis of more than one chunk goes down, the others together go across, in C order.
    Plane {
        /// The axis that goes down.
        down: usize,
        /// Chunks along it.
        rows: u64,
        /// Chunks of the other axes together.
        columns: u64,
    },
}

/// The chunks of a grid in cells.
#[derive(Debug)]
pub(super) struct Coverage {
    pub(super) layout: Layout,
    /// Cells across, and lines of them.
    pub(super) width: u64,
    pub(super) height: u64,
    /// In lines; the last line may be shorter.
    cells: Vec<Share>,
    /// Of the whole grid.
    pub(super) total: Share,
}

/// Cells beside each other that look alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) left: u64,
    pub(super) top: u64,
    pub(super) width: u64,
    pub(super) height: u64,
    /// Of all of its chunks.
    pub(super) share: Share,
    /// Of its first cell.
    cell: Share,
}

/// Where part `number` of `parts` of a length begins.
fn start(length: u64, number: u64, parts: u64) -> u64 {
    let place = (u128::from(length) * u128::from(number)).div_ceil(u128::from(parts.max(1)));
    u64::try_from(place).unwrap_or(u64::MAX)
}

/// In which of `parts` of a length a place is.
fn part(length: u64, place: u64, parts: u64) -> u64 {
    let part = u128::from(place) * u128::from(parts) / u128::from(length.max(1));
    u64::try_from(part).unwrap_or(u64::MAX)
}

impl Coverage {
    /// That of an array's references; `None` for a grid without chunks, or of more than 64 bits count.
    pub(super) fn of(manifest: &Manifest) -> Option<Self> {
        let count = manifest.count().filter(|&count| count > 0)?;
        let long: Vec<(usize, u64)> =
            manifest.grid_shape().iter().copied().enumerate().filter(|axis| axis.1 > 1).collect();
        let layout = match long[..] {
            [] | [_] => Layout::Lines { chunks: count },
            [(down, rows), ..] => Layout::Plane { down, rows, columns: count / rows },
        };
        let (width, height, cells) = match layout {
            Layout::Lines { chunks } => {
                let cells = chunks.min(MOST * MOST);
                (cells.min(MOST), cells.div_ceil(MOST), cells)
            }
            Layout::Plane { rows, columns, .. } => {
                let (width, height) = (columns.min(MOST), rows.min(MOST));
                (width, height, width * height)
            }
        };
        let mut coverage =
            Self { layout, width, height, cells: Vec::new(), total: Share::default() };
        for number in 0..cells {
            let length = |range: Range<u64>| range.end - range.start;
            let all = match layout {
                Layout::Lines { chunks } => {
                    start(chunks, number + 1, cells) - start(chunks, number, cells)
                }
                Layout::Plane { .. } => {
                    let (left, top) = (number % width, number / width);
                    length(coverage.rows(top..top + 1)) * length(coverage.columns(left..left + 1))
                }
            };
            coverage.cells.push(Share { all, ..Share::default() });
        }
        manifest.visit_numbers(0..u64::MAX, &mut |number, reference| {
            let cell = match layout {
                Layout::Lines { chunks } => part(chunks, number, cells),
                Layout::Plane { rows, columns, .. } => {
                    part(rows, number / columns, height) * width
                        + part(columns, number % columns, width)
                }
            };
            let cell = usize::try_from(cell).ok().and_then(|cell| coverage.cells.get_mut(cell));
            match (cell, reference) {
                (Some(cell), ChunkRef::Virtual { .. }) => cell.virtual_chunks += 1,
                (Some(cell), ChunkRef::Inline(_)) => cell.inline += 1,
                _ => {}
            }
        });
        for cell in &coverage.cells {
            coverage.total.add(*cell);
        }
        Some(coverage)
    }

    /// Whether a cell may stand for more than one chunk.
    pub(super) fn is_binned(&self) -> bool {
        self.total.all > self.cells.len() as u64
    }

    /// How many cells there are.
    pub(super) fn cell_count(&self) -> usize {
        self.cells.len()
    }

    /// The chunks along the axis that goes down in lines of cells of a plane.
    pub(super) fn rows(&self, lines: Range<u64>) -> Range<u64> {
        let Layout::Plane { rows, .. } = self.layout else { return 0..0 };
        start(rows, lines.start, self.height)..start(rows, lines.end, self.height)
    }

    /// The chunks of the other axes in columns of cells of a plane.
    pub(super) fn columns(&self, cells: Range<u64>) -> Range<u64> {
        let Layout::Plane { columns, .. } = self.layout else { return 0..0 };
        start(columns, cells.start, self.width)..start(columns, cells.end, self.width)
    }

    /// The chunks of a region of lines.
    pub(super) fn numbers(&self, region: &Region) -> Range<u64> {
        let Layout::Lines { chunks } = self.layout else { return 0..0 };
        let cells = self.cells.len() as u64;
        let first = region.top * self.width + region.left;
        let end = first + region.width * region.height;
        start(chunks, first, cells)..start(chunks, end, cells)
    }

    /// The whole grid in as few rectangles as a walk from line to line finds.
    pub(super) fn regions(&self) -> Vec<Region> {
        let mut regions: Vec<Region> = Vec::new();
        // Those that the line above is part of.
        let mut above: Vec<usize> = Vec::new();
        let width = usize::try_from(self.width.max(1)).unwrap_or(1);
        for (top, line) in (0..).zip(self.cells.chunks(width)) {
            let mut own = Vec::new();
            for run in runs(top, line) {
                // Numbers in lines follow each other only where a line is whole.
                let may_grow = run.cell.is_uniform()
                    && (run.width == self.width || matches!(self.layout, Layout::Plane { .. }));
                let same = |region: &Region| {
                    (region.left, region.width) == (run.left, run.width)
                        && region.cell.is_like(run.cell)
                };
                let grown = above
                    .iter()
                    .copied()
                    .find(|&place| may_grow && regions.get(place).is_some_and(same));
                if let Some(region) = grown.and_then(|place| regions.get_mut(place)) {
                    region.height += 1;
                    region.share.add(run.share);
                    own.extend(grown);
                } else {
                    own.push(regions.len());
                    regions.push(run);
                }
            }
            above = own;
        }
        regions
    }
}

/// A line of cells in runs that look alike.
fn runs(top: u64, line: &[Share]) -> Vec<Region> {
    let mut runs: Vec<Region> = Vec::new();
    for (left, &cell) in (0..).zip(line) {
        match runs.last_mut() {
            Some(run) if run.cell.is_like(cell) => {
                run.width += 1;
                run.share.add(cell);
            }
            _ => runs.push(Region { left, top, width: 1, height: 1, share: cell, cell }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use chunkref::model::{ManifestBuilder, SourceId};

    use super::*;

    fn manifest(grid: &[u64], there: impl Fn(&[u64]) -> Option<bool>) -> Manifest {
        let mut builder = ManifestBuilder::new(grid).unwrap();
        for number in 0..grid.iter().product() {
            let place = Manifest::empty(grid).chunk_indices(number);
            let reference = match there(&place) {
                Some(true) => ChunkRef::Inline(bytes::Bytes::from_static(b"a")),
                Some(false) => ChunkRef::Virtual { source: SourceId(0), offset: 0, length: 1 },
                None => continue,
            };
            builder.push(&place, reference).unwrap();
        }
        builder.finish().unwrap()
    }

    /// Every chunk is in exactly one region.
    fn sums_up(coverage: &Coverage) {
        let mut sum = Share::default();
        let mut area = 0;
        for region in coverage.regions() {
            sum.add(region.share);
            area += region.width * region.height;
        }
        assert_eq!(sum, coverage.total);
        assert_eq!(area, coverage.cell_count() as u64);
    }

    #[test]
    fn a_small_grid_has_a_cell_for_each_chunk() {
        let manifest = manifest(&[3, 1, 2, 2], |place| match place {
            [1, ..] => None,
            [2, 0, 1, 1] => Some(true),
            _ => Some(false),
        });
        let coverage = Coverage::of(&manifest).unwrap();
        assert_eq!(coverage.layout, Layout::Plane { down: 0, rows: 3, columns: 4 });
        assert!(!coverage.is_binned());
        assert_eq!(coverage.total, Share { virtual_chunks: 7, inline: 1, all: 12 });
        assert_eq!(coverage.total.missing(), 4);
        let regions = coverage.regions();
        let places: Vec<_> =
            regions.iter().map(|r| (r.left, r.top, r.width, r.height, r.share.all)).collect();
        assert_eq!(places, [(0, 0, 4, 1, 4), (0, 1, 4, 1, 4), (0, 2, 3, 1, 3), (3, 2, 1, 1, 1)]);
        sums_up(&coverage);
    }

    #[test]
    fn millions_of_chunks_are_put_into_cells() {
        let grid = [1000, 70, 1, 3];
        let manifest = manifest(&grid, |place| (place[0] < 500 || place[1] == 3).then_some(false));
        let coverage = Coverage::of(&manifest).unwrap();
        assert_eq!((coverage.width, coverage.height), (64, 64));
        assert!(coverage.is_binned());
        assert_eq!(coverage.total.all, 210_000);
        assert_eq!(coverage.total.virtual_chunks, 500 * 210 + 500 * 3);
        sums_up(&coverage);
        // The upper half is one rectangle.
        let first = &coverage.regions()[0];
        assert_eq!((first.width, first.height), (64, 32));
        assert_eq!(coverage.rows(0..32), 0..500);
        assert_eq!(coverage.columns(0..64), 0..210);
    }

    #[test]
    fn one_axis_is_laid_out_in_lines() {
        let manifest = manifest(&[1, 130], |place| (place[1] != 100).then_some(true));
        let coverage = Coverage::of(&manifest).unwrap();
        assert_eq!((coverage.width, coverage.height, coverage.cell_count()), (64, 3, 130));
        let regions = coverage.regions();
        let gap = regions.iter().find(|region| region.share.missing() > 0).unwrap();
        assert_eq!(coverage.numbers(gap), 100..101);
        sums_up(&coverage);
    }

    #[test]
    fn grids_beyond_memory_cost_no_memory() {
        let mut builder = ManifestBuilder::new([1 << 31, 1 << 32]).unwrap();
        let reference = ChunkRef::Virtual { source: SourceId(0), offset: 0, length: 1 };
        builder.push(&[(1 << 31) - 1, (1 << 32) - 1], reference).unwrap();
        let coverage = Coverage::of(&builder.finish().unwrap()).unwrap();
        assert_eq!(coverage.total, Share { virtual_chunks: 1, inline: 0, all: 1 << 63 });
        let last = coverage.regions().pop().unwrap();
        assert_eq!((last.left, last.top, last.share.virtual_chunks), (63, 63, 1));
        sums_up(&coverage);
        let mut builder = ManifestBuilder::new([u64::MAX]).unwrap();
        let reference = ChunkRef::Virtual { source: SourceId(0), offset: 0, length: 1 };
        builder.push(&[u64::MAX - 1], reference).unwrap();
        let coverage = Coverage::of(&builder.finish().unwrap()).unwrap();
        assert_eq!(coverage.total.all, u64::MAX);
        assert_eq!(coverage.total.virtual_chunks, 1);
    }

    #[test]
    fn scalars_and_nothing() {
        let scalar = Coverage::of(&manifest(&[], |_| Some(true))).unwrap();
        assert_eq!(scalar.total, Share { virtual_chunks: 0, inline: 1, all: 1 });
        assert!(Coverage::of(&Manifest::empty([0, 5])).is_none());
        assert!(Coverage::of(&Manifest::empty([u64::MAX, 5])).is_none());
    }
}
