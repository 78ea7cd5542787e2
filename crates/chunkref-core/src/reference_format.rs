// SPDX-License-Identifier: MIT OR Apache-2.0
//! Output formats: what each is called, how its sets are told, what it can represent, and who writes and reads it.
//!
//! | module | holds |
//! |---|---|
//! | [`registry`] | [`ReferenceFormats`]: those that are linked in, and which of them a destination or a file is of |

pub mod registry;

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chunkref_model::Dataset;
use chunkref_model::provenance::Recorded;

use crate::{
    EmitError, EmitOptions, Emitted, Emitter, FormatOption, OptionError, ReferenceSet, SetError,
    SetFiles, SetReader, format_option,
};

pub use registry::{ReferenceFormatError, ReferenceFormats};

/// Whether a set is one file or a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One file.
    File,
    /// A folder of files that belong together.
    Folder,
}

/// Something that not every format can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Earlier versions stay, and can be read. Without it a set has one version.
    History,
    /// References are read when they are asked for, not all at once. Without it they are in memory once a set is open.
    Lazy,
    /// Bytes of chunks are stored in the set itself. Without it, a dataset with such chunks is an error of the emitter.
    Inline,
    /// Sets are read from URLs, not from this machine alone.
    Remote,
    /// How the references came about is written along. Without it, a set is extended only with the options of its
    /// combination given again, nothing is left alone as unchanged, and sources that have changed are not noticed by the
    /// versions that were recorded.
    Provenance,
    /// Several datasets of their own in one set ([`Dataset::separate`]).
    Separate,
}

impl fmt::Display for Capability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::History => "history",
            Self::Lazy => "lazy",
            Self::Inline => "inline",
            Self::Remote => "remote",
            Self::Provenance => "provenance",
            Self::Separate => "separate",
        })
    }
}

/// Writes a dataset to a stream, with no way back.
pub type WriteStream = fn(&Dataset, &EmitOptions, &mut dyn Write) -> Result<Emitted, EmitError>;

/// A registered output format: plain data and constructors. A crate submits it
/// (`chunkref_core::inventory::submit! { ENTRY }`), and whoever names the crate in a binary has the format in all commands.
///
/// # Contract
/// - What the emitter writes, the reader opens: the same groups, arrays and references.
/// - The emitter keeps the contract of [`Emitter`], the sets that of [`ReferenceSet`].
/// - A capability that is stated holds; what a format cannot represent is an error of its emitter.
/// - Options are read from [`EmitOptions::format_options`]; the emitter begins with [`ReferenceFormat::validate`].
/// - `marks`, `begins` and `foreign` know sets that this format has written.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ReferenceFormat {
    /// Short lower-case name, as documents and errors have it: `kerchunk-json`.
    pub name: &'static str,
    /// The word that users write: `json`. It begins the names of the format's options. No other format has it as its name or
    /// word.
    pub word: &'static str,
    /// What a set is, in a few words: "kerchunk references in JSON".
    pub description: &'static str,
    /// Whether it is a file or a folder.
    pub form: Form,
    /// Version of Zarr in which it has metadata.
    pub zarr_version: u8,
    /// What it can do.
    pub capabilities: &'static [Capability],
    /// How names of its sets end, with their dots; the first one ends names that are made up.
    pub endings: &'static [&'static str],
    /// What tells a folder on this machine: one of these lists, all of whose paths are there. A path that ends in a slash is
    /// a folder, another one a file.
    pub marks: &'static [&'static [&'static str]],
    /// Whether a file of that name with these first bytes may be a set.
    pub begins: Option<fn(&str, &[u8]) -> bool>,
    /// The first thing at a path of this machine that is not part of a set of the format; `None` when there is no such
    /// thing, and what is there may be replaced by another set. Front-ends ask it of folders, and of the files that they
    /// choose the names of; a single file that a user names is replaced whatever it holds, unless it is a data file.
    pub foreign: fn(&Path) -> io::Result<Option<String>>,
    /// Options it adds.
    pub options: &'static [FormatOption],
    /// The option whose value is the version that a set is extended at, of formats with a history.
    pub version_option: Option<&'static str>,
    /// Whether it is for destinations that ask for no other format.
    pub is_fallback: bool,
    /// Writes it to a stream.
    pub stream: Option<WriteStream>,
    makers: Result<Makers, &'static str>,
}

