// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chunks whose bytes go into the references: what is to be read of them, and in what form.

use bytes::Bytes;

use crate::context::{FileNumber, ObjectId};
use crate::error::Result;
use crate::object::Dataset;

/// One chunk to read: a row of a dataset's chunk table, or row 0 of contiguous storage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) id: ObjectId,
    pub(crate) row: usize,
    /// The file that the bytes are in.
    pub(crate) file: FileNumber,
    /// Bytes from the start of the file.
    pub(crate) offset: u64,
    /// Stored bytes.
    pub(crate) length: u64,
    pub(crate) form: Form,
}

/// What is to be stored of a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// Its bytes as they are.
    Stored,
    /// Its bytes without the filters of this mask, encoded as its dataset's codecs expect them.
    Encoded { mask: u32 },
}

/// Those who want chunks.
pub(crate) trait Chunks {
    /// The dataset that a chunk is of.
    fn dataset(&self, id: ObjectId) -> Option<&Dataset>;

    /// A chunk's elements as its dataset's codecs expect them; `offset` is where they came from.
    fn encode(&self, id: ObjectId, decoded: Bytes, offset: u64) -> Result<Bytes>;
}
