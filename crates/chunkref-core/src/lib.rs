// SPDX-License-Identifier: MIT OR Apache-2.0
//! What chunkref's formats, combiners and emitters share.
//!
//! | module | holds |
//! |---|---|
//! | [`scanner`] | [`Scanner`]: one archival file in, one [`Scan`] out |
//! | [`scan_record`] | [`ScanRecord`]: what shaped the references of a scan, as data that is kept with them |
//! | [`combiner`] | [`Combiner`]: many datasets in, one out |
//! | [`emitter`] | [`Emitter`]: a dataset written where people open it |
//! | [`reference_format`], [`reference_set`] | output formats, which crates submit, and the sets that they read |
//! | [`atomic`] | outputs that are whole or not there |
//! | [`source`] | [`ByteSource`]: range reads of one version of one object |
//! | [`codec`] | [`CodecEntry`]: what is known of a codec, and how it is undone |
//! | [`value_reader`] | [`ValueReaderEntry`]: libraries of others to compare with |
//! | [`format_option`] | [`FormatOption`]: options that one format adds, with type, default, help and flag |
//! | [`signature`], [`registry`] | which scanner a file is for |
//! | [`split`] | data in one piece, cut into chunks |
//! | [`cursor`], [`limits`], [`cancellation`] | reading untrusted bytes safely; work that is no longer wanted |
//! | [`error`] | what callers match on |
//! | [`conflict`] | [`Conflict`]: what stands in the way of combining |
//! | [`resolution`] | [`Resolution`]: what helps against a fault, which each front-end words for its users |

pub mod atomic;
pub mod cancellation;
pub mod codec;
mod combine_record;
pub mod combiner;
pub mod conflict;
pub mod cursor;
pub mod emitter;
pub mod error;
pub mod format_option;
pub mod limits;
mod panics;
mod record;
pub mod reference_format;
pub mod reference_set;
pub mod registry;
pub mod resolution;
pub mod scan_record;
pub mod scanner;
pub mod signature;
pub mod source;
pub mod split;
mod stranger;
pub mod value_reader;
pub mod watched;

pub use chunkref_model as model;
pub use chunkref_model::secret;
pub use inventory;

pub use cancellation::{Cancellation, Cancelled, Steps};
pub use chunkref_model::secret::redact;
pub use codec::{
    CodecEntry, CodecInput, Codecs, CodecsError, DecodeContext, DecodeError, EncodeError,
    Hdf5Settings, LengthChange,
};
pub use combiner::{
    CombineError, CombineErrorKind, CombineOptions, Combiner, ConcatDimension, CoordinateSource,
    Duplicates, Missing, OnConflict, OnFailure,
};
pub use conflict::{Conflict, ConflictKind, Side};
pub use cursor::{Cursor, Truncated};
pub use emitter::{EmitError, EmitOptions, Emitted, Emitter, StoreHints};
pub use error::{ScanError, ScanErrorKind};
pub use format_option::{FormatOption, OptionError, OptionType, OptionValues, Recording, Switch};
pub use limits::{Limit, LimitError, LimitUnit, Limits};
pub use panics::hide_secrets_of_panics;
pub use reference_format::{
    Capability, Form, ReferenceFormat, ReferenceFormatError, ReferenceFormats,
};
pub use reference_set::{MemorySet, Most, ReferenceSet, SetError, SetFiles, SetReader, Wanted};
pub use registry::{Registry, RegistryError};
pub use resolution::{Advice, Resolution, Spelling};
pub use scan_record::ScanRecord;
pub use scanner::{Scan, ScanOptions, Scanner, ScannerEntry, SkipKind, Skipped};
pub use signature::Signature;
pub use source::{ByteSource, MemorySource, SourceError, SourceErrorKind};
pub use value_reader::{ReadValues, ValueReaderEntry, ValueReaderError};
pub use watched::WatchedSource;