/// Who writes and reads a format.
#[derive(Clone, Copy)]
struct Makers {
    emitter: fn() -> Box<dyn Emitter>,
    reader: fn() -> Box<dyn SetReader>,
}

inventory::collect!(ReferenceFormat);

impl fmt::Debug for ReferenceFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReferenceFormat").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartialEq for ReferenceFormat {
    /// By name: a registry holds no two of one.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ReferenceFormat {}

impl ReferenceFormat {
    /// A format of one file, which can do nothing but write and read references of Zarr version 2.
    #[must_use]
    pub const fn file(
        name: &'static str,
        word: &'static str,
        description: &'static str,
        emitter: fn() -> Box<dyn Emitter>,
        reader: fn() -> Box<dyn SetReader>,
    ) -> Self {
        let makers = Ok(Makers { emitter, reader });
        Self::new(name, word, description, Form::File, makers)
    }

    /// The same of a folder.
    #[must_use]
    pub const fn folder(
        name: &'static str,
        word: &'static str,
        description: &'static str,
        emitter: fn() -> Box<dyn Emitter>,
        reader: fn() -> Box<dyn SetReader>,
    ) -> Self {
        let makers = Ok(Makers { emitter, reader });
        Self::new(name, word, description, Form::Folder, makers)
    }

    /// A format that this build knows and has not: its sets are told, and whatever is asked of them is the error `reason`.
    #[must_use]
    pub const fn absent(
        name: &'static str,
        word: &'static str,
        description: &'static str,
        form: Form,
        reason: &'static str,
    ) -> Self {
        Self::new(name, word, description, form, Err(reason))
    }

    const fn new(
        name: &'static str,
        word: &'static str,
        description: &'static str,
        form: Form,
        makers: Result<Makers, &'static str>,
    ) -> Self {
        Self {
            name,
            word,
            description,
            form,
            zarr_version: 2,
            capabilities: &[],
            endings: &[],
            marks: &[],
            begins: None,
            foreign: all_is_foreign,
            options: &[],
            version_option: None,
            is_fallback: false,
            stream: None,
            makers,
        }
    }

    /// The same with metadata of another version of Zarr.
    #[must_use]
    pub const fn with_zarr_version(mut self, version: u8) -> Self {
        self.zarr_version = version;
        self
    }

    /// The same with more that it can do.
    #[must_use]
    pub const fn with_capabilities(mut self, capabilities: &'static [Capability]) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// The same with endings of names, with their dots; the first one ends names that are made up.
    #[must_use]
    pub const fn with_endings(mut self, endings: &'static [&'static str]) -> Self {
        self.endings = endings;
        self
    }

    /// The same for folders that hold one of these lists of paths, see [`ReferenceFormat::marks`].
    #[must_use]
    pub const fn with_marks(mut self, marks: &'static [&'static [&'static str]]) -> Self {
        self.marks = marks;
        self
    }

    /// The same for files that are told by their name and first bytes.
    #[must_use]
    pub const fn with_begins(mut self, begins: fn(&str, &[u8]) -> bool) -> Self {
        self.begins = Some(begins);
        self
    }

    /// The same with a function that gives what at a path is not part of a set, see [`ReferenceFormat::foreign`].
    #[must_use]
    pub const fn with_foreign(mut self, foreign: fn(&Path) -> io::Result<Option<String>>) -> Self {
        self.foreign = foreign;
        self
    }

    /// The same with options. Their names begin with the word of the format and a dot.
    #[must_use]
    pub const fn with_options(mut self, options: &'static [FormatOption]) -> Self {
        self.options = options;
        self
    }

    /// The same with an option that names the version that a set is extended at.
    #[must_use]
    pub const fn with_version_option(mut self, name: &'static str) -> Self {
        self.version_option = Some(name);
        self
    }

    /// The same for destinations that ask for no other format. A registry has one such format at most.
    #[must_use]
    pub const fn with_fallback(mut self) -> Self {
        self.is_fallback = true;
        self
    }

    /// The same with a way to write to a stream.
    #[must_use]
    pub const fn with_stream(mut self, stream: WriteStream) -> Self {
        self.stream = Some(stream);
        self
    }

    /// Whether it has a capability.
    #[must_use]
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// What ends names that are made up, without a dot.
    #[must_use]
    pub fn extension(&self) -> &'static str {
        self.endings.first().map_or(self.word, |ending| ending.trim_start_matches('.'))
    }

