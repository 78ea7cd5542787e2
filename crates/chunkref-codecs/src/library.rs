// SPDX-License-Identifier: MIT OR Apache-2.0
//! Decoders of libraries, whose input and output are watched, so that they end where they are told to.

use std::io::{self, BufRead, Read};

use chunkref_core::{Cancellation, DecodeContext};

use crate::CodecError;

/// Bytes that go in or come out between two questions whether the work is still wanted.
const PIECE: usize = 64 << 10;

/// Stored bytes as a library reads them: a piece at a time, and none when the work is not wanted any more. A stream may
/// go on for ever without output.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    rest: &'a [u8],
    /// Bytes that are handed out before the next question.
    left: usize,
    cancellation: &'a Cancellation,
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8], context: &DecodeContext<'a>) -> Self {
        Self { rest: bytes, left: PIECE, cancellation: context.cancellation() }
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            self.cancellation.check().map_err(io::Error::other)?;
            self.left = PIECE;
        }
        Ok(self.rest.get(..self.left).unwrap_or(self.rest))
    }

    fn consume(&mut self, amount: usize) {
        self.rest = self.rest.get(amount..).unwrap_or_default();
        self.left = self.left.saturating_sub(amount);
    }
}

impl Read for Input<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let taken = self.fill_buf()?.read(target)?;
        self.consume(taken);
        Ok(taken)
    }
}

/// All that a decoder of `what` gives, if that is no more than the context allows.
pub(crate) fn read_to_end(
    mut decoder: impl Read,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let most = context.max_bytes().saturating_add(1);
    let mut output = Vec::new();
    loop {
        context.cancellation().check()?;
        let piece = most.saturating_sub(output.len()).min(PIECE);
        match decoder.by_ref().take(piece as u64).read_to_end(&mut output) {
            _ if output.len() >= most => return Err(CodecError::too_long(context.max_bytes())),
            Ok(length) if length < piece => return Ok(output),
            Ok(_) => {}
            Err(error) => return Err(fault(&error, context)),
        }
    }
}

/// What a library's error says. Some wrap the error of their input beyond recognition, so the cancellation is asked.
pub(crate) fn fault(error: &dyn std::error::Error, context: &DecodeContext<'_>) -> CodecError {
    match context.cancellation().check() {
        Err(cancelled) => cancelled.into(),
        Ok(()) => CodecError::Damaged(format!("its stream is damaged: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Ended;

    #[test]
    fn input_comes_in_pieces_and_ends_with_the_work() {
        let bytes = vec![7; 3 * PIECE];
        let ended = Ended::after(1);
        let mut input = Input::new(&bytes, &ended.context(0));
        let mut target = vec![0; 5 * PIECE];
        assert_eq!(input.read(&mut target[..10]).unwrap(), 10);
        assert_eq!(input.read(&mut target).unwrap(), PIECE - 10);
        assert_eq!(input.read(&mut target).unwrap(), PIECE);
        let error = input.read(&mut target).unwrap_err();
        assert!(matches!(fault(&error, &ended.context(0)), CodecError::Cancelled(_)));
        let mut input = Input::new(&bytes, &DecodeContext::up_to(0));
        assert_eq!(input.read_to_end(&mut Vec::new()).unwrap(), 3 * PIECE);
    }

    #[test]
    fn output_is_bounded_and_ends_with_the_work() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let bytes = vec![7; length];
            let whole = read_to_end(&*bytes, &DecodeContext::up_to(length)).unwrap();
            assert_eq!(whole, bytes, "{length}");
            if let Some(less) = length.checked_sub(1) {
                assert!(read_to_end(&*bytes, &DecodeContext::up_to(less)).is_err(), "{length}");
            }
        }
        let ended = Ended::after(3);
        let endless = io::repeat(1);
        let outcome = read_to_end(endless, &ended.context(usize::MAX));
        assert!(matches!(outcome, Err(CodecError::Cancelled(_))));
        assert_eq!(ended.asked(), 4);
    }
}
