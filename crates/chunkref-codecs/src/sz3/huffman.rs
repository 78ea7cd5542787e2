// SPDX-License-Identifier: MIT OR Apache-2.0
//! Symbols that SZ3 wrote in Huffman codes.
//!
//! Little-endian offset of all symbols, big-endian count of nodes and half of that of symbols, and the tree (see
//! [`Tree`]). Then the length of the codes in bytes, and the codes.

use chunkref_core::{Cursor, DecodeContext};

use crate::CodecError;
use crate::sz_huffman::Tree;

/// Reads `count` symbols.
pub(super) fn symbols(
    cursor: &mut Cursor<'_>,
    count: usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<i32>, CodecError> {
    let offset = cursor.u32_le()?.cast_signed();
    let nodes = cursor.u32_be()?;
    let _half_of_symbols = cursor.u32_be()?;
    if cursor.peek() == Some(1) {
        return Err(CodecError::unsupported("a stream of a big-endian machine"));
    }
    let tree = Tree::read(cursor, nodes, offset, context)?;
    let length = cursor.u64_le()?;
    // SZ3 does not pass over the codes of a single symbol, which have no bits.
    let codes = if tree.only_symbol().is_some() { &[] } else { cursor.bytes_u64(length)? };
    tree.decode(codes, count, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_their_offset() {
        // A root with leaves 5 and 7 (less the offset of 2).
        let mut bytes = vec![2, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0];
        bytes.extend([1, 0, 0, 2, 0, 0]);
        bytes.extend([0, 3, 5].iter().flat_map(|symbol: &i32| symbol.to_le_bytes()));
        bytes.extend([0, 1, 1]);
        bytes.extend(1_u64.to_le_bytes());
        bytes.push(0b0110_0000);
        let read = |bytes: &[u8]| {
            let mut cursor = Cursor::new(bytes, 0, "test");
            symbols(&mut cursor, 4, &DecodeContext::up_to(0))
                .map(|symbols| (symbols, cursor.remaining()))
        };
        assert_eq!(read(&bytes).unwrap(), (vec![5, 7, 7, 5], 0));
        assert!((0..bytes.len()).all(|end| read(&bytes[..end]).is_err()));
        bytes[12] = 1;
        assert!(matches!(read(&bytes), Err(CodecError::Unsupported(_))));
    }
}
