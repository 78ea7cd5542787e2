// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::sets::kerchunk_packed`.
#![no_main]

use chunkref_fuzzing::{guarded, sets::kerchunk_packed};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(kerchunk_packed, data));
