// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads local heaps and global heap collections.

use std::sync::Arc;

use super::file::File;
use crate::context::Address;
use crate::error::Result;
use crate::heap::global::{self, GlobalHeapCollection};
use crate::heap::local::{self, LocalHeap};

/// Bytes of the smallest collection that libhdf5 writes.
const USUAL_BYTES: u64 = 4096;

/// Reads the local heap at `address`.
pub(super) async fn read_local(file: &File<'_>, address: Address) -> Result<LocalHeap> {
    let context = &file.context;
    let offset = context.file_offset(address);
    let length = LocalHeap::header_bytes(context);
    let header = file.frontier.read(offset, length, local::STRUCTURE).await?;
    let (length, data) = LocalHeap::parse_header(&header, offset, context)?;
    let offset = context.file_offset(data);
    Ok(LocalHeap::new(offset, file.frontier.read(offset, length, local::STRUCTURE).await?))
}

/// The global heap collection at `address`, read once.
pub(super) async fn global(file: &File<'_>, address: Address) -> Result<Arc<GlobalHeapCollection>> {
    if let Some(collection) = file.collections.get(address) {
        return Ok(collection);
    }
    let collection = read_global(file, address).await?;
    Ok(file.collections.insert(address, collection))
}

async fn read_global(file: &File<'_>, address: Address) -> Result<GlobalHeapCollection> {
    let context = &file.context;
    let offset = context.file_offset(address);
    let guess = file.frontier.read_up_to(offset, USUAL_BYTES, global::STRUCTURE).await?;
    let length = GlobalHeapCollection::length(&guess, offset, context)?;
    let bytes = match usize::try_from(length) {
        Ok(length) if length <= guess.len() => guess.slice(..length),
        _ => file.frontier.read(offset, length, global::STRUCTURE).await?,
    };
    GlobalHeapCollection::parse(&bytes, offset, context)
}
