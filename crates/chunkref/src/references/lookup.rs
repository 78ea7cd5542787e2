// SPDX-License-Identifier: MIT OR Apache-2.0
//! References that are asked for one by one: what was read last is kept.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use chunkref_model::{Array, ChunkRef, Dataset, Source};
use chunkref_parquet::{ParquetError, ParquetReferences, PartitionReferences};
use chunkref_read::Lookup;

use super::files::AnyFiles;
use super::{Inner, References, ReferencesError};

/// Most arrays of a repository whose references are kept for lookups.
#[cfg(feature = "icechunk")]
const MOST_ARRAYS: usize = 8;

/// The arrays of a repository that were looked into last, each with its references.
#[cfg(feature = "icechunk")]
#[derive(Debug, Default)]
pub(super) struct Arrays(futures::lock::Mutex<VecDeque<(String, Arc<Dataset>)>>);

/// Most partitions that are kept for lookups.
const MOST_PARTITIONS: usize = 32;

/// A partition by its array and number.
type Partition = ((String, u64), Arc<PartitionReferences>);

/// The partitions that were looked into last.
#[derive(Debug, Default)]
pub(super) struct Partitions(futures::lock::Mutex<VecDeque<Partition>>);

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

#[cfg(feature = "icechunk")]
impl References {
    /// A dataset with the references of one array, which are read once for all who ask at the same time.
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

fn unread(error: ReferencesError) -> chunkref_read::ReadError {
    chunkref_read::ReadError::References(Box::new(error))
}
