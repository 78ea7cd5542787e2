// SPDX-License-Identifier: MIT OR Apache-2.0
//! The values in a part of an array.

use std::ops::Range;

use bytes::Bytes;
use chunkref_model::array_values::{Block, filled, place_block};
use chunkref_model::{Array, ChunkRef, Codec, FillValue, Source};

use crate::fetch::{Wanted, fetch};
use crate::{Bounds, Lookup, Open, ReadError, decode};

/// Stored bytes that are read at a time.
const BATCH_BYTES: u64 = 64 << 20;

/// Values in C order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// Elements of one length, one after another, as the array's type has them.
    Fixed(Vec<u8>),
    /// The bytes of each element.
    Variable(Vec<Bytes>),
}

/// The values of the array at `path` in `region`, which has a range for each axis. No more than `limit` bytes are read,
/// of values and of each chunk.
///
/// # Errors
/// [`ReadError`] for an array that is not there, a region outside it or too large, and for chunks that cannot be read or
/// decoded.
pub async fn read_region(
    lookup: &dyn Lookup,
    objects: &dyn Open,
    path: &str,
    region: &[Range<u64>],
    limit: u64,
) -> Result<Values, ReadError> {
    let no_array = || ReadError::NoArray { array: path.to_owned() };
    let array = lookup.metadata().array(path).ok_or_else(no_array)?;
    let inside = region.len() == array.shape.len()
        && region
            .iter()
            .zip(&array.shape)
            .all(|(range, &length)| range.start <= range.end && range.end <= length);
    if !inside {
        return Err(ReadError::OutOfBounds {
            array: path.to_owned(),
            region: region.to_vec(),
            shape: array.shape.clone(),
        });
    }
    let mut draft = Draft::new(path, array, region, limit, objects.bounds())?;
    let mut next = draft.first_chunk();
    let mut batch: Vec<(Vec<u64>, Source, u64, u64)> = Vec::new();
    let mut bytes = 0_u64;
    while let Some(chunk_indices) = next {
        next = draft.chunk_after(&chunk_indices);
        match lookup.chunk(path, &chunk_indices).await? {
            (ChunkRef::Missing, _) => {}
            (ChunkRef::Inline(stored), _) => draft.put(&chunk_indices, stored)?,
            (ChunkRef::Virtual { offset, length, .. }, source) => {
                let source =
                    source.ok_or_else(|| ReadError::NoSource { array: path.to_owned() })?;
                bytes = bytes.saturating_add(length.min(BATCH_BYTES));
                batch.push((chunk_indices, source, offset, length));
            }
        }
        if bytes >= BATCH_BYTES {
            draft.read(objects, &batch).await?;
            batch.clear();
            bytes = 0;
        }
    }
    draft.read(objects, &batch).await?;
    Ok(draft.values)
}

/// The values as far as they are known.
struct Draft<'a> {
    path: &'a str,
    array: &'a Array,
    region: &'a [Range<u64>],
    shape: Vec<u64>,
    /// Bytes of an element, of arrays that have them.
    element: Option<usize>,
    chunk_bytes: usize,
    codecs: Vec<Codec>,
    bounds: Bounds,
    values: Values,
}

impl<'a> Draft<'a> {
    fn new(
        path: &'a str,
        array: &'a Array,
        region: &'a [Range<u64>],
        limit: u64,
        bounds: Bounds,
    ) -> Result<Self, ReadError> {
        let too_large = || ReadError::TooLarge { array: path.to_owned(), limit };
        let shape: Vec<u64> =
            region.iter().map(|range| range.end.saturating_sub(range.start)).collect();
        let product = |shape: &[u64], first: u64| {
            shape.iter().try_fold(first, |product, &length| product.checked_mul(length))
        };
        let bounded = |shape: &[u64], first: u64| {
            let bytes = product(shape, first).filter(|&bytes| bytes <= limit);
            bytes.and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(too_large)
        };
        let chunk_shape = array.chunk_grid.chunk_shape();
        let mut codecs = array.codecs.clone();
        let element = array.dtype.length_bytes();
        let (element, chunk_bytes, values) = match element {
            Some(0) => return Err(ReadError::NoFixedLength { array: path.to_owned() }),
            Some(element) => {
                bounded(&shape, element)?;
                let chunk_bytes = bounded(chunk_shape, element)?;
                bounds.check(path, &codecs, chunk_bytes as u64)?;
                let values = filled(&array.dtype, array.fill_value.as_ref(), &shape);
                let values = Values::Fixed(values.ok_or_else(too_large)?);
                let element = usize::try_from(element).map_err(|_| too_large())?;
                (Some(element), chunk_bytes, values)
            }
            None => {
                codecs.retain(|codec| !codec.name().starts_with("vlen-"));
                let fill = match &array.fill_value {
                    Some(FillValue::Text(text)) => Bytes::from(text.clone().into_bytes()),
                    _ => Bytes::new(),
                };
                let handle = size_of::<Bytes>() as u64;
                let count = bounded(&shape, handle)?.checked_div(size_of::<Bytes>());
                let values = Values::Variable(vec![fill; count.unwrap_or_default()]);
                let most = usize::try_from(bounds.decoded_chunk_bytes).unwrap_or(usize::MAX);
                (None, most, values)
            }
        };
        crate::codec::check(path, &codecs)?;
        Ok(Self { path, array, region, shape, element, chunk_bytes, codecs, bounds, values })
    }

