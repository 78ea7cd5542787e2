// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::skeleton::virtual_mapping`.
#![no_main]

use chunkref_fuzzing::{guarded, skeleton::virtual_mapping};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(virtual_mapping, data));
