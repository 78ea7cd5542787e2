// SPDX-License-Identifier: MIT OR Apache-2.0
//! External data files. Spec: HDF5 File Format 3.0, IV.A.2.h.

use chunkref_core::Cursor;

use crate::context::{Address, Context, expect_version};
use crate::error::Result;

/// The files that hold a contiguous dataset's elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExternalDataFiles {
    /// Local heap of the file names.
    pub(crate) heap: Address,
    /// The pieces, one after another.
    pub(crate) slots: Vec<Slot>,
}

/// One piece of an external file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Bytes from the start of the local heap's data to the name.
    pub(crate) name_offset: u64,
    /// Bytes from the start of the file.
    pub(crate) offset: u64,
    /// Bytes that the file may hold.
    pub(crate) length: u64,
}

impl ExternalDataFiles {
    pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        expect_version(cursor, &[1])?;
        cursor.skip(3)?;
        cursor.skip(2)?; // allocated slots
        let used = cursor.u16_le()?;
        let heap = context.defined_address(cursor)?;
        let slots = (0..used)
            .map(|_| {
                Ok(Slot {
                    name_offset: context.length(cursor)?,
                    offset: context.length(cursor)?,
                    length: context.length(cursor)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self { heap, slots })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    #[test]
    fn slots_follow_the_heap_address() {
        let mut bytes = vec![1, 0, 0, 0, 1, 0, 1, 0];
        for field in [800_u64, 8, 16, 40] {
            bytes.extend(field.to_le_bytes());
        }
        let files = ExternalDataFiles::parse(
            &mut Cursor::new(&bytes, 0, "external data files"),
            &context(),
        )
        .unwrap();
        assert_eq!(files.heap, Address(800));
        assert_eq!(files.slots, [Slot { name_offset: 8, offset: 16, length: 40 }]);
        bytes[6] = 2;
        assert!(
            ExternalDataFiles::parse(
                &mut Cursor::new(&bytes, 0, "external data files"),
                &context()
            )
            .is_err()
        );
    }
}
