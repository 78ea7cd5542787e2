// SPDX-License-Identifier: MIT OR Apache-2.0
//! Huffman trees of SZ 2 and SZ3, in arrays, and their codes with the most significant bit first.
//!
//! A byte for the order of the bytes that follow: left nodes, right nodes (one, two or four bytes each), symbols, and
//! whether a node is a leaf. Node 0 is the root.

use chunkref_core::{Cursor, DecodeContext, Steps};

use crate::CodecError;
use crate::bits::BitReader;

/// A node of the tree.
#[derive(Debug, Clone, Copy)]
enum Node {
    Leaf(i32),
    Inner { left: u32, right: u32 },
}

/// The tree.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Reads a tree of `count` nodes; `offset` is added to its symbols.
    pub(crate) fn read(
        cursor: &mut Cursor<'_>,
        count: u32,
        offset: i32,
        context: &DecodeContext<'_>,
    ) -> Result<Self, CodecError> {
        let big_endian = match cursor.u8()? {
            0 => false,
            1 => true,
            other => return Err(CodecError::Damaged(format!("its tree has byte order {other}"))),
        };
        let width = match count {
            0 => return Err(CodecError::damaged("it has a tree without nodes")),
            1..=256 => 1,
            257..=65536 => 2,
            _ => 4,
        };
        let mut array = |width: u64| {
            let length = u64::from(count).checked_mul(width).ok_or_else(CodecError::ended_early)?;
            cursor.bytes_u64(length).map_err(CodecError::from)
        };
        let (left, right) = (array(width)?, array(width)?);
        let (symbols, leaves) = (array(4)?, array(1)?);
        let width = usize::try_from(width).unwrap_or(1);
        let number = |bytes: &[u8]| {
            let add = |number: u32, &byte: &u8| number << 8 | u32::from(byte);
            if big_endian { bytes.iter().fold(0_u32, add) } else { bytes.iter().rev().fold(0, add) }
        };
        let children = left.chunks_exact(width).zip(right.chunks_exact(width));
        let (mut nodes, mut steps) = (Vec::new(), Steps::new(context.cancellation()));
        for ((left, right), (symbol, &leaf)) in children.zip(symbols.chunks_exact(4).zip(leaves)) {
            steps.take(1)?;
            nodes.push(if leaf == 0 {
                Node::Inner { left: number(left), right: number(right) }
            } else {
                Node::Leaf(number(symbol).cast_signed().wrapping_add(offset))
            });
        }
        Ok(Self { nodes })
    }

    /// The only symbol of a tree that has no more, and so no codes.
    pub(crate) fn only_symbol(&self) -> Option<i32> {
        match self.nodes.first() {
            Some(&Node::Leaf(symbol)) => Some(symbol),
            _ => None,
        }
    }

    /// The symbols of the first `count` codes.
    pub(crate) fn decode(
        &self,
        codes: &[u8],
        count: usize,
        context: &DecodeContext<'_>,
    ) -> Result<Vec<i32>, CodecError> {
        if let Some(symbol) = self.only_symbol() {
            return Ok(vec![symbol; count]);
        }
        let root = self.nodes.first().copied().unwrap_or(Node::Leaf(0));
        let mut bits = BitReader::new(codes, context);
        let mut steps = Steps::new(context.cancellation());
        let mut symbols = Vec::new();
        while symbols.len() < count {
            steps.take(1)?;
            let mut node = root;
            while let Node::Inner { left, right } = node {
                let next = if bits.read(1)? == 0 { left } else { right };
                // The root is nobody's child: 0 stands for none.
                node = usize::try_from(next)
                    .ok()
                    .and_then(|next| self.nodes.get(next).copied())
                    .filter(|_| next > 0)
                    .ok_or_else(|| CodecError::damaged("it has a code that stands for nothing"))?;
            }
            if let Node::Leaf(symbol) = node {
                symbols.push(symbol);
            }
        }
        Ok(symbols)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: DecodeContext<'_> = DecodeContext::up_to(0);

    /// A root with leaves 3 and 5.
    const LITTLE: [u8; 22] = [0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0, 0, 1, 1];
    const CODES: [u8; 1] = [0b0110_0000];

    fn read(bytes: &[u8], count: u32, offset: i32) -> Result<(Tree, usize), CodecError> {
        let mut cursor = Cursor::new(bytes, 0, "test");
        Tree::read(&mut cursor, count, offset, &NEVER).map(|tree| (tree, cursor.remaining()))
    }

    #[test]
    fn codes_lead_to_leaves() {
        let (tree, left) = read(&LITTLE, 3, 2).unwrap();
        assert_eq!((tree.decode(&CODES, 4, &NEVER).unwrap(), left), (vec![5, 7, 7, 5], 0));
        assert!(tree.decode(&CODES, 9, &NEVER).is_err());
        assert!((0..LITTLE.len()).all(|end| read(&LITTLE[..end], 3, 0).is_err()));
        let mut big = LITTLE;
        big[0] = 1;
        big[7..19].chunks_exact_mut(4).for_each(<[u8]>::reverse);
        assert_eq!(read(&big, 3, 0).unwrap().0.decode(&CODES, 4, &NEVER).unwrap(), [3, 5, 5, 3]);
        big[0] = 2;
        assert!(read(&big, 3, 0).is_err());
    }

    #[test]
    fn nodes_are_as_wide_as_their_number_asks() {
        // Nodes 1 and 2 are leaves, and nobody's children the others.
        for (count, width) in [(256_usize, 1_usize), (257, 2), (65536, 2), (65537, 4)] {
            let mut bytes = vec![0; 1 + count * (2 * width + 5)];
            bytes[1] = 1;
            bytes[1 + count * width] = 2;
            bytes[1 + 2 * count * width + 4] = 3;
            bytes[1 + 2 * count * width + 8] = 5;
            bytes[1 + count * (2 * width + 4) + 1..][..2].fill(1);
            let (tree, left) = read(&bytes, u32::try_from(count).unwrap(), 0).unwrap();
            assert_eq!((tree.decode(&CODES, 4, &NEVER).unwrap(), left), (vec![3, 5, 5, 3], 0));
        }
    }

    #[test]
    fn trees_without_a_way_to_a_leaf_are_errors() {
        for (place, value) in [(1, 0), (1, 3), (20, 0)] {
            let mut bytes = LITTLE;
            bytes[place] = value;
            assert!(read(&bytes, 3, 0).unwrap().0.decode(&CODES, 4, &NEVER).is_err());
        }
        assert!(read(&LITTLE, 0, 0).is_err() && read(&LITTLE, u32::MAX, 0).is_err());
    }

    #[test]
    fn one_leaf_has_no_codes() {
        let (tree, _) = read(&[0, 0, 0, 9, 0, 0, 0, 1], 1, 0).unwrap();
        assert_eq!(
            (tree.only_symbol(), tree.decode(&[], 3, &NEVER).unwrap()),
            (Some(9), vec![9; 3])
        );
    }
}
