// SPDX-License-Identifier: MIT OR Apache-2.0
//! Local heaps: the names of a group's links. Spec: HDF5 File Format 3.0, III.D.

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::context::{Address, Context, expect_signature, expect_version};
use crate::error::{Hdf5Error, Result};
use crate::file::File;
use crate::message::link::lossless;

const STRUCTURE: &str = "local heap";

/// A local heap's data.
#[derive(Debug, Clone)]
pub(crate) struct LocalHeap {
    offset: u64,
    data: Bytes,
}

/// The header: bytes and address of the data segment.
fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Result<(u64, Address)> {
    expect_signature(cursor, *b"HEAP")?;
    expect_version(cursor, &[0])?;
    cursor.skip(3)?;
    let length = context.length(cursor)?;
    context.length(cursor)?; // head of the free list
    Ok((length, context.defined_address(cursor)?))
}

impl LocalHeap {
    /// Reads the heap at `address`.
    pub(crate) async fn read(file: &File<'_>, address: Address) -> Result<Self> {
        let context = &file.context;
        let offset = context.file_offset(address);
        let header_bytes = context
            .length_bytes()
            .saturating_mul(2)
            .saturating_add(context.offset_bytes())
            .saturating_add(8);
        let bytes = file.frontier.read(offset, header_bytes, STRUCTURE).await?;
        let (length, data) = parse(&mut Cursor::new(&bytes, offset, STRUCTURE), context)?;
        Hdf5Error::check_limit(STRUCTURE, offset, "bytes", length, context.limits.structure_bytes)?;
        let offset = context.file_offset(data);
        Ok(Self { offset, data: file.frontier.read(offset, length, STRUCTURE).await? })
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
        assert_eq!(
            parse(&mut Cursor::new(&bytes, 0, STRUCTURE), &context()).unwrap(),
            (88, Address(712))
        );

        let heap = LocalHeap { offset: 0, data: Bytes::from_static(b"\0abc\0def") };
        assert_eq!(heap.text(0).unwrap(), "");
        assert_eq!(heap.text(1).unwrap(), "abc");
        assert!(heap.text(5).is_err(), "not terminated");
        assert!(heap.text(99).is_err());
    }
}
