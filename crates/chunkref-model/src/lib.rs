// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reference model: what an archival file contains, in Zarr's terms, and where its chunks lie.
//!
//! No I/O and no async: backends build a [`Dataset`], combiners turn many into one, emitters write it out.
//!
//! | module | holds |
//! |---|---|
//! | [`dataset`] | [`Dataset`], [`Group`] and the table of sources |
//! | [`mod@array`] | [`Array`]: shape, type, codecs, attributes and its [`Manifest`] |
//! | [`array_values`] | the values of an array as plain bytes |
//! | [`manifest`], [`chunk_ref`] | chunk references in columns; one reference |
//! | [`dtype`], [`fill_value`], [`codec`], [`chunk_grid`], [`dimension`], [`attribute`] | the parts of an array |
//! | [`zarr`] | Zarr v2 and v3 metadata documents |
//! | [`provenance`] | how references came about, as every output records it |
//! | [`json`] | JSON with the bare tokens `NaN` and `Infinity`, as Python writes it |
//! | [`secret`] | keys and signatures kept out of messages |
//! | [`mod@printable`] | text that a terminal does not obey |

pub mod array;
mod array_texts;
pub mod array_values;
pub mod attribute;
pub mod chunk_grid;
pub mod chunk_ref;
pub mod codec;
pub mod dataset;
pub mod dimension;
pub mod dtype;
pub mod fill_value;
pub mod json;
pub mod manifest;
pub mod printable;
pub mod provenance;
pub mod secret;
mod wide_float;
pub mod zarr;

pub use array::Array;
pub use attribute::{AttributeValue, Attributes};
pub use chunk_grid::ChunkGrid;
pub use chunk_ref::{ChunkRef, SourceId, WHOLE_OBJECT};
pub use codec::Codec;
pub use dataset::{Dataset, Group, ObjectVersion, Source};
pub use dimension::Dimension;
pub use dtype::{ByteOrder, DataType, Field};
pub use fill_value::FillValue;
pub use json::JsonError;
pub use manifest::{Manifest, ManifestAssembler, ManifestBuilder, ManifestError, ManifestPiece};
