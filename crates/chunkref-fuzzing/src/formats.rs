// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole files, scanned as a format.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::model::ObjectVersion;
use chunkref_core::{
    ByteSource, MemorySource, Scan, ScanError, ScanOptions, ScannerEntry, SourceError,
};
use futures::executor::block_on;

use crate::check;

const LOCATION: &str = "memory://fuzzed/input";

/// HDF5 and NetCDF-4. The last byte chooses options, so that all of them are tried.
pub fn hdf5(data: &[u8]) {
    let choice = data.last().copied().unwrap_or_default();
    let mut options = options();
    let mut set = |bit: u8, name: &str, value: &str| {
        if choice & bit != 0 {
            options.format_options.insert(name.to_owned(), value.to_owned());
        }
    };
    set(1, "hdf5.references", "paths");
    set(2, "hdf5.strings", "fixed");
    set(4, "hdf5.names", "netcdf");
    set(8, "hdf5.unsupported-filters", "skip");
    check(&chunkref_hdf5::ENTRY, data, &options);
}

/// NetCDF classic.
pub fn netcdf3(data: &[u8]) {
    check(&chunkref_netcdf3::ENTRY, data, &options());
}

/// GRIB, both editions.
pub fn grib(data: &[u8]) {
    check(&chunkref_grib2::ENTRY, data, &options());
}

fn options() -> ScanOptions {
    ScanOptions::default().with_limits(check::limits())
}

pub(crate) fn scan_hdf5(content: &[u8]) {
    check(&chunkref_hdf5::ENTRY, content, &options());
}

fn check(entry: &ScannerEntry, content: &[u8], options: &ScanOptions) {
    if let Ok(scan) = scan(entry, content, options) {
        check::scan(&scan, content, LOCATION);
    }
}

/// The scan of an object with this content.
pub(crate) fn scan(
    entry: &ScannerEntry,
    content: &[u8],
    options: &ScanOptions,
) -> Result<Scan, ScanError> {
    let source = Beside(MemorySource::new(LOCATION, Bytes::copy_from_slice(content)));
    block_on((entry.scanner)().scan(&source, options))
}

/// A file with the same content as all files beside it, which have other names.
#[derive(Debug)]
struct Beside(MemorySource);

#[async_trait]
impl ByteSource for Beside {
    fn location(&self) -> &str {
        self.0.location()
    }

    fn version(&self) -> &ObjectVersion {
        self.0.version()
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        self.0.read_many(ranges).await
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        let content = self.0.read_many(std::slice::from_ref(&(0..self.0.version().length))).await?;
        let content = content.into_iter().next().unwrap_or_default();
        Ok(Box::new(Self(MemorySource::new(format!("memory://beside/{path}"), content))))
    }
}
