// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing a dataset as a folder of partitions.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use chunkref_core::atomic::Staging;
use chunkref_core::{EmitError, EmitOptions, Emitted, Emitter};
use chunkref_model::{ChunkRef, Dataset, Manifest, WHOLE_OBJECT};
use parquet::data_type::ByteArray;

use crate::own::REFERENCE_SET;
use crate::partition::Rows;
use crate::{ENTRY, METADATA, MOST_ROWS, ParquetError, RECORD_SIZE, RECORD_SIZE_OPTION, metadata};

/// Writes kerchunk Parquet, which fsspec's reference file system opens.
///
/// A partition has as many references as the options say, or [`RECORD_SIZE`].
///
/// A destination that is a reference set, of this crate's or of kerchunk's, is replaced as a whole, and partitions that do
/// not change stay the files that they are. A folder that holds anything else is an error that names it.
#[derive(Debug, Clone, Copy)]
pub struct ParquetEmitter {
    threads: usize,
}

impl Default for ParquetEmitter {
    /// With a thread for each core.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { threads }
    }
}

impl ParquetEmitter {
    /// The same with so many threads.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads.get();
        self
    }
}

impl Emitter for ParquetEmitter {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn emit(
        &self,
        dataset: &Dataset,
        destination: &Path,
        options: &EmitOptions,
    ) -> Result<Emitted, EmitError> {
        self.write(dataset, destination, options).map_err(|source| EmitError {
            destination: destination.display().to_string(),
            source: source.into(),
        })
    }
}

/// A partition to write.
struct Task<'a> {
    path: &'a str,
    manifest: &'a Manifest,
    number: u64,
}

impl ParquetEmitter {
    fn write(
        self,
        dataset: &Dataset,
        destination: &Path,
        options: &EmitOptions,
    ) -> Result<Emitted, ParquetError> {
        if dataset.separate {
            return Err(ParquetError::Separate);
        }
        ENTRY.validate(options)?;
        let record_size = RECORD_SIZE_OPTION.number(options)?.unwrap_or(RECORD_SIZE);
        if record_size == 0 || record_size > MOST_ROWS {
            return Err(ParquetError::RecordSize(record_size));
        }
        let metadata = metadata::compose(dataset, record_size, options)?;
        let arrays = dataset.arrays();
        let mut tasks = Vec::new();
        for (path, array) in &arrays {
            let manifest = &array.manifest;
            for number in partitions(manifest, record_size) {
                tasks.push(Task { path, manifest, number });
            }
        }
        let urls: Vec<ByteArray> = dataset
            .sources()
            .iter()
            .map(|source| ByteArray::from(source.location.as_str()))
            .collect();
        let staging = Staging::new(destination, REFERENCE_SET)?;
        let (next, references, bytes) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let failure = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..self.threads.min(tasks.len()) {
                scope.spawn(|| {
                    while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let wanted = options.cancellation.check().map_err(ParquetError::from);
                        match wanted.and_then(|()| task.write(record_size, &urls, &staging)) {
                            Ok(emitted) => {
                                references.fetch_add(emitted.references, Ordering::Relaxed);
                                bytes.fetch_add(emitted.bytes, Ordering::Relaxed);
                            }
                            Err(error) => {
                                next.store(tasks.len(), Ordering::Relaxed);
                                let mut failure = failure
                                    .lock()
                                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                                failure.get_or_insert(error);
                            }
                        }
                    }
                });
            }
        });
        if let Some(error) = failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
        {
            return Err(error);
        }
        staging.write(METADATA, metadata.as_bytes())?;
        let fingerprint = staging.finish(options.replaces.as_ref())?;
        let bytes = bytes.into_inner().saturating_add(metadata.len() as u64);
        Ok(Emitted { references: references.into_inner(), bytes, fingerprint })
    }
}

/// The numbers of the partitions that have a chunk.
fn partitions(manifest: &Manifest, record_size: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    // A sparse manifest of a huge grid is not walked partition by partition.
    manifest.visit_numbers(0..u64::MAX, &mut |number, _| {
        let partition = number.checked_div(record_size).unwrap_or_default();
        if numbers.last() != Some(&partition) {
            numbers.push(partition);
        }
    });
    numbers
}

impl Task<'_> {
    fn write(
        &self,
        record_size: u64,
        urls: &[ByteArray],
        staging: &Staging,
    ) -> Result<Emitted, ParquetError> {
        let start = self.number.saturating_mul(record_size);
        let count = self.manifest.count().unwrap_or(u64::MAX);
        let end = start.saturating_add(record_size).min(count);
        let mut rows = Rows::new(usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX));
        let mut references = 0_u64;
        let mut fault = None;
        self.manifest.visit_numbers(start..end, &mut |number, reference| {
            references = references.saturating_add(1);
            let row = usize::try_from(number.saturating_sub(start)).unwrap_or(usize::MAX);
            match reference {
                ChunkRef::Virtual { source, offset, length } => {
                    let url = usize::try_from(source.0).ok().and_then(|source| urls.get(source));
                    let Some(url) = url else {
                        let array = self.path.to_owned();
                        fault.get_or_insert(ParquetError::NoSource { array, source_id: source });
                        return;
                    };
                    match (length, offset) {
                        (WHOLE_OBJECT, _) => rows.set_path(row, url, 0, 0),
                        // Bytes 0..0 would mean the whole object.
                        (0, _) => rows.set_raw(row, bytes::Bytes::new()),
                        _ => match (i64::try_from(offset), i64::try_from(length)) {
                            (Ok(offset), Ok(length)) => rows.set_path(row, url, offset, length),
                            _ => {
                                fault.get_or_insert(ParquetError::TooFar {
                                    array: self.path.to_owned(),
                                    chunk_indices: self.manifest.chunk_indices(number),
                                    offset,
                                });
                            }
                        },
                    }
                }
                ChunkRef::Inline(bytes) => rows.set_raw(row, bytes),
                ChunkRef::Missing => {}
            }
        });
        if let Some(fault) = fault {
            return Err(fault);
        }
        let key = key(self.path, self.number);
        let bytes = rows
            .encode()
            .map_err(|source| ParquetError::Format { partition: key.clone(), source })?;
        staging.write(&key, &bytes)?;
        Ok(Emitted { references, bytes: bytes.len() as u64, fingerprint: None })
    }
}

/// The key of a partition.
pub(crate) fn key(path: &str, number: u64) -> String {
    format!("{path}/refs.{number}.parq")
}
