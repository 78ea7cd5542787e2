// SPDX-License-Identifier: MIT OR Apache-2.0
//! Name indexes of densely stored links and attributes: version-2 B-trees, record types 5 and 8.
//! Spec: HDF5 File Format 3.0, III.A.2.

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::btree::v2::{Header, Records};
use crate::error::{Hdf5Error, Result};

/// Collects the part of every record that says where the link or attribute is.
#[derive(Debug)]
pub(crate) struct NameIndex {
    record_type: u8,
    /// Bytes of a record before that part.
    skip: usize,
    /// Bytes of that part.
    id_bytes: usize,
    pub(crate) ids: Vec<Bytes>,
}

/// What a record says of a densely stored attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DenseAttribute {
    /// In the object's heap, or in that of shared messages.
    pub(crate) heap_id: [u8; 8],
    pub(crate) is_shared: bool,
    pub(crate) creation_order: u32,
}

impl NameIndex {
    /// Of links: the heap ID behind the hash of the name.
    pub(crate) fn links() -> Self {
        Self { record_type: 5, skip: 4, id_bytes: 7, ids: Vec::new() }
    }

    /// Of attributes: heap ID, message flags and creation order, as [`DenseAttribute`] takes them.
    pub(crate) fn attributes() -> Self {
        Self { record_type: 8, skip: 0, id_bytes: 13, ids: Vec::new() }
    }

    /// Whether the tree with this header, at `offset` of the file, is such an index.
    pub(crate) fn check(&self, header: &Header, offset: u64) -> Result<()> {
        let (found, expected) = (header.record_type, self.record_type);
        if found == expected {
            return Ok(());
        }
        let reason = format!("records of type {found} where type {expected} must be");
        Err(Hdf5Error::inconsistent("link name index", offset, reason))
    }
}

impl Records for NameIndex {
    fn record(&mut self, mut record: Cursor<'_>) -> Result<()> {
        record.skip(self.skip)?;
        self.ids.push(Bytes::copy_from_slice(record.bytes(self.id_bytes)?));
        Ok(())
    }
}

impl DenseAttribute {
    /// From what [`NameIndex::attributes`] collects.
    pub(crate) fn parse(id: &[u8]) -> Result<Self> {
        let mut cursor = Cursor::new(id, 0, "attribute name index");
        let heap_id = cursor.array()?;
        let is_shared = cursor.u8()? & 2 != 0;
        Ok(Self { heap_id, is_shared, creation_order: cursor.u32_le()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_links_and_attributes() {
        let mut links = NameIndex::links();
        links.record(Cursor::new(&[9, 9, 9, 9, 1, 2, 3, 4, 5, 6, 7], 0, "record")).unwrap();
        assert_eq!(links.ids, [Bytes::from_static(&[1, 2, 3, 4, 5, 6, 7])]);
        let mut attributes = NameIndex::attributes();
        let record = [1, 2, 3, 4, 5, 6, 7, 8, 2, 40, 0, 0, 0, 9, 9, 9, 9];
        attributes.record(Cursor::new(&record, 0, "record")).unwrap();
        let dense = DenseAttribute::parse(&attributes.ids[0]).unwrap();
        assert_eq!(dense.heap_id, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!((dense.is_shared, dense.creation_order), (true, 40));
        assert!(links.record(Cursor::new(&[0; 10], 0, "record")).is_err());
    }
}
