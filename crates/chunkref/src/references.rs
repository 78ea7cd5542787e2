// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reference sets of any kind, opened where they are.

mod error;
mod files;
mod lookup;

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;

use chunkref_core::{SourceError, redact};
use chunkref_model::Dataset;
use chunkref_model::kerchunk_json::{self, Recorded};
use chunkref_parquet::{LocalFiles, ParquetError, ParquetReferences};
use chunkref_read::{Lookup, ReferenceStore, ZarrVersion};
use chunkref_store::{AccessPolicy, Location, Stores};

use crate::StoreObjects;
use crate::emit::Target;
use crate::set_text::{is_packed, unpacked};

pub use error::ReferencesError;

use files::{AnyFiles, StoreFiles, read_all};
#[cfg(feature = "icechunk")]
use lookup::Arrays;
use lookup::Partitions;

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

    fn parquet(&self, source: ParquetError) -> ReferencesError {
        ReferencesError::Parquet { location: self.location.clone(), source }
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
