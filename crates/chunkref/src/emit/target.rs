// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which output format a destination asks for.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use chunkref_core::Emitter;
use chunkref_parquet::{METADATA, ParquetEmitter};

use super::KerchunkJson;

/// Bytes of a file that are looked at.
const HEAD_BYTES: u64 = 64 << 10;
/// What kerchunk JSON of any version and writer has near its beginning.
const MARKS: [&str; 6] =
    ["\"refs\"", "\"version\":1,", "\"version\": 1,", "\"templates\"", ".zgroup\"", ".zarray\""];

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// One JSON document, see [`KerchunkJson`].
    KerchunkJson,
    /// A folder of Parquet files, see [`ParquetEmitter`].
    KerchunkParquet,
    /// An Icechunk repository; builds with the cargo feature `icechunk` write and read it.
    Icechunk,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::KerchunkJson, Self::KerchunkParquet, Self::Icechunk];

    /// The one that a name asks for: Parquet for a name that ends in `.parq` or `.parquet`, and for a folder that holds a
    /// Parquet reference set; Icechunk for one that ends in `.icechunk`, and for a folder that holds a repository; JSON for
    /// all others.
    #[must_use]
    pub fn of(destination: &Path) -> Self {
        let extension = destination.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("parq" | "parquet") => Self::KerchunkParquet,
            Some("icechunk") => Self::Icechunk,
            _ => Self::of_folder(destination).unwrap_or(Self::KerchunkJson),
        }
    }

    /// What a folder of this machine holds, if it is a reference set.
    #[must_use]
    pub fn of_folder(folder: &Path) -> Option<Self> {
        let below = |name: &str| folder.join(name);
        if below(METADATA).is_file() {
            Some(Self::KerchunkParquet)
        } else if below("repo").is_file()
            || (below("refs").join("branch.main").is_dir() && below("snapshots").is_dir())
        {
            // The files of version 2 and 1 of the format.
            Some(Self::Icechunk)
        } else {
            None
        }
    }

    /// Whether a file holds kerchunk JSON, whole or cut off, so far as its beginning says; an empty file counts. Such a file
    /// may be replaced by another one without asking.
    ///
    /// # Errors
    /// Those of reading the file.
    pub fn is_json_set(file: &Path) -> io::Result<bool> {
        let mut head = Vec::new();
        let text = crate::set_text::unpacked(
            BufReader::new(File::open(file)?),
            &chunkref_core::Limits::default(),
        )?;
        // One that is cut off in the middle of compressed data has a beginning all the same.
        match text.take(HEAD_BYTES).read_to_end(&mut head) {
            Err(error) if error.raw_os_error().is_some() => return Err(error),
            _ => {}
        }
        let head = String::from_utf8_lossy(&head);
        let begins = head.trim_start().starts_with(['{', '[']);
        Ok(fs::metadata(file)?.len() == 0
            || (begins && MARKS.iter().any(|mark| head.contains(mark))))
    }

    /// Short name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::KerchunkJson => "json",
            Self::KerchunkParquet => "parquet",
            Self::Icechunk => "icechunk",
        }
    }

    /// Extension of a destination that says no other.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::KerchunkJson => "json",
            Self::KerchunkParquet => "parq",
            Self::Icechunk => "icechunk",
        }
    }

    /// Who writes it.
    #[must_use]
    pub fn emitter(self) -> Box<dyn Emitter> {
        match self {
            Self::KerchunkJson => Box::new(KerchunkJson),
            Self::KerchunkParquet => Box::new(ParquetEmitter::default()),
            #[cfg(feature = "icechunk")]
            Self::Icechunk => Box::new(chunkref_icechunk::IcechunkEmitter::default()),
            #[cfg(not(feature = "icechunk"))]
            Self::Icechunk => Box::new(without::WithoutIcechunk),
        }
    }
}

/// A build without the library.
#[cfg(not(feature = "icechunk"))]
mod without {
    use std::path::Path;

    use chunkref_core::{EmitError, EmitOptions, Emitted, Emitter};
    use chunkref_model::Dataset;

    /// Says which feature is needed.
    pub(super) struct WithoutIcechunk;

    impl Emitter for WithoutIcechunk {
        fn name(&self) -> &'static str {
            "icechunk"
        }

        fn emit(
            &self,
            _dataset: &Dataset,
            destination: &Path,
            _options: &EmitOptions,
        ) -> Result<Emitted, EmitError> {
            Err(EmitError {
                destination: destination.display().to_string(),
                source: super::WITHOUT_ICECHUNK.into(),
            })
        }
    }
}

/// What a build without the library says.
#[cfg(not(feature = "icechunk"))]
pub(crate) const WITHOUT_ICECHUNK: &str = "this build cannot read or write Icechunk repositories: build it with the cargo feature icechunk";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides() {
        let of = |name: &str| Target::of(Path::new(name)).name();
        for name in ["a.json", "a.json.gz", "a", "parquet", "a.parq.json", "icechunk"] {
            assert_eq!(of(name), "json", "{name}");
        }
        for name in ["a.parq", "x/a.parquet", "a.parq/"] {
            assert_eq!(of(name), "parquet", "{name}");
        }
        assert_eq!(of("x/a.icechunk/"), "icechunk");
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Target::of(folder.path()).name(), "json");
        std::fs::create_dir_all(folder.path().join("refs/branch.main")).unwrap();
        std::fs::create_dir(folder.path().join("snapshots")).unwrap();
        assert_eq!(Target::of(folder.path()).name(), "icechunk");
        std::fs::write(folder.path().join(METADATA), b"").unwrap();
        assert_eq!(Target::of(folder.path()).name(), "parquet");
    }

    #[cfg(not(feature = "icechunk"))]
    #[test]
    fn references_are_told_from_other_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let of = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            Target::is_json_set(&path).unwrap()
        };
        assert!(of(b"") && of(b"{\"version\":1,\"ref") && of(b" {\".zgroup\": \"{}\""));
        assert!(of(b"[{\"version\": 1, \"refs\": {}}]"));
        assert!(!of(b"{\"stac_version\": \"1.0.0\"}") && !of(b"CDF\x01refs") && !of(b"{}"));
        let packed = zstd::encode_all(&b"{\"version\":1,\"refs\":{}}"[..], 1).unwrap();
        assert!(of(&packed));
    }

    #[test]
    fn a_build_without_the_library_names_the_feature() {
        let dataset = chunkref_model::Dataset::new();
        let options = chunkref_core::EmitOptions::default();
        let error = Target::Icechunk.emitter().emit(&dataset, Path::new("/x.icechunk"), &options);
        assert!(error.unwrap_err().source.to_string().contains("feature icechunk"));
    }
}
