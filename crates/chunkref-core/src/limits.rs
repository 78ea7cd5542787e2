// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bounds on what one file may cost.

/// Bounds on what one file may cost; a length in a file is a claim, and no claim goes past these.
///
/// The defaults let every sound file through that fits the memory of a small machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of metadata read from one file.
    pub metadata_bytes: u64,
    /// Bytes of one metadata structure.
    pub structure_bytes: u64,
    /// Groups, arrays and other objects in one file, counted by every path that leads to them.
    pub objects: u64,
    /// Chunk references of one file.
    pub chunks: u64,
    /// Depth of nested groups, of nested types and of index trees.
    pub depth: u32,
    /// Links of one group, attributes of one object, members of one type.
    pub members: u64,
    /// Bytes of data stored inline in the references of one file.
    pub inline_bytes: u64,
    /// Bytes that one encoded chunk decodes to, and each step on the way.
    pub decoded_chunk_bytes: u64,
    /// Points of one grid of a GRIB field.
    pub grid_points: u64,
    /// Values of one coordinate axis that is computed from its description in the file, and rows of a reduced grid.
    pub axis_values: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            metadata_bytes: 512 << 20,
            structure_bytes: 64 << 20,
            objects: 1_000_000,
            chunks: 20_000_000,
            depth: 64,
            members: 1_000_000,
            inline_bytes: 128 << 20,
            decoded_chunk_bytes: 256 << 20,
            grid_points: 1 << 29,
            axis_values: 1 << 20,
        }
    }
}
