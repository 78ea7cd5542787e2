// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets as the registry of output formats opens them: partitions are read when they are asked for, and those that were
//! looked into last are kept.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{Most, ReferenceSet, SetError, SetFiles, SetReader, Wanted};
use chunkref_model::provenance::{Recorded, read_provenance};
use chunkref_model::{ChunkRef, Dataset, Source};

use crate::{Files, LocalFiles, METADATA, ParquetError, ParquetReferences, PartitionReferences};

/// Most partitions that are kept for lookups.
const MOST_PARTITIONS: usize = 32;

/// Opens sets.
pub(crate) struct Reader;

#[async_trait]
impl SetReader for Reader {
    async fn open(
        &self,
        files: Arc<dyn SetFiles>,
        _version: Option<&str>,
    ) -> Result<Box<dyn ReferenceSet>, SetError> {
        let limits = files.limits().clone();
        let files = match files.local_path() {
            Some(path) => AnyFiles::Local(LocalFiles::new(path)),
            None => AnyFiles::Remote(files),
        };
        let references =
            ParquetReferences::open(files, &limits).await.map_err(SetError::damaged)?;
        Ok(Box::new(ParquetSet { references, partitions: Partitions::default() }))
    }

    async fn recorded(&self, path: &Path, _version: Option<&str>) -> Option<Recorded> {
        // A folder takes its place when it is whole.
        File::open(path.join(METADATA)).ok().and_then(read_provenance)
    }
}

/// The files of a folder of this machine, or below a URL.
#[derive(Debug)]
enum AnyFiles {
    Local(LocalFiles),
    Remote(Arc<dyn SetFiles>),
}

#[async_trait]
impl Files for AnyFiles {
    async fn read(&self, key: &str, most: Most) -> Result<Option<Bytes>, ParquetError> {
        match self {
            Self::Local(files) => files.read(key, most).await,
            Self::Remote(files) => Ok(files.read(key, most).await?),
        }
    }

    async fn list(&self, folder: &str) -> Result<Option<Vec<String>>, ParquetError> {
        match self {
            Self::Local(files) => files.list(folder).await,
            // A web server lists nothing, and of a bucket a listing is no cheaper than a few reads.
            Self::Remote(_) => Ok(None),
        }
    }
}

/// A set whose metadata is read.
#[derive(Debug)]
struct ParquetSet {
    references: ParquetReferences<AnyFiles>,
    partitions: Partitions,
}

#[async_trait]
impl ReferenceSet for ParquetSet {
    fn metadata(&self) -> &Dataset {
        self.references.metadata()
    }

    fn recorded(&self) -> Option<&Recorded> {
        self.references.recorded()
    }

    fn version(&self) -> Option<String> {
        None
    }

    fn in_memory(&self) -> Option<&Arc<Dataset>> {
        None
    }

    async fn read(&self, wanted: Wanted<'_>) -> Result<Dataset, SetError> {
        self.references.read(wanted).await.map_err(SetError::damaged)
    }

    async fn chunk(
        &self,
        path: &str,
        chunk_indices: &[u64],
    ) -> Result<(ChunkRef, Option<Source>), SetError> {
        let place = self.references.place(path, chunk_indices).map_err(SetError::damaged)?;
        let Some((number, row)) = place else { return Ok((ChunkRef::Missing, None)) };
        let partition = self.partitions.get(&self.references, path, number).await;
        Ok(partition.map_err(SetError::damaged)?.get(row))
    }
}

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
