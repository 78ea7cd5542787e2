// SPDX-License-Identifier: MIT OR Apache-2.0
//! The nodes of old groups: links by name, in a version-1 B-tree. Spec: HDF5 File Format 3.0, III.B, III.C.

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::btree::v1::{Entries, Layout};
use crate::context::{Address, Context, expect_signature, expect_version};
use crate::error::{Hdf5Error, Result};
use crate::heap::local::LocalHeap;
use crate::message::link::{Link, LinkTarget};
use crate::superblock::BtreeK;

/// What a node is called in errors.
pub(crate) const STRUCTURE: &str = "symbol table node";

/// The B-tree's nodes.
pub(crate) fn layout(context: &Context, btree_k: BtreeK) -> Layout {
    Layout {
        node_type: 0,
        key_bytes: context.length_bytes(),
        max_children: u64::from(btree_k.group_internal).saturating_mul(2),
    }
}

/// Collects the symbol table nodes that the B-tree lists.
#[derive(Debug)]
pub(crate) struct Nodes<'a> {
    context: &'a Context,
    pub(crate) addresses: Vec<Address>,
}

impl<'a> Nodes<'a> {
    /// No nodes yet.
    pub(crate) fn new(context: &'a Context) -> Self {
        Self { context, addresses: Vec::new() }
    }
}

impl Entries for Nodes<'_> {
    fn entry(&mut self, key: Cursor<'_>, child: Address) -> Result<()> {
        let (what, limit) = ("symbol table nodes", self.context.limits.members);
        let count = self.addresses.len() as u64;
        Hdf5Error::check_limit("group", key.offset(), what, count, limit)?;
        self.addresses.push(child);
        Ok(())
    }
}

/// Bytes of a node at the most.
pub(crate) fn node_bytes(context: &Context, btree_k: BtreeK) -> u64 {
    let entry = context.offset_bytes().saturating_add(context.length_bytes()).saturating_add(24);
    u64::from(btree_k.group_leaf).saturating_mul(2).saturating_mul(entry).saturating_add(8)
}

/// Adds the links of the node in `bytes`, which lie at `offset` of the file; their names are in `heap`.
pub(crate) fn parse(
    bytes: &Bytes,
    offset: u64,
    context: &Context,
    heap: &LocalHeap,
    links: &mut Vec<Link>,
) -> Result<()> {
    let cursor = &mut Cursor::new(bytes, offset, STRUCTURE);
    expect_signature(cursor, *b"SNOD")?;
    expect_version(cursor, &[1])?;
    cursor.skip(1)?;
    let count = cursor.u16_le()?;
    for _ in 0..count {
        let name_offset = context.length(cursor)?;
        let address = context.address(cursor)?;
        let cache_type = cursor.u32_le()?;
        cursor.skip(4)?;
        let scratch = cursor.array::<16>()?;
        let target = if cache_type == 2 {
            let [a, b, c, d, ..] = scratch;
            LinkTarget::Soft(heap.text(u64::from(u32::from_le_bytes([a, b, c, d])))?)
        } else {
            let offset = cursor.offset();
            let missing = || {
                let reason = "an entry without an object header";
                Hdf5Error::inconsistent(STRUCTURE, offset, reason)
            };
            LinkTarget::Hard(context.object(address.ok_or_else(missing)?))
        };
        links.push(Link { name: heap.text(name_offset)?, creation_order: None, target });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    #[test]
    fn links_are_hard_or_soft() {
        let heap = LocalHeap::new(0, Bytes::from_static(b"\0a\0s\0/x\0"));
        let mut bytes = b"SNOD\x01\0\x02\0".to_vec(); // version 1, two entries
        for (name, address, cache_type, scratch) in
            [(1_u64, 96_u64, 0_u32, 0_u32), (3, u64::MAX, 2, 5)]
        {
            bytes.extend(name.to_le_bytes());
            bytes.extend(address.to_le_bytes());
            bytes.extend(cache_type.to_le_bytes());
            bytes.extend([0; 4]);
            bytes.extend(scratch.to_le_bytes());
            bytes.extend([0; 12]);
        }
        let parse = |bytes: &[u8]| {
            let mut links = Vec::new();
            let bytes = Bytes::copy_from_slice(bytes);
            super::parse(&bytes, 0, &context(), &heap, &mut links).map(|()| links)
        };
        let links = parse(&bytes).unwrap();
        let targets: Vec<_> = links.iter().map(|link| (link.name.as_str(), &link.target)).collect();
        let hard = LinkTarget::Hard(context().object(Address(96)));
        assert_eq!(targets, [("a", &hard), ("s", &LinkTarget::Soft("/x".to_owned()))]);
        assert!(bytes.len() as u64 <= node_bytes(&context(), BtreeK::default()));
        bytes[64] = 0; // no soft link, so that there must be an object header
        assert!(matches!(parse(&bytes), Err(Hdf5Error::Inconsistent { .. })));
        bytes[6] = 3;
        bytes[64] = 2;
        assert!(matches!(parse(&bytes), Err(Hdf5Error::Truncated(_))));
    }
}
