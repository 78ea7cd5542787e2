// SPDX-License-Identifier: MIT OR Apache-2.0
//! kerchunk JSON files.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chunkref_core::{EmitError, EmitOptions, Emitted, Emitter};
use chunkref_model::{Dataset, kerchunk_json};
use flate2::write::GzEncoder;

type Fault = Box<dyn std::error::Error + Send + Sync>;

const BUFFER_BYTES: usize = 256 << 10;
/// Of the levels of zstd, the one that is fast and still makes references a tenth.
const ZSTD_LEVEL: i32 = 1;

/// Writes kerchunk JSON version 1, which fsspec's reference file system opens; compressed when the name ends in `.gz` or
/// `.zst`.
#[derive(Debug, Clone, Copy, Default)]
pub struct KerchunkJson;

impl Emitter for KerchunkJson {
    fn name(&self) -> &'static str {
        "kerchunk-json"
    }

    fn emit(
        &self,
        dataset: &Dataset,
        destination: &Path,
        options: &EmitOptions,
    ) -> Result<Emitted, EmitError> {
        emit(dataset, destination, options)
            .map_err(|source| EmitError { destination: destination.display().to_string(), source })
    }
}

/// Writes kerchunk JSON version 1 to `output`, unbuffered and with no way back: for a pipe.
///
/// # Errors
/// [`EmitError`] when the dataset cannot be said in Zarr version 2, or `output` fails.
pub fn write_kerchunk_json(
    dataset: &Dataset,
    options: &EmitOptions,
    output: impl Write,
) -> Result<Emitted, EmitError> {
    write(dataset, options, output)
        .map_err(|source| EmitError { destination: "output".to_owned(), source })
}

fn emit(dataset: &Dataset, destination: &Path, options: &EmitOptions) -> Result<Emitted, Fault> {
    // A symbolic link is followed, so that the file behind it is replaced and not the link.
    let (target, known) = match fs::canonicalize(destination) {
        Ok(real) => {
            let metadata = fs::metadata(&real)?;
            (real, Some(metadata))
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => (destination.to_owned(), None),
        Err(cause) => return Err(cause.into()),
    };
    match known {
        Some(metadata) if metadata.is_dir() => {
            Err(io::Error::from(io::ErrorKind::IsADirectory).into())
        }
        // A device or a pipe holds nothing that could be kept, and must not be replaced by a file.
        Some(metadata) if !metadata.is_file() => {
            let mut output =
                BufWriter::with_capacity(BUFFER_BYTES, File::options().write(true).open(&target)?);
            let emitted = write_compressed(dataset, options, destination, &mut output)?;
            output.flush()?;
            Ok(emitted)
        }
        known => replace(dataset, &target, known.map(|metadata| metadata.permissions()), options),
    }
}

/// Writes to a temporary file in the same folder and renames it: whatever fails, `target` is as it was and nothing else
/// is left.
fn replace(
    dataset: &Dataset,
    target: &Path,
    permissions: Option<fs::Permissions>,
    options: &EmitOptions,
) -> Result<Emitted, Fault> {
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".chunkref-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder.tempfile_in(&folder)?;
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, temporary);
    let emitted = write_compressed(dataset, options, target, &mut output)?;
    let temporary = output.into_inner().map_err(io::IntoInnerError::into_error)?;
    if let Some(permissions) = permissions {
        temporary.as_file().set_permissions(permissions)?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(target).map_err(|error| error.error)?;
    // The rename itself lasts once the folder is on disk; not every file system can be asked for that.
    #[cfg(unix)]
    let _ = File::open(&folder).and_then(|folder| folder.sync_all());
    Ok(emitted)
}

fn write(
    dataset: &Dataset,
    options: &EmitOptions,
    mut output: impl Write,
) -> Result<Emitted, Fault> {
    let write_options = kerchunk_json::WriteOptions {
        consolidated: options.consolidated,
        provenance: options.provenance.clone(),
        templates: options.templates,
    };
    let written = kerchunk_json::write(dataset, &write_options, &mut output)?;
    output.flush()?;
    Ok(Emitted { references: written.references, bytes: written.length })
}

/// Writes what the name of the file asks for: `.gz` and `.zst` are compressed.
fn write_compressed(
    dataset: &Dataset,
    options: &EmitOptions,
    name: &Path,
    output: &mut impl Write,
) -> Result<Emitted, Fault> {
    let mut counted = Counted { output, bytes: 0 };
    let emitted = match name.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => {
            let mut encoder = GzEncoder::new(&mut counted, flate2::Compression::default());
            let emitted = write(dataset, options, &mut encoder)?;
            encoder.finish()?;
            emitted
        }
        Some("zst") => {
            let mut encoder = zstd::Encoder::new(&mut counted, ZSTD_LEVEL)?;
            let emitted = write(dataset, options, &mut encoder)?;
            encoder.finish()?;
            emitted
        }
        _ => write(dataset, options, &mut counted)?,
    };
    Ok(Emitted { bytes: counted.bytes, ..emitted })
}