    /// Why this build has not the format; `None` when it has.
    #[must_use]
    pub fn absence(&self) -> Option<&'static str> {
        self.makers.err()
    }

    /// Whether a folder of this machine has the marks of a set.
    #[must_use]
    pub fn marks_folder(&self, folder: &Path) -> bool {
        let is_there = |mark: &&str| match mark.strip_suffix('/') {
            Some(name) => folder.join(name).is_dir(),
            None => folder.join(mark).is_file(),
        };
        self.marks.iter().any(|marks| !marks.is_empty() && marks.iter().all(is_there))
    }

    /// Checks the options of this format among others.
    ///
    /// # Errors
    /// [`OptionError`] for one that it does not have, or a value that it does not take. Options of other formats, by
    /// the words before their dots, are not looked at.
    pub fn validate(&self, options: &EmitOptions) -> Result<(), OptionError> {
        let own = options
            .format_options
            .iter()
            .filter(|(name, _)| name.split_once('.').is_none_or(|(word, _)| word == self.word));
        let find = |name: &str| self.options.iter().find(|option| option.name == name);
        format_option::check_all(own, find, || self.options.iter().map(|one| one.name).collect())
    }

    /// The version that a set is extended at, so far as the options say.
    #[must_use]
    pub fn version_in<'a>(&self, options: &'a EmitOptions) -> Option<&'a str> {
        options.format_options.get(self.version_option?).map(String::as_str)
    }

    /// Who writes it.
    #[must_use]
    pub fn emitter(&self) -> Box<dyn Emitter> {
        match self.makers {
            Ok(makers) => (makers.emitter)(),
            Err(reason) => Box::new(Absent { name: self.name, reason }),
        }
    }

    /// Writes `dataset` to the local path `destination`, which is replaced.
    ///
    /// # Errors
    /// [`EmitError`] when it cannot be represented or written, or an option is wrong.
    pub fn emit(
        &self,
        dataset: &Dataset,
        destination: &Path,
        options: &EmitOptions,
    ) -> Result<Emitted, EmitError> {
        self.emitter().emit(dataset, destination, options)
    }

    /// Who opens it.
    #[must_use]
    pub fn reader(&self) -> Box<dyn SetReader> {
        match self.makers {
            Ok(makers) => (makers.reader)(),
            Err(reason) => Box::new(Absent { name: self.name, reason }),
        }
    }

    /// Opens a set; `version` is of formats with a history.
    ///
    /// # Errors
    /// [`SetError`] when there is none, or it is damaged.
    pub async fn open(
        &self,
        files: Arc<dyn SetFiles>,
        version: Option<&str>,
    ) -> Result<Box<dyn ReferenceSet>, SetError> {
        self.reader().open(files, version).await
    }
}

/// Of a format that does not say what its sets are made of, nothing is replaced unasked.
fn all_is_foreign(path: &Path) -> io::Result<Option<String>> {
    let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(path.try_exists()?.then(name))
}

/// A format that this build has not.
struct Absent {
    name: &'static str,
    reason: &'static str,
}

impl Emitter for Absent {
    fn name(&self) -> &'static str {
        self.name
    }

    fn emit(
        &self,
        _dataset: &Dataset,
        destination: &Path,
        _options: &EmitOptions,
    ) -> Result<Emitted, EmitError> {
        let destination = destination.display().to_string();
        Err(EmitError { destination, source: self.reason.into() })
    }
}

#[async_trait]
impl SetReader for Absent {
    async fn open(
        &self,
        _files: Arc<dyn SetFiles>,
        _version: Option<&str>,
    ) -> Result<Box<dyn ReferenceSet>, SetError> {
        Err(SetError::Unsupported(self.reason.to_owned()))
    }

    async fn recorded(&self, _path: &Path, _version: Option<&str>) -> Option<Recorded> {
        None
    }
}
