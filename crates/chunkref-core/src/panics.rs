// SPDX-License-Identifier: MIT OR Apache-2.0
//! Panics of a program, which must tell no secrets either.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Write as _;
use std::io::Write as _;

use chunkref_model::{printable::printable_lines, secret::redact};

/// From now on, panics of this process are told on standard error without secrets, and with letters written out that a
/// terminal would obey. For the first lines of a program: a library leaves the hook of its user alone.
pub fn hide_secrets_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let trace = Backtrace::capture();
        let mut text = format!("thread {:?} {panic}\n", thread.name().unwrap_or("unnamed"));
        if trace.status() == BacktraceStatus::Captured {
            let _ = writeln!(text, "{trace}");
        }
        let _ = std::io::stderr().write_all(printable_lines(&redact(&text)).as_bytes());
    }));
}
