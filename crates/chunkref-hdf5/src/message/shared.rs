// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages that are stored elsewhere: committed datatypes and the shared message heap.
//! Spec: HDF5 File Format 3.0, IV.A.2 "Shared Message".

use chunkref_core::Cursor;

use crate::context::{Address, Context, expect_version};
use crate::error::{Hdf5Error, Result};

/// Where a shared message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SharedLocation {
    /// A message of the same type in the object header at this address (a committed datatype).
    ObjectHeader(Address),
    /// An object of the file's shared message heap.
    Heap([u8; 8]),
}

impl SharedLocation {
    pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        let version = expect_version(cursor, &[1, 2, 3])?;
        let offset = cursor.offset();
        let kind = cursor.u8()?;
        if version == 1 {
            cursor.skip(6)?;
            context.length(cursor)?; // link name offset of an old symbol table entry
            return Ok(Self::ObjectHeader(context.defined_address(cursor)?));
        }
        match kind {
            1 if version == 3 => Ok(Self::Heap(cursor.array()?)),
            0 | 2 => Ok(Self::ObjectHeader(context.defined_address(cursor)?)),
            other => {
                let reason =
                    format!("shared message type {other} does not exist in version {version}");
                Err(Hdf5Error::inconsistent(cursor.structure(), offset, reason))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    fn parse(bytes: &[u8]) -> Result<SharedLocation> {
        SharedLocation::parse(&mut Cursor::new(bytes, 0, "shared message"), &context())
    }

    #[test]
    fn every_version() {
        let mut v1 = vec![1, 0, 0, 0, 0, 0, 0, 0];
        v1.extend([0; 8]);
        v1.extend(500_u64.to_le_bytes());
        assert_eq!(parse(&v1).unwrap(), SharedLocation::ObjectHeader(Address(500)));
        assert_eq!(
            parse(&[3, 2, 9, 0, 0, 0, 0, 0, 0, 0]).unwrap(),
            SharedLocation::ObjectHeader(Address(9))
        );
        assert_eq!(
            parse(&[3, 1, 1, 2, 3, 4, 5, 6, 7, 8]).unwrap(),
            SharedLocation::Heap([1, 2, 3, 4, 5, 6, 7, 8])
        );
        assert!(parse(&[3, 7, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
        assert!(parse(&[4, 2]).is_err());
    }
}
