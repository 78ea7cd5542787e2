// SPDX-License-Identifier: MIT OR Apache-2.0
//! The last stage before the model: datasets with the codecs of their arrays, and the bytes that go into the references.

use std::collections::BTreeMap;

use bytes::Bytes;
use chunkref_core::model::Codec;

use crate::ending::Ending;
use crate::error::Result;
use crate::filter;
use crate::object::{Dataset, Storage};

/// A dataset with what its array takes besides.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(super) dataset: Dataset,
    /// What `inline` and the chunks in the file went through.
    pub(super) encoding: Encoding,
    /// Bytes of small or odd chunks, by row of the chunk table (row 0 of contiguous storage), to store inline.
    pub(super) inline: BTreeMap<usize, Bytes>,
}

/// How the bytes of a dataset's chunks are encoded in the references, and in the file for those that stay there.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Encoding {
    /// By the filters that most chunks went through, which these codecs undo.
    Filters(Vec<Codec>),
    /// All inline and decoded, then compressed by zlib if that made them smaller.
    Decoded { zlib: bool },
}

impl Default for Encoding {
    fn default() -> Self {
        Self::Filters(Vec::new())
    }
}

impl Encoding {
    /// The codecs of the array.
    pub(super) fn codecs(&self) -> Vec<Codec> {
        match self {
            Self::Filters(codecs) => codecs.clone(),
            Self::Decoded { zlib: true } => vec![Codec::new("zlib").with("level", 6)],
            Self::Decoded { zlib: false } => Vec::new(),
        }
    }
}

impl Prepared {
    /// With nothing inline so far.
    pub(super) fn new(dataset: Dataset, encoding: Encoding) -> Self {
        Self { dataset, encoding, inline: BTreeMap::new() }
    }

    /// A chunk's elements as the array's codecs expect them; `offset` is where they came from.
    pub(super) fn encode_chunk(&self, decoded: Bytes, offset: u64) -> Result<Bytes> {
        let dataset = &self.dataset;
        match self.encoding {
            Encoding::Filters(_) => {
                filter::encode(&dataset.filters, dataset.usual_mask(), decoded, offset)
            }
            Encoding::Decoded { zlib: true } => filter::zlib(&decoded, offset),
            Encoding::Decoded { zlib: false } => Ok(decoded),
        }
    }

    /// Keeps the zlib streams of a decoded dataset only if they are shorter than the elements.
    pub(super) fn settle(&mut self, ending: &Ending) -> Result<()> {
        let Storage::Chunked { grid, .. } = &self.dataset.storage else { return Ok(()) };
        if self.encoding != (Encoding::Decoded { zlib: true }) {
            return Ok(());
        }
        let stored =
            self.inline.values().fold(0_u64, |sum, bytes| sum.saturating_add(bytes.len() as u64));
        if stored < grid.chunk_bytes.saturating_mul(self.inline.len() as u64) {
            return Ok(());
        }
        for bytes in self.inline.values_mut() {
            *bytes = filter::unzlib(std::mem::take(bytes), grid.chunk_bytes, ending)?;
        }
        self.encoding = Encoding::Decoded { zlib: false };
        Ok(())
    }
}
