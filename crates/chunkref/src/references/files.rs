// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of a set, at a location that the stores reach.

use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, Limits, Most, SetFiles, SourceError, SourceErrorKind};
use chunkref_store::{Location, OpenOptions, Stores};

/// Files at or below a location.
#[derive(Debug)]
pub(super) struct StoredFiles {
    pub(super) stores: Stores,
    pub(super) location: Location,
}

#[async_trait]
impl SetFiles for StoredFiles {
    fn location(&self) -> &str {
        self.location.url()
    }

    fn local_path(&self) -> Option<&Path> {
        self.location.local_path()
    }

    fn limits(&self) -> &Limits {
        self.stores.limits()
    }

    async fn read(&self, key: &str, most: Most) -> Result<Option<Bytes>, SourceError> {
        let read = if key.is_empty() {
            read_all(&self.stores, &self.location, most).await
        } else {
            let folder = self.location.url().trim_end_matches('/');
            let location = Location::parse(&format!("{folder}/{key}"))?;
            read_all(&self.stores, &location, most).await
        };
        match read {
            Ok(bytes) => Ok(Some(bytes)),
            // Of the object itself, the error says more than that there is none.
            Err(error) if error.kind == SourceErrorKind::NotFound && !key.is_empty() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The bytes of an object that is no longer than the limit of a name lets it be.
async fn read_all(stores: &Stores, location: &Location, most: Most) -> Result<Bytes, SourceError> {
    let opened = stores.open(location, &OpenOptions::default()).await?;
    let length = opened.source.version().length;
    let Most { bytes: limit, name } = most;
    if length > limit {
        return Err(SourceError {
            kind: SourceErrorKind::NotAllowed,
            location: location.url().to_owned(),
            message: format!("it has {length} bytes, more than the limit {name}={limit} allows"),
            source: None,
        });
    }
    let bytes = opened.source.read_many(std::slice::from_ref(&(0..length))).await?;
    Ok(bytes.into_iter().next().unwrap_or_default())
}
