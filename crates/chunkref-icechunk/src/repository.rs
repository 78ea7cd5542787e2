// SPDX-License-Identifier: MIT OR Apache-2.0
//! Repositories on disk: opened, or made beside their destination and put in place when they are whole.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use chunkref_core::atomic::Replaceable;
use icechunk::config::CachingConfig;
use icechunk::format::format_constants::SpecVersionBin;
use icechunk::storage::{ConcurrencySettings, RetriesSettings, Settings};
use icechunk::{Repository, RepositoryConfig, Storage};

use crate::IcechunkError;
use crate::error::library;

/// A repository is never replaced: it gets commits.
pub(crate) const EMPTY: Replaceable =
    Replaceable { what: "an Icechunk repository", foreign: first_name };

/// The first thing in a folder that is not a repository.
pub(crate) fn foreign(folder: &Path) -> io::Result<Option<String>> {
    if !folder.try_exists()? || crate::is_repository(folder) {
        return Ok(None);
    }
    first_name(folder)
}

fn first_name(folder: &Path) -> io::Result<Option<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names.into_iter().min())
}

/// Makes a repository of the version that every release of the Python package reads.
pub(crate) async fn create(
    folder: &Path,
    config: RepositoryConfig,
) -> Result<Repository, IcechunkError> {
    Repository::create(storage(folder).await?)
        .config(config)
        .spec_version(SpecVersionBin::V1)
        .execute()
        .await
        .map_err(library("made"))
}

/// What the library takes where nothing is said, said.
pub(crate) fn storage_settings() -> Settings {
    let defaults = Settings::default();
    let (concurrency, retries) = (defaults.concurrency(), defaults.retries());
    Settings {
        concurrency: Some(ConcurrencySettings {
            max_concurrent_requests_for_object: Some(
                concurrency.max_concurrent_requests_for_object(),
            ),
            ideal_concurrent_request_size: Some(concurrency.ideal_concurrent_request_size()),
        }),
        retries: Some(RetriesSettings {
            max_tries: Some(retries.max_tries()),
            initial_backoff_ms: Some(retries.initial_backoff_ms()),
            max_backoff_ms: Some(retries.max_backoff_ms()),
        }),
        ..Settings::default()
    }
}

/// Opens a repository with the configuration that it has.
pub(crate) async fn open(folder: &Path) -> Result<Repository, IcechunkError> {
    opened(folder, None).await
}

/// Opens it without a cache of references: each is looked at once.
pub(crate) async fn open_uncached(folder: &Path) -> Result<Repository, IcechunkError> {
    let caching = CachingConfig { num_chunk_refs: Some(0), ..CachingConfig::default() };
    opened(folder, Some(RepositoryConfig { caching: Some(caching), ..RepositoryConfig::default() }))
        .await
}

async fn opened(
    folder: &Path,
    config: Option<RepositoryConfig>,
) -> Result<Repository, IcechunkError> {
    let mut builder = Repository::open(storage(folder).await?)
        // Chunks of sources are never read through the library.
        .authorize_virtual_chunk_access(HashMap::new());
    if let Some(config) = config {
        builder = builder.config(config);
    }
    builder.execute().await.map_err(library("opened"))
}

async fn storage(folder: &Path) -> Result<Arc<dyn Storage + Send + Sync>, IcechunkError> {
    // The library makes a relative path absolute by the root of the file system.
    let folder = std::path::absolute(folder).map_err(|source| at(folder, source))?;
    icechunk::new_local_filesystem_storage(&folder).await.map_err(library("reached"))
}

/// Bytes of all files in a folder.
pub(crate) fn bytes_below(folder: &Path) -> Result<u64, IcechunkError> {
    let mut sum = 0_u64;
    for entry in fs::read_dir(folder).map_err(|source| at(folder, source))? {
        let entry = entry.map_err(|source| at(folder, source))?;
        let metadata = entry.metadata().map_err(|source| at(&entry.path(), source))?;
        let bytes = if metadata.is_dir() { bytes_below(&entry.path())? } else { metadata.len() };
        sum = sum.saturating_add(bytes);
    }
    Ok(sum)
}

pub(crate) fn at(path: &Path, source: io::Error) -> IcechunkError {
    IcechunkError::Io { path: path.display().to_string(), source }
}
