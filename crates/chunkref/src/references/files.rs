// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of a set: in a folder of this machine, or below a URL.

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, SourceError, SourceErrorKind};
use chunkref_parquet::{Files, LocalFiles, Most, ParquetError};
use chunkref_store::{Location, OpenOptions, Stores};

/// The bytes of an object that is no longer than the limit of a name lets it be.
pub(super) async fn read_all(
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
pub(super) enum AnyFiles {
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
pub(super) struct StoreFiles {
    pub(super) stores: Stores,
    pub(super) folder: String,
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
