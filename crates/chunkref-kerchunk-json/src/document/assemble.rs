// SPDX-License-Identifier: MIT OR Apache-2.0
//! From documents and columns to a dataset.

use bytes::Bytes;
use chunkref_model::manifest::bulk::Rows;
use chunkref_model::provenance::Recorded;
use chunkref_model::zarr::v2::{Draft, Hierarchy};
use chunkref_model::{ChunkRef, Dataset, ManifestError, Source, SourceId};

use super::columns::{Collected, Columns, INLINE, key_of};
use super::{ReadError, ReadLimits};

pub(super) fn assemble(
    mut collected: Collected,
    recorded: Option<&Recorded>,
    limits: &ReadLimits,
) -> Result<Dataset, ReadError> {
    let mut hierarchy = Hierarchy::new(std::mem::take(&mut collected.documents), limits.objects)?;
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
        distribute(columns, &sources, &mut hierarchy)?;
    }
    Ok(hierarchy.finish(dataset)?)
}

/// Gives the rows of `columns` to their arrays.
fn distribute(
    columns: Columns,
    sources: &[SourceId],
    hierarchy: &mut Hierarchy,
) -> Result<(), ReadError> {
    let arrays = hierarchy.arrays_mut();
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
        let (draft, place) = hierarchy
            .place(&columns.path, indices, columns.dotted)
            .ok_or_else(|| ReadError::NoArray { key: columns.key(indices) })?;
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
