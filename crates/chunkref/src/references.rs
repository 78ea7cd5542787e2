// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reference sets of any kind, opened where they are.

mod detect;
mod error;
mod files;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chunkref_core::{
    Capability, ReferenceFormat, ReferenceFormats, ReferenceSet, SetError, SourceError, Wanted,
    redact,
};
use chunkref_model::provenance::Recorded;
use chunkref_model::{Array, ChunkRef, Dataset, Source};
use chunkref_read::{Lookup, ReadError, ReferenceStore, ZarrVersion};
use chunkref_store::{AccessPolicy, Location, Stores};

use crate::StoreObjects;

pub use detect::{is_reference_folder, looks_like_references};
pub use error::ReferencesError;

use detect::Told;
use files::StoredFiles;

/// A reference set whose metadata is read. References of formats that can are read when they are asked for.
pub struct References {
    location: String,
    told: Told,
    set: Box<dyn ReferenceSet>,
}

impl fmt::Debug for References {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("References")
            .field("location", &redact(&self.location))
            .field("format", &self.told.format.name)
            .finish_non_exhaustive()
    }
}

impl References {
    /// Opens a set of any format that is linked in, at the version that is current. A set on this machine is told by what is
    /// there, one at a URL by its name: a folder ends as sets of its format do, or in a slash.
    ///
    /// # Errors
    /// [`ReferencesError`] when there is none, or it is damaged.
    pub async fn open(stores: &Stores, location: &Location) -> Result<Self, ReferencesError> {
        Self::open_version(stores, location, None).await
    }

    /// The same of a branch, tag or snapshot; only formats with a [history](Capability::History) have any.
    ///
    /// # Errors
    /// [`ReferencesError`] when there is none, or it is damaged.
    pub async fn open_version(
        stores: &Stores,
        location: &Location,
        version: Option<&str>,
    ) -> Result<Self, ReferencesError> {
        let formats = ReferenceFormats::linked()?;
        let files = Arc::new(StoredFiles { stores: stores.clone(), location: location.clone() });
        let told = detect::detect(&formats, &*files).await?;
        if version.is_some() && !told.format.can(Capability::History) {
            return Err(ReferencesError::no_versions(location, &formats));
        }
        let url = location.url().to_owned();
        match told.format.open(files, version).await {
            Ok(set) => Ok(Self { location: url, told, set }),
            Err(error) => Err(told.error(&url, error)),
        }
    }

