// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads what values point to in global heaps, and decodes values.

use std::collections::HashMap;

use bytes::Bytes;
use futures::future::try_join_all;

use super::file::File;
use super::heap;
use crate::context::Address;
use crate::error::{Hdf5Error, Result};
use crate::message::Datatype;
use crate::value::{HeapObjects, STRUCTURE, Value, decode_each, missing_objects};

/// Decodes `count` elements of `datatype` in `bytes`, which lie at `offset` of the file.
pub(super) async fn values(
    file: &File<'_>,
    datatype: &Datatype,
    count: u64,
    bytes: &Bytes,
    offset: u64,
) -> Result<Vec<Value>> {
    let context = &file.context;
    Hdf5Error::check_limit(STRUCTURE, offset, "elements", count, context.limits.members)?;
    let heap = heap_objects(file, datatype, count, bytes, offset).await?;
    decode_each(datatype, count, bytes, offset, context, &heap).collect()
}

/// Everything in the global heap that `count` elements of `datatype` point to, directly or through each other.
pub(super) async fn heap_objects(
    file: &File<'_>,
    datatype: &Datatype,
    count: u64,
    bytes: &Bytes,
    offset: u64,
) -> Result<HeapObjects> {
    let mut objects = HeapObjects::new();
    if !datatype.has_heap_data() {
        return Ok(objects);
    }
    // Each round goes one level deeper into sequences of sequences.
    for _ in 0..file.context.limits.depth {
        let missing = missing_objects(datatype, count, bytes, offset, &file.context, &objects)?;
        if missing.is_empty() {
            break;
        }
        let mut collections: Vec<Address> = missing.iter().map(|id| id.collection).collect();
        collections.sort_unstable();
        collections.dedup();
        let reads = collections.iter().map(|&address| heap::global(file, address));
        let read = try_join_all(reads).await?;
        let collections: HashMap<_, _> = collections.into_iter().zip(read).collect();
        for id in missing {
            if let Some(collection) = collections.get(&id.collection) {
                objects.insert(id, collection.object(id.index)?);
            }
        }
    }
    Ok(objects)
}
