// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads fractal heaps and objects in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::{join_all, try_join_all};

use super::btree;
use super::file::File;
use crate::context::Address;
use crate::error::{Hdf5Error, Result};
use crate::heap::fractal::{Block, DIRECT, FractalHeap, HEADER, INDIRECT};
use crate::heap::fractal_object::{HUGE, HeapId, Huge, HugeSearch};

/// Bytes that hold the header of every heap without long filter pipelines.
const HEADER_GUESS_BYTES: u64 = 512;

/// The fractal heap at `address` with its map of blocks, read once.
pub(super) async fn heap(file: &File<'_>, address: Address) -> Result<Arc<FractalHeap>> {
    if let Some(heap) = file.heaps.get(address) {
        return Ok(heap);
    }
    let heap = read(file, address).await?;
    Ok(file.heaps.insert(address, heap))
}

/// Reads the header and all indirect blocks.
async fn read(file: &File<'_>, address: Address) -> Result<FractalHeap> {
    let context = &file.context;
    let offset = context.file_offset(address);
    let bytes = file.frontier.read_up_to(offset, HEADER_GUESS_BYTES, HEADER).await?;
    let mut heap = match FractalHeap::parse(&bytes, offset, context) {
        // A long filter pipeline: its length is in the header.
        Err(Hdf5Error::Truncated(_)) => {
            let length = HEADER_GUESS_BYTES.saturating_add(1 << 16);
            let bytes = file.frontier.read_up_to(offset, length, HEADER).await?;
            FractalHeap::parse(&bytes, offset, context)?
        }
        other => other?,
    };
    while !heap.pending().is_empty() {
        let reads = heap.pending().iter().map(|block| {
            let offset = context.file_offset(block.address);
            file.frontier.read(offset, heap.indirect_bytes(*block, context), INDIRECT)
        });
        let buffers = try_join_all(reads).await?;
        heap.add(&buffers, context)?;
    }
    Ok(heap)
}

/// The objects with these IDs, in their order; every block is read once.
pub(super) async fn objects(
    file: &File<'_>,
    heap: &FractalHeap,
    ids: &[Bytes],
) -> Vec<Result<Bytes>> {
    let parsed: Vec<Result<HeapId>> =
        ids.iter().map(|id| heap.parse_id(id, &file.context)).collect();
    let mut wanted = BTreeMap::new();
    for id in parsed.iter().flatten() {
        if let HeapId::Managed { offset, .. } = id
            && let Some((start, block)) = heap.block_at(*offset)
        {
            wanted.insert(start, block);
        }
    }
    let reads = wanted
        .iter()
        .map(|(&start, &block)| async move { (start, read_block(file, heap, block).await) });
    let blocks: BTreeMap<u64, Result<Bytes>> = join_all(reads).await.into_iter().collect();
    join_all(parsed.into_iter().map(|id| object(file, heap, id, &blocks))).await
}

async fn object(
    file: &File<'_>,
    heap: &FractalHeap,
    id: Result<HeapId>,
    blocks: &BTreeMap<u64, Result<Bytes>>,
) -> Result<Bytes> {
    match id? {
        HeapId::Tiny(bytes) => Ok(bytes),
        HeapId::Managed { offset, length } => heap.managed(offset, length, blocks),
        HeapId::Huge(huge) => read_huge(file, heap, huge).await,
        HeapId::HugeIndexed { key } => {
            let huge = find_huge(file, heap, key).await?;
            read_huge(file, heap, huge).await
        }
    }
}

async fn read_block(file: &File<'_>, heap: &FractalHeap, block: Block) -> Result<Bytes> {
    let (offset, length) =
        (file.context.file_offset(block.address), block.stored_bytes(&file.context)?);
    let stored = file.frontier.read(offset, length, DIRECT).await?;
    heap.parse_block(block, stored, &file.context)
}

async fn read_huge(file: &File<'_>, heap: &FractalHeap, huge: Huge) -> Result<Bytes> {
    let (offset, length) =
        (file.context.file_offset(huge.address), huge.stored_bytes(&file.context)?);
    let stored = file.frontier.read(offset, length, HUGE).await?;
    heap.parse_huge(huge, stored, &file.context)
}

/// Looks a huge object up in the heap's B-tree.
async fn find_huge(file: &File<'_>, heap: &FractalHeap, key: u64) -> Result<Huge> {
    let index = heap.huge_index(key)?;
    let tree = btree::read_v2_header(file, index).await?;
    let mut search = HugeSearch::new(key, &tree, &file.context);
    btree::read_v2(file, index, &tree, &mut search).await?;
    search.found.ok_or_else(|| heap.no_huge(key))
}
