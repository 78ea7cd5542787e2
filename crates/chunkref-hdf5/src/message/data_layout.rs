// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data layout. Spec: HDF5 File Format 3.0, IV.A.2.i, and version 5 of 4.0.

use bytes::Bytes;
use chunkref_core::Cursor;

use super::dataspace::MAX_RANK;
use crate::context::{Address, Context, expect_version};
use crate::error::{Hdf5Error, Result};

/// How a dataset's elements are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DataLayout {
    /// In the object header.
    Compact(Bytes),
    /// In one block; no address when nothing is allocated, no length in old versions.
    Contiguous { address: Option<Address>, length: Option<u64> },
    /// In chunks that an index lists.
    Chunked {
        /// Elements per chunk along each axis.
        chunk_shape: Vec<u64>,
        /// Bytes of one element.
        element_length: u64,
        /// The index.
        index: ChunkIndexKind,
        /// Where the index begins; undefined when no chunk is allocated.
        address: Option<Address>,
        /// Whether chunks that reach past the array's edge skip the filters.
        unfiltered_edges: bool,
    },
    /// Pieces of other datasets, described in the global heap.
    Virtual { heap: Option<Address>, index: u32 },
}

/// The kinds of chunk index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChunkIndexKind {
    /// Version-1 B-tree, of layouts before version 4.
    BtreeV1,
    /// The address is the only chunk's; a filtered one has its stored length and filter mask here.
    SingleChunk { filtered: Option<(u64, u32)> },
    /// All chunks in a row.
    Implicit,
    /// Fixed array.
    FixedArray,
    /// Extensible array.
    ExtensibleArray,
    /// Version-2 B-tree.
    BtreeV2,
}

impl DataLayout {
    pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        let version = expect_version(cursor, &[1, 2, 3, 4, 5])?;
        if version < 3 {
            return Self::parse_v1(cursor, context);
        }
        let offset = cursor.offset();
        match cursor.u8()? {
            0 => {
                let length = cursor.u16_le()?;
                Ok(Self::Compact(Bytes::copy_from_slice(cursor.bytes(usize::from(length))?)))
            }
            1 => Ok(Self::Contiguous {
                address: context.address(cursor)?,
                length: Some(context.length(cursor)?),
            }),
            2 if version == 3 => {
                let rank = chunked_rank(cursor)?;
                let address = context.address(cursor)?;
                Self::chunked_v1(cursor, rank, address)
            }
            2 => Self::parse_chunked_v4(cursor, context),
            3 if version >= 4 => {
                Ok(Self::Virtual { heap: context.address(cursor)?, index: cursor.u32_le()? })
            }
            class => {
                let reason = format!("layout class {class} does not exist in version {version}");
                Err(Hdf5Error::inconsistent(cursor.structure(), offset, reason))
            }
        }
    }

    fn parse_v1(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        let offset = cursor.offset();
        let rank = cursor.u8()?;
        let class = cursor.u8()?;
        cursor.skip(5)?;
        let address = if class == 0 { None } else { context.address(cursor)? };
        if rank > MAX_RANK.saturating_add(1) {
            let reason = format!("a rank of {rank} is more than HDF5's {MAX_RANK}");
            return Err(Hdf5Error::inconsistent(cursor.structure(), offset, reason));
        }
        match class {
            0 => {
                for _ in 0..rank {
                    cursor.skip(4)?;
                }
                let length = cursor.u32_le()?;
                Ok(Self::Compact(Bytes::copy_from_slice(cursor.bytes_u64(u64::from(length))?)))
            }
            1 => Ok(Self::Contiguous { address, length: None }),
            2 if rank > 0 => Self::chunked_v1(cursor, rank, address),
            _ => {
                let reason = format!("layout class {class} with rank {rank} does not exist");
                Err(Hdf5Error::inconsistent(cursor.structure(), offset, reason))
            }
        }
    }

    /// The chunk's lengths, the element's last, of a version-1 B-tree.
    fn chunked_v1(cursor: &mut Cursor<'_>, rank: u8, address: Option<Address>) -> Result<Self> {
        let offset = cursor.offset();
        let mut chunk_shape: Vec<u64> =
            (0..rank).map(|_| Ok(u64::from(cursor.u32_le()?))).collect::<Result<_>>()?;
        let element_length = chunk_shape.pop().unwrap_or_default();
        check_chunk(cursor.structure(), offset, &chunk_shape, element_length)?;
        let index = ChunkIndexKind::BtreeV1;
        Ok(Self::Chunked { chunk_shape, element_length, index, address, unfiltered_edges: false })
    }

    fn parse_chunked_v4(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        let flags = cursor.u8()?;
        let rank = chunked_rank(cursor)?;
        let offset = cursor.offset();
        let encoded_length = cursor.u8()?;
        if !(1..=8).contains(&encoded_length) {
            let reason = format!("chunk lengths of {encoded_length} bytes are not possible");
            return Err(Hdf5Error::inconsistent(cursor.structure(), offset, reason));
        }
        let mut chunk_shape: Vec<u64> = (0..rank)
            .map(|_| Ok(cursor.uint_le(usize::from(encoded_length))?))
            .collect::<Result<_>>()?;
        let element_length = chunk_shape.pop().unwrap_or_default();
        check_chunk(cursor.structure(), offset, &chunk_shape, element_length)?;
        let offset = cursor.offset();
        let index = match cursor.u8()? {
            1 if flags & 2 != 0 => ChunkIndexKind::SingleChunk {
                filtered: Some((context.length(cursor)?, cursor.u32_le()?)),
            },
            1 => ChunkIndexKind::SingleChunk { filtered: None },
            2 => ChunkIndexKind::Implicit,
            3 => {
                cursor.skip(1)?; // page bits, again in the array's header
                ChunkIndexKind::FixedArray
            }
            4 => {
                cursor.skip(5)?; // creation parameters, again in the array's header
                ChunkIndexKind::ExtensibleArray
            }
            5 => {
                cursor.skip(6)?; // node length, split and merge percent, again in the tree's header
                ChunkIndexKind::BtreeV2
            }
            other => {
                return Err(Hdf5Error::unsupported(
                    cursor.structure(),
                    offset,
                    format!("chunk index type {other}"),
                ));
            }
        };
        let address = context.address(cursor)?;
        Ok(Self::Chunked {
            chunk_shape,
            element_length,
            index,
            address,
            unfiltered_edges: flags & 1 != 0,
        })
    }
}

