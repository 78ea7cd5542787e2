// SPDX-License-Identifier: MIT OR Apache-2.0
//! Criterion benchmarks of chunkref; see the `benches` targets.
