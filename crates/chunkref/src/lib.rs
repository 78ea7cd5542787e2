// SPDX-License-Identifier: MIT OR Apache-2.0
//! Find the chunks of archival files and describe them as Zarr references.
//!
//! A scan reads a file's metadata alone, and says of each array what Zarr needs to know and where its chunks lie. What
//! cannot be said is listed with its reason, never left out in silence.
//!
//! ```no_run
//! use chunkref::emit::KerchunkJson;
//! use chunkref::{EmitOptions, Emitter, ScanOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let scan = chunkref::scan("data/sst.nc", &ScanOptions::default()).await?;
//! for skipped in &scan.skipped {
//!     eprintln!("{}: {}", skipped.path, skipped.reason);
//! }
//! KerchunkJson.emit(&scan.dataset, "sst.json".as_ref(), &EmitOptions::default())?;
//! # Ok(())
//! # }
//! ```
//!
//! Files in memory are scanned as they are, and what is no known format is an error that says how it begins:
//!
//! ```
//! use chunkref::{ScanErrorKind, ScanOptions};
//!
//! # futures::executor::block_on(async {
//! let bytes = bytes::Bytes::from_static(b"plain text");
//! let error = chunkref::open(bytes, "memory://notes.txt", &ScanOptions::default()).await.unwrap_err();
//! assert_eq!(error.kind, ScanErrorKind::UnknownFormat);
//! # });
//! ```
//!
//! [`scan_many`] scans many files at a time, from any store.
//!
//! Formats are cargo features (`grib2`, `hdf5`, `netcdf3`, on by default); so are Icechunk repositories (`icechunk`, off). Another crate adds its own by submitting a
//! [`ScannerEntry`]; the binary names that crate, and nothing here changes.

pub mod contents;
pub mod emit;
pub mod gather;
pub mod many;
pub mod objects;
pub mod opened;
mod patterns;
pub mod references;
pub mod scan;
pub mod session;
pub mod verify;

// A format registers itself only when its crate is named.
#[cfg(feature = "grib2")]
use chunkref_grib2 as _;
#[cfg(feature = "hdf5")]
use chunkref_hdf5 as _;
#[cfg(feature = "icechunk")]
use chunkref_icechunk as _;
#[cfg(feature = "kerchunk-json")]
use chunkref_kerchunk_json as _;
#[cfg(feature = "netcdf3")]
use chunkref_netcdf3 as _;
#[cfg(feature = "parquet")]
use chunkref_parquet as _;

pub use chunkref_combine as combine;
pub use chunkref_core as core;
#[cfg(feature = "icechunk")]
pub use chunkref_icechunk as icechunk;
#[cfg(feature = "kerchunk-json")]
pub use chunkref_kerchunk_json as kerchunk_json;
pub use chunkref_model as model;
#[cfg(feature = "parquet")]
pub use chunkref_parquet as parquet;
pub use chunkref_read as read;
pub use chunkref_store as store;

pub use chunkref_core::{
    ByteSource, Capability, CombineError, CombineErrorKind, CombineOptions, Combiner,
    ConcatDimension, Conflict, ConflictKind, CoordinateSource, Duplicates, EmitError, EmitOptions,
    Emitted, Emitter, FormatOption, Limit, LimitError, LimitUnit, Limits, Missing, OnConflict,
    OnFailure, OptionError, OptionType, ReferenceFormat, ReferenceFormatError, ReferenceFormats,
    Registry, RegistryError, Resolution, Scan, ScanError, ScanErrorKind, ScanOptions, Scanner,
    ScannerEntry, SkipKind, Skipped, SourceError, SourceErrorKind, StoreHints,
};
pub use chunkref_model::{Array, ChunkRef, Dataset, Group, Manifest};
pub use chunkref_store::{AccessPolicy, Location, Stores, UrlPrefix};
pub use gather::{Gathered, Gatherer};
pub use many::{ManyOptions, Scanned, Scans, scan_many};
pub use objects::StoreObjects;
pub use opened::{OpenError, Opened, OpenedFile, open_store};
pub use patterns::expand;
pub use references::{References, ReferencesError};
pub use scan::{
    choose, open, options_within, registry, scan, scan_at, scan_source, scan_with, stores, validate,
};
pub use session::Session;
