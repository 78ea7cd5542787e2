// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the unit tests of several codecs need.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chunkref_core::{Cancellation, Cancelled, DecodeContext};

use crate::CodecError;

/// Bytes in hexadecimal.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let pairs = (0..text.len()).step_by(2).map(|at| &text[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// Work that ends after so many questions, and counts them.
pub(crate) struct Ended {
    cancellation: Cancellation,
    asked: Arc<AtomicUsize>,
}

impl Ended {
    pub(crate) fn after(questions: usize) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let cancellation = Cancellation::when(move || {
            let over = count.fetch_add(1, Ordering::Relaxed) >= questions;
            over.then_some(Cancelled::Stopped)
        });
        Self { cancellation, asked }
    }

    pub(crate) fn context(&self, max_bytes: usize) -> DecodeContext<'_> {
        DecodeContext::new(max_bytes, &self.cancellation)
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Most bytes of output, or steps of a loop of bytes, between two questions.
const BETWEEN: usize = 64 << 10;

/// Decoding asks often enough whether it is still wanted, and ends at once when it is not: `decode` makes at least `length`
/// bytes.
#[track_caller]
pub(crate) fn assert_ends(
    length: usize,
    decode: impl Fn(&DecodeContext<'_>) -> Result<Vec<u8>, CodecError>,
) {
    let never = Ended::after(usize::MAX);
    let whole = decode(&never.context(length)).unwrap();
    assert!(whole.len() >= length, "{} bytes of {length}", whole.len());
    let asked = never.asked();
    let least = length / BETWEEN;
    assert!(least >= 4, "{length} bytes say little");
    assert!(asked >= least, "{asked} questions in {length} bytes, {least} at least");
    for questions in [0, 1, least / 2, least - 1] {
        let ended = Ended::after(questions);
        let outcome = decode(&ended.context(length));
        assert_eq!(outcome, Err(CodecError::Cancelled(Cancelled::Stopped)), "{questions}");
        // The one that failed, and one for the cause of a library's error.
        assert!(ended.asked() <= questions + 3, "{} after {questions}", ended.asked());
    }
}
