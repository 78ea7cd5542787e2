// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::skeleton::chunk_index`.
#![no_main]

use chunkref_fuzzing::{guarded, skeleton::chunk_index};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(chunk_index, data));
