// SPDX-License-Identifier: MIT OR Apache-2.0
//! Version-2 B-trees. Spec: HDF5 File Format 3.0, III.A.2.

use std::collections::HashSet;

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::context::{Address, Context, expect_signature, expect_version, verify_checksum};
use crate::error::{Hdf5Error, Result};

/// What the header is called in errors.
pub(crate) const HEADER: &str = "version 2 B-tree header";
/// What a node is called in errors.
pub(crate) const NODE: &str = "version 2 B-tree node";

/// Bytes of a node besides records and child pointers: signature, version, type, checksum.
const NODE_OVERHEAD: u64 = 10;

/// A tree's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// What kind of records.
    pub(crate) record_type: u8,
    /// Bytes of a record.
    pub(crate) record_bytes: u16,
    node_bytes: u32,
    depth: u16,
    root: Option<Node>,
    total_records: u64,
}

/// A node that is to be read: where it is and how many records it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    address: Address,
    records: u64,
}

impl Header {
    /// Bytes of a header.
    pub(crate) fn bytes(context: &Context) -> u64 {
        context.offset_bytes().saturating_add(context.length_bytes()).saturating_add(22)
    }

    pub(crate) fn parse(bytes: &[u8], offset: u64, context: &Context) -> Result<Self> {
        let mut cursor = Cursor::new(bytes, offset, HEADER);
        expect_signature(&mut cursor, *b"BTHD")?;
        expect_version(&mut cursor, &[0])?;
        let record_type = cursor.u8()?;
        let node_bytes = cursor.u32_le()?;
        let record_bytes = cursor.u16_le()?;
        let depth = cursor.u16_le()?;
        cursor.skip(2)?; // split and merge percent
        let address = context.address(&mut cursor)?;
        let records = u64::from(cursor.u16_le()?);
        let total_records = context.length(&mut cursor)?;
        verify_checksum(bytes, offset, HEADER)?;
        if record_bytes == 0
            || u64::from(node_bytes) < NODE_OVERHEAD.saturating_add(u64::from(record_bytes))
        {
            let reason = format!("nodes of {node_bytes} bytes hold no record of {record_bytes}");
            return Err(Hdf5Error::inconsistent(HEADER, offset, reason));
        }
        let limits = &context.limits;
        Hdf5Error::check_limit(
            HEADER,
            offset,
            "levels",
            u64::from(depth),
            u64::from(limits.depth),
        )?;
        Hdf5Error::check_limit(
            HEADER,
            offset,
            "bytes in a node",
            u64::from(node_bytes),
            limits.structure_bytes,
        )?;
        let root = address.map(|address| Node { address, records });
        Ok(Self { record_type, record_bytes, node_bytes, depth, root, total_records })
    }

    /// Sizes of the child pointers of each level, from the leaves up.
    fn levels(&self, context: &Context, offset: u64) -> Result<Vec<Level>> {
        let node_bytes = u64::from(self.node_bytes);
        let record_bytes = u64::from(self.record_bytes);
        let max_leaf =
            node_bytes.saturating_sub(NODE_OVERHEAD).checked_div(record_bytes).unwrap_or(0);
        let count_bytes = length_of(max_leaf);
        let mut levels = vec![Level {
            max_records: max_leaf,
            max_total: max_leaf,
            total_bytes: 0,
            pointer_bytes: 0,
        }];
        for _ in 0..self.depth {
            let Some(below) = levels.last().copied() else { break };
            // The total of a child's subtree is stored only where the child is not a leaf.
            let total_bytes = if levels.len() == 1 { 0 } else { length_of(below.max_total) };
            let pointer_bytes =
                context.offset_bytes().saturating_add(count_bytes).saturating_add(total_bytes);
            let max_records = node_bytes
                .saturating_sub(NODE_OVERHEAD.saturating_add(pointer_bytes))
                .checked_div(record_bytes.saturating_add(pointer_bytes))
                .unwrap_or(0);
            if max_records == 0 {
                let reason = format!("nodes of {node_bytes} bytes hold no child");
                return Err(Hdf5Error::inconsistent(HEADER, offset, reason));
            }
            let max_total = max_records
                .saturating_add(1)
                .saturating_mul(below.max_total)
                .saturating_add(max_records);
            levels.push(Level { max_records, max_total, total_bytes, pointer_bytes });
        }
        Ok(levels)
    }
}

/// Sizes that hold for the nodes of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Level {
    max_records: u64,
    /// Records of a whole subtree.
    max_total: u64,
    /// Bytes of the subtree totals in this level's child pointers.
    total_bytes: u64,
    pointer_bytes: u64,
}

