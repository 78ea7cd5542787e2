// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reference sets of every kind, read.

#[cfg(feature = "sets")]
use async_trait::async_trait;
#[cfg(feature = "sets")]
use bytes::Bytes;
use chunkref_core::model::provenance::read_provenance;
use chunkref_kerchunk_json as kerchunk_json;
#[cfg(feature = "sets")]
use chunkref_parquet::{Files, METADATA, Most, ParquetError, ParquetReferences};
#[cfg(feature = "sets")]
use futures::executor::block_on;

use crate::check;

/// Documents longer than this say nothing new and take long.
const MOST: usize = 1 << 20;

/// kerchunk JSON of version 0 and 1, with templates and generated references.
pub fn kerchunk_json(data: &[u8]) {
    if data.len() > MOST {
        return;
    }
    if let Ok(dataset) = kerchunk_json::read(data) {
        check::round_trip(&dataset);
    }
    // What records how a set came about is read on its own too.
    let _ = read_provenance(data);
}

/// The same packed by gzip or zstd, opened as commands open it.
#[cfg(feature = "front-end")]
pub fn kerchunk_packed(data: &[u8]) {
    let key = "fuzzed/set.json";
    let put = chunkref_store::put_in_memory(key, Bytes::copy_from_slice(data));
    block_on(put).expect("the key is sound");
    let location =
        chunkref::Location::parse(&format!("memory://{key}")).expect("the location is sound");
    let opened = block_on(chunkref::References::open(&chunkref::stores(), &location));
    if let Ok(references) = opened {
        let dataset = block_on(references.into_partial_dataset()).expect("it is in memory");
        check::round_trip(&dataset);
    }
}

/// kerchunk Parquet: four bytes are the length of `.zmetadata`, which follows; the rest is the first partition of every
/// array.
#[cfg(feature = "sets")]
pub fn parquet(data: &[u8]) {
    let Some((length, rest)) = data.split_first_chunk::<4>() else { return };
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (metadata, partition) = rest.split_at(length.min(rest.len()));
    let set = Set {
        metadata: Bytes::copy_from_slice(metadata),
        partition: Bytes::copy_from_slice(partition),
    };
    let Ok(references) = block_on(ParquetReferences::open(set, &chunkref_core::Limits::default()))
    else {
        return;
    };
    let paths: Vec<_> = references.metadata().arrays().into_iter().map(|(path, _)| path).collect();
    for path in &paths {
        // One partition alone, as lookups read it.
        if let Ok(partition) = block_on(references.read_partition(path, 0)) {
            let _ = (partition.get(0), partition.get(u64::MAX));
        }
    }
    if let Ok(dataset) = block_on(references.read(&|_| true)) {
        check::round_trip(&dataset);
    }
}

#[cfg(feature = "sets")]
#[derive(Debug)]
struct Set {
    metadata: Bytes,
    partition: Bytes,
}

#[cfg(feature = "sets")]
#[async_trait]
impl Files for Set {
    async fn read(&self, key: &str, _: Most) -> Result<Option<Bytes>, ParquetError> {
        Ok(match key {
            METADATA => Some(self.metadata.clone()),
            key if key.ends_with("refs.0.parq") => Some(self.partition.clone()),
            _ => None,
        })
    }

    async fn list(&self, _folder: &str) -> Result<Option<Vec<String>>, ParquetError> {
        Ok(Some(vec!["refs.0.parq".to_owned()]))
    }
}

/// A repository of Icechunk, one file of which is the input: the first byte chooses which.
#[cfg(feature = "icechunk")]
pub fn icechunk(data: &[u8]) {
    let Some((&choice, content)) = data.split_first() else { return };
    let repository = repository::get();
    let number = usize::from(choice) % repository.files.len();
    let Some((path, sound)) = repository.files.get(number) else { return };
    std::fs::write(path, content).expect("the folder can be written to");
    let folder = repository.folder.path();
    if let Ok(references) = block_on(chunkref_icechunk::IcechunkReferences::open(folder, None))
        && let Ok(dataset) = block_on(references.read(&|_| true))
    {
        check::round_trip(&dataset);
    }
    std::fs::write(path, sound).expect("the folder can be written to");
}

/// A small sound repository.
#[cfg(feature = "icechunk")]
pub(crate) mod repository {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::sync::OnceLock;

    use chunkref_core::{EmitOptions, Emitter};
    use chunkref_icechunk::IcechunkEmitter;

    #[derive(Debug)]
    pub(crate) struct Repository {
        pub(crate) folder: tempfile::TempDir,
        /// Each file with its content, in the order of their names.
        pub(crate) files: Vec<(PathBuf, Vec<u8>)>,
    }

    /// The one of this process.
    pub(crate) fn get() -> &'static Repository {
        static MADE: OnceLock<Repository> = OnceLock::new();
        MADE.get_or_init(|| {
            let folder = tempfile::tempdir().expect("there is room for a folder");
            let path = folder.path();
            IcechunkEmitter::default()
                .emit(&crate::cubes::sample(), path, &EmitOptions::default())
                .expect("a sound dataset is written");
            let mut files = Vec::new();
            collect(path, &mut files);
            files.sort();
            Repository { folder, files }
        })
    }

    fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, files);
            } else if let Ok(content) = fs::read(&path) {
                files.push((path, content));
            }
        }
    }
}
