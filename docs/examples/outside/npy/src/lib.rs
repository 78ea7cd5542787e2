// SPDX-License-Identifier: MIT OR Apache-2.0
//! NumPy's `.npy` files: one array, behind a header that is a literal of Python.
//!
//! Source: NEP 1, and `numpy/lib/_format_impl.py`, versions 1.0 to 3.0.

mod header;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::model::{
    Array, Attributes, ChunkGrid, ChunkRef, Dataset, Dimension, ManifestBuilder, Source,
};
use chunkref_core::{
    ByteSource, Scan, ScanError, ScanErrorKind, ScanOptions, Scanner, ScannerEntry, Signature,
    SkipKind, Skipped, inventory,
};

use header::Header;

/// NumPy's format.
pub static ENTRY: ScannerEntry = ScannerEntry::new("npy", || Box::new(NpyScanner))
    .with_description("NumPy's array files")
    .with_media_type("application/x-npy")
    .with_extensions(&["npy"])
    .with_signatures(&[Signature::at_start(header::MAGIC)]);

inventory::submit! { ENTRY }

/// The name of the array, for the file has none.
const NAME: &str = "values";

/// Scans one file.
#[derive(Debug, Clone, Copy)]
struct NpyScanner;

#[async_trait]
impl Scanner for NpyScanner {
    fn entry(&self) -> &'static ScannerEntry {
        &ENTRY
    }

    async fn scan(
        &self,
        source: &dyn ByteSource,
        options: &ScanOptions,
    ) -> Result<Scan, ScanError> {
        let fail = |kind, reason: String| {
            ScanError::new(kind, source.location(), reason).with_format("npy")
        };
        let length = source.version().length;
        let most = options.limits.structure_bytes;
        // One read has the header of nearly every file; a longer one takes a second.
        let mut head = read(source, length.min(header::USUAL_BYTES)).await?;
        let needed =
            header::length(&head).map_err(|reason| fail(ScanErrorKind::Truncated, reason))?;
        if needed > most {
            let reason = format!(
                "header at byte 0: {needed} bytes are more than the limit structure_bytes of {most}"
            );
            return Err(fail(ScanErrorKind::LimitExceeded, reason));
        }
        if needed > head.len() as u64 {
            head = read(source, length.min(needed)).await?;
        }
        let header =
            Header::parse(&head).map_err(|reason| fail(ScanErrorKind::Malformed, reason))?;

        let mut dataset = Dataset::new();
        let id = dataset.add_source(Source {
            location: source.location().to_owned(),
            version: Some(source.version().clone()),
        });
        let (dtype, bytes) = match header.layout() {
            Ok(layout) => layout,
            Err(reason) => {
                let skipped = Skipped::new(NAME, SkipKind::Array, reason).with_offset(needed);
                return Ok(Scan::new(dataset).with_skipped(vec![skipped]));
            }
        };
        if needed.checked_add(bytes).is_none_or(|end| end > length) {
            let reason = format!(
                "values at byte {needed}: {bytes} bytes needed, {} left",
                length.saturating_sub(needed)
            );
            return Err(fail(ScanErrorKind::Truncated, reason));
        }
        let malformed =
            |error: &dyn std::fmt::Display| fail(ScanErrorKind::Malformed, error.to_string());
        let chunk_shape: Vec<u64> = header.shape.iter().map(|&length| length.max(1)).collect();
        let chunk_grid = ChunkGrid::regular(chunk_shape);
        let grid = chunk_grid.grid_shape(&header.shape);
        let chunks = grid.iter().map(|_| 0).collect::<Vec<u64>>();
        let mut manifest = ManifestBuilder::new(grid).map_err(|error| malformed(&error))?;
        if bytes > 0 {
            let limits = &options.limits;
            let is_inline = bytes < options.inline_threshold;
            if limits.chunks == 0
                || limits.objects == 0
                || (is_inline && bytes > limits.inline_bytes)
            {
                let reason = format!(
                    "values at byte {needed}: one chunk of {bytes} bytes is more than the limits allow"
                );
                return Err(fail(ScanErrorKind::LimitExceeded, reason));
            }
            let reference = if is_inline {
                let range = needed..needed.saturating_add(bytes);
                let read = source.read_many(std::slice::from_ref(&range)).await;
                let read = read.map_err(|error| ScanError::from_source(error, Some("npy")))?;
                ChunkRef::Inline(read.into_iter().next().unwrap_or_default())
            } else {
                ChunkRef::Virtual { source: id, offset: needed, length: bytes }
            };
            manifest.push(&chunks, reference).map_err(|error| malformed(&error))?;
        }
        let manifest = manifest.finish().map_err(|error| malformed(&error))?;
        let dimensions: Vec<String> =
            (0..header.shape.len()).map(|axis| format!("dim_{axis}")).collect();
        for (name, &length) in dimensions.iter().zip(&header.shape) {
            dataset.root.dimensions.push(Dimension {
                name: name.clone(),
                length,
                unlimited: false,
            });
        }
        let array = Array {
            shape: header.shape,
            dimensions,
            dtype,
            fill_value: None,
            chunk_grid,
            codecs: Vec::new(),
            attributes: Attributes::new(),
            manifest,
        };
        dataset.root.arrays.insert(NAME.to_owned(), array);
        Ok(Scan::new(dataset))
    }
}

async fn read(source: &dyn ByteSource, length: u64) -> Result<Bytes, ScanError> {
    let read = source.read_many(std::slice::from_ref(&(0..length))).await;
    let read = read.map_err(|error| ScanError::from_source(error, Some("npy")))?;
    Ok(read.into_iter().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use chunkref_testkit::conformance::{self, Sample};

    use super::*;

    /// As `numpy.save` writes an array of small numbers.
    fn file(descr: &str, shape: &str, values: &[u8]) -> Bytes {
        let mut text =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        text.extend(std::iter::repeat_n(' ', 63 - (text.len() + 10) % 64));
        text.push('\n');
        let length = u16::try_from(text.len()).unwrap().to_le_bytes();
        [header::MAGIC, &[1, 0], &length, text.as_bytes(), values].concat().into()
    }

    #[test]
    fn the_scanner_keeps_its_contract() {
        let samples = [
            Sample { name: "two axes", bytes: file("<i2", "(2, 3)", &[0; 12]), rounds: 2 },
            Sample { name: "no axis", bytes: file(">f8", "()", &[0; 8]), rounds: 2 },
            Sample { name: "no element", bytes: file("|u1", "(0,)", &[]), rounds: 2 },
        ];
        conformance::scanner(&ENTRY, &samples).unwrap();
    }
}
