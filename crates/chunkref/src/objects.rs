// SPDX-License-Identifier: MIT OR Apache-2.0
//! The objects that references name, opened through stores and kept open.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chunkref_core::{ByteSource, SourceError};
use chunkref_model::Source;
use chunkref_read::{Bounds, Open};
use chunkref_store::{AccessPolicy, Location, OpenOptions, Stores};

/// Most objects that are kept open.
const MOST_OPEN: usize = 256;

/// An object that is open, or being opened by one of those who wait for it.
type Slot = Arc<futures::lock::Mutex<Option<Arc<dyn ByteSource>>>>;

/// Opens objects through stores, as a policy allows. Those that were opened last stay open, so that many chunks of one object cost one opening.
#[derive(Debug)]
pub struct StoreObjects {
    stores: Stores,
    policy: AccessPolicy,
    opened: Option<Arc<dyn ByteSource>>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    slots: HashMap<Source, Slot>,
    order: VecDeque<Source>,
}

impl StoreObjects {
    /// Objects of these stores, which something that `policy` is for names: [`Stores::policy_of_set`] for a reference set,
    /// [`Stores::policy_of_file`] for a file that was scanned.
    #[must_use]
    pub fn new(stores: Stores, policy: AccessPolicy) -> Self {
        Self { stores, policy, opened: None, kept: Mutex::default() }
    }

    /// The same with an object that is open.
    #[must_use]
    pub fn with_opened(mut self, source: Arc<dyn ByteSource>) -> Self {
        self.opened = Some(source);
        self
    }

    fn slot(&self, source: &Source) -> Slot {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = kept.slots.get(source) {
            return Arc::clone(slot);
        }
        if kept.order.len() >= MOST_OPEN
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.slots.remove(&oldest);
        }
        kept.order.push_back(source.clone());
        Arc::clone(kept.slots.entry(source.clone()).or_default())
    }
}

#[async_trait]
impl Open for StoreObjects {
    async fn open(&self, source: &Source) -> Result<Arc<dyn ByteSource>, SourceError> {
        let known = self.opened.as_ref().filter(|opened| opened.location() == source.location);
        if let Some(opened) = known {
            return Ok(Arc::clone(opened));
        }
        let slot = self.slot(source);
        let mut slot = slot.lock().await;
        if let Some(opened) = &*slot {
            return Ok(Arc::clone(opened));
        }
        let location = Location::parse(&source.location)?;
        let options =
            OpenOptions::default().with_expected(source.version.clone()).with_kept_open(true);
        let opened: Arc<dyn ByteSource> =
            Arc::from(self.stores.open_within(&self.policy, &location, &options).await?.source);
        *slot = Some(Arc::clone(&opened));
        Ok(opened)
    }

    fn bounds(&self) -> Bounds {
        Bounds::new(self.stores.limits(), self.stores.cancellation())
    }
}