    /// Of each axis, the chunks that have a part in the region.
    fn grid(&self) -> impl DoubleEndedIterator<Item = Range<u64>> + ExactSizeIterator {
        self.region.iter().zip(self.array.chunk_grid.chunk_shape()).map(|(range, &chunk)| {
            let first = range.start.checked_div(chunk).unwrap_or_default();
            first..if range.is_empty() { first } else { range.end.div_ceil(chunk.max(1)) }
        })
    }

    /// The place of the first chunk that has a part in the region.
    fn first_chunk(&self) -> Option<Vec<u64>> {
        self.grid().map(|axis| (!axis.is_empty()).then_some(axis.start)).collect()
    }

    /// The place of the chunk after this one, in C order: a list of all could be longer than the values are.
    fn chunk_after(&self, chunk_indices: &[u64]) -> Option<Vec<u64>> {
        let mut next = chunk_indices.to_vec();
        for (index, axis) in next.iter_mut().zip(self.grid()).rev() {
            *index = index.saturating_add(1);
            if *index < axis.end {
                return Some(next);
            }
            *index = axis.start;
        }
        None
    }

    async fn read(
        &mut self,
        objects: &dyn Open,
        batch: &[(Vec<u64>, Source, u64, u64)],
    ) -> Result<(), ReadError> {
        let wanted: Vec<_> = batch
            .iter()
            .map(|(_, source, offset, length)| Wanted { source, offset: *offset, length: *length })
            .collect();
        for fetched in fetch(objects, &wanted).await {
            for (place, stored) in fetched.places.into_iter().zip(fetched.outcome?) {
                let Some((chunk_indices, ..)) = batch.get(place) else { continue };
                let beyond =
                    || self.damaged(chunk_indices, "it reaches beyond its object".to_owned());
                let stored = stored.ok_or_else(beyond)?;
                self.put(chunk_indices, stored)?;
            }
        }
        Ok(())
    }

    fn damaged(&self, chunk_indices: &[u64], reason: String) -> ReadError {
        let chunk_indices = chunk_indices.to_vec();
        ReadError::Damaged { array: self.path.to_owned(), chunk_indices, reason }
    }

    /// Copies the part of a chunk that is in the region.
    fn put(&mut self, chunk_indices: &[u64], stored: Bytes) -> Result<(), ReadError> {
        self.bounds.cancellation.check()?;
        let decoded = decode(&self.codecs, stored, &self.bounds.context(self.chunk_bytes))
            .map_err(|error| ReadError::undecoded(self.path, chunk_indices, error))?;
        let fits = match self.element {
            Some(element) if decoded.len() == self.chunk_bytes => {
                self.copy(chunk_indices, &decoded, element)
            }
            Some(_) => {
                let (found, needed) = (decoded.len(), self.chunk_bytes);
                let reason =
                    format!("it has {found} bytes of values, and its shape needs {needed}");
                return Err(self.damaged(chunk_indices, reason));
            }
            None => self.copy_variable(chunk_indices, &decoded),
        };
        fits.ok_or_else(|| self.damaged(chunk_indices, "it does not fit the array".to_owned()))
    }

    /// For each axis, where the part begins in the chunk and in the region, and how long it is.
    fn part(&self, chunk_indices: &[u64]) -> Vec<(u64, u64, u64)> {
        let chunk_shape = self.array.chunk_grid.chunk_shape();
        let origin = self.array.origin(chunk_indices);
        let axes = self.region.iter().zip(chunk_shape).zip(origin);
        axes.map(|((range, &chunk), origin)| {
            let start = range.start.max(origin);
            let end = range.end.min(origin.saturating_add(chunk));
            let length = end.saturating_sub(start);
            (start.saturating_sub(origin), start.saturating_sub(range.start), length)
        })
        .collect()
    }

