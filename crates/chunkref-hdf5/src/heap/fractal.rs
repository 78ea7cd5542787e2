// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fractal heaps: densely stored links, attributes and shared messages. Spec: HDF5 File Format 3.0, III.G.

use std::collections::BTreeMap;

use super::doubling_table::DoublingTable;
use crate::context::{
    Address, Context, expect_signature, expect_version, verify_checksum, verify_inner_checksum,
};
use crate::error::{Hdf5Error, Result};
use crate::filter;
use crate::message::Filter;
use crate::message::filter_pipeline;
use bytes::Bytes;
use chunkref_core::Cursor;

/// What the header is called in errors.
pub(crate) const HEADER: &str = "fractal heap header";
/// What an indirect block is called in errors.
pub(crate) const INDIRECT: &str = "fractal heap indirect block";
/// What a direct block is called in errors.
pub(crate) const DIRECT: &str = "fractal heap direct block";

/// A heap's header.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) id_bytes: u16,
    checksummed_blocks: bool,
    max_managed_bytes: u32,
    pub(super) huge_index: Option<Address>,
    pub(super) table: DoublingTable,
    root: Option<Address>,
    root_rows: u16,
    /// Stored bytes and filter mask of a filtered root that is a direct block.
    filtered_root: Option<(u64, u32)>,
    pub(super) filters: Vec<Filter>,
}

impl Header {
    fn parse(bytes: &[u8], offset: u64, context: &Context) -> Result<Self> {
        let mut cursor = Cursor::new(bytes, offset, HEADER);
        expect_signature(&mut cursor, *b"FRHP")?;
        expect_version(&mut cursor, &[0])?;
        let id_bytes = cursor.u16_le()?;
        let filter_bytes = cursor.u16_le()?;
        let flags = cursor.u8()?;
        let max_managed_bytes = cursor.u32_le()?;
        context.length(&mut cursor)?; // next huge object ID
        let huge_index = context.address(&mut cursor)?;
        context.length(&mut cursor)?; // free space
        context.address(&mut cursor)?; // free-space manager
        for _ in 0..8 {
            context.length(&mut cursor)?; // amounts of managed, huge and tiny space and objects
        }
        let table = DoublingTable {
            width: cursor.u16_le()?,
            starting_bytes: context.length(&mut cursor)?,
            max_direct_bytes: context.length(&mut cursor)?,
            max_heap_bits: cursor.u16_le()?,
        };
        cursor.skip(2)?; // rows that a new root begins with
        let root = context.address(&mut cursor)?;
        let root_rows = cursor.u16_le()?;
        let (mut filtered_root, mut filters) = (None, Vec::new());
        if filter_bytes > 0 {
            filtered_root = Some((context.length(&mut cursor)?, cursor.u32_le()?));
            filters = filter_pipeline::parse(&mut cursor.slice(u64::from(filter_bytes), HEADER)?)?;
        }
        cursor.skip(4)?;
        verify_checksum(bytes.get(..cursor.position()).unwrap_or_default(), offset, HEADER)?;
        let header = Self {
            id_bytes,
            checksummed_blocks: flags & 2 != 0,
            max_managed_bytes,
            huge_index,
            table,
            root,
            root_rows,
            filtered_root,
            filters,
        };
        header.check(offset, &context.limits)?;
        Ok(header)
    }

    fn check(&self, offset: u64, limits: &chunkref_core::Limits) -> Result<()> {
        let table = self.table;
        let sound = table.width.is_power_of_two()
            && table.starting_bytes.is_power_of_two()
            && table.max_direct_bytes.is_power_of_two()
            && table.max_direct_bytes >= table.starting_bytes
            && (1..=64).contains(&table.max_heap_bits)
            && self.id_bytes > 0;
        if !sound {
            return Err(Hdf5Error::inconsistent(
                HEADER,
                offset,
                "the heap's sizes contradict the specification",
            ));
        }
        Hdf5Error::check_limit(
            HEADER,
            offset,
            "bytes in a block",
            table.max_direct_bytes,
            limits.structure_bytes,
        )?;
        Hdf5Error::check_limit(HEADER, offset, "rows", u64::from(self.root_rows), 64)
    }

