// SPDX-License-Identifier: MIT OR Apache-2.0
//! One chunk reference.

use bytes::Bytes;

/// Index of a [`Source`](crate::Source) in its dataset's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// The `length` of a reference to a whole object whose size is not known (kerchunk's `[url]` form).
pub const WHOLE_OBJECT: u64 = u64::MAX;

/// Where the stored (encoded) bytes of one chunk are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkRef {
    /// A byte range of a source object.
    Virtual {
        /// The object that holds the bytes.
        source: SourceId,
        /// Bytes from the start of the object.
        offset: u64,
        /// Bytes; [`WHOLE_OBJECT`] when the reference means all of an object of unknown size.
        length: u64,
    },
    /// The bytes themselves.
    Inline(Bytes),
    /// No bytes anywhere: the chunk reads as the fill value.
    Missing,
}
