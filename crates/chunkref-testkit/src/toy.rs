// SPDX-License-Identifier: MIT OR Apache-2.0
//! A format of a few bytes with a scanner that keeps the contract.
//!
//! A file is `TOYF`, the length of its table (u32, little-endian) and the table: for each array the length of its name
//! (u8), the name, and offset and length of its bytes (u32 each). An array whose name begins with `?` is of a type that
//! the scanner does not know.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use chunkref_core::{
    ByteSource, Cursor, FormatOption, OptionType, Scan, ScanError, ScanErrorKind, ScanOptions,
    Scanner, ScannerEntry, Signature, SkipKind, Skipped, Truncated,
};
use chunkref_model::{
    Array, Attributes, ChunkGrid, ChunkRef, DataType, Dataset, Dimension, ManifestBuilder, Source,
    SourceId,
};

/// The toy format, which no crate submits by itself.
pub const ENTRY: ScannerEntry = ScannerEntry::new("toy", || Box::new(ToyScanner))
    .with_description("toy format for tests")
    .with_media_type("application/x-chunkref-toy")
    .with_extensions(&["toy"])
    .with_signatures(&[Signature::at_start(b"TOYF")])
    .with_options(&[
        FormatOption::new("toy.order", OptionType::Words(&["little", "big"]), "does nothing"),
        FormatOption::new("toy.label", OptionType::Text("TEXT"), "does nothing"),
    ]);

static REGISTERED: ScannerEntry = ENTRY;

/// A file of arrays of bytes.
#[must_use]
pub fn file(arrays: &[(&str, &[u8])]) -> Bytes {
    let table_length: usize = arrays.iter().map(|(name, _)| name.len() + 9).sum();
    let mut file = BytesMut::from(&b"TOYF"[..]);
    file.put_u32_le(u32::try_from(table_length).unwrap_or(u32::MAX));
    let mut offset = 8 + table_length;
    for (name, bytes) in arrays {
        file.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
        file.put_slice(name.as_bytes());
        file.put_u32_le(u32::try_from(offset).unwrap_or(u32::MAX));
        file.put_u32_le(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        offset += bytes.len();
    }
    for (_, bytes) in arrays {
        file.put_slice(bytes);
    }
    file.freeze()
}

/// The scanner of the toy format.
#[derive(Debug, Clone, Copy)]
pub struct ToyScanner;

struct Row {
    name: String,
    place: u64,
    offset: u64,
    length: u64,
}

#[async_trait]
impl Scanner for ToyScanner {
    fn entry(&self) -> &'static ScannerEntry {
        &REGISTERED
    }

    async fn scan(
        &self,
        source: &dyn ByteSource,
        options: &ScanOptions,
    ) -> Result<Scan, ScanError> {
        let fail = |kind, error: Box<dyn std::error::Error + Send + Sync>| {
            ScanError::new(kind, source.location(), error).with_format(ENTRY.name)
        };
        let truncated = |error: Truncated| fail(ScanErrorKind::Truncated, error.into());
        let header = read(source, 0, 8.min(source.version().length)).await?;
        let mut cursor = Cursor::new(&header, 0, "toy header");
        if cursor.bytes(4).map_err(truncated)? != b"TOYF" {
            return Err(fail(
                ScanErrorKind::Malformed,
                "toy header at byte 0: the signature is missing".into(),
            ));
        }
        let table_length = u64::from(cursor.u32_le().map_err(truncated)?);
        if table_length > options.limits.structure_bytes {
            let message =
                format!("toy table at byte 8: {table_length} bytes are more than the limit");
            return Err(fail(ScanErrorKind::LimitExceeded, message.into()));
        }
        let table = read(source, 8, table_length).await?;
        let (rows, mut skipped) = parse(&table, source.version().length).map_err(truncated)?;
        if rows.len() as u64 > options.limits.chunks.min(options.limits.objects) {
            let message =
                format!("toy table at byte 8: {} arrays are more than the limit", rows.len());
            return Err(fail(ScanErrorKind::LimitExceeded, message.into()));
        }
        let inline: Vec<_> =
            rows.values().filter(|row| row.length < options.inline_threshold).collect();
        if inline.iter().map(|row| row.length).fold(0, u64::saturating_add)
            > options.limits.inline_bytes
        {
            let message = "the arrays below the inline threshold are longer than the limit";
            return Err(fail(ScanErrorKind::LimitExceeded, message.into()));
        }
        let ranges: Vec<_> =
            inline.iter().map(|row| row.offset..row.offset.saturating_add(row.length)).collect();
        let bytes = source
            .read_many(&ranges)
            .await
            .map_err(|error| ScanError::from_source(error, Some(ENTRY.name)))?;
        let bytes: BTreeMap<_, _> = inline.iter().map(|row| row.name.clone()).zip(bytes).collect();

        let mut dataset = Dataset::new();
        let location = source.location().to_owned();
        let id = dataset.add_source(Source { location, version: Some(source.version().clone()) });
        for row in rows.values() {
            let array = array(row, id, bytes.get(&row.name))
                .map_err(|error| fail(ScanErrorKind::Malformed, error))?;
            let (name, length) = (format!("{}_length", row.name), row.length);
            dataset.root.dimensions.push(Dimension { name, length, unlimited: false });
            dataset.root.arrays.insert(row.name.clone(), array);
        }
        skipped.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Scan::new(dataset).with_skipped(skipped))
    }
}

