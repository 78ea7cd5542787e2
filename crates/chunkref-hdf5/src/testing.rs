// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the unit tests of several parsers need.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use chunkref_core::Limits;

use crate::checksum::lookup3;
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
        ending: crate::ending::Ending::default(),
    }
}

/// A fractal heap's header: 8-byte IDs, without filters, whose root is an indirect block at 1000 of two rows of 4 blocks.
pub(crate) fn fractal_heap_header() -> Vec<u8> {
    let mut bytes = b"FRHP\x00\x08\x00\x00\x00\x02".to_vec(); // 8-byte IDs, no filters, checksummed blocks
    bytes.extend(4096_u32.to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend([0xff; 8]);
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend([0xff; 8]);
    bytes.extend([0; 64]);
    bytes.extend([4, 0]);
    bytes.extend(512_u64.to_le_bytes());
    bytes.extend(65536_u64.to_le_bytes());
    bytes.extend([40, 0, 1, 0]);
    bytes.extend(1000_u64.to_le_bytes());
    bytes.extend([2, 0]);
    bytes.extend(lookup3(&bytes).to_le_bytes());
    bytes
}
