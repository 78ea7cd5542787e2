// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scanning one archival file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};

use async_trait::async_trait;
use chunkref_model::Dataset;

use crate::{
    ByteSource, Cancellation, FormatOption, Limits, Resolution, ScanError, Signature, Spelling,
    WatchedSource,
};

/// One archival file in, its description out.
///
/// # Contract
/// - `scan` reads through `source` alone, and asks for everything it wants at one time in one
///   [`ByteSource::read_many`]: the number of rounds grows with the depth of the file's structures, not their number.
/// - A store that fails ends the scan, with the kind of its error ([`crate::SourceErrorKind::is_fault`]): what was read
///   before must not be taken for the whole, and what could not be read is no property of the file.
/// - The file is not trusted: whatever its bytes, `scan` ends, does not panic, and keeps to `options.limits`.
/// - One odd variable costs only itself: it is left out of the dataset and listed in [`Scan::skipped`] with its reason.
///   Nothing is left out in silence, and nothing is guessed.
/// - Every reference decodes, by the array's codecs, to the values that the format's own library reads, and lies within
///   the object it names.
/// - Loops whose length the file decides check `options.cancellation`; when that fails, so does the scan, with an error of
///   the kind that it says. What is found until then is never given as if it were all.
/// - The same bytes and options give the same result, whatever the timing of reads.
/// - Scans of different sources may run at the same time.
#[async_trait]
pub trait Scanner: Send + Sync {
    /// What the scanner is registered as.
    fn entry(&self) -> &'static ScannerEntry;

    /// Describes the file that `source` reads.
    ///
    /// # Errors
    /// [`ScanError`] when the file as a whole cannot be read or is not of the format.
    async fn scan(&self, source: &dyn ByteSource, options: &ScanOptions)
    -> Result<Scan, ScanError>;
}

/// What a scan found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Scan {
    /// Everything that references can say.
    pub dataset: Dataset,
    /// Everything that they cannot, in the order of the paths.
    pub skipped: Vec<Skipped>,
}

impl Scan {
    /// A scan that left nothing out.
    #[must_use]
    pub const fn new(dataset: Dataset) -> Self {
        Self { dataset, skipped: Vec::new() }
    }

    /// The same scan with what is not in the dataset, in the order of the paths.
    #[must_use]
    pub fn with_skipped(mut self, skipped: Vec<Skipped>) -> Self {
        self.skipped = skipped;
        self
    }
}

/// Something of the file that is not in the dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Path in the file, without leading slash; `path@name` for an attribute.
    pub path: String,
    /// Where in the file, in bytes from its start, when known.
    pub offset: Option<u64>,
    /// Why, in words: what it is and what to do.
    pub reason: String,
    /// What is missing.
    pub kind: SkipKind,
    /// What helps; each of them does.
    pub resolutions: Vec<Resolution>,
}

impl Skipped {
    /// Something at this path that is left out, and why.
    #[must_use]
    pub fn new(path: impl Into<String>, kind: SkipKind, reason: impl Into<String>) -> Self {
        let (path, reason) = (path.into(), reason.into());
        Self { path, offset: None, reason, kind, resolutions: Vec::new() }
    }

    /// The same, with where it is in the file, in bytes from its start.
    #[must_use]
    pub fn with_offset(mut self, offset: impl Into<Option<u64>>) -> Self {
        self.offset = offset.into();
        self
    }

    /// The same, with what helps.
    #[must_use]
    pub fn with_resolutions(mut self, resolutions: Vec<Resolution>) -> Self {
        self.resolutions = resolutions;
        self
    }

    /// The reason and what helps, with the options of a front-end.
    #[must_use]
    pub fn reason_in_words(&self, spelling: Spelling<'_>) -> String {
        match self.resolutions.as_slice() {
            [] => self.reason.clone(),
            some => format!("{}: {}", self.reason, Resolution::all_in_words(some, spelling)),
        }
    }

    /// How many things of each kind there are.
    #[must_use]
    pub fn count(skipped: &[Self]) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for one in skipped {
            let count: &mut u64 = counts.entry(one.kind.to_string()).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }
}

