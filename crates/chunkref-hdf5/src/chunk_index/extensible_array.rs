// SPDX-License-Identifier: MIT OR Apache-2.0
//! Extensible arrays. Spec: HDF5 File Format 3.0, VII.D.
//!
//! Elements count over the chunk grid with the unlimited axis moved to the front, wherever it is in the dataset.

use bytes::Bytes;
use chunkref_core::Cursor;
use futures::future::try_join_all;

use super::fixed_array::bit;
use super::{ChunkTable, Collector, Element, Grid, filtered_length_bytes, place};
use crate::context::{Address, Context, expect_signature, expect_version, verify_checksum};
use crate::error::{Hdf5Error, Result};
use crate::file::File;

const HEADER: &str = "extensible array header";
const INDEX_BLOCK: &str = "extensible array index block";
const SUPER_BLOCK: &str = "extensible array super block";
const DATA_BLOCK: &str = "extensible array data block";

/// An extensible array's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    filtered: bool,
    element_bytes: u64,
    max_bits: u8,
    index_elements: u64,
    data_block_min: u64,
    super_block_min: u64,
    page_elements: u64,
    index_block: Option<Address>,
}

impl Header {
    fn bytes(context: &Context) -> u64 {
        context
            .offset_bytes()
            .saturating_add(context.length_bytes().saturating_mul(6))
            .saturating_add(16)
    }

    fn parse(bytes: &[u8], offset: u64, context: &Context) -> Result<Self> {
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
}

/// A run of elements somewhere in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    first: u64,
    count: u64,
    offset: u64,
    /// Bytes before the elements; 0 for a page.
    prefix: u64,
}

pub(super) async fn walk(file: &File<'_>, address: Address, grid: &Grid) -> Result<ChunkTable> {
    let offset = file.context.file_offset(address);
    let bytes = file.frontier.read(offset, Header::bytes(&file.context), HEADER).await?;
    let header = Header::parse(&bytes, offset, &file.context)?;
    let length_bytes = filtered_length_bytes(
        header.element_bytes,
        header.filtered,
        &file.context,
        HEADER,
        offset,
    )?;
    let Some(unlimited) = grid.max_count.iter().position(Option::is_none) else {
        return Err(Hdf5Error::inconsistent(
            HEADER,
            offset,
            "an extensible array for a dataset that cannot grow",
        ));
    };
    let order: Vec<usize> = std::iter::once(unlimited)
        .chain((0..grid.rank()).filter(|&axis| axis != unlimited))
        .collect();
    let walk = Walk { file, header, order, length_bytes, end: element_end(grid, unlimited) };
    walk.run(grid).await
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

struct Walk<'a> {
    file: &'a File<'a>,
    header: Header,
    order: Vec<usize>,
    length_bytes: Option<usize>,
    end: u64,
}

