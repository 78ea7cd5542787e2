// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::formats::grib`.
#![no_main]

use chunkref_fuzzing::{formats::grib, guarded};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(grib, data));
