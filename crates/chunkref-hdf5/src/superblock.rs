// SPDX-License-Identifier: MIT OR Apache-2.0
//! The superblock. Spec: HDF5 File Format 3.0, II.A.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use chunkref_core::{Cursor, Limits};

use crate::context::{Address, Context, FileNumber, expect_version, verify_checksum};
use crate::ending::Ending;
use crate::error::{Hdf5Error, Result};

/// The 8 bytes that every HDF5 superblock begins with.
pub(crate) const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

const STRUCTURE: &str = "superblock";

/// The consistency flag of files that one process writes while others read them.
const READ_WHILE_WRITTEN: u8 = 4;

/// The parsed superblock.
#[derive(Debug, Clone)]
pub(crate) struct Superblock {
    /// Sizes and base address.
    pub(crate) context: Context,
    /// Object header of the root group.
    pub(crate) root: Address,
    /// Object header of the superblock extension.
    pub(crate) extension: Option<Address>,
    /// Ks of version-1 B-trees.
    pub(crate) btree_k: BtreeK,
    /// How long the file is, in bytes; `None` while a writer lets others read what it writes.
    pub(crate) end: Option<u64>,
}

/// Half the largest number of children of version-1 B-tree nodes. Spec: IV.A.2.t, "B-tree K Values".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BtreeK {
    /// Nodes of chunk indexes.
    pub(crate) chunk: u16,
    /// Internal nodes of groups.
    pub(crate) group_internal: u16,
    /// Symbol table nodes.
    pub(crate) group_leaf: u16,
}

impl Default for BtreeK {
    fn default() -> Self {
        Self { chunk: 32, group_internal: 16, group_leaf: 4 }
    }
}

impl BtreeK {
    /// A message of the superblock extension.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self> {
        expect_version(cursor, &[0])?;
        Ok(Self {
            chunk: cursor.u16_le()?,
            group_internal: cursor.u16_le()?,
            group_leaf: cursor.u16_le()?,
        })
    }
}

impl Superblock {
    /// Parses the superblock in `bytes`, which begin with the signature at `offset` of the file.
    pub(crate) fn parse(bytes: &[u8], offset: u64, limits: &Limits) -> Result<Self> {
        let mut cursor = Cursor::new(bytes, offset, STRUCTURE);
        cursor.skip(SIGNATURE.len())?;
        match expect_version(&mut cursor, &[0, 1, 2, 3])? {
            version @ (0 | 1) => Self::parse_v0(&mut cursor, version, offset, limits),
            _ => Self::parse_v2(bytes, &mut cursor, offset, limits),
        }
    }

    fn parse_v0(
        cursor: &mut Cursor<'_>,
        version: u8,
        offset: u64,
        limits: &Limits,
    ) -> Result<Self> {
        cursor.skip(4)?; // versions of free-space storage and root group entry, reserved, shared header version
        let context = sizes(cursor, offset, limits)?;
        cursor.skip(1)?;
        let mut btree_k = BtreeK {
            group_leaf: cursor.u16_le()?,
            group_internal: cursor.u16_le()?,
            ..BtreeK::default()
        };
        cursor.skip(4)?; // consistency flags
        if version == 1 {
            btree_k.chunk = cursor.u16_le()?;
            cursor.skip(2)?;
        }
        // Base address, free-space information, end of file, driver information. libhdf5 takes the place where it found
        // the superblock as the base, whatever the field says, so that a file moved behind a user block still opens.
        let base = context.address(cursor)?;
        context.address(cursor)?;
        let end = moved(context.address(cursor)?, base, offset);
        context.address(cursor)?;
        context.length(cursor)?; // link name offset of the root group's symbol table entry
        let root = context.defined_address(cursor)?;
        Ok(Self { context, root, extension: None, btree_k, end })
    }

    fn parse_v2(
        bytes: &[u8],
        cursor: &mut Cursor<'_>,
        offset: u64,
        limits: &Limits,
    ) -> Result<Self> {
        let context = sizes(cursor, offset, limits)?;
        let flags = cursor.u8()?;
        let base = context.address(cursor)?;
        let extension = context.address(cursor)?;
        let end = context.address(cursor)?.filter(|_| flags & READ_WHILE_WRITTEN == 0);
        let end = moved(end, base, offset);
        let root = context.defined_address(cursor)?;
        cursor.skip(4)?;
        verify_checksum(bytes.get(..cursor.position()).unwrap_or_default(), offset, STRUCTURE)?;
        Ok(Self { context, root, extension, btree_k: BtreeK::default(), end })
    }
}

