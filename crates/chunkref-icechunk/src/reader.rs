// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading a repository: metadata first, references when they are asked for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use chunkref_model::provenance::{Recorded, read_provenance};
use chunkref_model::zarr::v3;
use chunkref_model::{ChunkRef, Dataset, Manifest, ManifestBuilder, Source, SourceId};
use futures::StreamExt as _;
use icechunk::Repository;
use icechunk::format::manifest::ChunkPayload;
use icechunk::format::{ByteRange, Path as NodePath, SnapshotId};
use icechunk::refs::RefErrorKind;
use icechunk::repository::{RepositoryErrorKind, VersionInfo};
use icechunk::session::{Session, get_chunk};

use crate::error::library;
use crate::{ENTRY, IcechunkError, MAIN, background, location, repository, tree};

/// Chunks of the repository's own that are read become inline up to this length, others references to their files.
const MOST_INLINE_BYTES: u64 = 1 << 20;

/// All inline bytes of a dataset that is read; what is beyond becomes references to the repository's files too.
const MOST_BYTES_IN_ALL: u64 = 256 << 20;

/// Whether a folder is a repository, as far as its files say.
#[must_use]
pub fn is_repository(folder: &Path) -> bool {
    ENTRY.marks_folder(folder)
}

/// A repository of which the metadata of one version is read.
#[derive(Debug)]
pub struct IcechunkReferences {
    folder: PathBuf,
    snapshot: SnapshotId,
    dataset: Dataset,
    recorded: Option<Recorded>,
    spec_version: u8,
}

impl IcechunkReferences {
    /// Reads the metadata of a branch, tag or snapshot, or of the branch `main`.
    ///
    /// # Errors
    /// [`IcechunkError`] when there is no such repository or version, or it holds nodes that the model cannot describe.
    pub async fn open(folder: &Path, version: Option<&str>) -> Result<Self, IcechunkError> {
        let folder = folder.to_owned();
        let version = version.unwrap_or(MAIN).to_owned();
        background::run(async move {
            if !is_repository(&folder) {
                return Err(IcechunkError::NoRepository(folder.display().to_string()));
            }
            let repository = repository::open_uncached(&folder).await?;
            let snapshot = resolve(&repository, &folder, &version).await?;
            let session = session(&repository, &snapshot).await?;
            let dataset = metadata(&session).await?;
            let recorded = recorded(&repository, &snapshot).await?;
            let spec_version = repository.spec_version() as u8;
            Ok(Self { folder, snapshot, dataset, recorded, spec_version })
        })
        .await
    }

    /// Groups and arrays, without any reference.
    #[must_use]
    pub fn metadata(&self) -> &Dataset {
        &self.dataset
    }

    /// The snapshot that is read.
    #[must_use]
    pub fn snapshot(&self) -> String {
        self.snapshot.to_string()
    }

    /// The version of the format that the repository has.
    #[must_use]
    pub fn spec_version(&self) -> u8 {
        self.spec_version
    }

    /// How the references came about, where the commit says so.
    #[must_use]
    pub fn recorded(&self) -> Option<&Recorded> {
        self.recorded.as_ref()
    }

    /// The dataset with the references of the arrays that `wanted` takes. The other arrays are without references.
    ///
    /// # Errors
    /// [`IcechunkError`] when a manifest cannot be read or is damaged.
    pub async fn read(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Send + Sync),
    ) -> Result<Dataset, IcechunkError> {
        let mut dataset = self.dataset.clone();
        let arrays: Vec<(String, Manifest)> = dataset
            .arrays()
            .into_iter()
            .filter(|(path, _)| wanted(path))
            .map(|(path, array)| (path, array.manifest.clone()))
            .collect();
        let (folder, snapshot) = (self.folder.clone(), self.snapshot.clone());
        let recorded = self.recorded.clone();
        background::run(async move {
            let repository = repository::open_uncached(&folder).await?;
            let session = session(&repository, &snapshot).await?;
            let mut sources = Sources { recorded, known: HashMap::new(), last: None };
            for source in sources.recorded.iter().flat_map(Recorded::sources) {
                dataset.add_source(source.clone());
            }
            let mut budget = MOST_BYTES_IN_ALL;
            for (path, empty) in arrays {
                let manifest = references(
                    &session,
                    &folder,
                    &path,
                    &empty,
                    &mut dataset,
                    &mut sources,
                    &mut budget,
                )
                .await?;
                let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
                if let Some(array) = dataset.group_mut(parent).arrays.get_mut(name) {
                    array.manifest = manifest;
                }
            }
            Ok(dataset)
        })
        .await
    }
}

/// The snapshot that a branch, a tag or its own name means.
async fn resolve(
    repository: &Repository,
    folder: &Path,
    version: &str,
) -> Result<SnapshotId, IcechunkError> {
    let mut meanings = vec![
        VersionInfo::BranchTipRef(version.to_owned()),
        VersionInfo::TagRef(version.to_owned()),
    ];
    // The library takes any name of this form for one that is there.
    if let Ok(id) = SnapshotId::try_from(version)
        && folder.join("snapshots").join(id.to_string()).is_file()
    {
        meanings.push(VersionInfo::SnapshotId(id));
    }
    for meaning in meanings {
        match repository.resolve_version(&meaning).await {
            Ok(snapshot) => return Ok(snapshot),
            Err(error) => match error.kind {
                RepositoryErrorKind::Ref(
                    RefErrorKind::RefNotFound(_) | RefErrorKind::InvalidRefName(_),
                ) => {}
                _ => return Err(library("read")(error)),
            },
        }
    }
    Err(IcechunkError::NoVersion(version.to_owned()))
}