async fn read(source: &dyn ByteSource, offset: u64, length: u64) -> Result<Bytes, ScanError> {
    let range = offset..offset.saturating_add(length);
    let read = source.read_many(std::slice::from_ref(&range)).await;
    let mut bytes = read.map_err(|error| ScanError::from_source(error, Some(ENTRY.name)))?;
    Ok(bytes.pop().unwrap_or_default())
}

/// The rows by name, and what is not among them.
fn parse(
    table: &[u8],
    file_length: u64,
) -> Result<(BTreeMap<String, Row>, Vec<Skipped>), Truncated> {
    let mut cursor = Cursor::new(table, 8, "toy table");
    let (mut rows, mut skipped): (BTreeMap<String, Row>, _) = (BTreeMap::new(), Vec::new());
    while cursor.remaining() > 0 {
        let place = cursor.offset();
        let name_length = usize::from(cursor.u8()?);
        let name = String::from_utf8_lossy(cursor.bytes(name_length)?).into_owned();
        let (offset, length) = (u64::from(cursor.u32_le()?), u64::from(cursor.u32_le()?));
        let reason = if name.is_empty() || name.contains('/') {
            "its name cannot be a path"
        } else if name.starts_with('?') {
            "its type is not known"
        } else if offset.saturating_add(length) > file_length {
            "its bytes lie past the end of the file"
        } else if rows.contains_key(&name) {
            "another array has its name"
        } else {
            rows.insert(name.clone(), Row { name, place, offset, length });
            continue;
        };
        skipped.push(Skipped::new(name, SkipKind::Array, reason).with_offset(place));
    }
    // A name that is both there and skipped would say two things of one path.
    skipped.retain(|skip| !rows.contains_key(&skip.path) || skip.reason.contains("another"));
    for skip in &mut skipped {
        if rows.contains_key(&skip.path) {
            skip.path = format!("{}#{}", skip.path, skip.offset.unwrap_or_default());
        }
    }
    Ok((rows, skipped))
}

fn array(
    row: &Row,
    source: SourceId,
    inline: Option<&Bytes>,
) -> Result<Array, Box<dyn std::error::Error + Send + Sync>> {
    let chunk_grid = ChunkGrid::regular([row.length.max(1)]);
    let mut manifest = ManifestBuilder::new(chunk_grid.grid_shape(&[row.length]))?;
    if row.length > 0 {
        let reference = match inline {
            Some(bytes) => ChunkRef::Inline(bytes.clone()),
            None => ChunkRef::Virtual { source, offset: row.offset, length: row.length },
        };
        manifest.push(&[0], reference)?;
    }
    let mut attributes = Attributes::new();
    attributes.insert("place", row.place.to_string());
    Ok(Array {
        shape: vec![row.length],
        dimensions: vec![format!("{}_length", row.name)],
        dtype: DataType::Raw { length: 1 },
        fill_value: None,
        chunk_grid,
        codecs: Vec::new(),
        attributes,
        manifest: manifest.finish()?,
    })
}
