// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::sets::parquet`.
#![no_main]

use chunkref_fuzzing::{guarded, sets::parquet};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(parquet, data));
