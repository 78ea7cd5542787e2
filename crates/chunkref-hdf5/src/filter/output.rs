// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a dictionary coder has written so far, and may copy from; never longer than it was told.

use super::Fault;

/// Decoded bytes with a bound.
#[derive(Debug)]
pub(super) struct Output {
    bytes: Vec<u8>,
    room: usize,
}

impl Output {
    pub(super) fn new(room: usize) -> Self {
        Self { bytes: Vec::new(), room }
    }

    /// Appends bytes.
    pub(super) fn extend(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.take_room(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Appends `length` bytes that begin `distance` bytes back, some of which may be among those appended.
    pub(super) fn repeat(&mut self, distance: usize, length: usize) -> Result<(), Fault> {
        self.take_room(length)?;
        let mut from = self
            .bytes
            .len()
            .checked_sub(distance)
            .filter(|_| distance > 0)
            .ok_or_else(|| Fault::damaged("it repeats bytes from before its start"))?;
        for _ in 0..length {
            let byte = self.bytes.get(from).copied().unwrap_or_default();
            self.bytes.push(byte);
            from = from.saturating_add(1);
        }
        Ok(())
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn take_room(&self, length: usize) -> Result<(), Fault> {
        match self.bytes.len().checked_add(length) {
            Some(total) if total <= self.room => Ok(()),
            _ => Err(Fault::too_long(self.room)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_may_overlap_and_nothing_leaves_the_bounds() {
        let mut output = Output::new(8);
        output.extend(b"ab").unwrap();
        output.repeat(2, 5).unwrap();
        assert!(output.repeat(8, 1).is_err() && output.repeat(0, 1).is_err());
        assert!(output.extend(b"xy").is_err() && output.repeat(1, usize::MAX).is_err());
        assert_eq!(output.into_bytes(), b"abababa");
    }
}
