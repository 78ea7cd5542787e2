// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the fuzz targets do with an input, and what must hold then.
//!
//! The same bodies run in two places: coverage-guided in `fuzz/` (`cargo xtask fuzz`), and for a bounded number of mutated
//! seeds among the tests (`tests/allocations/hostile.rs`). A body panics when a property does not hold.
//!
//! | module | holds |
//! |---|---|
//! | [`formats`] | whole files, scanned as a format |
//! | [`skeleton`] | HDF5 files built around the input, one for each family of structures |
//! | [`codecs`] | stored chunks, decoded |
//! | [`sets`] | reference sets: kerchunk JSON, plain and packed, Parquet, Icechunk |
//! | [`words`] | what users write: locations, patterns, options, logins, selections, command lines |
//! | [`cubes`] | datasets, combined |
//! | [`check`] | what must hold of a dataset |
//! | [`seeds`] | inputs to begin with, made of the fixtures |
//! | [`mutation`] | changed inputs, the same ones on every run |
//! | `targets` | the table of all targets |

#![expect(
    clippy::missing_panics_doc,
    clippy::print_stderr,
    clippy::panic,
    clippy::expect_used,
    reason = "a property that does not hold is a panic, which is what a fuzzer looks for"
)]

use std::backtrace::Backtrace;
use std::panic;
use std::sync::{Mutex, Once};

pub mod check;
pub mod codecs;
#[cfg(feature = "sets")]
pub mod cubes;
pub mod formats;
#[cfg(feature = "seeds")]
pub mod mutation;
#[cfg(feature = "seeds")]
pub mod seeds;
pub mod sets;
pub mod skeleton;
#[cfg(feature = "seeds")]
mod targets;
#[cfg(feature = "front-end")]
pub mod words;

#[cfg(feature = "seeds")]
pub use targets::{TARGETS, Target, named};

/// Runs a body under a fuzzer: a panic that the body lets out is reported and goes on. One that is caught within, as those
/// of other libraries' decoders are, is not a finding; libFuzzer's own hook would end the process at it.
pub fn guarded(run: fn(&[u8]), data: &[u8]) {
    static HOOK: Once = Once::new();
    static LAST: Mutex<String> = Mutex::new(String::new());
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|fault| {
            if let Ok(mut last) = LAST.lock() {
                *last = format!("{fault}\n{}", Backtrace::capture());
            }
        }));
    });
    if let Err(fault) = panic::catch_unwind(|| run(data)) {
        if let Ok(last) = LAST.lock() {
            eprintln!("{last}");
        }
        panic::resume_unwind(fault);
    }
}
