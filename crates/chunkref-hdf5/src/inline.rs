// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chunks whose bytes go into the references: small ones, ones that skipped other filters than the rest of their dataset,
//! and whole arrays that no Zarr codec decodes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use chunkref_core::model::Codec;
use chunkref_core::{Limits, ScanOptions};
use futures::future::join_all;

use crate::chunk_index::{ChunkTable, Grid};
use crate::context::{FileNumber, ObjectId};
use crate::error::{Hdf5Error, Result};
use crate::filter;
use crate::filter_options::{BUDGET, CODEC, FilterOptions, UNSUPPORTED, Unsupported};
use crate::frontier::{Ending, Frontier};
use crate::lower;
use crate::neighbours::Files;
use crate::object::{Dataset, Object, ObjectKind, Objects, Storage};

/// How the bytes of a dataset's chunks are encoded in the references, and in the file for those that stay there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Encoding {
    /// By the filters that most chunks went through, which these codecs undo.
    Filters(Vec<Codec>),
    /// All inline and decoded, then compressed by zlib if that made them smaller.
    Decoded { zlib: bool },
}

impl Default for Encoding {
    fn default() -> Self {
        Self::Filters(Vec::new())
    }
}

impl Encoding {
    /// The codecs of the array.
    pub(crate) fn codecs(&self) -> Vec<Codec> {
        match self {
            Self::Filters(codecs) => codecs.clone(),
            Self::Decoded { zlib: true } => vec![Codec::new("zlib").with("level", 6)],
            Self::Decoded { zlib: false } => Vec::new(),
        }
    }
}

/// Chunks that are read at one time.
const READS: usize = 1 << 14;

/// One chunk to read: a row of a dataset's chunk table, or row 0 of contiguous storage.
struct Wanted {
    id: ObjectId,
    row: usize,
    file: FileNumber,
    offset: u64,
    length: u64,
    form: Form,
}

/// What is to be stored of a chunk.
#[derive(Clone, Copy)]
enum Form {
    /// Its bytes as they are.
    Stored,
    /// Its bytes without the filters of this mask, and with those of most chunks.
    Recoded { mask: u32 },
    /// Its bytes without the filters of this mask, as a zlib stream.
    Decoded { mask: u32 },
}

/// Reads the bytes of all chunks that go into the references: small ones, and those that references into the file
/// cannot say.
pub(crate) async fn read_inline(
    files: &Files<'_>,
    objects: &mut Objects,
    paths: &HashMap<ObjectId, String>,
    scan: &ScanOptions,
    options: &FilterOptions,
) -> Result<()> {
    let limits = &scan.limits;
    let (threshold, room) = (scan.inline_threshold, limits.inline_bytes);
    let mut plan = Plan { threshold, options, room, wanted: Vec::new() };
    for (&id, object) in objects.iter_mut() {
        let Ok(object) = object else { continue };
        if object.is_dimension_only() || !paths.contains_key(&id) {
            continue;
        }
        let offset = object.offset;
        let ObjectKind::Dataset(dataset) = &mut object.kind else { continue };
        let Ok(description) = dataset.as_mut() else { continue };
        if description.strings.is_some() || !lower::has_data_type(description) {
            continue;
        }
        if let Err(reason) = plan.add(description, id) {
            if options.unsupported == Unsupported::Error {
                let path = paths.get(&id).map_or("", String::as_str);
                let reason = format!("dataset /{path}: {reason}");
                return Err(Hdf5Error::UnsupportedFilter { offset, reason });
            }
            **dataset = Err(Hdf5Error::UnsupportedFilter { offset, reason });
        }
    }
    let mut decoded = BTreeSet::new();
    // A read that is under way takes some hundred bytes, however small the chunk is.
    for wanted in plan.wanted.chunks(READS) {
        for (id, row, bytes) in read(wanted, files, objects, limits).await {
            let object = objects.get_mut(&id);
            if let Some(Ok(Object { kind: ObjectKind::Dataset(dataset), .. })) = object {
                match (bytes, dataset.as_mut()) {
                    (Ok(bytes), Ok(dataset)) => {
                        dataset.inline.insert(row, bytes);
                        if dataset.encoding != Encoding::default() {
                            decoded.insert(id);
                        }
                    }
                    (Err(error), Ok(_)) => **dataset = Err(error),
                    (_, Err(_)) => {}
                }
            }
        }
    }
    for id in decoded {
        if let Some(Ok(Object { kind: ObjectKind::Dataset(dataset), .. })) = objects.get_mut(&id)
            && let Ok(dataset) = dataset.as_mut()
        {
            let ending = files.frontier(id.file).map(Frontier::ending).cloned();
            dataset.settle(&ending.unwrap_or_default())?;
        }
    }
    Ok(())
}

