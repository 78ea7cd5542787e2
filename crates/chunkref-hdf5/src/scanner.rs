// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry, and the order of a scan.

use async_trait::async_trait;
use chunkref_core::{ByteSource, Scan, ScanError, ScanOptions, Scanner, ScannerEntry, Signature};

use crate::context::FileNumber;
use crate::error::{FORMAT, Result};
use crate::inline::read_inline;
use crate::lower::{self, members};
use crate::mapped_data;
use crate::netcdf4;
use crate::object_references;
use crate::options::{self, Options};
use crate::split_contiguous;
use crate::superblock::SIGNATURE;
use crate::tree::Tree;
use crate::walk::{Files, Frontier, open};

/// The registered entry. The signature is at byte 0 or, behind a user block, at a power of two from 512 on; the registry
/// looks at the head of a file only, so that user blocks of more than 32 KiB need the format named.
pub const ENTRY: ScannerEntry = ScannerEntry {
    name: FORMAT,
    description: "HDF5 and NetCDF-4",
    media_type: "application/x-hdf5",
    extensions: &["h5", "hdf5", "he5", "nc", "nc4", "mat"],
    signatures: &[Signature::at(&SIGNATURE, &[0, 512, 1024, 2048, 4096, 8192, 16384, 32768])],
    options: options::ALL,
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
