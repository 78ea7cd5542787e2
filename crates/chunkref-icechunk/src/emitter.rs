// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing a dataset as one or more commits.

use std::path::Path;

use chunkref_core::atomic::{AtomicError, Fingerprint, Lock, Staging};
use chunkref_core::{EmitError, EmitOptions, Emitted, Emitter};
use chunkref_model::Dataset;
use icechunk::config::{ManifestConfig, ManifestSplittingConfig};
use icechunk::format::SnapshotId;
use icechunk::format::snapshot::SnapshotProperties;
use icechunk::repository::RepositoryErrorKind;
use icechunk::{Repository, RepositoryConfig};

use crate::commit::Commits;
use crate::container::Targets;
use crate::error::{branch_moved, library};
use crate::layout::Layout;
use crate::repository::{self, EMPTY};
use crate::tree::{self, Node};
use crate::{BRANCH, ENTRY, IcechunkError, MAIN, MESSAGE, background, is_repository};

/// References per commit. The library keeps those of a commit in memory, some hundreds of bytes each, and refuses to
/// promise anything beyond 50 million.
const COMMIT_REFERENCES: u64 = 500_000;

/// The record of sources is left out of a commit when it is longer: every reader of the repository loads it.
const MOST_RECORDED_BYTES: usize = 8 << 20;

/// Writes an Icechunk repository.
///
/// A destination that is a repository gets a commit, after which the branch holds the dataset and nothing else; what is the
/// same already is not written again, and earlier commits and other branches stay. Another destination must be empty or
/// not there.
#[derive(Debug, Clone, Copy)]
pub struct IcechunkEmitter {
    commit_references: u64,
}

impl Default for IcechunkEmitter {
    /// With so many references in a commit that a gigabyte of memory is ample.
    fn default() -> Self {
        Self { commit_references: COMMIT_REFERENCES }
    }
}

impl IcechunkEmitter {
    /// The same with at most about so many references in a commit.
    #[must_use]
    pub fn with_commit_references(mut self, references: u64) -> Self {
        self.commit_references = references.max(1);
        self
    }

    fn write(
        self,
        dataset: &Dataset,
        destination: &Path,
        options: &EmitOptions,
    ) -> Result<Emitted, IcechunkError> {
        if dataset.separate {
            return Err(IcechunkError::Separate);
        }
        ENTRY.validate(options)?;
        let nodes = tree::nodes(dataset)?;
        let targets = Targets::new(dataset, &options.stores);
        let work = Work { emitter: self, dataset, nodes: &nodes, targets: &targets, options };
        if is_repository(destination) {
            // Folders have no conditional writes, so that the library's own check may miss a commit of the same moment.
            let _lock =
                Lock::take(destination).map_err(|source| repository::at(destination, source))?;
            if let Some(known) = &options.replaces
                && Fingerprint::of(destination)
                    .map_err(|source| repository::at(destination, source))?
                    .as_ref()
                    != Some(known)
            {
                return Err(AtomicError::Changed(destination.display().to_string()).into());
            }
            let before = repository::bytes_below(destination)?;
            let references = background::wait(work.commit_to(destination))?;
            let bytes = repository::bytes_below(destination)?.saturating_sub(before);
            return Ok(Emitted { references, bytes, fingerprint: None });
        }
        let staging = Staging::new(destination, EMPTY)?;
        let references = background::wait(work.create(staging.path()))?;
        let bytes = repository::bytes_below(staging.path())?;
        staging.finish(options.replaces.as_ref())?;
        Ok(Emitted { references, bytes, fingerprint: None })
    }
}

impl Emitter for IcechunkEmitter {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn emit(
        &self,
        dataset: &Dataset,
        destination: &Path,
        options: &EmitOptions,
    ) -> Result<Emitted, EmitError> {
        self.write(dataset, destination, options).map_err(|source| EmitError {
            destination: destination.display().to_string(),
            source: source.into(),
        })
    }
}

/// What is to be written.
struct Work<'a> {
    emitter: IcechunkEmitter,
    dataset: &'a Dataset,
    nodes: &'a [Node<'a>],
    targets: &'a Targets,
    options: &'a EmitOptions,
}

