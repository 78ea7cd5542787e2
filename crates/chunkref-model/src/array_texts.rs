// SPDX-License-Identifier: MIT OR Apache-2.0
//! Elements of variable length that are in the references.
//!
//! Their codec (numcodecs' of the data types [`DataType::VlenString`] and [`DataType::VlenBytes`]) writes a little-endian
//! `u32` count, then for every element a `u32` of its bytes and the bytes.

use bytes::Bytes;

use crate::{Array, ChunkGrid, ChunkRef, DataType, FillValue, ManifestBuilder};

impl Array {
    /// All elements of variable length in C order, when they are in the references and no codec but the one that their
    /// type needs encodes them; those of chunks that are missing are empty. `None` for other arrays, and where a chunk
    /// does not hold as many as it must.
    #[must_use]
    pub fn plain_texts(&self) -> Option<Vec<Bytes>> {
        let variable = matches!(self.dtype, DataType::VlenString | DataType::VlenBytes);
        let empty = match &self.fill_value {
            None => true,
            Some(FillValue::Text(text)) => text.is_empty(),
            Some(FillValue::Bytes(bytes)) => bytes.is_empty(),
            Some(_) => false,
        };
        if !variable || !empty || self.codecs.len() != 1 || !self.manifest.is_inline() {
            return None;
        }
        let count = self.shape.iter().try_fold(1_u64, |all, &length| all.checked_mul(length))?;
        // Each element that is there takes its length at least; whole chunks may be missing.
        let most = self.manifest.stored_bytes().saturating_mul(2).saturating_add(1 << 16);
        let count = usize::try_from(count).ok().filter(|&count| count as u64 <= most)?;
        let mut texts = vec![Bytes::new(); count];
        let mut whole = true;
        self.manifest.visit(&mut |chunk_indices, reference| {
            if let ChunkRef::Inline(chunk) = reference {
                whole &= self.take_texts(chunk_indices, &chunk, &mut texts).is_some();
            }
        });
        whole.then_some(texts)
    }

    fn take_texts(&self, chunk_indices: &[u64], chunk: &Bytes, texts: &mut [Bytes]) -> Option<()> {
        let chunk_shape = self.chunk_grid.chunk_shape();
        let origin = self.origin(chunk_indices);
        let wanted = chunk_shape.iter().try_fold(1_u64, |all, &length| all.checked_mul(length))?;
        let number_at = |place: usize| -> Option<u32> {
            let bytes = chunk.get(place..place.checked_add(4)?)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        if u64::from(number_at(0)?) != wanted {
            return None;
        }
        let mut place = 4_usize;
        for element in 0..wanted {
            let length = usize::try_from(number_at(place)?).ok()?;
            let start = place.checked_add(4)?;
            place = start.checked_add(length).filter(|&end| end <= chunk.len())?;
            let (mut rest, mut number, mut stride, mut inside) = (element, 0_u64, 1_u64, true);
            for ((&own, &start), &all) in chunk_shape.iter().zip(&origin).zip(&self.shape).rev() {
                let index = start.checked_add(rest.checked_rem(own)?)?;
                rest = rest.checked_div(own)?;
                inside &= index < all;
                number = number.checked_add(index.checked_mul(stride)?)?;
                stride = stride.checked_mul(all)?;
            }
            if inside {
                *texts.get_mut(usize::try_from(number).ok()?)? = chunk.slice(start..place);
            }
        }
        Some(())
    }

    /// The same array, whose codec is the one that its type needs, with all its elements in one inline chunk. `None` when
    /// they are more than the codec can count.
    #[must_use]
    pub fn with_plain_texts<'a>(
        mut self,
        texts: impl IntoIterator<Item = &'a [u8]>,
    ) -> Option<Self> {
        let (mut count, mut stored) = (0_u32, vec![0; 4]);
        for text in texts {
            count = count.checked_add(1)?;
            stored.extend(u32::try_from(text.len()).ok()?.to_le_bytes());
            stored.extend_from_slice(text);
        }
        stored.get_mut(..4)?.copy_from_slice(&count.to_le_bytes());
        self.chunk_grid =
            ChunkGrid::regular(self.shape.iter().map(|&length| length.max(1)).collect::<Vec<_>>());
        let grid_shape = self.chunk_grid.grid_shape(&self.shape);
        let place = vec![0; grid_shape.len()];
        let mut builder = ManifestBuilder::new(grid_shape).ok()?;
        if count > 0 {
            builder.push(&place, ChunkRef::Inline(stored.into())).ok()?;
        }
        self.manifest = builder.finish().ok()?;
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attributes, Codec, Manifest};

    fn array(shape: &[u64], chunk_shape: &[u64]) -> Array {
        let chunk_grid = ChunkGrid::regular(chunk_shape);
        Array {
            manifest: Manifest::empty(chunk_grid.grid_shape(shape)),
            shape: shape.to_vec(),
            dimensions: shape.iter().enumerate().map(|(axis, _)| format!("d{axis}")).collect(),
            dtype: DataType::VlenString,
            fill_value: None,
            chunk_grid,
            codecs: vec![Codec::new("text")],
            attributes: Attributes::new(),
        }
    }

    #[test]
    fn texts_are_what_was_put_in() {
        let texts: [&[u8]; 4] = [b"a", b"", b"long", b"b"];
        let whole = array(&[2, 2], &[1, 2]).with_plain_texts(texts).unwrap();
        assert_eq!(whole.plain_texts().unwrap(), texts);
        let scalar = array(&[], &[]).with_plain_texts([b"x".as_slice()]).unwrap();
        assert_eq!(scalar.plain_texts().unwrap(), [b"x".as_slice()]);
        let none = array(&[0], &[1]).with_plain_texts([]).unwrap();
        assert!(none.plain_texts().unwrap().is_empty());
    }

    #[test]
    fn chunks_are_put_together_and_damaged_ones_refused() {
        let mut parts = array(&[3], &[2]);
        let stored = |stored: &'static [u8]| ChunkRef::Inline(Bytes::from_static(stored));
        let mut builder = ManifestBuilder::new([2]).unwrap();
        // Two elements, "a" and "bc"; the other chunk is missing.
        builder
            .push(&[0], stored(&[2, 0, 0, 0, 1, 0, 0, 0, b'a', 2, 0, 0, 0, b'b', b'c']))
            .unwrap();
        parts.manifest = builder.finish().unwrap();
        assert_eq!(parts.plain_texts().unwrap(), [b"a".as_slice(), b"bc", b""]);
        for damaged in [&[1, 0, 0, 0, 0, 0, 0, 0][..], &[2, 0, 0, 0, 9, 0, 0, 0, b'a']] {
            let mut builder = ManifestBuilder::new([2]).unwrap();
            builder.push(&[0], stored(damaged)).unwrap();
            parts.manifest = builder.finish().unwrap();
            assert_eq!(parts.plain_texts(), None);
        }
        let mut encoded = array(&[1], &[1]);
        encoded.codecs.push(Codec::new("zlib"));
        assert_eq!(encoded.plain_texts(), None);
        // A length that is only claimed.
        assert_eq!(array(&[1 << 60], &[1 << 60]).plain_texts(), None);
    }
}
