// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a dictionary coder has written so far, and may copy from; never longer than it was told.

use chunkref_core::{DecodeContext, Steps};

use crate::CodecError;

/// Bytes that are copied between two questions whether the work is still wanted.
const PIECE: usize = 64 << 10;

/// Decoded bytes with a bound, whose making may be ended.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    bytes: Vec<u8>,
    context: DecodeContext<'a>,
    steps: Steps<'a>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(context: &DecodeContext<'a>) -> Self {
        let steps = Steps::new(context.cancellation());
        Self { bytes: Vec::new(), context: *context, steps }
    }

    /// Appends bytes.
    pub(crate) fn extend(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.take_room(bytes.len())?;
        self.steps.take(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Appends `length` bytes that begin `distance` bytes back, some of which may be among those appended.
    pub(crate) fn repeat(&mut self, distance: usize, length: usize) -> Result<(), CodecError> {
        self.take_room(length)?;
        if distance == 0 || distance > self.bytes.len() {
            return Err(CodecError::damaged("it repeats bytes from before its start"));
        }
        // What is copied at one time: whole distances, more of them from turn to turn.
        let (mut left, mut span) = (length, distance);
        while left > 0 {
            let from = self.bytes.len().saturating_sub(span);
            let piece = left.min(span).min(PIECE);
            self.steps.take(piece)?;
            self.bytes.extend_from_within(from..from.saturating_add(piece));
            left = left.saturating_sub(piece);
            if piece == span {
                span = span.saturating_mul(2);
            }
        }
        Ok(())
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn take_room(&self, length: usize) -> Result<(), CodecError> {
        match self.bytes.len().checked_add(length) {
            Some(total) if total <= self.context.max_bytes() => Ok(()),
            _ => Err(CodecError::too_long(self.context.max_bytes())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_ends;

    #[test]
    fn repeats_may_overlap_and_nothing_leaves_the_bounds() {
        let mut output = Output::new(&DecodeContext::up_to(8));
        output.extend(b"ab").unwrap();
        output.repeat(2, 5).unwrap();
        assert!(output.repeat(8, 1).is_err() && output.repeat(0, 1).is_err());
        assert!(output.extend(b"xy").is_err() && output.repeat(1, usize::MAX).is_err());
        assert_eq!(output.into_bytes(), b"abababa");
    }

    #[test]
    fn long_repeats_are_exact_and_end_with_the_work() {
        for (distance, length) in
            [(1, 100), (3, 10), (3, 3), (3, 200_000), (2, 1 << 20), (1, 131_073)]
        {
            let mut output = Output::new(&DecodeContext::up_to(1 << 21));
            output.extend(b"xyz").unwrap();
            output.repeat(distance, length).unwrap();
            let repeated = b"xyz"[3 - distance..].iter().cycle().take(length);
            assert!(output.into_bytes()[3..].iter().eq(repeated), "{distance} {length}");
        }
        assert_ends(1 << 20, |context| {
            let mut output = Output::new(&context.with_max_bytes(usize::MAX));
            output.extend(b"xyz")?;
            output.repeat(3, 1 << 20)?;
            Ok(output.into_bytes())
        });
    }
}
