// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole runs of the command, on a toy format.
