// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading a folder of partitions: metadata first, references when they are asked for.

use std::collections::HashMap;
use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{Limits, Most};
use chunkref_model::provenance::Recorded;
use chunkref_model::{ChunkRef, Dataset, Manifest, ManifestBuilder, Source, SourceId};

use crate::emitter::key;
use crate::error::at;
use crate::metadata::{self, Metadata};
use crate::partition::{Fault, Rows};
use crate::{METADATA, ParquetError};

/// Most partitions of one array that are tried where files cannot be listed.
const MOST_TRIED: u64 = 1 << 16;

/// Bytes that a reference takes in memory, at the least.
const REFERENCE_BYTES: u64 = 20;

/// The files of a reference set.
#[async_trait]
pub trait Files: Send + Sync + Debug {
    /// The bytes of a file, `None` when there is none.
    ///
    /// # Errors
    /// [`ParquetError`] when it cannot be read, is no regular file, or is longer than `most`.
    async fn read(&self, key: &str, most: Most) -> Result<Option<Bytes>, ParquetError>;

    /// The names in a folder, or `None` when they cannot be listed; then every partition that may be there is tried.
    ///
    /// # Errors
    /// [`ParquetError`] when the folder is there and cannot be read.
    async fn list(&self, folder: &str) -> Result<Option<Vec<String>>, ParquetError>;
}

/// Files of a local folder.
#[derive(Debug, Clone)]
pub struct LocalFiles {
    folder: PathBuf,
}

impl LocalFiles {
    /// The files of `folder`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }
}

#[async_trait]
impl Files for LocalFiles {
    async fn read(&self, key: &str, most: Most) -> Result<Option<Bytes>, ParquetError> {
        let path = self.folder.join(key);
        match read_regular(&path, most) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path, error)),
        }
    }

    async fn list(&self, folder: &str) -> Result<Option<Vec<String>>, ParquetError> {
        let path = self.folder.join(folder);
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(Vec::new())),
            Err(error) => return Err(at(&path, error)),
        };
        let names = entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        names.collect::<io::Result<_>>().map(Some).map_err(|error| at(&path, error))
    }
}

/// The bytes of a regular file. A pipe or a device is not opened: it may block for ever, or never end.
fn read_regular(path: &Path, most: Most) -> io::Result<Vec<u8>> {
    let other = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
    if !std::fs::metadata(path)?.is_file() {
        return Err(other("it is not a regular file, which it must be".to_owned()));
    }
    let mut bytes = Vec::new();
    let Most { bytes: limit, name } = most;
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(other(format!("it has more bytes than the limit {name}={limit} allows")));
    }
    Ok(bytes)
}

/// The references of one partition.
#[derive(Debug, Clone)]
pub struct PartitionReferences {
    /// Row n as chunk n.
    rows: Manifest,
    sources: Vec<Source>,
}

impl PartitionReferences {
    /// The reference in a row, with its source.
    #[must_use]
    pub fn get(&self, row: u64) -> (ChunkRef, Option<Source>) {
        let reference = self.rows.get(&[row]);
        let source = match &reference {
            ChunkRef::Virtual { source, .. } => {
                usize::try_from(source.0).ok().and_then(|place| self.sources.get(place).cloned())
            }
            _ => None,
        };
        (reference, source)
    }
}

/// A reference set whose metadata is read.
#[derive(Debug)]
pub struct ParquetReferences<F> {
    files: F,
    dataset: Dataset,
    record_size: u64,
    recorded: Option<Recorded>,
    limits: Limits,
    /// References that are there, of arrays of which a partition was missed.
    counted: Mutex<HashMap<String, u64>>,
}

impl<F: Files> ParquetReferences<F> {
    /// Reads the metadata.
    ///
    /// # Errors
    /// [`ParquetError`] when there is none, or it is not that of a reference set.
    pub async fn open(files: F, limits: &Limits) -> Result<Self, ParquetError> {
        let most = Most { bytes: limits.metadata_bytes, name: "metadata_bytes" };
        let text = files.read(METADATA, most).await?.ok_or_else(|| ParquetError::Metadata {
            reason: "there is no such file in the folder".to_owned(),
        })?;
        let Metadata { dataset, record_size, recorded } = metadata::parse(&text, limits)?;
        let (limits, counted) = (limits.clone(), Mutex::default());
        Ok(Self { files, dataset, record_size, recorded, limits, counted })
    }

    /// Groups and arrays, without any reference.
    #[must_use]
    pub fn metadata(&self) -> &Dataset {
        &self.dataset
    }

    /// References per partition.
    #[must_use]
    pub fn record_size(&self) -> u64 {
        self.record_size
    }

