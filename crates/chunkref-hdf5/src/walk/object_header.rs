// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads object headers.

use futures::future::try_join_all;

use super::file::File;
use crate::context::Address;
use crate::error::Result;
use crate::object_header::{CONTINUATION, ObjectHeader, Partial, Prefix, STRUCTURE};

/// Bytes that are read at an object header's address before its length is known; most headers are shorter.
const GUESS_BYTES: u64 = 1024;

/// Reads the object header at `address` with all its continuations.
pub(crate) async fn read(file: &File<'_>, address: Address) -> Result<ObjectHeader> {
    let context = &file.context;
    let offset = context.file_offset(address);
    let guess = file.frontier.read_up_to(offset, GUESS_BYTES, STRUCTURE).await?;
    let prefix = Prefix::parse(&guess, offset, context)?;
    let bytes = match usize::try_from(prefix.total()) {
        Ok(total) if total <= guess.len() => guess.slice(..total),
        _ => file.frontier.read(offset, prefix.total(), STRUCTURE).await?,
    };
    let mut partial = Partial::parse(&bytes, address, prefix, context)?;
    while !partial.pending().is_empty() {
        let reads = partial.pending().iter().map(|&(next, length)| {
            file.frontier.read(context.file_offset(next), length, CONTINUATION)
        });
        let blocks = try_join_all(reads).await?;
        partial.add(&blocks, context)?;
    }
    Ok(partial.finish())
}
