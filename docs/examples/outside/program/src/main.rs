// SPDX-License-Identifier: MIT OR Apache-2.0
//! All of the command line. A crate registers itself only when a program names it.

use outside_delta as _;
use outside_lines as _;
use outside_npy as _;

fn main() -> std::process::ExitCode {
    chunkref_cli::main()
}
