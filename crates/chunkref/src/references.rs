// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reference sets of any kind, opened where they are.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::error::Error as _;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, SourceError, SourceErrorKind, redact};
use chunkref_model::kerchunk_json::{self, ReadError, Recorded};
use chunkref_model::{Array, ChunkRef, Dataset, Source};
use chunkref_parquet::{
    Files, LocalFiles, Most, ParquetError, ParquetReferences, PartitionReferences,
};
use chunkref_read::{Lookup, ReferenceStore, ZarrVersion};
use chunkref_store::{AccessPolicy, Location, OpenOptions, Stores};
use thiserror::Error;

use crate::StoreObjects;
use crate::emit::Target;
use crate::set_text::{is_packed, unpacked};

/// References cannot be read. What it shows has no secrets in it.
#[derive(Error)]
#[non_exhaustive]
pub enum ReferencesError {
    /// The object cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file cannot be read.
    #[error("{} cannot be read", redact(location))]
    Io {
        /// The file.
        location: String,
        /// Why.
        source: io::Error,
    },
    /// It is no kerchunk JSON.
    #[error(
        "{} is not kerchunk JSON that can be read; of a data file, `scan` or `build` makes references first",
        redact(location)
    )]
    Json {
        /// The object.
        location: String,
        /// What is wrong with it.
        source: ReadError,
    },
    /// It is no Icechunk repository.
    #[cfg(feature = "icechunk")]
    #[error("{} is not an Icechunk repository that can be read", redact(location))]
    Icechunk {
        /// The folder.
        location: String,
        /// What is wrong with it.
        source: chunkref_icechunk::IcechunkError,
    },
    /// A kind that this build does not read.
    #[error("{}: {reason}", redact(location))]
    Unsupported {
        /// The object or folder.
        location: String,
        /// What to do.
        reason: &'static str,
    },
    /// References that were written are not there any more.
    #[error(
        "{location}: array {array:?} has {found} references, and had {written} when they were written: parts of the set are lost, or cannot be seen; make it again, or copy all of it"
    )]
    Lost {
        /// The set.
        location: String,
        /// The array.
        array: String,
        /// References that were written.
        written: u64,
        /// References that are there.
        found: u64,
    },
    /// It is no kerchunk Parquet.
    #[error("{} is not kerchunk Parquet that can be read", redact(location))]
    Parquet {
        /// The folder.
        location: String,
        /// What is wrong with it.
        source: ParquetError,
    },
}

impl fmt::Debug for ReferencesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source().map(|source| redact(&format!("{source:?}")).into_owned());
        formatter
            .debug_struct("ReferencesError")
            .field("message", &self.to_string())
            .field("source", &source)
            .finish()
    }
}

impl ReferencesError {
    pub(crate) fn no_versions(location: &Location) -> Self {
        let reason = "only Icechunk repositories have branches, tags and snapshots";
        Self::Unsupported { location: location.url().to_owned(), reason }
    }
}

/// A reference set whose metadata is read. References in Parquet are read when they are asked for.
pub struct References {
    location: String,
    inner: Inner,
}

impl fmt::Debug for References {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("References")
            .field("location", &redact(&self.location))
            .field("target", &self.target())
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Inner {
    Json {
        dataset: Box<Dataset>,
        recorded: Option<Recorded>,
    },
    Parquet(Box<ParquetReferences<AnyFiles>>, Partitions),
    #[cfg(feature = "icechunk")]
    Icechunk(Box<chunkref_icechunk::IcechunkReferences>, Arrays),
}

/// Most arrays of a repository whose references are kept for lookups.
#[cfg(feature = "icechunk")]
const MOST_ARRAYS: usize = 8;

/// The arrays of a repository that were looked into last, each with its references.
#[cfg(feature = "icechunk")]
#[derive(Debug, Default)]
struct Arrays(futures::lock::Mutex<VecDeque<(String, Arc<Dataset>)>>);

/// Most partitions that are kept for lookups.
const MOST_PARTITIONS: usize = 32;

/// A partition by its array and number.
type Partition = ((String, u64), Arc<PartitionReferences>);

/// The partitions that were looked into last.
#[derive(Debug, Default)]
struct Partitions(futures::lock::Mutex<VecDeque<Partition>>);

impl Partitions {
    /// A partition, which is read once for all who ask at the same time.
    async fn get(
        &self,
        references: &ParquetReferences<AnyFiles>,
        path: &str,
        number: u64,
    ) -> Result<Arc<PartitionReferences>, ParquetError> {
        let mut kept = self.0.lock().await;
        if let Some((_, partition)) =
            kept.iter().find(|((known, place), _)| known == path && *place == number)
        {
            return Ok(Arc::clone(partition));
        }
        let partition = Arc::new(references.read_partition(path, number).await?);
        if kept.len() >= MOST_PARTITIONS {
            kept.pop_front();
        }
        kept.push_back(((path.to_owned(), number), Arc::clone(&partition)));
        Ok(partition)
    }
}

impl References {
    /// Opens kerchunk JSON of version 0 or 1, which may be compressed by gzip or zstd, a folder of kerchunk Parquet, or the
    /// branch `main` of an Icechunk repository. A folder is told by its name, which ends in `.parq`, `.parquet`, `.icechunk`
    /// or a slash, or by what is there.
    ///
    /// # Errors
    /// [`ReferencesError`] when there is none, or it is damaged.
    pub async fn open(stores: &Stores, location: &Location) -> Result<Self, ReferencesError> {
        Self::open_version(stores, location, None).await
    }

