// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fixed arrays. Spec: HDF5 File Format 3.0, VII.C.

use chunkref_core::Cursor;

use super::collector::{Collector, Element, filtered_length_bytes, place};
use super::table::ChunkTable;
use crate::context::{Address, Context, expect_signature, expect_version, verify_checksum};
use crate::error::{Hdf5Error, Result};

/// What the header is called in errors.
pub(crate) const HEADER: &str = "fixed array header";
/// What the data block is called in errors.
pub(crate) const DATA_BLOCK: &str = "fixed array data block";
/// What a page is called in errors.
pub(crate) const PAGE: &str = "fixed array data block page";

/// A fixed array's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    filtered: bool,
    element_bytes: u8,
    page_bits: u8,
    elements: u64,
    /// The data block; `None` when no chunk is stored.
    pub(crate) data_block: Option<Address>,
}

impl Header {
    /// Bytes of a header.
    pub(crate) fn bytes(context: &Context) -> u64 {
        context.offset_bytes().saturating_add(context.length_bytes()).saturating_add(12)
    }

    pub(crate) fn parse(bytes: &[u8], offset: u64, context: &Context) -> Result<Self> {
        let mut cursor = Cursor::new(bytes, offset, HEADER);
        expect_signature(&mut cursor, *b"FAHD")?;
        expect_version(&mut cursor, &[0])?;
        let filtered = cursor.u8()? == 1;
        let element_bytes = cursor.u8()?;
        let page_bits = cursor.u8()?;
        let elements = context.length(&mut cursor)?;
        let data_block = context.address(&mut cursor)?;
        verify_checksum(bytes, offset, HEADER)?;
        Hdf5Error::check_limit(HEADER, offset, "elements", elements, context.limits.chunks)?;
        if page_bits > 32 {
            return Err(Hdf5Error::inconsistent(
                HEADER,
                offset,
                format!("pages of 2^{page_bits} elements"),
            ));
        }
        Ok(Self { filtered, element_bytes, page_bits, elements, data_block })
    }

    /// Elements of a page, and pages; none when the data block holds the elements itself.
    fn pages(&self) -> Option<(u64, u64)> {
        let page = 1_u64.checked_shl(u32::from(self.page_bits))?;
        (self.elements > page).then(|| (page, self.elements.div_ceil(page)))
    }

    /// Bytes of the data block before its elements or pages, without checksum and bitmap.
    fn prefix_bytes(context: &Context) -> u64 {
        context.offset_bytes().saturating_add(6)
    }

    /// Bytes of the data block without its pages.
    pub(crate) fn data_block_bytes(&self, context: &Context) -> u64 {
        let body = match self.pages() {
            None => self.elements.saturating_mul(u64::from(self.element_bytes)),
            Some((_, pages)) => pages.div_ceil(8),
        };
        Self::prefix_bytes(context).saturating_add(body).saturating_add(4)
    }
}

/// A page of elements that is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    first: u64,
    count: u64,
    /// Bytes from the start of the file.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) length: u64,
}

/// Makes chunks of elements.
#[derive(Debug)]
pub(crate) struct Elements<'a> {
    header: Header,
    length_bytes: Option<usize>,
    collector: Collector<'a>,
    chunk_indices: Vec<u64>,
}

impl<'a> Elements<'a> {
    /// Of the array with this header, which is at `offset` of the file; chunks go to `collector`.
    pub(crate) fn new(header: Header, offset: u64, collector: Collector<'a>) -> Result<Self> {
        let element_bytes = u64::from(header.element_bytes);
        let (context, filtered) = (collector.context, header.filtered);
        let length_bytes = filtered_length_bytes(element_bytes, filtered, context, HEADER, offset)?;
        let chunk_indices = vec![0; collector.grid.rank()];
        Ok(Self { header, length_bytes, collector, chunk_indices })
    }

    /// The chunks of the data block in `bytes`, or the pages that they are in.
    pub(crate) fn data_block(&mut self, bytes: &[u8], offset: u64) -> Result<Vec<Page>> {
        let context = self.collector.context;
        let mut cursor = block_cursor(bytes, offset, context)?;
        let Some((page_elements, pages)) = self.header.pages() else {
            self.collect(&mut cursor, 0, self.header.elements)?;
            return Ok(Vec::new());
        };
        let bitmap = cursor.bytes_u64(pages.div_ceil(8))?;
        let element_bytes = u64::from(self.header.element_bytes);
        let bytes_of = |count: u64| count.saturating_mul(element_bytes).saturating_add(4);
        let begin = offset.saturating_add(self.header.data_block_bytes(context));
        // Only pages whose bit is set were ever written. Bits count from the most significant one.
        let written = (0..pages).filter(|&page| bit(bitmap, page)).map(|page| {
            let first = page.saturating_mul(page_elements);
            let count = page_elements.min(self.header.elements.saturating_sub(first));
            let offset = begin.saturating_add(page.saturating_mul(bytes_of(page_elements)));
            Page { first, count, offset, length: bytes_of(count) }
        });
        Ok(written.collect())
    }

