// SPDX-License-Identifier: MIT OR Apache-2.0
//! Local heaps: the names of a group's links. Spec: HDF5 File Format 3.0, III.D.

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::context::{Address, Context, expect_signature, expect_version};
use crate::error::{Hdf5Error, Result};
use crate::message::link::lossless;

/// What a local heap is called in errors.
pub(crate) const STRUCTURE: &str = "local heap";

/// A local heap's data.
#[derive(Debug, Clone)]
pub(crate) struct LocalHeap {
    offset: u64,
    data: Bytes,
}

impl LocalHeap {
    /// Bytes of the header.
    pub(crate) fn header_bytes(context: &Context) -> u64 {
        let lengths = context.length_bytes().saturating_mul(2);
        lengths.saturating_add(context.offset_bytes()).saturating_add(8)
    }

    /// The header at `offset`: bytes and address of the data segment.
    pub(crate) fn parse_header(
        bytes: &[u8],
        offset: u64,
        context: &Context,
    ) -> Result<(u64, Address)> {
        let mut cursor = Cursor::new(bytes, offset, STRUCTURE);
        expect_signature(&mut cursor, *b"HEAP")?;
        expect_version(&mut cursor, &[0])?;
        cursor.skip(3)?;
        let length = context.length(&mut cursor)?;
        context.length(&mut cursor)?; // head of the free list
        let data = context.defined_address(&mut cursor)?;
        let limit = context.limits.structure_bytes;
        Hdf5Error::check_limit(STRUCTURE, offset, "bytes", length, limit)?;
        Ok((length, data))
    }

    /// The heap whose data segment is at `offset` of the file.
    pub(crate) fn new(offset: u64, data: Bytes) -> Self {
        Self { offset, data }
    }

    /// The NUL-terminated text at `offset` of the data.
    pub(crate) fn text(&self, offset: u64) -> Result<String> {
        let bytes = usize::try_from(offset).ok().and_then(|offset| self.data.get(offset..));
        let text = bytes.and_then(|bytes| bytes.get(..bytes.iter().position(|&byte| byte == 0)?));
        text.map(lossless).ok_or_else(|| {
            let reason = format!("no NUL-terminated text at {offset} of {} bytes", self.data.len());
            Hdf5Error::inconsistent(STRUCTURE, self.offset.saturating_add(offset), reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    #[test]
    fn header_and_text() {
        let mut bytes = b"HEAP\0\0\0\0".to_vec();
        for field in [88_u64, 16, 712] {
            bytes.extend(field.to_le_bytes());
        }
        assert_eq!(bytes.len() as u64, LocalHeap::header_bytes(&context()));
        let header = LocalHeap::parse_header(&bytes, 0, &context()).unwrap();
        assert_eq!(header, (88, Address(712)));

        let heap = LocalHeap { offset: 0, data: Bytes::from_static(b"\0abc\0def") };
        assert_eq!(heap.text(0).unwrap(), "");
        assert_eq!(heap.text(1).unwrap(), "abc");
        assert!(heap.text(5).is_err(), "not terminated");
        assert!(heap.text(99).is_err());
    }
}