    /// The same of a branch, tag or snapshot of an Icechunk repository; other kinds have no versions.
    ///
    /// # Errors
    /// [`ReferencesError`] when there is none, or it is damaged.
    pub async fn open_version(
        stores: &Stores,
        location: &Location,
        version: Option<&str>,
    ) -> Result<Self, ReferencesError> {
        let url = location.url().to_owned();
        let local = location.local_path();
        let kind = local.map_or_else(|| Some(Target::of(url_path(&url))), Target::of_folder);
        if kind == Some(Target::Icechunk) {
            return Self::open_icechunk(location, version).await;
        }
        if version.is_some() {
            return Err(ReferencesError::no_versions(location));
        }
        if local.map_or_else(|| names_folder(&url), std::path::Path::is_dir) {
            let files = match local {
                Some(path) => AnyFiles::Local(LocalFiles::new(path)),
                None => AnyFiles::Store(StoreFiles {
                    stores: stores.clone(),
                    folder: url.trim_end_matches('/').to_owned(),
                }),
            };
            let references = ParquetReferences::open(files, stores.limits())
                .await
                .map_err(|source| ReferencesError::Parquet { location: url.clone(), source })?;
            let inner = Inner::Parquet(Box::new(references), Partitions::default());
            return Ok(Self { location: url, inner });
        }
        let wrap = |source| ReferencesError::Json { location: url.clone(), source };
        let failed = |source| ReferencesError::Io { location: url.clone(), source };
        let (limits, of_sets) = (stores.limits(), stores.limits().of_sets());
        let (dataset, recorded) = if let Some(path) = local.filter(|path| path.is_file()) {
            // As a stream: the text of millions of references is not held.
            let open = || File::open(path).and_then(|file| unpacked(BufReader::new(file), limits));
            let dataset = open().map_err(failed)?;
            let dataset = kerchunk_json::read_within(dataset, &of_sets).map_err(wrap)?;
            let head = open().map_err(failed)?;
            (dataset, kerchunk_json::read_provenance_within(head, &of_sets))
        } else {
            let bytes = read_all(stores, location, limits.set_bytes, "set_bytes").await?;
            let open = || unpacked(&*bytes, limits).map_err(failed);
            let dataset = kerchunk_json::read_within(open()?, &of_sets).map_err(wrap)?;
            (dataset, kerchunk_json::read_provenance_within(open()?, &of_sets))
        };
        let dataset = Box::new(dataset);
        Ok(Self { location: url, inner: Inner::Json { dataset, recorded } })
    }

    #[cfg(feature = "icechunk")]
    async fn open_icechunk(
        location: &Location,
        version: Option<&str>,
    ) -> Result<Self, ReferencesError> {
        let url = location.url().to_owned();
        let Some(folder) = location.local_path() else {
            let reason = "Icechunk repositories are read from folders of this machine only";
            return Err(ReferencesError::Unsupported { location: url, reason });
        };
        match chunkref_icechunk::IcechunkReferences::open(folder, version).await {
            Ok(references) => Ok(Self {
                location: url,
                inner: Inner::Icechunk(Box::new(references), Arrays::default()),
            }),
            Err(source) => Err(ReferencesError::Icechunk { location: url, source }),
        }
    }