    fn copy(&mut self, chunk_indices: &[u64], decoded: &[u8], element: usize) -> Option<()> {
        let part = self.part(chunk_indices);
        let shape: Vec<u64> = part.iter().map(|&(_, _, length)| length).collect();
        let from: Vec<u64> = part.iter().map(|&(from, ..)| from).collect();
        let to: Vec<u64> = part.iter().map(|&(_, to, _)| to).collect();
        let chunk_shape = self.array.chunk_grid.chunk_shape();
        let bytes = cut(decoded, chunk_shape, &from, &shape, element)?;
        let Values::Fixed(values) = &mut self.values else { return None };
        let block = Block { bytes: &bytes, shape: &shape };
        place_block(values, &self.shape, &to, &block, element).then_some(())
    }

    /// Elements of variable length: their number, and of each its length and bytes; numbers of 32 bits, lowest byte first
    /// (numcodecs' `vlen-utf8` and `vlen-bytes`).
    fn copy_variable(&mut self, chunk_indices: &[u64], decoded: &Bytes) -> Option<()> {
        let chunk_shape = self.array.chunk_grid.chunk_shape().to_vec();
        let part = self.part(chunk_indices);
        let (count, _) = decoded.split_first_chunk::<4>()?;
        let count = u64::from(u32::from_le_bytes(*count));
        if Some(count) != chunk_shape.iter().try_fold(1_u64, |all, &length| all.checked_mul(length))
        {
            return None;
        }
        let mut place = 4_usize;
        for number in 0..count {
            let start = place.checked_add(4)?;
            let length = u32::from_le_bytes(decoded.get(place..start)?.try_into().ok()?);
            place = start.checked_add(usize::try_from(length).ok()?)?;
            let bytes = (place <= decoded.len()).then(|| decoded.slice(start..place))?;
            if let Some(target) = target(number, &chunk_shape, &part, &self.shape) {
                let Values::Variable(values) = &mut self.values else { return None };
                *values.get_mut(target)? = bytes;
            }
        }
        Some(())
    }
}

/// Where element `number` of a chunk is in the region, if it is.
fn target(number: u64, chunk: &[u64], part: &[(u64, u64, u64)], region: &[u64]) -> Option<usize> {
    let (mut rest, mut place, mut stride) = (number, 0_u64, 1_u64);
    for ((&chunk, &(from, to, length)), &region) in chunk.iter().zip(part).zip(region).rev() {
        let index = rest.checked_rem(chunk)?;
        rest = rest.checked_div(chunk)?;
        let inside = index.checked_sub(from).filter(|&inside| inside < length)?;
        place = place.checked_add(to.checked_add(inside)?.checked_mul(stride)?)?;
        stride = stride.checked_mul(region)?;
    }
    usize::try_from(place).ok()
}

