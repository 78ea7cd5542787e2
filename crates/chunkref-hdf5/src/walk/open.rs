// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opens a file: finds and reads its superblock and the superblock's extension.

use chunkref_core::{Limits, Truncated};

use super::file::File;
use super::frontier::{Frontier, HEAD_BYTES};
use super::{object_header, shared_message};
use crate::context::{Address, Context, FileNumber};
use crate::error::{Hdf5Error, Result};
use crate::message::kind;
use crate::shared_message_table::{SharedMessageTable, TableLocation};
use crate::superblock::{BtreeK, SIGNATURE, Superblock};

/// Finds and reads the superblock and its extension.
pub(crate) async fn open<'a>(
    frontier: Frontier<'a>,
    number: FileNumber,
    limits: &Limits,
) -> Result<File<'a>> {
    let superblock = frontier.run(read_superblock(&frontier, limits)).await?;
    let ending = frontier.ending().clone();
    let context = Context { file: number, ending, ..superblock.context };
    let mut file = File::new(frontier, context, superblock.root, superblock.btree_k);
    if let Some(extension) = superblock.extension {
        (file.btree_k, file.shared_messages) =
            file.frontier.run(read_extension(&file, extension)).await?;
    }
    Ok(file)
}

async fn read_extension(
    file: &File<'_>,
    address: Address,
) -> Result<(BtreeK, Option<SharedMessageTable>)> {
    let header = object_header::read(file, address).await?;
    let btree_k = match header.message(kind::BTREE_K) {
        Some(message) => BtreeK::parse(&mut message.cursor("B-tree K values"))?,
        None => file.btree_k,
    };
    let Some(message) = header.message(kind::SHARED_MESSAGE_TABLE) else {
        return Ok((btree_k, None));
    };
    let mut cursor = message.cursor("shared message table");
    let location = TableLocation::parse(&mut cursor, &file.context)?;
    Ok((btree_k, Some(shared_message::read_table(file, location).await?)))
}

async fn read_superblock(frontier: &Frontier<'_>, limits: &Limits) -> Result<Superblock> {
    let head = frontier.read_up_to(0, HEAD_BYTES, "superblock").await?;
    let offset = find_superblock(frontier, &head).await?;
    let bytes = frontier.read_up_to(offset, 128, "superblock").await?;
    let superblock = Superblock::parse(&bytes, offset, limits)?;
    let available = frontier.length();
    match superblock.end.filter(|&end| end > available) {
        // As libhdf5 does: what is still there is no account of what was in the file.
        Some(needed) => {
            Err(Truncated { structure: "the whole file", offset: 0, needed, available }.into())
        }
        None => Ok(superblock),
    }
}

/// Where the superblock is: at 0, 512, 1024, 2048 … of the file. Spec: II.A.
async fn find_superblock(frontier: &Frontier<'_>, head: &[u8]) -> Result<u64> {
    let mut offset = 0_u64;
    let end = frontier.length();
    while offset.saturating_add(SIGNATURE.len() as u64) <= end {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let found = match head.get(from..from.saturating_add(SIGNATURE.len())) {
            Some(bytes) => bytes == SIGNATURE,
            None => {
                frontier.read(offset, SIGNATURE.len() as u64, "superblock").await? == SIGNATURE[..]
            }
        };
        if found {
            return Ok(offset);
        }
        offset = if offset == 0 { 512 } else { offset.saturating_mul(2) };
    }
    let reason =
        "no HDF5 signature at byte 0, 512, 1024 or any further power of two: not an HDF5 file";
    Err(Hdf5Error::inconsistent("superblock", 0, reason))
}
