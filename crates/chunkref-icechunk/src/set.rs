// SPDX-License-Identifier: MIT OR Apache-2.0
//! Repositories as the registry of output formats opens them: references are read array by array when they are asked for,
//! and those of the arrays that were looked into last are kept.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chunkref_core::{ReferenceSet, SetError, SetFiles, SetReader, Wanted};
use chunkref_model::provenance::Recorded;
use chunkref_model::{ChunkRef, Dataset, Source};

use crate::IcechunkReferences;

/// Most arrays whose references are kept for lookups.
const MOST_ARRAYS: usize = 8;

/// Opens repositories.
pub(crate) struct Reader;

#[async_trait]
impl SetReader for Reader {
    async fn open(
        &self,
        files: Arc<dyn SetFiles>,
        version: Option<&str>,
    ) -> Result<Box<dyn ReferenceSet>, SetError> {
        let Some(folder) = files.local_path() else {
            let reason = "Icechunk repositories are read from folders of this machine only";
            return Err(SetError::Unsupported(reason.to_owned()));
        };
        let references = IcechunkReferences::open(folder, version).await;
        let references = references.map_err(SetError::damaged)?;
        Ok(Box::new(IcechunkSet { references, arrays: Arrays::default() }))
    }

    /// What the last commit to the branch says.
    async fn recorded(&self, path: &Path, version: Option<&str>) -> Option<Recorded> {
        let references = IcechunkReferences::open(path, version).await.ok()?;
        references.recorded().cloned()
    }
}

/// The arrays that were looked into last, each with its references.
#[derive(Debug, Default)]
struct Arrays(futures::lock::Mutex<VecDeque<(String, Arc<Dataset>)>>);

/// A repository of which the metadata of one version is read.
#[derive(Debug)]
struct IcechunkSet {
    references: IcechunkReferences,
    arrays: Arrays,
}

impl IcechunkSet {
    /// A dataset with the references of one array, which are read once for all who ask at the same time.
    async fn kept(&self, path: &str) -> Result<Arc<Dataset>, SetError> {
        let mut kept = self.arrays.0.lock().await;
        if let Some((_, dataset)) = kept.iter().find(|(known, _)| known == path) {
            return Ok(Arc::clone(dataset));
        }
        let dataset = Arc::new(self.read(&|wanted| wanted == path).await?);
        if kept.len() >= MOST_ARRAYS {
            kept.pop_front();
        }
        kept.push_back((path.to_owned(), Arc::clone(&dataset)));
        Ok(dataset)
    }
}

#[async_trait]
impl ReferenceSet for IcechunkSet {
    fn metadata(&self) -> &Dataset {
        self.references.metadata()
    }

    fn recorded(&self) -> Option<&Recorded> {
        self.references.recorded()
    }

    fn version(&self) -> Option<String> {
        Some(self.references.snapshot())
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
        let dataset = self.kept(path).await?;
        let array = dataset.array(path);
        let array =
            array.ok_or_else(|| SetError::damaged(format!("there is no array {path:?}")))?;
        let reference = array.manifest.get(chunk_indices);
        let source = match reference {
            ChunkRef::Virtual { source, .. } => dataset.source(source).cloned(),
            _ => None,
        };
        Ok((reference, source))
    }
}
