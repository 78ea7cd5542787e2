// SPDX-License-Identifier: MIT OR Apache-2.0
//! Extensible arrays. Spec: HDF5 File Format 3.0, VII.D.
//!
//! Elements count over the chunk grid with the unlimited axis moved to the front, wherever it is in the dataset.

use chunkref_core::Cursor;

use super::collector::{Collector, Element, filtered_length_bytes, place};
use super::fixed_array::bit;
use super::table::{ChunkTable, Grid};
use crate::context::{Address, Context, expect_signature, expect_version, verify_checksum};
use crate::error::{Hdf5Error, Result};

/// What the header is called in errors.
pub(crate) const HEADER: &str = "extensible array header";
/// What the index block is called in errors.
pub(crate) const INDEX_BLOCK: &str = "extensible array index block";
/// What a super block is called in errors.
pub(crate) const SUPER_BLOCK: &str = "extensible array super block";
/// What a data block is called in errors.
pub(crate) const DATA_BLOCK: &str = "extensible array data block";

/// An extensible array's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    filtered: bool,
    element_bytes: u64,
    max_bits: u8,
    index_elements: u64,
    data_block_min: u64,
    super_block_min: u64,
    page_elements: u64,
    /// The index block; `None` when no chunk is stored.
    pub(crate) index_block: Option<Address>,
}

impl Header {
    /// Bytes of a header.
    pub(crate) fn bytes(context: &Context) -> u64 {
        context
            .offset_bytes()
            .saturating_add(context.length_bytes().saturating_mul(6))
            .saturating_add(16)
    }

    pub(crate) fn parse(bytes: &[u8], offset: u64, context: &Context) -> Result<Self> {
        let mut cursor = Cursor::new(bytes, offset, HEADER);
        expect_signature(&mut cursor, *b"EAHD")?;
        expect_version(&mut cursor, &[0])?;
        let filtered = cursor.u8()? == 1;
        let element_bytes = u64::from(cursor.u8()?);
        let max_bits = cursor.u8()?;
        let index_elements = u64::from(cursor.u8()?);
        let data_block_min = u64::from(cursor.u8()?);
        let super_block_min = u64::from(cursor.u8()?);
        let page_bits = cursor.u8()?;
        for _ in 0..6 {
            context.length(&mut cursor)?; // how much is in use
        }
        let index_block = context.address(&mut cursor)?;
        verify_checksum(bytes, offset, HEADER)?;
        let page_elements = 1_u64.checked_shl(u32::from(page_bits)).filter(|_| page_bits <= 32);
        let sound = (1..=64).contains(&max_bits)
            && data_block_min.is_power_of_two()
            && super_block_min.is_power_of_two()
            && super_block_min >= 2
            && u64::from(max_bits) >= u64::from(data_block_min.ilog2());
        let Some(page_elements) = page_elements.filter(|_| sound) else {
            return Err(Hdf5Error::inconsistent(
                HEADER,
                offset,
                "the array's parameters contradict the specification",
            ));
        };
        Ok(Self {
            filtered,
            element_bytes,
            max_bits,
            index_elements,
            data_block_min,
            super_block_min,
            page_elements,
            index_block,
        })
    }

    /// Bytes of an element number in the array's blocks.
    fn offset_bytes(&self) -> u64 {
        u64::from(self.max_bits).div_ceil(8)
    }

    /// How many super blocks there can be.
    fn super_blocks(&self) -> u32 {
        u32::from(self.max_bits).saturating_sub(self.data_block_min.ilog2()).saturating_add(1)
    }

    /// Super blocks whose data blocks the index block names itself.
    fn super_blocks_in_index(&self) -> u32 {
        self.super_block_min.ilog2().saturating_mul(2)
    }

    /// Data blocks of super block `number`, and the elements of each.
    fn super_block(&self, number: u32) -> (u64, u64) {
        let blocks = 1_u64.checked_shl(number >> 1).unwrap_or(u64::MAX);
        let growth = 1_u64.checked_shl(number.saturating_add(1) >> 1).unwrap_or(u64::MAX);
        (blocks, growth.saturating_mul(self.data_block_min))
    }

    /// Pages of a data block of `elements`; none when it holds them itself.
    fn pages(&self, elements: u64) -> u64 {
        if elements > self.page_elements {
            elements.checked_div(self.page_elements).unwrap_or(0)
        } else {
            0
        }
    }