/// Bytes that hold every number up to `limit`. Spec: III.A.2.b.
fn length_of(limit: u64) -> u64 {
    u64::from(limit.max(1).ilog2()).checked_div(8).unwrap_or(0).saturating_add(1)
}

/// Takes the records of a tree: a cursor over each.
pub(crate) trait Records {
    /// One record.
    fn record(&mut self, record: Cursor<'_>) -> Result<()>;
}

/// The way down a tree, level by level. Records come in no particular order.
#[derive(Debug)]
pub(crate) struct Descent<'a> {
    header: &'a Header,
    levels: Vec<Level>,
    /// Bytes of the number of records in child pointers.
    count_bytes: usize,
    /// The nodes of the level that is read next: the last of `levels`.
    nodes: Vec<Node>,
    seen: HashSet<Address>,
}

impl<'a> Descent<'a> {
    /// Begins at the root of the tree whose header is at `address`.
    pub(crate) fn new(header: &'a Header, address: Address, context: &Context) -> Result<Self> {
        let offset = context.file_offset(address);
        let levels = header.levels(context, offset)?;
        let (total, limit) = (header.total_records, context.limits.chunks);
        Hdf5Error::check_limit(HEADER, offset, "records", total, limit)?;
        let most = levels.first().map_or(0, |leaf| leaf.max_records);
        let count_bytes = usize::try_from(length_of(most)).unwrap_or(8);
        let nodes: Vec<Node> = header.root.into_iter().collect();
        let seen = nodes.iter().map(|node| node.address).collect();
        Ok(Self { header, levels, count_bytes, nodes, seen })
    }

    /// Whether there are levels to read.
    pub(crate) fn is_done(&self) -> bool {
        self.levels.is_empty()
    }

    /// The nodes to read next: offset in the file, and bytes.
    pub(crate) fn reads(&self, context: &Context) -> Result<Vec<(u64, u64)>> {
        let Some(level) = self.levels.last() else { return Ok(Vec::new()) };
        let one = |node: &Node| {
            let offset = context.file_offset(node.address);
            if node.records > level.max_records {
                let reason = format!(
                    "{} records are more than the {} that fit a node",
                    node.records, level.max_records
                );
                return Err(Hdf5Error::inconsistent(NODE, offset, reason));
            }
            let pointers = if self.levels.len() == 1 {
                0
            } else {
                node.records.saturating_add(1).saturating_mul(level.pointer_bytes)
            };
            let length = NODE_OVERHEAD
                .saturating_add(node.records.saturating_mul(u64::from(self.header.record_bytes)))
                .saturating_add(pointers);
            Ok((offset, length))
        };
        self.nodes.iter().map(one).collect()
    }

    /// Goes to the next level: `blocks` are the bytes of the nodes.
    pub(crate) fn descend(
        &mut self,
        blocks: &[Bytes],
        context: &Context,
        records: &mut impl Records,
    ) -> Result<()> {
        let Some(level) = self.levels.pop() else { return Ok(()) };
        let is_leaf = self.levels.is_empty();
        let nodes = std::mem::take(&mut self.nodes);
        for (node, bytes) in nodes.iter().zip(blocks) {
            self.check_node(bytes, context.file_offset(node.address), is_leaf)?;
        }
        for (node, bytes) in nodes.iter().zip(blocks) {
            let mut cursor = Cursor::new(bytes, context.file_offset(node.address), NODE);
            cursor.skip(6)?; // signature, version and type are checked
            for _ in 0..node.records {
                records.record(cursor.slice(u64::from(self.header.record_bytes), NODE)?)?;
            }
            if is_leaf {
                continue;
            }
            for _ in 0..=node.records {
                let at = cursor.offset();
                let address = context.defined_address(&mut cursor)?;
                let records = cursor.uint_le(self.count_bytes)?;
                cursor.skip(usize::try_from(level.total_bytes).unwrap_or(8))?;
                if !self.seen.insert(address) {
                    return Err(Hdf5Error::inconsistent(NODE, at, "a node has two parents"));
                }
                self.nodes.push(Node { address, records });
            }
        }
        Ok(())
    }