    #[cfg(not(feature = "icechunk"))]
    #[expect(clippy::unused_async, reason = "as the one that reads")]
    async fn open_icechunk(
        location: &Location,
        _version: Option<&str>,
    ) -> Result<Self, ReferencesError> {
        let location = location.url().to_owned();
        let reason = crate::emit::WITHOUT_ICECHUNK;
        Err(ReferencesError::Unsupported { location, reason })
    }

    /// The version that is read, where the references have a history: the snapshot of an Icechunk repository.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        match &self.inner {
            Inner::Json { .. } | Inner::Parquet(..) => None,
            #[cfg(feature = "icechunk")]
            Inner::Icechunk(references, _) => Some(references.snapshot()),
        }
    }

    /// Where they are.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// What they are written as.
    #[must_use]
    pub fn target(&self) -> Target {
        match &self.inner {
            Inner::Json { .. } => Target::KerchunkJson,
            Inner::Parquet(..) => Target::KerchunkParquet,
            #[cfg(feature = "icechunk")]
            Inner::Icechunk(..) => Target::Icechunk,
        }
    }

    /// How they came about, where they say so.
    #[must_use]
    pub fn recorded(&self) -> Option<&Recorded> {
        match &self.inner {
            Inner::Json { recorded, .. } => recorded.as_ref(),
            Inner::Parquet(references, _) => references.recorded(),
            #[cfg(feature = "icechunk")]
            Inner::Icechunk(references, _) => references.recorded(),
        }
    }

    /// Groups and arrays; those of Parquet and Icechunk are without references.
    #[must_use]
    pub fn metadata(&self) -> &Dataset {
        match &self.inner {
            Inner::Json { dataset, .. } => dataset,
            Inner::Parquet(references, _) => references.metadata(),
            #[cfg(feature = "icechunk")]
            Inner::Icechunk(references, _) => references.metadata(),
        }
    }

    /// The dataset with the references of the arrays at `paths`, all that were written; other arrays may be without theirs.
    ///
    /// # Errors
    /// [`ReferencesError`] when a partition is damaged or cannot be read, and [`ReferencesError::Lost`].
    pub async fn arrays(&self, paths: &[String]) -> Result<Dataset, ReferencesError> {
        let wanted = |path: &str| paths.iter().any(|wanted| wanted == path);
        let dataset = match &self.inner {
            Inner::Json { dataset, .. } => (**dataset).clone(),
            Inner::Parquet(references, _) => {
                references.read(&wanted).await.map_err(|source| self.parquet(source))?
            }
            #[cfg(feature = "icechunk")]
            Inner::Icechunk(references, _) => references.read(&wanted).await.map_err(|source| {
                ReferencesError::Icechunk { location: self.location.clone(), source }
            })?,
        };
        check_whole(&self.location, self.recorded(), &dataset, &wanted)?;
        Ok(dataset)
    }

    /// What is there of the dataset: references that were written and are lost read as chunks that never were. For whoever
    /// looks for what is lost; all others want [`References::into_dataset`].
    ///
    /// # Errors
    /// [`ReferencesError`] when a partition is damaged or cannot be read.
    pub async fn into_partial_dataset(self) -> Result<Dataset, ReferencesError> {
        let Self { location, inner } = self;
        match inner {
            Inner::Json { dataset, .. } => Ok(*dataset),
            Inner::Parquet(references, _) => references
                .read(&|_| true)
                .await
                .map_err(|source| ReferencesError::Parquet { location, source }),
            #[cfg(feature = "icechunk")]
            Inner::Icechunk(references, _) => references
                .read(&|_| true)
                .await
                .map_err(|source| ReferencesError::Icechunk { location, source }),
        }
    }

    /// What the set may name: what is beside it, and what the stores allow.
    ///
    /// # Errors
    /// [`SourceError`] when it is not clear which of several allowed stores options are for.
    pub fn policy(&self, stores: &Stores) -> Result<AccessPolicy, SourceError> {
        let location = Location::parse(&self.location)?;
        stores.check_binding([&location])?;
        Ok(stores.policy_of_set(&location))
    }

    /// The whole dataset, which must have as many references as were written, where the set says how many those were. Of
    /// a set in Parquet a partition that is not there reads as chunks that never were; what is made of such a set would
    /// hide that for ever.
    ///
    /// # Errors
    /// [`ReferencesError`] when a partition is damaged or cannot be read, and [`ReferencesError::Lost`].
    pub async fn into_dataset(self) -> Result<Dataset, ReferencesError> {
        let (location, recorded) = (self.location.clone(), self.recorded().cloned());
        let dataset = self.into_partial_dataset().await?;
        check_whole(&location, recorded.as_ref(), &dataset, &|_| true)?;
        Ok(dataset)
    }

    /// The references as a Zarr store, whose objects are read through `stores` as far as the set may name them
    /// ([`AccessPolicy`]).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use chunkref::read::{Part, ZarrVersion};
    ///
    /// let stores = chunkref::stores();
    /// let references = chunkref::References::open(&stores, &chunkref::Location::parse("cube.parq")?).await?;
    /// let store = references.into_store(&stores, ZarrVersion::V2)?;
    /// let chunk = store.get("CMI_C01/0.0.0", &Part::Whole).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ReadError`](chunkref_read::ReadError) when Zarr of that version cannot say an array, or as for
    /// [`References::policy`].
    pub fn into_store(
        self,
        stores: &Stores,
        version: ZarrVersion,
    ) -> Result<ReferenceStore, chunkref_read::ReadError> {
        let policy = self.policy(stores)?;
        let objects = Arc::new(StoreObjects::new(stores.clone(), policy));
        let lookup: Arc<dyn Lookup> = match self.inner {
            Inner::Json { dataset, .. } => Arc::new(*dataset),
            Inner::Parquet(..) => Arc::new(self),
            #[cfg(feature = "icechunk")]
            Inner::Icechunk(..) => Arc::new(self),
        };
        ReferenceStore::new(lookup, objects, version)
    }

    /// A dataset with the references of one array, which are read once for all who ask at the same time.
    #[cfg(feature = "icechunk")]
    async fn kept(&self, arrays: &Arrays, path: &str) -> Result<Arc<Dataset>, ReferencesError> {
        let mut kept = arrays.0.lock().await;
        if let Some((_, dataset)) = kept.iter().find(|(known, _)| known == path) {
            return Ok(Arc::clone(dataset));
        }
        let dataset = Arc::new(self.arrays(&[path.to_owned()]).await?);
        if kept.len() >= MOST_ARRAYS {
            kept.pop_front();
        }
        kept.push_back((path.to_owned(), Arc::clone(&dataset)));
        Ok(dataset)
    }

    fn parquet(&self, source: ParquetError) -> ReferencesError {
        ReferencesError::Parquet { location: self.location.clone(), source }
    }
}

