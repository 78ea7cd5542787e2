// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::formats::hdf5`.
#![no_main]

use chunkref_fuzzing::{formats::hdf5, guarded};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(hdf5, data));