    fn check_node(&self, bytes: &[u8], offset: u64, is_leaf: bool) -> Result<()> {
        let mut cursor = Cursor::new(bytes, offset, NODE);
        expect_signature(&mut cursor, if is_leaf { *b"BTLF" } else { *b"BTIN" })?;
        expect_version(&mut cursor, &[0])?;
        if cursor.u8()? != self.header.record_type {
            let reason = "the node's record type is not its tree's";
            return Err(Hdf5Error::inconsistent(NODE, offset, reason));
        }
        verify_checksum(bytes, offset, NODE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::lookup3;
    use crate::testing::context;

    fn header(depth: u8) -> Vec<u8> {
        let mut bytes = b"BTHD\x00\x0a".to_vec();
        bytes.extend(2048_u32.to_le_bytes());
        bytes.extend([24, 0, depth, 0, 100, 40]);
        bytes.extend(512_u64.to_le_bytes());
        bytes.extend([84, 0]);
        bytes.extend(10_000_u64.to_le_bytes());
        bytes.extend(lookup3(&bytes).to_le_bytes());
        bytes
    }

    #[test]
    fn sizes_of_levels_follow_the_specification() {
        let header = Header::parse(&header(2), 0, &context()).unwrap();
        let levels = header.levels(&context(), 0).unwrap();
        // Leaves: (2048 - 10) / 24; counts up to 84 take one byte.
        assert_eq!(levels[0].max_records, 84);
        // Level 1: pointers of 8 + 1 bytes; level 2: 2 bytes more for subtree totals.
        assert_eq!(
            (levels[1].pointer_bytes, levels[1].max_records),
            (9, (2048 - 10 - 9) / (24 + 9))
        );
        assert_eq!(levels[1].max_total, 62 * 84 + 61);
        assert_eq!(
            (levels[2].pointer_bytes, levels[2].max_records),
            (11, (2048 - 10 - 11) / (24 + 11))
        );
    }

    /// First bytes of records.
    #[derive(Default)]
    struct Firsts(Vec<u8>);

    impl Records for Firsts {
        fn record(&mut self, mut record: Cursor<'_>) -> Result<()> {
            self.0.push(record.u8()?);
            Ok(())
        }
    }

    /// A node of records of 24 bytes, of which the first is given.
    fn node(signature: [u8; 4], records: &[u8], children: &[(u64, u8)]) -> Bytes {
        let mut bytes = signature.to_vec();
        bytes.extend([0, 10]);
        for &first in records {
            bytes.push(first);
            bytes.extend([0; 23]);
        }
        for &(address, count) in children {
            bytes.extend(address.to_le_bytes());
            bytes.push(count);
        }
        bytes.extend(lookup3(&bytes).to_le_bytes());
        bytes.into()
    }

    #[test]
    fn records_of_inner_nodes_and_leaves_are_found() {
        let mut header = Header::parse(&header(1), 0, &context()).unwrap();
        header.root = Some(Node { address: Address(512), records: 1 });
        let mut descent = Descent::new(&header, Address(0), &context()).unwrap();
        let mut found = Firsts::default();
        let root = node(*b"BTIN", &[5], &[(1000, 2), (2000, 1)]);
        assert_eq!(descent.reads(&context()).unwrap(), [(512, root.len() as u64)]);
        descent.descend(&[root], &context(), &mut found).unwrap();
        let leaves = [node(*b"BTLF", &[1, 2], &[]), node(*b"BTLF", &[9], &[])];
        let lengths = [(1000, leaves[0].len() as u64), (2000, leaves[1].len() as u64)];
        assert_eq!(descent.reads(&context()).unwrap(), lengths);
        descent.descend(&leaves, &context(), &mut found).unwrap();
        assert!(descent.is_done());
        assert_eq!(found.0, [5, 1, 2, 9]);
    }

    #[test]
    fn trees_that_are_none_are_errors() {
        let mut header = Header::parse(&header(1), 0, &context()).unwrap();
        header.root = Some(Node { address: Address(512), records: 1 });
        let below = |root: Bytes| {
            let mut descent = Descent::new(&header, Address(0), &context())?;
            descent.descend(&[root], &context(), &mut Firsts::default())?;
            descent.reads(&context())
        };
        assert!(below(node(*b"BTIN", &[5], &[(1000, 2), (2000, 84)])).is_ok());
        for root in [
            node(*b"BTIN", &[5], &[(1000, 2), (1000, 2)]),
            node(*b"BTIN", &[5], &[(512, 2), (1000, 2)]),
            node(*b"BTIN", &[5], &[(1000, 2), (2000, 85)]),
        ] {
            assert!(matches!(below(root), Err(Hdf5Error::Inconsistent { .. })));
        }
        let leaf = node(*b"BTLF", &[5], &[]);
        assert!(matches!(below(leaf), Err(Hdf5Error::BadSignature { .. })));
    }

    #[test]
    fn headers_are_checked() {
        let mut bytes = header(0);
        assert_eq!(bytes.len() as u64, Header::bytes(&context()));
        bytes[7] ^= 1;
        assert!(matches!(Header::parse(&bytes, 0, &context()), Err(Hdf5Error::Checksum { .. })));
        assert!(matches!(
            Header::parse(&header(65), 0, &context()),
            Err(Hdf5Error::LimitExceeded { .. })
        ));
    }
}
