// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fractal heaps: densely stored links, attributes and shared messages. Spec: HDF5 File Format 3.0, III.G.

use std::collections::BTreeMap;

use bytes::Bytes;
use chunkref_core::Cursor;
use futures::future::{join_all, try_join_all};

use super::doubling_table::DoublingTable;
use crate::context::{Address, Context, expect_signature, expect_version, verify_checksum};
use crate::error::{Hdf5Error, Result};
use crate::file::File;
use crate::filter;
use crate::message::Filter;
use crate::message::filter_pipeline;

const HEADER: &str = "fractal heap header";
const INDIRECT: &str = "fractal heap indirect block";
const DIRECT: &str = "fractal heap direct block";
const HUGE: &str = "fractal heap huge object";
const ID: &str = "fractal heap ID";

/// Bytes that hold the header of every heap without long filter pipelines.
const HEADER_GUESS_BYTES: u64 = 512;

/// A heap's header.
#[derive(Debug, Clone)]
struct Header {
    id_bytes: u16,
    checksummed_blocks: bool,
    max_managed_bytes: u32,
    huge_index: Option<Address>,
    table: DoublingTable,
    root: Option<Address>,
    root_rows: u16,
    /// Stored bytes and filter mask of a filtered root that is a direct block.
    filtered_root: Option<(u64, u32)>,
    filters: Vec<Filter>,
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
    fn managed_length_bytes(&self) -> usize {
        let by_block = self.table.max_direct_bytes.ilog2().div_ceil(8);
        let by_object =
            self.max_managed_bytes.max(1).ilog2().checked_div(8).unwrap_or(0).saturating_add(1);
        usize::try_from(by_block.min(by_object)).unwrap_or(8)
    }

    fn is_filtered(&self) -> bool {
        !self.filters.is_empty()
    }
}

/// A direct block: where it is in the heap and in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    /// Bytes in the heap.
    length: u64,
    address: Address,
    /// Bytes in the file, and mask, of a filtered block.
    filtered: Option<(u64, u32)>,
}

/// An indirect block that is to be read.
#[derive(Debug, Clone, Copy)]
struct Indirect {
    heap_offset: u64,
    address: Address,
    rows: u32,
}

/// A heap with the map of its direct blocks.
#[derive(Debug)]
pub(crate) struct FractalHeap {
    offset: u64,
    header: Header,
    /// Direct blocks by their offset in the heap.
    blocks: BTreeMap<u64, Block>,
}

/// What a heap ID says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum HeapId {
    Managed { offset: u64, length: u64 },
    HugeDirect { address: Address, length: u64, filtered: Option<(u32, u64)> },
    HugeIndexed { key: u64 },
    Tiny(Bytes),
}

impl FractalHeap {
    /// Reads the header and all indirect blocks of the heap at `address`.
    pub(crate) async fn read(file: &File<'_>, address: Address) -> Result<Self> {
        let context = &file.context;
        let offset = context.file_offset(address);
        let bytes = file.frontier.read_up_to(offset, HEADER_GUESS_BYTES, HEADER).await?;
        let header = match Header::parse(&bytes, offset, context) {
            // A long filter pipeline: its length is in the header.
            Err(Hdf5Error::Truncated(_)) => {
                let bytes = file
                    .frontier
                    .read_up_to(offset, HEADER_GUESS_BYTES.saturating_add(1 << 16), HEADER)
                    .await?;
                Header::parse(&bytes, offset, context)?
            }
            other => other?,
        };
        let mut heap = Self { offset, header, blocks: BTreeMap::new() };
        heap.map_blocks(file).await?;
        Ok(heap)
    }

    async fn map_blocks(&mut self, file: &File<'_>) -> Result<()> {
        let Some(root) = self.header.root else { return Ok(()) };
        if self.header.root_rows == 0 {
            let length = self.header.table.starting_bytes;
            self.blocks
                .insert(0, Block { length, address: root, filtered: self.header.filtered_root });
            return Ok(());
        }
        let mut pending = vec![Indirect {
            heap_offset: 0,
            address: root,
            rows: u32::from(self.header.root_rows),
        }];
        let mut count = 0_u64;
        while !pending.is_empty() {
            count = count.saturating_add(pending.len() as u64);
            Hdf5Error::check_limit(
                INDIRECT,
                self.offset,
                "indirect blocks",
                count,
                file.limits().objects,
            )?;
            let reads = pending.iter().map(|block| {
                let offset = file.context.file_offset(block.address);
                file.frontier.read(offset, self.indirect_bytes(*block, &file.context), INDIRECT)
            });
            let buffers = try_join_all(reads).await?;
            let mut further = Vec::new();
            for (block, bytes) in pending.iter().zip(&buffers) {
                self.parse_indirect(*block, bytes, file, &mut further)?;
            }
            pending = further;
        }
        Ok(())
    }

