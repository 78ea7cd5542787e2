// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the unit tests of several parsers need.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use chunkref_core::Limits;

use crate::context::{Context, FileNumber};

/// 8-byte addresses and lengths, base 0.
pub(crate) fn context() -> Context {
    Context {
        file: FileNumber(0),
        size_of_offsets: 8,
        size_of_lengths: 8,
        base: 0,
        limits: Limits::default(),
        value_bytes: Arc::new(AtomicU64::new(1 << 20)),
        chunks: Arc::new(AtomicU64::new(1 << 20)),
        ending: crate::frontier::Ending::default(),
    }
}
