// SPDX-License-Identifier: MIT OR Apache-2.0
//! Version-1 B-tree nodes. Spec: HDF5 File Format 3.0, III.A.1.

use std::collections::HashSet;

use bytes::Bytes;
use chunkref_core::Cursor;
use futures::future::try_join_all;

use crate::context::{Address, Context, expect_signature};
use crate::error::{Hdf5Error, Result};
use crate::file::File;

const STRUCTURE: &str = "B-tree node";

/// What a tree's nodes hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Node type: 0 for groups, 1 for chunks.
    pub(crate) node_type: u8,
    /// Bytes of a key.
    pub(crate) key_bytes: u64,
    /// Largest number of children of a node.
    pub(crate) max_children: u64,
}

impl Layout {
    /// Bytes of a node.
    fn node_bytes(self, context: &Context) -> u64 {
        let pair = self.key_bytes.saturating_add(context.offset_bytes());
        let header = context.offset_bytes().saturating_mul(2).saturating_add(8);
        header.saturating_add(self.max_children.saturating_mul(pair)).saturating_add(self.key_bytes)
    }
}

/// The part of a node before its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NodeHeader {
    level: u8,
    entries: u16,
}

impl NodeHeader {
    fn parse(cursor: &mut Cursor<'_>, layout: Layout, context: &Context) -> Result<Self> {
        let offset = cursor.offset();
        expect_signature(cursor, *b"TREE")?;
        let node_type = cursor.u8()?;
        let level = cursor.u8()?;
        let entries = cursor.u16_le()?;
        if node_type != layout.node_type {
            let reason =
                format!("a node of type {node_type} in a tree of type {}", layout.node_type);
            return Err(Hdf5Error::inconsistent(STRUCTURE, offset, reason));
        }
        if u64::from(entries) > layout.max_children {
            let reason = format!(
                "{entries} children are more than the {} of the tree's K",
                layout.max_children
            );
            return Err(Hdf5Error::inconsistent(STRUCTURE, offset, reason));
        }
        context.address(cursor)?; // left and right sibling
        context.address(cursor)?;
        Ok(Self { level, entries })
    }
}

impl File<'_> {
    /// Calls `visit` with a cursor at the key and the address of every child of the leaf nodes, level after level.
    pub(crate) async fn btree_v1_entries<F>(
        &self,
        root: Address,
        layout: Layout,
        visit: &mut F,
    ) -> Result<()>
    where
        F: FnMut(Cursor<'_>, Address) -> Result<()> + Send,
    {
        let (mut seen, mut nodes, mut level) = (HashSet::from([root]), vec![root], None);
        let node_bytes = layout.node_bytes(&self.context);
        while !nodes.is_empty() {
            let reads = nodes.iter().map(|&node| {
                self.frontier.read_up_to(self.context.file_offset(node), node_bytes, STRUCTURE)
            });
            let blocks: Vec<Bytes> = try_join_all(reads).await?;
            let mut children = Vec::new();
            for (&node, bytes) in nodes.iter().zip(&blocks) {
                let offset = self.context.file_offset(node);
                let mut cursor = Cursor::new(bytes, offset, STRUCTURE);
                let header = NodeHeader::parse(&mut cursor, layout, &self.context)?;
                let expected = *level.get_or_insert(header.level);
                if header.level != expected || u32::from(header.level) > self.limits().depth {
                    let reason = format!(
                        "a node of level {} where one of level {expected} must be",
                        header.level
                    );
                    return Err(Hdf5Error::inconsistent(STRUCTURE, offset, reason));
                }
                for _ in 0..header.entries {
                    let key = cursor.slice(layout.key_bytes, STRUCTURE)?;
                    let at = cursor.offset();
                    let child = self.context.defined_address(&mut cursor)?;
                    if header.level == 0 {
                        visit(key, child)?;
                    } else if seen.insert(child) {
                        children.push(child);
                    } else {
                        return Err(Hdf5Error::inconsistent(
                            STRUCTURE,
                            at,
                            "a node has two parents",
                        ));
                    }
                }
            }
            level = level.and_then(|level| level.checked_sub(1));
            nodes = children;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    const LAYOUT: Layout = Layout { node_type: 1, key_bytes: 32, max_children: 64 };

    #[test]
    fn a_chunk_node_of_k_32_and_rank_2() {
        assert_eq!(LAYOUT.node_bytes(&context()), 24 + 65 * 32 + 64 * 8);
    }

    #[test]
    fn headers_are_checked() {
        let mut bytes = b"TREE\x01\x02\x03\x00".to_vec();
        bytes.extend([0xff; 16]);
        let parse = |bytes: &[u8]| {
            NodeHeader::parse(&mut Cursor::new(bytes, 0, STRUCTURE), LAYOUT, &context())
        };
        assert_eq!(parse(&bytes).unwrap(), NodeHeader { level: 2, entries: 3 });
        bytes[4] = 0;
        assert!(matches!(parse(&bytes), Err(Hdf5Error::Inconsistent { .. })));
        bytes[4] = 1;
        bytes[6] = 65;
        assert!(matches!(parse(&bytes), Err(Hdf5Error::Inconsistent { .. })));
        bytes[0] = b'S';
        assert!(matches!(parse(&bytes), Err(Hdf5Error::BadSignature { .. })));
    }
}