impl Walk<'_> {
    async fn run(&self, grid: &Grid) -> Result<ChunkTable> {
        let (file, header, context) = (self.file, self.header, &self.file.context);
        let mut collector = Collector::new(file, grid, HEADER);
        let Some(index_block) = header.index_block else { return Ok(collector.table) };

        let in_index = header.super_blocks_in_index().min(header.super_blocks());
        let data_blocks = (0..in_index)
            .fold(0_u64, |sum, number| sum.saturating_add(header.super_block(number).0));
        let further = u64::from(header.super_blocks().saturating_sub(in_index));
        let addresses = data_blocks
            .saturating_add(further)
            .saturating_add(1)
            .saturating_mul(context.offset_bytes());
        let length = header
            .index_elements
            .saturating_mul(header.element_bytes)
            .saturating_add(addresses)
            .saturating_add(10);
        let offset = context.file_offset(index_block);
        let bytes = file.frontier.read(offset, length, INDEX_BLOCK).await?;
        verify_checksum(&bytes, offset, INDEX_BLOCK)?;
        let mut cursor = block_cursor(&bytes, offset, INDEX_BLOCK, *b"EAIB", context)?;

        let mut chunk_indices = vec![0; grid.rank()];
        self.elements(
            &mut cursor,
            0,
            header.index_elements,
            grid,
            &mut chunk_indices,
            &mut collector,
        )?;
        let mut runs = Vec::new();
        let mut first = header.index_elements;
        for number in 0..in_index {
            let (blocks, elements) = header.super_block(number);
            for _ in 0..blocks {
                if let Some(address) = context.address(&mut cursor)? {
                    self.data_block(address, first, elements, None, &mut runs);
                }
                first = first.saturating_add(elements);
            }
        }
        runs.extend(self.super_blocks(&mut cursor, in_index, first).await?);
        runs.retain(|run| run.first < self.end);

        let reads = runs.iter().map(|run| {
            let length = run
                .prefix
                .saturating_add(run.count.saturating_mul(header.element_bytes))
                .saturating_add(4);
            file.frontier.read(run.offset, length, DATA_BLOCK)
        });
        let blocks: Vec<Bytes> = try_join_all(reads).await?;
        for (run, bytes) in runs.iter().zip(&blocks) {
            verify_checksum(bytes, run.offset, DATA_BLOCK)?;
            let mut cursor = if run.prefix == 0 {
                Cursor::new(bytes, run.offset, DATA_BLOCK)
            } else {
                let mut cursor = block_cursor(bytes, run.offset, DATA_BLOCK, *b"EADB", context)?;
                cursor.skip(usize::try_from(header.offset_bytes()).unwrap_or(8))?;
                cursor
            };
            self.elements(
                &mut cursor,
                run.first,
                run.count,
                grid,
                &mut chunk_indices,
                &mut collector,
            )?;
        }
        Ok(collector.table)
    }

    /// Reads the super blocks whose addresses come next in the index block.
    async fn super_blocks(
        &self,
        cursor: &mut Cursor<'_>,
        from: u32,
        mut first: u64,
    ) -> Result<Vec<Run>> {
        let (header, context) = (self.header, &self.file.context);
        let mut wanted = Vec::new();
        for number in from..header.super_blocks() {
            let (blocks, elements) = header.super_block(number);
            if let Some(address) = context.address(cursor)?
                && first < self.end
            {
                wanted.push((context.file_offset(address), blocks, elements, first));
            }
            first = first.saturating_add(blocks.saturating_mul(elements));
        }
        let bitmap_bytes =
            |elements, blocks: u64| blocks.saturating_mul(header.pages(elements).div_ceil(8));
        let reads = wanted.iter().map(|&(offset, blocks, elements, _)| {
            let length = header
                .data_block_prefix(context)
                .saturating_add(bitmap_bytes(elements, blocks))
                .saturating_add(blocks.saturating_mul(context.offset_bytes()))
                .saturating_add(4);
            self.file.frontier.read(offset, length, SUPER_BLOCK)
        });
        let buffers = try_join_all(reads).await?;
        let mut runs = Vec::new();
        for (&(offset, blocks, elements, mut first), bytes) in wanted.iter().zip(&buffers) {
            verify_checksum(bytes, offset, SUPER_BLOCK)?;
            let mut cursor = block_cursor(bytes, offset, SUPER_BLOCK, *b"EASB", context)?;
            cursor.skip(usize::try_from(header.offset_bytes()).unwrap_or(8))?;
            let bitmap = cursor.bytes_u64(bitmap_bytes(elements, blocks))?;
            for block in 0..blocks {
                if let Some(address) = context.address(&mut cursor)? {
                    self.data_block(address, first, elements, Some((bitmap, block)), &mut runs);
                }
                first = first.saturating_add(elements);
            }
        }
        Ok(runs)
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
        let context = &self.file.context;
        let offset = context.file_offset(address);
        let prefix = self.header.data_block_prefix(context);
        let pages = self.header.pages(elements);
        let (Some((bitmap, block)), true) = (bitmap, pages > 0) else {
            runs.push(Run { first, count: elements, offset, prefix });
            return;
        };
        let count = self.header.page_elements;
        let page_bytes = count.saturating_mul(self.header.element_bytes).saturating_add(4);
        for page in 0..pages {
            if bit(bitmap, block.saturating_mul(pages).saturating_add(page)) {
                let offset = offset
                    .saturating_add(prefix)
                    .saturating_add(4)
                    .saturating_add(page.saturating_mul(page_bytes));
                runs.push(Run {
                    first: first.saturating_add(page.saturating_mul(count)),
                    count,
                    offset,
                    prefix: 0,
                });
            }
        }
    }

    fn elements(
        &self,
        cursor: &mut Cursor<'_>,
        first: u64,
        count: u64,
        grid: &Grid,
        chunk_indices: &mut [u64],
        collector: &mut Collector<'_>,
    ) -> Result<()> {
        for number in first..first.saturating_add(count) {
            let at = cursor.offset();
            let element = Element::parse(cursor, &self.file.context, grid, self.length_bytes)?;
            if let Some(address) = element.address {
                place(number, &grid.max_count, &self.order, chunk_indices);
                collector.push(chunk_indices, address, element.length, element.filter_mask, at)?;
            }
        }
        Ok(())
    }
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
}
