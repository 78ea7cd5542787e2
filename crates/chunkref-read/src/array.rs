// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of arrays.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, SourceError};
use chunkref_model::array_values::{Block, place_block};
use chunkref_model::{Array, ChunkRef, Dataset, Source, SourceId};

use crate::{Bounds, ReadError, codec, fetch};

/// Opens the objects that references name.
#[async_trait]
pub trait Open: Send + Sync {
    /// The object, in the version that references were made of where they say it.
    ///
    /// # Errors
    /// [`SourceError`] when there is none, it must not be read, or it is of another version.
    async fn open(&self, source: &Source) -> Result<Arc<dyn ByteSource>, SourceError>;

    /// What decoding their chunks may cost; asked once for each reading, whose time begins then.
    fn bounds(&self) -> Bounds {
        Bounds::default()
    }
}

/// A chunk whose stored bytes are not there yet.
struct Wanted {
    array: usize,
    chunk_indices: Vec<u64>,
}

/// The values of the arrays at `paths`, each in C order, as the array's type has them. All ranges of one object are read
/// in one round. No array of more than `limit` bytes is read.
///
/// # Errors
/// [`ReadError`] for an array that is not there, too large or not to be decoded, before anything is read; and for
/// objects that cannot be read or hold damaged data.
pub async fn read_arrays(
    dataset: &Dataset,
    paths: &[String],
    limit: u64,
    objects: &dyn Open,
) -> Result<Vec<Bytes>, ReadError> {
    let bounds = objects.bounds();
    let mut arrays = Vec::new();
    for path in paths {
        let array = dataset.array(path);
        let array = array.ok_or_else(|| ReadError::NoArray { array: path.clone() })?;
        arrays.push(Draft::new(path, array, limit, &bounds)?);
    }
    let mut ranges: Vec<(Wanted, SourceId, u64, u64)> = Vec::new();
    let mut inline = Vec::new();
    for (place, draft) in arrays.iter().enumerate() {
        draft.array.manifest.visit(&mut |chunk_indices, reference| {
            let wanted = Wanted { array: place, chunk_indices: chunk_indices.to_vec() };
            match reference {
                ChunkRef::Virtual { source, offset, length } => {
                    ranges.push((wanted, source, offset, length));
                }
                ChunkRef::Inline(bytes) => inline.push((wanted, bytes)),
                ChunkRef::Missing => {}
            }
        });
    }
    for (wanted, bytes) in inline {
        bounds.cancellation.check()?;
        put(&mut arrays, &wanted, bytes, &bounds)?;
    }
    let mut parts = Vec::new();
    for (wanted, source, offset, length) in &ranges {
        let no_source = || ReadError::NoSource { array: name_of(&arrays, wanted) };
        let source = dataset.source(*source).ok_or_else(no_source)?;
        parts.push(fetch::Wanted { source, offset: *offset, length: *length });
    }
    for fetched in fetch::fetch(objects, &parts).await {
        for (place, stored) in fetched.places.into_iter().zip(fetched.outcome?) {
            bounds.cancellation.check()?;
            let Some((wanted, ..)) = ranges.get(place) else { continue };
            let beyond = || ReadError::Damaged {
                array: name_of(&arrays, wanted),
                chunk_indices: wanted.chunk_indices.clone(),
                reason: "it reaches beyond its object".to_owned(),
            };
            let stored = stored.ok_or_else(beyond)?;
            put(&mut arrays, wanted, stored, &bounds)?;
        }
    }
    Ok(arrays.into_iter().map(|draft| draft.values.into()).collect())
}

fn name_of(arrays: &[Draft<'_>], wanted: &Wanted) -> String {
    arrays.get(wanted.array).map_or_else(String::new, |draft| draft.path.to_owned())
}

/// An array whose values are being put together.
struct Draft<'a> {
    path: &'a str,
    array: &'a Array,
    element: usize,
    chunk_bytes: usize,
    values: Vec<u8>,
}

impl<'a> Draft<'a> {
    fn new(
        path: &'a str,
        array: &'a Array,
        limit: u64,
        bounds: &Bounds,
    ) -> Result<Self, ReadError> {
        let name = || path.to_owned();
        codec::check(path, &array.codecs)?;
        let too_large = || ReadError::TooLarge { array: name(), limit };
        let element = array
            .dtype
            .length_bytes()
            .filter(|&element| element > 0)
            .ok_or_else(|| ReadError::NoFixedLength { array: name() })?;
        array.logical_bytes().filter(|&bytes| bytes <= limit).ok_or_else(too_large)?;
        let chunk = array.chunk_grid.chunk_shape().iter();
        let chunk_bytes = chunk
            .zip(&array.shape)
            .try_fold(element, |bytes, (&chunk, _)| bytes.checked_mul(chunk))
            // An edge chunk may be much larger than the array; that is bounded too.
            .filter(|&bytes| bytes <= limit.saturating_mul(4).max(1 << 26))
            .ok_or_else(too_large)?;
        bounds.check(path, &array.codecs, chunk_bytes)?;
        let chunk_bytes = usize::try_from(chunk_bytes).map_err(|_| too_large())?;
        let values = array.filled().ok_or_else(too_large)?;
        let element = usize::try_from(element).map_err(|_| too_large())?;
        Ok(Self { path, array, element, chunk_bytes, values })
    }
}

fn put(
    arrays: &mut [Draft<'_>],
    wanted: &Wanted,
    stored: Bytes,
    bounds: &Bounds,
) -> Result<(), ReadError> {
    let Some(draft) = arrays.get_mut(wanted.array) else { return Ok(()) };
    let damaged = |reason: String| ReadError::Damaged {
        array: draft.path.to_owned(),
        chunk_indices: wanted.chunk_indices.clone(),
        reason,
    };
    let decoded = codec::decode(&draft.array.codecs, stored, &bounds.context(draft.chunk_bytes))
        .map_err(|error| ReadError::undecoded(draft.path, &wanted.chunk_indices, error))?;
    if decoded.len() < draft.chunk_bytes {
        let (found, needed) = (decoded.len(), draft.chunk_bytes);
        return Err(damaged(format!(
            "it has {found} bytes of values, and its shape needs {needed}"
        )));
    }
    let block = Block { bytes: &decoded, shape: draft.array.chunk_grid.chunk_shape() };
    let origin = draft.array.origin(&wanted.chunk_indices);
    if place_block(&mut draft.values, &draft.array.shape, &origin, &block, draft.element) {
        Ok(())
    } else {
        Err(damaged("it does not fit the array".to_owned()))
    }
}
