// SPDX-License-Identifier: MIT OR Apache-2.0
//! The values of an array as plain bytes: elements in C order, nothing encoded.

use bytes::Bytes;

use crate::{Array, ByteOrder, ChunkGrid, ChunkRef, DataType, FillValue, ManifestBuilder};

/// An array of more bytes has to be there in large part to count as plain.
const LARGE_BYTES: u64 = 64 << 10;

impl Array {
    /// Whether the values are in the references as they are: no codec, and no chunk in a source. A large array of which
    /// less than half is there does not count, because its values would be made of nothing.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let there = self.manifest.stored_bytes().saturating_mul(2).saturating_add(LARGE_BYTES);
        self.codecs.is_empty()
            && self.logical_bytes().is_some_and(|bytes| bytes <= there)
            && self.manifest.is_inline()
    }

    /// All values in C order, when they are in the references as they are; chunks that are missing hold the fill value.
    /// `None` for other arrays, and where a chunk is shorter than its elements.
    #[must_use]
    pub fn plain_values(&self) -> Option<Vec<u8>> {
        if !self.is_plain() {
            return None;
        }
        let mut values = self.filled()?;
        let (mut whole, element) = (true, usize::try_from(self.dtype.length_bytes()?).ok()?);
        self.manifest.visit(&mut |chunk_indices, reference| {
            if let ChunkRef::Inline(chunk) = reference {
                let origin = self.origin(chunk_indices);
                let block = Block { bytes: &chunk, shape: self.chunk_grid.chunk_shape() };
                whole &= place_block(&mut values, &self.shape, &origin, &block, element);
            }
        });
        whole.then_some(values)
    }

    /// As many bytes as all values have, all of them the fill value. `None` when that is no number of bytes, or more than
    /// memory holds.
    #[must_use]
    pub fn filled(&self) -> Option<Vec<u8>> {
        filled(&self.dtype, self.fill_value.as_ref(), &self.shape)
    }

    /// The element that a chunk begins with.
    #[must_use]
    pub fn origin(&self, chunk_indices: &[u64]) -> Vec<u64> {
        let chunk_shape = self.chunk_grid.chunk_shape();
        chunk_indices
            .iter()
            .zip(chunk_shape)
            .map(|(&index, &chunk)| index.saturating_mul(chunk))
            .collect()
    }

    /// The same array with its values as one inline chunk without codecs. `values` are all of them, in C order.
    #[must_use]
    pub fn with_plain_values(mut self, values: Bytes) -> Self {
        self.chunk_grid =
            ChunkGrid::regular(self.shape.iter().map(|&length| length.max(1)).collect::<Vec<_>>());
        self.codecs.clear();
        let grid_shape = self.chunk_grid.grid_shape(&self.shape);
        let place = vec![0; grid_shape.len()];
        if let Ok(mut builder) = ManifestBuilder::new(grid_shape.clone()) {
            // An array without elements has no chunk, and the push says so.
            let _ = builder.push(&place, ChunkRef::Inline(values));
            self.manifest = builder.finish().unwrap_or_else(|_| crate::Manifest::empty(grid_shape));
        }
        self
    }
}

/// Elements in C order.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// The elements' bytes.
    pub bytes: &'a [u8],
    /// Elements along each axis.
    pub shape: &'a [u64],
}

/// Copies `block` into the array `values` of `shape` at `origin`; what reaches beyond the array is left out. `element` is
/// the length of an element in bytes. Returns whether the block had all its bytes, and as many axes as the array.
pub fn place_block(
    values: &mut [u8],
    shape: &[u64],
    origin: &[u64],
    block: &Block<'_>,
    element: usize,
) -> bool {
    copy_axis(values, shape, origin, block, element).is_some()
}

fn copy_axis(
    values: &mut [u8],
    shape: &[u64],
    origin: &[u64],
    block: &Block<'_>,
    element: usize,
) -> Option<()> {
    let axes = shape.len();
    if origin.len() != axes || block.shape.len() != axes {
        return None;
    }
    let Some(((&length, inner), (&start, inner_origin))) =
        shape.split_first().zip(origin.split_first())
    else {
        values.get_mut(..element)?.copy_from_slice(block.bytes.get(..element)?);
        return Some(());
    };
    let (&own, inner_own) = block.shape.split_first()?;
    let count = usize::try_from(own.min(length.saturating_sub(start))).ok()?;
    let start = usize::try_from(start).ok()?;
    if inner.is_empty() {
        let range = start.checked_mul(element)?..start.checked_add(count)?.checked_mul(element)?;
        values.get_mut(range)?.copy_from_slice(block.bytes.get(..count.checked_mul(element)?)?);
        return Some(());
    }
    let stride = stride(inner, element)?;
    let own_stride = self::stride(inner_own, element)?;
    if stride == 0 || own_stride == 0 {
        // However many rows there are, nothing is in them.
        return Some(());
    }
    for step in 0..count {
        let from = step.checked_mul(own_stride)?;
        let to = start.checked_add(step)?.checked_mul(stride)?;
        let part = Block {
            bytes: block.bytes.get(from..from.checked_add(own_stride)?)?,
            shape: inner_own,
        };
        let place = values.get_mut(to..to.checked_add(stride)?)?;
        copy_axis(place, inner, inner_origin, &part, element)?;
    }
    Some(())
}

fn stride(shape: &[u64], element: usize) -> Option<usize> {
    shape
        .iter()
        .try_fold(element, |product, &length| product.checked_mul(usize::try_from(length).ok()?))
}

