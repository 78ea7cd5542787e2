// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::skeleton::heap`.
#![no_main]

use chunkref_fuzzing::{guarded, skeleton::heap};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(heap, data));
