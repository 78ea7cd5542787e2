// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry and the walk over all objects of a file.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use chunkref_core::{ByteSource, Scan, ScanError, ScanOptions, Scanner, ScannerEntry, Signature};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use crate::attributes::NamedAttribute;
use crate::context::{Address, FileNumber, ObjectId};
use crate::error::{Hdf5Error, Result};
use crate::file::File;
use crate::frontier::Frontier;
use crate::inline::read_inline;
use crate::lower::{self, members};
use crate::mapped_data;
use crate::message::kind;
use crate::message::link::{Link, LinkTarget};
use crate::neighbours::Files;
use crate::netcdf4;
use crate::object::{Dataset, Object, ObjectKind, Objects};
use crate::object_header::ObjectHeader;
use crate::object_references;
use crate::options::{self, Options};
use crate::split_contiguous;
use crate::superblock::SIGNATURE;
use crate::tree::Tree;

/// The registered entry. The signature is at byte 0 or, behind a user block, at a power of two from 512 on; the registry
/// looks at the head of a file only, so that user blocks of more than 32 KiB need the format named.
pub const ENTRY: ScannerEntry = ScannerEntry::new("hdf5", || Box::new(Hdf5Scanner))
    .with_description("HDF5 and NetCDF-4")
    .with_media_type("application/x-hdf5")
    .with_extensions(&["h5", "hdf5", "he5", "nc", "nc4", "mat"])
    .with_signatures(&[Signature::at(&SIGNATURE, &[0, 512, 1024, 2048, 4096, 8192, 16384, 32768])])
    .with_options(options::ALL);

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
        let choices = Options::new(source, options)?;
        let scan = scan_files(source, options, &choices).await;
        scan.map_err(|error| error.into_scan_error(source.location()))
    }
}

async fn scan_files(
    source: &dyn ByteSource,
    options: &ScanOptions,
    choices: &Options,
) -> Result<Scan> {
    let limits = &options.limits;
    let frontier = Frontier::new(source, limits).ended_by(options.cancellation.clone());
    let file = File::open(frontier, FileNumber(0), limits).await?;
    let mut objects = file.frontier.run(choices.engine.objects(&file)).await?;
    let mut files = Files::new(file);
    files.check()?;
    let neighbours = files.open_neighbours(&mut objects, choices.follow_links, limits).await?;
    let mut tree = Tree::new(&objects, &neighbours, limits)?;
    if choices.netcdf_names {
        netcdf4::rename_variables(&mut tree, &objects);
    }
    mapped_data::resolve(&files, &neighbours, &mut objects).await;
    if choices.reference_paths {
        object_references::read_paths(&files, &mut objects, &tree.paths).await;
    }
    if let Some(piece_bytes) = choices.piece_bytes {
        split_contiguous::split_objects(&mut objects, piece_bytes);
    }
    if let Some(form) = choices.members {
        members::change(&mut objects, form);
    }
    read_inline(&files, &mut objects, &tree.paths, options, &choices.filters).await?;
    files.check()?;
    lower::lower(&files, &objects, tree, limits, choices.fixed_strings)
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
pub(crate) async fn read_objects(file: &File<'_>) -> Result<Objects> {
    let mut objects = Objects::new();
    let mut seen = HashSet::from([file.root]);
    let mut steps: Steps<'_> = FuturesUnordered::new();
    push_header(&steps, file, file.root);
    while let Some((address, step)) = steps.next().await {
        match step {
            Step::Header(Err(error)) => {
                objects.insert(file.context.object(address), Err(error));
            }
            Step::Header(Ok(header)) => {
                objects.insert(file.context.object(address), begin(&steps, file, address, header));
            }
            Step::Links(links) => {
                for link in links.iter().flatten() {
                    if let LinkTarget::Hard(ObjectId { address: target, .. }) = link.target
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
                update(&mut objects, file.context.object(address), |object| {
                    object.kind = ObjectKind::Group(links);
                });
            }
            Step::Dataset(dataset) => {
                update(&mut objects, file.context.object(address), |object| {
                    object.kind = ObjectKind::Dataset(dataset);
                });
            }
            Step::Attributes(attributes) => {
                update(&mut objects, file.context.object(address), |object| {
                    object.attributes = attributes;
                });
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

fn update(objects: &mut Objects, id: ObjectId, change: impl FnOnce(&mut Object)) {
    if let Some(Ok(object)) = objects.get_mut(&id) {
        change(object);
    }
}
