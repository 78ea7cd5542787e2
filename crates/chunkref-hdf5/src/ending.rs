// SPDX-License-Identifier: MIT OR Apache-2.0
//! What ends a scan as a whole.

use std::sync::{Arc, OnceLock};

use chunkref_core::Cancellation;

use crate::error::{Hdf5Error, Result};

/// What ends a scan as a whole, once there is such a thing: a read that failed, a limit that all objects share, or someone who
/// does not want it any more. What was not read for that reason is no property of the object that wanted it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    error: Arc<OnceLock<Hdf5Error>>,
    cancellation: Cancellation,
}

impl Ending {
    /// An end from outside.
    pub(crate) fn new(cancellation: Cancellation) -> Self {
        Self { error: Arc::default(), cancellation }
    }

    /// Who does not want the scan any more.
    pub(crate) fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// What ended the scan.
    pub(crate) fn get(&self) -> Option<&Hdf5Error> {
        self.error.get()
    }

    /// What ended the scan: this, unless there was something before.
    pub(crate) fn get_or_init(&self, error: impl FnOnce() -> Hdf5Error) -> &Hdf5Error {
        self.error.get_or_init(error)
    }

    /// Whether the scan goes on; every loop whose length the file decides asks.
    pub(crate) fn check(&self) -> Result<()> {
        if let Err(cancelled) = self.cancellation.check() {
            return Err(self.get_or_init(|| cancelled.into()).clone());
        }
        self.get().map_or(Ok(()), |error| Err(error.clone()))
    }
}
