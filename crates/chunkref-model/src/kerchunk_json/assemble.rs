// SPDX-License-Identifier: MIT OR Apache-2.0
//! From documents and columns to a dataset.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::dataset::{join_path, unnamed_dimension};
use crate::manifest::bulk::Rows;
use crate::zarr::ZarrError;
use crate::zarr::v2::{ARRAY_DIMENSIONS, ArrayMetadata, array_metadata_of, attributes_of};
use crate::{
    Array, AttributeValue, Attributes, ChunkRef, Dataset, ManifestBuilder, ManifestError, Source,
    SourceId,
};

use super::columns::{Collected, Columns, INLINE, key_of};
use super::{ReadError, ReadLimits, Recorded};

/// Groups in one another that are read.
const MAX_DEPTH: usize = 128;

/// An array whose references are still being given to it.
struct Draft {
    metadata: ArrayMetadata,
    manifest: ManifestBuilder,
}

pub(super) fn assemble(
    mut collected: Collected,
    recorded: Option<&Recorded>,
    limits: &ReadLimits,
) -> Result<Dataset, ReadError> {
    add_consolidated(&mut collected)?;
    check_objects(&collected, limits.objects)?;
    let mut arrays = BTreeMap::new();
    for (key, document) in &collected.documents {
        let (path, name) = key.rsplit_once('/').unwrap_or(("", key));
        check_path(key, path)?;
        if name == ".zarray" {
            arrays.insert(path.to_owned(), draft(key, path, document)?);
        }
    }

    let mut dataset = Dataset::new();
    for source in recorded.map(Recorded::sources).unwrap_or_default() {
        dataset.add_source(source.clone());
    }
    let mut sources = Vec::new();
    for location in std::mem::take(&mut collected.urls) {
        let version = recorded.and_then(|recorded| recorded.version(&location)).cloned();
        sources.push(dataset.add_source(Source { location, version }));
    }
    for columns in std::mem::take(&mut collected.columns) {
        distribute(columns, &sources, &mut arrays)?;
    }

    let mut attributes = BTreeMap::new();
    for (key, document) in std::mem::take(&mut collected.documents) {
        let (path, name) = key.rsplit_once('/').unwrap_or(("", &key));
        check_ancestors(&key, path, &arrays)?;
        match name {
            ".zattrs" => {
                let parsed = attributes_of(document)
                    .map_err(|source| ReadError::Document { key: key.clone(), source })?;
                if arrays.contains_key(path) {
                    attributes.insert(path.to_owned(), parsed);
                } else {
                    dataset.group_mut(path).attributes = parsed;
                }
            }
            ".zgroup" => {
                check_group(&key, path, document, &arrays)?;
                dataset.group_mut(path);
            }
            _ => {}
        }
    }
    for (path, draft) in arrays {
        let array = finish(&path, draft, attributes.remove(&path).unwrap_or_default())?;
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
        dataset.group_mut(parent).arrays.insert(name.to_owned(), array);
    }
    dataset.define_dimensions();
    Ok(dataset)
}

/// Takes from `.zmetadata` the documents that are not there by themselves.
fn add_consolidated(collected: &mut Collected) -> Result<(), ReadError> {
    let key = ".zmetadata";
    let Some(AttributeValue::Struct(members)) = collected.documents.remove(key) else {
        return Ok(());
    };
    let Some((_, AttributeValue::Struct(documents))) =
        members.into_iter().find(|(name, _)| name == "metadata")
    else {
        let source = ZarrError::MissingMember { member: "metadata" };
        return Err(ReadError::Document { key: key.to_owned(), source });
    };
    for (name, document) in documents {
        collected.documents.entry(name).or_insert(document);
    }
    Ok(())
}

/// Groups and arrays are counted before any is made: a long path makes many.
fn check_objects(collected: &Collected, limit: u64) -> Result<(), ReadError> {
    let (mut count, mut last) = (0_u64, "");
    for key in collected.documents.keys() {
        let path = key.rsplit_once('/').map_or("", |(path, _)| path);
        let (names, before) = (path.split('/'), last.split('/'));
        let shared = names.clone().zip(before).take_while(|(a, b)| a == b).count();
        count = count.saturating_add(names.count().saturating_sub(shared) as u64);
        last = path;
    }
    if count > limit {
        return Err(ReadError::LimitExceeded { what: "groups and arrays", name: "objects", limit });
    }
    Ok(())
}