/// Which chunks to read.
struct Plan<'a> {
    threshold: u64,
    options: &'a FilterOptions,
    /// Bytes that the file's references may still take.
    room: u64,
    wanted: Vec<Wanted>,
}

/// Reads what was chosen, from all files at the same time.
async fn read(
    wanted: &[Wanted],
    files: &Files<'_>,
    objects: &Objects,
    limits: &Limits,
) -> Vec<(ObjectId, usize, Result<Bytes>)> {
    let of_files = files.sources().filter_map(|(number, _)| {
        let frontier = files.frontier(number)?;
        let wanted = wanted.iter().filter(|wanted| wanted.file == number);
        let reads: Vec<_> = wanted
            .map(|wanted| async move {
                (wanted.id, wanted.row, wanted.read(frontier, objects, limits).await)
            })
            .collect();
        (!reads.is_empty()).then(|| frontier.run(join_all(reads)))
    });
    join_all(of_files).await.into_iter().flatten().collect()
}

impl Plan<'_> {
    /// Chooses a dataset's encoding and the chunks to read of it; the error says why it cannot be in the references.
    fn add(&mut self, dataset: &mut Dataset, id: ObjectId) -> Result<(), String> {
        match &dataset.storage {
            Storage::Contiguous { offset: Some(offset), length } if *length < self.threshold => {
                let (offset, length) = (*offset, *length);
                self.push(
                    length,
                    Wanted { id, row: 0, file: id.file, offset, length, form: Form::Stored },
                );
            }
            Storage::Chunked { table, grid } => {
                match lower::codecs(dataset, &self.options.codecs) {
                    Ok(codecs) => {
                        self.add_some(dataset, id, table, grid)?;
                        dataset.encoding = Encoding::Filters(codecs);
                    }
                    Err(reason) => {
                        self.add_all(dataset, id, table, grid, &reason)?;
                        dataset.encoding = Encoding::Decoded { zlib: table_len(dataset) > 0 };
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The chunks that are small or odd.
    fn add_some(
        &mut self,
        dataset: &Dataset,
        id: ObjectId,
        table: &ChunkTable,
        grid: &Grid,
    ) -> Result<(), String> {
        let usual = dataset.usual_mask();
        for (row, chunk) in table.iter().enumerate() {
            let mask = dataset.effective_mask(chunk.filter_mask);
            let (cost, form) = if mask == usual {
                (chunk.length, Form::Stored)
            } else {
                (grid.chunk_bytes, Form::Recoded { mask })
            };
            if mask != usual || chunk.length < self.threshold {
                let (file, offset, length) = (chunk.file, chunk.offset, chunk.length);
                if mask != usual && cost > self.room {
                    // The array's codecs would not decode the chunk where it is.
                    return Err(format!(
                        "a chunk of {cost} bytes skipped other filters than most, and the limit leaves no room to store it in the references"
                    ));
                }
                self.push(cost, Wanted { id, row, file, offset, length, form });
            }
        }
        Ok(())
    }

    /// All chunks of a dataset that no codec decodes, for this `reason`.
    fn add_all(
        &mut self,
        dataset: &Dataset,
        id: ObjectId,
        table: &ChunkTable,
        grid: &Grid,
        reason: &str,
    ) -> Result<(), String> {
        if table.len() == 0 {
            return Ok(());
        }
        match self.options.unsupported {
            Unsupported::Error => return Err(reason.to_owned()),
            Unsupported::Skip => {
                return Err(format!("{reason} ({}=inline decodes it)", UNSUPPORTED.name));
            }
            Unsupported::Inline => {}
        }
        let masks: BTreeSet<u32> =
            table.iter().map(|chunk| dataset.effective_mask(chunk.filter_mask)).collect();
        let unknown = masks
            .iter()
            .flat_map(|&mask| filter::applied(&dataset.filters, mask))
            .find(|filter| !filter::is_decodable(filter));
        if let Some(filter) = unknown {
            let (id, name) = (filter.id, filter::name(filter));
            return Err(format!(
                "{reason}; nor does it decode filter {id} ({name}) itself: name a codec of yours for it with {}, or store the dataset with another filter (h5repack does)",
                CODEC.name
            ));
        }
        let total = grid.chunk_bytes.saturating_mul(table.len() as u64);
        let (budget, name) = (self.options.inline_budget, BUDGET.name);
        if total > budget {
            return Err(format!(
                "{reason}; decoded, its {total} bytes are more than {name}={budget} stores in the references"
            ));
        }
        if total > self.room {
            return Err(format!(
                "{reason}; decoded, its {total} bytes are more than the limit leaves for data in the references of one file"
            ));
        }
        for (row, chunk) in table.iter().enumerate() {
            let form = Form::Decoded { mask: dataset.effective_mask(chunk.filter_mask) };
            let (file, offset, length) = (chunk.file, chunk.offset, chunk.length);
            self.push(grid.chunk_bytes, Wanted { id, row, file, offset, length, form });
        }
        Ok(())
    }

    /// Adds a chunk if there is room for it.
    fn push(&mut self, cost: u64, wanted: Wanted) {
        if let Some(rest) = self.room.checked_sub(cost) {
            self.room = rest;
            self.wanted.push(wanted);
        }
    }
}

fn table_len(dataset: &Dataset) -> usize {
    match &dataset.storage {
        Storage::Chunked { table, .. } => table.len(),
        _ => 0,
    }
}

impl Wanted {
    async fn read(
        &self,
        frontier: &Frontier<'_>,
        objects: &Objects,
        limits: &Limits,
    ) -> Result<Bytes> {
        let (Form::Recoded { mask } | Form::Decoded { mask }) = self.form else {
            return frontier.read_data(self.offset, self.length).await;
        };
        let Some(Ok(Object { kind: ObjectKind::Dataset(dataset), .. })) = objects.get(&self.id)
        else {
            return Ok(Bytes::new());
        };
        let Ok(dataset) = dataset.as_ref() else { return Ok(Bytes::new()) };
        let Storage::Chunked { grid, .. } = &dataset.storage else { return Ok(Bytes::new()) };
        let data = frontier
            .chunk_data(&dataset.filters, mask, (self.offset, self.length), grid, limits)
            .await?;
        dataset.encode_chunk(data, self.offset)
    }
}

impl Dataset {
    /// The bits of a chunk's mask that stand for filters of the pipeline.
    pub(crate) fn effective_mask(&self, mask: u32) -> u32 {
        (0..self.filters.len()).map(filter::bit).fold(0, |all, bit| all | bit) & mask
    }

    /// The mask of most chunks; filters in it are not among the array's codecs.
    pub(crate) fn usual_mask(&self) -> u32 {
        let Storage::Chunked { table, .. } = &self.storage else { return 0 };
        let mut counts = BTreeMap::new();
        for chunk in table.iter() {
            let count: &mut u64 = counts.entry(self.effective_mask(chunk.filter_mask)).or_default();
            *count = count.saturating_add(1);
        }
        // The lowest of the most frequent masks.
        counts.into_iter().rev().max_by_key(|&(_, count)| count).map_or(0, |(mask, _)| mask)
    }

    /// A chunk's elements as the array's codecs expect them; `offset` is where they came from.
    pub(crate) fn encode_chunk(&self, decoded: Bytes, offset: u64) -> Result<Bytes> {
        match self.encoding {
            Encoding::Filters(_) => {
                filter::encode(&self.filters, self.usual_mask(), decoded, offset)
            }
            Encoding::Decoded { zlib: true } => filter::zlib(&decoded, offset),
            Encoding::Decoded { zlib: false } => Ok(decoded),
        }
    }

    /// Keeps the zlib streams of a decoded dataset only if they are shorter than the elements.
    fn settle(&mut self, ending: &Ending) -> Result<()> {
        let Storage::Chunked { grid, .. } = &self.storage else { return Ok(()) };
        if self.encoding != (Encoding::Decoded { zlib: true }) {
            return Ok(());
        }
        let stored =
            self.inline.values().fold(0_u64, |sum, bytes| sum.saturating_add(bytes.len() as u64));
        if stored < grid.chunk_bytes.saturating_mul(self.inline.len() as u64) {
            return Ok(());
        }
        for bytes in self.inline.values_mut() {
            *bytes = filter::unzlib(std::mem::take(bytes), grid.chunk_bytes, ending)?;
        }
        self.encoding = Encoding::Decoded { zlib: false };
        Ok(())
    }
}
