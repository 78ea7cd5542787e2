// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the values of arrays through Zarr references.
//!
//! | module | holds |
//! |---|---|
//! | [`array`](mod@array) | [`read_arrays`]: values of arrays, with one round of reading for all of them |
//! | [`inline`] | [`inline_arrays`]: arrays replaced by their values in the references |
//! | [`codec`] | codecs undone, by the decoders that are linked in |
//! | [`bounds`] | [`Bounds`]: what decoding may cost |
//! | [`fetch`](mod@fetch) | stored bytes of many chunks |
//! | [`region`] | [`read_region`]: values in a part of an array |
//! | [`store`] | [`ReferenceStore`]: references as the keys and values of a Zarr store |
//! | [`lookup`] | [`Lookup`]: where references come from |
//! | `zarrs` | the store as storage of the `zarrs` crate (feature `zarrs`) |
//! | [`error`] | what can go wrong |

#![warn(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

pub mod array;
pub mod bounds;
pub mod codec;
pub mod error;
pub mod fetch;
pub mod inline;
pub mod lookup;
pub mod region;
pub mod store;
#[cfg(feature = "zarrs")]
pub mod zarrs;

pub use array::{Open, read_arrays};
pub use bounds::Bounds;
pub use codec::{are_messages, can_decode, decode};
pub use error::ReadError;
pub use fetch::{Fetched, Wanted, fetch};
pub use inline::inline_arrays;
pub use lookup::Lookup;
pub use region::{Values, read_region};
pub use store::{ChunkPlace, Part, ReferenceStore, ZarrVersion};
