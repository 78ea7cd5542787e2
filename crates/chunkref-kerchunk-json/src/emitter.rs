// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing files, compressed where their names ask for it, and streams.

use std::io::{self, Write};
use std::path::Path;

use chunkref_core::atomic::{self, AtomicError, Fault};
use chunkref_core::{Cancellation, EmitError, EmitOptions, Emitted, Emitter};
use chunkref_model::Dataset;
use flate2::write::GzEncoder;

use crate::document::{self, WriteOptions};
use crate::{CONSOLIDATED, ENTRY, TEMPLATES};

/// Of the levels of zstd, the one that is fast and still makes references a tenth.
const ZSTD_LEVEL: i32 = 1;

/// Writes kerchunk JSON version 1, which fsspec's reference file system opens; compressed when the name ends in `.gz` or
/// `.zst`.
#[derive(Debug, Clone, Copy, Default)]
pub struct KerchunkJson;

impl Emitter for KerchunkJson {
    fn name(&self) -> &'static str {
        ENTRY.name
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
    let written = ENTRY.validate(options).map_err(Fault::from);
    written
        .and_then(|()| write(dataset, options, output))
        .map_err(|source| EmitError { destination: "output".to_owned(), source })
}

fn emit(dataset: &Dataset, destination: &Path, options: &EmitOptions) -> Result<Emitted, Fault> {
    ENTRY.validate(options)?;
    refuse_sources(dataset, destination)?;
    let written = atomic::replace_file(destination, options.replaces.as_ref(), |output| {
        write_compressed(dataset, options, destination, output)
    });
    let (emitted, fingerprint) = written.map_err(|error| match error {
        AtomicError::Content(fault) => fault,
        error => error.into(),
    })?;
    Ok(Emitted { fingerprint, ..emitted })
}

/// References must not replace the data that they are about.
fn refuse_sources(dataset: &Dataset, destination: &Path) -> Result<(), Fault> {
    let Ok(real) = destination.canonicalize() else { return Ok(()) };
    // As locations of this machine are written.
    let Some(text) = real.to_str() else { return Ok(()) };
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() };
    let path = text.trim_start_matches('/');
    let is_real = |location: &str| {
        location.strip_prefix("file://").is_some_and(|url| url.trim_start_matches('/') == path)
    };
    if dataset.sources().iter().any(|source| is_real(&source.location)) {
        let path = destination.display();
        return Err(
            format!("{path} is a file that the references point to: write elsewhere").into()
        );
    }
    Ok(())
}

fn write(
    dataset: &Dataset,
    options: &EmitOptions,
    mut output: impl Write,
) -> Result<Emitted, Fault> {
    let write_options = WriteOptions {
        consolidated: CONSOLIDATED.is_on(options)?,
        provenance: options.provenance.clone(),
        templates: TEMPLATES.is_on(options)?,
    };
    let written = document::write(dataset, &write_options, &mut output)?;
    output.flush()?;
    Ok(Emitted { references: written.references, bytes: written.length, fingerprint: None })
}

/// Writes what the name of the file asks for: `.gz` and `.zst` are compressed.
fn write_compressed(
    dataset: &Dataset,
    options: &EmitOptions,
    name: &Path,
    output: &mut dyn Write,
) -> Result<Emitted, Fault> {
    let mut counted = Counted { output, bytes: 0, cancellation: &options.cancellation };
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

/// Counts what goes through, while it is wanted.
struct Counted<'a, W> {
    output: W,
    bytes: u64,
    cancellation: &'a Cancellation,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.cancellation.check().map_err(io::Error::other)?;
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
    use std::fs;

    use chunkref_model::{
        Array, Attributes, ByteOrder, ChunkGrid, ChunkRef, DataType, ManifestBuilder, Source,
        WHOLE_OBJECT,
    };
    use chunkref_testkit::conformance;
    use chunkref_testkit::scenes::chunk_kinds;

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
    fn the_format_keeps_its_contract() {
        let samples = [chunk_kinds(1).unwrap(), chunk_kinds(3).unwrap(), dataset(0)];
        conformance::reference_format(&ENTRY, &samples, &unsayable()).unwrap();
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
        // A link to nothing yet stays a link, too.
        let (later, dangling) = (folder.path().join("later.json"), folder.path().join("dangling"));
        symlink("later.json", &dangling).unwrap();
        KerchunkJson.emit(&dataset(5), &dangling, &EmitOptions::default()).unwrap();
        assert!(fs::symlink_metadata(&dangling).unwrap().is_symlink() && later.is_file());
    }

    #[test]
    fn data_that_references_point_to_is_not_replaced_by_them() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a.nc");
        fs::write(&data, b"years of work").unwrap();
        let url = format!("file://{}", data.canonicalize().unwrap().display());
        let mut dataset = dataset(0);
        dataset.add_source(Source { location: url, version: None });
        let error = KerchunkJson.emit(&dataset, &data, &EmitOptions::default()).unwrap_err();
        assert!(error.source.to_string().contains("point to"), "{}", error.source);
        assert_eq!(fs::read(&data).unwrap(), b"years of work");
    }
}
