// SPDX-License-Identifier: MIT OR Apache-2.0
//! Failures at every operation: each time the outcome is the right one, or an error and the old state.

mod commands;
mod sources;