    /// The version that is read, where the references have a history.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        self.set.version()
    }

    /// Where they are.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// What they are written as.
    #[must_use]
    pub fn format(&self) -> &ReferenceFormat {
        &self.told.format
    }

    /// How they came about, where they say so.
    #[must_use]
    pub fn recorded(&self) -> Option<&Recorded> {
        self.set.recorded()
    }

    /// Groups and arrays; those of [lazy](Capability::Lazy) formats are without references.
    #[must_use]
    pub fn metadata(&self) -> &Dataset {
        self.set.metadata()
    }

    /// The dataset with the references of the arrays at `paths`, all that were written; other arrays may be without theirs.
    ///
    /// # Errors
    /// [`ReferencesError`] when a part of the set is damaged or cannot be read, and [`ReferencesError::Lost`].
    pub async fn arrays(&self, paths: &[String]) -> Result<Dataset, ReferencesError> {
        let wanted = |path: &str| paths.iter().any(|wanted| wanted == path);
        let dataset = self.read(&wanted).await?;
        check_whole(&self.location, self.recorded(), &dataset, &wanted)?;
        Ok(dataset)
    }

    /// What is there of the dataset: references that were written and are lost read as chunks that never were. For whoever
    /// looks for what is lost; all others want [`References::into_dataset`].
    ///
    /// # Errors
    /// [`ReferencesError`] when a part of the set is damaged or cannot be read.
    pub async fn into_partial_dataset(self) -> Result<Dataset, ReferencesError> {
        match self.set.in_memory().map(Arc::clone) {
            Some(dataset) => {
                drop(self);
                Ok(Arc::unwrap_or_clone(dataset))
            }
            None => self.read(&|_| true).await,
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

    /// The whole dataset, which must have as many references as were written, where the set says how many those were. A part
    /// of a set that is not there may read as chunks that never were; what is made of such a set would hide that for ever.
    ///
    /// # Errors
    /// [`ReferencesError`] when a part of the set is damaged or cannot be read, and [`ReferencesError::Lost`].
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
    /// [`ReadError`] when Zarr of that version cannot say an array, or as for
    /// [`References::policy`].
    pub fn into_store(
        self,
        stores: &Stores,
        version: ZarrVersion,
    ) -> Result<ReferenceStore, ReadError> {
        let policy = self.policy(stores)?;
        let objects = Arc::new(StoreObjects::new(stores.clone(), policy));
        let lookup: Arc<dyn Lookup> = match self.set.in_memory() {
            Some(dataset) => Arc::<Dataset>::clone(dataset),
            None => Arc::new(self),
        };
        ReferenceStore::new(lookup, objects, version)
    }

    async fn read(&self, wanted: Wanted<'_>) -> Result<Dataset, ReferencesError> {
        self.set.read(wanted).await.map_err(|error| self.told.error(&self.location, error))
    }

    /// An error of a lookup.
    fn unread(&self, error: SetError) -> ReadError {
        unread(self.told.error(&self.location, error))
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
    ) -> Result<(ChunkRef, Option<Source>), ReadError> {
        if let Some(dataset) = self.set.in_memory() {
            return dataset.chunk(path, chunk_indices).await;
        }
        let found = self.set.chunk(path, chunk_indices).await;
        found.map_err(|error| self.unread(error))
    }

    async fn array(&self, path: &str) -> Result<Cow<'_, Array>, ReadError> {
        if let Some(dataset) = self.set.in_memory() {
            return Lookup::array(&**dataset, path).await;
        }
        let read = self.arrays(&[path.to_owned()]).await.map_err(unread)?;
        Ok(Cow::Owned(Lookup::array(&read, path).await?.into_owned()))
    }
}

fn unread(error: ReferencesError) -> ReadError {
    ReadError::References(Box::new(error))
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

#[cfg(test)]
mod tests {
    use std::fs;

    use chunkref_core::EmitOptions;
    use futures::executor::block_on;

    use super::*;
    use crate::emit::emit;
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
            let options = EmitOptions::default().with_format_option("json.templates", "true");
            emit(&dataset(), &path, &options).unwrap();
            let location = Location::from_path(&path).unwrap();
            let references = block_on(References::open(&stores, &location)).unwrap();
            let format = if name.contains(".json") { "kerchunk-json" } else { "kerchunk-parquet" };
            assert_eq!(references.format().name, format);
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
            let formats = crate::emit::formats().unwrap();
            let icechunk = formats.by_name("icechunk").unwrap();
            icechunk.emit(&dataset(), &path, &options).unwrap();
            assert_eq!(formats.of_destination(&path).unwrap(), icechunk);
            let location = Location::from_path(&path).unwrap();
            assert!(is_reference_folder(&formats, &location));
            let references = block_on(References::open(&stores, &location)).unwrap();
            assert_eq!(references.format(), icechunk);
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
        emit(&dataset(), &path, &EmitOptions::default()).unwrap();
        let location = Location::from_path(&path).unwrap();
        let stores = crate::stores();
        let opened = References::open_version(&stores, &location, Some("main"));
        let error = block_on(opened).unwrap_err().to_string();
        assert!(error.contains("only these have: references in an Icechunk repository"), "{error}");
    }

    #[test]
    fn what_is_none_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let stores = crate::stores();
        fs::write(folder.path().join("b.json"), b"{\"version\":1,\"refs\":{").unwrap();
        fs::write(folder.path().join("c.json.gz"), b"\x1f\x8b\x08none").unwrap();
        fs::create_dir(folder.path().join("d")).unwrap();
        for (name, reason) in [("b.json", "JSON"), ("c.json.gz", "JSON"), ("d", "a folder")] {
            let location = Location::from_path(&folder.path().join(name)).unwrap();
            let error = block_on(References::open(&stores, &location)).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let all = format!("{error}: {}", source.unwrap_or_default());
            assert!(all.contains(reason) && all.contains(name), "{all}");
        }
    }
}