/// The elements of a block of `shape` that begin at `from`, `count` along each axis.
fn cut(
    bytes: &[u8],
    shape: &[u64],
    from: &[u64],
    count: &[u64],
    element: usize,
) -> Option<Vec<u8>> {
    let Some((((&_, inner), (&start, inner_from)), (&length, inner_count))) =
        shape.split_first().zip(from.split_first()).zip(count.split_first())
    else {
        return Some(bytes.get(..element)?.to_vec());
    };
    let stride = inner
        .iter()
        .try_fold(element, |product, &length| product.checked_mul(usize::try_from(length).ok()?))?;
    let start = usize::try_from(start).ok()?.checked_mul(stride)?;
    let length = usize::try_from(length).ok()?;
    let rows = bytes.get(start..start.checked_add(length.checked_mul(stride)?)?)?;
    if inner == inner_count {
        return Some(rows.to_vec());
    }
    let mut all = Vec::new();
    for row in rows.chunks_exact(stride.max(1)) {
        all.extend(cut(row, inner, inner_from, inner_count, element)?);
    }
    Some(all)
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::single_range_in_vec_init,
    reason = "small numbers, and one range is what is asked for"
)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use chunkref_core::{ByteSource, MemorySource, SourceError};
    use chunkref_model::{Attributes, ByteOrder, ChunkGrid, DataType, Dataset, ManifestBuilder};
    use futures::executor::block_on;

    use super::*;

    struct Objects(Bytes);

    #[async_trait]
    impl Open for Objects {
        async fn open(&self, source: &Source) -> Result<Arc<dyn ByteSource>, SourceError> {
            Ok(Arc::new(MemorySource::new(&*source.location, self.0.clone())))
        }
    }

    /// 5 by 7 single bytes, each ten times its row plus its column, in chunks of 2 by 3; the one at (1, 1) is missing.
    fn dataset() -> (Dataset, Objects) {
        let mut dataset = Dataset::new();
        let source =
            dataset.add_source(Source { location: "memory://a".to_owned(), version: None });
        let mut manifest = ManifestBuilder::new([3, 3]).unwrap();
        let mut object = vec![0xee; 5];
        for row in 0..3_u8 {
            for column in 0..3_u8 {
                if (row, column) == (1, 1) {
                    continue;
                }
                let place = object.len() as u64;
                for y in 0..2 {
                    for x in 0..3 {
                        object.push((row * 2 + y) * 10 + column * 3 + x);
                    }
                }
                let reference = ChunkRef::Virtual { source, offset: place, length: 6 };
                manifest.push(&[row.into(), column.into()], reference).unwrap();
            }
        }
        let array = Array {
            shape: vec![5, 7],
            dimensions: vec!["y".to_owned(), "x".to_owned()],
            dtype: DataType::UInt { length: 1, order: ByteOrder::Little },
            fill_value: Some(FillValue::UInt(99)),
            chunk_grid: ChunkGrid::regular([2, 3]),
            codecs: Vec::new(),
            attributes: Attributes::new(),
            manifest: manifest.finish().unwrap(),
        };
        dataset.root.arrays.insert("a".to_owned(), array);
        (dataset, Objects(object.into()))
    }

    #[test]
    fn every_region_has_its_values() {
        let (dataset, objects) = dataset();
        for top in 0..5_u64 {
            for bottom in top..=5 {
                for left in 0..7_u64 {
                    for right in left..=7 {
                        let region = [top..bottom, left..right];
                        let read = block_on(read_region(&dataset, &objects, "a", &region, 100));
                        let missing = |y, x| (2..4).contains(&y) && (3..6).contains(&x);
                        let value = |y, x| if missing(y, x) { 99 } else { y * 10 + x };
                        let expected: Vec<u8> = (top..bottom)
                            .flat_map(|y| (left..right).map(move |x| value(y, x)))
                            .map(|value| u8::try_from(value).unwrap())
                            .collect();
                        assert_eq!(read.unwrap(), Values::Fixed(expected), "{region:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let (dataset, objects) = dataset();
        let read = |path: &str, region: &[Range<u64>], limit| {
            block_on(read_region(&dataset, &objects, path, region, limit)).unwrap_err()
        };
        assert!(matches!(read("b", &[0..1], 100), ReadError::NoArray { .. }));
        let text = read("a", &[0..6, 0..1], 100).to_string();
        assert!(text.contains("[0..6, 0..1]") && text.contains("[5, 7]"), "{text}");
        assert!(matches!(read("a", &[0..1, 0..1], 5), ReadError::TooLarge { limit: 5, .. }));
        let cut = Objects(objects.0.slice(..20));
        let error = block_on(read_region(&dataset, &cut, "a", &[0..5, 0..7], 100)).unwrap_err();
        assert!(error.to_string().contains("chunk [0, 2]: it reaches beyond"), "{error}");
    }

    #[test]
    fn text_is_taken_apart() {
        let mut chunk = 4_u32.to_le_bytes().to_vec();
        for text in ["a", "", "bcd", "é"] {
            chunk.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
            chunk.extend(text.as_bytes());
        }
        let (mut dataset, objects) = dataset();
        let mut manifest = ManifestBuilder::new([2]).unwrap();
        manifest.push(&[0], ChunkRef::Inline(chunk.clone().into())).unwrap();
        let array = dataset.root.arrays.get_mut("a").unwrap();
        array.shape = vec![6];
        array.dtype = DataType::VlenString;
        array.fill_value = Some(FillValue::Text("none".to_owned()));
        array.chunk_grid = ChunkGrid::regular([4]);
        array.codecs = vec![Codec::new("vlen-utf8")];
        array.manifest = manifest.finish().unwrap();
        let read = block_on(read_region(&dataset, &objects, "a", &[2..5], 1000)).unwrap();
        let expected = ["bcd", "é", "none"].map(|text| Bytes::from(text.as_bytes()));
        assert_eq!(read, Values::Variable(expected.to_vec()));
        let mut manifest = ManifestBuilder::new([2]).unwrap();
        let short = chunk[..chunk.len() - 1].to_vec();
        manifest.push(&[0], ChunkRef::Inline(short.into())).unwrap();
        dataset.root.arrays.get_mut("a").unwrap().manifest = manifest.finish().unwrap();
        let error = block_on(read_region(&dataset, &objects, "a", &[2..5], 1000)).unwrap_err();
        assert!(error.to_string().contains("chunk [0]"), "{error}");
    }
}
