// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry and the walk over all objects of a file.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, Scan, ScanError, ScanOptions, Scanner, ScannerEntry, Signature};
use futures::StreamExt;
use futures::future::{BoxFuture, join_all};
use futures::stream::FuturesUnordered;

use crate::attributes::NamedAttribute;
use crate::context::Address;
use crate::error::{Hdf5Error, Result};
use crate::file::File;
use crate::filter;
use crate::frontier::Frontier;
use crate::lower;
use crate::message::kind;
use crate::message::link::{Link, LinkTarget};
use crate::object::{Dataset, Object, ObjectKind, Objects, Storage};
use crate::object_header::ObjectHeader;
use crate::superblock::SIGNATURE;
use crate::tree::Tree;

/// The registered entry. The signature is at byte 0 or, behind a user block, at a power of two from 512 on; the registry
/// looks at the head of a file only, so that user blocks of more than 32 KiB need the format named.
pub const ENTRY: ScannerEntry = ScannerEntry {
    name: "hdf5",
    description: "HDF5 and NetCDF-4",
    media_type: "application/x-hdf5",
    extensions: &["h5", "hdf5", "he5", "nc", "nc4", "mat"],
    signatures: &[Signature::at(&SIGNATURE, &[0, 512, 1024, 2048, 4096, 8192, 16384, 32768])],
    options: &[],
    scanner: || Box::new(Hdf5Scanner),
};

static STATIC_ENTRY: ScannerEntry = ENTRY;

/// Scans HDF5 and NetCDF-4 files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hdf5Scanner;

#[async_trait]
impl Scanner for Hdf5Scanner {
    fn entry(&self) -> &'static ScannerEntry {
        &STATIC_ENTRY
    }

    async fn scan(
        &self,
        source: &dyn ByteSource,
        options: &ScanOptions,
    ) -> Result<Scan, ScanError> {
        let frontier = Frontier::new(source, &options.limits);
        let scan = frontier.run(scan_file(&frontier, options)).await;
        scan.map_err(|error| error.into_scan_error(source.location()))
    }
}

async fn scan_file(frontier: &Frontier<'_>, options: &ScanOptions) -> Result<Scan> {
    let file = File::open(frontier, &options.limits).await?;
    let mut objects = read_objects(&file).await?;
    let tree = Tree::new(&mut objects, file.root, &options.limits)?;
    read_inline(&file, &mut objects, options.inline_threshold).await;
    Ok(lower::lower(file.source(), &objects, tree, &options.limits))
}

/// What one step of the walk found about an object.
enum Step {
    Header(Result<ObjectHeader>),
    Links(Result<Vec<Link>>),
    Dataset(Box<Result<Dataset>>),
    Attributes(Result<Vec<NamedAttribute>>),
}

type Steps<'f> = FuturesUnordered<BoxFuture<'f, (Address, Step)>>;

/// Reads every object that hard links lead to from the root, each once, all at the same time.
async fn read_objects(file: &File<'_>) -> Result<Objects> {
    let mut objects = Objects::new();
    let mut seen = HashSet::from([file.root]);
    let mut steps: Steps<'_> = FuturesUnordered::new();
    push_header(&steps, file, file.root);
    while let Some((address, step)) = steps.next().await {
        match step {
            Step::Header(Err(error)) => {
                objects.insert(address, Err(error));
            }
            Step::Header(Ok(header)) => {
                objects.insert(address, begin(&steps, file, address, header));
            }
            Step::Links(links) => {
                for link in links.iter().flatten() {
                    if let LinkTarget::Hard(target) = link.target
                        && seen.insert(target)
                    {
                        push_header(&steps, file, target);
                    }
                }
                let count = seen.len() as u64;
                Hdf5Error::check_limit(
                    "group",
                    file.context.file_offset(address),
                    "objects",
                    count,
                    file.limits().objects,
                )?;
                update(&mut objects, address, |object| object.kind = ObjectKind::Group(links));
            }
            Step::Dataset(dataset) => {
                update(&mut objects, address, |object| object.kind = ObjectKind::Dataset(dataset));
            }
            Step::Attributes(attributes) => {
                update(&mut objects, address, |object| object.attributes = attributes);
            }
        }
    }
    Ok(objects)
}

fn push_header<'f>(steps: &Steps<'f>, file: &'f File<'_>, address: Address) {
    steps.push(Box::pin(async move { (address, Step::Header(file.object_header(address).await)) }));
}

