// SPDX-License-Identifier: MIT OR Apache-2.0
//! What chunkref's formats, combiners and emitters share.
//!
//! | module | holds |
//! |---|---|
//! | [`scanner`] | [`Scanner`]: one archival file in, one [`Scan`] out |
//! | [`combiner`] | [`Combiner`]: many datasets in, one out |
//! | [`emitter`] | [`Emitter`]: a dataset written where people open it |
//! | [`atomic`] | outputs that are whole or not there |
//! | [`source`] | [`ByteSource`]: range reads of one version of one object |
//! | [`decoder`] | [`DecoderEntry`]: codecs of stored chunks, undone |
//! | [`format_option`] | [`FormatOption`]: options that one format adds, with type, default, help and flag |
//! | [`signature`], [`registry`] | which scanner a file is for |
//! | [`split`] | data in one piece, cut into chunks |
//! | [`cursor`], [`limits`] | reading untrusted bytes safely |
//! | [`cancellation`] | work that is no longer wanted |
//! | [`error`] | what callers match on |
//! | [`conflict`] | [`Conflict`]: what stands in the way of combining |
//! | [`resolution`] | [`Resolution`]: what helps against a fault, which each front-end words for its users |

pub mod atomic;
pub mod cancellation;
mod combine_record;
pub mod combiner;
pub mod conflict;
pub mod cursor;
pub mod decoder;
pub mod emitter;
pub mod error;
pub mod format_option;
pub mod limits;
pub mod registry;
pub mod resolution;
pub mod scanner;
pub mod signature;
pub mod source;
pub mod split;
pub mod watched;

pub use chunkref_model as model;
pub use chunkref_model::secret;
pub use inventory;

pub use cancellation::{Cancellation, Cancelled};
pub use chunkref_model::secret::redact;
pub use combiner::{
    CombineError, CombineErrorKind, CombineOptions, Combiner, ConcatDimension, CoordinateSource,
    Duplicates, Missing, OnConflict,
};
pub use conflict::{Conflict, ConflictKind, Side};
pub use cursor::{Cursor, Truncated};
pub use decoder::{DecodeError, DecoderEntry};
pub use emitter::{CommitOptions, EmitError, EmitOptions, Emitted, Emitter, StoreHints};
pub use error::{ScanError, ScanErrorKind};
pub use format_option::{FormatOption, OptionError, OptionType, Switch};
pub use limits::{Limit, LimitError, LimitUnit, Limits};
pub use registry::{Registry, RegistryError};
pub use resolution::{Advice, Resolution, Spelling};
pub use scanner::{Scan, ScanOptions, Scanner, ScannerEntry, SkipKind, Skipped};
pub use signature::Signature;
pub use source::{ByteSource, MemorySource, SourceError, SourceErrorKind};
pub use watched::WatchedSource;
