// SPDX-License-Identifier: MIT OR Apache-2.0
//! Objects of a fractal heap: heap IDs, and where huge objects are. Spec: HDF5 File Format 3.0, III.G "Fractal Heap ID",
//! III.A.2 record types 1 and 2.

use std::collections::BTreeMap;

use bytes::Bytes;
use chunkref_core::Cursor;

use super::fractal::FractalHeap;
use crate::btree::v2::{Header, Records};
use crate::context::{Address, Context};
use crate::error::{Hdf5Error, Result};
use crate::filter;

/// What a huge object is called in errors.
pub(crate) const HUGE: &str = "fractal heap huge object";
const ID: &str = "fractal heap ID";

/// What a heap ID says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeapId {
    /// In a direct block.
    Managed { offset: u64, length: u64 },
    /// At a place of the file.
    Huge(Huge),
    /// At a place of the file that the heap's B-tree has.
    HugeIndexed { key: u64 },
    /// In the ID itself.
    Tiny(Bytes),
}

/// Where a huge object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Huge {
    pub(crate) address: Address,
    /// Bytes in the file.
    length: u64,
    /// Filters that were skipped, of a filtered object.
    mask: Option<u32>,
}

impl Huge {
    /// Bytes in the file.
    pub(crate) fn stored_bytes(self, context: &Context) -> Result<u64> {
        let (offset, limit) = (context.file_offset(self.address), context.limits.structure_bytes);
        Hdf5Error::check_limit(HUGE, offset, "bytes", self.length, limit)?;
        Ok(self.length)
    }
}

impl FractalHeap {
    /// What a heap ID says.
    pub(crate) fn parse_id(&self, id: &Bytes, context: &Context) -> Result<HeapId> {
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
                let mut mask = None;
                if filtered {
                    mask = Some(cursor.u32_le()?);
                    context.length(&mut cursor)?; // bytes in memory
                }
                Ok(HeapId::Huge(Huge { address, length, mask }))
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

    /// An object of `length` bytes at `offset` of the heap, out of the direct blocks that were read.
    pub(crate) fn managed(
        &self,
        offset: u64,
        length: u64,
        blocks: &BTreeMap<u64, Result<Bytes>>,
    ) -> Result<Bytes> {
        let outside = || {
            let reason =
                format!("object of {length} bytes at {offset} lies outside the heap's blocks");
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

    /// A huge object without its filters; `stored` are its bytes in the file.
    pub(crate) fn parse_huge(&self, huge: Huge, stored: Bytes, context: &Context) -> Result<Bytes> {
        let (offset, limit) = (context.file_offset(huge.address), context.limits.structure_bytes);
        match huge.mask {
            None => Ok(stored),
            Some(mask) => {
                filter::decode(&self.header.filters, mask, stored, limit, offset, &context.ending)
            }
        }
    }

    /// The version-2 B-tree of huge objects, among which is `key`.
    pub(crate) fn huge_index(&self, key: u64) -> Result<Address> {
        self.header.huge_index.ok_or_else(|| self.no_huge(key))
    }

    /// That there is no huge object `key`.
    pub(crate) fn no_huge(&self, key: u64) -> Hdf5Error {
        Hdf5Error::inconsistent(HUGE, self.offset, format!("there is no huge object {key}"))
    }
}

/// Looks a huge object up among the records of a heap's B-tree, of types 1 and 2.
#[derive(Debug)]
pub(crate) struct HugeSearch<'a> {
    key: u64,
    filtered: bool,
    context: &'a Context,
    pub(crate) found: Option<Huge>,
}

impl<'a> HugeSearch<'a> {
    /// A search for `key` in the tree with this header.
    pub(crate) fn new(key: u64, tree: &Header, context: &'a Context) -> Self {
        Self { key, filtered: tree.record_type == 2, context, found: None }
    }
}

impl Records for HugeSearch<'_> {
    fn record(&mut self, mut record: Cursor<'_>) -> Result<()> {
        let address = self.context.defined_address(&mut record)?;
        let length = self.context.length(&mut record)?;
        let mut mask = None;
        if self.filtered {
            mask = Some(record.u32_le()?);
            self.context.length(&mut record)?; // bytes in memory
        }
        if self.context.length(&mut record)? == self.key {
            self.found = Some(Huge { address, length, mask });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, fractal_heap_header as header};

    fn heap() -> FractalHeap {
        FractalHeap::parse(&header(), 0, &context()).unwrap()
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
    fn managed_objects_lie_in_one_block() {
        let heap = heap();
        let blocks = BTreeMap::from([(512, Ok(Bytes::from_static(b"0123456789")))]);
        assert_eq!(heap.managed(514, 3, &blocks).unwrap(), Bytes::from_static(b"234"));
        for (offset, length) in [(511, 1), (520, 3), (u64::MAX, u64::MAX)] {
            assert!(heap.managed(offset, length, &blocks).is_err(), "{offset}");
        }
    }
}