    /// The chunks of a page.
    pub(crate) fn page(&mut self, page: Page, bytes: &[u8]) -> Result<()> {
        verify_checksum(bytes, page.offset, PAGE)?;
        self.collect(&mut Cursor::new(bytes, page.offset, PAGE), page.first, page.count)
    }

    /// `count` elements from element `first` on.
    fn collect(&mut self, cursor: &mut Cursor<'_>, first: u64, count: u64) -> Result<()> {
        let (context, grid) = (self.collector.context, self.collector.grid);
        let order: Vec<usize> = (0..grid.rank()).collect();
        for number in first..first.saturating_add(count) {
            let at = cursor.offset();
            let element = Element::parse(cursor, context, grid, self.length_bytes)?;
            if let Some(address) = element.address {
                place(number, &grid.max_count, &order, &mut self.chunk_indices);
                let (length, filter_mask) = (element.length, element.filter_mask);
                self.collector.push(&self.chunk_indices, address, length, filter_mask, at)?;
            }
        }
        Ok(())
    }

    /// All of them.
    pub(crate) fn finish(self) -> ChunkTable {
        self.collector.table
    }
}

/// A cursor behind the data block's header; the checksum covers what was read.
fn block_cursor<'a>(bytes: &'a [u8], offset: u64, context: &Context) -> Result<Cursor<'a>> {
    let mut cursor = Cursor::new(bytes, offset, DATA_BLOCK);
    expect_signature(&mut cursor, *b"FADB")?;
    expect_version(&mut cursor, &[0])?;
    cursor.skip(1)?;
    context.address(&mut cursor)?;
    verify_checksum(bytes, offset, DATA_BLOCK)?;
    Ok(cursor)
}

/// Bit `index` of a bitmap whose first bit is the most significant one of its first byte.
pub(super) fn bit(bitmap: &[u8], index: u64) -> bool {
    let byte = usize::try_from(index >> 3).ok().and_then(|byte| bitmap.get(byte));
    byte.is_some_and(|byte| byte & (0x80 >> (index & 7)) != 0)
}

#[cfg(test)]
mod tests {
    use super::super::table::Grid;
    use super::*;
    use crate::checksum::lookup3;
    use crate::testing::context;

    fn header(elements: u64) -> Header {
        let mut bytes = b"FAHD\x00\x01\x0f\x0a".to_vec();
        bytes.extend(elements.to_le_bytes());
        bytes.extend(999_u64.to_le_bytes());
        bytes.extend(lookup3(&bytes).to_le_bytes());
        assert_eq!(bytes.len() as u64, Header::bytes(&context()));
        Header::parse(&bytes, 0, &context()).unwrap()
    }

    #[test]
    fn exactly_one_page_of_elements_is_not_paged() {
        assert_eq!(header(1024).pages(), None);
        assert_eq!(header(1025).pages(), Some((1024, 2)));
        assert!(header(5).filtered);
    }

    #[test]
    fn bits_count_from_the_most_significant() {
        assert!(bit(&[0x80], 0) && !bit(&[0x80], 7) && bit(&[0, 0x01], 15));
        assert!(!bit(&[0xff], 8), "past the end is not set");
    }

    #[test]
    fn pages_that_were_written_follow_the_data_block() {
        let context = context();
        let grid = Grid::new(&[2000], &[Some(2000)], &[1], 4).unwrap();
        let collector = Collector::new(&context, 10_000, &grid, HEADER);
        let mut elements = Elements::new(header(2000), 0, collector).unwrap();
        let mut block = b"FADB\x00\x01".to_vec();
        block.extend(0_u64.to_le_bytes()); // header
        block.push(0x40); // the second of two pages
        block.extend(lookup3(&block).to_le_bytes());
        assert_eq!(block.len() as u64, header(2000).data_block_bytes(&context));
        let pages = elements.data_block(&block, 100).unwrap();
        // Behind the block and a page of 1024 elements of 15 bytes and a checksum.
        let (offset, length) = (100 + 19 + 1024 * 15 + 4, 976 * 15 + 4);
        assert_eq!(pages, [Page { first: 1024, count: 976, offset, length }]);
        let mut page = 700_u64.to_le_bytes().to_vec();
        page.extend([30, 0, 0, 1, 0, 0, 0]); // 30 bytes, mask 1
        for _ in 1..976 {
            page.extend([0xff; 15]);
        }
        page.extend(lookup3(&page).to_le_bytes());
        elements.page(pages[0], &page).unwrap();
        let table = elements.finish();
        let chunk = table.get(0).unwrap();
        assert_eq!((table.len(), chunk.chunk_indices, chunk.length), (1, &[1024][..], 30));
    }
}
