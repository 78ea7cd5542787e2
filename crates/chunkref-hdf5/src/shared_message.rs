// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shared message table and the way from a shared message to its body. Spec: HDF5 File Format 3.0, III.H
//! ("Shared Object Header Message Table") and IV.A.2.

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::context::{Address, expect_signature, expect_version, verify_checksum};
use crate::error::{Hdf5Error, Result};
use crate::file::File;
use crate::message::shared::SharedLocation;
use crate::object_header::Message;

const STRUCTURE: &str = "shared message table";

/// Which fractal heap holds the shared messages of which types.
#[derive(Debug, Clone)]
pub(crate) struct SharedMessageTable {
    offset: u64,
    /// Bit set of message type numbers, and heap.
    indexes: Vec<(u16, Option<Address>)>,
}

impl SharedMessageTable {
    fn heap(&self, kind: u16) -> Result<Address> {
        let bit = 1_u16.checked_shl(u32::from(kind)).unwrap_or(0);
        self.indexes
            .iter()
            .find(|(kinds, _)| kinds & bit != 0)
            .and_then(|&(_, heap)| heap)
            .ok_or_else(|| {
                Hdf5Error::inconsistent(
                    STRUCTURE,
                    self.offset,
                    format!("no heap for shared messages of type {kind:#06x}"),
                )
            })
    }
}

impl File<'_> {
    /// Reads the table of `count` indexes at `address`.
    pub(crate) async fn shared_message_table(
        &self,
        address: Address,
        count: u8,
    ) -> Result<SharedMessageTable> {
        let context = &self.context;
        let offset = context.file_offset(address);
        let entry = context.offset_bytes().saturating_mul(2).saturating_add(14);
        let length = u64::from(count).saturating_mul(entry).saturating_add(8);
        let bytes = self.frontier.read(offset, length, STRUCTURE).await?;
        let mut cursor = Cursor::new(&bytes, offset, STRUCTURE);
        expect_signature(&mut cursor, *b"SMTB")?;
        verify_checksum(&bytes, offset, STRUCTURE)?;
        let mut indexes = Vec::new();
        for _ in 0..count {
            expect_version(&mut cursor, &[0])?;
            cursor.skip(1)?; // list or B-tree
            let kinds = cursor.u16_le()?;
            cursor.skip(10)?; // smallest message, cutoffs, number of messages
            context.address(&mut cursor)?; // list or B-tree
            indexes.push((kinds, context.address(&mut cursor)?));
        }
        Ok(SharedMessageTable { offset, indexes })
    }

    /// The message itself: what a shared message points to, any other as it is.
    pub(crate) async fn resolve(&self, message: &Message) -> Result<Message> {
        if !message.is_shared() {
            return Ok(message.clone());
        }
        let location = SharedLocation::parse(&mut message.cursor("shared message"), &self.context)?;
        self.shared_message(location, message.kind, message.offset).await
    }

    /// The message of `kind` at `location`, which the structure at `offset` names.
    pub(crate) async fn shared_message(
        &self,
        location: SharedLocation,
        kind: u16,
        offset: u64,
    ) -> Result<Message> {
        match location {
            SharedLocation::ObjectHeader(address) => {
                let header = self.object_header(address).await?;
                match header.message(kind) {
                    Some(message) if !message.is_shared() => Ok(message.clone()),
                    _ => {
                        let reason = format!(
                            "the object header has no message of type {kind:#06x} to share"
                        );
                        Err(Hdf5Error::inconsistent("shared message", header.offset, reason))
                    }
                }
            }
            SharedLocation::Heap(id) => {
                let Some(table) = &self.shared_messages else {
                    let reason = "a message is in the shared message heap, but the file has none";
                    return Err(Hdf5Error::inconsistent("shared message", offset, reason));
                };
                let heap = self.fractal_heap(table.heap(kind)?).await?;
                let mut objects = heap.objects(self, &[Bytes::copy_from_slice(&id)]).await;
                let body = objects.pop().unwrap_or_else(|| {
                    Err(Hdf5Error::inconsistent(
                        "shared message",
                        offset,
                        "the heap holds no such message",
                    ))
                })?;
                Ok(Message::new(kind, offset, body))
            }
        }
    }
}