fn check_path(key: &str, path: &str) -> Result<(), ReadError> {
    let bad = |reason| Err(ReadError::BadKey { key: key.chars().take(200).collect(), reason });
    if path.split('/').count() > MAX_DEPTH {
        return bad("more groups in one another than are read");
    }
    if key.starts_with('/') || (!path.is_empty() && path.split('/').any(str::is_empty)) {
        return bad("a group or array with an empty name");
    }
    if path.split('/').any(|name| name == "." || name == "..") {
        return bad("a group or array whose name means a directory");
    }
    Ok(())
}

/// No array may hold groups or arrays.
fn check_ancestors(
    key: &str,
    path: &str,
    arrays: &BTreeMap<String, Draft>,
) -> Result<(), ReadError> {
    let mut ancestor = path;
    while let Some((parent, _)) = ancestor.rsplit_once('/') {
        if arrays.contains_key(parent) {
            return Err(ReadError::BadKey { key: key.to_owned(), reason: "lies below an array" });
        }
        ancestor = parent;
    }
    Ok(())
}

fn check_group(
    key: &str,
    path: &str,
    document: AttributeValue,
    arrays: &BTreeMap<String, Draft>,
) -> Result<(), ReadError> {
    if arrays.contains_key(path) {
        return Err(ReadError::BadKey { key: key.to_owned(), reason: "is a group and an array" });
    }
    let wrap = |source| ReadError::Document { key: key.to_owned(), source };
    let members = attributes_of(document).map_err(wrap)?;
    match members.get("zarr_format") {
        Some(AttributeValue::Int(2)) => Ok(()),
        Some(found) => {
            let found = crate::json::writer::excerpt(found);
            Err(wrap(ZarrError::BadMember { member: "zarr_format", expected: "2", found }))
        }
        None => Err(wrap(ZarrError::MissingMember { member: "zarr_format" })),
    }
}

fn draft(key: &str, path: &str, document: &AttributeValue) -> Result<Draft, ReadError> {
    if path.is_empty() {
        return Err(ReadError::BadKey {
            key: key.to_owned(),
            reason: "the root is an array, not a group",
        });
    }
    let metadata = array_metadata_of(document)
        .map_err(|source| ReadError::Document { key: key.to_owned(), source })?;
    let manifest = ManifestBuilder::new(metadata.chunk_grid.grid_shape(&metadata.shape))
        .map_err(|source| ReadError::Array { path: path.to_owned(), source })?;
    Ok(Draft { metadata, manifest })
}

/// Gives the rows of `columns` to their arrays.
fn distribute(
    columns: Columns,
    sources: &[SourceId],
    arrays: &mut BTreeMap<String, Draft>,
) -> Result<(), ReadError> {
    if let Some(draft) = arrays.get_mut(&columns.path).filter(|draft| takes_all(draft, &columns)) {
        return take_all(columns, sources, draft);
    }
    let inline = Bytes::from(columns.inline);
    let columns = Columns { inline: Vec::new(), ..columns };
    let rows = columns.urls.iter().zip(&columns.offsets).zip(&columns.lengths);
    for (indices, ((&url, &offset), &length)) in
        columns.indices.chunks_exact(columns.axes.max(1)).zip(rows)
    {
        let reference = if url == INLINE {
            let range = usize::try_from(offset)
                .ok()
                .zip(usize::try_from(offset.saturating_add(length)).ok());
            ChunkRef::Inline(range.map_or_else(Bytes::new, |(start, end)| inline.slice(start..end)))
        } else {
            let source = usize::try_from(url).ok().and_then(|url| sources.get(url)).copied();
            source.map_or(ChunkRef::Missing, |source| ChunkRef::Virtual { source, offset, length })
        };
        let (draft, indices) = find(&columns, indices, arrays)
            .ok_or_else(|| ReadError::NoArray { key: columns.key(indices) })?;
        // The one chunk of a scalar has the key `0`.
        let place = if draft.metadata.shape.is_empty() { &[] } else { indices };
        draft
            .manifest
            .push(place, reference)
            .map_err(|source| ReadError::Chunk { key: columns.key(indices), source })?;
    }
    Ok(())
}

