// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arrays.

use serde::{Deserialize, Serialize};

use crate::{Attributes, ChunkGrid, Codec, DataType, FillValue, Manifest};

/// One array: its description in Zarr's terms and where its chunks are.
///
/// Elements are in C order within a chunk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Array {
    /// Elements along each axis; empty for a scalar.
    pub shape: Vec<u64>,
    /// Dimension name of each axis; as long as `shape`.
    pub dimensions: Vec<String>,
    /// Element type.
    pub dtype: DataType,
    /// What missing chunks read as; `None` leaves it undefined (readers give zeros) and lets no value look missing.
    pub fill_value: Option<FillValue>,
    /// How the array is cut into chunks.
    pub chunk_grid: ChunkGrid,
    /// Codecs in encoding order.
    pub codecs: Vec<Codec>,
    /// Attributes, in the order of the file.
    pub attributes: Attributes,
    /// Where the chunks are.
    pub manifest: Manifest,
}

impl Array {
    /// Logical (decoded) bytes of the whole array; `None` when the element size is not fixed or the product overflows.
    #[must_use]
    pub fn logical_bytes(&self) -> Option<u64> {
        let element = self.dtype.length_bytes()?;
        self.shape.iter().try_fold(element, |product, &length| product.checked_mul(length))
    }
}