    /// Bytes of a data block before its elements or pages, without checksum.
    fn data_block_prefix(&self, context: &Context) -> u64 {
        context.offset_bytes().saturating_add(self.offset_bytes()).saturating_add(6)
    }

    /// Super blocks whose data blocks the index block names, of those that there can be.
    fn in_index(&self) -> u32 {
        self.super_blocks_in_index().min(self.super_blocks())
    }

    /// Bytes of the index block.
    pub(crate) fn index_block_bytes(&self, context: &Context) -> u64 {
        let in_index = self.in_index();
        let data_blocks =
            (0..in_index).fold(0_u64, |sum, number| sum.saturating_add(self.super_block(number).0));
        let further = u64::from(self.super_blocks().saturating_sub(in_index));
        let addresses = data_blocks
            .saturating_add(further)
            .saturating_add(1)
            .saturating_mul(context.offset_bytes());
        self.index_elements
            .saturating_mul(self.element_bytes)
            .saturating_add(addresses)
            .saturating_add(10)
    }

    /// Bytes of the bitmap of a super block: a bit for each page.
    fn bitmap_bytes(&self, blocks: u64, elements: u64) -> u64 {
        blocks.saturating_mul(self.pages(elements).div_ceil(8))
    }
}

/// A run of elements somewhere in the file: a data block, or a page of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    first: u64,
    count: u64,
    /// Bytes from the start of the file.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) length: u64,
    is_page: bool,
}

/// A super block that is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SuperBlock {
    /// Its first element.
    first: u64,
    /// Data blocks, and elements of each.
    blocks: (u64, u64),
    /// Bytes from the start of the file.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) length: u64,
}

/// Makes chunks of elements.
#[derive(Debug)]
pub(crate) struct Elements<'a> {
    header: Header,
    collector: Collector<'a>,
    /// Axes, the slowest first.
    order: Vec<usize>,
    length_bytes: Option<usize>,
    /// Elements from this one on lie outside of the dataset's shape.
    end: u64,
    chunk_indices: Vec<u64>,
}

impl<'a> Elements<'a> {
    /// Of the array with this header, which is at `offset` of the file; chunks go to `collector`.
    pub(crate) fn new(header: Header, offset: u64, collector: Collector<'a>) -> Result<Self> {
        let (grid, context) = (collector.grid, collector.context);
        let (element_bytes, filtered) = (header.element_bytes, header.filtered);
        let length_bytes = filtered_length_bytes(element_bytes, filtered, context, HEADER, offset)?;
        let Some(unlimited) = grid.max_count.iter().position(Option::is_none) else {
            let reason = "an extensible array for a dataset that cannot grow";
            return Err(Hdf5Error::inconsistent(HEADER, offset, reason));
        };
        let order = std::iter::once(unlimited)
            .chain((0..grid.rank()).filter(|&axis| axis != unlimited))
            .collect();
        let (end, chunk_indices) = (element_end(grid, unlimited), vec![0; grid.rank()]);
        Ok(Self { header, collector, order, length_bytes, end, chunk_indices })
    }

    /// Takes the elements of the index block, and says where further ones within the dataset's shape are.
    pub(crate) fn index_block(
        &mut self,
        bytes: &[u8],
        offset: u64,
    ) -> Result<(Vec<Run>, Vec<SuperBlock>)> {
        let (header, context) = (self.header, self.collector.context);
        verify_checksum(bytes, offset, INDEX_BLOCK)?;
        let mut cursor = block_cursor(bytes, offset, INDEX_BLOCK, *b"EAIB", context)?;
        self.elements(&mut cursor, 0, header.index_elements)?;
        let (mut runs, mut super_blocks) = (Vec::new(), Vec::new());
        let mut first = header.index_elements;
        for number in 0..header.in_index() {
            let (blocks, elements) = header.super_block(number);
            for _ in 0..blocks {
                if let Some(address) = context.address(&mut cursor)? {
                    self.data_block(address, first, elements, None, &mut runs);
                }
                first = first.saturating_add(elements);
            }
        }
        for number in header.in_index()..header.super_blocks() {
            let (blocks, elements) = header.super_block(number);
            if let Some(address) = context.address(&mut cursor)?
                && first < self.end
            {
                let length = header
                    .data_block_prefix(context)
                    .saturating_add(header.bitmap_bytes(blocks, elements))
                    .saturating_add(blocks.saturating_mul(context.offset_bytes()))
                    .saturating_add(4);
                let offset = context.file_offset(address);
                super_blocks.push(SuperBlock { first, blocks: (blocks, elements), offset, length });
            }
            first = first.saturating_add(blocks.saturating_mul(elements));
        }
        Ok((runs, super_blocks))
    }