    /// Bytes of the length in the ID of a managed object.
    pub(super) fn managed_length_bytes(&self) -> usize {
        let by_block = self.table.max_direct_bytes.ilog2().div_ceil(8);
        let by_object =
            self.max_managed_bytes.max(1).ilog2().checked_div(8).unwrap_or(0).saturating_add(1);
        usize::try_from(by_block.min(by_object)).unwrap_or(8)
    }

    /// Whether blocks and huge objects went through filters.
    pub(super) fn is_filtered(&self) -> bool {
        !self.filters.is_empty()
    }
}

/// A direct block: where it is in the heap and in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// Bytes in the heap.
    length: u64,
    /// Where it is in the file.
    pub(crate) address: Address,
    /// Bytes in the file, and mask, of a filtered block.
    filtered: Option<(u64, u32)>,
}

impl Block {
    /// Bytes in the file.
    pub(crate) fn stored_bytes(self, context: &Context) -> Result<u64> {
        let stored = self.filtered.map_or(self.length, |(stored, _)| stored);
        let (offset, limit) = (context.file_offset(self.address), context.limits.structure_bytes);
        Hdf5Error::check_limit(DIRECT, offset, "bytes", stored.max(self.length), limit)?;
        Ok(stored)
    }
}

/// An indirect block that is to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Indirect {
    heap_offset: u64,
    pub(crate) address: Address,
    rows: u32,
}

/// A heap with the map of its direct blocks.
#[derive(Debug)]
pub(crate) struct FractalHeap {
    /// Where the header is, in bytes from the start of the file.
    pub(super) offset: u64,
    pub(super) header: Header,
    /// Direct blocks by their offset in the heap.
    blocks: BTreeMap<u64, Block>,
    /// Indirect blocks that are to be read before the map is whole.
    pending: Vec<Indirect>,
    /// Indirect blocks so far.
    count: u64,
}

impl FractalHeap {
    /// The heap whose header `bytes` begin with, without what its indirect blocks say.
    pub(crate) fn parse(bytes: &[u8], offset: u64, context: &Context) -> Result<Self> {
        let header = Header::parse(bytes, offset, context)?;
        let (root, rows) = (header.root, u32::from(header.root_rows));
        let (length, filtered) = (header.table.starting_bytes, header.filtered_root);
        let (blocks, pending) = (BTreeMap::new(), Vec::new());
        let mut heap = Self { offset, header, blocks, pending, count: 0 };
        match root {
            None => {}
            Some(address) if rows == 0 => {
                heap.blocks.insert(0, Block { length, address, filtered });
            }
            Some(address) => {
                heap.expect(vec![Indirect { heap_offset: 0, address, rows }], context)?;
            }
        }
        Ok(heap)
    }

    /// Indirect blocks to read; none when the map is whole.
    pub(crate) fn pending(&self) -> &[Indirect] {
        &self.pending
    }

    /// Adds what all pending indirect blocks say, whose bytes `buffers` are.
    pub(crate) fn add(&mut self, buffers: &[Bytes], context: &Context) -> Result<()> {
        let mut further = Vec::new();
        for (block, bytes) in std::mem::take(&mut self.pending).into_iter().zip(buffers) {
            self.parse_indirect(block, bytes, context, &mut further)?;
        }
        self.expect(further, context)
    }

    fn expect(&mut self, blocks: Vec<Indirect>, context: &Context) -> Result<()> {
        self.count = self.count.saturating_add(blocks.len() as u64);
        let (what, limit) = ("indirect blocks", context.limits.objects);
        Hdf5Error::check_limit(INDIRECT, self.offset, what, self.count, limit)?;
        self.pending = blocks;
        Ok(())
    }

    /// Bytes of an indirect block.
    pub(crate) fn indirect_bytes(&self, block: Indirect, context: &Context) -> u64 {
        let table = self.header.table;
        let direct_entry = if self.header.is_filtered() {
            context.offset_bytes().saturating_add(context.length_bytes()).saturating_add(4)
        } else {
            context.offset_bytes()
        };
        let direct = u64::from(block.rows.min(table.direct_rows()));
        let indirect = u64::from(block.rows).saturating_sub(direct);
        let entries = direct
            .saturating_mul(direct_entry)
            .saturating_add(indirect.saturating_mul(context.offset_bytes()));
        entries
            .saturating_mul(u64::from(table.width))
            .saturating_add(context.offset_bytes())
            .saturating_add(table.offset_bytes() as u64)
            .saturating_add(9)
    }

