// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a location holds: references, or a file that is scanned as it is opened.

use std::sync::Arc;

use chunkref_core::{
    ByteSource, ReferenceFormats, Registry, Scan, ScanError, ScanErrorKind, ScanOptions,
    ScannerEntry, SourceError,
};
use chunkref_read::{ReadError, ReferenceStore, ZarrVersion};
use chunkref_store::{AccessPolicy, Location, OpenOptions, Stores};
use thiserror::Error;

use crate::references::{is_reference_folder, looks_like_references};
use crate::{OptionError, References, ReferencesError, StoreObjects};

/// Bytes that tell a reference set from other files.
const HEAD_BYTES: u64 = 64;

/// What a location holds.
#[derive(Debug)]
pub enum Opened {
    /// A reference set.
    References(Box<References>),
    /// A file of one of the formats.
    File(Box<OpenedFile>),
}

/// A file that was scanned.
#[derive(Debug)]
pub struct OpenedFile {
    /// Its format.
    pub format: ScannerEntry,
    /// Its bytes.
    pub length: u64,
    /// What it may name.
    pub policy: AccessPolicy,
    /// What the scan found.
    pub scan: Scan,
}

/// Why a location could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Options that do not fit the formats.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// The references cannot be read.
    #[error(transparent)]
    References(#[from] ReferencesError),
    /// The file cannot be read or scanned.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// It cannot be shown as a Zarr store.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Opened {
    /// Opens a reference set, or scans a file. A format in the options says that it is a file.
    ///
    /// # Errors
    /// [`OpenError`] when it cannot be read, or is neither.
    pub async fn open(
        stores: &Stores,
        registry: &Registry,
        location: &Location,
        options: &ScanOptions,
    ) -> Result<Self, OpenError> {
        Self::open_version(stores, registry, location, options, None).await
    }

    /// The same of a branch, tag or snapshot of references that have a history; nothing else has versions.
    ///
    /// # Errors
    /// [`OpenError`] when it cannot be read, or is neither.
    pub async fn open_version(
        stores: &Stores,
        registry: &Registry,
        location: &Location,
        options: &ScanOptions,
        version: Option<&str>,
    ) -> Result<Self, OpenError> {
        let formats = ReferenceFormats::linked().map_err(ReferencesError::from)?;
        let references = async || {
            let references = References::open_version(stores, location, version).await?;
            Ok(Self::References(Box::new(references)))
        };
        if options.format.is_none() && is_reference_folder(&formats, location) {
            return references().await;
        }
        let failed = |error| ScanError::from_source(error, None);
        let opening = OpenOptions::default().with_allowed_outside(&options.allow_outside);
        let source = stores.open(location, &opening).await.map_err(failed)?.source;
        let length = source.version().length;
        let head = source.read_many(std::slice::from_ref(&(0..length.min(HEAD_BYTES)))).await;
        let head = head.map_err(failed)?;
        if options.format.is_none()
            && head.first().is_some_and(|head| looks_like_references(&formats, location, head))
        {
            return references().await;
        }
        if version.is_some() {
            return Err(ReferencesError::no_versions(location, &formats).into());
        }
        let format = match crate::choose(registry, &source, options).await {
            Ok(format) => *format,
            // What is called as a reference set and is no file of any format either: its format says what is wrong with it.
            Err(error)
                if error.kind == ScanErrorKind::UnknownFormat
                    && formats.of_name(location.file_name()).is_some() =>
            {
                return references().await;
            }
            Err(error) => return Err(error.into()),
        };
        let scan = format.scan(&source, &crate::options_within(stores, options)).await?;
        let policy = stores.policy_of_file(location, &options.allow_outside);
        Ok(Self::File(Box::new(OpenedFile { format, length, policy, scan })))
    }

    /// What its chunks may lie in.
    ///
    /// # Errors
    /// As for [`References::policy`].
    pub fn policy(&self, stores: &Stores) -> Result<AccessPolicy, SourceError> {
        match self {
            Self::References(references) => references.policy(stores),
            Self::File(file) => Ok(file.policy.clone()),
        }
    }

    /// The same as a Zarr store, whose objects are read through `stores`.
    ///
    /// # Errors
    /// [`ReadError`] when Zarr of that version cannot say an array.
    pub fn into_store(
        self,
        stores: &Stores,
        version: ZarrVersion,
    ) -> Result<ReferenceStore, ReadError> {
        match self {
            Self::References(references) => references.into_store(stores, version),
            Self::File(file) => {
                let objects = Arc::new(StoreObjects::new(stores.clone(), file.policy));
                ReferenceStore::new(Arc::new(file.scan.dataset), objects, version)
            }
        }
    }
}

/// The reference set or file at a path or URL as a Zarr store, with the stores of this process ([`stores`](crate::stores)).
///
/// With the feature `zarrs`, a cube is five lines away:
///
#[cfg_attr(feature = "zarrs", doc = "```")]
#[cfg_attr(not(feature = "zarrs"), doc = "```ignore")]
/// # fn example(cube: &str) -> Result<Vec<i16>, Box<dyn std::error::Error>> {
/// use chunkref::read::ZarrVersion;
/// let store = futures::executor::block_on(chunkref::open_store(cube, ZarrVersion::V3))?.into_zarrs();
/// let array = zarrs::array::Array::open(store, "/sst")?;
/// let all = zarrs::array::ArraySubset::new_with_shape(array.shape().to_vec());
/// let values: Vec<i16> = array.retrieve_array_subset(&all)?;
/// # Ok(values)
/// # }
/// # let folder = tempfile::tempdir()?;
/// # std::fs::write(folder.path().join("raw.bin"), [0, 0, 1, 0, 2, 0])?;
/// # let cube = folder.path().join("cube.json");
/// # let raw = folder.path().join("raw.bin");
/// # std::fs::write(&cube, serde_json::json!({"version": 1, "refs": {
/// #     ".zgroup": "{\"zarr_format\":2}",
/// #     "sst/.zarray": "{\"zarr_format\":2,\"shape\":[3],\"chunks\":[2],\"dtype\":\"<i2\",\"order\":\"C\",\"fill_value\":7,\"compressor\":null,\"filters\":null}",
/// #     "sst/.zattrs": "{\"_ARRAY_DIMENSIONS\":[\"x\"]}",
/// #     "sst/0": [format!("file://{}", raw.display()), 2, 4],
/// # }}).to_string())?;
/// # assert_eq!(example(cube.to_str().unwrap())?, [1, 2, 7]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`OpenError`] when it cannot be read, is neither a reference set nor a file of a known format, or when Zarr of that
/// version cannot say an array.
pub async fn open_store(url: &str, version: ZarrVersion) -> Result<ReferenceStore, OpenError> {
    let location = Location::parse(url).map_err(|error| ScanError::from_source(error, None))?;
    let (stores, registry) = (crate::stores(), crate::registry()?);
    let opened = Opened::open(&stores, &registry, &location, &ScanOptions::default()).await?;
    Ok(opened.into_store(&stores, version)?)
}
