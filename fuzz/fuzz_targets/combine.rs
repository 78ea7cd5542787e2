// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::cubes::combine`.
#![no_main]

use chunkref_fuzzing::{cubes::combine, guarded};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(combine, data));
