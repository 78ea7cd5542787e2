// SPDX-License-Identifier: MIT OR Apache-2.0
//! An open file: what every walk needs to read more of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chunkref_core::Limits;

use crate::context::{Address, Context, FileNumber};
use crate::error::{Hdf5Error, Result};
use crate::frontier::{Frontier, HEAD_BYTES};
use crate::heap::fractal::FractalHeap;
use crate::heap::global::GlobalHeapCollection;
use crate::message::{DenseStorage, kind};
use crate::shared_message::SharedMessageTable;
use crate::superblock::{BtreeK, SIGNATURE, Superblock};

/// An open file.
#[derive(Debug)]
pub(crate) struct File<'a> {
    pub(crate) frontier: Frontier<'a>,
    pub(crate) context: Context,
    pub(crate) btree_k: BtreeK,
    pub(crate) root: Address,
    pub(crate) shared_messages: Option<SharedMessageTable>,
    collections: Mutex<HashMap<Address, Arc<GlobalHeapCollection>>>,
    heaps: Mutex<HashMap<Address, Arc<FractalHeap>>>,
}

impl<'a> File<'a> {
    /// Finds and reads the superblock and its extension.
    pub(crate) async fn open(
        frontier: Frontier<'a>,
        number: FileNumber,
        limits: &Limits,
    ) -> Result<Self> {
        let superblock = frontier.run(read_superblock(&frontier, limits)).await?;
        let ending = frontier.ending().clone();
        let mut file = Self {
            frontier,
            context: Context { file: number, ending, ..superblock.context },
            btree_k: superblock.btree_k,
            root: superblock.root,
            shared_messages: None,
            collections: Mutex::default(),
            heaps: Mutex::default(),
        };
        if let Some(extension) = superblock.extension {
            (file.btree_k, file.shared_messages) =
                file.frontier.run(file.read_extension(extension)).await?;
        }
        Ok(file)
    }

    async fn read_extension(
        &self,
        address: Address,
    ) -> Result<(BtreeK, Option<SharedMessageTable>)> {
        let header = self.object_header(address).await?;
        let (mut btree_k, mut shared_messages) = (self.btree_k, None);
        if let Some(message) = header.message(kind::BTREE_K) {
            let mut cursor = message.cursor("B-tree K values");
            crate::context::expect_version(&mut cursor, &[0])?;
            btree_k = BtreeK {
                chunk: cursor.u16_le()?,
                group_internal: cursor.u16_le()?,
                group_leaf: cursor.u16_le()?,
            };
        }
        if let Some(message) = header.message(kind::SHARED_MESSAGE_TABLE) {
            let mut cursor = message.cursor("shared message table");
            crate::context::expect_version(&mut cursor, &[0])?;
            let table = self.context.defined_address(&mut cursor)?;
            let count = cursor.u8()?;
            shared_messages = Some(self.shared_message_table(table, count).await?);
        }
        Ok((btree_k, shared_messages))
    }

    /// Bounds on everything.
    pub(crate) fn limits(&self) -> &Limits {
        &self.context.limits
    }

    /// The global heap collection at `address`, read once.
    pub(crate) async fn global_heap(&self, address: Address) -> Result<Arc<GlobalHeapCollection>> {
        if let Some(collection) =
            self.collections.lock().unwrap_or_else(PoisonError::into_inner).get(&address)
        {
            return Ok(Arc::clone(collection));
        }
        let collection = Arc::new(GlobalHeapCollection::read(self, address).await?);
        let mut collections = self.collections.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(collections.entry(address).or_insert(collection)))
    }

    /// The fractal heap at `address` with its map of blocks, read once.
    pub(crate) async fn fractal_heap(&self, address: Address) -> Result<Arc<FractalHeap>> {
        if let Some(heap) = self.heaps.lock().unwrap_or_else(PoisonError::into_inner).get(&address)
        {
            return Ok(Arc::clone(heap));
        }
        let heap = Arc::new(FractalHeap::read(self, address).await?);
        let mut heaps = self.heaps.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(heaps.entry(address).or_insert(heap)))
    }

    /// A dense storage message of a header, when it says that something is stored densely.
    pub(crate) fn dense(
        &self,
        header: &crate::object_header::ObjectHeader,
        kind: u16,
    ) -> Result<Option<(Address, Address)>> {
        let Some(message) = header.message(kind) else { return Ok(None) };
        let storage = if kind == self::kind::LINK_INFO {
            DenseStorage::parse_link_info(&mut message.cursor("link info"), &self.context)?
        } else {
            DenseStorage::parse_attribute_info(
                &mut message.cursor("attribute info"),
                &self.context,
            )?
        };
        match (storage.heap, storage.name_index) {
            (Some(heap), Some(index)) => Ok(Some((heap, index))),
            (None, _) => Ok(None),
            (Some(_), None) => Err(Hdf5Error::inconsistent(
                "dense storage",
                message.offset,
                "a fractal heap without a name index",
            )),
        }
    }
}

async fn read_superblock(frontier: &Frontier<'_>, limits: &Limits) -> Result<Superblock> {
    let head = frontier.read_up_to(0, HEAD_BYTES, "superblock").await?;
    let offset = find_superblock(frontier, &head).await?;
    let bytes = frontier.read_up_to(offset, 128, "superblock").await?;
    Superblock::parse(&bytes, offset, limits)
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
