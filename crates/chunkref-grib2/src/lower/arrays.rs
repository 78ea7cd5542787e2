// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arrays of references and arrays whose values are in the references.

use bytes::Bytes;
use chunkref_core::model::{
    Array, Attributes, ByteOrder, ChunkGrid, ChunkRef, Codec, DataType, FillValue, ManifestBuilder,
    SourceId,
};

use super::budget::Budget;
use crate::error::{Grib2Error, Result};
use crate::field::{Bits, Field};

/// Doubles, as every decoder gives them.
pub(crate) const FLOAT: DataType = DataType::Float { length: 8, order: ByteOrder::Little };

/// Whole numbers.
pub(crate) const INT: DataType = DataType::Int { length: 8, order: ByteOrder::Little };

/// The reference to the bytes that hold `field`.
pub(crate) fn reference(source: SourceId, field: &Field) -> ChunkRef {
    match &field.bits {
        Bits::Inline(bytes) => ChunkRef::Inline(bytes.clone()),
        _ => ChunkRef::Virtual { source, offset: field.offset, length: field.length },
    }
}

/// An array of one chunk that is stored in the references.
pub(crate) fn inline(
    budget: &mut Budget<'_>,
    shape: Vec<u64>,
    dimensions: &[&str],
    dtype: DataType,
    bytes: Vec<u8>,
    attributes: Attributes,
) -> Result<Array> {
    budget.take_bytes(bytes.len() as u64)?;
    chunked(
        budget,
        (shape.clone(), shape),
        dimensions,
        (dtype, None),
        Vec::new(),
        attributes,
        vec![(vec![0; dimensions.len()], ChunkRef::Inline(Bytes::from(bytes)))],
    )
}

/// An array of `shape` in chunks of `chunk_shape` with these references.
pub(crate) fn chunked(
    budget: &mut Budget<'_>,
    (shape, chunk_shape): (Vec<u64>, Vec<u64>),
    dimensions: &[&str],
    (dtype, fill_value): (DataType, Option<FillValue>),
    codecs: Vec<Codec>,
    attributes: Attributes,
    references: Vec<(Vec<u64>, ChunkRef)>,
) -> Result<Array> {
    budget.take_object()?;
    let chunk_grid =
        ChunkGrid::regular(chunk_shape.into_iter().map(|length| length.max(1)).collect::<Vec<_>>());
    let inconsistent = |error: &dyn std::fmt::Display| {
        Grib2Error::inconsistent("message", 0, format!("its references make no array: {error}"))
    };
    let mut manifest = ManifestBuilder::new(chunk_grid.grid_shape(&shape))
        .map_err(|error| inconsistent(&error))?;
    for (indices, reference) in references {
        manifest.push(&indices, reference).map_err(|error| inconsistent(&error))?;
    }
    let manifest = manifest.finish().map_err(|error| inconsistent(&error))?;
    Ok(Array {
        shape,
        dimensions: dimensions.iter().map(|name| (*name).to_owned()).collect(),
        dtype,
        fill_value,
        chunk_grid,
        codecs,
        attributes,
        manifest,
    })
}

/// Little-endian bytes of doubles.
pub(crate) fn float_bytes(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Little-endian bytes of whole numbers.
pub(crate) fn int_bytes(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
