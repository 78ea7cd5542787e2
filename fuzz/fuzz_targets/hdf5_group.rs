// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::skeleton::group`.
#![no_main]

use chunkref_fuzzing::{guarded, skeleton::group};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(group, data));