/// What kind of thing was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SkipKind {
    /// A variable, with its data.
    Array,
    /// A group, with all that is in it.
    Group,
    /// One attribute.
    Attribute,
    /// A link that leads nowhere, back to where it came from, or out of the file.
    Link,
}

impl fmt::Display for SkipKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Array => "array",
            Self::Group => "group",
            Self::Attribute => "attribute",
            Self::Link => "link",
        })
    }
}

/// How to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanOptions {
    /// Name of the format to scan as; `None` to go by signature. Scanners do not look at it.
    pub format: Option<String>,
    /// Chunks whose stored length is below this many bytes are stored in the references themselves; 0 for none.
    pub inline_threshold: u64,
    /// Bounds on what the file may cost.
    pub limits: Limits,
    /// When the scan ends before it is done, with an error.
    pub cancellation: Cancellation,
    /// Folders, as local paths, from which other files may be read that the scanned file names (external links, external
    /// data, sources of virtual datasets); files beside the scanned one may be read in any case.
    pub allow_outside: Vec<String>,
    /// Options of single formats, by the names that their [`ScannerEntry::options`] list.
    pub format_options: BTreeMap<String, String>,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            format: None,
            inline_threshold: 500,
            limits: Limits::default(),
            cancellation: Cancellation::never(),
            allow_outside: Vec::new(),
            format_options: BTreeMap::new(),
        }
    }
}

impl ScanOptions {
    /// The same options with the format fixed by name.
    #[must_use]
    pub fn with_format(mut self, name: impl Into<String>) -> Self {
        self.format = Some(name.into());
        self
    }

    /// The same options with another inline threshold, in stored bytes.
    #[must_use]
    pub fn with_inline_threshold(mut self, bytes: u64) -> Self {
        self.inline_threshold = bytes;
        self
    }

    /// The same options with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same options with another end before the work is done.
    #[must_use]
    pub fn with_cancellation(mut self, cancellation: Cancellation) -> Self {
        self.cancellation = cancellation;
        self
    }

    /// The same options with one more folder that files named by the scanned file may be read from.
    #[must_use]
    pub fn with_allowed_outside(mut self, folder: impl Into<String>) -> Self {
        self.allow_outside.push(folder.into());
        self
    }

    /// The same options with one format option set.
    #[must_use]
    pub fn with_format_option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.format_options.insert(name.into(), value.into());
        self
    }
}

/// A registered format: plain data and a constructor.
///
/// ```
/// use chunkref_core::{ScannerEntry, Signature};
/// # use chunkref_core::{ByteSource, Scan, ScanError, ScanOptions, Scanner, model::Dataset};
/// # struct MyScanner;
/// # #[async_trait::async_trait]
/// # impl Scanner for MyScanner {
/// #     fn entry(&self) -> &'static ScannerEntry { &ENTRY }
/// #     async fn scan(&self, _: &dyn ByteSource, _: &ScanOptions) -> Result<Scan, ScanError> {
/// #         Ok(Scan::new(Dataset::new()))
/// #     }
/// # }
/// static ENTRY: ScannerEntry = ScannerEntry::new("mine", || Box::new(MyScanner))
///     .with_description("my format")
///     .with_extensions(&["my"])
///     .with_signatures(&[Signature::at_start(b"MINE")]);
/// assert!(ENTRY.is_called("mine"));
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ScannerEntry {
    /// Short lower-case name.
    pub name: &'static str,
    /// Other names that it goes by wherever a format is named.
    pub aliases: &'static [&'static str],
    /// What the format is, in a few words.
    pub description: &'static str,
    /// Media type.
    pub media_type: &'static str,
    /// File extensions without the dot; for people only, files are told apart by signature.
    pub extensions: &'static [&'static str],
    /// Extensions of files that lie beside its files, are called after them and hold no data: indexes. Patterns of files do
    /// not take them for data.
    pub sidecars: &'static [&'static str],
    /// How its files begin.
    pub signatures: &'static [Signature],
    /// Options it adds.
    pub options: &'static [FormatOption],
    /// Makes the scanner.
    pub scanner: fn() -> Box<dyn Scanner>,
}

