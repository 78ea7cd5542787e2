// SPDX-License-Identifier: MIT OR Apache-2.0
//! An open file: what every walk needs to read more of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::frontier::Frontier;
use crate::context::{Address, Context};
use crate::heap::fractal::FractalHeap;
use crate::heap::global::GlobalHeapCollection;
use crate::shared_message_table::SharedMessageTable;
use crate::superblock::BtreeK;

/// An open file.
#[derive(Debug)]
pub(crate) struct File<'a> {
    pub(crate) frontier: Frontier<'a>,
    pub(crate) context: Context,
    pub(crate) root: Address,
    pub(super) btree_k: BtreeK,
    pub(super) shared_messages: Option<SharedMessageTable>,
    pub(super) collections: Cache<GlobalHeapCollection>,
    /// With their maps of blocks.
    pub(super) heaps: Cache<FractalHeap>,
}

impl<'a> File<'a> {
    /// A file without what its superblock extension says.
    pub(super) fn new(
        frontier: Frontier<'a>,
        context: Context,
        root: Address,
        btree_k: BtreeK,
    ) -> Self {
        Self {
            frontier,
            context,
            root,
            btree_k,
            shared_messages: None,
            collections: Cache::default(),
            heaps: Cache::default(),
        }
    }
}

/// Structures that were read, by address.
#[derive(Debug)]
pub(super) struct Cache<T>(Mutex<HashMap<Address, Arc<T>>>);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Cache<T> {
    /// The structure at `address`, if it was read.
    pub(super) fn get(&self, address: Address) -> Option<Arc<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&address).cloned()
    }

    /// Keeps a structure; the one that is kept already, if another walk was faster.
    pub(super) fn insert(&self, address: Address, read: T) -> Arc<T> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(address).or_insert_with(|| Arc::new(read)))
    }
}
