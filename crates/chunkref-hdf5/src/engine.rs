// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which engine reads a file's structures: the native one, libhdf5, or both against each other.

use chunkref_core::{ByteSource, FormatOption, OptionError, OptionType, ScanOptions};
use thiserror::Error;

use crate::error::Result;
use crate::object::{Described, Objects};
use crate::walk::{File, read_objects};

/// The option that chooses the engine.
pub(crate) const OPTION: FormatOption = FormatOption::new(
    "hdf5.engine",
    OptionType::Words(VALUES),
    "who reads the structures: this program, libhdf5 (local files you trust, feature `libhdf5`), or both, leaving out what they disagree on",
)
.with_default("native")
.with_flag("engine")
.with_switch("cross-check", "both", "read with both engines, and leave out what they disagree on");

const VALUES: &[&str] = &["native", "libhdf5", "both"];

/// Who reads the structures of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// The walks of this crate.
    Native,
    /// libhdf5, and the native engine for what libhdf5's safe interface cannot say.
    #[cfg(feature = "libhdf5")]
    Libhdf5,
    /// The native engine, with everything that libhdf5 says otherwise made an error of that object or attribute.
    #[cfg(feature = "libhdf5")]
    Both,
}

/// Why a file cannot be read with the engine that the options ask for.
#[derive(Debug, Error)]
pub(crate) enum EngineError {
    #[error(
        "hdf5.engine={value} needs a build with libhdf5, which this one is without: build with the cargo feature `libhdf5` (needs CMake 3.26 or newer and a C compiler)"
    )]
    #[cfg(not(feature = "libhdf5"))]
    NotBuilt { value: String },
    #[error("hdf5.engine={value} reads local files only: use hdf5.engine=native here")]
    #[cfg(feature = "libhdf5")]
    NotLocal { value: String },
    #[error(transparent)]
    Option(#[from] OptionError),
}

impl Engine {
    /// The engine that the options ask for, if it can read `source`.
    pub(crate) fn choose(
        source: &dyn ByteSource,
        options: &ScanOptions,
    ) -> Result<Self, EngineError> {
        match OPTION.word(options)? {
            value @ ("libhdf5" | "both") => Self::with_libhdf5(source, value),
            _ => Ok(Self::Native),
        }
    }

    #[cfg(not(feature = "libhdf5"))]
    fn with_libhdf5(_: &dyn ByteSource, value: &str) -> Result<Self, EngineError> {
        Err(EngineError::NotBuilt { value: value.to_owned() })
    }

    #[cfg(feature = "libhdf5")]
    fn with_libhdf5(source: &dyn ByteSource, value: &str) -> Result<Self, EngineError> {
        if crate::libhdf5::local_path(source.location()).is_none() {
            return Err(EngineError::NotLocal { value: value.to_owned() });
        }
        Ok(if value == "both" { Self::Both } else { Self::Libhdf5 })
    }

    /// Everything about the file's objects.
    pub(crate) async fn objects(self, file: &File<'_>) -> Result<Objects<Described>> {
        let objects = read_objects(file).await?;
        match self {
            Self::Native => Ok(objects),
            #[cfg(feature = "libhdf5")]
            Self::Libhdf5 => {
                crate::libhdf5::read(file, objects, crate::libhdf5::Role::Source).await
            }
            #[cfg(feature = "libhdf5")]
            Self::Both => crate::libhdf5::read(file, objects, crate::libhdf5::Role::Witness).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chunkref_core::MemorySource;

    use super::*;

    fn choose(value: &str) -> Result<Engine, EngineError> {
        let source = MemorySource::new("memory://a.h5", Bytes::new());
        let options = ScanOptions::default().with_format_option(OPTION.name, value);
        Engine::choose(&source, &options)
    }

    #[test]
    fn only_the_native_engine_reads_what_is_no_local_file() {
        assert_eq!(choose("native").unwrap(), Engine::Native);
        for value in ["libhdf5", "both"] {
            let error = choose(value).unwrap_err();
            let advice = if cfg!(feature = "libhdf5") {
                "local files only"
            } else {
                "the cargo feature `libhdf5`"
            };
            assert!(error.to_string().contains(advice), "{error}");
        }
        assert!(choose("fast").unwrap_err().to_string().contains("native, libhdf5, both"));
    }

    #[test]
    fn every_value_of_the_option_is_one_that_is_known() {
        for value in VALUES {
            assert!(!matches!(choose(value), Err(EngineError::Option(_))), "{value}");
        }
    }
}