    /// How the references came about, where the set says so.
    #[must_use]
    pub fn recorded(&self) -> Option<&Recorded> {
        self.recorded.as_ref()
    }

    /// The dataset with the references of the arrays that `wanted` takes, of which each partition is read once. The other
    /// arrays are without references.
    ///
    /// # Errors
    /// [`ParquetError`] for a partition that cannot be read or is damaged. One that is not there has no chunks.
    pub async fn read(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Send + Sync),
    ) -> Result<Dataset, ParquetError> {
        let mut dataset = self.dataset.clone();
        let mut sources = Sources::default();
        let paths: Vec<String> = dataset
            .arrays()
            .into_iter()
            .map(|(path, _)| path)
            .filter(|path| wanted(path))
            .collect();
        for path in paths {
            let Some(array) = dataset.array(&path) else { continue };
            let wrap = |source| ParquetError::Manifest { array: path.clone(), source };
            let grid = array.chunk_grid.grid_shape(&array.shape);
            let mut builder = ManifestBuilder::new(grid).map_err(wrap)?;
            let empty = array.manifest.clone();
            let mut stored = 0_u64;
            let count = empty.count().unwrap_or(u64::MAX);
            for number in self.partitions(&path, count).await? {
                let Some(rows) = self.partition(&path, number, count).await? else { continue };
                stored = stored.saturating_add(rows.stored_bytes);
                let first = number.saturating_mul(self.record_size);
                let mut source = |url: &str| self.source(&mut dataset, &mut sources, url);
                let added = rows.visit(&mut |row, found| {
                    let number = first.saturating_add(row as u64);
                    let reference = found.reference(&mut source);
                    builder
                        .push(&empty.chunk_indices(number), reference)
                        .map_err(|error| error.to_string())
                });
                added
                    .and_then(|()| self.check_references(builder.len() as u64, stored))
                    .map_err(|reason| said(&path, number, reason))?;
            }
            let manifest = builder.finish().map_err(wrap)?;
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if let Some(array) = dataset.group_mut(parent).arrays.get_mut(name) {
                array.manifest = manifest;
            }
        }
        Ok(dataset)
    }

    /// Where the reference of a chunk is: the number of its partition, and the row in it; `None` outside the array's grid.
    ///
    /// # Errors
    /// [`ParquetError::NoArray`] for an array that is not there.
    pub fn place(
        &self,
        path: &str,
        chunk_indices: &[u64],
    ) -> Result<Option<(u64, u64)>, ParquetError> {
        let array = self.dataset.array(path);
        let array = array.ok_or_else(|| ParquetError::NoArray(path.to_owned()))?;
        let number = array.manifest.chunk_number(chunk_indices);
        Ok(number.and_then(|number| {
            Some((number.checked_div(self.record_size)?, number.checked_rem(self.record_size)?))
        }))
    }

    /// The references of one partition of an array, those of one that is not there being none.
    ///
    /// # Errors
    /// [`ParquetError`] for an array that is not there, [`ParquetError::Lost`] for a partition that is not there and must
    /// be, because the array has fewer references than were written, and as [`ParquetReferences::read`] has it.
    pub async fn read_partition(
        &self,
        path: &str,
        number: u64,
    ) -> Result<PartitionReferences, ParquetError> {
        let array = self.dataset.array(path);
        let array = array.ok_or_else(|| ParquetError::NoArray(path.to_owned()))?;
        let count = array.manifest.count().unwrap_or(u64::MAX);
        let wrap = |source| ParquetError::Manifest { array: path.to_owned(), source };
        let mut sources: Vec<Source> = Vec::new();
        let Some(rows) = self.partition(path, number, count).await? else {
            self.check_absent(path, number, count).await?;
            return Ok(PartitionReferences { rows: Manifest::empty([0]), sources });
        };
        let mut builder = ManifestBuilder::new([rows.len() as u64]).map_err(wrap)?;
        let mut known = HashMap::new();
        rows.visit(&mut |row, found| {
            let reference = found.reference(&mut |url| {
                let next = SourceId(u32::try_from(sources.len()).unwrap_or(u32::MAX));
                *known.entry(url.to_owned()).or_insert_with(|| {
                    sources.push(self.versioned(url.to_owned()));
                    next
                })
            });
            builder.push(&[row as u64], reference).map_err(|error| error.to_string())
        })
        .map_err(|reason| said(path, number, reason))?;
        Ok(PartitionReferences { rows: builder.finish().map_err(wrap)?, sources })
    }

    /// An error when a partition that is not there held references: the others have fewer than were written. They are
    /// counted once for an array.
    async fn check_absent(&self, path: &str, number: u64, count: u64) -> Result<(), ParquetError> {
        let recorded = self.recorded.as_ref().and_then(|recorded| recorded.contents(path));
        let Some(written) = recorded.map(|contents| contents.references) else { return Ok(()) };
        let counted = || self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counted().get(path).copied();
        let found = if let Some(found) = known {
            found
        } else {
            let mut found = 0_u64;
            for number in self.partitions(path, count).await? {
                let Some(rows) = self.partition(path, number, count).await? else { continue };
                rows.visit(&mut |_, _| {
                    found = found.saturating_add(1);
                    Ok(())
                })
                .map_err(|reason| said(path, number, reason))?;
            }
            counted().insert(path.to_owned(), found);
            found
        };
        if found >= written {
            return Ok(());
        }
        let (array, partition) = (path.to_owned(), key(path, number));
        Err(ParquetError::Lost { array, partition, written, found })
    }

    /// The reference of one chunk with its source, of which one partition is read.
    ///
    /// # Errors
    /// [`ParquetError`] for an array that is not there, and as [`ParquetReferences::read`] has it.
    pub async fn chunk(
        &self,
        path: &str,
        chunk_indices: &[u64],
    ) -> Result<(ChunkRef, Option<Source>), ParquetError> {
        match self.place(path, chunk_indices)? {
            Some((partition, row)) => Ok(self.read_partition(path, partition).await?.get(row)),
            None => Ok((ChunkRef::Missing, None)),
        }
    }

    /// The partitions that there are, or may be.
    async fn partitions(&self, path: &str, count: u64) -> Result<Vec<u64>, ParquetError> {
        let most = count.div_ceil(self.record_size);
        let Some(names) = self.files.list(path).await? else {
            if most > MOST_TRIED {
                let reason = format!(
                    "{most} partitions may be there, and where files cannot be listed at most {MOST_TRIED} are tried"
                );
                return Err(ParquetError::Partition { partition: key(path, 0), reason });
            }
            return Ok((0..most).collect());
        };
        let number = |name: &String| -> Option<u64> {
            name.strip_prefix("refs.")?.strip_suffix(".parq")?.parse().ok()
        };
        let mut numbers: Vec<u64> =
            names.iter().filter_map(number).filter(|number| *number < most).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    async fn partition(
        &self,
        path: &str,
        number: u64,
        count: u64,
    ) -> Result<Option<Rows>, ParquetError> {
        let key = key(path, number);
        let most = Most { bytes: self.limits.partition_bytes, name: "partition_bytes" };
        let Some(bytes) = self.files.read(&key, most).await? else { return Ok(None) };
        let left = count.saturating_sub(number.saturating_mul(self.record_size));
        let rows = self.record_size.min(left);
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        match Rows::decode(bytes, rows, &self.limits) {
            Ok(rows) => Ok(Some(rows)),
            Err(Fault::Format(source)) => Err(ParquetError::Format { partition: key, source }),
            Err(Fault::Said(reason)) => Err(ParquetError::Partition { partition: key, reason }),
        }
    }

    /// References are so many for the bytes that they are stored in: what costs nothing to write must not cost memory.
    fn check_references(&self, count: u64, stored: u64) -> Result<(), String> {
        let Limits { set_references, set_expansion, .. } = self.limits;
        if count > set_references {
            return Err(format!(
                "with it the set has more references than the limit set_references={set_references} allows"
            ));
        }
        if count.saturating_mul(REFERENCE_BYTES) > self.limits.expanded_bytes(stored) {
            return Err(format!(
                "{stored} bytes become {count} references, which the limit set_expansion={set_expansion} does not allow"
            ));
        }
        Ok(())
    }

    fn versioned(&self, location: String) -> Source {
        let version =
            self.recorded.as_ref().and_then(|recorded| recorded.version(&location)).cloned();
        Source { location, version }
    }

    fn source(&self, dataset: &mut Dataset, sources: &mut Sources, url: &str) -> SourceId {
        if let Some((last, id)) = &sources.last
            && last == url
        {
            return *id;
        }
        let id = if let Some(id) = sources.known.get(url) {
            *id
        } else {
            let id = dataset.add_source(self.versioned(url.to_owned()));
            sources.known.insert(url.to_owned(), id);
            id
        };
        sources.last = Some((url.to_owned(), id));
        id
    }
}

/// Sources by URL; most rows have that of the row before.
#[derive(Debug, Default)]
struct Sources {
    known: HashMap<String, SourceId>,
    last: Option<(String, SourceId)>,
}

fn said(path: &str, number: u64, reason: String) -> ParquetError {
    ParquetError::Partition { partition: key(path, number), reason }
}
