// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes of an object that were read before.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use bytes::Bytes;

/// Blocks of one object, by their offset; the oldest go when there are too many bytes.
#[derive(Debug)]
pub(crate) struct Blocks {
    by_offset: BTreeMap<u64, Bytes>,
    order: VecDeque<u64>,
    held_bytes: u64,
    longest_bytes: u64,
}

impl Blocks {
    /// Keeps up to `longest_bytes`.
    pub(crate) fn new(longest_bytes: u64) -> Self {
        Self { by_offset: BTreeMap::new(), order: VecDeque::new(), held_bytes: 0, longest_bytes }
    }

    /// The bytes of `range`, if one block has all of them.
    pub(crate) fn get(&self, range: &Range<u64>) -> Option<Bytes> {
        if range.start >= range.end {
            return Some(Bytes::new());
        }
        let (start, block) = self.by_offset.range(..=range.start).next_back()?;
        let first = usize::try_from(range.start - start).ok()?;
        let last = usize::try_from(range.end - start).ok()?;
        (last <= block.len()).then(|| block.slice(first..last))
    }

    /// Keeps the block at `start`, unless one that begins there is as long.
    pub(crate) fn insert(&mut self, start: u64, block: Bytes) {
        let length = block.len() as u64;
        if length == 0 || length > self.longest_bytes {
            return;
        }
        match self.by_offset.get(&start) {
            Some(known) if known.len() >= block.len() => return,
            Some(known) => self.held_bytes -= known.len() as u64,
            None => self.order.push_back(start),
        }
        self.by_offset.insert(start, block);
        self.held_bytes += length;
        while self.held_bytes > self.longest_bytes
            && let Some(oldest) = self.order.pop_front()
        {
            if let Some(block) = self.by_offset.remove(&oldest) {
                self.held_bytes -= block.len() as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_blocks_are_found_and_the_oldest_go() {
        let mut blocks = Blocks::new(10);
        blocks.insert(100, Bytes::from_static(b"abcdef"));
        assert_eq!(blocks.get(&(102..104)).unwrap(), "cd");
        assert_eq!(blocks.get(&(100..106)).unwrap(), "abcdef");
        for absent in [99..101, 105..107, 106..107] {
            assert_eq!(blocks.get(&absent), None, "{absent:?}");
        }
        assert_eq!(blocks.get(&(5..5)).unwrap(), "");
        blocks.insert(100, Bytes::from_static(b"ab"));
        assert!(blocks.get(&(102..104)).is_some(), "a shorter block does not replace a longer one");
        blocks.insert(0, Bytes::from_static(b"01234"));
        assert!(blocks.get(&(100..101)).is_none() && blocks.get(&(0..5)).is_some());
        blocks.insert(0, Bytes::from_static(b"012345678"));
        assert_eq!(blocks.held_bytes, 9);
        blocks.insert(50, Bytes::from(vec![0; 11]));
        assert!(blocks.get(&(50..51)).is_none(), "longer than all of the room");
    }
}
