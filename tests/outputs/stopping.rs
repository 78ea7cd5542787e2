// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `chunkref` command, which dies without a word before the operation of the file system whose number is in
//! `STOP_AT`.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use chunkref_core::atomic::hook::{self, Hook, Operation};

#[derive(Debug)]
struct Stop {
    at: u64,
    done: AtomicU64,
}

impl Hook for Stop {
    fn before(&self, _operation: Operation, _path: &Path) -> io::Result<()> {
        if self.done.fetch_add(1, Ordering::SeqCst) == self.at {
            std::process::abort();
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    let at = std::env::var("STOP_AT").ok().and_then(|number| number.parse().ok());
    if let Some(at) = at
        && hook::install(Box::new(Stop { at, done: AtomicU64::new(0) })).is_err()
    {
        return ExitCode::FAILURE;
    }
    chunkref_cli::main()
}
