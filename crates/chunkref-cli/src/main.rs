// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `chunkref` command.

fn main() -> std::process::ExitCode {
    chunkref_cli::main()
}