/// Whether all rows are chunks of an array that has none yet, which is so but for numbers that are names.
fn takes_all(draft: &Draft, columns: &Columns) -> bool {
    let axes = draft.metadata.shape.len();
    let separator = columns.dotted == (draft.metadata.dimension_separator == '.');
    draft.manifest.is_empty() && axes > 0 && axes == columns.axes && (axes == 1 || separator)
}

fn take_all(columns: Columns, sources: &[SourceId], draft: &mut Draft) -> Result<(), ReadError> {
    let Columns { path, dotted, indices, urls, offsets, lengths, inline, .. } = columns;
    let rows = Rows {
        indices,
        source: |url, sources| match url {
            INLINE => Some(None),
            url => usize::try_from(url).ok().and_then(|url| sources.get(url)).copied().map(Some),
        },
        sources: urls,
        offsets,
        lengths,
        inline,
    };
    draft.manifest.take(rows, sources).map_err(|source| {
        let place = match &source {
            ManifestError::OutsideGrid { chunk_indices, .. } => chunk_indices.as_slice(),
            _ => &[],
        };
        ReadError::Chunk { key: key_of(&path, dotted, place), source }
    })
}

/// The array that a row belongs to, and its place there. Numbers may be names of groups and arrays, not only places.
fn find<'a, 'b>(
    columns: &Columns,
    indices: &'b [u64],
    arrays: &'a mut BTreeMap<String, Draft>,
) -> Option<(&'a mut Draft, &'b [u64])> {
    let fits = |draft: &Draft, indices: &[u64]| match draft.metadata.shape.len() {
        0 => indices == [0],
        1 => indices.len() == 1,
        axes => {
            indices.len() == axes && columns.dotted == (draft.metadata.dimension_separator == '.')
        }
    };
    if arrays.get(&columns.path).is_some_and(|draft| fits(draft, indices)) {
        return Some((arrays.get_mut(&columns.path)?, indices));
    }
    if columns.dotted {
        return None;
    }
    let mut path = columns.path.clone();
    for (names, index) in indices.iter().enumerate() {
        path = join_path(&path, &index.to_string());
        let rest = indices.get(names + 1..)?;
        if arrays.get(&path).is_some_and(|draft| fits(draft, rest)) {
            return Some((arrays.get_mut(&path)?, rest));
        }
    }
    None
}

fn finish(path: &str, draft: Draft, mut attributes: Attributes) -> Result<Array, ReadError> {
    let manifest = draft
        .manifest
        .finish()
        .map_err(|source| ReadError::Array { path: path.to_owned(), source })?;
    let metadata = draft.metadata;
    let axes = metadata.shape.len();
    let wrap = |source| ReadError::Document { key: join_path(path, ".zattrs"), source };
    let dimensions = if let Some(value) = attributes.remove(ARRAY_DIMENSIONS) {
        names_of(value).map_err(wrap)?
    } else {
        (0..axes).map(|axis| unnamed_dimension(path, axis)).collect()
    };
    if dimensions.len() != axes {
        return Err(wrap(ZarrError::Inconsistent {
            what: "dimension names",
            count: dimensions.len(),
            axes,
        }));
    }
    Ok(Array {
        shape: metadata.shape,
        dimensions,
        dtype: metadata.dtype,
        fill_value: metadata.fill_value,
        chunk_grid: metadata.chunk_grid,
        codecs: metadata.codecs,
        attributes,
        manifest,
    })
}

fn names_of(value: AttributeValue) -> Result<Vec<String>, ZarrError> {
    let bad = |found: &AttributeValue| ZarrError::BadMember {
        member: ARRAY_DIMENSIONS,
        expected: "a list of names",
        found: crate::json::writer::excerpt(found),
    };
    let AttributeValue::List(names) = value else { return Err(bad(&value)) };
    let names = names.into_iter().map(|name| match name {
        AttributeValue::Text(name) => Ok(name),
        other => Err(bad(&other)),
    });
    names.collect()
}
