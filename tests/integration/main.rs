// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one integration binary of the workspace: references against the libraries of their sources, the command line's
//! contract, golden references, hostile input.

mod cli;
mod differential;
mod environment;
mod golden;
mod hostile;
