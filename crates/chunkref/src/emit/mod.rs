// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datasets written where people open them.

mod kerchunk_json;

pub use kerchunk_json::{KerchunkJson, write_kerchunk_json};
