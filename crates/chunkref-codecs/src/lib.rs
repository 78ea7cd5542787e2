// SPDX-License-Identifier: MIT OR Apache-2.0
//! Codecs of stored chunks: each one once, for Zarr and for HDF5's filters.
//!
//! | module | holds |
//! |---|---|
//! | [`zlib`], [`gzip`], [`bzip2`], [`zstd`], [`lz4`], [`lzf`] | compressors |
//! | [`blosc`], [`blosc2`] | blocks that are shuffled, cut into streams and compressed |
//! | [`shuffle`], [`bitshuffle`], [`fletcher32`] | what moves bytes or bits, or adds a checksum |
//! | [`nbit`], [`scaleoffset`], [`szip`], [`aec`] | numbers in fewer bits |
//! | [`sz2`], [`sz3`], [`zfp`] | numbers within an error bound |
//! | `entries` | the codecs that Zarr metadata name, registered with what is known of them |
//! | [`error`] | [`CodecError`] |
//!
//! A module works on typed parameters. Its function `decode` gives at most as many bytes as its
//! [`DecodeContext`](chunkref_core::DecodeContext) allows, and asks the context's cancellation as it goes.
//!
//! ```
//! use chunkref_codecs::{CodecError, zlib};
//! use chunkref_core::DecodeContext;
//!
//! let stored = zlib::encode(b"sea surface temperature", 6).unwrap();
//! let plain = zlib::decode(&stored, &DecodeContext::up_to(23)).unwrap();
//! assert_eq!(plain, b"sea surface temperature");
//! // A chunk that holds more than it may is damaged.
//! let error = zlib::decode(&stored, &DecodeContext::up_to(22)).unwrap_err();
//! assert!(matches!(error, CodecError::Damaged(_)));
//! ```
//!
//! A program that names this crate finds its codecs by the names of Zarr metadata:
//!
//! ```
//! use chunkref_codecs as _;
//! use chunkref_core::model::Codec;
//! use chunkref_core::{Codecs, DecodeContext};
//!
//! let codec = Codec::new("shuffle").with("elementsize", 2);
//! let entry = Codecs::linked().unwrap().by_name(codec.name()).unwrap();
//! let stored = bytes::Bytes::from_static(&[1, 3, 2, 4]);
//! let plain = entry.decode(&codec, &stored, &DecodeContext::up_to(4)).unwrap();
//! assert_eq!(plain, [1, 2, 3, 4][..]);
//! ```

#![warn(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]
#![cfg_attr(
    test,
    expect(clippy::arithmetic_side_effects, reason = "tests compute expected values")
)]

pub mod aec;
mod bits;
pub mod bitshuffle;
pub mod blosc;
pub mod blosc2;
mod blosclz;
pub mod bzip2;
mod element_type;
mod entries;
pub mod error;
pub mod fletcher32;
pub mod gzip;
mod library;
pub mod lz4;
pub mod lzf;
pub mod nbit;
mod output;
pub mod scaleoffset;
pub mod shuffle;
pub mod sz2;
pub mod sz3;
mod sz_huffman;
pub mod szip;
#[cfg(test)]
mod testing;
pub mod zfp;
pub mod zlib;
pub mod zstd;

pub use element_type::ElementType;
pub use error::CodecError;
