// SPDX-License-Identifier: MIT OR Apache-2.0
//! References put into a session, and sessions committed one after another.

use std::ops::Range;
use std::sync::Arc;

use chunkref_model::{Array, ChunkRef, Manifest, WHOLE_OBJECT};
use futures::StreamExt as _;
use icechunk::format::manifest::{ChunkPayload, VirtualChunkRef};
use icechunk::format::snapshot::SnapshotProperties;
use icechunk::format::{ByteRange, ChunkIndices, SnapshotId};
use icechunk::repository::RepositoryErrorKind;
use icechunk::session::{Session, SessionErrorKind, get_chunk};
use icechunk::{Repository, Store};
use tokio::sync::{RwLock, RwLockWriteGuard};

use crate::IcechunkError;
use crate::container::Targets;
use crate::error::{branch_moved, library};
use crate::layout;
use crate::tree::Node;

/// Commits to one branch.
pub(crate) struct Commits<'a> {
    repository: &'a Repository,
    branch: &'a str,
    message: String,
    session: Arc<RwLock<Session>>,
    /// References in the session.
    pending: u64,
    /// Commits before the last one.
    parts: u64,
    last: Option<SnapshotId>,
}

impl<'a> Commits<'a> {
    pub(crate) fn new(
        repository: &'a Repository,
        branch: &'a str,
        session: Session,
        message: String,
    ) -> Self {
        let session = Arc::new(RwLock::new(session));
        Self { repository, branch, message, session, pending: 0, parts: 0, last: None }
    }

    pub(crate) async fn session(&self) -> RwLockWriteGuard<'_, Session> {
        self.session.write().await
    }

    /// Puts the references of an array into the session, and commits whenever `most` are in it. An array that `stays` has
    /// references already; those that are right are left alone.
    pub(crate) async fn write(
        &mut self,
        node: &Node<'_>,
        array: &Array,
        targets: &Targets,
        stays: bool,
        most: u64,
    ) -> Result<(), IcechunkError> {
        let manifest = &array.manifest;
        let mut right = None;
        if stays {
            let mut session = self.session.write().await;
            let (found, gone) = compare(&session, node, manifest, targets).await?;
            let gone = gone.into_iter().map(ChunkIndices);
            session.delete_chunks(&node.path, gone).await.map_err(library("changed"))?;
            right = Some(found);
        }
        for range in layout::ranges(manifest) {
            // A box of the grid may be larger than a commit where only a few of its chunks are there.
            let references = collect(node, manifest, targets, range, right.as_ref())?;
            self.set(node, references).await?;
            if self.pending > most {
                self.next().await?;
            }
        }
        Ok(())
    }

    async fn set(&mut self, node: &Node<'_>, references: Found) -> Result<(), IcechunkError> {
        let Found { virtual_refs, inline } = references;
        let count = virtual_refs.len().saturating_add(inline.len());
        self.pending = self.pending.saturating_add(count as u64);
        if !virtual_refs.is_empty() {
            let store = Store::from_session(Arc::clone(&self.session)).await;
            let set = store.set_virtual_refs(&node.path, false, virtual_refs).await;
            set.map_err(library("given references"))?;
        }
        for (indices, bytes) in inline {
            let mut session = self.session.write().await;
            let writer =
                session.get_chunk_writer(&node.path, &indices).map_err(library("written"))?;
            let payload = writer(bytes).await.map_err(library("written"))?;
            let set = session.set_chunk_ref(node.path.clone(), indices, Some(payload)).await;
            set.map_err(library("written"))?;
        }
        Ok(())
    }

    /// Commits what is in the session, and opens another one.
    pub(crate) async fn next(&mut self) -> Result<(), IcechunkError> {
        self.parts = self.parts.saturating_add(1);
        let message = format!("{} (part {})", self.message, self.parts);
        self.commit(message, SnapshotProperties::new()).await?;
        let session = self.repository.writable_session(self.branch).await;
        self.session = Arc::new(RwLock::new(session.map_err(library("opened"))?));
        self.pending = 0;
        Ok(())
    }

    async fn commit(
        &mut self,
        message: String,
        properties: SnapshotProperties,
    ) -> Result<(), IcechunkError> {
        let mut session = self.session.write().await;
        if !session.has_uncommitted_changes() && self.parts == 0 {
            return Ok(());
        }
        // The last of several may have nothing but its message and record.
        let commit = session.commit(message).properties(properties).allow_empty(true);
        let committed = commit.execute().await.map_err(|error| match error.kind {
            SessionErrorKind::Conflict { .. }
            | SessionErrorKind::RepositoryError(
                RepositoryErrorKind::Conflict { .. } | RepositoryErrorKind::RepoInfoUpdated,
            ) => branch_moved(self.branch),
            _ => library("committed to")(error),
        });
        self.last = Some(committed?);
        Ok(())
    }

    /// Commits what is left.
    pub(crate) async fn finish(
        mut self,
        properties: SnapshotProperties,
    ) -> Result<Option<SnapshotId>, IcechunkError> {
        let message = self.message.clone();
        self.commit(message, properties).await?;
        Ok(self.last)
    }
}