#[async_trait]
impl Lookup for References {
    fn metadata(&self) -> &Dataset {
        References::metadata(self)
    }

    async fn chunk(
        &self,
        path: &str,
        chunk_indices: &[u64],
    ) -> Result<(ChunkRef, Option<Source>), chunkref_read::ReadError> {
        let (references, partitions) = match &self.inner {
            Inner::Json { dataset, .. } => return dataset.chunk(path, chunk_indices).await,
            Inner::Parquet(references, partitions) => (references, partitions),
            #[cfg(feature = "icechunk")]
            Inner::Icechunk(_, arrays) => {
                let dataset = self.kept(arrays, path).await.map_err(unread)?;
                return dataset.chunk(path, chunk_indices).await;
            }
        };
        let wrap = |source| unread(self.parquet(source));
        match references.place(path, chunk_indices).map_err(wrap)? {
            None => Ok((ChunkRef::Missing, None)),
            Some((number, row)) => {
                let partition = partitions.get(references, path, number).await.map_err(wrap)?;
                Ok(partition.get(row))
            }
        }
    }

    async fn array(&self, path: &str) -> Result<Cow<'_, Array>, chunkref_read::ReadError> {
        if let Inner::Json { dataset, .. } = &self.inner {
            return Lookup::array(&**dataset, path).await;
        }
        let read = self.arrays(&[path.to_owned()]).await.map_err(unread)?;
        Ok(Cow::Owned(Lookup::array(&read, path).await?.into_owned()))
    }
}