    fn indirect_bytes(&self, block: Indirect, context: &Context) -> u64 {
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
        file: &File<'_>,
        further: &mut Vec<Indirect>,
    ) -> Result<()> {
        let context = &file.context;
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

    /// The objects with these IDs, in their order; every block is read once.
    pub(crate) async fn objects(&self, file: &File<'_>, ids: &[Bytes]) -> Vec<Result<Bytes>> {
        let parsed: Vec<Result<HeapId>> =
            ids.iter().map(|id| self.parse_id(id, &file.context)).collect();
        let mut wanted = BTreeMap::new();
        for id in parsed.iter().flatten() {
            if let HeapId::Managed { offset, .. } = id
                && let Some((&start, &block)) = self.blocks.range(..=*offset).next_back()
            {
                wanted.insert(start, block);
            }
        }
        let reads = wanted
            .iter()
            .map(|(&start, &block)| async move { (start, self.read_block(file, block).await) });
        let blocks: BTreeMap<u64, Result<Bytes>> = join_all(reads).await.into_iter().collect();
        join_all(parsed.into_iter().map(|id| self.object(file, id, &blocks))).await
    }

    async fn object(
        &self,
        file: &File<'_>,
        id: Result<HeapId>,
        blocks: &BTreeMap<u64, Result<Bytes>>,
    ) -> Result<Bytes> {
        match id? {
            HeapId::Tiny(bytes) => Ok(bytes),
            HeapId::Managed { offset, length } => {
                let outside = || {
                    let reason = format!(
                        "object of {length} bytes at {offset} lies outside the heap's blocks"
                    );
                    Hdf5Error::inconsistent(ID, self.offset, reason)
                };
                let (start, block) = blocks.range(..=offset).next_back().ok_or_else(outside)?;
                let block = block.clone()?;
                let from = usize::try_from(offset.saturating_sub(*start)).map_err(|_| outside())?;
                let to = usize::try_from(length).ok().and_then(|length| from.checked_add(length));
                match to {
                    Some(to) if to <= block.len() => Ok(block.slice(from..to)),
                    _ => Err(outside()),
                }
            }
            HeapId::HugeDirect { address, length, filtered } => {
                self.read_huge(file, address, length, filtered.map(|(mask, _)| mask)).await
            }
            HeapId::HugeIndexed { key } => {
                let (address, length, mask) = self.find_huge(file, key).await?;
                self.read_huge(file, address, length, mask).await
            }
        }
    }

    fn parse_id(&self, id: &Bytes, context: &Context) -> Result<HeapId> {
        let mut cursor = Cursor::new(id, self.offset, ID);
        let first = cursor.u8()?;
        if first >> 6 != 0 {
            return Err(Hdf5Error::UnsupportedVersion {
                structure: ID,
                offset: self.offset,
                version: first >> 6,
            });
        }
        match first >> 4 & 3 {
            0 => Ok(HeapId::Managed {
                offset: cursor.uint_le(self.header.table.offset_bytes())?,
                length: cursor.uint_le(self.header.managed_length_bytes())?,
            }),
            1 => {
                let filtered = self.header.is_filtered();
                let plain = context.offset_bytes().saturating_add(context.length_bytes());
                let needed = if filtered {
                    plain.saturating_add(4).saturating_add(context.length_bytes())
                } else {
                    plain
                };
                let room = u64::from(self.header.id_bytes).saturating_sub(1);
                if needed > room {
                    let length = usize::try_from(room.min(context.length_bytes())).unwrap_or(8);
                    return Ok(HeapId::HugeIndexed { key: cursor.uint_le(length)? });
                }
                let address = context.defined_address(&mut cursor)?;
                let length = context.length(&mut cursor)?;
                let filtered = if filtered {
                    Some((cursor.u32_le()?, context.length(&mut cursor)?))
                } else {
                    None
                };
                Ok(HeapId::HugeDirect { address, length, filtered })
            }
            2 => {
                // IDs of more than 18 bytes hold tiny objects whose length takes 12 bits instead of 4.
                let mut length = usize::from(first & 0x0f);
                if self.header.id_bytes > 18 {
                    length = length << 8 | usize::from(cursor.u8()?);
                }
                let from = cursor.position();
                cursor.skip(length.saturating_add(1))?;
                Ok(HeapId::Tiny(id.slice(from..cursor.position())))
            }
            _ => Err(Hdf5Error::inconsistent(ID, self.offset, "heap ID type 3 does not exist")),
        }
    }

    async fn read_block(&self, file: &File<'_>, block: Block) -> Result<Bytes> {
        let offset = file.context.file_offset(block.address);
        let stored = block.filtered.map_or(block.length, |(stored, _)| stored);
        Hdf5Error::check_limit(
            DIRECT,
            offset,
            "bytes",
            stored.max(block.length),
            file.limits().structure_bytes,
        )?;
        let mut bytes = file.frontier.read(offset, stored, DIRECT).await?;
        if let Some((_, mask)) = block.filtered {
            let (filters, ending) = (&self.header.filters, file.frontier.ending());
            bytes = filter::decode(filters, mask, bytes, block.length, offset, ending)?;
        }
        let mut cursor = Cursor::new(&bytes, offset, DIRECT);
        expect_signature(&mut cursor, *b"FHDB")?;
        expect_version(&mut cursor, &[0])?;
        file.context.address(&mut cursor)?; // heap header
        cursor.skip(self.header.table.offset_bytes())?;
        if self.header.checksummed_blocks {
            let at = cursor.position();
            let stored = cursor.u32_le()?;
            let mut copy = bytes.to_vec();
            if let Some(field) = copy.get_mut(at..at.saturating_add(4)) {
                field.fill(0);
            }
            let computed = crate::checksum::lookup3(&copy);
            if stored != computed && !cfg!(fuzzing) {
                return Err(Hdf5Error::Checksum { structure: DIRECT, offset, stored, computed });
            }
        }
        Ok(bytes)
    }

    async fn read_huge(
        &self,
        file: &File<'_>,
        address: Address,
        length: u64,
        mask: Option<u32>,
    ) -> Result<Bytes> {
        let offset = file.context.file_offset(address);
        Hdf5Error::check_limit(HUGE, offset, "bytes", length, file.limits().structure_bytes)?;
        let bytes = file.frontier.read(offset, length, HUGE).await?;
        match mask {
            None => Ok(bytes),
            Some(mask) => filter::decode(
                &self.header.filters,
                mask,
                bytes,
                file.limits().structure_bytes,
                offset,
                file.frontier.ending(),
            ),
        }
    }

    /// Looks a huge object up in the heap's version-2 B-tree (record types 1 and 2).
    async fn find_huge(&self, file: &File<'_>, key: u64) -> Result<(Address, u64, Option<u32>)> {
        let missing =
            || Hdf5Error::inconsistent(HUGE, self.offset, format!("there is no huge object {key}"));
        let index = self.header.huge_index.ok_or_else(missing)?;
        let tree = file.btree_v2_header(index).await?;
        let mut found = None;
        let context = &file.context;
        let mut visit = |mut record: Cursor<'_>| {
            let address = context.defined_address(&mut record)?;
            let length = context.length(&mut record)?;
            let mut mask = None;
            if tree.record_type == 2 {
                mask = Some(record.u32_le()?);
                context.length(&mut record)?; // bytes in memory
            }
            if context.length(&mut record)? == key {
                found = Some((address, length, mask));
            }
            Ok(())
        };
        file.btree_v2_records(index, &tree, &mut visit).await?;
        found.ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::lookup3;
    use crate::testing::context;

    fn header() -> Vec<u8> {
        let mut bytes = b"FRHP\x00\x08\x00\x00\x00\x02".to_vec(); // 8-byte IDs, no filters, checksummed blocks
        bytes.extend(4096_u32.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend([0xff; 8]);
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend([0xff; 8]);
        bytes.extend([0; 64]);
        bytes.extend([4, 0]);
        bytes.extend(512_u64.to_le_bytes());
        bytes.extend(65536_u64.to_le_bytes());
        bytes.extend([40, 0, 1, 0]);
        bytes.extend(1000_u64.to_le_bytes());
        bytes.extend([2, 0]);
        bytes.extend(lookup3(&bytes).to_le_bytes());
        bytes
    }

    fn heap() -> FractalHeap {
        let header = Header::parse(&header(), 0, &context()).unwrap();
        FractalHeap { offset: 0, header, blocks: BTreeMap::new() }
    }

    #[test]
    fn ids_of_every_type() {
        let heap = heap();
        assert_eq!(heap.header.managed_length_bytes(), 2);
        let managed = Bytes::from_static(&[0, 21, 2, 0, 0, 0, 30, 0]);
        assert_eq!(
            heap.parse_id(&managed, &context()).unwrap(),
            HeapId::Managed { offset: 533, length: 30 }
        );
        let tiny = Bytes::from_static(&[0x22, 7, 8, 9, 0, 0, 0, 0]);
        assert_eq!(
            heap.parse_id(&tiny, &context()).unwrap(),
            HeapId::Tiny(Bytes::from_static(&[7, 8, 9]))
        );
        let huge = Bytes::from_static(&[0x10, 5, 0, 0, 0, 0, 0, 0]);
        assert_eq!(heap.parse_id(&huge, &context()).unwrap(), HeapId::HugeIndexed { key: 5 });
        assert!(heap.parse_id(&Bytes::from_static(&[0x40; 8]), &context()).is_err());
    }

    #[test]
    fn damage_is_found() {
        let mut bytes = header();
        bytes[12] ^= 1;
        assert!(matches!(Header::parse(&bytes, 0, &context()), Err(Hdf5Error::Checksum { .. })));
    }
}
