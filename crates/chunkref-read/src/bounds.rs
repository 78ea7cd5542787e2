// SPDX-License-Identifier: MIT OR Apache-2.0
//! What decoding may cost.

use chunkref_core::{Cancellation, DecodeContext, Limits};
use chunkref_model::Codec;

use crate::ReadError;

/// What decoding may cost. Decoders ask the cancellation as they go, so that decoding ends within a chunk.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Bounds {
    /// Bytes that one encoded chunk may decode to ([`Limits::decoded_chunk_bytes`]).
    pub decoded_chunk_bytes: u64,
    /// When decoding ends before it is done.
    pub cancellation: Cancellation,
}

impl Bounds {
    /// Those of `limits`, until `cancellation` ends it.
    #[must_use]
    pub fn new(limits: &Limits, cancellation: Cancellation) -> Self {
        Self { decoded_chunk_bytes: limits.decoded_chunk_bytes, cancellation }
    }

    /// What decoding a chunk of at most `max_bytes` bytes may cost.
    #[must_use]
    pub fn context(&self, max_bytes: usize) -> DecodeContext<'_> {
        DecodeContext::new(max_bytes, &self.cancellation)
    }

    /// Why a chunk of so many bytes behind these codecs is not decoded, if it is not.
    #[must_use]
    pub fn refusal(&self, codecs: &[Codec], chunk_bytes: u64) -> Option<String> {
        let limit = self.decoded_chunk_bytes;
        // What is not encoded takes no more than is stored.
        (!codecs.is_empty() && chunk_bytes > limit).then(|| {
            format!(
                "its chunks decode to {chunk_bytes} bytes each, more than the limit decoded_chunk_bytes of {limit}"
            )
        })
    }

    /// Checks the chunks of an array before any of them is decoded.
    pub(crate) fn check(
        &self,
        array: &str,
        codecs: &[Codec],
        chunk_bytes: u64,
    ) -> Result<(), ReadError> {
        self.refusal(codecs, chunk_bytes).map_or(Ok(()), |reason| {
            Err(ReadError::ChunkTooLarge { array: array.to_owned(), reason })
        })
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::new(&Limits::default(), Cancellation::never())
    }
}