/// An error when an array that is `wanted` has fewer references than were written.
fn check_whole(
    location: &str,
    recorded: Option<&Recorded>,
    dataset: &Dataset,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<(), ReferencesError> {
    let Some(recorded) = recorded else { return Ok(()) };
    for (array, contents) in dataset.arrays() {
        let found = contents.manifest.present();
        match recorded.contents(&array).map(|known| known.references) {
            Some(written) if found < written && wanted(&array) => {
                let location = location.to_owned();
                return Err(ReferencesError::Lost { location, array, written, found });
            }
            _ => {}
        }
    }
    Ok(())
}

fn unread(error: ReferencesError) -> chunkref_read::ReadError {
    chunkref_read::ReadError::References(Box::new(error))
}

/// Whether an object may be a reference set, so far as its first bytes and its name say.
#[must_use]
pub fn looks_like_references(location: &Location, head: &[u8]) -> bool {
    let name = location.file_name();
    let text = head.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(text, Some(b'{')) || (is_packed(head) && name.contains(".json"))
}

/// Whether a location is a folder that holds a reference set: a local one by what is there, a URL by its name.
#[must_use]
pub fn is_reference_folder(location: &Location) -> bool {
    location
        .local_path()
        .map_or_else(|| names_folder(location.url()), |path| Target::of_folder(path).is_some())
}

/// The path of a URL, for its extension.
fn url_path(url: &str) -> &std::path::Path {
    std::path::Path::new(url.split(['?', '#']).next().unwrap_or(url))
}

fn names_folder(url: &str) -> bool {
    let plain = url.split(['?', '#']).next().unwrap_or(url);
    let ends = |ending| plain.trim_end_matches('/').ends_with(ending);
    plain.ends_with('/') || ends(".parq") || ends(".parquet") || ends(".icechunk")
}

/// The bytes of an object that is no longer than the limit of a name lets it be.
async fn read_all(
    stores: &Stores,
    location: &Location,
    most: u64,
    name: &str,
) -> Result<Bytes, SourceError> {
    let opened = stores.open(location, &OpenOptions::default()).await?;
    let length = opened.source.version().length;
    if length > most {
        return Err(SourceError {
            kind: SourceErrorKind::NotAllowed,
            location: location.url().to_owned(),
            message: format!("it has {length} bytes, more than the limit {name}={most} allows"),
            source: None,
        });
    }
    let bytes = opened.source.read_many(std::slice::from_ref(&(0..length))).await?;
    Ok(bytes.into_iter().next().unwrap_or_default())
}

#[derive(Debug)]
enum AnyFiles {
    Local(LocalFiles),
    Store(StoreFiles),
}

#[async_trait]
impl Files for AnyFiles {
    async fn read(&self, key: &str, most: Most) -> Result<Option<Bytes>, ParquetError> {
        match self {
            Self::Local(files) => files.read(key, most).await,
            Self::Store(files) => files.read(key, most).await,
        }
    }

    async fn list(&self, folder: &str) -> Result<Option<Vec<String>>, ParquetError> {
        match self {
            Self::Local(files) => files.list(folder).await,
            Self::Store(files) => files.list(folder).await,
        }
    }
}

/// Files below a URL.
#[derive(Debug)]
struct StoreFiles {
    stores: Stores,
    folder: String,
}

#[async_trait]
impl Files for StoreFiles {
    async fn read(&self, key: &str, most: Most) -> Result<Option<Bytes>, ParquetError> {
        let location = Location::parse(&format!("{}/{key}", self.folder))?;
        match read_all(&self.stores, &location, most.bytes, most.name).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind == SourceErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn list(&self, _folder: &str) -> Result<Option<Vec<String>>, ParquetError> {
        // A web server lists nothing, and of a bucket a listing is no cheaper than a few reads.
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chunkref_core::EmitOptions;
    use futures::executor::block_on;

    use super::*;
    use crate::model::{
        Array, Attributes, ByteOrder, ChunkGrid, ChunkRef, DataType, ManifestBuilder, Source,
    };

    fn dataset() -> Dataset {
        let mut dataset = Dataset::new();
        let source =
            dataset.add_source(Source { location: "file:///data/a.nc".to_owned(), version: None });
        let mut manifest = ManifestBuilder::new([3]).unwrap();
        manifest.push(&[0], ChunkRef::Virtual { source, offset: 5, length: 10 }).unwrap();
        let array = Array {
            shape: vec![6],
            dimensions: vec!["x".to_owned()],
            dtype: DataType::UInt { length: 2, order: ByteOrder::Little },
            fill_value: None,
            chunk_grid: ChunkGrid::regular([2]),
            codecs: Vec::new(),
            attributes: Attributes::new(),
            manifest: manifest.finish().unwrap(),
        };
        dataset.root.arrays.insert("a".to_owned(), array);
        dataset
    }

    #[test]
    fn every_kind_is_told_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let stores = crate::stores();
        for name in ["a.json", "a.json.gz", "a.json.zst", "a.parq"] {
            let path = folder.path().join(name);
            let target = Target::of(&path);
            let templates = target == Target::KerchunkJson;
            let options = EmitOptions::default().with_templates(templates);
            target.emitter().emit(&dataset(), &path, &options).unwrap();
            let location = Location::from_path(&path).unwrap();
            let references = block_on(References::open(&stores, &location)).unwrap();
            assert_eq!(references.target(), target);
            assert_eq!(references.metadata().arrays().len(), 1);
            let some = block_on(references.arrays(&["a".to_owned()])).unwrap();
            let all = block_on(references.into_dataset()).unwrap();
            assert_eq!(all.array("a"), dataset().array("a"), "{name}");
            assert_eq!(some.array("a"), all.array("a"));
            assert_eq!(all.sources(), dataset().sources());
        }
    }

    #[cfg(feature = "icechunk")]
    #[test]
    fn icechunk_is_told_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let stores = crate::stores();
        for name in ["a.icechunk", "b"] {
            let path = folder.path().join(name);
            let options = EmitOptions::default();
            Target::Icechunk.emitter().emit(&dataset(), &path, &options).unwrap();
            assert_eq!(Target::of(&path), Target::Icechunk);
            let location = Location::from_path(&path).unwrap();
            assert!(is_reference_folder(&location));
            let references = block_on(References::open(&stores, &location)).unwrap();
            assert_eq!(references.target(), Target::Icechunk);
            assert_eq!(references.metadata().arrays().len(), 1);
            let version = references.version().unwrap();
            let some = block_on(references.arrays(&["a".to_owned()])).unwrap();
            let all = block_on(references.into_dataset()).unwrap();
            assert_eq!(all.array("a"), dataset().array("a"), "{name}");
            assert_eq!(some.array("a"), all.array("a"));
            let again = References::open_version(&stores, &location, Some(&version));
            assert_eq!(block_on(again).unwrap().version(), Some(version));
        }
        let bucket = Location::parse("s3://bucket/a.icechunk").unwrap();
        let error = block_on(References::open(&stores, &bucket)).unwrap_err();
        assert!(error.to_string().contains("folders of this machine only"), "{error}");
    }

    #[cfg(not(feature = "icechunk"))]
    #[test]
    fn a_build_without_icechunk_says_so() {
        let location = Location::parse("s3://bucket/a.icechunk").unwrap();
        let error = block_on(References::open(&crate::stores(), &location)).unwrap_err();
        assert!(error.to_string().contains("cargo feature icechunk"), "{error}");
    }

    #[test]
    fn only_repositories_have_versions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        Target::of(&path).emitter().emit(&dataset(), &path, &EmitOptions::default()).unwrap();
        let location = Location::from_path(&path).unwrap();
        let stores = crate::stores();
        let opened = References::open_version(&stores, &location, Some("main"));
        let error = block_on(opened).unwrap_err().to_string();
        assert!(error.contains("only Icechunk"), "{error}");
    }

    #[test]
    fn what_is_none_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let stores = crate::stores();
        fs::write(folder.path().join("b.json"), b"{\"version\":1,\"refs\":{").unwrap();
        fs::write(folder.path().join("c.json.gz"), b"\x1f\x8b\x08none").unwrap();
        fs::create_dir(folder.path().join("d")).unwrap();
        for (name, reason) in [("b.json", "JSON"), ("c.json.gz", "JSON"), ("d", "no such file")] {
            let location = Location::from_path(&folder.path().join(name)).unwrap();
            let error = block_on(References::open(&stores, &location)).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let all = format!("{error}: {}", source.unwrap_or_default());
            assert!(all.contains(reason) && all.contains(name), "{all}");
        }
    }
}