/// References to be set.
#[derive(Debug, Default)]
struct Found {
    virtual_refs: Vec<(ChunkIndices, VirtualChunkRef)>,
    inline: Vec<(ChunkIndices, bytes::Bytes)>,
}

/// The references of the chunks with the numbers `range`, without those that are `right` already.
fn collect(
    node: &Node<'_>,
    manifest: &Manifest,
    targets: &Targets,
    range: Range<u64>,
    right: Option<&Numbers>,
) -> Result<Found, IcechunkError> {
    let mut found = Found::default();
    let mut fault = None;
    manifest.visit_numbers(range, &mut |number, reference| {
        if fault.is_some() || right.is_some_and(|right| right.contains(number)) {
            return;
        }
        let chunk_indices = manifest.chunk_indices(number);
        match payload(node, &chunk_indices, reference, targets) {
            Ok(Payload::Virtual(reference)) => {
                found.virtual_refs.push((indices(&chunk_indices), reference));
            }
            Ok(Payload::Inline(bytes)) => found.inline.push((indices(&chunk_indices), bytes)),
            Ok(Payload::Missing) => {}
            Err(error) => fault = Some(error),
        }
    });
    fault.map_or(Ok(found), Err)
}

enum Payload {
    Virtual(VirtualChunkRef),
    Inline(bytes::Bytes),
    Missing,
}

/// A reference as the library has it.
fn payload(
    node: &Node<'_>,
    chunk_indices: &[u64],
    reference: ChunkRef,
    targets: &Targets,
) -> Result<Payload, IcechunkError> {
    let empty = || IcechunkError::EmptyChunk {
        array: node.name.clone(),
        chunk_indices: chunk_indices.to_vec(),
    };
    match reference {
        ChunkRef::Missing => Ok(Payload::Missing),
        ChunkRef::Inline(bytes) if bytes.is_empty() => Err(empty()),
        ChunkRef::Inline(bytes) => Ok(Payload::Inline(bytes)),
        ChunkRef::Virtual { length: 0, .. } => Err(empty()),
        ChunkRef::Virtual { source, offset, length } => {
            let target = targets.get(source).map_err(|reason| IcechunkError::Location {
                array: node.name.clone(),
                location: targets.name(source),
                reason,
            })?;
            let length = match length {
                WHOLE_OBJECT => target.length.map(|all| all.saturating_sub(offset)),
                length => Some(length),
            };
            let length = length.ok_or_else(|| IcechunkError::UnknownLength {
                array: node.name.clone(),
                chunk_indices: chunk_indices.to_vec(),
                location: targets.name(source),
            })?;
            Ok(Payload::Virtual(VirtualChunkRef {
                location: target.location.clone(),
                offset,
                length,
                checksum: target.checksum.clone(),
            }))
        }
    }
}

/// Compares the references that are there with those that should be: the numbers of the chunks that are right, and the
/// places of those that should be missing.
async fn compare(
    session: &Session,
    node: &Node<'_>,
    manifest: &Manifest,
    targets: &Targets,
) -> Result<(Numbers, Vec<Vec<u32>>), IcechunkError> {
    let (mut right, mut gone) = (Numbers::default(), Vec::new());
    let chunks = session.array_chunk_iterator(&node.path).await;
    let mut chunks = std::pin::pin!(chunks);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(library("read"))?;
        let place: Vec<u64> = chunk.coord.0.iter().map(|&index| u64::from(index)).collect();
        let same = match (payload(node, &place, manifest.get(&place), targets)?, chunk.payload) {
            (Payload::Virtual(new), ChunkPayload::Virtual(old)) => new == old,
            (Payload::Inline(new), ChunkPayload::Inline(old)) => new == old,
            (Payload::Inline(new), ChunkPayload::Ref(old)) => {
                old.length == new.len() as u64 && {
                    let reader =
                        session.get_chunk_reader(&node.path, &chunk.coord, &ByteRange::ALL);
                    let reader = reader.await.map_err(library("read"))?;
                    get_chunk(reader).await.map_err(library("read"))? == Some(new)
                }
            }
            (Payload::Missing, _) => {
                gone.push(chunk.coord.0);
                false
            }
            _ => false,
        };
        if let Some(number) = manifest.chunk_number(&place).filter(|_| same) {
            right.insert(number);
        }
    }
    Ok((right, gone))
}

fn indices(chunk_indices: &[u64]) -> ChunkIndices {
    let index = |&index: &u64| u32::try_from(index).unwrap_or(u32::MAX);
    ChunkIndices(chunk_indices.iter().map(index).collect())
}

/// Chunk numbers, as many as there are references.
#[derive(Debug, Default)]
struct Numbers {
    /// 64 numbers each; only those that have any.
    words: std::collections::HashMap<u64, u64>,
}

impl Numbers {
    fn insert(&mut self, number: u64) {
        *self.words.entry(number >> 6).or_default() |= 1 << (number & 63);
    }

    fn contains(&self, number: u64) -> bool {
        self.words.get(&(number >> 6)).is_some_and(|word| word & (1 << (number & 63)) != 0)
    }
}
