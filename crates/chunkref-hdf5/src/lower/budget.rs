// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the references of a file may take, and counting it.

use chunkref_core::Limits;
use chunkref_core::model::{ChunkRef, ManifestBuilder};

use super::refusal::{Exceeded, Refusal};

/// What the references of a file may still take, and how strings go into them.
#[derive(Debug)]
pub(super) struct Budget<'a> {
    pub(super) chunks: u64,
    pub(super) inline_bytes: u64,
    /// What they began with.
    pub(super) limits: &'a Limits,
    /// Whether strings of variable length are padded to the longest.
    pub(super) fixed_strings: bool,
}

impl Budget<'_> {
    /// The refusal of something that takes `bytes` inline: its own fault, or that of all together.
    pub(super) fn too_long(&self, bytes: u64) -> Refusal {
        let exceeded = (bytes <= self.limits.inline_bytes).then_some(Exceeded::InlineBytes);
        let reason = format!(
            "{bytes} bytes to store inline are more than the limit of {} leaves",
            self.limits.inline_bytes
        );
        Refusal { exceeded, ..Refusal::new(reason) }
    }

    /// Counts a reference; `Err` when there are too many.
    pub(super) fn take(&mut self, reference: &ChunkRef) -> Result<(), Refusal> {
        let length = match reference {
            ChunkRef::Missing => return Ok(()),
            ChunkRef::Virtual { .. } => 0,
            ChunkRef::Inline(bytes) => bytes.len() as u64,
        };
        match (self.chunks.checked_sub(1), self.inline_bytes.checked_sub(length)) {
            (Some(chunks), Some(inline_bytes)) => {
                self.chunks = chunks;
                self.inline_bytes = inline_bytes;
                Ok(())
            }
            (None, _) => Err(Refusal {
                exceeded: Some(Exceeded::Chunks),
                ..Refusal::new("the dataset has more chunks than the limit allows")
            }),
            (_, None) => Err(self.too_long(length)),
        }
    }
}

/// Adds a reference to a manifest within the budget.
pub(super) fn push(
    manifest: &mut ManifestBuilder,
    budget: &mut Budget<'_>,
    chunk_indices: &[u64],
    reference: ChunkRef,
) -> Result<(), Refusal> {
    budget.take(&reference)?;
    Ok(manifest.push(chunk_indices, reference)?)
}