async fn session(repository: &Repository, snapshot: &SnapshotId) -> Result<Session, IcechunkError> {
    let version = VersionInfo::SnapshotId(snapshot.clone());
    repository.readonly_session(&version).await.map_err(library("read"))
}

async fn metadata(session: &Session) -> Result<Dataset, IcechunkError> {
    let mut dataset = Dataset::new();
    for (path, node) in tree::present(session).await? {
        let path = path.trim_start_matches('/').to_owned();
        let wrap = |source| IcechunkError::Document { path: path.clone(), source };
        let text = String::from_utf8_lossy(&node.user_data);
        match v3::parse(&path, &text).map_err(wrap)? {
            v3::Node::Group(attributes) => dataset.group_mut(&path).attributes = attributes,
            v3::Node::Array(array) if !path.is_empty() => {
                let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
                dataset.group_mut(parent).arrays.insert(name.to_owned(), *array);
            }
            v3::Node::Array(_) => {
                let reason = "the root is an array, not a group".to_owned();
                return Err(IcechunkError::Name { path: "/".to_owned(), reason });
            }
        }
    }
    dataset.define_dimensions();
    Ok(dataset)
}

/// What the commit says of how it came about.
async fn recorded(
    repository: &Repository,
    snapshot: &SnapshotId,
) -> Result<Option<Recorded>, IcechunkError> {
    let info = repository.lookup_snapshot(snapshot).await.map_err(library("read"))?;
    let Some(own) = info.metadata.get("chunkref") else { return Ok(None) };
    let text = serde_json::json!({ "chunkref": own }).to_string();
    Ok(read_provenance(text.as_bytes()))
}

/// The references of one array.
async fn references(
    session: &Session,
    folder: &Path,
    path: &str,
    empty: &Manifest,
    dataset: &mut Dataset,
    sources: &mut Sources,
    budget: &mut u64,
) -> Result<Manifest, IcechunkError> {
    let wrap = |source| IcechunkError::Manifest { array: path.to_owned(), source };
    let name = |reason: String| IcechunkError::Name { path: path.to_owned(), reason };
    let node = NodePath::new(&format!("/{path}")).map_err(|error| name(error.to_string()))?;
    let mut builder = ManifestBuilder::new(empty.grid_shape()).map_err(wrap)?;
    let chunks = session.array_chunk_iterator(&node).await;
    let mut chunks = std::pin::pin!(chunks);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(library("read"))?;
        let place: Vec<u64> = chunk.coord.0.iter().map(|&index| u64::from(index)).collect();
        if empty.chunk_number(&place).is_none() {
            // What an array had before it became smaller.
            continue;
        }
        let reference = match chunk.payload {
            ChunkPayload::Virtual(reference) => {
                let url = session.resolve_virtual_location(&reference.location);
                let source = sources.of(dataset, &url.map_err(library("read"))?);
                ChunkRef::Virtual { source, offset: reference.offset, length: reference.length }
            }
            ChunkPayload::Inline(bytes) => {
                *budget = budget.saturating_sub(bytes.len() as u64);
                ChunkRef::Inline(bytes)
            }
            ChunkPayload::Ref(own) if own.length <= MOST_INLINE_BYTES.min(*budget) => {
                *budget = budget.saturating_sub(own.length);
                let reader = session.get_chunk_reader(&node, &chunk.coord, &ByteRange::ALL);
                let reader = reader.await.map_err(library("read"))?;
                let bytes = get_chunk(reader).await.map_err(library("read"))?;
                bytes.map_or(ChunkRef::Missing, ChunkRef::Inline)
            }
            ChunkPayload::Ref(own) => {
                let file = folder.join("chunks").join(own.id.to_string());
                let url = format!("file://{}", file.display());
                let source = sources.of(dataset, &url);
                ChunkRef::Virtual { source, offset: own.offset, length: own.length }
            }
            _ => ChunkRef::Missing,
        };
        builder.push(&place, reference).map_err(wrap)?;
    }
    builder.finish().map_err(wrap)
}

/// Sources by URL; most references have that of the one before.
struct Sources {
    recorded: Option<Recorded>,
    known: HashMap<String, SourceId>,
    last: Option<(String, SourceId)>,
}

impl Sources {
    fn of(&mut self, dataset: &mut Dataset, url: &str) -> SourceId {
        if let Some((last, id)) = &self.last
            && last == url
        {
            return *id;
        }
        let id = if let Some(id) = self.known.get(url) {
            *id
        } else {
            let location = location::decode(url);
            let version =
                self.recorded.as_ref().and_then(|known| known.version(&location)).cloned();
            let id = dataset.add_source(Source { location, version });
            self.known.insert(url.to_owned(), id);
            id
        };
        self.last = Some((url.to_owned(), id));
        id
    }
}