    /// Where the elements of a super block are.
    pub(crate) fn super_block(&self, block: SuperBlock, bytes: &[u8]) -> Result<Vec<Run>> {
        let (header, context) = (self.header, self.collector.context);
        let (blocks, elements) = block.blocks;
        verify_checksum(bytes, block.offset, SUPER_BLOCK)?;
        let mut cursor = block_cursor(bytes, block.offset, SUPER_BLOCK, *b"EASB", context)?;
        cursor.skip(usize::try_from(header.offset_bytes()).unwrap_or(8))?;
        let bitmap = cursor.bytes_u64(header.bitmap_bytes(blocks, elements))?;
        let (mut runs, mut first) = (Vec::new(), block.first);
        for number in 0..blocks {
            if let Some(address) = context.address(&mut cursor)? {
                self.data_block(address, first, elements, Some((bitmap, number)), &mut runs);
            }
            first = first.saturating_add(elements);
        }
        Ok(runs)
    }

    /// Takes the elements of a data block or page.
    pub(crate) fn run(&mut self, run: Run, bytes: &[u8]) -> Result<()> {
        verify_checksum(bytes, run.offset, DATA_BLOCK)?;
        let mut cursor = Cursor::new(bytes, run.offset, DATA_BLOCK);
        if !run.is_page {
            let context = self.collector.context;
            cursor = block_cursor(bytes, run.offset, DATA_BLOCK, *b"EADB", context)?;
            cursor.skip(usize::try_from(self.header.offset_bytes()).unwrap_or(8))?;
        }
        self.elements(&mut cursor, run.first, run.count)
    }

    /// All chunks.
    pub(crate) fn finish(self) -> ChunkTable {
        self.collector.table
    }

    /// The runs of a data block: itself, or those of its pages that were written. `bitmap` and the block's number in its
    /// super block say which; one bit a page, counted through all blocks of the super block.
    fn data_block(
        &self,
        address: Address,
        first: u64,
        elements: u64,
        bitmap: Option<(&[u8], u64)>,
        runs: &mut Vec<Run>,
    ) {
        let (header, context) = (self.header, self.collector.context);
        let offset = context.file_offset(address);
        let prefix = header.data_block_prefix(context);
        let bytes_of = |count: u64| count.saturating_mul(header.element_bytes).saturating_add(4);
        let pages = header.pages(elements);
        let mut add = |run: Run| {
            if run.first < self.end {
                runs.push(run);
            }
        };
        let (Some((bitmap, block)), true) = (bitmap, pages > 0) else {
            let length = prefix.saturating_add(bytes_of(elements));
            return add(Run { first, count: elements, offset, length, is_page: false });
        };
        let (count, length) = (header.page_elements, bytes_of(header.page_elements));
        for page in 0..pages {
            if bit(bitmap, block.saturating_mul(pages).saturating_add(page)) {
                let offset = offset
                    .saturating_add(prefix)
                    .saturating_add(4)
                    .saturating_add(page.saturating_mul(length));
                let first = first.saturating_add(page.saturating_mul(count));
                add(Run { first, count, offset, length, is_page: true });
            }
        }
    }

    fn elements(&mut self, cursor: &mut Cursor<'_>, first: u64, count: u64) -> Result<()> {
        let (context, grid) = (self.collector.context, self.collector.grid);
        for number in first..first.saturating_add(count) {
            let at = cursor.offset();
            let element = Element::parse(cursor, context, grid, self.length_bytes)?;
            if let Some(address) = element.address {
                place(number, &grid.max_count, &self.order, &mut self.chunk_indices);
                let (length, filter_mask) = (element.length, element.filter_mask);
                self.collector.push(&self.chunk_indices, address, length, filter_mask, at)?;
            }
        }
        Ok(())
    }
}

/// One more than the number of the last element within the dataset's shape.
fn element_end(grid: &Grid, unlimited: usize) -> u64 {
    let (mut per_step, mut steps) = (1_u64, 0_u64);
    for (axis, (count, max)) in grid.count.iter().zip(&grid.max_count).enumerate() {
        if axis == unlimited {
            steps = *count;
        } else {
            per_step = per_step.saturating_mul(max.unwrap_or(*count));
        }
    }
    steps.saturating_mul(per_step)
}

