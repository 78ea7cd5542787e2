// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::codecs::codecs`.
#![no_main]

use chunkref_fuzzing::{codecs::codecs, guarded};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(codecs, data));
