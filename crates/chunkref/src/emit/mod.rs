// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datasets written where people open them.
//!
//! [`Target`] chooses an emitter by the name of the destination.

mod kerchunk_json;
mod target;

#[cfg(feature = "icechunk")]
pub use chunkref_icechunk::IcechunkEmitter;
pub use chunkref_parquet::ParquetEmitter;
pub use kerchunk_json::{KerchunkJson, write_kerchunk_json};
pub use target::Target;
#[cfg(not(feature = "icechunk"))]
pub(crate) use target::WITHOUT_ICECHUNK;