/// A cursor behind signature, version, client and header address of a block.
fn block_cursor<'a>(
    bytes: &'a [u8],
    offset: u64,
    structure: &'static str,
    signature: [u8; 4],
    context: &Context,
) -> Result<Cursor<'a>> {
    let mut cursor = Cursor::new(bytes, offset, structure);
    expect_signature(&mut cursor, signature)?;
    expect_version(&mut cursor, &[0])?;
    cursor.skip(1)?;
    context.address(&mut cursor)?;
    Ok(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::lookup3;
    use crate::testing::context;

    /// The parameters that libhdf5 writes.
    fn header() -> Header {
        let mut bytes = b"EAHD\x00\x00\x08\x20\x04\x10\x04\x0a".to_vec();
        bytes.extend([0; 48]);
        bytes.extend(700_u64.to_le_bytes());
        bytes.extend(lookup3(&bytes).to_le_bytes());
        assert_eq!(bytes.len() as u64, Header::bytes(&context()));
        Header::parse(&bytes, 0, &context()).unwrap()
    }

    #[test]
    fn block_sizes_double_in_turn() {
        let header = header();
        let sizes: Vec<_> = (0..6).map(|number| header.super_block(number)).collect();
        assert_eq!(sizes, [(1, 16), (1, 32), (2, 32), (2, 64), (4, 64), (4, 128)]);
        assert_eq!((header.super_blocks(), header.super_blocks_in_index()), (29, 4));
        assert_eq!((header.pages(1024), header.pages(2048)), (0, 2));
    }

    #[test]
    fn impossible_parameters_are_errors() {
        let mut bytes = b"EAHD\x00\x00\x08\x20\x04\x11\x04\x0a".to_vec();
        bytes.extend([0; 56]);
        bytes.extend(lookup3(&bytes).to_le_bytes());
        assert!(matches!(
            Header::parse(&bytes, 0, &context()),
            Err(Hdf5Error::Inconsistent { .. })
        ));
    }

    #[test]
    fn the_end_counts_the_unlimited_axis_slowest() {
        let grid = Grid::new(&[10, 50], &[Some(20), None], &[5, 5], 4).unwrap();
        assert_eq!(element_end(&grid, 1), 40);
    }

    #[test]
    fn blocks_are_found_from_the_index_block_on() {
        let context = context();
        let grid = Grid::new(&[2000], &[None], &[1], 8).unwrap();
        let collector = Collector::new(&context, 10_000, &grid, HEADER);
        let mut elements = Elements::new(header(), 0, collector).unwrap();
        let header = header();
        let address = |bytes: &mut Vec<u8>, address: u64| bytes.extend(address.to_le_bytes());
        // Version, client, header, 4 elements in it, 6 data blocks of super blocks 0 to 3, 25 super blocks.
        let mut index = b"EAIB\x00\x00".to_vec();
        address(&mut index, 0);
        for at in [100, u64::MAX, 300, u64::MAX] {
            address(&mut index, at);
        }
        for at in [1000, u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, 2000] {
            address(&mut index, at);
        }
        index.extend([0xff; 24 * 8]);
        index.extend(lookup3(&index).to_le_bytes());
        assert_eq!(index.len() as u64, header.index_block_bytes(&context));
        let (runs, super_blocks) = elements.index_block(&index, 0).unwrap();
        // 4 bytes of element number in blocks of 16 elements.
        let run =
            Run { first: 4, count: 16, offset: 1000, length: 18 + 16 * 8 + 4, is_page: false };
        assert_eq!(runs, [run]);
        // Super block 4 has 4 blocks of 64 elements, behind 4 + 16 + 32 + 2 * 32 + 2 * 64.
        let block = SuperBlock { first: 244, blocks: (4, 64), offset: 2000, length: 18 + 32 + 4 };
        assert_eq!(super_blocks, [block]);
        let mut bytes = b"EASB\x00\x00".to_vec();
        address(&mut bytes, 0);
        bytes.extend(244_u32.to_le_bytes());
        for at in [u64::MAX, 3000, u64::MAX, u64::MAX] {
            address(&mut bytes, at);
        }
        bytes.extend(lookup3(&bytes).to_le_bytes());
        let runs = elements.super_block(block, &bytes).unwrap();
        assert_eq!((runs.len(), runs[0].first, runs[0].offset), (1, 308, 3000));
        let places: Vec<_> =
            elements.finish().iter().map(|one| (one.chunk_indices.to_vec(), one.offset)).collect();
        assert_eq!(places, [(vec![0], 100), (vec![2], 300)]);
    }
}
