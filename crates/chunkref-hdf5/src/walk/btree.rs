// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads B-trees of both versions, a round of reads for each level.

use futures::future::try_join_all;

use super::file::File;
use crate::btree::{v1, v2};
use crate::context::Address;
use crate::error::Result;

/// Gives `entries` everything in the leaf nodes of the version-1 tree at `root`.
pub(super) async fn read_v1(
    file: &File<'_>,
    root: Address,
    layout: v1::Layout,
    entries: &mut (impl v1::Entries + Send),
) -> Result<()> {
    let context = &file.context;
    let node_bytes = layout.node_bytes(context);
    let mut descent = v1::Descent::new(root, layout);
    while !descent.nodes().is_empty() {
        let reads = descent.nodes().iter().map(|&node| {
            file.frontier.read_up_to(context.file_offset(node), node_bytes, v1::STRUCTURE)
        });
        let blocks = try_join_all(reads).await?;
        descent.descend(&blocks, context, entries)?;
    }
    Ok(())
}

/// Reads the header of the version-2 tree at `address`.
pub(super) async fn read_v2_header(file: &File<'_>, address: Address) -> Result<v2::Header> {
    let context = &file.context;
    let offset = context.file_offset(address);
    let bytes = file.frontier.read(offset, v2::Header::bytes(context), v2::HEADER).await?;
    v2::Header::parse(&bytes, offset, context)
}

/// Gives `records` all records of the version-2 tree whose header at `address` was read.
pub(super) async fn read_v2(
    file: &File<'_>,
    address: Address,
    header: &v2::Header,
    records: &mut (impl v2::Records + Send),
) -> Result<()> {
    let mut descent = v2::Descent::new(header, address, &file.context)?;
    while !descent.is_done() {
        let reads = descent.reads(&file.context)?.into_iter();
        let reads = reads.map(|(offset, length)| file.frontier.read(offset, length, v2::NODE));
        let blocks = try_join_all(reads).await?;
        descent.descend(&blocks, &file.context, records)?;
    }
    Ok(())
}
