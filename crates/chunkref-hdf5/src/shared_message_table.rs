// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shared message table. Spec: HDF5 File Format 3.0, III.H ("Shared Object Header Message Table") and IV.A.2.p.

use chunkref_core::Cursor;

use crate::context::{Address, Context, expect_signature, expect_version, verify_checksum};
use crate::error::{Hdf5Error, Result};

/// What the table is called in errors.
pub(crate) const STRUCTURE: &str = "shared message table";

/// Which fractal heap holds the shared messages of which types.
#[derive(Debug, Clone)]
pub(crate) struct SharedMessageTable {
    offset: u64,
    /// Bit set of message type numbers, and heap.
    indexes: Vec<(u16, Option<Address>)>,
}

/// Where a file's table is. Spec: IV.A.2.p "Shared Message Table".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableLocation {
    /// The table.
    pub(crate) address: Address,
    /// Its indexes.
    count: u8,
}

impl TableLocation {
    /// A message of the superblock extension.
    pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        expect_version(cursor, &[0])?;
        Ok(Self { address: context.defined_address(cursor)?, count: cursor.u8()? })
    }

    /// Bytes of the table.
    pub(crate) fn bytes(self, context: &Context) -> u64 {
        let entry = context.offset_bytes().saturating_mul(2).saturating_add(14);
        u64::from(self.count).saturating_mul(entry).saturating_add(8)
    }
}

impl SharedMessageTable {
    /// The table in `bytes`, which lie at `location`.
    pub(crate) fn parse(bytes: &[u8], location: TableLocation, context: &Context) -> Result<Self> {
        let offset = context.file_offset(location.address);
        let mut cursor = Cursor::new(bytes, offset, STRUCTURE);
        expect_signature(&mut cursor, *b"SMTB")?;
        verify_checksum(bytes, offset, STRUCTURE)?;
        let mut indexes = Vec::new();
        for _ in 0..location.count {
            expect_version(&mut cursor, &[0])?;
            cursor.skip(1)?; // list or B-tree
            let kinds = cursor.u16_le()?;
            cursor.skip(10)?; // smallest message, cutoffs, number of messages
            context.address(&mut cursor)?; // list or B-tree
            indexes.push((kinds, context.address(&mut cursor)?));
        }
        Ok(Self { offset, indexes })
    }

    /// The heap of shared messages of type `kind`.
    pub(crate) fn heap(&self, kind: u16) -> Result<Address> {
        let bit = 1_u16.checked_shl(u32::from(kind)).unwrap_or(0);
        self.indexes
            .iter()
            .find(|(kinds, _)| kinds & bit != 0)
            .and_then(|&(_, heap)| heap)
            .ok_or_else(|| {
                let reason = format!("no heap for shared messages of type {kind:#06x}");
                Hdf5Error::inconsistent(STRUCTURE, self.offset, reason)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::lookup3;
    use crate::testing::context;

    #[test]
    fn the_heap_is_that_of_the_type() {
        let message = [0, 64, 0, 0, 0, 0, 0, 0, 0, 1]; // version, address, one index
        let location =
            TableLocation::parse(&mut Cursor::new(&message, 0, STRUCTURE), &context()).unwrap();
        let mut bytes = b"SMTB".to_vec();
        bytes.extend([0, 0, 0x08, 0]); // version, list, datatypes
        bytes.extend([0; 10]); // smallest message, cutoffs, number of messages
        bytes.extend(700_u64.to_le_bytes()); // list
        bytes.extend(800_u64.to_le_bytes()); // heap
        bytes.extend(lookup3(&bytes).to_le_bytes());
        assert_eq!(bytes.len() as u64, location.bytes(&context()));
        let table = SharedMessageTable::parse(&bytes, location, &context()).unwrap();
        assert_eq!(table.heap(3).unwrap(), Address(800));
        assert!(matches!(table.heap(1), Err(Hdf5Error::Inconsistent { offset: 64, .. })));
        bytes[6] ^= 1;
        let damaged = SharedMessageTable::parse(&bytes, location, &context());
        assert!(matches!(damaged, Err(Hdf5Error::Checksum { .. })));
    }
}
