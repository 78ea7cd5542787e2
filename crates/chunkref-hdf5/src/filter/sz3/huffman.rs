// SPDX-License-Identifier: MIT OR Apache-2.0
//! Huffman codes of SZ3: a tree in arrays, and codes with the most significant bit first.
//!
//! Little-endian offset of all symbols, big-endian count of nodes and half of that of symbols, and a byte for the order of
//! what follows: left nodes, right nodes (one, two or four bytes each), symbols, and whether a node is a leaf. Node 0 is
//! the root. Then the length of the codes in bytes, and the codes.

use chunkref_core::Cursor;

use crate::filter::Fault;
use crate::filter::bits::BitReader;

/// A node of the tree.
#[derive(Debug, Clone, Copy)]
enum Node {
    Leaf(i32),
    Inner { left: usize, right: usize },
}

/// The tree.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Reads the tree.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Fault> {
        let offset = cursor.u32_le()?.cast_signed();
        let count = usize::try_from(cursor.u32_be()?).unwrap_or(usize::MAX);
        let _half_of_symbols = cursor.u32_be()?;
        if cursor.u8()? != 0 {
            return Err(Fault::unsupported("a stream of a big-endian machine"));
        }
        let width = match count {
            0 => return Err(Fault::damaged("it has a tree without nodes")),
            1..=256 => 1,
            257..=65536 => 2,
            _ => 4,
        };
        let mut array = |width: usize| {
            let length = count.checked_mul(width).ok_or_else(Fault::end)?;
            cursor.bytes(length).map_err(Fault::from)
        };
        let (left, right) = (array(width)?, array(width)?);
        let (symbols, leaves) = (array(4)?, array(1)?);
        let children = left.chunks_exact(width).zip(right.chunks_exact(width));
        let nodes = children.zip(symbols.as_chunks::<4>().0.iter().zip(leaves));
        let nodes = nodes.map(|((left, right), (symbol, &leaf))| {
            if leaf == 0 {
                Node::Inner { left: index(left), right: index(right) }
            } else {
                Node::Leaf(i32::from_le_bytes(*symbol).wrapping_add(offset))
            }
        });
        Ok(Self { nodes: nodes.collect() })
    }

    /// Reads `count` symbols.
    pub(super) fn decode(&self, cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<i32>, Fault> {
        let length = cursor.u64_le()?;
        let root = self.nodes.first().copied().unwrap_or(Node::Leaf(0));
        if let Node::Leaf(symbol) = root {
            // SZ3 does not pass over the codes then, which have no bits.
            return Ok(vec![symbol; count]);
        }
        let mut bits = BitReader::new(cursor.bytes_u64(length)?);
        let mut symbols = Vec::new();
        while symbols.len() < count {
            let mut node = root;
            while let Node::Inner { left, right } = node {
                let next = if bits.read(1)? == 0 { left } else { right };
                // The root is nobody's child: 0 stands for none.
                node = self
                    .nodes
                    .get(next)
                    .copied()
                    .filter(|_| next > 0)
                    .ok_or_else(|| Fault::damaged("it has a code that stands for nothing"))?;
            }
            if let Node::Leaf(symbol) = node {
                symbols.push(symbol);
            }
        }
        Ok(symbols)
    }
}

fn index(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |index, &byte| index << 8 | usize::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root with leaves 5 and 7 (less the offset of 2).
    fn stream() -> Vec<u8> {
        let mut bytes = vec![2, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0];
        bytes.extend([1, 0, 0, 2, 0, 0]);
        bytes.extend([0, 3, 5].iter().flat_map(|symbol: &i32| symbol.to_le_bytes()));
        bytes.extend([0, 1, 1]);
        bytes.extend(1_u64.to_le_bytes());
        bytes.push(0b0110_0000);
        bytes
    }

    #[test]
    fn codes_lead_to_leaves() {
        let bytes = stream();
        let mut cursor = Cursor::new(&bytes, 0, "test");
        let tree = Tree::read(&mut cursor).unwrap();
        assert_eq!(tree.decode(&mut cursor, 4).unwrap(), [5, 7, 7, 5]);
        assert_eq!(cursor.remaining(), 0);
        for end in 0..bytes.len() {
            let mut cursor = Cursor::new(&bytes[..end], 0, "test");
            let result = Tree::read(&mut cursor).and_then(|tree| tree.decode(&mut cursor, 4));
            assert!(result.is_err());
        }
    }

    #[test]
    fn trees_without_a_way_to_a_leaf_are_errors() {
        let mut bytes = stream();
        bytes[13] = 0;
        let mut cursor = Cursor::new(&bytes, 0, "test");
        let tree = Tree::read(&mut cursor).unwrap();
        assert!(tree.decode(&mut cursor, 4).is_err());
    }
}
