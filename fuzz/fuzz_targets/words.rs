// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::words::words`.
#![no_main]

use chunkref_fuzzing::{guarded, words::words};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(words, data));
