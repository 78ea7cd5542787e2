// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::skeleton::filters`.
#![no_main]

use chunkref_fuzzing::{guarded, skeleton::filters};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(filters, data));
