// SPDX-License-Identifier: MIT OR Apache-2.0
//! What must hold of a dataset that was made of an input.

use std::collections::BTreeMap;

use bytes::Bytes;
use chunkref_core::model::{Array, ChunkRef, Dataset};
use chunkref_core::{DecodeContext, Limits, Scan};
use chunkref_kerchunk_json::{self as kerchunk_json, WriteOptions};

/// Chunks that are decoded of one dataset.
const DECODED: usize = 8;
/// The longest decoded chunk that is asked for, in bytes.
const MOST_DECODED: u64 = 1 << 20;

/// Limits that keep one input within a fraction of a second.
#[must_use]
pub fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.metadata_bytes = 16 << 20;
    limits.structure_bytes = 4 << 20;
    limits.objects = 2_000;
    limits.chunks = 20_000;
    limits.members = 2_000;
    limits.inline_bytes = 1 << 20;
    limits
}

/// Of a scan of the object `content` at `location`: references lie inside the object, there are no more than the limits
/// allow, what can be written is read back as it was, and decoded chunks are no longer than their arrays say.
pub fn scan(scan: &Scan, content: &[u8], location: &str) {
    let mut chunks = 0_u64;
    let mut inline = 0_u64;
    for (path, array) in scan.dataset.arrays() {
        assert_eq!(array.shape.len(), array.dimensions.len(), "{path}: a name for each axis");
        array.manifest.visit(&mut |chunk_indices, reference| {
            chunks += 1;
            match reference {
                ChunkRef::Virtual { source, offset, length } => {
                    let source = scan.dataset.source(source).expect("a reference names a source");
                    let end = offset.checked_add(length);
                    let inside = end.is_some_and(|end| end <= content.len() as u64);
                    assert!(
                        inside || source.location != location,
                        "{path} {chunk_indices:?} is at {offset}+{length} of {} bytes",
                        content.len()
                    );
                }
                ChunkRef::Inline(bytes) => inline += bytes.len() as u64,
                ChunkRef::Missing => panic!("{path}: a missing chunk is visited"),
            }
        });
    }
    let limits = limits();
    assert!(chunks <= limits.chunks, "{chunks} chunks");
    // Whole arrays that no codec decodes have a budget of their own.
    assert!(inline <= limits.inline_bytes + (32 << 20), "{inline} inline bytes");
    decoding(&scan.dataset, content, location);
    round_trip(&scan.dataset);
}

/// The first chunks of each array, decoded: a result as long as the array says, or an error.
fn decoding(dataset: &Dataset, content: &[u8], location: &str) {
    let mut left = DECODED;
    for (path, array) in dataset.arrays() {
        let Some(length) = chunk_bytes(array).filter(|&length| length <= MOST_DECODED) else {
            continue;
        };
        let mut stored = Vec::new();
        array.manifest.visit(&mut |_, reference| {
            if stored.len() >= left {
                return;
            }
            stored.extend(match reference {
                ChunkRef::Inline(bytes) => Some(bytes),
                ChunkRef::Virtual { source, offset, length } => dataset
                    .source(source)
                    .filter(|source| source.location == location)
                    .and_then(|_| part(content, offset, length)),
                ChunkRef::Missing => None,
            });
        });
        left = left.saturating_sub(stored.len());
        for bytes in stored {
            let most = usize::try_from(length).unwrap_or(usize::MAX);
            let room = most.saturating_add(array.codecs.len().saturating_mul(4));
            if let Ok(decoded) =
                chunkref_read::decode(&array.codecs, bytes.clone(), &DecodeContext::up_to(most))
            {
                // Without codecs the bytes are what they are.
                let length = decoded.len();
                let held = array.codecs.is_empty() || length <= room.max(bytes.len());
                assert!(held, "{path}: {length} bytes come out where {most} are asked for");
            }
        }
    }
}

fn part(content: &[u8], offset: u64, length: u64) -> Option<Bytes> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    content.get(start..end).map(Bytes::copy_from_slice)
}

/// Decoded bytes of one chunk.
fn chunk_bytes(array: &Array) -> Option<u64> {
    let element = array.dtype.length_bytes()?;
    array.chunk_grid.chunk_shape().iter().try_fold(element, |sum, &count| sum.checked_mul(count))
}

/// What can be written as kerchunk JSON is read back with the same arrays and references, and is written the same way
/// from then on.
pub fn round_trip(dataset: &Dataset) {
    if dataset.separate {
        return;
    }
    for templates in [false, true] {
        let Some(text) = written(dataset, templates) else { return };
        let read = match kerchunk_json::read(&*text) {
            Ok(read) => read,
            Err(error) => panic!("what was written cannot be read: {error}"),
        };
        same(dataset, &read);
        let once = written(&read, templates).expect("what was read can be written");
        let again = kerchunk_json::read(&*once).expect("what was written again can be read");
        let twice = written(&again, templates).expect("what was read again can be written");
        assert!(once == twice, "writing what was read changes it");
    }
}

/// The dataset as kerchunk JSON, if that can say it.
#[must_use]
pub fn written(dataset: &Dataset, templates: bool) -> Option<Vec<u8>> {
    let options = WriteOptions { templates, ..WriteOptions::default() };
    let mut text = Vec::new();
    kerchunk_json::write(dataset, &options, &mut text).ok().map(|_| text)
}

/// The same arrays with the same shapes, codecs and references, wherever the sources stand in the tables.
///
/// # Panics
/// When they differ.
pub fn same(one: &Dataset, other: &Dataset) {
    let (ours, theirs) = (one.arrays(), other.arrays());
    let names = |arrays: &[(String, &Array)]| {
        arrays.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&ours), names(&theirs), "the same arrays");
    for ((path, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        assert_eq!(ours.shape, theirs.shape, "{path}");
        assert_eq!(ours.codecs, theirs.codecs, "{path}");
        assert!(references(one, ours) == references(other, theirs), "{path}: other references");
    }
}

/// What a reference names, without the number of its source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// URL, offset, length.
    Virtual(String, u64, u64),
    /// Bytes.
    Inline(Vec<u8>),
}

/// The references of an array by chunk.
#[must_use]
pub fn references(dataset: &Dataset, array: &Array) -> BTreeMap<Vec<u64>, Named> {
    let mut references = BTreeMap::new();
    array.manifest.visit(&mut |chunk_indices, reference| {
        let named = match reference {
            ChunkRef::Virtual { source, offset, length } => {
                let source = dataset.source(source).expect("a reference names a source");
                Named::Virtual(source.location.clone(), offset, length)
            }
            ChunkRef::Inline(bytes) => Named::Inline(bytes.to_vec()),
            ChunkRef::Missing => return,
        };
        let before = references.insert(chunk_indices.to_vec(), named);
        assert!(before.is_none(), "chunk {chunk_indices:?} is visited twice");
    });
    references
}
