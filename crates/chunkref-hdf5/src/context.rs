// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every structure of a file needs to be parsed: sizes of addresses and lengths, base address, limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chunkref_core::{Cursor, Limits};

use crate::checksum::lookup3;
use crate::ending::Ending;
use crate::error::{Hdf5Error, Result};

/// A file address: bytes from the superblock's base address. The undefined address is `None` in parsed structures.
/// Spec: HDF5 File Format 3.0, I.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address(pub(crate) u64);

/// Number of a file of a scan: 0 is the scanned file, others lie beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct FileNumber(pub(crate) u32);

/// An object of any file of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectId {
    pub(crate) file: FileNumber,
    /// Its object header.
    pub(crate) address: Address,
}

/// Sizes and places that hold for a whole file.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The file.
    pub(crate) file: FileNumber,
    /// Bytes of an address.
    pub(crate) size_of_offsets: u8,
    /// Bytes of a length.
    pub(crate) size_of_lengths: u8,
    /// Bytes from the start of the file to address 0.
    pub(crate) base: u64,
    /// Bound on everything.
    pub(crate) limits: Limits,
    /// Bytes of memory that decoded values of the file may still take: many values may point to the same bytes.
    pub(crate) value_bytes: Arc<AtomicU64>,
    /// Chunks that the file's datasets may still have: many datasets may have the same index.
    pub(crate) chunks: Arc<AtomicU64>,
    /// What ends the scan.
    pub(crate) ending: Ending,
}

impl Context {
    /// Bytes from the start of the file to `address`.
    pub(crate) fn file_offset(&self, address: Address) -> u64 {
        self.base.saturating_add(address.0)
    }

    /// Counts memory for a decoded value that lies at `offset`; `Err` when all of the file's take too much.
    pub(crate) fn take_value_bytes(&self, bytes: u64, offset: u64) -> Result<()> {
        self.ending.check()?;
        let left = self
            .value_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        left.map(|_| ()).map_err(|left| {
            let limit = self.limits.metadata_bytes;
            let claimed = limit.saturating_sub(left).saturating_add(bytes);
            let what = "bytes of decoded values";
            Hdf5Error::LimitExceeded { structure: "value", offset, what, claimed, limit }
        })
    }

    /// Counts a chunk of a dataset that has `own` others; `Err` when all of the file's are too many. That costs the dataset
    /// if it has that many by itself, and ends the scan if others have taken them.
    pub(crate) fn take_chunk(&self, structure: &'static str, own: u64, offset: u64) -> Result<()> {
        let left = self
            .chunks
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_ok_and(|left| left.is_multiple_of(1024)) {
            self.ending.check()?;
        }
        left.map(|_| ()).map_err(|_| {
            let limit = self.limits.chunks;
            let (what, claimed) = ("chunks in one file", limit.saturating_add(1));
            let error = Hdf5Error::LimitExceeded { structure, offset, what, claimed, limit };
            if own < limit { self.ending.get_or_init(|| error).clone() } else { error }
        })
    }

    /// The object whose header is at `address`.
    pub(crate) fn object(&self, address: Address) -> ObjectId {
        ObjectId { file: self.file, address }
    }

    /// An address field.
    pub(crate) fn address(&self, cursor: &mut Cursor<'_>) -> Result<Option<Address>> {
        let value = cursor.uint_le(usize::from(self.size_of_offsets))?;
        let undefined = if self.size_of_offsets >= 8 {
            u64::MAX
        } else {
            (1_u64 << (u32::from(self.size_of_offsets).saturating_mul(8))).wrapping_sub(1)
        };
        Ok((value != undefined).then_some(Address(value)))
    }

    /// An address field that must be defined.
    pub(crate) fn defined_address(&self, cursor: &mut Cursor<'_>) -> Result<Address> {
        let offset = cursor.offset();
        self.address(cursor)?.ok_or_else(|| {
            Hdf5Error::inconsistent(
                cursor.structure(),
                offset,
                "an address that must be there is undefined",
            )
        })
    }

    /// A length field.
    pub(crate) fn length(&self, cursor: &mut Cursor<'_>) -> Result<u64> {
        Ok(cursor.uint_le(usize::from(self.size_of_lengths))?)
    }

    /// Bytes of an address, as a number to add up.
    pub(crate) fn offset_bytes(&self) -> u64 {
        u64::from(self.size_of_offsets)
    }

    /// Bytes of a length, as a number to add up.
    pub(crate) fn length_bytes(&self) -> u64 {
        u64::from(self.size_of_lengths)
    }
}

/// Reads and checks a 4-byte signature.
pub(crate) fn expect_signature(cursor: &mut Cursor<'_>, expected: [u8; 4]) -> Result<()> {
    let offset = cursor.offset();
    let found = cursor.array()?;
    if found == expected {
        Ok(())
    } else {
        Err(Hdf5Error::BadSignature { structure: cursor.structure(), offset, expected, found })
    }
}

/// Reads and checks a version byte.
pub(crate) fn expect_version(cursor: &mut Cursor<'_>, known: &[u8]) -> Result<u8> {
    let offset = cursor.offset();
    let version = cursor.u8()?;
    if known.contains(&version) {
        Ok(version)
    } else {
        Err(Hdf5Error::UnsupportedVersion { structure: cursor.structure(), offset, version })
    }
}

/// Checks the lookup3 checksum in the last 4 bytes of a structure that begins at `offset`.
pub(crate) fn verify_checksum(bytes: &[u8], offset: u64, structure: &'static str) -> Result<()> {
    let Some((body, stored)) = bytes.split_last_chunk::<4>() else {
        return Err(Cursor::new(bytes, offset, structure).truncated(4).into());
    };
    compare(u32::from_le_bytes(*stored), body, offset, structure)
}

/// Checks the lookup3 checksum that comes next in a structure that begins at `offset`, and counts as 0 itself.
pub(crate) fn verify_inner_checksum(
    bytes: &[u8],
    cursor: &mut Cursor<'_>,
    offset: u64,
) -> Result<()> {
    let at = cursor.position();
    let stored = cursor.u32_le()?;
    let mut copy = bytes.to_vec();
    if let Some(field) = copy.get_mut(at..at.saturating_add(4)) {
        field.fill(0);
    }
    compare(stored, &copy, offset, cursor.structure())
}

fn compare(stored: u32, body: &[u8], offset: u64, structure: &'static str) -> Result<()> {
    let computed = lookup3(body);
    // A fuzzer would rarely get past them.
    if stored == computed || cfg!(fuzzing) {
        Ok(())
    } else {
        Err(Hdf5Error::Checksum { structure, offset, stored, computed })
    }
}