/// Counts what goes through.
struct Counted<W> {
    output: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.bytes = self.bytes.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use chunkref_model::{
        Array, Attributes, ByteOrder, ChunkGrid, ChunkRef, DataType, ManifestBuilder, Source,
        WHOLE_OBJECT,
    };
    use chunkref_testkit::conformance;

    use super::*;

    fn dataset(offset: u64) -> Dataset {
        let mut dataset = Dataset::new();
        let source =
            dataset.add_source(Source { location: "file:///data/a.nc".to_owned(), version: None });
        let mut manifest = ManifestBuilder::new([3]).unwrap();
        manifest.push(&[0], ChunkRef::Virtual { source, offset, length: 10 }).unwrap();
        manifest.push(&[2], ChunkRef::Inline(b"\x00\x01\x02\x03".as_slice().into())).unwrap();
        let array = Array {
            shape: vec![6],
            dimensions: vec!["x".to_owned()],
            dtype: DataType::UInt { length: 2, order: ByteOrder::Little },
            fill_value: None,
            chunk_grid: ChunkGrid::regular([2]),
            codecs: Vec::new(),
            attributes: Attributes::new(),
            manifest: manifest.finish().unwrap(),
        };
        dataset.group_mut("g").arrays.insert("a".to_owned(), array);
        dataset
    }

    /// No JSON says a struct without fields, and Zarr version 2 has no such type.
    fn unsayable() -> Dataset {
        let mut dataset = dataset(0);
        if let Some(array) = dataset.group_mut("g").arrays.get_mut("a") {
            array.dtype = DataType::Float { length: 16, order: ByteOrder::Little };
        }
        dataset
    }

    #[test]
    fn the_emitter_keeps_its_contract() {
        let samples = [dataset(0), dataset(WHOLE_OBJECT - 20), Dataset::new()];
        conformance::emitter(&KerchunkJson, &samples, &unsayable()).unwrap();
    }

    #[test]
    fn what_was_written_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let emitted = KerchunkJson.emit(&dataset(5), &path, &EmitOptions::default()).unwrap();
        assert_eq!(emitted.references, 2);
        assert_eq!(emitted.bytes, fs::metadata(&path).unwrap().len());
        let mut bytes = Vec::new();
        write_kerchunk_json(&dataset(5), &EmitOptions::default(), &mut bytes).unwrap();
        assert_eq!(bytes, fs::read(&path).unwrap());
    }

    #[test]
    fn the_name_says_whether_it_is_compressed() {
        let folder = tempfile::tempdir().unwrap();
        let mut plain = Vec::new();
        write_kerchunk_json(&dataset(5), &EmitOptions::default(), &mut plain).unwrap();
        for name in ["a.json.gz", "a.json.zst"] {
            let path = folder.path().join(name);
            let emitted = KerchunkJson.emit(&dataset(5), &path, &EmitOptions::default()).unwrap();
            let bytes = fs::read(&path).unwrap();
            assert_eq!(emitted.bytes, bytes.len() as u64);
            let mut text = Vec::new();
            let gzip: Box<dyn io::Read> = if name.ends_with("gz") {
                Box::new(flate2::read::GzDecoder::new(&*bytes))
            } else {
                Box::new(zstd::Decoder::new(&*bytes).unwrap())
            };
            io::Read::read_to_end(&mut { gzip }, &mut text).unwrap();
            assert_eq!(text, plain, "{name}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn links_devices_and_permissions_survive() {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.json"), folder.path().join("link.json"));
        fs::write(&real, b"old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &link).unwrap();
        KerchunkJson.emit(&dataset(5), &link, &EmitOptions::default()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read(&real).unwrap().starts_with(b"{"));
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        KerchunkJson.emit(&dataset(5), Path::new("/dev/null"), &EmitOptions::default()).unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        assert!(KerchunkJson.emit(&dataset(5), folder.path(), &EmitOptions::default()).is_err());
    }
}
