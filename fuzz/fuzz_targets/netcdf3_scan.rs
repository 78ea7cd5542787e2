// SPDX-License-Identifier: MIT OR Apache-2.0
//! See `chunkref_fuzzing::formats::netcdf3`.
#![no_main]

use chunkref_fuzzing::{formats::netcdf3, guarded};

libfuzzer_sys::fuzz_target!(|data: &[u8]| guarded(netcdf3, data));
