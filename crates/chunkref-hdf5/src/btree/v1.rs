// SPDX-License-Identifier: MIT OR Apache-2.0
//! Version-1 B-tree nodes. Spec: HDF5 File Format 3.0, III.A.1.

use std::collections::HashSet;

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::context::{Address, Context, expect_signature};
use crate::error::{Hdf5Error, Result};

/// What a node is called in errors.
pub(crate) const STRUCTURE: &str = "B-tree node";

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
    pub(crate) fn node_bytes(self, context: &Context) -> u64 {
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

/// Takes the entries of leaf nodes: a cursor at the key, and the address of the child.
pub(crate) trait Entries {
    /// One entry.
    fn entry(&mut self, key: Cursor<'_>, child: Address) -> Result<()>;
}

/// The way down a tree, level by level.
#[derive(Debug)]
pub(crate) struct Descent {
    layout: Layout,
    /// The nodes of the level that is read next.
    nodes: Vec<Address>,
    seen: HashSet<Address>,
    level: Option<u8>,
}

impl Descent {
    /// Begins at the root.
    pub(crate) fn new(root: Address, layout: Layout) -> Self {
        Self { layout, nodes: vec![root], seen: HashSet::from([root]), level: None }
    }

    /// The nodes to read next; none at the end.
    pub(crate) fn nodes(&self) -> &[Address] {
        &self.nodes
    }

    /// Goes to the next level: `blocks` are the bytes of the nodes, as many as a node has at the most.
    pub(crate) fn descend(
        &mut self,
        blocks: &[Bytes],
        context: &Context,
        entries: &mut impl Entries,
    ) -> Result<()> {
        let mut children = Vec::new();
        for (node, bytes) in std::mem::take(&mut self.nodes).into_iter().zip(blocks) {
            let offset = context.file_offset(node);
            let mut cursor = Cursor::new(bytes, offset, STRUCTURE);
            let header = NodeHeader::parse(&mut cursor, self.layout, context)?;
            let expected = *self.level.get_or_insert(header.level);
            if header.level != expected || u32::from(header.level) > context.limits.depth {
                let reason = format!(
                    "a node of level {} where one of level {expected} must be",
                    header.level
                );
                return Err(Hdf5Error::inconsistent(STRUCTURE, offset, reason));
            }
            for _ in 0..header.entries {
                let key = cursor.slice(self.layout.key_bytes, STRUCTURE)?;
                let at = cursor.offset();
                let child = context.defined_address(&mut cursor)?;
                if header.level == 0 {
                    entries.entry(key, child)?;
                } else if self.seen.insert(child) {
                    children.push(child);
                } else {
                    return Err(Hdf5Error::inconsistent(STRUCTURE, at, "a node has two parents"));
                }
            }
        }
        self.level = self.level.and_then(|level| level.checked_sub(1));
        self.nodes = children;
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

    /// Children of leaf nodes.
    #[derive(Default)]
    struct Children(Vec<u64>);

    impl Entries for Children {
        fn entry(&mut self, _: Cursor<'_>, child: Address) -> Result<()> {
            self.0.push(child.0);
            Ok(())
        }
    }

    fn node(level: u8, children: &[u64]) -> Bytes {
        let mut bytes = b"TREE\x01".to_vec();
        bytes.extend([level, u8::try_from(children.len()).unwrap(), 0]);
        bytes.extend([0xff; 16]);
        for child in children {
            bytes.extend([0; 32]); // key
            bytes.extend(child.to_le_bytes());
        }
        bytes.into()
    }

    #[test]
    fn levels_are_read_one_after_the_other() {
        let (mut descent, mut found) = (Descent::new(Address(8), LAYOUT), Children::default());
        descent.descend(&[node(1, &[16, 24])], &context(), &mut found).unwrap();
        assert_eq!(descent.nodes(), [Address(16), Address(24)]);
        descent.descend(&[node(0, &[1, 2]), node(0, &[3])], &context(), &mut found).unwrap();
        assert_eq!((descent.nodes(), found.0), (&[][..], vec![1, 2, 3]));
    }

    #[test]
    fn trees_that_are_none_are_errors() {
        let descend = |root: Bytes, below: Bytes| {
            let (mut descent, mut found) = (Descent::new(Address(8), LAYOUT), Children::default());
            descent.descend(&[root], &context(), &mut found)?;
            descent.descend(&[below], &context(), &mut found)
        };
        assert!(descend(node(1, &[16]), node(0, &[1])).is_ok());
        for (root, below) in [
            (node(1, &[16, 16]), node(0, &[])),
            (node(1, &[8]), node(0, &[])),
            (node(2, &[16]), node(0, &[1])),
            (node(200, &[16]), node(199, &[1])),
        ] {
            assert!(matches!(descend(root, below), Err(Hdf5Error::Inconsistent { .. })));
        }
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
