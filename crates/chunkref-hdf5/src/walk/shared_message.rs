// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way from a shared message to its body.

use bytes::Bytes;

use super::file::File;
use super::{fractal_heap, object_header};
use crate::error::{Hdf5Error, Result};
use crate::message::shared::SharedLocation;
use crate::object_header::Message;
use crate::shared_message_table::{STRUCTURE, SharedMessageTable, TableLocation};

/// Reads the table of shared messages.
pub(super) async fn read_table(
    file: &File<'_>,
    location: TableLocation,
) -> Result<SharedMessageTable> {
    let context = &file.context;
    let (offset, length) = (context.file_offset(location.address), location.bytes(context));
    let bytes = file.frontier.read(offset, length, STRUCTURE).await?;
    SharedMessageTable::parse(&bytes, location, context)
}

/// The message itself: what a shared message points to, any other as it is.
pub(super) async fn resolve(file: &File<'_>, message: &Message) -> Result<Message> {
    if !message.is_shared() {
        return Ok(message.clone());
    }
    let location = SharedLocation::parse(&mut message.cursor("shared message"), &file.context)?;
    read(file, location, message.kind, message.offset).await
}

/// The message of `kind` at `location`, which the structure at `offset` names.
pub(super) async fn read(
    file: &File<'_>,
    location: SharedLocation,
    kind: u16,
    offset: u64,
) -> Result<Message> {
    match location {
        SharedLocation::ObjectHeader(address) => {
            let header = object_header::read(file, address).await?;
            match header.message(kind) {
                Some(message) if !message.is_shared() => Ok(message.clone()),
                _ => {
                    let reason =
                        format!("the object header has no message of type {kind:#06x} to share");
                    Err(Hdf5Error::inconsistent("shared message", header.offset, reason))
                }
            }
        }
        SharedLocation::Heap(id) => {
            let Some(table) = &file.shared_messages else {
                let reason = "a message is in the shared message heap, but the file has none";
                return Err(Hdf5Error::inconsistent("shared message", offset, reason));
            };
            let heap = fractal_heap::heap(file, table.heap(kind)?).await?;
            let mut objects =
                fractal_heap::objects(file, &heap, &[Bytes::copy_from_slice(&id)]).await;
            let body = objects.pop().unwrap_or_else(|| {
                let reason = "the heap holds no such message";
                Err(Hdf5Error::inconsistent("shared message", offset, reason))
            })?;
            Ok(Message::new(kind, offset, body))
        }
    }
}
