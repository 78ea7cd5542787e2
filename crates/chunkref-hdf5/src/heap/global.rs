// SPDX-License-Identifier: MIT OR Apache-2.0
//! Global heap collections: variable-length data. Spec: HDF5 File Format 3.0, III.E.

use std::collections::HashMap;

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::context::{Address, Context, expect_signature, expect_version};
use crate::error::{Hdf5Error, Result};

/// What a collection is called in errors.
pub(crate) const STRUCTURE: &str = "global heap collection";

/// Where one object of a global heap is. Spec: III.E, "Global Heap ID".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GlobalHeapId {
    /// The collection.
    pub(crate) collection: Address,
    /// The object's number in it.
    pub(crate) index: u32,
}

impl GlobalHeapId {
    /// An identifier; `None` for the zero address of an empty value.
    pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Result<Option<Self>> {
        let collection = context.address(cursor)?;
        let index = cursor.u32_le()?;
        Ok(collection.filter(|address| address.0 != 0).map(|collection| Self { collection, index }))
    }
}

/// One collection.
#[derive(Debug)]
pub(crate) struct GlobalHeapCollection {
    offset: u64,
    objects: HashMap<u32, Bytes>,
}

impl GlobalHeapCollection {
    /// Bytes of the whole collection that begins with `bytes`.
    pub(crate) fn length(bytes: &[u8], offset: u64, context: &Context) -> Result<u64> {
        let length = parse_header(&mut Cursor::new(bytes, offset, STRUCTURE), context)?;
        let limit = context.limits.structure_bytes;
        Hdf5Error::check_limit(STRUCTURE, offset, "bytes", length, limit)?;
        Ok(length)
    }

    /// The collection in `bytes`, which lie at `offset` of the file.
    pub(crate) fn parse(bytes: &Bytes, offset: u64, context: &Context) -> Result<Self> {
        let mut cursor = Cursor::new(bytes, offset, STRUCTURE);
        parse_header(&mut cursor, context)?;
        let mut objects = HashMap::new();
        align(&mut cursor)?;
        let object_header = usize::from(context.size_of_lengths).saturating_add(8);
        while cursor.remaining() >= object_header {
            let index = cursor.u16_le()?;
            cursor.skip(6)?; // reference count, reserved
            let length = context.length(&mut cursor)?;
            if index == 0 {
                break; // the rest is free space
            }
            align(&mut cursor)?;
            let from = cursor.position();
            cursor.bytes_u64(length)?;
            objects.insert(u32::from(index), bytes.slice(from..cursor.position()));
            align(&mut cursor)?;
        }
        Ok(Self { offset, objects })
    }

    /// The bytes of one object.
    pub(crate) fn object(&self, index: u32) -> Result<Bytes> {
        self.objects.get(&index).cloned().ok_or_else(|| {
            Hdf5Error::inconsistent(STRUCTURE, self.offset, format!("there is no object {index}"))
        })
    }
}

/// Moves to the next multiple of 8 bytes in the collection, where headers and objects end.
fn align(cursor: &mut Cursor<'_>) -> Result<()> {
    let padding = cursor.position().next_multiple_of(8).saturating_sub(cursor.position());
    Ok(cursor.skip(padding.min(cursor.remaining()))?)
}

/// The bytes of the whole collection.
fn parse_header(cursor: &mut Cursor<'_>, context: &Context) -> Result<u64> {
    expect_signature(cursor, *b"GCOL")?;
    expect_version(cursor, &[1])?;
    cursor.skip(3)?;
    context.length(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    fn collection() -> Vec<u8> {
        let mut bytes = b"GCOL\x01\0\0\0".to_vec();
        bytes.extend(80_u64.to_le_bytes());
        bytes.extend([1, 0, 1, 0, 0, 0, 0, 0]);
        bytes.extend(3_u64.to_le_bytes());
        bytes.extend(b"abc\0\0\0\0\0");
        bytes.extend([0; 40]); // free space
        bytes
    }

    #[test]
    fn objects_by_index() {
        let parsed = GlobalHeapCollection::parse(&collection().into(), 0, &context()).unwrap();
        assert_eq!(parsed.object(1).unwrap(), Bytes::from_static(b"abc"));
        assert!(matches!(parsed.object(2), Err(Hdf5Error::Inconsistent { .. })));
    }

    #[test]
    fn an_object_past_the_end_is_an_error() {
        let mut bytes = collection();
        bytes[24] = 200;
        assert!(matches!(
            GlobalHeapCollection::parse(&bytes.into(), 0, &context()),
            Err(Hdf5Error::Truncated(_))
        ));
    }

    #[test]
    fn the_zero_address_is_no_object() {
        let mut bytes = [0; 12];
        assert_eq!(
            GlobalHeapId::parse(&mut Cursor::new(&bytes, 0, "id"), &context()).unwrap(),
            None
        );
        bytes[0] = 9;
        assert!(
            GlobalHeapId::parse(&mut Cursor::new(&bytes, 0, "id"), &context()).unwrap().is_some()
        );
    }
}
