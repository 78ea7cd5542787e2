// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::sets::kerchunk_json`.
#![no_main]

use chunkref_fuzzing::{guarded, sets::kerchunk_json};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(kerchunk_json, data));
