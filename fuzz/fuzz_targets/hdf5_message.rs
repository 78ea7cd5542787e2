// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::skeleton::message`.
#![no_main]

use chunkref_fuzzing::{guarded, skeleton::message};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(message, data));