    fn parse_indirect(
        &mut self,
        block: Indirect,
        bytes: &Bytes,
        context: &Context,
        further: &mut Vec<Indirect>,
    ) -> Result<()> {
        let table = self.header.table;
        let offset = context.file_offset(block.address);
        let mut cursor = Cursor::new(bytes, offset, INDIRECT);
        expect_signature(&mut cursor, *b"FHIB")?;
        expect_version(&mut cursor, &[0])?;
        verify_checksum(bytes, offset, INDIRECT)?;
        context.address(&mut cursor)?; // heap header
        cursor.skip(table.offset_bytes())?;
        let mut heap_offset = block.heap_offset;
        for row in 0..block.rows {
            let length = table.row_bytes(row);
            for _ in 0..table.width {
                let address = context.address(&mut cursor)?;
                if row < table.direct_rows() {
                    let mut filtered = None;
                    if self.header.is_filtered() {
                        filtered = Some((context.length(&mut cursor)?, cursor.u32_le()?));
                    }
                    if let Some(address) = address {
                        self.blocks.insert(heap_offset, Block { length, address, filtered });
                    }
                } else if let Some(address) = address {
                    let rows = table.rows_of(length);
                    if rows >= block.rows {
                        return Err(Hdf5Error::inconsistent(
                            INDIRECT,
                            offset,
                            "a child is as large as its parent",
                        ));
                    }
                    further.push(Indirect { heap_offset, address, rows });
                }
                heap_offset = heap_offset.saturating_add(length);
            }
        }
        Ok(())
    }

    /// The direct block that holds what is at `offset` of the heap, and its own offset there.
    pub(crate) fn block_at(&self, offset: u64) -> Option<(u64, Block)> {
        self.blocks.range(..=offset).next_back().map(|(&start, &block)| (start, block))
    }

    /// A direct block without filters, checked; `stored` are its bytes in the file.
    pub(crate) fn parse_block(
        &self,
        block: Block,
        stored: Bytes,
        context: &Context,
    ) -> Result<Bytes> {
        let offset = context.file_offset(block.address);
        let mut bytes = stored;
        if let Some((_, mask)) = block.filtered {
            let (filters, ending) = (&self.header.filters, &context.ending);
            bytes = filter::decode(filters, mask, bytes, block.length, offset, ending)?;
        }
        let mut cursor = Cursor::new(&bytes, offset, DIRECT);
        expect_signature(&mut cursor, *b"FHDB")?;
        expect_version(&mut cursor, &[0])?;
        context.address(&mut cursor)?; // heap header
        cursor.skip(self.header.table.offset_bytes())?;
        if self.header.checksummed_blocks {
            verify_inner_checksum(&bytes, &mut cursor, offset)?;
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::lookup3;
    use crate::testing::{context, fractal_heap_header as header};

    /// An indirect block of two rows of 4 direct blocks.
    fn indirect(blocks: [u64; 8]) -> Bytes {
        let mut bytes = b"FHIB\x00".to_vec();
        bytes.extend(0_u64.to_le_bytes()); // heap header
        bytes.extend([0; 5]); // offset in the heap
        for address in blocks {
            bytes.extend(address.to_le_bytes());
        }
        bytes.extend(lookup3(&bytes).to_le_bytes());
        bytes.into()
    }

    #[test]
    fn the_map_has_every_block_of_the_rows() {
        let mut heap = FractalHeap::parse(&header(), 0, &context()).unwrap();
        let [pending] = heap.pending() else { panic!("one indirect block") };
        assert_eq!(pending.address, Address(1000));
        let undefined = u64::MAX;
        let bytes = indirect([10, 20, undefined, 40, 50, 60, 70, 80]);
        assert_eq!(bytes.len() as u64, heap.indirect_bytes(*pending, &context()));
        heap.add(&[bytes], &context()).unwrap();
        assert!(heap.pending().is_empty());
        let at = |offset| heap.block_at(offset).map(|(start, block)| (start, block.address.0));
        assert_eq!([at(0), at(511), at(513)], [Some((0, 10)), Some((0, 10)), Some((512, 20))]);
        assert_eq!([at(1536), at(2048)], [Some((1536, 40)), Some((2048, 50))]);
    }

    #[test]
    fn damage_is_found() {
        let mut bytes = header();
        bytes[12] ^= 1;
        assert!(matches!(Header::parse(&bytes, 0, &context()), Err(Hdf5Error::Checksum { .. })));
    }
}