/// Bytes of an array of `shape` full of `fill_value`, zeros where there is none.
#[must_use]
pub fn filled(dtype: &DataType, fill_value: Option<&FillValue>, shape: &[u64]) -> Option<Vec<u8>> {
    let element = element_bytes(dtype, fill_value)?;
    let length = stride(shape, element.len())?;
    if length > isize::MAX.unsigned_abs() / 4 {
        return None;
    }
    let mut values = vec![0; length];
    if element.iter().any(|&byte| byte != 0) {
        values.chunks_exact_mut(element.len()).for_each(|place| place.copy_from_slice(&element));
    }
    Some(values)
}

/// The bytes of one element that holds `fill_value`.
#[must_use]
pub fn element_bytes(dtype: &DataType, fill_value: Option<&FillValue>) -> Option<Vec<u8>> {
    let length = usize::try_from(dtype.length_bytes()?).ok()?;
    let ordered = |little: &[u8], order: ByteOrder| {
        let mut bytes = little.get(..length)?.to_vec();
        if order == ByteOrder::Big {
            bytes.reverse();
        }
        Some(bytes)
    };
    match (dtype, fill_value) {
        (_, None) => (length <= 1 << 20).then(|| vec![0; length]),
        (DataType::Bool, Some(FillValue::Bool(value))) => Some(vec![u8::from(*value)]),
        (
            DataType::Int { order, .. }
            | DataType::DateTime { order, .. }
            | DataType::TimeDelta { order, .. },
            Some(FillValue::Int(value)),
        ) => ordered(&value.to_le_bytes(), *order),
        (DataType::UInt { order, .. }, Some(FillValue::UInt(value))) => {
            ordered(&value.to_le_bytes(), *order)
        }
        (DataType::Float { length: 8, order }, Some(FillValue::Float(value))) => {
            ordered(&value.to_le_bytes(), *order)
        }
        #[expect(clippy::cast_possible_truncation, reason = "a narrow value widened and back")]
        (DataType::Float { length: 4, order }, Some(FillValue::Float(value))) => {
            ordered(&(*value as f32).to_le_bytes(), *order)
        }
        (_, Some(FillValue::Bytes(bytes))) if bytes.len() == length => Some(bytes.to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attributes, Manifest};

    fn array(shape: &[u64], chunk_shape: &[u64]) -> Array {
        let chunk_grid = ChunkGrid::regular(chunk_shape);
        Array {
            manifest: Manifest::empty(chunk_grid.grid_shape(shape)),
            shape: shape.to_vec(),
            dimensions: shape.iter().enumerate().map(|(axis, _)| format!("d{axis}")).collect(),
            dtype: DataType::Int { length: 2, order: ByteOrder::Big },
            fill_value: Some(FillValue::Int(-2)),
            chunk_grid,
            codecs: Vec::new(),
            attributes: Attributes::new(),
        }
    }

    /// Found by fuzzing: each of the rows was looked at, although none has an element.
    #[test]
    fn many_rows_of_nothing_take_no_time() {
        let shape = [u64::MAX / 2, 3, 0];
        let block = Block { bytes: &[], shape: &shape };
        assert!(place_block(&mut [], &shape, &[0, 0, 0], &block, 2));
        let shape = [u64::MAX / 2, 3];
        let block = Block { bytes: &[], shape: &shape };
        assert!(place_block(&mut [], &shape, &[0, 0], &block, 0));
    }

    #[test]
    fn chunks_become_values_and_values_one_chunk() {
        let mut array = array(&[3, 3], &[2, 2]);
        let mut builder = ManifestBuilder::new([2, 2]).unwrap();
        let chunk = |values: [u8; 4]| {
            ChunkRef::Inline(values.into_iter().flat_map(|value| [0, value]).collect())
        };
        builder.push(&[0, 0], chunk([1, 2, 4, 5])).unwrap();
        builder.push(&[0, 1], chunk([3, 0, 6, 0])).unwrap();
        builder.push(&[1, 1], chunk([9, 0, 0, 0])).unwrap();
        array.manifest = builder.finish().unwrap();
        let values = array.plain_values().unwrap();
        let numbers: Vec<_> =
            values.chunks(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, -2, -2, 9]);
        let whole = array.clone().with_plain_values(values.clone().into());
        assert_eq!(whole.chunk_grid.chunk_shape(), [3, 3]);
        assert_eq!(whole.plain_values(), Some(values));
        array.codecs.push(crate::Codec::new("zlib"));
        assert_eq!(array.plain_values(), None);
    }

    #[test]
    fn short_chunks_and_no_elements() {
        let mut short = array(&[2], &[4]);
        let mut builder = ManifestBuilder::new([1]).unwrap();
        builder.push(&[0], ChunkRef::Inline(Bytes::from_static(b"abc"))).unwrap();
        short.manifest = builder.finish().unwrap();
        assert_eq!(short.plain_values(), None);
        let unwritten = array(&[1 << 40], &[1 << 20]);
        assert!(!unwritten.is_plain() && unwritten.plain_values().is_none());
        let none = array(&[0, 2], &[1, 2]).with_plain_values(Bytes::new());
        assert_eq!(none.plain_values(), Some(Vec::new()));
        let scalar = array(&[], &[]).with_plain_values(Bytes::from_static(b"ab"));
        assert_eq!(scalar.plain_values(), Some(b"ab".to_vec()));
    }
}
