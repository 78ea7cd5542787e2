// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stored bytes of many chunks, in one round for each object.

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;
use chunkref_core::SourceError;
use chunkref_model::{Source, WHOLE_OBJECT};
use futures::future::BoxFuture;
use futures::{StreamExt, stream};

use crate::Open;

/// Objects that are read at a time; requests are bounded by the objects themselves.
const OBJECTS_AT_A_TIME: usize = 32;

/// Bytes that are wanted: `length` of them, or all that there are for [`WHOLE_OBJECT`], from `offset` on.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The object.
    pub source: &'a Source,
    /// Bytes from its beginning.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

/// What one object gave.
#[derive(Debug)]
pub struct Fetched {
    /// Which of the wanted ones are its.
    pub places: Vec<usize>,
    /// Their bytes in the same order, `None` for those that reach beyond the object.
    pub outcome: Result<Vec<Option<Bytes>>, SourceError>,
}

/// Reads what is wanted: neighbours in one request, objects at the same time.
pub async fn fetch(objects: &dyn Open, wanted: &[Wanted<'_>]) -> Vec<Fetched> {
    let mut groups: Vec<(&Source, Vec<usize>)> = Vec::new();
    let mut known: HashMap<&Source, usize> = HashMap::new();
    for (place, wanted) in wanted.iter().enumerate() {
        let next = groups.len();
        let group = *known.entry(wanted.source).or_insert(next);
        if group == next {
            groups.push((wanted.source, Vec::new()));
        }
        if let Some((_, places)) = groups.get_mut(group) {
            places.push(place);
        }
    }
    let mut reads: Vec<BoxFuture<'_, Fetched>> = Vec::new();
    for (source, places) in groups {
        let parts = places.iter().filter_map(|&place| wanted.get(place).copied()).collect();
        reads.push(Box::pin(async move {
            let outcome = read(objects, source, parts).await;
            Fetched { places, outcome }
        }));
    }
    stream::iter(reads).buffered(OBJECTS_AT_A_TIME).collect().await
}

async fn read(
    objects: &dyn Open,
    source: &Source,
    wanted: Vec<Wanted<'_>>,
) -> Result<Vec<Option<Bytes>>, SourceError> {
    let object = objects.open(source).await?;
    let length = object.version().length;
    let ranges = wanted.iter().map(|wanted| {
        let end = match wanted.length {
            WHOLE_OBJECT => length,
            bytes => wanted.offset.checked_add(bytes)?,
        };
        (wanted.offset <= end && end <= length).then_some(wanted.offset..end)
    });
    let ranges: Vec<Option<Range<u64>>> = ranges.collect();
    let inside: Vec<Range<u64>> = ranges.iter().flatten().cloned().collect();
    let mut read = object.read_many(&inside).await?.into_iter();
    Ok(ranges.into_iter().map(|range| range.and_then(|_| read.next())).collect())
}
