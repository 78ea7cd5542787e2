// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sources that count, cut, fail and dawdle.

mod counting;
mod failing;
mod pending;
mod truncating;

pub use counting::CountingSource;
pub use failing::FailingSource;
pub use pending::PendingSource;
pub use truncating::TruncatingSource;
