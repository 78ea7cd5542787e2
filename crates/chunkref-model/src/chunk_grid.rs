// SPDX-License-Identifier: MIT OR Apache-2.0
//! How an array is cut into chunks.

use serde::{Deserialize, Serialize};

/// The chunk grid of an array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ChunkGrid {
    /// Chunks of one shape, in elements; chunks at the far edges may reach beyond the array.
    Regular {
        /// Elements per chunk along each axis; at least 1.
        chunk_shape: Vec<u64>,
    },
}

impl ChunkGrid {
    /// A regular grid of chunks of `chunk_shape` elements.
    #[must_use]
    pub fn regular(chunk_shape: impl Into<Vec<u64>>) -> Self {
        Self::Regular { chunk_shape: chunk_shape.into() }
    }

    /// Elements per chunk along each axis.
    #[must_use]
    pub fn chunk_shape(&self) -> &[u64] {
        match self {
            Self::Regular { chunk_shape } => chunk_shape,
        }
    }

    /// Chunks along each axis for an array of `shape` elements.
    #[must_use]
    pub fn grid_shape(&self, shape: &[u64]) -> Vec<u64> {
        let chunk_shape = self.chunk_shape();
        shape
            .iter()
            .zip(chunk_shape)
            .map(|(&length, &chunk)| length.div_ceil(chunk.max(1)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_counts_partial_chunks() {
        assert_eq!(ChunkGrid::regular([10, 4]).grid_shape(&[23, 4]), [3, 1]);
        assert_eq!(ChunkGrid::regular([512]).grid_shape(&[4]), [1]);
        assert_eq!(ChunkGrid::regular([5]).grid_shape(&[0]), [0]);
        assert!(ChunkGrid::regular([]).grid_shape(&[]).is_empty());
    }
}