impl ScannerEntry {
    /// A format of this name, whose files nothing tells from others.
    #[must_use]
    pub const fn new(name: &'static str, scanner: fn() -> Box<dyn Scanner>) -> Self {
        Self {
            name,
            aliases: &[],
            description: name,
            media_type: "application/octet-stream",
            extensions: &[],
            sidecars: &[],
            signatures: &[],
            options: &[],
            scanner,
        }
    }

    /// The same entry under another name.
    #[must_use]
    pub const fn with_name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// The same entry with other names besides its own.
    #[must_use]
    pub const fn with_aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The same entry with what the format is, in a few words.
    #[must_use]
    pub const fn with_description(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// The same entry with a media type.
    #[must_use]
    pub const fn with_media_type(mut self, media_type: &'static str) -> Self {
        self.media_type = media_type;
        self
    }

    /// The same entry with file extensions.
    #[must_use]
    pub const fn with_extensions(mut self, extensions: &'static [&'static str]) -> Self {
        self.extensions = extensions;
        self
    }

    /// The same entry with extensions of files that lie beside its files and hold no data.
    #[must_use]
    pub const fn with_sidecars(mut self, sidecars: &'static [&'static str]) -> Self {
        self.sidecars = sidecars;
        self
    }

    /// The same entry with how its files begin.
    #[must_use]
    pub const fn with_signatures(mut self, signatures: &'static [Signature]) -> Self {
        self.signatures = signatures;
        self
    }

    /// The same entry with options of its own.
    #[must_use]
    pub const fn with_options(mut self, options: &'static [FormatOption]) -> Self {
        self.options = options;
        self
    }

    /// The same entry with another scanner.
    #[must_use]
    pub const fn with_scanner(mut self, scanner: fn() -> Box<dyn Scanner>) -> Self {
        self.scanner = scanner;
        self
    }

    /// Whether the format goes by this name.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    /// The option of this name, with the format's name or one of its aliases in front.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&'static FormatOption> {
        let (format, rest) = name.split_once('.')?;
        let suffix = |option: &&FormatOption| {
            option.name.split_once('.').is_some_and(|(_, own)| own == rest)
        };
        self.options.iter().filter(|_| self.is_called(format)).find(suffix)
    }

    /// The options under the format's own name that are set under an alias.
    pub(crate) fn own_names<'a>(&self, options: &'a ScanOptions) -> Cow<'a, ScanOptions> {
        let mut own = Cow::Borrowed(options);
        for (name, value) in &options.format_options {
            if let Some(option) = self.option(name).filter(|option| option.name != name) {
                let known = &mut own.to_mut().format_options;
                known.remove(name);
                known.entry(option.name.to_owned()).or_insert_with(|| value.clone());
            }
        }
        own
    }

    /// Describes the file that `source` reads. A scan during which the source failed is that error, whatever the scanner
    /// made of it.
    ///
    /// # Errors
    /// [`ScanError`] when the file as a whole cannot be read or is not of the format.
    pub async fn scan(
        &self,
        source: &dyn ByteSource,
        options: &ScanOptions,
    ) -> Result<Scan, ScanError> {
        let options = &*self.own_names(options);
        let ended = |cancelled| ScanError::cancelled(cancelled, source.location(), Some(self.name));
        options.cancellation.check().map_err(ended)?;
        let watched = WatchedSource::new(source);
        let outcome = (self.scanner)().scan(&watched, options).await;
        // Whatever a scanner makes of a check that failed: what it found until then is not all.
        if outcome.is_ok() {
            options.cancellation.check().map_err(ended)?;
        }
        let Some(fault) = watched.fault() else { return outcome };
        let kind = fault.kind.into();
        match outcome {
            // The scanner's own words say what was read.
            Err(error) if error.kind == kind => Err(error),
            _ => Err(ScanError::new(kind, source.location(), fault).with_format(self.name)),
        }
    }
}

impl Debug for ScannerEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ScannerEntry")
            .field("name", &self.name)
            .field("media_type", &self.media_type)
            .field("extensions", &self.extensions)
            .field("signatures", &self.signatures)
            .finish_non_exhaustive()
    }
}

inventory::collect!(ScannerEntry);
