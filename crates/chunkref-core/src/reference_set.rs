// SPDX-License-Identifier: MIT OR Apache-2.0
//! References that were written, as a format reads them.

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_model::provenance::Recorded;
use chunkref_model::{ChunkRef, Dataset, Source};
use thiserror::Error;

use crate::{Limits, SourceError};

/// A bound on a file that is read as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// Bytes.
    pub bytes: u64,
    /// The limit that they come from, see [`Limits::TABLE`].
    pub name: &'static str,
}

/// The object or folder that a format opens. The front-end makes it of a location, so that formats know no stores.
#[async_trait]
pub trait SetFiles: Send + Sync + Debug {
    /// The absolute URL.
    fn location(&self) -> &str;

    /// The path, of what is on this machine.
    fn local_path(&self) -> Option<&Path>;

    /// What reading may cost.
    fn limits(&self) -> &Limits;

    /// The bytes of the file `key` of a folder, or of the object itself when `key` is empty; `None` when there is none.
    ///
    /// # Errors
    /// [`SourceError`] when it cannot be read, or is longer than `most`.
    async fn read(&self, key: &str, most: Most) -> Result<Option<Bytes>, SourceError>;
}

/// Why references cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SetError {
    /// An object cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file of this machine cannot be read.
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
    /// Where the set is, or what is asked of it, the format or this build does not cover.
    #[error("{0}")]
    Unsupported(String),
    /// What is there is not of the format, or is damaged.
    #[error(transparent)]
    Damaged(Box<dyn std::error::Error + Send + Sync>),
}

impl SetError {
    /// Something that is not of the format, or damaged.
    pub fn damaged(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Damaged(error.into())
    }
}

/// Which arrays are wanted, by path.
pub type Wanted<'a> = &'a (dyn Fn(&str) -> bool + Send + Sync);

/// A set whose metadata is read.
///
/// # Contract
/// - `metadata` has every group and array. Of a set that is not [in memory](ReferenceSet::in_memory) manifests may be empty.
/// - `read` gives all references of the arrays that are wanted. A chunk that was never written is missing, and nothing else
///   is: what cannot be read is an error.
/// - `chunk` gives what `read` gives for that chunk. It is called many times, and at the same time: what was read last is
///   worth keeping.
/// - Bytes of the set are not trusted: nothing panics, and [`Limits`] of the [`SetFiles`] hold.
#[async_trait]
pub trait ReferenceSet: Send + Sync + Debug {
    /// Groups and arrays.
    fn metadata(&self) -> &Dataset;

    /// How the references came about, where the set says so.
    fn recorded(&self) -> Option<&Recorded>;

    /// The version that is read, where the set has a history.
    fn version(&self) -> Option<String>;

    /// The dataset with all references, of a format that reads them at once.
    fn in_memory(&self) -> Option<&Arc<Dataset>>;

    /// The dataset with the references of the arrays that are wanted; the other arrays may be without theirs.
    ///
    /// # Errors
    /// [`SetError`] when they cannot be read or are damaged.
    async fn read(&self, wanted: Wanted<'_>) -> Result<Dataset, SetError>;

    /// The reference of one chunk, with its source.
    ///
    /// # Errors
    /// [`SetError`] when there is no such array, or the reference cannot be read or is damaged.
    async fn chunk(
        &self,
        path: &str,
        chunk_indices: &[u64],
    ) -> Result<(ChunkRef, Option<Source>), SetError>;
}

/// A set that is in memory: for formats that read all references at once.
#[derive(Debug)]
pub struct MemorySet {
    dataset: Arc<Dataset>,
    recorded: Option<Recorded>,
}

impl MemorySet {
    /// A dataset with all references, and what the set says of how it came about.
    #[must_use]
    pub fn new(dataset: Dataset, recorded: Option<Recorded>) -> Self {
        Self { dataset: Arc::new(dataset), recorded }
    }
}

#[async_trait]
impl ReferenceSet for MemorySet {
    fn metadata(&self) -> &Dataset {
        &self.dataset
    }

    fn recorded(&self) -> Option<&Recorded> {
        self.recorded.as_ref()
    }

    fn version(&self) -> Option<String> {
        None
    }

    fn in_memory(&self) -> Option<&Arc<Dataset>> {
        Some(&self.dataset)
    }

    async fn read(&self, _: Wanted<'_>) -> Result<Dataset, SetError> {
        Ok((*self.dataset).clone())
    }

    async fn chunk(
        &self,
        path: &str,
        chunk_indices: &[u64],
    ) -> Result<(ChunkRef, Option<Source>), SetError> {
        let array = self.dataset.array(path);
        let array =
            array.ok_or_else(|| SetError::damaged(format!("there is no array {path:?}")))?;
        let reference = array.manifest.get(chunk_indices);
        let source = match reference {
            ChunkRef::Virtual { source, .. } => self.dataset.source(source).cloned(),
            _ => None,
        };
        Ok((reference, source))
    }
}

/// Opens the sets of one format.
///
/// # Contract
/// What is read is data of others. A reader keeps the limits of [`SetFiles::limits`]: `set_bytes` for a file that it reads as
/// a whole, `set_references` for references in memory, `objects` for groups and arrays, and [`Limits::of_json`] for documents
/// in JSON.
///
/// # Example
/// A set of which nothing but its groups is kept, a path in each line:
///
/// ```
/// use std::path::Path;
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use chunkref_core::model::Dataset;
/// use chunkref_core::model::provenance::Recorded;
/// use chunkref_core::{MemorySet, Most, ReferenceSet, SetError, SetFiles, SetReader};
///
/// struct Groups;
///
/// #[async_trait]
/// impl SetReader for Groups {
///     async fn open(
///         &self,
///         files: Arc<dyn SetFiles>,
///         _version: Option<&str>,
///     ) -> Result<Box<dyn ReferenceSet>, SetError> {
///         let limits = files.limits();
///         let most = Most { bytes: limits.set_bytes, name: "set_bytes" };
///         let bytes = files.read("", most).await?;
///         let bytes = bytes.ok_or_else(|| SetError::damaged("there is no such file"))?;
///         let text = std::str::from_utf8(&bytes).map_err(SetError::damaged)?;
///         if text.lines().count() as u64 > limits.objects {
///             return Err(SetError::damaged("more groups than the limit objects allows"));
///         }
///         let mut dataset = Dataset::new();
///         for path in text.lines() {
///             dataset.group_mut(path);
///         }
///         Ok(Box::new(MemorySet::new(dataset, None)))
///     }
///
///     async fn recorded(&self, _path: &Path, _version: Option<&str>) -> Option<Recorded> {
///         None
///     }
/// }
/// ```
#[async_trait]
pub trait SetReader: Send + Sync {
    /// Opens a set: its metadata is read, its references may be read later. `version` is of formats with a history; `None`
    /// for the one that is current.
    ///
    /// # Errors
    /// [`SetError`] when there is none, or it is damaged.
    async fn open(
        &self,
        files: Arc<dyn SetFiles>,
        version: Option<&str>,
    ) -> Result<Box<dyn ReferenceSet>, SetError>;

    /// What a set of this machine says of how it came about, without its references being read. `None` when it says
    /// nothing, is not whole, or there is none.
    async fn recorded(&self, path: &Path, version: Option<&str>) -> Option<Recorded>;
}