impl Work<'_> {
    fn branch(&self) -> &str {
        BRANCH.text(self.options).unwrap_or(MAIN)
    }

    /// A repository that nobody sees yet, so that commits go to its branch one after another.
    async fn create(&self, folder: &Path) -> Result<u64, IcechunkError> {
        // The library writes down how it reaches the storage. Of a folder that is in requests of 4 KiB, which would go
        // along when the repository is copied to a bucket.
        let storage = Some(repository::storage_settings());
        let mut config = RepositoryConfig { storage, ..RepositoryConfig::default() };
        self.configure(&mut config)?;
        repository::create(folder, config).await?;
        let repository = repository::open_uncached(folder).await?;
        if self.branch() != MAIN {
            let first = repository.lookup_branch(MAIN).await.map_err(library("read"))?;
            let made = repository.create_branch(self.branch(), &first).await;
            made.map_err(library("given its branch"))?;
        }
        self.commits(&repository, self.branch()).await?;
        Ok(self.references())
    }

    async fn commit_to(&self, folder: &Path) -> Result<u64, IcechunkError> {
        let configured = repository::open(folder).await?;
        let mut config = configured.config().clone();
        if self.configure(&mut config)? {
            let configured =
                configured.reopen(Some(config), None).await.map_err(library("configured"))?;
            configured.save_config().await.map_err(library("configured"))?;
        }
        let repository = repository::open_uncached(folder).await?;
        let branches = repository.list_branches().await.map_err(library("read"))?;
        let exists = branches.contains(self.branch());
        let base = if exists { self.branch() } else { MAIN };
        let tip = repository.lookup_branch(base).await.map_err(library("read"))?;
        if let Some(parent) = &self.options.parent
            && *parent != tip.to_string()
        {
            return Err(branch_moved(base));
        }
        if exists && self.references() <= self.emitter.commit_references {
            self.commits(&repository, self.branch()).await?;
            return Ok(self.references());
        }
        // The branch of others moves once, when all is there.
        let own = format!("chunkref-{}", SnapshotId::random());
        let changed = library("given its branch");
        repository.create_branch(&own, &tip).await.map_err(&changed)?;
        let result = async {
            let last = self.commits(&repository, &own).await?.unwrap_or_else(|| tip.clone());
            let moved = if exists {
                repository.reset_branch(self.branch(), &last, Some(&tip)).await
            } else {
                repository.create_branch(self.branch(), &last).await
            };
            moved.map_err(|error| match error.kind {
                RepositoryErrorKind::Conflict { .. } => branch_moved(self.branch()),
                _ => changed(error),
            })
        }
        .await;
        let removed = repository.delete_branch(&own).await.map_err(&changed);
        // The library leaves the folder of the branch's file; nobody needs it, be it that it stays.
        let _ = std::fs::remove_dir(folder.join("refs").join(format!("branch.{own}")));
        result.and(removed)?;
        Ok(self.references())
    }

    fn references(&self) -> u64 {
        let arrays = self.nodes.iter().filter_map(|node| node.array);
        arrays.fold(0, |sum, array| sum.saturating_add(array.manifest.present()))
    }

    /// Containers for the sources, and manifests that are not too large; whether anything changed.
    fn configure(&self, config: &mut RepositoryConfig) -> Result<bool, IcechunkError> {
        let mut changed = self.targets.configure(config)?;
        let manifest = config.manifest.get_or_insert_with(ManifestConfig::default);
        let splitting = &mut manifest.splitting;
        for node in self.nodes {
            let layout = node.array.and_then(|array| Layout::of(array.manifest.grid_shape()));
            let Some(layout) = layout else { continue };
            let rule = layout.rule(&node.path.to_string());
            let rules = splitting
                .get_or_insert(ManifestSplittingConfig { split_sizes: None })
                .split_sizes
                .get_or_insert_with(Vec::new);
            // A rule of the repository's own holds; the library takes the first one that fits.
            if rules.iter().any(|(condition, _)| condition.matches(&node.path)) {
                continue;
            }
            rules.push(rule);
            changed = true;
        }
        Ok(changed)
    }

    /// Commits to `branch` until it holds the dataset; the last one, or `None` when it did already.
    async fn commits(
        &self,
        repository: &Repository,
        branch: &str,
    ) -> Result<Option<SnapshotId>, IcechunkError> {
        let session = repository.writable_session(branch).await.map_err(library("opened"))?;
        if let Some(parent) = &self.options.parent
            && branch == self.branch()
            && *parent != session.snapshot_id().to_string()
        {
            return Err(branch_moved(branch));
        }
        let mut commits = Commits::new(repository, branch, session, self.message());
        let stays = {
            let mut session = commits.session().await;
            tree::apply(&mut session, self.nodes).await?
        };
        // The library goes through all references of a new array once for each of its manifests, so that a large one
        // is there before them.
        let most = self.emitter.commit_references;
        if self.references() > most {
            commits.next().await?;
        }
        for (node, stays) in self.nodes.iter().zip(stays) {
            let Some(array) = node.array else { continue };
            commits.write(node, array, self.targets, stays, most).await?;
        }
        commits.finish(self.properties()).await
    }

    fn message(&self) -> String {
        MESSAGE.text(self.options).map_or_else(
            || {
                let arrays = self.nodes.iter().filter(|node| node.array.is_some()).count();
                let sources = self.dataset.sources().len();
                let references = self.references();
                format!("chunkref: {references} references of {arrays} arrays to {sources} objects")
            },
            str::to_owned,
        )
    }

    /// How the references came about, as the other outputs say it.
    fn properties(&self) -> SnapshotProperties {
        let mut properties = SnapshotProperties::new();
        let Some(provenance) = &self.options.provenance else { return properties };
        let member = provenance.member(self.dataset);
        if let Ok(serde_json::Value::Object(mut members)) =
            serde_json::from_str(&format!("{{{member}}}"))
        {
            if member.len() > MOST_RECORDED_BYTES {
                for own in members.values_mut().filter_map(serde_json::Value::as_object_mut) {
                    own.insert("sources".to_owned(), serde_json::Value::Array(Vec::new()));
                }
            }
            properties.extend(members);
        }
        properties
    }
}
