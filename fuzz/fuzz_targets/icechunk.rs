// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::sets::icechunk`.
#![no_main]

use chunkref_fuzzing::{guarded, sets::icechunk};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(icechunk, data));
