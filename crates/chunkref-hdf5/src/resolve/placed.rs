// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where data that lies elsewhere is after all.

use crate::message::Filter;
use crate::object::{Dataset, Storage};

/// Bytes of a dataset that are copied into the references when its pieces do not fit a chunk grid.
pub(super) const COPY_BYTES: u64 = 4 << 20;

/// Where the data is after all, and the filters it went through.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) storage: Storage,
    pub(super) filters: Vec<Filter>,
}

impl Placed {
    /// The dataset with its data there.
    pub(super) fn of<S>(self, dataset: Dataset<S>) -> Dataset {
        Dataset { filters: self.filters, ..dataset.with_storage(self.storage) }
    }
}