/// The end of a file whose base address says that its superblock is at `base`, and which is found at `offset`.
fn moved(end: Option<Address>, base: Option<Address>, offset: u64) -> Option<u64> {
    let (end, base) = (end?.0, base?.0);
    end.checked_sub(base)?.checked_add(offset)
}

/// The two size fields.
fn sizes(cursor: &mut Cursor<'_>, base: u64, limits: &Limits) -> Result<Context> {
    let offset = cursor.offset();
    let (size_of_offsets, size_of_lengths) = (cursor.u8()?, cursor.u8()?);
    let known = |length| matches!(length, 2 | 4 | 8 | 16 | 32);
    if !known(size_of_offsets) || !known(size_of_lengths) {
        let reason = format!(
            "addresses of {size_of_offsets} and lengths of {size_of_lengths} bytes are not possible"
        );
        return Err(Hdf5Error::inconsistent(STRUCTURE, offset, reason));
    }
    if size_of_offsets > 8 || size_of_lengths > 8 {
        let what = format!("addresses of {size_of_offsets} and lengths of {size_of_lengths} bytes");
        return Err(Hdf5Error::unsupported(STRUCTURE, offset, what));
    }
    Ok(Context {
        file: FileNumber::default(),
        size_of_offsets,
        size_of_lengths,
        base,
        limits: limits.clone(),
        value_bytes: Arc::new(AtomicU64::new(limits.metadata_bytes)),
        chunks: Arc::new(AtomicU64::new(limits.chunks)),
        ending: Ending::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::lookup3;

    fn version_0() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0, 0, 0, 0, 0, 8, 8, 0]); // versions, sizes
        bytes.extend([4, 0, 16, 0, 0, 0, 0, 0]); // Ks, flags
        bytes.extend(0_u64.to_le_bytes()); // base
        bytes.extend([0xff; 8]); // free space
        bytes.extend(2048_u64.to_le_bytes()); // end of file
        bytes.extend([0xff; 8]); // driver information
        bytes.extend(0_u64.to_le_bytes()); // link name offset
        bytes.extend(96_u64.to_le_bytes()); // root group's object header
        bytes
    }

    fn version_2() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([2, 4, 8, 0]); // version, sizes, flags
        bytes.extend([0; 4]); // base
        bytes.extend([0xff; 4]); // extension
        bytes.extend(1000_u32.to_le_bytes()); // end of file
        bytes.extend(48_u32.to_le_bytes()); // root
        bytes.extend(lookup3(&bytes).to_le_bytes());
        bytes
    }

    #[test]
    fn version_0_and_2() {
        let superblock = Superblock::parse(&version_0(), 512, &Limits::default()).unwrap();
        assert_eq!(superblock.root, Address(96));
        assert_eq!(superblock.context.file_offset(superblock.root), 608);
        assert_eq!(superblock.btree_k, BtreeK::default());
        assert_eq!(superblock.end, Some(2560));

        let superblock = Superblock::parse(&version_2(), 0, &Limits::default()).unwrap();
        assert_eq!((superblock.root, superblock.extension), (Address(48), None));
        assert_eq!((superblock.context.size_of_offsets, superblock.end), (4, Some(1000)));
    }

    #[test]
    fn the_extension_has_ks_of_its_own() {
        let parse = |bytes: &[u8]| BtreeK::parse(&mut Cursor::new(bytes, 0, "B-tree K values"));
        let expected = BtreeK { chunk: 40, group_internal: 20, group_leaf: 5 };
        assert_eq!(parse(&[0, 40, 0, 20, 0, 5, 0]).unwrap(), expected);
        assert!(matches!(parse(&[1]), Err(Hdf5Error::UnsupportedVersion { version: 1, .. })));
    }

    #[test]
    fn damage_is_found() {
        let mut bytes = version_2();
        bytes[20] ^= 1;
        assert!(matches!(
            Superblock::parse(&bytes, 0, &Limits::default()),
            Err(Hdf5Error::Checksum { .. })
        ));
        let mut bytes = version_0();
        bytes[8] = 9;
        let error = Superblock::parse(&bytes, 0, &Limits::default()).unwrap_err();
        assert!(matches!(error, Hdf5Error::UnsupportedVersion { version: 9, offset: 8, .. }));
        bytes[8] = 0;
        bytes[13] = 3;
        assert!(matches!(
            Superblock::parse(&bytes, 0, &Limits::default()),
            Err(Hdf5Error::Inconsistent { .. })
        ));
        for length in 0..version_0().len() {
            let error =
                Superblock::parse(&version_0()[..length], 0, &Limits::default()).unwrap_err();
            assert!(matches!(error, Hdf5Error::Truncated(_)), "{length}: {error}");
        }
    }
}
