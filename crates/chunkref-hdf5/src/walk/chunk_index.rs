// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads chunk indexes.

use bytes::Bytes;
use futures::future::try_join_all;

use super::btree;
use super::file::File;
use crate::chunk_index::{
    ChunkTable, Collector, Grid, btree_v1, btree_v2, extensible_array, fixed_array, implicit,
    single_chunk,
};
use crate::context::Address;
use crate::error::Result;
use crate::message::data_layout::ChunkIndexKind;

/// All stored chunks of a dataset.
pub(super) async fn chunks(
    file: &File<'_>,
    address: Address,
    index: ChunkIndexKind,
    grid: &Grid,
) -> Result<ChunkTable> {
    let collector =
        |structure| Collector::new(&file.context, file.frontier.length(), grid, structure);
    match index {
        ChunkIndexKind::BtreeV1 => {
            let mut chunks = btree_v1::Chunks::new(collector(btree_v1::STRUCTURE));
            let layout = btree_v1::layout(grid, file.btree_k);
            btree::read_v1(file, address, layout, &mut chunks).await?;
            Ok(chunks.finish())
        }
        ChunkIndexKind::SingleChunk { filtered } => {
            let mut collector = collector(single_chunk::STRUCTURE);
            single_chunk::collect(address, filtered, &mut collector)?;
            Ok(collector.table)
        }
        ChunkIndexKind::Implicit => {
            let mut collector = collector(implicit::STRUCTURE);
            implicit::collect(address, &mut collector)?;
            Ok(collector.table)
        }
        ChunkIndexKind::FixedArray => {
            fixed_array(file, address, collector(fixed_array::HEADER)).await
        }
        ChunkIndexKind::ExtensibleArray => {
            extensible_array(file, address, collector(extensible_array::HEADER)).await
        }
        ChunkIndexKind::BtreeV2 => {
            let header = btree::read_v2_header(file, address).await?;
            let (offset, collector) =
                (file.context.file_offset(address), collector(btree_v2::STRUCTURE));
            let mut chunks = btree_v2::Chunks::new(&header, offset, collector)?;
            btree::read_v2(file, address, &header, &mut chunks).await?;
            Ok(chunks.finish())
        }
    }
}

async fn fixed_array(
    file: &File<'_>,
    address: Address,
    collector: Collector<'_>,
) -> Result<ChunkTable> {
    use fixed_array::{DATA_BLOCK, Elements, HEADER, Header, PAGE};
    let context = &file.context;
    let offset = context.file_offset(address);
    let bytes = file.frontier.read(offset, Header::bytes(context), HEADER).await?;
    let header = Header::parse(&bytes, offset, context)?;
    let Some(block) = header.data_block else { return Ok(collector.table) };
    let mut elements = Elements::new(header, offset, collector)?;
    let (offset, length) = (context.file_offset(block), header.data_block_bytes(context));
    let bytes = file.frontier.read(offset, length, DATA_BLOCK).await?;
    let pages = elements.data_block(&bytes, offset)?;
    let reads = pages.iter().map(|page| file.frontier.read(page.offset, page.length, PAGE));
    for (page, bytes) in pages.iter().zip(try_join_all(reads).await?) {
        elements.page(*page, &bytes)?;
    }
    Ok(elements.finish())
}

async fn extensible_array(
    file: &File<'_>,
    address: Address,
    collector: Collector<'_>,
) -> Result<ChunkTable> {
    use extensible_array::{DATA_BLOCK, Elements, HEADER, Header, INDEX_BLOCK, SUPER_BLOCK};
    let context = &file.context;
    let offset = context.file_offset(address);
    let bytes = file.frontier.read(offset, Header::bytes(context), HEADER).await?;
    let header = Header::parse(&bytes, offset, context)?;
    let index_block = header.index_block;
    let mut elements = Elements::new(header, offset, collector)?;
    let Some(block) = index_block else { return Ok(elements.finish()) };
    let (offset, length) = (context.file_offset(block), header.index_block_bytes(context));
    let bytes = file.frontier.read(offset, length, INDEX_BLOCK).await?;
    let (mut runs, super_blocks) = elements.index_block(&bytes, offset)?;
    let reads = super_blocks
        .iter()
        .map(|block| file.frontier.read(block.offset, block.length, SUPER_BLOCK));
    for (block, bytes) in super_blocks.iter().zip(try_join_all(reads).await?) {
        runs.extend(elements.super_block(*block, &bytes)?);
    }
    let reads = runs.iter().map(|run| file.frontier.read(run.offset, run.length, DATA_BLOCK));
    let blocks: Vec<Bytes> = try_join_all(reads).await?;
    for (run, bytes) in runs.iter().zip(&blocks) {
        elements.run(*run, bytes)?;
    }
    Ok(elements.finish())
}
