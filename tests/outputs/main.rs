// SPDX-License-Identifier: MIT OR Apache-2.0
//! Outputs under a file system that fails at each operation, and under processes that die at each operation and at any
//! moment: there is the old state or the new one. And processes that write one set at the same time.

#[cfg(test)]
mod failing;
#[cfg(test)]
#[cfg(unix)]
mod killed;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod together;