/// Starts the steps that an object's header asks for.
fn begin<'f>(
    steps: &Steps<'f>,
    file: &'f File<'_>,
    address: Address,
    header: ObjectHeader,
) -> Result<Object> {
    let offset = header.offset;
    let header = Arc::new(header);
    let kind = if header.is_dataset() {
        let header = Arc::clone(&header);
        steps.push(Box::pin(async move {
            (address, Step::Dataset(Box::new(file.dataset(&header).await)))
        }));
        ObjectKind::Datatype
    } else if header.is_group() {
        let header = Arc::clone(&header);
        steps.push(Box::pin(async move { (address, Step::Links(file.links(&header).await)) }));
        ObjectKind::Group(Ok(Vec::new()))
    } else if header.message(kind::DATATYPE).is_some() {
        ObjectKind::Datatype
    } else {
        let reason = "the object is neither a group, a dataset nor a committed datatype";
        return Err(Hdf5Error::inconsistent("object header", offset, reason));
    };
    steps
        .push(Box::pin(async move { (address, Step::Attributes(file.attributes(&header).await)) }));
    Ok(Object { offset, attributes: Ok(Vec::new()), kind })
}

fn update(objects: &mut Objects, address: Address, change: impl FnOnce(&mut Object)) {
    if let Some(Ok(object)) = objects.get_mut(&address) {
        change(object);
    }
}

/// What is to be read of one dataset: single rows of its chunk table.
struct InlineRead {
    address: Address,
    row: usize,
    offset: u64,
    length: u64,
    /// The mask of a chunk that must be encoded again with the dataset's own.
    recode: Option<(u32, u32)>,
}

/// Reads the stored bytes of all chunks below `threshold`, and encodes again those that skipped other filters than the
/// rest of their dataset.
async fn read_inline(file: &File<'_>, objects: &mut Objects, threshold: u64) {
    let mut wanted = Vec::new();
    let mut room = file.limits().inline_bytes;
    for (&address, object) in objects.iter() {
        if let Ok(Object { kind: ObjectKind::Dataset(dataset), .. }) = object
            && let Ok(dataset) = dataset.as_ref()
        {
            plan_inline(dataset, address, threshold, &mut room, &mut wanted);
        }
    }
    let shared: &Objects = objects;
    let reads = wanted.iter().map(|read| async move {
        let bytes = match (read.recode, dataset_at(shared, read.address)) {
            (Some((from, to)), Some(dataset)) => recode(file, dataset, read, from, to).await,
            _ => file.frontier.read_data(read.offset, read.length).await,
        };
        (read, bytes)
    });
    let results: Vec<(Address, usize, Result<Bytes>)> = join_all(reads)
        .await
        .into_iter()
        .map(|(read, bytes)| (read.address, read.row, bytes))
        .collect();
    for (address, row, bytes) in results {
        if let Some(Ok(Object { kind: ObjectKind::Dataset(dataset), .. })) =
            objects.get_mut(&address)
        {
            match (bytes, dataset.as_mut()) {
                (Ok(bytes), Ok(dataset)) => {
                    dataset.inline.insert(row, bytes);
                }
                (Err(error), Ok(_)) => **dataset = Err(error),
                (_, Err(_)) => {}
            }
        }
    }
}

fn dataset_at(objects: &Objects, address: Address) -> Option<&Dataset> {
    match objects.get(&address) {
        Some(Ok(Object { kind: ObjectKind::Dataset(dataset), .. })) => {
            dataset.as_ref().as_ref().ok()
        }
        _ => None,
    }
}

fn plan_inline(
    dataset: &Dataset,
    address: Address,
    threshold: u64,
    room: &mut u64,
    wanted: &mut Vec<InlineRead>,
) {
    if dataset.strings.is_some() {
        return;
    }
    match &dataset.storage {
        Storage::Contiguous { offset: Some(offset), length } if *length < threshold => {
            if let Some(rest) = room.checked_sub(*length) {
                *room = rest;
                wanted.push(InlineRead {
                    address,
                    row: 0,
                    offset: *offset,
                    length: *length,
                    recode: None,
                });
            }
        }
        Storage::Chunked { table, grid } => {
            let usual = dataset.usual_mask();
            for (row, chunk) in table.iter().enumerate() {
                let mask = dataset.effective_mask(chunk.filter_mask);
                let odd = mask != usual;
                let cost = if odd { grid.chunk_bytes } else { chunk.length };
                if !odd && chunk.length >= threshold {
                    continue;
                }
                if let Some(rest) = room.checked_sub(cost) {
                    *room = rest;
                    let recode = odd.then_some((mask, usual));
                    wanted.push(InlineRead {
                        address,
                        row,
                        offset: chunk.offset,
                        length: chunk.length,
                        recode,
                    });
                }
            }
        }
        _ => {}
    }
}

async fn recode(
    file: &File<'_>,
    dataset: &Dataset,
    read: &InlineRead,
    from: u32,
    to: u32,
) -> Result<Bytes> {
    let Storage::Chunked { grid, .. } = &dataset.storage else { return Ok(Bytes::new()) };
    let data = file.chunk_data(&dataset.filters, from, read.offset, read.length, grid).await?;
    filter::encode(&dataset.filters, to, data, read.offset)
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
}
