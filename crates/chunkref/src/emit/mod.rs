// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datasets written where people open them.
//!
//! Output formats are entries that crates submit ([`ReferenceFormat`](chunkref_core::ReferenceFormat)); [`formats`] has those
//! that are linked in. [`emit`] chooses one by the name of the destination.

mod absent;

use std::path::Path;

use chunkref_core::{EmitError, EmitOptions, Emitted, ReferenceFormatError, ReferenceFormats};
use chunkref_model::Dataset;

#[cfg(feature = "icechunk")]
pub use chunkref_icechunk::IcechunkEmitter;
#[cfg(feature = "kerchunk-json")]
pub use chunkref_kerchunk_json::{KerchunkJson, write_kerchunk_json};
#[cfg(feature = "parquet")]
pub use chunkref_parquet::ParquetEmitter;

/// The output formats that are linked in.
///
/// # Errors
/// [`ReferenceFormatError`] when two of them cannot be told apart.
pub fn formats() -> Result<ReferenceFormats, ReferenceFormatError> {
    ReferenceFormats::linked()
}

/// Writes `dataset` to the local path `destination`, which is replaced, in the format that its name, or what is there, asks
/// for ([`ReferenceFormats::of_destination`]).
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let cube = folder.path().join("cube.parq");
/// use chunkref::{Dataset, EmitOptions};
/// let options = EmitOptions::default().with_format_option("parquet.record-size", "1000");
/// chunkref::emit::emit(&Dataset::new(), &cube, &options)?;
/// assert!(cube.join(".zmetadata").is_file());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`EmitError`] when no format is for it, the dataset cannot be represented in the format or cannot be written, or an
/// option is wrong.
pub fn emit(
    dataset: &Dataset,
    destination: &Path,
    options: &EmitOptions,
) -> Result<Emitted, EmitError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| EmitError {
        destination: destination.display().to_string(),
        source,
    };
    let formats = formats().map_err(|error| failed(error.into()))?;
    let format = formats.of_destination(destination).map_err(|error| failed(error.into()))?;
    formats.validate(options).map_err(|error| failed(error.into()))?;
    format.emit(dataset, destination, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides() {
        let formats = formats().unwrap();
        let of = |name: &str| formats.of_destination(Path::new(name)).unwrap().word;
        for name in ["a.json", "a.json.gz", "a", "parquet", "a.parq.json", "icechunk"] {
            assert_eq!(of(name), "json", "{name}");
        }
        for name in ["a.parq", "x/a.parquet", "a.parq/"] {
            assert_eq!(of(name), "parquet", "{name}");
        }
        assert_eq!(of("x/a.icechunk/"), "icechunk");
        let folder = tempfile::tempdir().unwrap();
        let of = || formats.of_destination(folder.path()).unwrap().word;
        assert_eq!(of(), "json");
        std::fs::write(folder.path().join(chunkref_parquet::METADATA), b"").unwrap();
        assert_eq!(of(), "parquet");
        // With the marks of two formats it is neither.
        std::fs::create_dir_all(folder.path().join("refs/branch.main")).unwrap();
        std::fs::create_dir(folder.path().join("snapshots")).unwrap();
        assert_eq!(of(), "json");
        std::fs::remove_file(folder.path().join(chunkref_parquet::METADATA)).unwrap();
        assert_eq!(of(), "icechunk");
    }

    #[cfg(not(feature = "icechunk"))]
    #[test]
    fn a_build_without_a_format_names_the_feature() {
        let error = emit(&Dataset::new(), Path::new("/x.icechunk"), &EmitOptions::default());
        assert!(error.unwrap_err().source.to_string().contains("feature icechunk"));
    }
}
