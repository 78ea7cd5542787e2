// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads chunks whose bytes go into the references.

use bytes::Bytes;
use chunkref_core::Limits;
use futures::future::join_all;

use super::elements::chunk_data;
use super::files::Files;
use super::frontier::Frontier;
use crate::context::ObjectId;
use crate::error::Result;
use crate::inline_chunk::{Chunks, Form, Wanted};
use crate::object::Storage;

/// Reads what is wanted, from all files at the same time.
pub(crate) async fn read_chunks(
    files: &Files<'_>,
    wanted: &[Wanted],
    chunks: &(impl Chunks + Sync),
    limits: &Limits,
) -> Vec<(ObjectId, usize, Result<Bytes>)> {
    let of_files = files.sources().filter_map(|(number, _)| {
        let frontier = files.frontier(number)?;
        let wanted = wanted.iter().filter(|wanted| wanted.file == number);
        let reads: Vec<_> = wanted
            .map(|wanted| async move {
                (wanted.id, wanted.row, read(*wanted, frontier, chunks, limits).await)
            })
            .collect();
        (!reads.is_empty()).then(|| frontier.run(join_all(reads)))
    });
    join_all(of_files).await.into_iter().flatten().collect()
}

async fn read(
    wanted: Wanted,
    frontier: &Frontier<'_>,
    chunks: &(impl Chunks + Sync),
    limits: &Limits,
) -> Result<Bytes> {
    let Form::Encoded { mask } = wanted.form else {
        return frontier.read_data(wanted.offset, wanted.length).await;
    };
    let Some(dataset) = chunks.dataset(wanted.id) else { return Ok(Bytes::new()) };
    let Storage::Chunked { grid, .. } = &dataset.storage else { return Ok(Bytes::new()) };
    let place = (wanted.offset, wanted.length);
    let data = chunk_data(frontier, &dataset.filters, mask, place, grid, limits).await?;
    chunks.encode(wanted.id, data, wanted.offset)
}
