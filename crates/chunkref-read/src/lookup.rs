// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where references come from: memory, or files that are read as they are needed.

use std::borrow::Cow;

use async_trait::async_trait;
use chunkref_model::{Array, ChunkRef, Dataset, Source};

use crate::ReadError;

/// References that are looked up chunk by chunk.
///
/// # Contract
/// - [`metadata`](Lookup::metadata) has every group and array; their manifests may be empty.
/// - A chunk that has no reference, or is outside its array's grid, is [`ChunkRef::Missing`].
#[async_trait]
pub trait Lookup: Send + Sync {
    /// Groups and arrays.
    fn metadata(&self) -> &Dataset;

    /// The reference of one chunk, with the object that a virtual one lies in; the number of the source in it means
    /// nothing.
    ///
    /// # Errors
    /// [`ReadError::NoArray`], or [`ReadError::References`] when the references cannot be read.
    async fn chunk(
        &self,
        path: &str,
        chunk_indices: &[u64],
    ) -> Result<(ChunkRef, Option<Source>), ReadError>;

    /// The array with all its references.
    ///
    /// # Errors
    /// As [`chunk`](Lookup::chunk).
    async fn array(&self, path: &str) -> Result<Cow<'_, Array>, ReadError>;
}

#[async_trait]
impl Lookup for Dataset {
    fn metadata(&self) -> &Dataset {
        self
    }

    async fn chunk(
        &self,
        path: &str,
        chunk_indices: &[u64],
    ) -> Result<(ChunkRef, Option<Source>), ReadError> {
        let no_array = || ReadError::NoArray { array: path.to_owned() };
        let reference =
            Dataset::array(self, path).ok_or_else(no_array)?.manifest.get(chunk_indices);
        let source = match reference {
            ChunkRef::Virtual { source, .. } => {
                let known = self.source(source).cloned();
                Some(known.ok_or_else(|| ReadError::NoSource { array: path.to_owned() })?)
            }
            _ => None,
        };
        Ok((reference, source))
    }

    async fn array(&self, path: &str) -> Result<Cow<'_, Array>, ReadError> {
        let array = Dataset::array(self, path).map(Cow::Borrowed);
        array.ok_or_else(|| ReadError::NoArray { array: path.to_owned() })
    }
}
