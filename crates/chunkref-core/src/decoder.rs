// SPDX-License-Identifier: MIT OR Apache-2.0
//! Codecs of stored chunks, undone.
//!
//! A crate that can undo a codec submits a [`DecoderEntry`], as a format submits its
//! [`ScannerEntry`](crate::ScannerEntry); whoever reads chunks finds it by the codec's name.

use bytes::Bytes;
use chunkref_model::Codec;
use thiserror::Error;

/// Undoes a codec on the bytes of one chunk, of which at most so many bytes come out: `(codec, stored, most)`. More bytes
/// than that are damage.
pub type Decode = fn(&Codec, &Bytes, usize) -> Result<Bytes, DecodeError>;

/// A chunk could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The bytes are not what the codec makes.
    #[error("{0}")]
    Damaged(String),
    /// The bytes may be fine: the decoder does not cover them, or there is none.
    #[error("{0}")]
    Unsupported(String),
}

impl DecodeError {
    /// Bytes that are not what the codec makes.
    pub fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged(reason.into())
    }

    /// Bytes that are not covered.
    pub fn unsupported(reason: impl Into<String>) -> Self {
        Self::Unsupported(reason.into())
    }
}

/// A codec that can be undone.
///
/// # Contract
/// Any bytes give a result or an error: never a panic, and never more memory than in proportion to what may come out.
#[derive(Debug, Clone, Copy)]
pub struct DecoderEntry {
    /// The codec, by its name in Zarr v2 metadata.
    pub codec: &'static str,
    /// Undoes it.
    pub decode: Decode,
}

inventory::collect!(DecoderEntry);

impl DecoderEntry {
    /// The one for a codec, if a crate that is linked in has it.
    #[must_use]
    pub fn linked(codec: &str) -> Option<&'static Self> {
        Self::all().find(|entry| entry.codec == codec)
    }

    /// All that are linked in.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Self>.into_iter()
    }
}
