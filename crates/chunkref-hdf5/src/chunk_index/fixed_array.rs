// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fixed arrays. Spec: HDF5 File Format 3.0, VII.C.

use chunkref_core::Cursor;

use super::{ChunkTable, Collector, Element, Grid, filtered_length_bytes, place};
use crate::context::{Address, Context, expect_signature, expect_version, verify_checksum};
use crate::error::{Hdf5Error, Result};
use crate::file::File;

const HEADER: &str = "fixed array header";
const DATA_BLOCK: &str = "fixed array data block";
const PAGE: &str = "fixed array data block page";

/// A fixed array's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    filtered: bool,
    element_bytes: u8,
    page_bits: u8,
    elements: u64,
    data_block: Option<Address>,
}

impl Header {
    fn bytes(context: &Context) -> u64 {
        context.offset_bytes().saturating_add(context.length_bytes()).saturating_add(12)
    }

    fn parse(bytes: &[u8], offset: u64, context: &Context) -> Result<Self> {
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
}

pub(super) async fn walk(file: &File<'_>, address: Address, grid: &Grid) -> Result<ChunkTable> {
    let context = &file.context;
    let offset = context.file_offset(address);
    let bytes = file.frontier.read(offset, Header::bytes(context), HEADER).await?;
    let header = Header::parse(&bytes, offset, context)?;
    let mut collector = Collector::new(file, grid, HEADER);
    let Some(block) = header.data_block else { return Ok(collector.table) };
    let element_bytes = u64::from(header.element_bytes);
    let length_bytes =
        filtered_length_bytes(element_bytes, header.filtered, context, HEADER, offset)?;
    let mut elements =
        Elements { grid, context, length_bytes, chunk_indices: vec![0; grid.rank()] };

    let block_offset = context.file_offset(block);
    let prefix_bytes = context.offset_bytes().saturating_add(6);
    let Some((page_elements, pages)) = header.pages() else {
        let length = prefix_bytes
            .saturating_add(header.elements.saturating_mul(element_bytes))
            .saturating_add(4);
        let bytes = file.frontier.read(block_offset, length, DATA_BLOCK).await?;
        let mut cursor = block_cursor(&bytes, block_offset, context)?;
        return elements
            .collect(&mut cursor, 0, header.elements, &mut collector)
            .map(|()| collector.table);
    };

    let bitmap_bytes = pages.div_ceil(8);
    let prefix_bytes = prefix_bytes.saturating_add(bitmap_bytes).saturating_add(4);
    let bytes = file.frontier.read(block_offset, prefix_bytes, DATA_BLOCK).await?;
    let mut cursor = block_cursor(&bytes, block_offset, context)?;
    let bitmap = cursor.bytes_u64(bitmap_bytes)?;
    let page_bytes = page_elements.saturating_mul(element_bytes).saturating_add(4);
    // Only pages whose bit is set were ever written. Bits count from the most significant one.
    let written = (0..pages).filter(|&page| bit(bitmap, page)).map(|page| {
        let first = page.saturating_mul(page_elements);
        let count = page_elements.min(header.elements.saturating_sub(first));
        let at = block_offset
            .saturating_add(prefix_bytes)
            .saturating_add(page.saturating_mul(page_bytes));
        (first, count, at)
    });
    let reads = written.map(|(first, count, at)| async move {
        let length = count.saturating_mul(element_bytes).saturating_add(4);
        file.frontier.read(at, length, PAGE).await.map(|bytes| (first, count, at, bytes))
    });
    for (first, count, at, bytes) in futures::future::try_join_all(reads).await? {
        verify_checksum(&bytes, at, PAGE)?;
        elements.collect(&mut Cursor::new(&bytes, at, PAGE), first, count, &mut collector)?;
    }
    Ok(collector.table)
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

/// How elements become chunks.
struct Elements<'a> {
    grid: &'a Grid,
    context: &'a Context,
    length_bytes: Option<usize>,
    chunk_indices: Vec<u64>,
}

impl Elements<'_> {
    /// `count` elements from element `first` on.
    fn collect(
        &mut self,
        cursor: &mut Cursor<'_>,
        first: u64,
        count: u64,
        collector: &mut Collector<'_>,
    ) -> Result<()> {
        let order: Vec<usize> = (0..self.grid.rank()).collect();
        for number in first..first.saturating_add(count) {
            let at = cursor.offset();
            let element = Element::parse(cursor, self.context, self.grid, self.length_bytes)?;
            if let Some(address) = element.address {
                place(number, &self.grid.max_count, &order, &mut self.chunk_indices);
                collector.push(
                    &self.chunk_indices,
                    address,
                    element.length,
                    element.filter_mask,
                    at,
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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
}