/// The rank of a chunked layout, which counts the element's bytes as one more axis.
fn chunked_rank(cursor: &mut Cursor<'_>) -> Result<u8> {
    let offset = cursor.offset();
    let rank = cursor.u8()?;
    if (1..=MAX_RANK.saturating_add(1)).contains(&rank) {
        return Ok(rank);
    }
    Err(Hdf5Error::inconsistent(
        cursor.structure(),
        offset,
        format!("a chunk rank of {rank} is not possible"),
    ))
}

fn check_chunk(
    structure: &'static str,
    offset: u64,
    chunk_shape: &[u64],
    element_length: u64,
) -> Result<()> {
    if chunk_shape.contains(&0) || element_length == 0 {
        let reason = format!(
            "chunks of {chunk_shape:?} elements of {element_length} bytes are not possible"
        );
        return Err(Hdf5Error::inconsistent(structure, offset, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    fn parse(bytes: &[u8]) -> Result<DataLayout> {
        DataLayout::parse(&mut Cursor::new(bytes, 0, "data layout"), &context())
    }

    #[test]
    fn version_3() {
        assert_eq!(
            parse(&[3, 0, 2, 0, 7, 8]).unwrap(),
            DataLayout::Compact(Bytes::from_static(&[7, 8]))
        );
        let mut contiguous = vec![3, 1];
        contiguous.extend([0xff; 8]);
        contiguous.extend(40_u64.to_le_bytes());
        assert_eq!(
            parse(&contiguous).unwrap(),
            DataLayout::Contiguous { address: None, length: Some(40) }
        );
        let mut chunked = vec![3, 2, 2];
        chunked.extend(100_u64.to_le_bytes());
        chunked.extend([10, 0, 0, 0, 4, 0, 0, 0]);
        assert_eq!(
            parse(&chunked).unwrap(),
            DataLayout::Chunked {
                chunk_shape: vec![10],
                element_length: 4,
                index: ChunkIndexKind::BtreeV1,
                address: Some(Address(100)),
                unfiltered_edges: false
            }
        );
        chunked[11] = 0;
        assert!(
            matches!(parse(&chunked), Err(Hdf5Error::Inconsistent { .. })),
            "a chunk without elements"
        );
    }

    #[test]
    fn version_4_single_filtered_chunk() {
        let mut bytes = vec![4, 2, 3, 2, 1, 10, 4, 1];
        bytes.extend(77_u64.to_le_bytes());
        bytes.extend([1, 0, 0, 0]);
        bytes.extend(4096_u64.to_le_bytes());
        let DataLayout::Chunked { index, address, unfiltered_edges, .. } = parse(&bytes).unwrap()
        else {
            panic!("not chunked")
        };
        assert_eq!(index, ChunkIndexKind::SingleChunk { filtered: Some((77, 1)) });
        assert_eq!((address, unfiltered_edges), (Some(Address(4096)), true));
    }

    #[test]
    fn version_1_contiguous_and_compact() {
        let mut contiguous = vec![1, 1, 1, 0, 0, 0, 0, 0];
        contiguous.extend(64_u64.to_le_bytes());
        contiguous.extend([5, 0, 0, 0]);
        assert_eq!(
            parse(&contiguous).unwrap(),
            DataLayout::Contiguous { address: Some(Address(64)), length: None }
        );
        let compact = [2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3];
        assert_eq!(parse(&compact).unwrap(), DataLayout::Compact(Bytes::from_static(&[1, 2, 3])));
    }
}
