// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry, and the order of a scan.

use async_trait::async_trait;
use chunkref_core::{
    ByteSource, Limits, Scan, ScanError, ScanOptions, Scanner, ScannerEntry, Signature,
};

use crate::context::FileNumber;
use crate::error::{FORMAT, Result};
use crate::lower::{self, OpenFile, Plan, Prepared, members};
use crate::object::Objects;
use crate::options::{self, Options};
use crate::resolve;
use crate::split_contiguous;
use crate::superblock::SIGNATURE;
use crate::tree::Tree;
use crate::walk::{Files, Frontier, open, read_chunks};

/// The registered entry. The signature is at byte 0 or, behind a user block, at a power of two from 512 on; the registry
/// looks at the head of a file only, so that user blocks of more than 32 KiB need the format named.
pub const ENTRY: ScannerEntry = ScannerEntry::new(FORMAT, || Box::new(Hdf5Scanner))
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
    let file = open(frontier, FileNumber(0), limits).await?;
    let mut described = file.frontier.run(choices.engine.objects(&file)).await?;
    let mut files = Files::new(file);
    files.check()?;
    let neighbours = files.open_neighbours(&mut described, choices.follow_links, limits).await?;
    let mut tree = Tree::new(&described, &neighbours, limits)?;
    if choices.netcdf_names {
        lower::rename_variables(&mut tree, &described);
    }
    let mut resolved = resolve::resolve(&files, &neighbours, described).await;
    if choices.reference_paths {
        resolved = resolve::read_paths(&files, resolved, &tree.paths).await;
    }
    if let Some(piece_bytes) = choices.piece_bytes {
        resolved = split_contiguous::split_objects(resolved, piece_bytes);
    }
    if let Some(form) = choices.members {
        resolved = members::change(resolved, form);
    }
    let plan = Plan::new(resolved, &tree.paths, options, &choices.filters)?;
    let prepared = read_inline(&files, plan, limits).await?;
    files.check()?;
    let open = files.sources().map(|(number, source)| {
        let (location, version) = (source.location().to_owned(), source.version().clone());
        OpenFile { number, location, version }
    });
    lower::lower(open.collect(), files.ending(), &prepared, tree, limits, choices.fixed_strings)
}

/// Chunks that are read at one time: a read that is under way takes some hundred bytes, however small the chunk is.
const READS: usize = 1 << 14;

/// Reads everything that the plan wants.
async fn read_inline(
    files: &Files<'_>,
    mut plan: Plan,
    limits: &Limits,
) -> Result<Objects<Prepared>> {
    let mut done = 0;
    while let Some(wanted) = plan.wanted().chunks(READS).nth(done) {
        let read = read_chunks(files, wanted, &plan, limits).await;
        plan.add(read);
        done = done.saturating_add(1);
    }
    plan.finish(files.ending())
}
